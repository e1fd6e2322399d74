//! Lines: which there are, the blank ones between them, and what stands below what.

use std::ops::Range;

use toml_parser::parser::EventKind;

use super::value::Values;
use super::{Token, trimmed, width};

/// Blanks between a value and the comment behind it.
const BEFORE_COMMENT: &str = "  ";

/// A line, or several where a value is broken over them.
#[derive(Debug)]
pub(super) enum Line<'t> {
    Blank,
    /// A comment of its own line.
    Comment(&'t str),
    /// `[table]` or `[[list]]`.
    Header {
        text: String,
        comment: Option<&'t str>,
    },
    /// `key = value`
    Entry {
        key: String,
        /// Where among the tokens the value stands.
        value: Range<usize>,
        comment: Option<&'t str>,
    },
}

/// The lines that `tokens` make; blank ones as they are.
pub(super) fn lines<'t>(tokens: &[Token<'t>]) -> Vec<Line<'t>> {
    let mut lines: Vec<Line<'t>> = Vec::new();
    // Whether something stands on the line of the text that is being read.
    let mut is_begun = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.kind {
            EventKind::Newline => {
                if !is_begun {
                    lines.push(Line::Blank);
                }
                is_begun = false;
            }
            EventKind::Comment => {
                let text = trimmed(token.text);
                match lines.last_mut().filter(|_| is_begun) {
                    Some(Line::Header { comment, .. } | Line::Entry { comment, .. }) => {
                        *comment = Some(text);
                    }
                    _ => lines.push(Line::Comment(text)),
                }
                is_begun = true;
            }
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                let is_end =
                    |kind| matches!(kind, EventKind::StdTableClose | EventKind::ArrayTableClose);
                let key = key(tokens, &mut at, is_end);
                let text = match token.kind {
                    EventKind::ArrayTableOpen => format!("[[{key}]]"),
                    _ => format!("[{key}]"),
                };
                lines.push(Line::Header { text, comment: None });
                is_begun = true;
            }
            EventKind::SimpleKey => {
                at -= 1;
                let key = key(tokens, &mut at, |kind| kind == EventKind::KeyValSep);
                let value = value(tokens, at);
                at = value.end;
                lines.push(Line::Entry { key, value, comment: None });
                is_begun = true;
            }
            _ => {}
        }
    }
    lines
}

/// The key that begins at `at`, which is moved behind the token that `is_end`.
fn key(tokens: &[Token<'_>], at: &mut usize, is_end: impl Fn(EventKind) -> bool) -> String {
    let mut key = String::new();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token.kind {
            kind if is_end(kind) => break,
            EventKind::SimpleKey => key.push_str(token.text),
            EventKind::KeySep => key.push('.'),
            _ => {}
        }
    }
    key
}

/// The first value behind `at`.
fn value(tokens: &[Token<'_>], at: usize) -> Range<usize> {
    let rest = tokens.iter().enumerate().skip(at);
    let mut start = None;
    let mut depth = 0_usize;
    for (at, token) in rest {
        match token.kind {
            EventKind::ArrayOpen | EventKind::InlineTableOpen => depth += 1,
            EventKind::ArrayClose | EventKind::InlineTableClose => depth = depth.saturating_sub(1),
            EventKind::Whitespace if start.is_none() => continue,
            _ => {}
        }
        let start = *start.get_or_insert(at);
        if depth == 0 {
            return start..at + 1;
        }
    }
    at..tokens.len()
}

/// `lines` with the blank ones that there should be.
pub(super) fn spaced(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let mut out: Vec<Line<'_>> = Vec::with_capacity(lines.len());
    for line in lines {
        match line {
            Line::Blank => {
                if !matches!(out.last(), None | Some(Line::Blank | Line::Header { .. })) {
                    out.push(Line::Blank);
                }
            }
            Line::Header { .. } => {
                // Comments directly above belong to it.
                let own =
                    out.iter().rev().take_while(|line| matches!(line, Line::Comment(_))).count();
                let first = out.len() - own;
                if !matches!(out.get(..first).and_then(<[_]>::last), None | Some(Line::Blank)) {
                    out.insert(first, Line::Blank);
                }
                out.push(line);
            }
            line => out.push(line),
        }
    }
    if matches!(out.last(), Some(Line::Blank)) {
        out.pop();
    }
    out
}

/// `lines` as one text.
pub(super) fn join(lines: &[Line<'_>], tokens: &[Token<'_>]) -> String {
    let values = Values::new(tokens);
    let mut rows: Vec<(String, Option<&str>)> = Vec::with_capacity(lines.len());
    let mut key_width = 0;
    for (at, line) in lines.iter().enumerate() {
        let is_first = at.checked_sub(1).and_then(|before| lines.get(before)).is_none_or(is_break);
        if is_first {
            key_width = widest(lines.iter().skip(at));
        }
        rows.push(match line {
            Line::Blank => (String::new(), None),
            Line::Comment(text) => ((*text).to_owned(), None),
            Line::Header { text, comment } => (text.clone(), *comment),
            Line::Entry { key, value, comment } => {
                let mut row = key.clone();
                row.extend(std::iter::repeat_n(' ', key_width - width(key)));
                row.push_str(" = ");
                match values.condition(key, value, width(&row)) {
                    Some(broken) => row.push_str(&broken),
                    None => values.write(&mut row, value.clone()),
                }
                (row, *comment)
            }
        });
    }
    let mut out = String::new();
    // Which rows the comments of one column belong to, and how wide the longest of them is.
    let mut column = 0..0;
    let mut column_width = 0;
    for (at, (row, comment)) in rows.iter().enumerate() {
        out.push_str(row);
        if let Some(comment) = comment {
            let is_in_column = |at: usize| {
                let is_entry = matches!(lines.get(at), Some(Line::Entry { .. }));
                is_entry
                    && rows.get(at).is_some_and(|(row, it)| it.is_some() && !row.contains('\n'))
            };
            if is_in_column(at) {
                if !column.contains(&at) {
                    let end = (at..rows.len()).find(|at| !is_in_column(*at)).unwrap_or(rows.len());
                    column = at..end;
                    let in_column = rows.get(column.clone()).unwrap_or_default();
                    column_width = in_column.iter().map(|(row, _)| width(row)).max().unwrap_or(0);
                }
                out.extend(std::iter::repeat_n(' ', column_width - width(row)));
            }
            out.push_str(BEFORE_COMMENT);
            out.push_str(comment);
        }
        out.push('\n');
    }
    out
}

/// Whether the keys behind this line stand for themselves.
fn is_break(line: &Line<'_>) -> bool {
    matches!(line, Line::Blank | Line::Header { .. })
}

/// The width of the longest key of the first of `lines`, up to the next break.
fn widest<'l, 't: 'l>(lines: impl Iterator<Item = &'l Line<'t>>) -> usize {
    let block = lines.take_while(|line| !is_break(line));
    let keys = block.filter_map(|line| match line {
        Line::Entry { key, .. } => Some(width(key)),
        _ => None,
    });
    keys.max().unwrap_or(0)
}
