//! What stands behind a `=`: on one line where it fits, else over several.

use std::ops::Range;

use toml_parser::parser::EventKind;

use super::{Token, WIDTH, condition, trimmed, width};

/// The values of a file.
pub(super) struct Values<'a, 't> {
    tokens: &'a [Token<'t>],
    /// For each token that opens a list or table, which one closes it.
    closes: Vec<usize>,
}

/// A list or table that is open, and not on one line.
#[derive(Clone, Copy, Debug)]
struct Open {
    is_list: bool,
    /// One element a line; else it only holds something that is broken.
    is_broken: bool,
    /// Whether an element has been written.
    has_element: bool,
    /// Whether a key has been written whose value comes next.
    has_key: bool,
}

/// What is being written.
struct Writing<'o> {
    out: &'o mut String,
    /// Where its last line begins.
    line_start: usize,
    /// Line breaks of the source since the last token that was written.
    breaks: usize,
    /// Whether the last line ends in a comment.
    is_comment: bool,
    /// Whether the last thing that was written opens a list or table.
    is_opened: bool,
}

impl<'a, 't> Values<'a, 't> {
    pub(super) fn new(tokens: &'a [Token<'t>]) -> Self {
        let mut closes = vec![0; tokens.len()];
        let mut open = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                EventKind::ArrayOpen | EventKind::InlineTableOpen => open.push(at),
                EventKind::ArrayClose | EventKind::InlineTableClose => {
                    if let Some(place) = open.pop().and_then(|from| closes.get_mut(from)) {
                        *place = at;
                    }
                }
                _ => {}
            }
        }
        Self { tokens, closes }
    }

    /// Adds the value at `range` to the line that `out` ends in.
    pub(super) fn write(&self, out: &mut String, range: Range<usize>) {
        let mut open: Vec<Open> = Vec::new();
        let line_start = out.rfind('\n').map_or(0, |at| at + 1);
        let mut writing =
            Writing { out, line_start, breaks: 0, is_comment: false, is_opened: false };
        let mut at = range.start;
        while let Some(token) = self.tokens.get(at).filter(|_| at < range.end) {
            let place = at;
            at += 1;
            match token.kind {
                EventKind::Newline => writing.breaks += 1,
                EventKind::ValueSep => writing.breaks = 0,
                EventKind::Comment => writing.comment(trimmed(token.text), &open),
                EventKind::SimpleKey => {
                    writing.begin(&mut open);
                    writing.out.push_str(token.text);
                }
                EventKind::KeySep => writing.out.push('.'),
                EventKind::KeyValSep => {
                    writing.out.push_str(" = ");
                    writing.breaks = 0;
                }
                EventKind::Scalar => {
                    writing.begin_value(&mut open);
                    if let Some(last) = token.text.rfind('\n') {
                        writing.line_start = writing.out.len() + last + 1;
                    }
                    writing.out.push_str(token.text);
                    writing.end_value(&mut open);
                }
                EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    writing.begin_value(&mut open);
                    let close = self.closes.get(place).copied().unwrap_or(place);
                    let has_comma = open.last().is_some_and(|parent| parent.is_broken);
                    match self.flat(place..close + 1) {
                        Some(flat) if writing.has_room(&flat, has_comma) => {
                            writing.out.push_str(&flat);
                            at = close + 1;
                            writing.end_value(&mut open);
                        }
                        _ => open.push(self.open(place..close, &mut writing)),
                    }
                }
                EventKind::ArrayClose | EventKind::InlineTableClose => {
                    writing.close(token.text, &mut open);
                }
                _ => {}
            }
        }
    }

    /// The value of `key` at `range` over several lines, where it is a condition that has no room behind `before` columns.
    pub(super) fn condition(
        &self,
        key: &str,
        range: &Range<usize>,
        before: usize,
    ) -> Option<String> {
        let [token] = self.tokens.get(range.clone())? else { return None };
        let is_long = before + width(token.text) > WIDTH;
        if key == condition::KEY && is_long { condition::broken(token.text) } else { None }
    }

    /// The list or table at `range` on one line; `None` where it holds what cannot be on one.
    fn flat(&self, range: Range<usize>) -> Option<String> {
        let mut out = String::new();
        let mut has_comma = false;
        let mut before = None;
        for token in self.tokens.get(range)? {
            match token.kind {
                EventKind::Whitespace | EventKind::Newline => continue,
                EventKind::Comment => return None,
                EventKind::ValueSep => {
                    has_comma = true;
                    continue;
                }
                EventKind::KeyValSep => out.push_str(" = "),
                EventKind::ArrayClose => out.push(']'),
                EventKind::InlineTableClose => {
                    let is_empty = before == Some(EventKind::InlineTableOpen);
                    out.push_str(if is_empty { "}" } else { " }" });
                }
                _ => {
                    if has_comma {
                        out.push_str(", ");
                    } else if before == Some(EventKind::InlineTableOpen) {
                        out.push(' ');
                    }
                    if token.text.contains('\n') {
                        return None;
                    }
                    out.push_str(token.text);
                }
            }
            has_comma = false;
            before = Some(token.kind);
            if out.len() > 4 * WIDTH {
                // It has at most four bytes a column: no room.
                return Some(out);
            }
        }
        Some(out)
    }

    /// Opens the list or table that `range` begins with.
    fn open(&self, range: Range<usize>, writing: &mut Writing<'_>) -> Open {
        let is_list =
            self.tokens.get(range.start).is_some_and(|it| it.kind == EventKind::ArrayOpen);
        let is_broken = is_list || self.has_break(range);
        writing.out.push_str(match (is_list, is_broken) {
            (true, _) => "[",
            (false, true) => "{",
            (false, false) => "{ ",
        });
        writing.breaks = 0;
        writing.is_opened = true;
        Open { is_list, is_broken, has_element: false, has_key: false }
    }

    /// Whether the table that `range` begins with is broken over lines, rather than something in it.
    fn has_break(&self, range: Range<usize>) -> bool {
        let mut at = range.start + 1;
        while let Some(token) = self.tokens.get(at).filter(|_| at < range.end) {
            match token.kind {
                EventKind::Newline => return true,
                EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    at = self.closes.get(at).copied().unwrap_or(at);
                }
                _ => {}
            }
            at += 1;
        }
        false
    }
}

impl Writing<'_> {
    /// Whether `flat` has room on this line.
    fn has_room(&self, flat: &str, has_comma: bool) -> bool {
        let line = self.out.get(self.line_start..).unwrap_or_default();
        // What holds nothing is not broken. A character has at most four bytes.
        flat.len() <= 2
            || line.len() <= 4 * WIDTH
                && width(line) + width(flat) + usize::from(has_comma) <= WIDTH
    }

    /// Begins a line inside of `open`.
    fn line(&mut self, open: &[Open]) {
        self.out.push('\n');
        if self.breaks > 1 && !self.is_opened {
            self.out.push('\n');
        }
        self.line_start = self.out.len();
        let depth = open.iter().filter(|it| it.is_broken).count();
        self.out.extend(std::iter::repeat_n("  ", depth));
        (self.breaks, self.is_comment, self.is_opened) = (0, false, false);
    }

    /// A comment: behind what it stood behind, or on a line of its own.
    fn comment(&mut self, text: &str, open: &[Open]) {
        if self.breaks == 0 && !self.is_comment {
            self.out.push_str("  ");
        } else {
            self.line(open);
        }
        self.out.push_str(text);
        (self.breaks, self.is_comment) = (0, true);
    }

    /// Makes room for an element of the innermost list or table.
    fn begin(&mut self, open: &mut [Open]) {
        match open.last().copied() {
            Some(Open { has_key: true, .. }) | None => {}
            Some(Open { is_broken: true, .. }) => self.line(open),
            Some(Open { has_element: true, .. }) => self.out.push_str(", "),
            Some(_) => {}
        }
        if let Some(parent) = open.last_mut() {
            parent.has_element = true;
            parent.has_key = true;
        }
        (self.breaks, self.is_opened) = (0, false);
    }

    /// Makes room for a value: an element of a list, or what belongs to a key.
    fn begin_value(&mut self, open: &mut [Open]) {
        if open.last().is_some_and(|parent| parent.is_list) {
            self.begin(open);
        }
    }

    /// Ends an element.
    fn end_value(&mut self, open: &mut [Open]) {
        if let Some(parent) = open.last_mut() {
            parent.has_key = false;
            if parent.is_broken {
                self.out.push(',');
            }
        }
        (self.breaks, self.is_comment, self.is_opened) = (0, false, false);
    }

    /// Closes the innermost list or table with `bracket`.
    fn close(&mut self, bracket: &str, open: &mut Vec<Open>) {
        let Some(closed) = open.pop() else { return };
        if closed.is_broken {
            self.breaks = 0;
            self.line(open);
        } else {
            self.out.push(' ');
        }
        self.out.push_str(bracket);
        self.end_value(open);
    }
}
