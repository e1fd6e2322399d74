//! The one layout of a TOML file. Pure.
//!
//! ```text
//! text ─ toml_parser (events) ─ lines ─ value (what stands behind a `=`) ─► text
//! ```
//!
//! Only white space, the line breaks inside lists and the commas before a `]` change, and the quotes of conditions that are too long
//! for a line. Nothing is sorted, no comment goes. The rules:
//!
//! 1. A blank line before each table header and the comments directly above it, none behind it; elsewhere what there is,
//!    but never two in a row, and none at either end of the file.
//! 2. The `=` of keys stand below one another, up to the next blank line or header. So do comments behind the values of
//!    neighbouring lines, two blanks after the longest.
//! 3. One blank after a comma and inside `{ }`, none inside `[ ]` or around the dots of a key, none at the end of a line. Lines end
//!    in LF.
//! 4. A list goes on one line where it fits into [`WIDTH`] columns and holds no comment, else one element a line, each with a
//!    comma. An inline table is broken over lines only if its author did so and it does not fit on one: TOML 1.0 knows no
//!    other.
//! 5. A `when` that does not fit into [`WIDTH`] columns goes into a literal string over several lines, broken before its outermost
//!    `||`, or `&&` where there is none.

mod condition;
mod lines;
mod value;

use toml::de::DeTable;
use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};

/// Columns of a line that a list may fill. What cannot be broken, such as a long string, may be longer.
pub const WIDTH: usize = 120;

/// Deepest nesting of lists and inline tables: as the `toml` crate, so that what it reads can be laid out.
pub(crate) const MAX_DEPTH: u32 = 80;

/// The text laid out; `None` where it is not TOML.
#[must_use]
pub fn lay_out(text: &str) -> Option<String> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !DeTable::parse_recoverable(bare).1.is_empty() {
        return None;
    }
    let events = events(bare);
    let tokens: Vec<Token<'_>> = events
        .iter()
        .filter_map(|event| {
            let span = event.span();
            Some(Token { kind: event.kind(), text: bare.get(span.start()..span.end())? })
        })
        .collect();
    Some(lines::join(&lines::spaced(lines::lines(&tokens)), &tokens))
}

/// What `text` consists of, in its order, as far as it can be told where it is not TOML.
pub(crate) fn events(text: &str) -> Vec<Event> {
    let tokens = Source::new(text).lex().into_vec();
    let mut events = Vec::new();
    // Without the guard the parser would go as deep as the text does.
    parse_document(&tokens, &mut RecursionGuard::new(&mut events, MAX_DEPTH), &mut ());
    events
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
struct Token<'t> {
    kind: EventKind,
    text: &'t str,
}

/// A comment without the blanks at its end.
fn trimmed(comment: &str) -> &str {
    comment.trim_end_matches([' ', '\t', '\r'])
}

/// Columns that `text` takes, one a character.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests;
