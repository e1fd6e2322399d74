//! From the upstream's reply to the downstream one.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as _;
use tokio::time::Instant;

use super::body::{Body, Stream, Witness};
use super::clock::unix_seconds;
use super::media;
use super::record::Record;
use super::reject::{Reject, ReplyFault};
use super::state::Shared;
use super::uplink::Slot;
use super::visible::Viewer;
use crate::config::Credentials;
use crate::inspect::response::Framing;
use crate::policy::UnixTime;
use crate::upstream::headers::{X_ACCEL_BUFFERING, towards_downstream};
use crate::upstream::{Reply, Watchdog};
use crate::wire::json::Tokenizer;
use crate::wire::jsonrpc::Id;

/// What the reply answers.
pub(super) struct Question {
    /// Whether it is modern.
    pub(super) modern: bool,
    /// The id that wants an answer.
    pub(super) id: Option<Id>,
    /// The ids that do, where the request is a batch. Its reply may be an array, or several messages.
    pub(super) batch: Box<[Id]>,
    /// Whether a 200 must be JSON or an event stream.
    pub(super) wants_message: bool,
    /// Who reads the lists in it, where anything in them can be hidden.
    pub(super) viewer: Option<Viewer>,
    /// Whether it is a stream that ends only with its client.
    pub(super) is_endless: bool,
    /// When the caller's credential expires.
    pub(super) expires: Option<UnixTime>,
    /// Where a body that still streams leaves the reason if it is cut off.
    pub(super) late: Option<Slot>,
}

/// Relays `reply`.
///
/// # Errors
/// 502 for what is never relayed; see [`ReplyFault`].
pub(super) fn relay(
    shared: &Shared,
    reply: Response<Reply>,
    question: Question,
    credentials: &Credentials,
    mut record: Box<Record>,
) -> Result<Response<Body>, (Box<Reject>, Box<Record>)> {
    let framing = media::framing(reply.headers());
    if let Err(fault) = check(&reply, framing, &question, credentials) {
        return Err((
            Reject::reply(fault).under(question.id.as_ref()).under_batch(&question.batch),
            record,
        ));
    }
    let is_open_ended = is_open_ended(&reply);
    let (mut head, reply) = reply.into_parts();
    towards_downstream(&mut head.headers, question.modern);
    let viewer = question.viewer;
    if viewer.is_some() && framing.is_none() {
        // No list can be found in it, and so none can be filtered: its status is all that is told.
        record.finish(crate::observe::Outcome::Complete);
        head.headers.remove(header::CONTENT_TYPE);
        return Ok(Response::from_parts(head, Body::empty()));
    }
    label(&mut head.headers, framing, viewer.is_some());
    let witness = match (framing, viewer.is_some()) {
        (Some(Framing::Json), false) if is_open_ended => {
            Some(Witness::Json(Box::new(Tokenizer::new(shared.limits.request.json, shared.seed))))
        }
        // A filter asks for the end by itself.
        (Some(Framing::EventStream), false) if is_open_ended => Some(Witness::Events),
        _ => None,
    };
    let filter = match (viewer, framing) {
        (Some(viewer), Some(framing)) => Some(viewer.filter(framing, shared)),
        _ => None,
    };
    let mut stream = Stream::of(framing, shared.limits.stream_comment);
    if let Some(stream) = &mut stream {
        stream.is_endless = question.is_endless;
        stream.expiry = question.expires.filter(|_| question.is_endless).map(until);
        // A legacy client resumes a lost stream; an error would end that. A modern one has lost its call.
        stream.orphan = question.id.filter(|_| question.modern);
    }
    Ok(Response::from_parts(
        head,
        Body::relay(reply, filter, stream, witness, question.late, record),
    ))
}

/// Whether nothing but the end of the connection ends the reply (RFC 9112 §6.3, case 8).
fn is_open_ended(reply: &Response<Reply>) -> bool {
    let headers = reply.headers();
    !reply.body().is_end_stream()
        && !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING)
}

fn until(expires: UnixTime) -> Watchdog {
    let left = Duration::from_secs(expires.saturating_sub(unix_seconds()));
    Watchdog::new(Instant::now() + left)
}

fn check(
    reply: &Response<Reply>,
    framing: Option<Framing>,
    question: &Question,
    credentials: &Credentials,
) -> Result<(), ReplyFault> {
    let status = reply.status();
    let is_coded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if status.is_informational() {
        return Err(ReplyFault::Upgrade);
    }
    if status.is_redirection() {
        return Err(ReplyFault::Redirect);
    }
    // With the caller's own token the upstream may well ask the caller for another; otherwise it asks us.
    let is_callers = matches!(credentials, Credentials::Forward);
    let asks = status == StatusCode::UNAUTHORIZED && !is_callers;
    if asks || status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return Err(ReplyFault::Unauthorized);
    }
    if reply.headers().get_all(header::CONTENT_ENCODING).iter().any(is_coded) {
        return Err(ReplyFault::Encoded);
    }
    // What ends a session is no message: servers answer it with an empty 200 of no type.
    let is_message = status == StatusCode::OK || (question.viewer.is_some() && status.is_success());
    if framing.is_none() && question.wants_message && is_message {
        return Err(ReplyFault::MediaType);
    }
    Ok(())
}

/// Says how the reply may be kept and passed on.
fn label(headers: &mut HeaderMap, framing: Option<Framing>, is_filtered: bool) {
    let cache = match (framing, is_filtered) {
        // What one caller sees is nobody else's (T55).
        (Some(Framing::EventStream), true) => "no-store, no-transform",
        (_, true) => "no-store",
        (Some(Framing::EventStream), false) => "no-cache, no-transform",
        (_, false) => return,
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if framing == Some(Framing::EventStream) {
        // nginx in front would gather events otherwise (mcp-protocol.md §3.3).
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
}
