//! The texts that findings point into, and places in them.

use std::collections::BTreeMap;
use std::ops::Range;

/// Names one [`Source`] of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

/// A text that somebody wrote: a file, or the value of a flag.
#[derive(Clone, Debug)]
pub struct Source {
    name: Box<str>,
    text: Box<str>,
    /// Byte offsets at which lines start; the first is 0.
    lines: Vec<usize>,
    /// Secrets: never quoted.
    hidden: Vec<Range<usize>>,
}

/// Every text that was read, in the order of reading.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

/// A range of bytes of a [`Source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte; never below `start`.
    pub end: usize,
}

/// A value and where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// A place as editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters (not bytes, not cells of a terminal), from 1.
    pub column: usize,
}

impl Sources {
    /// No text yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `text` under `name`, which findings show: a path, or a flag such as `--listen`.
    pub fn add(&mut self, name: impl Into<Box<str>>, text: impl Into<Box<str>>) -> SourceId {
        let text = text.into();
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.all.push(Source { name: name.into(), text, lines, hidden: Vec::new() });
        SourceId(self.all.len() - 1)
    }

    /// The same texts under the same ids, those in `texts` replaced. Nothing is hidden in what is new.
    #[must_use]
    pub fn with(&self, texts: &BTreeMap<SourceId, String>) -> Self {
        let mut new = Self::new();
        for (id, source) in self.iter() {
            match texts.get(&id) {
                Some(text) => {
                    new.add(source.name(), text.as_str());
                }
                None => new.all.push(source.clone()),
            }
        }
        new
    }

    /// The text called `id`; `None` where `id` is of another [`Sources`].
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.all.get(id.0)
    }

    /// Marks a secret: findings about its lines show `*` in its place (threat T58).
    pub fn hide(&mut self, span: Span) {
        if let Some(source) = self.all.get_mut(span.source.0) {
            let range = source.clamp(span.range());
            source.hidden.push(range);
        }
    }

    /// What `span` covers; empty where it lies outside.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.source(span.source).and_then(|s| s.text.get(span.range())).unwrap_or("")
    }

    /// Every text with its id, in the order of adding.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.all.iter().enumerate().map(|(index, source)| (SourceId(index), source))
    }
}

impl Source {
    /// Path or flag.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the character at byte `offset` is of a secret.
    #[must_use]
    pub fn is_hidden(&self, offset: usize) -> bool {
        self.hidden.iter().any(|range| range.contains(&offset))
    }

    /// Line and column of byte `offset`. An offset past the end is taken as the end, one inside a character as the
    /// start of that character.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start =
            line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        Position { line, column: before.chars().count() + 1 }
    }

    /// The whole lines that `range` touches, as a range of bytes without the last line's break.
    #[must_use]
    pub fn lines(&self, range: Range<usize>) -> Range<usize> {
        let first = self.position(range.start).line;
        let last = self.position(range.end.max(range.start)).line;
        let start =
            first.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or(0);
        let end = match self.lines.get(last) {
            Some(next) => {
                let line = self.text.get(..next.saturating_sub(1)).unwrap_or("");
                line.strip_suffix('\r').unwrap_or(line).len()
            }
            None => self.text.len(),
        };
        start..end.max(start)
    }

    /// `range` cut so that it lies inside the text and on character boundaries.
    #[must_use]
    pub fn clamp(&self, range: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(range.start);
        let end = self.text.ceil_char_boundary(range.end.min(self.text.len())).max(start);
        start..end
    }
}

impl Span {
    /// The bytes `range` of `source`.
    #[must_use]
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end.max(range.start) }
    }

    /// The bytes.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The smallest span over this one and `other`, which is of the same source.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    #[must_use]
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place, another value.
    #[must_use]
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_offsets_are_clamped() {
        let mut sources = Sources::new();
        let id = sources.add("a.toml", "é = 1\nß = \"日本\"\r\n");
        let source = sources.source(id).unwrap();
        for (offset, line, column) in [
            (0, 1, 1),
            (1, 1, 1), // inside é
            (2, 1, 2),
            (6, 1, 6), // the break belongs to its line
            (7, 2, 1),
            (13, 2, 6),
            (19, 2, 8), // after both ideographs
            (22, 3, 1),
            (9_999, 3, 1),
        ] {
            assert_eq!(source.position(offset), Position { line, column }, "offset {offset}");
        }
    }

    #[test]
    fn an_empty_text_has_one_line() {
        let mut sources = Sources::new();
        let id = sources.add("a.toml", "");
        let source = sources.source(id).unwrap();
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.lines(0..0), 0..0);
    }

    #[test]
    fn whole_lines_of_a_range() {
        let mut sources = Sources::new();
        let id = sources.add("a.toml", "one\ntwo\r\nthree");
        let source = sources.source(id).unwrap();
        assert_eq!(source.lines(0..1), 0..3);
        assert_eq!(source.lines(2..5), 0..7);
        assert_eq!(source.lines(10..14), 9..14);
        assert_eq!(source.lines(99..103), 9..14);
    }
}
