//! Calls read from a JSON-RPC message, as `run` reads a body: by the same inspector, with the headers that the message asks for.

use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::diagnostic::visible;
use crate::inspect::request::{Exchange, RequestInspector, RequestLimits, Violation};
use crate::lock::{self, Json};
use crate::policy::{Args, Call, Policy};
use crate::wire::mcp::{
    Method, Mirror, Mirrored, Revision, RevisionSet, Target, headers, sentinel,
};

use super::json;

/// What a message asks for.
pub(super) enum Message {
    /// Calls of a client: one, or those of a batch.
    Calls(Vec<Call>),
    /// Requests that the server sends downstream.
    Asked(Vec<Call>),
    /// What a client answers to a request of the server: no rule is asked.
    Response,
    /// It breaks a rule of the wire, and comes to no other.
    Refused(Violation),
}

/// The bytes of the file `path`, or of standard input where it is `-`.
///
/// # Errors
/// Says what cannot be read.
pub(super) fn read(path: &str) -> Result<Vec<u8>, String> {
    // One byte more than a body may have, so that a longer one is seen to be.
    let most = RequestLimits::default().body + 1;
    let mut bytes = Vec::new();
    let done = match path {
        "-" => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    done.map_err(|error| format!("error: cannot read `{}`: {error}", visible(path)))?;
    Ok(bytes)
}

/// What `body`, which a client sends, asks for; in `revision`, where the body does not say which.
pub(super) fn of_client(
    policy: &Arc<Policy>,
    body: Vec<u8>,
    revision: Option<Revision>,
) -> Message {
    let mirror = Json::parse(&body, 0).ok().map(|json| mirrored(&json, revision));
    let exchange = Exchange {
        mirror: mirror.and_then(|headers| Mirror::parse(&headers).ok()).unwrap_or_default(),
        session: None,
        announced: false,
        route: RevisionSet::ALL,
    };
    let limits = RequestLimits::default();
    let mut inspector = RequestInspector::new(Arc::clone(policy), exchange, limits, 0);
    let read = inspector.feed(Bytes::from(body)).and_then(|()| inspector.finish());
    if let Err(violation) = read {
        return Message::Refused(violation);
    }
    match (inspector.take_call(), inspector.take_batch()) {
        (Some(call), _) => Message::Calls(vec![call]),
        (None, Some(calls)) => Message::Calls(calls),
        (None, None) => Message::Response,
    }
}

/// The headers that a client of the message sends with it.
fn mirrored(message: &Json, revision: Option<Revision>) -> HeaderMap {
    let mut map = HeaderMap::new();
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            map.insert(name, value);
        }
    };
    let params = message.member("params");
    let text = |name: &str| params.and_then(|params| params.member(name)).and_then(Json::as_str);
    let method = message.member("method").and_then(Json::as_str).unwrap_or_default();
    let meta = params.and_then(|params| params.member("_meta"));
    let own = meta.and_then(|meta| meta.member("io.modelcontextprotocol/protocolVersion"));
    let own = own.and_then(Json::as_str);
    let usual = match Method::from_wire(method) {
        // It is what settles the revision; a batch is of the one that has batches.
        Method::Initialize => None,
        _ if message.as_array().is_some() => None,
        _ => Some(super::USUAL),
    };
    if let Some(version) = own.or_else(|| revision.or(usual).map(Revision::as_str)) {
        add(headers::PROTOCOL_VERSION, version);
    }
    let info = Method::from_wire(method).info();
    if own.is_some() {
        add(headers::METHOD, method);
        if info.mirrored == Mirrored::Required {
            let name = if info.target == Target::Uri { text("uri") } else { text("name") };
            add(headers::NAME, &sentinel::encode(name.unwrap_or_default()));
        }
    }
    map
}

/// What the server asks in `body`: a request, a batch of them, or a result with `inputRequests`.
///
/// # Errors
/// Says what `body` is not.
pub(super) fn of_server(
    policy: &Policy,
    body: &[u8],
    revision: Revision,
) -> Result<Message, String> {
    let message =
        Json::parse(body, 0).map_err(|error| format!("error: the message is not JSON: {error}"))?;
    let inputs = message.member("result").and_then(|result| result.member("inputRequests"));
    let requests: Vec<&Json> = match (&message.value, inputs.and_then(Json::as_object)) {
        (_, Some(inputs)) => inputs.values().collect(),
        (lock::Value::Array(items), _) => items.iter().collect(),
        _ => vec![&message],
    };
    let asked = requests.into_iter().map(|request| {
        let method = request.member("method").and_then(Json::as_str)?;
        let params = request.member("params").map(json::read_value);
        let args = Args::capture(policy.captures(), params.as_ref());
        let is_request = inputs.is_some() || request.member("id").is_some();
        Some(Call::of_server(method, revision, is_request, args))
    });
    let asked: Option<Vec<Call>> = asked.collect();
    asked.map(Message::Asked).ok_or_else(|| {
        "error: the server asks nothing in the message\n  help: a request has a `method`; a result has `inputRequests`".into()
    })
}
