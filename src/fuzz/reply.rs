//! Properties of the reply inspector where it judges what a server asks: chunk boundaries have no meaning, a judge of the parsed
//! reply comes to the same end, and what is refused is never complete.

#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a property panics where it does not hold, and null stands for what is not there"
)]

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::{Value, json};

use super::list_filter::listed;
use super::sse;
use crate::inspect::response::{
    Elicitation, Framing, Judge, Listing, ReplyError, ReplyInspector, ReplyOptions, ServerRequest,
    Watch,
};
use crate::lock::List;
use crate::wire::jsonrpc::{Id, error_reply};
use crate::wire::mcp::Method;
use crate::wire::mcp::fold::folds_to;

/// Bytes of a method's name that are read.
const METHOD: usize = 128;

/// Judges by a fixed table: see [`permits`].
#[derive(Clone, Debug, Default)]
pub struct ByTable {
    /// What was asked, under which id, and whether it passed.
    pub asked: Vec<(String, Option<Id>, bool)>,
}

/// Whether a server may ask `method`: no sampling, and elicitation by URL only at `https://ok.example/`.
#[must_use]
pub fn permits(method: &str, url: Option<&str>) -> bool {
    !method.starts_with("sampling/") && url.is_none_or(|url| url == "https://ok.example/")
}

impl Judge for ByTable {
    fn listed(&mut self, list: List, name: &str) -> Listing {
        listed(list, name).into()
    }

    fn permits(&mut self, request: &ServerRequest<'_>) -> bool {
        let url = match request.elicitation {
            Some(Elicitation::Url(url)) => Some(url),
            _ => None,
        };
        permits(request.method, url)
    }

    fn asked(&mut self, method: &str, id: Option<&Id>, passes: bool) -> bool {
        self.asked.push((method.to_owned(), id.cloned(), passes));
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
    /// [`ByTable::asked`]
    pub asked: Vec<(String, Option<Id>, bool)>,
    /// [`ReplyInspector::max_held`]
    pub max_held: usize,
}

/// Options that look for what servers ask.
#[must_use]
pub fn options(is_modern: bool, allows_batch: bool) -> ReplyOptions {
    let watch = Watch { requests: true, ..Watch::NOTHING };
    ReplyOptions { watch, is_modern, allows_batch, ..ReplyOptions::default() }
}

/// Feeds a reply.
pub fn run<'a>(
    framing: Framing,
    options: ReplyOptions,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut inspector = ReplyInspector::new(framing, ByTable::default(), options);
    let mut out = VecDeque::new();
    let mut verdict = Ok(());
    for chunk in chunks {
        verdict = inspector.feed(Bytes::copy_from_slice(chunk), &mut out);
        if verdict.is_err() {
            break;
        }
        assert!(inspector.held() <= options.hold + 7, "the hold is bounded");
    }
    let verdict = verdict.and_then(|()| inspector.finish(&mut out));
    assert!(out.iter().all(|piece| !piece.is_empty()), "no empty pieces");
    Outcome {
        verdict,
        out: out.iter().flatten().copied().collect(),
        max_held: inspector.max_held(),
        asked: std::mem::take(&mut inspector.judge().asked),
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
        assert_eq!((cut.verdict, &cut.asked), (whole.verdict, &whole.asked));
        assert!(cut.out.starts_with(&whole.out) || whole.out.starts_with(&cut.out));
    }
}

/// What the oracle makes of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It passes, or this is left of it.
    Passes(Value),
    /// It goes.
    Goes,
    /// An error takes its place, or the reply is cut off in it.
    Fails,
}

/// The oracle.
#[must_use]
pub fn naive(message: &Value) -> Fate {
    if let Value::Array(messages) = message {
        let mut left = Vec::new();
        for message in messages {
            match naive(message) {
                Fate::Passes(message) => left.push(message),
                Fate::Goes => {}
                Fate::Fails => return Fate::Fails,
            }
        }
        return Fate::Passes(Value::Array(left));
    }
    if let Some(method) = message.get("method") {
        // A name that is too long to be read is that of a request which nobody permits.
        let name = method.as_str().filter(|method| method.len() <= METHOD);
        let is_request = name.is_none_or(|method| match Method::from_wire(method) {
            Method::Other => !method.starts_with("notifications/"),
            method => !method.info().is_notification,
        });
        if is_request && !is_permitted(message) {
            return Fate::Goes;
        }
        let is_task =
            matches!(method.as_str(), Some("notifications/tasks" | "notifications/tasks/status"));
        if is_task && asks_too_much(&message["params"]) {
            return Fate::Goes;
        }
    }
    if asks_too_much(&message["result"]) || elicits_too_much(&message["error"]) {
        Fate::Fails
    } else {
        Fate::Passes(message.clone())
    }
}

fn is_permitted(request: &Value) -> bool {
    let name = request["method"].as_str().filter(|method| method.len() <= METHOD);
    let Some(method) = name else { return false };
    permits_params(method, &request["params"])
}

fn permits_params(method: &str, params: &Value) -> bool {
    let is_alike =
        |name: &String| ["mode", "url"].iter().any(|key| name != key && folds_to(name, key));
    let is_doubtful = params.as_object().is_some_and(|params| params.keys().any(is_alike));
    if method == "elicitation/create" && is_doubtful {
        return false;
    }
    let url = match (method, &params["mode"]) {
        ("elicitation/create", Value::Null) if params.get("mode").is_none() => {
            match params.get("url") {
                None => None,
                Some(Value::String(url)) => Some(url.as_str()),
                Some(_) => return false,
            }
        }
        ("elicitation/create", Value::String(mode)) if mode == "form" => None,
        ("elicitation/create", Value::String(mode)) if mode == "url" => {
            match params["url"].as_str() {
                Some(url) => Some(url),
                None => return false,
            }
        }
        ("elicitation/create", _) => return false,
        _ => None,
    };
    permits(method, url)
}

fn asks_too_much(result: &Value) -> bool {
    let asks = |input: &Value| !is_permitted(input);
    result["inputRequests"].as_object().is_some_and(|inputs| inputs.values().any(asks))
        || result.get("result").is_some_and(asks_too_much)
        || result.get("error").is_some_and(elicits_too_much)
}

/// -32042 of 2025-11-25 sends the user to URLs.
fn elicits_too_much(error: &Value) -> bool {
    let elicitations = error["data"]["elicitations"].as_array();
    elicitations
        .is_some_and(|all| all.iter().any(|params| !permits_params("elicitation/create", params)))
}

/// Target `sse_filter`: the first byte chooses framing and options, the rest is the reply.
pub fn filter(data: &[u8]) {
    let Some((&choice, reply)) = data.split_first() else { return };
    let framing = if choice & 1 == 0 { Framing::EventStream } else { Framing::Json };
    let mut options = options(choice & 2 != 0, choice & 4 != 0);
    if choice & 8 != 0 {
        options.hold = 48;
    }
    let whole = run(framing, options, [reply]);
    same_in(framing, options, &whole, reply.chunks(1));
    same_in(framing, options, &whole, reply.chunks(usize::from(choice >> 4) + 2));
    match framing {
        Framing::Json => {
            let before: Result<Value, _> = serde_json::from_slice(reply);
            let after: Option<Value> = serde_json::from_slice(&whole.out).ok();
            match (whole.verdict, before) {
                (Ok(()), Ok(before)) => agrees(&naive(&before), after.as_ref()),
                (Ok(()), Err(_)) => {}
                (Err(_), _) => assert_eq!(after, None, "what fails is not complete"),
            }
        }
        Framing::EventStream => events(&whole, reply),
    }
}

fn agrees(fate: &Fate, after: Option<&Value>) {
    match (fate, after) {
        (Fate::Passes(expected), Some(after)) => assert_eq!(after, expected, "the oracle agrees"),
        (Fate::Fails, Some(after)) => {
            assert_eq!(after["error"]["message"], json!("refused"), "an error takes its place");
        }
        (fate, after) => panic!("{fate:?}, but {after:?} left"),
    }
}

fn events(whole: &Outcome, reply: &[u8]) {
    let messages = |stream: &[u8]| -> Option<Vec<Value>> {
        let events = sse::read_naively(stream).events;
        let data = events.iter().map(|event| event.data.trim_ascii().to_vec());
        let data = data.filter(|data| !data.is_empty());
        data.map(|data| serde_json::from_slice(&data).ok()).collect()
    };
    let (Some(before), Some(after)) = (messages(reply), messages(&whole.out)) else { return };
    let mut after = after.iter();
    let mut fates = before.iter().map(naive).filter(|fate| *fate != Fate::Goes);
    for message in after.by_ref() {
        match fates.next() {
            Some(fate) => agrees(&fate, Some(message)),
            None => panic!("{message} was never sent"),
        }
    }
    if whole.verdict.is_ok() {
        assert_eq!(fates.next(), None, "every message that passes arrives");
    }
}
