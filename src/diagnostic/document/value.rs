//! One value of a document, and what it may be taken for.

use std::ops::{Range, RangeBounds};
use std::time::Duration;

use toml::de::{DeArray, DeTable, DeValue};

use super::super::{Applicability, Diagnostic, Edit, Fix, Span, Spanned};
use super::units::{self, format_duration, format_size};
use super::{Date, Reading, Table};

/// A value, the key that it stands under, and its place.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    value: &'d DeValue<'d>,
    key: &'d str,
    span: Span,
    reading: Reading<'d>,
}

/// What a value is, for readers that accept several forms.
#[derive(Debug)]
pub enum Shape<'d> {
    /// A string.
    String(&'d str),
    /// A whole number of at most 127 bits.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time or both.
    Datetime,
    /// A list.
    Array(Vec<Value<'d>>),
    /// A table.
    Table(Table<'d>),
}

impl<'d> Value<'d> {
    pub(super) fn new(
        value: &'d DeValue<'d>,
        key: &'d str,
        span: Span,
        reading: Reading<'d>,
    ) -> Self {
        Self { value, key, span, reading }
    }

    /// The key that it stands under; that of the list for an element of a list.
    #[must_use]
    pub fn key(&self) -> &'d str {
        self.key
    }

    /// Where it is written, quotes included.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// What it is; `None`, with a report, for a number that nothing could hold.
    #[must_use]
    pub fn shape(self) -> Option<Shape<'d>> {
        Some(match self.value {
            DeValue::String(text) => Shape::String(text),
            DeValue::Integer(number) => {
                let parsed = i128::from_str_radix(number.as_str(), number.radix());
                Shape::Integer(parsed.ok().or_else(|| self.wrong("a number of at most 127 bits"))?)
            }
            DeValue::Float(number) => {
                // Beyond the range of a double Rust reads "infinity", which is not what was written.
                let held = |float: &f64| float.is_finite() || !number.as_str().contains(['e', 'E']);
                let parsed = number.as_str().parse().ok().filter(held);
                Shape::Float(parsed.or_else(|| self.wrong("a number that a double can hold"))?)
            }
            DeValue::Boolean(yes) => Shape::Boolean(*yes),
            DeValue::Datetime(_) => Shape::Datetime,
            DeValue::Array(array) => Shape::Array(self.elements(array)),
            DeValue::Table(table) => Shape::Table(self.as_table(table)),
        })
    }

    /// A string.
    #[must_use]
    pub fn string(self) -> Option<Spanned<&'d str>> {
        match self.value {
            DeValue::String(text) => Some(Spanned::new(text, self.span)),
            _ => self.wrong("a string"),
        }
    }

    /// A list of strings. Elements that are none are reported and left out.
    #[must_use]
    pub fn strings(self) -> Option<Vec<Spanned<&'d str>>> {
        match self.value {
            DeValue::Array(array) => Some(self.strings_of(array)),
            DeValue::String(_) => {
                self.wrong_with("a list of strings", None, Some(self.in_brackets()))
            }
            _ => self.wrong("a list of strings"),
        }
    }

    /// A list of strings, or one string for a list of one.
    #[must_use]
    pub fn string_or_list(self) -> Option<Vec<Spanned<&'d str>>> {
        match self.value {
            DeValue::String(text) => Some(vec![Spanned::new(text, self.span)]),
            DeValue::Array(array) => Some(self.strings_of(array)),
            _ => self.wrong("a string or a list of strings"),
        }
    }

    fn strings_of(self, array: &'d DeArray<'d>) -> Vec<Spanned<&'d str>> {
        self.elements(array).into_iter().filter_map(Value::string).collect()
    }

    /// The elements of a list.
    #[must_use]
    pub fn list(self) -> Option<Vec<Value<'d>>> {
        match self.value {
            DeValue::Array(array) => Some(self.elements(array)),
            _ => self.wrong("a list"),
        }
    }

    fn elements(self, array: &'d DeArray<'d>) -> Vec<Value<'d>> {
        let at = |element: &'d toml::Spanned<DeValue<'d>>| {
            let span = self.reading.span(element.span());
            Value::new(element.get_ref(), self.key, span, self.reading)
        };
        array.iter().map(at).collect()
    }

    /// `true` or `false`.
    #[must_use]
    pub fn bool(self) -> Option<Spanned<bool>> {
        match self.value {
            DeValue::Boolean(yes) => Some(Spanned::new(*yes, self.span)),
            _ => self.wrong("`true` or `false`"),
        }
    }

    /// A whole number within `range`.
    #[must_use]
    pub fn integer(self, range: impl RangeBounds<u64>) -> Option<Spanned<u64>> {
        let DeValue::Integer(number) = self.value else { return self.wrong("a whole number") };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
        self.within(parsed, range, |bound| bound.to_string())
    }

    /// A duration such as `"10s"` within `range`; units are ms, s, m, h and d.
    #[must_use]
    pub fn duration(self, range: impl RangeBounds<Duration>) -> Option<Spanned<Duration>> {
        const EXPECTED: &str = "a duration such as \"10s\"";
        let DeValue::String(text) = self.value else { return self.wrong(EXPECTED) };
        match units::parse_duration(text) {
            Ok(duration) => self.within(duration, range, |bound| format_duration(*bound)),
            Err(help) => self.malformed(EXPECTED, &help),
        }
    }

    /// A number of bytes such as `"4MiB"` within `range`; units are B, KiB, MiB and GiB.
    #[must_use]
    pub fn size(self, range: impl RangeBounds<u64>) -> Option<Spanned<u64>> {
        const EXPECTED: &str = "a size such as \"4MiB\"";
        let DeValue::String(text) = self.value else { return self.wrong(EXPECTED) };
        match units::parse_size(text) {
            Ok(size) => self.within(size, range, |bound| format_size(*bound)),
            Err(help) => self.malformed(EXPECTED, &help),
        }
    }

    /// A date without time, `2026-07-28`.
    #[must_use]
    pub fn date(self) -> Option<Spanned<Date>> {
        match self.value {
            DeValue::Datetime(toml::value::Datetime {
                date: Some(date),
                time: None,
                offset: None,
            }) => Some(Spanned::new(*date, self.span)),
            other => {
                const EXPECTED: &str = "a date without quotes and without time, such as 2026-12-31";
                self.wrong_with(EXPECTED, None, other.as_str().and_then(|text| self.unquoted(text)))
            }
        }
    }

    /// A table, by header or inline.
    #[must_use]
    pub fn table(self) -> Option<Table<'d>> {
        match self.value {
            DeValue::Table(table) => Some(self.as_table(table)),
            // `[[key]]` for `[key]` is one bracket too many, and common.
            DeValue::Array(array) => {
                match array.first().and_then(|first| self.header(first.span())) {
                    Some(header) => {
                        let single = header.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
                        let help = format!("write `{}`", single.unwrap_or(header));
                        self.wrong_with("a table", Some(help), None)
                    }
                    None => self.wrong("a table"),
                }
            }
            _ => self.wrong("a table"),
        }
    }

    fn as_table(self, table: &'d DeTable<'d>) -> Table<'d> {
        let range = self.span.range();
        let name = self.header(range).map_or_else(|| format!("[{}]", self.key), str::to_owned);
        Table::new(table, format!("`{name}`").into(), self.span, self.reading)
    }

    /// The header `[…]` that stands at `range`.
    fn header(self, range: Range<usize>) -> Option<&'d str> {
        let written = self.reading.text.get(range)?;
        let is_short = written.len() <= 80;
        (is_short && written.starts_with('[') && written.ends_with(']')).then_some(written)
    }

    /// A list of tables; elements that are none are reported and left out.
    #[must_use]
    pub fn tables(self) -> Option<Vec<Table<'d>>> {
        match self.value {
            DeValue::Array(array) => {
                Some(self.elements(array).into_iter().filter_map(Value::table).collect())
            }
            DeValue::Table(_) => {
                let header = self.header(self.span.range());
                let help = header.map(|header| format!("write `[{header}]`"));
                let fix = header.map(|header| {
                    let title = format!("write `[{header}]`");
                    Fix::new(title, self.span, format!("[{header}]"), Applicability::Safe)
                });
                self.wrong_with("a list of tables", help, fix)
            }
            _ => self.wrong("a list of tables"),
        }
    }

    /// As [`Value::wrong`], with what to do about it.
    pub fn wrong_so<T>(self, expected: &str, help: &str) -> Option<T> {
        self.wrong_with(expected, Some(help.into()), None)
    }

    /// Whether it is a string.
    #[must_use]
    pub fn is_string(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    /// Reports that something else was expected here: `expected` reads after "expected".
    pub fn wrong<T>(self, expected: &str) -> Option<T> {
        self.wrong_with(expected, None, None)
    }

    fn wrong_with<T>(self, expected: &str, help: Option<String>, fix: Option<Fix>) -> Option<T> {
        let finding = Diagnostic::error(
            self.reading.codes.wrong_type,
            format!("wrong type for `{}`", self.key),
        )
        .primary(self.span, format!("expected {expected}, found {}", self.what()));
        let help = help.or_else(|| fix.as_ref().map(|fix| fix.title.clone()));
        self.reading.problems.push(finding.maybe_help(help).maybe_fix(fix));
        None
    }

    /// One string as a list of one.
    fn in_brackets(self) -> Fix {
        let at = |place: usize, text: &str| Edit {
            span: Span::new(self.span.source, place..place),
            replacement: text.into(),
        };
        Fix {
            title: match self.reading.text.get(self.span.range()) {
                Some(written) if written.len() <= 80 => format!("write `[{written}]`"),
                _ => "write a list of one".into(),
            },
            edits: vec![at(self.span.start, "["), at(self.span.end, "]")],
            applicability: Applicability::Safe,
        }
    }

    /// The date `text` without its quotes, where it is one.
    fn unquoted(self, text: &str) -> Option<Fix> {
        let parsed: toml::value::Datetime = text.parse().ok()?;
        let is_plain = parsed.date.is_some() && parsed.time.is_none() && parsed.offset.is_none();
        let fix = || Fix::new(format!("write {text}"), self.span, text, Applicability::Safe);
        is_plain.then(fix)
    }

    /// Reports a string that does not have the form that was expected.
    fn malformed<T>(self, expected: &str, help: &str) -> Option<T> {
        let written = self.value.as_str().unwrap_or("");
        let message = format!("`{}` cannot be `{written}`", self.key);
        let finding = Diagnostic::error(self.reading.codes.wrong_type, message)
            .primary(self.span, format!("expected {expected}"))
            .help(help);
        self.reading.problems.push(finding);
        None
    }

    /// `parsed` if it is within `range`; `None` stands for a number too large (or negative) to be held.
    fn within<T: PartialOrd>(
        self,
        parsed: Option<T>,
        range: impl RangeBounds<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<Spanned<T>> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        if let Some(value) = parsed
            && range.contains(&value)
        {
            return Some(Spanned::new(value, self.span));
        }
        let least = match range.start_bound() {
            Included(bound) => format!("at least {}", show(bound)),
            Excluded(bound) => format!("more than {}", show(bound)),
            Unbounded => String::new(),
        };
        let most = match range.end_bound() {
            Included(bound) => format!("at most {}", show(bound)),
            Excluded(bound) => format!("less than {}", show(bound)),
            Unbounded => String::new(),
        };
        let bounds = match (least.is_empty(), most.is_empty()) {
            (false, false) => format!("{least} and {most}"),
            (true, true) => "a smaller number, and none below zero".to_owned(),
            _ => least + &most,
        };
        let finding = Diagnostic::error(
            self.reading.codes.out_of_range,
            format!("`{}` is out of range", self.key),
        )
        .primary(self.span, format!("expected {bounds}"));
        self.reading.problems.push(finding);
        None
    }

    fn what(self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(true) => "`true`",
            DeValue::Boolean(false) => "`false`",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}
