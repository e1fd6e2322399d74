//! Reading a TOML file with spans, and with every problem at once.
//!
//! [`Document::parse`] reports all syntax errors. [`Table`]s of it are read key by key with accessors that know what
//! they expect, report what does not fit where it stands, and remember which keys were asked for;
//! [`Table::finish`] then reports every other key, with the one that was probably meant.
//!
//! ```
//! use mcpfw::diagnostic::document::{Codes, Document};
//! use mcpfw::diagnostic::{Code, Problems, Sources};
//!
//! const CODES: Codes = Codes {
//!     syntax: Code("X001"),
//!     unknown_key: Code("X002"),
//!     missing_key: Code("X003"),
//!     wrong_type: Code("X004"),
//!     out_of_range: Code("X005"),
//! };
//! let mut sources = Sources::new();
//! let id = sources.add("a.toml", "name = 1\ntimeuot = \"10s\"");
//! let problems = Problems::new();
//! let text = sources.source(id).map_or("", |source| source.text());
//! let document = Document::parse(text, id, CODES, &problems).expect("the syntax is right");
//! let mut table = document.root("the file");
//! assert!(table.string("name").is_none());
//! assert!(table.duration("timeout", ..).is_none());
//! table.finish();
//! let messages: Vec<_> = problems.into_sorted().into_iter().map(|found| found.message).collect();
//! assert_eq!(messages, ["wrong type for `name`", "unknown key `timeuot`"]);
//! ```

mod inner;
mod syntax;
mod table;
mod units;
mod value;

use toml::de::DeTable;

use super::{Code, Diagnostic, Problems, SourceId, Span};

pub use inner::{inner_edit, inner_span};
pub use table::Table;
pub use units::{format_duration, format_size, parse_duration};
pub use value::{Shape, Value};

/// A calendar date as TOML has it.
pub use toml::value::Date;

/// The codes under which a kind of file reports what any TOML file can have wrong.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    /// Not TOML.
    pub syntax: Code,
    /// A key that nothing reads.
    pub unknown_key: Code,
    /// A key that must be there and is not.
    pub missing_key: Code,
    /// A value of the wrong type or form.
    pub wrong_type: Code,
    /// A number, duration or size beyond its bounds.
    pub out_of_range: Code,
}

/// A TOML file whose syntax is right.
#[derive(Debug)]
pub struct Document<'d> {
    table: DeTable<'d>,
    reading: Reading<'d>,
}

/// What every reader of one document carries.
#[derive(Clone, Copy, Debug)]
struct Reading<'d> {
    text: &'d str,
    source: SourceId,
    codes: Codes,
    problems: &'d Problems,
}

impl<'d> Document<'d> {
    /// Parses `text`, the whole of `source`.
    ///
    /// Where the syntax is wrong anywhere, every error is reported and there is no document: what a parser guesses
    /// from a broken text would only raise findings that vanish when the text is mended.
    #[must_use]
    pub fn parse(
        text: &'d str,
        source: SourceId,
        codes: Codes,
        problems: &'d Problems,
    ) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let reading = Reading { text, source, codes, problems };
        let mut helped = Vec::new();
        for error in syntax::without_followers(text, &errors) {
            let range = error.span().unwrap_or(0..0);
            let help = syntax::help(text, &range, error.message());
            // What follows from the first would be told the same.
            let help = help.filter(|help| !helped.contains(help));
            helped.extend(help.clone());
            let finding = Diagnostic::error(codes.syntax, error.message());
            problems.push(finding.primary(reading.span(range), "").maybe_help(help));
        }
        errors.is_empty().then(|| Self { table: table.into_inner(), reading })
    }

    /// The root table, which findings call `name`.
    pub fn root(&self, name: &str) -> Table<'_> {
        Table::new(&self.table, name.into(), Span::new(self.reading.source, 0..0), self.reading)
    }
}

impl Reading<'_> {
    /// A span of this document, cut to what is there.
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let start = self.text.floor_char_boundary(range.start);
        let end = self.text.ceil_char_boundary(range.end.min(self.text.len()));
        Span::new(self.source, start..end)
    }
}

#[cfg(test)]
mod tests;
