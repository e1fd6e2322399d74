//! From the upstream's reply to the downstream one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as HttpBody;
use tokio::time::{Instant, timeout_at};

use super::answers::{Answers, Way};
use super::body::{Body, Passage, Witness};
use super::clock::unix_seconds;
use super::judge::ReplyJudge;
use super::media;
use super::notices::Audience;
use super::record::Record;
use super::reject::{Reject, ReplyFault};
use super::review::{Review, Spare};
use super::state::Shared;
use super::tail::Stream;
use super::uplink::Slot;
use crate::config::Credentials;
use crate::inspect::response::{Framing, ReplyError, ReplyInspector, ReplyOptions, Watch};
use crate::policy::UnixTime;
use crate::upstream::headers::{X_ACCEL_BUFFERING, towards_downstream};
use crate::upstream::{Failure, Reply, Watchdog};
use crate::wire::json::Tokenizer;
use crate::wire::jsonrpc::Id;

/// Bytes of a JSON reply that is inspected before any of it goes. 64 KiB: as much as is held of a request.
const WHOLE: u64 = 64 << 10;

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
    /// Who judges it, and what is looked for.
    pub(super) judge: ReplyJudge,
    /// Who is told of changes of lists on it.
    pub(super) audience: Audience,
    /// How what the server asked, and was refused, is answered.
    pub(super) way: Way,
    /// Whether it is a stream that ends only with its client.
    pub(super) is_endless: bool,
    /// When the caller's credential expires.
    pub(super) expires: Option<UnixTime>,
    /// Where a body that still streams leaves the reason if it is cut off.
    pub(super) late: Option<Slot>,
    /// What limits say of it.
    pub(super) bounded: Bounded,
}

impl Question {
    /// `reject`, as the answer.
    fn told(&self, reject: Box<Reject>) -> Box<Reject> {
        reject.under(self.id.as_ref()).under_batch(&self.batch)
    }
}

/// How long a reply may take and how large it may be, where a limit says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounded {
    /// When it must be over.
    pub(super) deadline: Option<Instant>,
    /// Bytes of one message.
    pub(super) result: Option<u64>,
    /// Which limit says how many.
    pub(super) rule: Option<Arc<str>>,
}

/// Relays `reply`.
///
/// # Errors
/// 502 for what is never relayed; see [`ReplyFault`].
///
/// # Cancel safety
/// Dropping the future closes the upstream connection.
pub(super) async fn relay(
    shared: &Shared,
    reply: Response<Reply>,
    question: Question,
    credentials: &Credentials,
    mut record: Box<Record>,
) -> Result<Response<Body>, (Box<Reject>, Box<Record>)> {
    let framing = media::framing(reply.headers());
    let watch = question.judge.watch();
    if let Err(fault) = check(&reply, framing, &question, watch, credentials) {
        return Err((question.told(Reject::reply(fault)), record));
    }
    let is_open_ended = is_open_ended(&reply);
    let (mut head, mut reply) = reply.into_parts();
    let options = options(shared, &question, watch);
    if framing == Some(Framing::Json)
        && let Some(most) = question.bounded.result
        && HttpBody::size_hint(&reply).lower() > most
    {
        let reject = Reject::result_too_large(question.bounded.rule.clone());
        return Err((question.told(reject), record));
    }
    towards_downstream(&mut head.headers, question.modern);
    if watch.lists && framing.is_none() {
        // No list can be found in it, and so none can be filtered: its status is all that is told.
        record.finish(crate::observe::Outcome::Complete);
        head.headers.remove(header::CONTENT_TYPE);
        return Ok(Response::from_parts(head, Body::empty()));
    }
    label(&mut head.headers, framing, watch.private);
    let watched = framing.filter(|_| !watch.is_nothing());
    let witness = match (framing, watched.is_some()) {
        (Some(Framing::Json), false) if is_open_ended => {
            Some(Witness::Json(Box::new(Tokenizer::new(shared.limits.request.json, shared.seed))))
        }
        // The inspector asks for the end by itself.
        (Some(Framing::EventStream), false) if is_open_ended => Some(Witness::Events),
        _ => None,
    };
    let answers = match watched {
        Some(Framing::EventStream) if watch.requests && !question.modern => {
            Some(Answers::new(Arc::clone(reply.upstream()), question.way.clone()))
        }
        _ => None,
    };
    let Question { judge, audience, way, .. } = question;
    let is_stream = framing == Some(Framing::EventStream);
    let mut review = None;
    let mut inspector = match watched {
        Some(framing) => {
            review = is_stream.then(|| Review::new(&judge, way, audience));
            Some(ReplyInspector::new(framing, judge, options))
        }
        None if is_stream => {
            let mut fresh = Review::new(&judge, way, audience);
            fresh.spare = Some(Box::new(Spare { judge, options }));
            review = Some(fresh);
            None
        }
        None => None,
    };
    if let Some(inspector) = inspector.as_mut().filter(|_| framing == Some(Framing::Json))
        && question.late.is_none()
        && HttpBody::size_hint(&reply).exact().is_some_and(|bytes| bytes <= WHOLE)
    {
        let reading = whole(&mut reply, inspector, &question.bounded);
        let whole = match question.bounded.deadline {
            None => reading.await,
            Some(deadline) => timeout_at(deadline, reading)
                .await
                .unwrap_or_else(|_| Err(Reject::upstream(&Failure::CallTimeout))),
        };
        record.inspected(inspector.hidden(), inspector.judge());
        return match whole {
            Ok(bytes) => {
                let body = Body::fixed(bytes, record, head.status);
                head.headers.remove(header::CONTENT_LENGTH);
                Ok(Response::from_parts(head, body))
            }
            Err(reject) => {
                Err((reject.under(question.id.as_ref()).under_batch(&question.batch), record))
            }
        };
    }
    let mut stream = Stream::of(framing, &shared.limits);
    if let Some(stream) = &mut stream {
        stream.id = question.id.clone();
        stream.is_endless = question.is_endless;
        stream.age =
            question.is_endless.then(|| Watchdog::new(Instant::now() + shared.limits.stream_age));
        stream.expiry = question.expires.filter(|_| question.is_endless).map(until);
        // A legacy client resumes a lost stream; an error would end that. A modern one has lost its call.
        stream.orphan = question.id.filter(|_| question.modern);
    }
    let Question { late, bounded: Bounded { deadline, .. }, .. } = question;
    // A legacy text loses nothing of itself: a batch may, and an element of a list.
    let keeps_length = !(watch.lists
        || watch.elements
        || watch.carried
        || watch.tasks
        || options.is_modern
        || options.allows_batch);
    let passage = Passage { inspector, keeps_length, answers, witness, late, deadline, review };
    Ok(Response::from_parts(head, Body::relay(reply, passage, stream, record)))
}

/// All of a short reply, inspected. Nobody can use half of a JSON text: so it goes in one piece, and where it must not go the
/// caller is told why instead of being cut off.
async fn whole(
    reply: &mut Reply,
    inspector: &mut ReplyInspector<ReplyJudge>,
    bounded: &Bounded,
) -> Result<Bytes, Box<Reject>> {
    let refused = |error| match error {
        ReplyError::TooLarge => Reject::result_too_large(bounded.rule.clone()),
        error => Reject::reply(ReplyFault::Inspection(error)),
    };
    let mut pieces = VecDeque::new();
    while let Some(piece) = poll_fn(|cx| reply.poll_data(cx)).await {
        let piece = piece.map_err(|failure| Reject::upstream(&failure))?;
        inspector.feed(piece, &mut pieces).map_err(refused)?;
    }
    inspector.finish(&mut pieces).map_err(refused)?;
    Ok(match (pieces.pop_front(), pieces.is_empty()) {
        (None, _) => Bytes::new(),
        (Some(only), true) => only,
        (Some(first), false) => {
            let mut all = BytesMut::from(&*first);
            pieces.iter().for_each(|piece| all.extend_from_slice(piece));
            all.freeze()
        }
    })
}

fn options(shared: &Shared, question: &Question, watch: Watch) -> ReplyOptions {
    let limits = &shared.limits;
    ReplyOptions {
        watch,
        is_modern: question.judge.is_modern(),
        allows_batch: question.judge.allows_batch(),
        hold: limits.max_element,
        handle: limits.max_state,
        message: Some(question.bounded.result.unwrap_or(u64::MAX).min(limits.max_event)),
        capture: limits.request.capture,
        elements: limits.request.elements,
        json: limits.request.json,
        seed: shared.seed,
    }
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
    watch: Watch,
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
    let is_message = status == StatusCode::OK || (watch.lists && status.is_success());
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
