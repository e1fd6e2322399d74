//! A push decoder of `text/event-stream` (WHATWG HTML §9.2.6): LF, CR and CRLF at any split, one
//! leading BOM, comments, multi-line data. It yields spans of the fed bytes and copies nothing.

mod decoder;

use std::ops::Range;

pub use decoder::Decoder;

/// What a run of fed bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The byte-order mark before the first line, or what completes it: while it is not known
    /// whether the stream begins with the whole mark, its bytes are told as [`Part::Name`].
    ByteOrderMark,
    /// A field's name, its colon and the one space behind it, or a part of them. Told as soon as
    /// it is read, so the field may not be known yet.
    Name,
    /// Payload of a `data` field. Told as it arrives: only [`Part::LineEnd`] says that the line is
    /// whole, only [`Part::Dispatch`] that the event is. Lines are joined by one LF.
    Data,
    /// Value of an `event` field.
    Event,
    /// Value of an `id` field.
    Id,
    /// Value of a `retry` field, in milliseconds; clients ignore it unless it is all digits.
    Retry,
    /// Value of a field that the grammar does not know; clients ignore it.
    Unknown,
    /// A comment line without its line end.
    Comment,
    /// The end of a line that held the field given (a CR at the end of a chunk and the LF that
    /// follows it are two pieces of one line end; the second is [`Part::LineFeed`]). An `id` with
    /// a NUL in it sets nothing and ends as [`Field::Unknown`].
    LineEnd(Field),
    /// The LF of a CRLF whose CR was already told as a line end.
    LineFeed,
    /// The blank line that dispatches an event.
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
