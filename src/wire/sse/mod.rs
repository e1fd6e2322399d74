//! A push decoder of `text/event-stream` (WHATWG HTML §9.2.6): LF, CR and CRLF at any split, one
//! leading BOM, comments, multi-line data. It yields spans of the fed bytes and copies nothing.

use std::ops::Range;

/// What a run of fed bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The byte-order mark before the first line.
    ByteOrderMark,
    /// A field's name, its colon and the one space behind it, or a part of them. Told as soon as
    /// it is read, so the field may not be known yet.
    Name,
    /// Payload of a `data` field.
    Data,
    /// Value of an `event` field.
    Event,
    /// Value of an `id` field.
    Id,
    /// Value of a `retry` field.
    Retry,
    /// Value of a field that the grammar does not know; clients ignore it.
    Unknown,
    /// A comment line without its line end.
    Comment,
    /// The end of a line that held the field given (a CR at the end of a chunk and the LF that
    /// follows it are two pieces of one line end; the second is [`Part::LineFeed`]).
    LineEnd(Field),
    /// The LF of a CRLF whose CR was already told as a line end.
    LineFeed,
    /// The blank line that dispatches an event. `has_data`: whether it had a `data` field.
    Dispatch {
        /// Whether the event had any `data` field: without one it is not dispatched.
        has_data: bool,
    },
}

/// The fields of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `data`
    Data,
    /// `event`
    Event,
    /// `id`
    Id,
    /// `retry`
    Retry,
    /// Anything else.
    Unknown,
    /// A line that begins with a colon.
    Comment,
}

/// One run of the fed bytes. The pieces of a chunk tile it: every byte is in exactly one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What the bytes are.
    pub part: Part,
    /// Where they stand in the chunk that was fed.
    pub range: Range<usize>,
}

/// The decoder: a few bytes of state, whatever the length of the stream.
#[derive(Clone, Debug, Default)]
pub struct Decoder {}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next piece of `chunk` from offset `at`, or `None` where the chunk is used up. Call it
    /// with `at` = the end of the piece before (0 at first) until it returns `None`.
    pub fn next(&mut self, chunk: &[u8], at: usize) -> Option<Piece> {
        let _ = (chunk, at);
        None
    }

    /// Whether the stream stands between two events: nothing of an event has been fed since the last blank line.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        true
    }
}
