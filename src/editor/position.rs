//! Places as editors count them: lines from 0, and characters in the units that were agreed on.

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json};

/// What a character counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// Two for what is beyond U+FFFF: what every client can.
    #[default]
    Utf16,
}

/// A place, as the protocol has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) character: u32,
}

/// The lines of a text.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str, encoding: Encoding) -> Self {
        // A line ends in LF, CR LF or CR (LSP 3.17 "TextDocument"), though TOML has no CR alone.
        let is_end = |at: &usize| {
            let bytes = text.as_bytes();
            bytes.get(*at) == Some(&b'\n') || bytes.get(at + 1) != Some(&b'\n')
        };
        let ends = memchr::memchr2_iter(b'\n', b'\r', text.as_bytes()).filter(is_end);
        let breaks = ends.map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect(), encoding }
    }

    /// The place of byte `offset`, cut to what is there.
    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        let character = match self.encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.encode_utf16().count(),
        };
        let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: cut(line), character: cut(character) }
    }

    /// The byte at `position`, cut to its line and to the text.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let end = self.starts.get(line.saturating_add(1)).map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..end).unwrap_or_default();
        let wanted = usize::try_from(position.character).unwrap_or(usize::MAX);
        let within = match self.encoding {
            Encoding::Utf8 => text.floor_char_boundary(wanted),
            Encoding::Utf16 => {
                let mut units = 0;
                let place = text.char_indices().find(|(_, c)| {
                    units += c.len_utf16();
                    units > wanted
                });
                place.map_or(text.len(), |(at, _)| at)
            }
        };
        start + within
    }

    /// The range of these bytes, as the protocol has it.
    pub(super) fn range(&self, bytes: Range<usize>) -> Value {
        let place = |offset| {
            let Position { line, character } = self.position(offset);
            json!({ "line": line, "character": character })
        };
        json!({ "start": place(bytes.start), "end": place(bytes.end) })
    }

    /// The range of the whole text.
    pub(super) fn whole(&self) -> Value {
        self.range(0..self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_both_units_and_back() {
        let text = "aé😀b\r\n日\nx\ry";
        for (offset, line, utf16, utf8) in [
            (0, 0, 0, 0),
            (1, 0, 1, 1),
            (3, 0, 2, 3),
            (7, 0, 4, 7),
            (8, 0, 5, 8),
            (10, 1, 0, 0),
            (13, 1, 1, 3),
            (14, 2, 0, 0),
            (15, 2, 1, 1),
            (16, 3, 0, 0),
            (17, 3, 1, 1),
        ] {
            for (encoding, character) in [(Encoding::Utf16, utf16), (Encoding::Utf8, utf8)] {
                let lines = Lines::new(text, encoding);
                assert_eq!(lines.position(offset), Position { line, character }, "{offset}");
                assert_eq!(lines.offset(Position { line, character }), offset, "{offset}");
            }
        }
    }

    #[test]
    fn places_that_are_not_there_are_cut() {
        let lines = Lines::new("😀b\nc", Encoding::Utf16);
        for (line, character, want) in
            [(0, 1, 0), (0, 99, 5), (1, u32::MAX, 7), (u32::MAX, 0, 7), (2, 0, 7)]
        {
            assert_eq!(lines.offset(Position { line, character }), want, "{line}:{character}");
        }
        assert_eq!(lines.position(99), Position { line: 1, character: 1 });
        assert_eq!(Lines::new("", Encoding::Utf8).offset(Position { line: 3, character: 3 }), 0);
    }
}
