//! The decoder's state machine: a line is a name, a colon, perhaps one space, a value, a line end.

use memchr::{memchr, memchr2, memchr3};

use super::{Field, Part, Piece};

/// UTF-8 of U+FEFF, which may stand before the first line and nowhere else.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Bytes of the longest name that the grammar knows.
const NAME: usize = 5;

/// The decoder: a few bytes of state, whatever the length of the stream. Never fails and never allocates;
/// bounds on events and comments are for the reader of the pieces to keep.
///
/// # Example
/// ```
/// use mcpfw::wire::sse::{Decoder, Part};
///
/// let mut decoder = Decoder::new();
/// let mut data = Vec::new();
/// for chunk in [b"da".as_slice(), b"ta: {}", b"\r", b"\n\r\n"] {
///     let mut at = 0;
///     while let Some(piece) = decoder.next(chunk, at) {
///         if piece.part == Part::Data {
///             data.extend_from_slice(&chunk[piece.range.clone()]);
///         }
///         at = piece.range.end;
///     }
/// }
/// assert_eq!(data, b"{}");
/// assert!(decoder.at_boundary());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    state: State,
    /// The last chunk ended in a CR, so that an LF now belongs to the same line end.
    after_cr: bool,
    /// A line of the open event is complete.
    has_line: bool,
    /// A `data` line of the open event is complete.
    has_data: bool,
    /// The `id` of the open line has a NUL.
    has_nul: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Before the first line, this many bytes of the mark read.
    #[default]
    Start,
    Mark(u8),
    LineStart,
    Name(Name),
    /// Behind the colon: one space does not belong to the value.
    Colon(Field),
    Value(Field),
}

/// What has been read of a field's name: enough to tell the known ones from each other.
#[derive(Clone, Copy, Debug, Default)]
struct Name {
    bytes: [u8; NAME],
    /// Bytes read, at most one more than fit.
    len: usize,
}

impl Name {
    fn push(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..) {
            for (place, byte) in room.iter_mut().zip(bytes) {
                *place = *byte;
            }
        }
        self.len = self.len.saturating_add(bytes.len()).min(NAME + 1);
    }

    fn field(&self) -> Field {
        match self.bytes.get(..self.len) {
            Some(b"data") => Field::Data,
            Some(b"event") => Field::Event,
            Some(b"id") => Field::Id,
            Some(b"retry") => Field::Retry,
            // Names are case-sensitive, and a name of more than five bytes is none of these.
            _ => Field::Unknown,
        }
    }
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next piece of `chunk` from offset `at`, or `None` where the chunk is used up. Call it
    /// with `at` = the end of the piece before (0 at first) until it returns `None`.
    pub fn next(&mut self, chunk: &[u8], at: usize) -> Option<Piece> {
        let rest = chunk.get(at..)?;
        let first = *rest.first()?;
        let (part, len) = match self.state {
            State::Start => self.start(rest, first),
            State::Mark(seen) => self.mark(rest, first, seen),
            State::LineStart => self.line_start(rest, first),
            State::Name(name) => self.name(rest, first, name),
            State::Colon(field) => {
                self.state = State::Value(field);
                if first == b' ' { (Part::Name, 1) } else { self.value(rest, first, field) }
            }
            State::Value(field) => self.value(rest, first, field),
        };
        Some(Piece { part, range: at..at + len })
    }

    /// Whether the stream stands between two events: since the last blank line nothing but whole comment lines
    /// has been fed. Only here may an event or a comment be put in; a stream that ends elsewhere ended in the
    /// middle of an event, which clients discard.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        !self.has_line && matches!(self.state, State::Start | State::LineStart)
    }

    fn start(&mut self, rest: &[u8], first: u8) -> (Part, usize) {
        if rest.starts_with(&MARK) {
            self.state = State::LineStart;
            return (Part::ByteOrderMark, MARK.len());
        }
        if MARK.starts_with(rest) {
            self.state = State::Mark(if rest.len() == 1 { 1 } else { 2 });
            return (Part::Name, rest.len());
        }
        self.line_start(rest, first)
    }

    /// The mark is cut: what has been read of it is either the mark or the name of an unknown field.
    fn mark(&mut self, rest: &[u8], first: u8, seen: u8) -> (Part, usize) {
        let read = MARK.get(..usize::from(seen)).unwrap_or_default();
        let missing = MARK.get(usize::from(seen)..).unwrap_or_default();
        if rest.starts_with(missing) {
            self.state = State::LineStart;
            return (Part::ByteOrderMark, missing.len());
        }
        if missing.starts_with(rest) {
            // Two bytes are missing and one has come.
            self.state = State::Mark(2);
            return (Part::Name, 1);
        }
        let mut name = Name::default();
        name.push(read);
        self.name(rest, first, name)
    }

    fn line_start(&mut self, rest: &[u8], first: u8) -> (Part, usize) {
        self.state = State::LineStart;
        let after_cr = std::mem::take(&mut self.after_cr);
        match first {
            b'\n' if after_cr => (Part::LineFeed, 1),
            b'\n' | b'\r' => {
                let has_data = std::mem::take(&mut self.has_data);
                self.has_line = false;
                (Part::Dispatch { has_data }, self.line_end(rest))
            }
            b':' => {
                self.state = State::Value(Field::Comment);
                self.value(rest, first, Field::Comment)
            }
            _ => self.line(rest, first),
        }
    }

    /// A line that is neither blank nor a comment. The fields that every event has are known at a glance.
    fn line(&mut self, rest: &[u8], first: u8) -> (Part, usize) {
        let (field, name, value) = match rest {
            [b'd', b'a', b't', b'a', b':', value @ ..] => (Field::Data, 5, value),
            [b'e', b'v', b'e', b'n', b't', b':', value @ ..] => (Field::Event, 6, value),
            [b'i', b'd', b':', value @ ..] => (Field::Id, 3, value),
            _ => return self.name(rest, first, Name::default()),
        };
        self.colon(field, name, value)
    }

    /// A whole name and its colon, `len` bytes, and the space where it is at hand.
    fn colon(&mut self, field: Field, len: usize, behind: &[u8]) -> (Part, usize) {
        self.state = if behind.is_empty() { State::Colon(field) } else { State::Value(field) };
        (Part::Name, len + usize::from(behind.starts_with(b" ")))
    }

    /// Part of a name, with the colon and the space behind it where they are at hand.
    fn name(&mut self, rest: &[u8], first: u8, mut name: Name) -> (Part, usize) {
        if is_line_end(first) {
            // A name without a colon is a field with an empty value.
            return self.end_line(rest, name.field());
        }
        let end = memchr3(b':', b'\n', b'\r', rest).unwrap_or(rest.len());
        let (read, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        name.push(read);
        if let [b':', behind @ ..] = behind {
            return self.colon(name.field(), end + 1, behind);
        }
        self.state = State::Name(name);
        (Part::Name, end)
    }

    fn value(&mut self, rest: &[u8], first: u8, field: Field) -> (Part, usize) {
        if is_line_end(first) {
            return self.end_line(rest, field);
        }
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let part = match field {
            Field::Data => Part::Data,
            Field::Event => Part::Event,
            Field::Id => {
                self.has_nul |= rest.get(..end).is_some_and(|id| memchr(0, id).is_some());
                Part::Id
            }
            Field::Retry => Part::Retry,
            Field::Unknown => Part::Unknown,
            Field::Comment => Part::Comment,
        };
        (part, end)
    }

    /// The end of a line that is not blank.
    fn end_line(&mut self, rest: &[u8], field: Field) -> (Part, usize) {
        self.state = State::LineStart;
        // "If the field value contains U+0000 NULL, then ignore the field."
        let ignored = std::mem::take(&mut self.has_nul);
        let field = if ignored { Field::Unknown } else { field };
        self.has_line |= field != Field::Comment;
        self.has_data |= field == Field::Data;
        (Part::LineEnd(field), self.line_end(rest))
    }

    /// Bytes of the line end that `rest` begins with: 2 for a CRLF that is all at hand.
    fn line_end(&mut self, rest: &[u8]) -> usize {
        if rest.starts_with(b"\r\n") {
            return 2;
        }
        // A CR ends its line at once, so that an event never waits for the byte behind it.
        self.after_cr = rest == b"\r";
        1
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}
