//! The keys that every rule has, and those of `allow` and `deny`.

use std::collections::HashMap;
use std::sync::Arc;

use super::selectors::Selected;
use super::{Draft, DraftRule, Keys, Nameless, Places, codes, words};
use crate::diagnostic::document::{Date, Table};
use crate::diagnostic::{
    Applicability, Diagnostic, Elsewhere, Fix, Here, Near, Span, Spanned, elsewhere, near,
};
use crate::policy::selector::Space;
use crate::policy::stanza::{Body, Stanza};
use crate::policy::{Effect, Mode, RefusalStyle, RuleInfo, UnixTime};

/// Longest `name`, in bytes: names go into replies, logs and metric labels.
const MAX_NAME: usize = 128;

/// Most characters of a selector that go into a name that is proposed.
const MAX_STEM: usize = 32;

pub(super) const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];

const STYLES: [(&str, RefusalStyle); 3] = [
    ("jsonrpc", RefusalStyle::JsonRpc),
    ("http", RefusalStyle::Http),
    ("tool_error", RefusalStyle::ToolError),
];

impl Draft<'_> {
    /// Reads one `[[allow]]`, `[[deny]]` or `[[limit]]`.
    pub(super) fn read_rule(&mut self, table: Table<'_>, keys: Keys, file: &Arc<str>) {
        let mut table = table.elsewhere(words::RULE);
        let effect = match keys {
            Keys::Allow => Effect::Allow,
            Keys::Deny => Effect::Deny,
            Keys::Limit => Effect::Limit,
        };
        let header = table.span();
        let name = self.read_name(&mut table);
        let selected = self.read_selectors(&mut table, effect, &Space::ALL);
        let when = table.string("when");
        let predicate = when.map(|text| self.predicate(text));
        let routes = self.read_routes(&mut table);
        let mode = self.read_word(&mut table, "mode", &MODES);
        let expires = table.date("expires");
        let style = match keys {
            Keys::Allow => None,
            Keys::Deny | Keys::Limit => self.read_word(&mut table, "refusal", &STYLES),
        };
        let message = match keys {
            Keys::Deny => table.string("message"),
            Keys::Allow | Keys::Limit => None,
        };
        let mut places = Places { when: when.map(|text| text.span), ..Places::default() };
        let body = match keys {
            Keys::Allow => Some(Body::Allow { scopes: self.read_scopes(&mut table) }),
            Keys::Deny => Some(Body::Deny),
            Keys::Limit => {
                self.read_limit(&mut table, &mut places).map(|limit| Body::Limit(Box::new(limit)))
            }
        };
        table.finish();

        // Whatever is missing from here on has been reported.
        let (Some(name), Some(selected), Some(body)) = (name, selected, body) else {
            return;
        };
        if predicate == Some(None) {
            return;
        }
        let Selected { patterns, spans } = selected;
        let line = self.sources.source(header.source).map_or(0, |s| s.position(header.start).line);
        let text: Arc<str> = name.value.into();
        let end = expires.map(|date| end_of(date.value));
        self.rules.push(DraftRule {
            info: RuleInfo {
                name: Arc::clone(&text),
                effect,
                mode: mode.unwrap_or_default(),
                file: Arc::clone(file),
                line: u32::try_from(line).unwrap_or(u32::MAX),
                place: name.span,
                message: message.map(|message| message.value.into()),
                style,
                expires: end,
            },
            stanza: Stanza {
                name: text,
                mode: mode.unwrap_or_default(),
                is_everything: patterns.is_empty(),
                patterns: patterns.into(),
                when: predicate.flatten(),
                routes: routes.iter().map(|route| Box::from(route.value)).collect(),
                expires: end,
                body,
            },
            name: name.span,
            patterns: spans,
            expires: expires.map(|date| date.span),
            places,
        });
    }

    /// Reads the `name` of a stanza and claims it.
    pub(super) fn read_name<'d>(&mut self, table: &mut Table<'d>) -> Option<Spanned<&'d str>> {
        if let Some(finding) = table.missing("name") {
            let stem = self.stem(table);
            self.nameless.push(Nameless { finding, stem, header: table.span() });
        }
        let name = table.string("name")?;
        let is_hidden = |c| crate::diagnostic::is_hidden(c) || matches!(c, '\n' | '\t');
        if name.value.is_empty() || name.value.len() > MAX_NAME || name.value.contains(is_hidden) {
            self.report(
                Diagnostic::error(codes::WRONG_TYPE, "a name that cannot be shown")
                    .primary(name.span, format!("1 to {MAX_NAME} visible characters are needed")),
            );
            return None;
        }
        self.claim_name(name.value, name.span);
        Some(name)
    }

    /// What the stanza `table` could be called: what it is, and the first that it selects.
    fn stem(&self, table: &Table<'_>) -> String {
        let written = self.sources.slice(table.span());
        let kind = written.trim_matches(['[', ']', ' ', '\t']);
        let is_kind = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase());
        let kind = if is_kind { kind } else { "rule" };
        let first = Space::ALL.iter().find_map(|space| table.first_of(space.key()));
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let slug: String = first.unwrap_or_default().chars().take(MAX_STEM).map(plain).collect();
        let words: Vec<&str> =
            std::iter::once(kind).chain(slug.split('-').filter(|word| !word.is_empty())).collect();
        words.join("-")
    }

    /// Reports the stanzas without a name, now that every name is known that another stanza has.
    pub(super) fn report_nameless(&mut self) {
        // How far the numbers behind a stem are taken: a generated file may lack ten thousand names.
        let mut taken: HashMap<String, u32> = HashMap::new();
        for Nameless { finding, stem, header } in std::mem::take(&mut self.nameless) {
            let last = taken.entry(stem.clone()).or_insert(0);
            let name = loop {
                *last += 1;
                let name = if *last == 1 { stem.clone() } else { format!("{stem}-{last}") };
                if !self.names.contains_key(&*name) {
                    break name;
                }
            };
            self.names.insert((&*name).into(), header);
            let line = format!("name = \"{name}\"");
            let finding = finding.help(format!(
                "write `{line}`, or better what the stanza is for: replies, logs and tests speak of it by this name"
            ));
            // Behind the header of a table; one in braces stays as it is.
            let has_line = self.sources.slice(header).starts_with("[[");
            let at = Span::new(header.source, header.end..header.end);
            let fix = || {
                Fix::new(format!("write `{line}`"), at, format!("\n{line}"), Applicability::Safe)
            };
            self.report(finding.maybe_fix(has_line.then(fix)));
        }
    }

    /// Reads one of a few words.
    pub(super) fn read_word<T: Copy>(
        &self,
        table: &mut Table<'_>,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let written = table.string(key)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == written.value) {
            return Some(*meaning);
        }
        let all: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let message = format!("`{key}` cannot be `{}`", written.value);
        let finding = Diagnostic::error(codes::UNKNOWN_WORD, message)
            .primary(written.span, format!("expected {}", all.join(" or ")));
        let meant = meant_word(written.value, words::OF_KEYS, words.iter().map(|(word, _)| *word));
        // A rule in shadow holds nobody back.
        let takes_out = meant.is_some_and(|near| near.word == "shadow");
        let at_best = if takes_out { Applicability::Unsafe } else { Applicability::Safe };
        self.report(self.meant(finding, written, meant, at_best));
        None
    }

    pub(super) fn read_routes<'d>(&self, table: &mut Table<'d>) -> Vec<Spanned<&'d str>> {
        let Some(value) = table.value("routes") else { return Vec::new() };
        let span = value.span();
        let Some(routes) = value.strings() else { return Vec::new() };
        self.check_not_empty("routes", routes.is_empty(), span);
        if let Some(known) = &self.options.routes {
            for route in &routes {
                if known.iter().any(|name| **name == *route.value) {
                    continue;
                }
                let message = format!("no route is called `{}`", route.value);
                let meant = near(route.value, known.iter().map(|name| &**name));
                let finding = Diagnostic::error(codes::UNKNOWN_ROUTE, message)
                    .primary(route.span, "the rule would never apply");
                self.report(self.meant(finding, *route, meant, Applicability::Unsafe));
            }
        }
        routes
    }

    fn read_scopes(&self, table: &mut Table<'_>) -> Arc<[Box<str>]> {
        let Some(value) = table.value("scopes") else { return Arc::default() };
        let span = value.span();
        let Some(scopes) = value.strings() else { return Arc::default() };
        self.check_not_empty("scopes", scopes.is_empty(), span);
        for scope in &scopes {
            // RFC 6749 §3.3: NQCHAR without space. Anything else could not be in a token, or would break the
            // challenge that names it.
            let is_scope_char = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
            if scope.value.is_empty() || !scope.value.bytes().all(is_scope_char) {
                self.report(
                    Diagnostic::error(codes::WRONG_TYPE, format!("`{}` is no scope", scope.value))
                        .primary(
                            scope.span,
                            "one scope: visible ASCII without space, `\"` and `\\`",
                        ),
                );
            }
        }
        scopes.iter().map(|scope| Box::from(scope.value)).collect()
    }

    /// Reports a list that selects nothing.
    pub(super) fn check_not_empty(&self, key: &str, is_empty: bool, span: Span) {
        if is_empty {
            self.report(
                Diagnostic::error(codes::EMPTY_LIST, format!("`{key}` is empty"))
                    .primary(span, "the rule would never apply")
                    .help(format!("name something, or leave `{key}` out to mean all")),
            );
        }
    }
}

/// The word of `words` that was meant by `written`: one that others call so, or else the nearest.
pub(super) fn meant_word<'c>(
    written: &str,
    table: &[Elsewhere],
    words: impl Iterator<Item = &'c str> + Clone,
) -> Option<Near<'c>> {
    let of_others =
        table.iter().filter_map(|entry| match elsewhere(written, std::slice::from_ref(entry)) {
            Some(Here::Word(here)) => words.clone().find(|word| *word == here),
            _ => None,
        });
    let found = of_others.map(|word| Near { word, is_certain: false }).next();
    found.or_else(|| near(written, words))
}

/// The first second after the day `date`, UTC: the day itself is the rule's last.
pub(super) fn end_of(date: Date) -> UnixTime {
    // Howard Hinnant's days_from_civil, for dates that TOML has already checked.
    let (year, month, day) = (u64::from(date.year), u64::from(date.month), u64::from(date.day));
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month + 2) / 5 + day.saturating_sub(1);
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    (days + 1).saturating_sub(719_468) * 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_at_midnight() {
        for (year, month, day, want) in [
            (1970, 1, 1, 86_400),
            (1969, 12, 31, 0),
            (1900, 1, 1, 0),
            (0, 1, 1, 0),
            (2000, 2, 29, 951_868_800),
            (2026, 12, 31, 1_798_761_600),
            (2027, 1, 1, 1_798_848_000),
            (9999, 12, 31, 253_402_300_800),
        ] {
            assert_eq!(end_of(Date { year, month, day }), want, "{year}-{month}-{day}");
        }
    }
}
