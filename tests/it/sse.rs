//! The SSE decoder against fixtures, against a naive reader at every cut, and against `eventsource-stream`.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test says by a panic that it failed"
)]

use eventsource_stream::EventStream;
use futures::{StreamExt as _, executor::block_on, stream};
use mcpfw::fuzz::sse::{Event, any_cut_is_the_same, decode};
use mcpfw::wire::sse::{Decoder, Field, Part};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    input: String,
    events: Vec<Expected>,
    at_boundary: bool,
    #[serde(default)]
    comments: Option<usize>,
    #[serde(default, rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    data: String,
    event: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
}

impl From<Expected> for Event {
    fn from(expected: Expected) -> Self {
        Self {
            data: expected.data.into(),
            event: expected.event.map(Into::into),
            id: expected.id.map(Into::into),
            retry: expected.retry.map(|retry| retry.to_string().into()),
        }
    }
}

#[test]
fn fixtures_at_every_cut() {
    let cases = include_str!("../data/sse/cases.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 60);
    for case in cases {
        let stream = decode([case.input.as_bytes()]);
        let events: Vec<Event> = case.events.into_iter().map(Into::into).collect();
        assert_eq!(stream.events, events, "{}", case.name);
        assert_eq!(stream.at_boundary, case.at_boundary, "{}", case.name);
        if let Some(comments) = case.comments {
            assert_eq!(stream.comments, comments, "{}", case.name);
        }
        any_cut_is_the_same(case.input.as_bytes());
    }
}

/// The parts of `chunks`, each with its text.
fn parts(chunks: &[&str]) -> Vec<(Part, String)> {
    let mut decoder = Decoder::new();
    let mut parts = Vec::new();
    for chunk in chunks {
        let mut at = 0;
        while let Some(piece) = decoder.next(chunk.as_bytes(), at) {
            at = piece.range.end;
            parts.push((piece.part, chunk[piece.range].to_owned()));
        }
    }
    parts
}

#[test]
fn pieces_by_table() {
    use Part::{
        ByteOrderMark, Comment, Data, Dispatch, Id, LineEnd, LineFeed, Name, Retry, Unknown,
    };
    let with_data = Dispatch { has_data: true };
    let without_data = Dispatch { has_data: false };
    type Row<'a> = (&'a [&'a str], &'a [(Part, &'a str)]);
    let table: &[Row<'_>] = &[
        (
            &["data: {}\n\n"],
            &[(Name, "data: "), (Data, "{}"), (LineEnd(Field::Data), "\n"), (with_data, "\n")],
        ),
        (
            &["data:{}\r\n\r\n"],
            &[(Name, "data:"), (Data, "{}"), (LineEnd(Field::Data), "\r\n"), (with_data, "\r\n")],
        ),
        (
            &["data:{}\r", "\n\r", "\n"],
            &[
                (Name, "data:"),
                (Data, "{}"),
                (LineEnd(Field::Data), "\r"),
                (LineFeed, "\n"),
                (with_data, "\r"),
                (LineFeed, "\n"),
            ],
        ),
        // Payload is told the moment it comes, without its line end.
        (&["data: [1", ",2]"], &[(Name, "data: "), (Data, "[1"), (Data, ",2]")]),
        (
            &["da", "ta", ":", " ", " x"],
            &[(Name, "da"), (Name, "ta"), (Name, ":"), (Name, " "), (Data, " x")],
        ),
        (&["data:", "x"], &[(Name, "data:"), (Data, "x")]),
        (&["data:", "\n"], &[(Name, "data:"), (LineEnd(Field::Data), "\n")]),
        (&["data", "\n"], &[(Name, "data"), (LineEnd(Field::Data), "\n")]),
        (
            &["\u{feff}id: 1\n"],
            &[(ByteOrderMark, "\u{feff}"), (Name, "id: "), (Id, "1"), (LineEnd(Field::Id), "\n")],
        ),
        (
            &["id: 1", "\0\n"],
            &[(Name, "id: "), (Id, "1"), (Id, "\0"), (LineEnd(Field::Unknown), "\n")],
        ),
        (
            &["retry:1\n\n"],
            &[(Name, "retry:"), (Retry, "1"), (LineEnd(Field::Retry), "\n"), (without_data, "\n")],
        ),
        (&["x:y\n"], &[(Name, "x:"), (Unknown, "y"), (LineEnd(Field::Unknown), "\n")]),
        (&[": pi", "ng\n"], &[(Comment, ": pi"), (Comment, "ng"), (LineEnd(Field::Comment), "\n")]),
        (
            &["\n", "\r", "\r\n"],
            &[(without_data, "\n"), (without_data, "\r"), (without_data, "\r\n")],
        ),
        (&["", "data:x", "", "\n"], &[(Name, "data:"), (Data, "x"), (LineEnd(Field::Data), "\n")]),
    ];
    for (chunks, expected) in table {
        let expected: Vec<_> =
            expected.iter().map(|(part, text)| (*part, (*text).to_owned())).collect();
        assert_eq!(parts(chunks), expected, "{chunks:?}");
    }
}

#[test]
fn a_cut_mark_is_a_name_until_it_is_whole() {
    let bytes = "\u{feff}data:x\n\n".as_bytes();
    let mut decoder = Decoder::new();
    let first = |decoder: &mut Decoder, chunk: &[u8]| decoder.next(chunk, 0).unwrap().part;
    assert!(decoder.at_boundary());
    assert_eq!(first(&mut decoder, &bytes[..1]), Part::Name);
    assert!(!decoder.at_boundary());
    assert_eq!(first(&mut decoder, &bytes[1..2]), Part::Name);
    assert_eq!(first(&mut decoder, &bytes[2..3]), Part::ByteOrderMark);
    assert!(decoder.at_boundary());
}

#[test]
fn the_state_is_small() {
    assert!(size_of::<Decoder>() <= 32, "{}", size_of::<Decoder>());
}

/// Every stream over this alphabet: names, marks and line ends meet in all ways.
fn text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => Just("\n"), 2 => Just("\r"), 2 => Just("\r\n"), 3 => Just("data"), 1 => Just("event"),
        1 => Just("id"), 1 => Just("retry"), 3 => Just(":"), 2 => Just(" "), 1 => Just("\0"), 2 => Just("7"),
        2 => Just("x"), 1 => Just("{\"a\":1}"), 1 => Just("é😀"), 1 => Just("\u{feff}"), 1 => Just("unknown"),
    ];
    proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// What `eventsource-stream` reads, in our words.
fn oracle(text: &str) -> Vec<Event> {
    let chunks = stream::iter([Ok::<_, std::convert::Infallible>(text.as_bytes().to_vec())]);
    let events = block_on(EventStream::new(chunks).collect::<Vec<_>>());
    let event = |event: eventsource_stream::Event| Event {
        data: event.data.into(),
        event: Some(event.event.into()),
        id: Some(event.id.into()),
        retry: event.retry.map(|retry| retry.as_millis().to_string().into()),
    };
    events.into_iter().map(|read| event(read.unwrap())).collect()
}

/// As `eventsource-stream` fills in what is not there.
fn filled(event: Event) -> Event {
    Event {
        event: event.event.filter(|name| !name.is_empty()).or(Some(b"message".to_vec())),
        id: event.id.or(Some(Vec::new())),
        retry: event.retry.map(|digits| {
            String::from_utf8(digits).unwrap().parse::<u64>().unwrap().to_string().into()
        }),
        ..event
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn cuts_have_no_meaning(text in text()) {
        any_cut_is_the_same(text.as_bytes());
    }

    #[test]
    fn cuts_have_no_meaning_in_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        any_cut_is_the_same(&bytes);
    }

    #[test]
    fn eventsource_stream_agrees(text in text()) {
        // It panics on a leading mark, and waits for the byte behind a last CR.
        let mut text = text.trim_start_matches('\u{feff}').to_owned();
        if text.ends_with('\r') {
            text.push('\n');
        }
        agrees(&text)?;
    }
}

/// It carries the `id` of an event without data over to the next event; the standard carries every `id` over, and we tell only
/// of an event's own.
#[test]
fn eventsource_stream_agrees_but_for_ids_of_other_events() {
    agrees("id:7\r\n\ndata\r\n\n").unwrap();
}

fn agrees(text: &str) -> Result<(), TestCaseError> {
    let ours = decode([text.as_bytes()]).events;
    let mut theirs = oracle(text);
    for (_, theirs) in ours.iter().zip(&mut theirs).filter(|(ours, _)| ours.id.is_none()) {
        theirs.id = Some(Vec::new());
    }
    let ours: Vec<_> = ours.into_iter().map(filled).collect();
    prop_assert_eq!(ours, theirs);
    Ok(())
}
