//! Reading a body until it can be decided, and no further; and reading on after a refusal, for the id alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;

use super::Known;
use super::framing;
use super::inbound::{Broken, Inbound};
use super::record::{Flow, Record};
use super::reject::Reject;
use super::state::Shared;
use crate::config::Sealing;
use crate::inspect::request::{Exchange, RequestInspector, Violation};
use crate::policy::{Call, Policy};
use crate::wire::mcp::{Mirror, Revision};

/// How long a refused body is read for its id, and so that the client, who is still writing, gets to read the answer
/// instead of a reset (T20).
const DRAIN: Duration = Duration::from_secs(5);
/// Bytes that are read of a body that was refused before it was looked at (T20). Of a body that is inspected, all that it
/// may have are: the id can stand at its end.
const DRAIN_UNSEEN: usize = 64 * 1024;
/// And for how long (T20).
const DRAIN_UNSEEN_TIME: Duration = Duration::from_secs(1);

/// What a body is, once that can be told.
pub(super) enum Message {
    /// A request or notification.
    Call(Call),
    /// Several of them, in the one revision that has batches.
    Batch(Vec<Call>),
    /// A response to a request of the server, or a batch of them; legacy only.
    Response,
}

/// The inspector of a body.
///
/// # Errors
/// 400 for mirrored headers that are malformed in themselves (T9).
pub(super) fn inspector(
    shared: &Shared,
    policy: Arc<Policy>,
    known: &Known,
    headers: &HeaderMap,
) -> Result<Box<RequestInspector>, Box<Reject>> {
    let mirror = mirror(headers)?;
    let (announced, route) = (known.announced.is_some(), known.route.revisions);
    let exchange = Exchange { mirror, session: None, announced, route };
    let inspector = RequestInspector::new(policy, exchange, shared.limits.request, shared.seed);
    let inspector = inspector.with_annotated(&known.route.annotated);
    Ok(Box::new(match known.route.handles {
        Sealing::Sealed => inspector.with_sealed_handles(),
        Sealing::Plain => inspector,
    }))
}

/// An inspector of a body that is refused already: good for nothing but its id.
pub(super) fn blind(shared: &Shared, known: &Known) -> Box<RequestInspector> {
    let (policy, route) = (Arc::clone(&known.policy), known.route.revisions);
    let exchange = Exchange { mirror: Mirror::default(), session: None, announced: false, route };
    Box::new(RequestInspector::new(policy, exchange, shared.limits.request, shared.seed))
}

/// The mirrored headers.
///
/// # Errors
/// As [`inspector`].
pub(super) fn mirror(headers: &HeaderMap) -> Result<Mirror, Box<Reject>> {
    Mirror::parse(headers).map_err(|error| {
        let version = headers.get(crate::wire::mcp::headers::PROTOCOL_VERSION);
        let modern = version.and_then(|value| value.to_str().ok()).and_then(|v| v.parse().ok());
        Reject::mirror(&error, modern.is_some_and(Revision::is_modern))
    })
}

/// Why a body could not be read.
pub(super) enum Unread {
    /// It breaks a rule of the wire.
    Violation(Violation),
    /// It did not come to its end.
    Broken(Broken),
}

/// Reads until the message can be decided. `open` is asked after every piece to open the handles that have come.
///
/// # Errors
/// [`Unread`]; the inspector has then seen everything that came.
pub(super) async fn until_decidable(
    inbound: &mut Inbound,
    inspector: &mut RequestInspector,
    flow: &Flow,
    mut open: impl FnMut(&mut RequestInspector) -> Result<(), Violation>,
) -> Result<Message, Unread> {
    loop {
        match inbound.data().await {
            Some(Ok(chunk)) => {
                let bytes = chunk.len();
                let verdict = inspector.feed(chunk);
                flow.came(bytes, inspector.held());
                verdict.and_then(|()| open(inspector)).map_err(Unread::Violation)?;
                if inbound.has_ended() {
                    inspector.finish().map_err(Unread::Violation)?;
                }
            }
            Some(Err(broken)) => return Err(Unread::Broken(broken)),
            None => inspector.finish().map_err(Unread::Violation)?,
        }
        if let Some(call) = inspector.take_call() {
            return Ok(Message::Call(call));
        }
        if let Some(calls) = inspector.take_batch() {
            return Ok(Message::Batch(calls));
        }
        if inspector.is_response() {
            return Ok(Message::Response);
        }
        if inbound.has_ended() {
            // A body that is good and complete is one or the other; if the inspector ever disagreed, nothing passes.
            return Err(Unread::Violation(Violation::MethodMissing));
        }
    }
}

/// Reads the rest of a refused body: its id may stand at the end.
pub(super) async fn for_id(
    shared: &Shared,
    inbound: &mut Inbound,
    inspector: &mut RequestInspector,
    flow: &Flow,
) {
    let _ = inspector.drain(&[]);
    let most = shared.limits.request.body;
    let reading = async {
        while !inbound.has_ended()
            && flow.bytes_in.load(Ordering::Relaxed) <= most
            && let Some(Ok(chunk)) = inbound.data().await
        {
            flow.came(chunk.len(), 0);
            // Read on even when the id is known: a client that writes its body to the end does not see an answer
            // behind a reset connection.
            let _ = inspector.drain(&chunk);
        }
    };
    let _ = tokio::time::timeout(DRAIN, reading).await;
}

/// Reads a little of a body that was refused unseen.
pub(super) async fn unseen(headers: &HeaderMap, inbound: &mut Inbound, record: &Record) {
    if framing::expects_continue(headers) {
        // Reading would ask for a body that was not sent yet.
        return;
    }
    let reading = async {
        let mut read = 0;
        while read <= DRAIN_UNSEEN
            && !inbound.has_ended()
            && let Some(Ok(chunk)) = inbound.data().await
        {
            read += chunk.len();
            record.flow.came(chunk.len(), 0);
        }
    };
    let _ = tokio::time::timeout(DRAIN_UNSEEN_TIME, reading).await;
}
