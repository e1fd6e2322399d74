//! `[[pin]]`, and what a lock file knows of the names in the other rules.

use std::sync::Arc;

use super::selectors::Selected;
use super::stanza::{MODES, end_of};
use super::{Draft, DraftPin, codes, slips, words};
use crate::diagnostic::document::Table;
use crate::diagnostic::{Applicability, Diagnostic, Fix, Span, Spanned, near};
use crate::lock::{List, Lock};
use crate::policy::Effect;
use crate::policy::pin::{OnChange, PinInfo};
use crate::policy::selector::{Pattern, Space, Subject};

const CHANGES: [(&str, OnChange); 3] =
    [("alert", OnChange::Alert), ("hide", OnChange::Hide), ("deny", OnChange::Deny)];

/// What a pin can select: what a lock has.
const PINNED: [Space; 3] = [Space::Tools, Space::Prompts, Space::Resources];

impl Draft<'_> {
    /// Reads one `[[pin]]`.
    pub(super) fn read_pin(&mut self, table: Table<'_>, file: &Arc<str>) {
        let mut table = table.elsewhere(words::RULE);
        let header = table.span();
        let name = self.read_name(&mut table);
        let selected = self.read_selectors(&mut table, Effect::Deny, &PINNED);
        let on_change = self.read_word(&mut table, "on_change", &CHANGES);
        let routes = self.read_routes(&mut table);
        let mode = self.read_word(&mut table, "mode", &MODES);
        let expires = table.date("expires");
        table.finish();
        let Some(lock) = &self.options.lock else {
            let finding = Diagnostic::error(codes::PIN_WITHOUT_LOCK, "there is nothing to pin to");
            return self.report(finding.primary(header, "a pin needs a lock file").help(
                "write it with `mcpfw lock URL --output DIR/mcp.lock.json`, DIR being that of the policy files",
            ));
        };
        if let Some(selected) = &selected {
            self.check_pinned(lock, selected);
        }
        let (Some(name), Some(selected)) = (name, selected) else { return };
        let line = self.sources.source(header.source).map_or(0, |s| s.position(header.start).line);
        self.pins.push(DraftPin {
            info: PinInfo {
                name: name.value.into(),
                file: Arc::clone(file),
                line: u32::try_from(line).unwrap_or(u32::MAX),
                mode: mode.unwrap_or_default(),
                on_change: on_change.unwrap_or_default(),
                is_everything: selected.patterns.is_empty(),
                patterns: selected.patterns.into(),
                routes: routes.iter().map(|route| Box::from(route.value)).collect(),
                expires: expires.map(|date| end_of(date.value)),
            },
            expires: expires.map(|date| date.span),
        });
    }

    /// Warns of patterns of a pin that match nothing in the lock.
    fn check_pinned(&self, lock: &Lock, selected: &Selected) {
        for ((space, pattern), span) in selected.patterns.iter().zip(&selected.spans) {
            if pins(lock, *space, pattern) {
                continue;
            }
            let what = self.sources.slice(*span).trim_matches(['"', '\'']);
            let finding = Diagnostic::warning(
                codes::PINS_NOTHING,
                format!("`{what}` pins nothing that the lock has"),
            );
            let finding = finding.primary(*span, "").help(
                "what it matches and the lock does not have counts as changed; write the lock file anew if it is old",
            );
            self.report(self.meant_of(lock, *space, pattern, finding, *span));
        }
    }

    /// Warns of tools and prompts that rules spell out and the lock does not have, and of names that are none.
    pub(super) fn check_known(&self, space: Space, pattern: &Pattern, span: Span) {
        // Lists of resources are rarely complete: most servers answer for more URIs than they list.
        let noun = match space {
            Space::Tools => List::Tools.noun(),
            Space::Prompts => List::Prompts.noun(),
            Space::Resources | Space::Methods | Space::ServerRequests => return,
        };
        let raw = self.sources.slice(span);
        // A backslash is escaped in a basic string.
        let unescaped = raw.starts_with('"').then(|| raw.replace("\\\\", "\\"));
        let written = unescaped.as_deref().unwrap_or(raw).trim_matches(['"', '\'']);
        let Some(lock) = &self.options.lock else {
            if slips::is_foreign(written, space == Space::Tools) {
                let message = format!("no {noun} is called `{written}`");
                let finding = Diagnostic::warning(codes::UNKNOWN_OBJECT, message).primary(span, "");
                self.report(foreign(finding, written, span));
            }
            return;
        };
        let is_regex = written.contains(REGEX_SIGNS) || written.contains(".*");
        // A glob may be for what comes; one with signs of something else is for nothing.
        let Some(name) = pattern.plain.exact().or(is_regex.then_some(written)) else { return };
        if pins(lock, space, pattern) {
            return;
        }
        let message = format!("the server has no {noun} `{name}`");
        let finding = Diagnostic::warning(codes::UNKNOWN_OBJECT, message).primary(span, "");
        if is_regex {
            return self.report(foreign(finding, written, span));
        }
        let finding = finding
            .help("the lock file does not have it; write it anew with `mcpfw lock` if it is old");
        self.report(self.meant_of(lock, space, pattern, finding, span));
    }

    /// Says which element of `lock` was probably meant by `pattern`, which stands at `span`.
    fn meant_of(
        &self,
        lock: &Lock,
        space: Space,
        pattern: &Pattern,
        finding: Diagnostic,
        span: Span,
    ) -> Diagnostic {
        let Some(name) = pattern.plain.exact() else { return finding };
        let meant = near(name, names(lock, space));
        self.meant(finding, Spanned::new(name, span), meant, Applicability::Unsafe)
    }
}

/// `finding` about `written`, which is of another language, with what it says in this one.
fn foreign(finding: Diagnostic, written: &str, span: Span) -> Diagnostic {
    const HELP: &str = "this is no regular expression and no list: `*` stands for any text, and each name is a string of its own";
    let meant = slips::names(written);
    if meant.is_empty() {
        return finding.help(HELP);
    }
    let list = |quote: &str| {
        let all: Vec<String> = meant.iter().map(|name| format!("{quote}{name}{quote}")).collect();
        all.join(", ")
    };
    let strings = list("\"");
    let fix = Fix::new(format!("write `{strings}`"), span, strings, Applicability::Unsafe);
    finding.help(format!("{HELP}; did you mean {}?", list("`"))).fix(fix)
}

/// What stands in regular expressions and in lists, and hardly in a name.
const REGEX_SIGNS: [char; 10] = ['^', '$', '(', ')', '|', '+', '\\', '{', ',', ' '];

/// The elements of `lock` that `space` speaks of.
fn names(lock: &Lock, space: Space) -> impl Iterator<Item = &str> {
    let lists: &[List] = match space {
        Space::Tools => &[List::Tools],
        Space::Prompts => &[List::Prompts],
        Space::Resources => &[List::Resources, List::Templates],
        Space::Methods | Space::ServerRequests => &[],
    };
    lists.iter().flat_map(|list| lock.items(*list)).map(crate::lock::Item::id)
}

/// Whether `pattern` matches something in `lock` by its very name; look-alikes do not count.
pub(super) fn pins(lock: &Lock, space: Space, pattern: &Pattern) -> bool {
    names(lock, space).any(|name| {
        pattern.plain.matches(name)
            || space == Space::Resources
                && pattern
                    .matches(&Subject::new(space, name), crate::policy::selector::Question::Use)
    })
}
