//! Properties of the SSE decoder: pieces tile the input, chunk boundaries have no meaning, and a naive
//! reader of the whole text finds the same events.

use crate::wire::sse::{Decoder, Field, Part};

/// An event as a client is given it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `data` lines, joined by LF.
    pub data: Vec<u8>,
    /// The last `event`.
    pub event: Option<Vec<u8>>,
    /// The last `id` without a NUL.
    pub id: Option<Vec<u8>>,
    /// The last `retry` that is all digits.
    pub retry: Option<Vec<u8>>,
}

/// What a stream says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The dispatched events.
    pub events: Vec<Event>,
    /// Comment lines, the last perhaps cut.
    pub comments: usize,
    /// Bytes told as payload of `data`, dispatched or not.
    pub data_bytes: usize,
    /// Whether the stream ended between events.
    pub at_boundary: bool,
}

/// One event in the making.
#[derive(Default)]
struct Open {
    event: Event,
    has_data: bool,
    value: Vec<u8>,
}

impl Open {
    fn line(&mut self, field: Field) {
        let value = std::mem::take(&mut self.value);
        match field {
            Field::Data => {
                if self.has_data {
                    self.event.data.push(b'\n');
                }
                self.has_data = true;
                self.event.data.extend(value);
            }
            Field::Event => self.event.event = Some(value),
            Field::Id => self.event.id = Some(value),
            Field::Retry if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.event.retry = Some(value);
            }
            Field::Retry | Field::Unknown | Field::Comment => {}
        }
    }

    fn dispatch(&mut self) -> Option<Event> {
        let open = std::mem::take(self);
        open.has_data.then_some(open.event)
    }
}

/// Reads `chunks` with the decoder.
pub fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Stream {
    let mut decoder = Decoder::new();
    let mut stream = Stream::default();
    let mut open = Open::default();
    let mut in_comment = false;
    for chunk in chunks {
        let mut at = 0;
        while let Some(piece) = decoder.next(chunk, at) {
            assert_eq!(piece.range.start, at, "pieces tile the chunk");
            assert!(piece.range.end > at, "no piece is empty");
            at = piece.range.end;
            let bytes = chunk.get(piece.range).unwrap_or_default();
            match piece.part {
                Part::Data => {
                    stream.data_bytes += bytes.len();
                    open.value.extend(bytes);
                }
                Part::Event | Part::Id | Part::Retry | Part::Unknown => open.value.extend(bytes),
                Part::Comment => {
                    stream.comments += usize::from(!in_comment);
                    in_comment = true;
                }
                Part::LineEnd(Field::Comment) => in_comment = false,
                Part::LineEnd(field) => open.line(field),
                Part::LineFeed => assert_eq!(bytes, b"\n"),
                Part::Dispatch { has_data } => {
                    assert_eq!(has_data, open.has_data);
                    assert!(decoder.at_boundary());
                    stream.events.extend(open.dispatch());
                }
                Part::ByteOrderMark | Part::Name => {}
            }
        }
        assert_eq!(at, chunk.len(), "pieces tile the chunk");
    }
    stream.at_boundary = decoder.at_boundary();
    stream
}

/// Reads the whole text line by line, as the specification words it.
#[must_use]
pub fn read_naively(text: &[u8]) -> Stream {
    let mut rest = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut stream = Stream { at_boundary: true, ..Stream::default() };
    let mut open = Open::default();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind.strip_prefix(b"\r\n").or(behind.get(1..)).unwrap_or_default();
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let field = match name {
            b"data" => Field::Data,
            b"event" => Field::Event,
            b"id" if value.contains(&0) => Field::Unknown,
            b"id" => Field::Id,
            b"retry" => Field::Retry,
            b"" if !line.is_empty() => Field::Comment,
            _ => Field::Unknown,
        };
        stream.comments += usize::from(field == Field::Comment);
        if field == Field::Data {
            stream.data_bytes += value.len();
        }
        if end.is_none() {
            stream.at_boundary = false;
            break;
        }
        if line.is_empty() {
            stream.at_boundary = true;
            stream.events.extend(open.dispatch());
        } else {
            stream.at_boundary &= field == Field::Comment;
            open.value = value.to_vec();
            open.line(field);
        }
    }
    stream
}

/// The decoder says of `text` what a naive reader says, however the text is cut.
pub fn any_cut_is_the_same(text: &[u8]) {
    let expected = read_naively(text);
    assert_eq!(decode([text]), expected, "whole");
    assert_eq!(decode(text.chunks(1)), expected, "byte by byte");
    let step = 1 + text.len() / 512;
    for cut in (0..=text.len()).step_by(step) {
        let (head, tail) = text.split_at(cut);
        assert_eq!(decode([head, tail]), expected, "cut at {cut}");
    }
    for size in [2, 3, 5, 7] {
        assert_eq!(decode(text.chunks(size)), expected, "chunks of {size}");
    }
}

/// Fuzz target `sse_chunking`: see [`any_cut_is_the_same`].
pub fn chunking(data: &[u8]) {
    any_cut_is_the_same(data);
}
