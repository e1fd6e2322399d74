//! Properties of the list filter: chunk boundaries have no meaning, a filter of the parsed reply shows the same,
//! and a reply that fails is never complete.

#![expect(clippy::panic, reason = "a property panics where it does not hold")]

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::Value;

use super::sse;
use crate::inspect::response::{
    Framing, Judge, Listing, ReplyError, ReplyInspector, ReplyOptions, ServerRequest,
};
use crate::lock::List;
use crate::wire::jsonrpc::{Id, error_reply};

/// Bytes that a filter may hold besides an element: the name of a field.
const FIELD_NAME: usize = 7;

/// Who may see what: everything but what is called hidden.
#[must_use]
pub fn listed(_list: List, name: &str) -> bool {
    !name.contains("hidden")
}

/// Judges lists by [`listed`], and permits everything else.
#[derive(Clone, Copy, Debug)]
pub struct ByName;

impl Judge for ByName {
    fn listed(&mut self, list: List, name: &str) -> Listing {
        listed(list, name).into()
    }

    fn permits(&mut self, _request: &ServerRequest<'_>) -> bool {
        true
    }

    fn refusal(&mut self, id: Option<&Id>) -> Vec<u8> {
        error_reply(id, 403, "refused", None)
    }
}

/// What became of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all of it was good.
    pub verdict: Result<(), ReplyError>,
    /// What left.
    pub out: Vec<u8>,
    /// [`ReplyInspector::hidden`]
    pub hidden: u64,
    /// [`ReplyInspector::max_held`]
    pub max_held: usize,
}

/// Feeds a reply.
pub fn run<'a>(
    framing: Framing,
    options: ReplyOptions,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut filter = ReplyInspector::new(framing, ByName, options);
    let mut out = VecDeque::new();
    let mut verdict = Ok(());
    for chunk in chunks {
        verdict = filter.feed(Bytes::copy_from_slice(chunk), &mut out);
        if verdict.is_err() {
            break;
        }
        assert!(filter.held() <= options.hold + FIELD_NAME, "the hold is bounded");
    }
    let verdict = verdict.and_then(|()| filter.finish(&mut out));
    assert_eq!(filter.finish(&mut VecDeque::new()).is_err(), verdict.is_err(), "final");
    assert!(out.iter().all(|piece| !piece.is_empty()), "no empty pieces");
    Outcome {
        verdict,
        out: out.iter().flatten().copied().collect(),
        hidden: filter.hidden(),
        max_held: filter.max_held(),
    }
}

/// The outcome of `reply`, after checking that it is the same in `chunks`.
pub fn same_in<'a>(
    framing: Framing,
    options: ReplyOptions,
    whole: &Outcome,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) {
    let cut = run(framing, options, chunks);
    if whole.verdict.is_ok() {
        assert_eq!(&cut, whole);
    } else {
        // How far a reply gets that fails depends on the cuts, but it is always the same way.
        assert_eq!((cut.verdict, cut.hidden), (whole.verdict, whole.hidden));
        assert!(cut.out.starts_with(&whole.out) || whole.out.starts_with(&cut.out));
    }
}

/// The oracle: `message` without the elements that are not listed, and with a private cache scope.
#[must_use]
pub fn naive(mut message: Value, is_modern: bool) -> Value {
    let lists = [
        ("tools", "name"),
        ("prompts", "name"),
        ("resources", "uri"),
        ("resourceTemplates", "uriTemplate"),
    ];
    assert!(message.is_object(), "a message is an object");
    let Some(result) = message.get_mut("result") else { return message };
    let Some(result) = result.as_object_mut() else { panic!("a result is an object") };
    let mut has_list = false;
    for (list, name) in lists {
        match result.get_mut(list) {
            None | Some(Value::Null) => {}
            Some(Value::Array(elements)) => {
                has_list = true;
                elements.retain(|element| match element.get(name).and_then(Value::as_str) {
                    Some(name) => listed(List::Tools, name),
                    None => panic!("an element has a name"),
                });
            }
            Some(_) => panic!("a list is an array"),
        }
    }
    let is_modern = is_modern || result.contains_key("resultType");
    if result.contains_key("cacheScope") || (has_list && is_modern) {
        result.insert("cacheScope".to_owned(), "private".into());
    }
    message
}

/// The messages of a stream, in order; `None` where one is beyond what the oracle reads (1e999).
fn messages(stream: &sse::Stream) -> Option<Vec<Value>> {
    let payloads = stream.events.iter().map(|event| event.data.trim_ascii());
    payloads.filter(|data| !data.is_empty()).map(|data| serde_json::from_slice(data).ok()).collect()
}

/// Target `list_filter`: the first byte chooses framing and options, the rest is the reply.
pub fn filter(data: &[u8]) {
    let Some((&choice, reply)) = data.split_first() else { return };
    let framing = if choice & 1 == 0 { Framing::Json } else { Framing::EventStream };
    let is_modern = choice & 2 != 0;
    let hold = if choice & 4 == 0 { 64 << 10 } else { 32 };
    let options = ReplyOptions { is_modern, hold, ..ReplyOptions::default() };
    let whole = run(framing, options, [reply]);
    same_in(framing, options, &whole, reply.chunks(1));
    same_in(framing, options, &whole, reply.chunks(usize::from(choice >> 3) + 2));
    match framing {
        Framing::Json => json(&whole, reply, is_modern),
        Framing::EventStream => event_stream(&whole, reply, is_modern),
    }
}

fn json(whole: &Outcome, reply: &[u8], is_modern: bool) {
    let shown = serde_json::from_slice::<Value>(&whole.out);
    match (whole.verdict, serde_json::from_slice(reply)) {
        (Ok(()), Ok(reply)) => {
            assert_eq!(shown.ok(), Some(naive(reply, is_modern)), "the oracle agrees");
        }
        (Ok(()), Err(_)) => {}
        (Err(_), _) => assert!(shown.is_err(), "what fails is not complete"),
    }
}

fn event_stream(whole: &Outcome, reply: &[u8], is_modern: bool) {
    let before = sse::read_naively(reply);
    let after = sse::read_naively(&whole.out);
    let is_same = whole.verdict.is_ok();
    assert!(after.events.len() <= before.events.len());
    assert!(!is_same || after.events.len() == before.events.len(), "every event passes");
    assert!(!is_same || after.comments == before.comments, "comments pass");
    for (before, after) in before.events.iter().zip(&after.events) {
        assert_eq!(
            (&before.event, &before.id, &before.retry),
            (&after.event, &after.id, &after.retry)
        );
    }
    let (Some(before), Some(after)) = (messages(&before), messages(&after)) else {
        // Where the input fails, what passed of it was good.
        let Some(after) = messages(&after) else { return };
        return assert!(after.iter().all(|message| naive(message.clone(), is_modern) == *message));
    };
    let before: Vec<_> =
        before.into_iter().take(after.len()).map(|message| naive(message, is_modern)).collect();
    assert_eq!(after, before, "the oracle agrees");
}
