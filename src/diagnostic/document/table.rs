//! A table, read key by key.

use std::ops::RangeBounds;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::super::{
    Applicability, Diagnostic, Elsewhere, Fix, Here, Near, Span, Spanned, elsewhere, near,
};
use super::{Date, Reading, Value};

/// A table that is being read.
///
/// Every accessor marks its key as known. Where the key is absent they return `None`; where its value does not fit
/// they report it and return `None`. A key that must be there is asked for with [`Table::required`] first.
#[derive(Debug)]
#[must_use = "call `finish`, or unknown keys are accepted in silence"]
pub struct Table<'d> {
    entries: &'d DeTable<'d>,
    name: Box<str>,
    span: Span,
    reading: Reading<'d>,
    asked: Vec<&'static str>,
    /// Whether somebody took all entries, whatever their names.
    took_all: bool,
    /// Keys that open something, so that no other is renamed to them without a look.
    opening: &'static [&'static str],
    /// What other tools call the keys.
    elsewhere: &'static [Elsewhere],
}

impl<'d> Table<'d> {
    pub(super) fn new(
        entries: &'d DeTable<'d>,
        name: Box<str>,
        span: Span,
        reading: Reading<'d>,
    ) -> Self {
        Self {
            entries,
            name,
            span,
            reading,
            asked: Vec::new(),
            took_all: false,
            opening: &[],
            elsewhere: &[],
        }
    }

    /// What findings call it, such as `[listen]`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its header, or all of an inline table; empty for the root.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether `key` is there; does not mark it as known.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The first string of the list `key`, or the string that stands there; does not mark it as known.
    #[must_use]
    pub fn first_of(&self, key: &str) -> Option<&'d str> {
        match self.entries.get(key)?.get_ref() {
            DeValue::Array(all) => all.iter().find_map(|element| element.get_ref().as_str()),
            value => value.as_str(),
        }
    }

    /// Where the name of `key` is written.
    #[must_use]
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.entries.get_key_value(key).map(|(key, _)| self.reading.span(key.span()))
    }

    /// Reports `key` if it is not there.
    pub fn required(&mut self, key: &'static str) -> &mut Self {
        if let Some(finding) = self.missing(key) {
            self.reading.problems.push(finding);
        }
        self
    }

    /// As [`Table::required`], with a line that could be there.
    pub fn required_as(&mut self, key: &'static str, example: &str) -> &mut Self {
        if let Some(finding) = self.missing(key) {
            self.reading.problems.push(finding.help(format!("such as `{example}`")));
        }
        self
    }

    /// The finding that `key` is not there. None where it is, and where another key was meant for it, which
    /// [`Table::finish`] reports.
    pub fn missing(&mut self, key: &'static str) -> Option<Diagnostic> {
        self.note(key);
        if self.has(key) || self.has_slip_of(&[key]) {
            return None;
        }
        let finding =
            Diagnostic::error(self.reading.codes.missing_key, format!("missing key `{key}`"));
        Some(finding.primary(self.span, format!("{} needs `{key}`", self.name)))
    }

    /// Whether some key is there that was meant for one of `keys`, and that nothing else is called.
    #[must_use]
    pub fn has_slip_of(&self, keys: &[&'static str]) -> bool {
        self.entries.iter().any(|(name, _)| {
            let name: &str = name.get_ref();
            let is_meant = match elsewhere(name, self.elsewhere) {
                Some(Here::Word(word)) => keys.contains(&word),
                Some(Here::Say(_)) => false,
                None => near(name, keys.iter().copied()).is_some_and(|near| near.is_certain),
            };
            is_meant && !self.asked.contains(&name) && !keys.contains(&name)
        })
    }

    /// The value of `key`, whatever it is.
    pub fn value(&mut self, key: &'static str) -> Option<Value<'d>> {
        self.note(key);
        let value = self.entries.get(key)?;
        Some(Value::new(value.get_ref(), key, self.reading.span(value.span()), self.reading))
    }

    /// A string.
    pub fn string(&mut self, key: &'static str) -> Option<Spanned<&'d str>> {
        self.value(key)?.string()
    }

    /// A list of strings. Elements that are none are reported and left out.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<Spanned<&'d str>>> {
        self.value(key)?.strings()
    }

    /// A list of strings, or one string for a list of one.
    pub fn string_or_list(&mut self, key: &'static str) -> Option<Vec<Spanned<&'d str>>> {
        self.value(key)?.string_or_list()
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &'static str) -> Option<Spanned<bool>> {
        self.value(key)?.bool()
    }

    /// A whole number within `range`.
    pub fn integer(
        &mut self,
        key: &'static str,
        range: impl RangeBounds<u64>,
    ) -> Option<Spanned<u64>> {
        self.value(key)?.integer(range)
    }

    /// A duration such as `"10s"` within `range`; units are ms, s, m, h and d.
    pub fn duration(
        &mut self,
        key: &'static str,
        range: impl RangeBounds<Duration>,
    ) -> Option<Spanned<Duration>> {
        self.value(key)?.duration(range)
    }

    /// A number of bytes such as `"4MiB"` within `range`; units are B, KiB, MiB and GiB.
    pub fn size(
        &mut self,
        key: &'static str,
        range: impl RangeBounds<u64>,
    ) -> Option<Spanned<u64>> {
        self.value(key)?.size(range)
    }

    /// A date without time, `2026-07-28`.
    pub fn date(&mut self, key: &'static str) -> Option<Spanned<Date>> {
        self.value(key)?.date()
    }

    /// A table, by header or inline.
    pub fn table(&mut self, key: &'static str) -> Option<Table<'d>> {
        self.value(key)?.table()
    }

    /// The tables of `[[key]]`, in order; empty where there is none.
    pub fn tables(&mut self, key: &'static str) -> Vec<Table<'d>> {
        self.value(key).and_then(Value::tables).unwrap_or_default()
    }

    /// Every entry in the order of the text, for a table whose keys are the author's own words. All keys count as
    /// known from then on.
    pub fn entries(&mut self) -> Vec<(Spanned<&'d str>, Value<'d>)> {
        self.took_all = true;
        let mut all: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| {
                let name: &'d str = key.get_ref();
                let span = self.reading.span(value.span());
                let value = Value::new(value.get_ref(), name, span, self.reading);
                (Spanned::new(name, self.reading.span(key.span())), value)
            })
            .collect();
        all.sort_by_key(|(key, _)| key.span);
        all
    }

    /// Says which keys open something: a fix that renames another to one of them is not safe.
    pub fn opening(mut self, keys: &'static [&'static str]) -> Self {
        self.opening = keys;
        self
    }

    /// Says what other tools call the keys.
    pub fn elsewhere(mut self, words: &'static [Elsewhere]) -> Self {
        self.elsewhere = words;
        self
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        if self.took_all {
            return;
        }
        for (key, value) in self.entries {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            self.reading.problems.push(self.unknown(
                name,
                self.reading.span(key.span()),
                value.get_ref(),
            ));
        }
    }

    fn unknown(&self, name: &str, span: Span, value: &DeValue<'_>) -> Diagnostic {
        let what = if is_table(value) { "table" } else { "key" };
        let finding =
            Diagnostic::error(self.reading.codes.unknown_key, format!("unknown {what} `{name}`"))
                .primary(span, format!("not a {what} of {}", self.name));
        // Of tables in a list there may be more.
        let is_free = |key: &&str| {
            let there = self.entries.get(*key).map(toml::Spanned::get_ref);
            there.is_none_or(|there| is_list_of_tables(there) && is_list_of_tables(value))
        };
        let meant = match elsewhere(name, self.elsewhere) {
            Some(Here::Say(how)) => return finding.help(how),
            Some(Here::Word(word)) if self.asked.contains(&word) && is_free(&word) => {
                Some(Near { word, is_certain: false })
            }
            _ => near(name, self.asked.iter().copied().filter(is_free)),
        };
        match meant {
            Some(meant) => {
                let is_opening = self.opening.contains(&meant.word);
                let at_best = if is_opening { Applicability::Unsafe } else { Applicability::Safe };
                let fix = Fix::rename(span, meant, at_best);
                finding.help(format!("did you mean `{}`?", meant.word)).fix(fix)
            }
            None => finding.maybe_help(self.known()),
        }
    }

    /// The list of keys that there could be.
    fn known(&self) -> Option<String> {
        let names: Vec<String> = self.asked.iter().map(|key| format!("`{key}`")).collect();
        (!names.is_empty()).then(|| format!("{} knows {}", self.name, names.join(", ")))
    }

    /// Does not look at the other keys. For a table that is already known to be wrong as a whole.
    pub fn ignore(self) {}

    fn note(&mut self, key: &'static str) {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
    }
}

fn is_table(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(_) => is_list_of_tables(value),
        _ => false,
    }
}

fn is_list_of_tables(value: &DeValue<'_>) -> bool {
    let elements = value.as_array();
    elements.is_some_and(|all| all.iter().any(|element| element.get_ref().is_table()))
}
