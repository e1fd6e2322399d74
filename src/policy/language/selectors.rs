//! The selectors of a rule.

use super::pin::pins;
use super::{Draft, codes, slips, uris};
use crate::diagnostic::document::{Table, inner_edit};
use crate::diagnostic::{Applicability, Diagnostic, Fix, Near, Span, Spanned, near};
use crate::policy::Effect;
use crate::policy::selector::{GlobError, Pattern, Space};
use crate::wire::mcp::uri::UriFault;
use crate::wire::mcp::{Method, MethodInfo, RevisionSet};

/// The patterns of a rule and where each stands; none for everything.
pub(super) struct Selected {
    pub(super) patterns: Vec<(Space, Pattern)>,
    pub(super) spans: Vec<Span>,
}

impl Draft<'_> {
    /// What a rule selects among `spaces`. `None` where something is wrong that would leave it with less than was written.
    pub(super) fn read_selectors(
        &mut self,
        table: &mut Table<'_>,
        effect: Effect,
        spaces: &[Space],
    ) -> Option<Selected> {
        let (mut patterns, mut spans) = (Vec::new(), Vec::new());
        let mut is_right = true;
        let mut has_selector = false;
        for space in spaces.iter().copied() {
            let Some(value) = table.value(space.key()) else { continue };
            has_selector = true;
            let span = value.span();
            let Some(texts) = value.strings() else {
                is_right = false;
                continue;
            };
            self.check_not_empty(space.key(), texts.is_empty(), span);
            is_right &= !texts.is_empty();
            for text in texts {
                match Pattern::parse(text.value, space, effect) {
                    Ok(pattern) => {
                        self.check_method(space, text, &pattern);
                        self.check_uri(space, text, effect, &pattern);
                        patterns.push((space, pattern));
                        spans.push(text.span);
                    }
                    Err(error) => {
                        self.report_pattern(text, error);
                        is_right = false;
                    }
                }
            }
        }
        let says_everything = self.read_everything(table, effect, has_selector);
        // What was meant for a selector is reported as what it is.
        if table.has_slip_of(&spaces.iter().map(|space| space.key()).collect::<Vec<_>>()) {
            return None;
        }
        if effect == Effect::Allow && !has_selector && !says_everything {
            self.report(
                Diagnostic::error(
                    codes::ALLOWS_NOTHING_NAMED,
                    "this allow does not say what it allows",
                )
                .primary(table.span(), "no selector")
                .help(
                    "add `tools`, `prompts`, `resources` or `methods`; or say `everything = true`",
                ),
            );
            return None;
        }
        is_right.then_some(Selected { patterns, spans })
    }

    /// Whether the rule says `everything = true`.
    fn read_everything(&self, table: &mut Table<'_>, effect: Effect, has_selector: bool) -> bool {
        // Asked for in every stanza, so that a deny that says it is told why not.
        let Some(said) = table.bool("everything") else { return table.has("everything") };
        let problem = if !said.value {
            Some("leave it out: selectors say what the rule is for")
        } else if effect != Effect::Allow {
            Some("leave it out: without selectors a deny or limit is for everything")
        } else if has_selector {
            Some("leave out `everything` or the selectors")
        } else {
            None
        };
        if let Some(help) = problem {
            self.report(
                Diagnostic::error(codes::EVERYTHING_AND_MORE, "`everything` has no meaning here")
                    .primary(said.span, "")
                    .help(help),
            );
        }
        true
    }

    fn report_pattern(&self, text: Spanned<&str>, error: GlobError) {
        let help = match error {
            GlobError::AcrossInName => Some("one `*` stands for any number of characters"),
            GlobError::ThreeStars => Some("`*` stays within a segment of a URI, `**` does not"),
            GlobError::Empty => Some("`*` stands for every name"),
            GlobError::TooLong | GlobError::Hidden => None,
        };
        self.report(
            Diagnostic::error(codes::BAD_PATTERN, error.to_string())
                .primary(text.span, "")
                .maybe_help(help),
        );
    }

    /// Warns of a pattern that no resource can match, or not those that it seems to be for.
    fn check_uri(&self, space: Space, text: Spanned<&str>, effect: Effect, pattern: &Pattern) {
        if space != Space::Resources {
            return;
        }
        let Some(fault) = uris::fault(text.value, effect) else {
            let lock = self.options.lock.as_deref();
            let Some((why, meant)) = slips::falls_short(text.value)
                .filter(|_| !lock.is_some_and(|lock| pins(lock, space, pattern)))
            else {
                return;
            };
            let message = format!("`{}` matches less than it seems to", text.value);
            let finding =
                Diagnostic::warning(codes::NEVER_MATCHES, message).primary(text.span, why);
            let near = Near { word: &meant, is_certain: false };
            return self.report(self.meant(finding, text, Some(near), Applicability::Unsafe));
        };
        let message = format!("`{}` matches no resource", text.value);
        let mut finding = Diagnostic::warning(codes::NEVER_MATCHES, message)
            .primary(text.span, fault.to_string());
        if let Some(written) = uris::suggestion(text.value, effect) {
            // In an allow it would open what is closed now.
            let applicability = match effect {
                Effect::Allow => Applicability::Unsafe,
                Effect::Deny | Effect::Limit => Applicability::Safe,
            };
            let edit = inner_edit(self.sources, text, 0..text.value.len(), &written);
            let title = format!("write `{written}`");
            finding = finding.maybe_fix(edit.map(|edit| Fix {
                title: title.clone(),
                edits: vec![edit],
                applicability,
            }));
            finding = finding.help(title);
        } else if let Some(meant) = slips::uri(text.value, effect) {
            let near = Near { word: &meant, is_certain: false };
            finding = self.meant(finding, text, Some(near), Applicability::Unsafe);
        } else if fault == UriFault::Scheme {
            finding = finding.help(
                "write the whole URI, such as `file:///docs/*.md`; `**` reaches over slashes",
            );
        }
        self.report(finding);
    }

    /// Warns of a method that is written out and that MCP does not have.
    fn check_method(&self, space: Space, text: Spanned<&str>, pattern: &Pattern) {
        let is_method = matches!(space, Space::Methods | Space::ServerRequests);
        let Some(name) = pattern.plain.exact() else { return };
        if !is_method || Method::from_wire(name) != Method::Other {
            return;
        }
        let side = |info: &&MethodInfo| match space {
            Space::ServerRequests => info.to_client != RevisionSet::EMPTY && !info.is_notification,
            _ => info.to_server != RevisionSet::EMPTY,
        };
        let sides: Vec<&str> = Method::all().iter().filter(side).map(|info| info.name).collect();
        // The first word alone, where one method has it.
        let begins = |method: &&&str| method.split_once('/').is_some_and(|(it, _)| it == name);
        let with = sides.iter().filter(begins).copied().collect::<Vec<_>>();
        let meant = match with.as_slice() {
            [one] => Some(Near { word: one, is_certain: false }),
            _ => near(name, Method::all().iter().map(|info| info.name)),
        };
        let message = format!("MCP has no method `{name}`");
        let mut finding =
            Diagnostic::warning(codes::UNKNOWN_METHOD, message).primary(text.span, "");
        let all = if space == Space::ServerRequests { &sides } else { &with };
        if !all.is_empty() {
            let all: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
            finding = finding.help(format!("there are {}", all.join(", ")));
        }
        self.report(self.meant(finding, text, meant, Applicability::Unsafe));
    }
}
