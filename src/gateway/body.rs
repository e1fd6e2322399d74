//! The body of a downstream reply.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use super::answers::{Answers, MOST_WAITING};
use super::judge::ReplyJudge;
use super::record::Record;
use super::review::Review;
use super::sse::Announcer;
use super::streams;
use super::tail::Stream;
use super::uplink::{Slot, Why};
use crate::inspect::response::{ReplyError, ReplyInspector};
use crate::observe::Outcome;
use crate::upstream::{Failure, Reply, Watchdog};
use crate::wire::json::{Ignore, Tokenizer};
use crate::wire::jsonrpc::{ErrorData, error_reply};
use crate::wire::mcp::{Revision, codes};

/// What goes downstream.
#[derive(Debug)]
pub(super) enum Body {
    /// Bytes of our own.
    Fixed(Bytes),
    /// The upstream's reply.
    Relay(Box<Relay>),
}

/// A reply was cut off; hyper then ends the connection or resets the stream, so that nothing looks complete (promise 8).
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the reply was cut off")]
pub(super) struct CutOff;

/// What becomes of a reply on its way.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) inspector: Option<ReplyInspector<ReplyJudge>>,
    /// Whether it can only pass whole or be cut off, so that its length is known.
    pub(super) keeps_length: bool,
    /// What the server is told of what it asked, and was refused.
    pub(super) answers: Option<Answers>,
    pub(super) witness: Option<Witness>,
    /// Where a request body that still streams leaves the reason if it is cut off.
    pub(super) late: Option<Slot>,
    /// When a limit ends it.
    pub(super) deadline: Option<Instant>,
    /// What an event stream is looked at for when another policy set comes in force.
    pub(super) review: Option<Box<Review>>,
}

/// The upstream's reply on its way.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) reply: Reply,
    pub(super) inspector: Option<ReplyInspector<ReplyJudge>>,
    keeps_length: bool,
    /// What the server is told of what it asked, and was refused.
    pub(super) answers: Option<Answers>,
    /// Inspected pieces that are ready to go.
    pub(super) ready: VecDeque<Bytes>,
    /// Where an event stream stands; `None` for other replies.
    pub(super) stream: Option<Stream>,
    /// What tells the end from an accident, where the framing does not.
    witness: Option<Witness>,
    /// Where a request body that still streams leaves the reason if it is cut off.
    late: Option<Slot>,
    /// Where endpoints may be announced, or must not be.
    announcer: Option<Box<Announcer>>,
    /// `None` once it has been logged.
    pub(super) record: Option<Box<Record>>,
    /// Nothing comes any more.
    pub(super) has_ended: bool,
    /// When a limit ends it.
    deadline: Option<Watchdog>,
    /// What an event stream is looked at for when another policy set comes in force.
    pub(super) review: Option<Box<Review>>,
}

/// What goes out on a quiet stream so that nobody on the way takes it for dead (mcp-protocol.md §3.3): a comment and the end of an
/// event without data, of which no client tells anybody.
const COMMENT: &[u8] = b":\n\n";

/// A reply that ends with its connection ends alike when the upstream dies. It was whole if what it carries is.
#[derive(Debug)]
pub(super) enum Witness {
    /// A JSON text ends with its last brace.
    Json(Box<Tokenizer>),
    /// An event stream ends between two events.
    Events,
}

impl Body {
    /// Nothing.
    pub(super) const fn empty() -> Self {
        Self::Fixed(Bytes::new())
    }

    /// `bytes`, with which the exchange is over.
    pub(super) fn fixed(bytes: Bytes, mut record: Box<Record>, status: StatusCode) -> Self {
        record.status = status.as_u16();
        record.bytes_out = bytes.len() as u64;
        record.finish(Outcome::Complete);
        Self::Fixed(bytes)
    }

    /// `reply`, inspected or not.
    pub(super) fn relay(
        reply: Reply,
        passage: Passage,
        stream: Option<Stream>,
        mut record: Box<Record>,
    ) -> Self {
        let Passage { inspector, keeps_length, answers, witness, late, deadline, review } = passage;
        let has_ended = reply.is_end_stream() && inspector.is_none();
        if has_ended {
            // hyper does not ask for the body of such a reply.
            record.finish(Outcome::Complete);
            return Self::empty();
        }
        let record = Some(record);
        let ready = VecDeque::new();
        Self::Relay(Box::new(Relay {
            reply,
            inspector,
            keeps_length,
            answers,
            ready,
            stream,
            witness,
            late,
            announcer: None,
            record,
            has_ended,
            deadline: deadline.map(Watchdog::new),
            review,
        }))
    }

    /// Watches an event stream for announced endpoints.
    pub(super) fn announce(&mut self, announcer: Announcer) {
        if let Self::Relay(relay) = self
            && relay.stream.is_some()
        {
            relay.announcer = Some(Box::new(announcer));
        }
    }
}

impl Relay {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CutOff>>> {
        loop {
            if let Some(piece) = self.poll_review(cx) {
                return Poll::Ready(piece);
            }
            let answered = self.poll_answers(cx);
            if let Some(piece) = self.ready.pop_front() {
                let piece = self.up_to_boundary(piece);
                return Poll::Ready(Some(Ok(self.passes(piece))));
            }
            if self.has_ended {
                // Nobody sends the answers when this is gone.
                ready!(answered);
                self.finish(Outcome::Complete);
                return Poll::Ready(None);
            }
            if let Some(end) = self.poll_over(cx) {
                return Poll::Ready(end);
            }
            if let Some(deadline) = &mut self.deadline
                && deadline.poll_expired(cx).is_ready()
            {
                return Poll::Ready(self.lost(&Failure::CallTimeout));
            }
            if answered.is_pending() && self.unanswered() >= MOST_WAITING {
                return Poll::Pending;
            }
            if let Some(event) = self.told(cx) {
                return Poll::Ready(Some(Ok(self.passes(event))));
            }
            match self.reply.poll_data(cx) {
                Poll::Pending => return self.poll_quiet(cx),
                Poll::Ready(Some(Ok(piece))) => {
                    let piece = match self.announced(piece) {
                        Ok(Some(piece)) => piece,
                        Ok(None) => continue,
                        Err(cut) => return Poll::Ready(Some(Err(cut))),
                    };
                    match &mut self.inspector {
                        None => return Poll::Ready(Some(self.witnessed(piece))),
                        Some(inspector) => {
                            if let Err(error) = inspector.feed(piece, &mut self.ready) {
                                return Poll::Ready(Some(Err(self.refuse(error))));
                            }
                        }
                    }
                }
                Poll::Ready(Some(Err(failure))) => return Poll::Ready(self.lost(&failure)),
                Poll::Ready(None) => {
                    self.has_ended = true;
                    if !self.is_whole() {
                        return Poll::Ready(self.lost(&Failure::Closed));
                    }
                    if let Some(inspector) = &mut self.inspector
                        && let Err(error) = inspector.finish(&mut self.ready)
                    {
                        return Poll::Ready(Some(Err(self.refuse(error))));
                    }
                }
            }
        }
    }

    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match (&mut self.answers, &mut self.inspector) {
            (Some(answers), Some(inspector)) => answers.poll(inspector.judge(), cx),
            _ => Poll::Ready(()),
        }
    }

    fn unanswered(&mut self) -> usize {
        self.inspector.as_mut().map_or(0, |inspector| inspector.judge().waiting())
    }

    /// What is left of a piece of the stream when an announcement has been taken out of it; `None` where that is nothing yet.
    fn announced(&mut self, piece: Bytes) -> Result<Option<Bytes>, CutOff> {
        let Some(announcer) = &mut self.announcer else { return Ok(Some(piece)) };
        let fed = match announcer.feed(&piece) {
            Ok(fed) => fed,
            Err(error) => {
                if let Some(record) = &mut self.record {
                    record.cut(error.slug(), error.to_string());
                }
                self.finish(Outcome::ReplyRefused);
                return Err(CutOff);
            }
        };
        if let Some(place) = announcer.place().filter(|_| fed.announced.is_some()) {
            if let Some(record) = &mut self.record {
                record.revision = Some(Revision::V2024_11_05);
            }
            // From here on the server asks, and is answered, in this session and at this place.
            if let Some(inspector) = &mut self.inspector {
                inspector.judge().begins(place.session.clone());
            }
            if let Some(answers) = &mut self.answers {
                answers.go_to(place.target.clone());
            }
        }
        let ours = [Some(fed.before), fed.announced];
        self.ready.extend(ours.into_iter().flatten().filter(|piece| !piece.is_empty()));
        if self.inspector.is_none() && !self.ready.is_empty() {
            self.ready.extend(Some(fed.rest).filter(|rest| !rest.is_empty()));
            return Ok(None);
        }
        Ok(Some(fed.rest).filter(|rest| !rest.is_empty()))
    }

    /// What mcpfw itself says on the stream: between two events.
    fn told(&mut self, cx: &mut Context<'_>) -> Option<Bytes> {
        self.stream.as_ref().filter(|stream| stream.tail.is_boundary())?;
        match self.announcer.as_mut()?.poll_told(cx) {
            Poll::Ready(event) => Some(event),
            Poll::Pending => None,
        }
    }

    /// A comment, where the upstream has sent nothing for long. Never inside an event that is partly out.
    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CutOff>>> {
        match &mut self.stream {
            Some(stream) if stream.tail.is_boundary() => ready!(stream.quiet.poll_expired(cx)),
            _ => return Poll::Pending,
        }
        Poll::Ready(Some(Ok(self.passes(Bytes::from_static(COMMENT)))))
    }

    fn witnessed(&mut self, piece: Bytes) -> Result<Bytes, CutOff> {
        if let Some(Witness::Json(tokenizer)) = &mut self.witness
            && tokenizer.feed(&piece, &mut Ignore).is_err()
        {
            return Err(self.refuse(ReplyError::NotAMessage));
        }
        let piece = self.up_to_boundary(piece);
        Ok(self.passes(piece))
    }

    /// Whether a reply that has ended had come to its end.
    fn is_whole(&mut self) -> bool {
        match &mut self.witness {
            None => true,
            Some(Witness::Json(tokenizer)) => tokenizer.finish(&mut Ignore).is_ok(),
            Some(Witness::Events) => {
                self.stream.as_ref().is_none_or(|stream| stream.tail.is_boundary())
            }
        }
    }

    pub(super) fn passes(&mut self, piece: Bytes) -> Bytes {
        if let Some(review) = &mut self.review {
            review.passes(&piece);
        }
        if let Some(stream) = &mut self.stream {
            stream.tail.push(&piece);
            stream.room = stream.room.saturating_sub(piece.len() as u64);
            stream.quiet.set(Instant::now() + stream.pause);
        }
        if let Some(record) = &mut self.record {
            record.bytes_out += piece.len() as u64;
        }
        if self.is_end_stream() {
            // hyper does not ask again.
            self.finish(Outcome::Complete);
        }
        piece
    }

    /// What cannot be judged is not shown (T17).
    pub(super) fn refuse(&mut self, error: ReplyError) -> CutOff {
        if let Some(record) = &mut self.record {
            record.cut(error.slug(), error.to_string());
        }
        self.finish(Outcome::ReplyRefused);
        CutOff
    }

    /// The upstream is gone in the middle of its reply. Between two events the caller can still be told; anywhere else an
    /// addition would complete what is not complete.
    fn lost(&mut self, failure: &Failure) -> Option<Result<Bytes, CutOff>> {
        let cut = self.late.take().and_then(|slot| slot.lock().take());
        if let (Some(Why::Violation(violation)), Some(record)) =
            (cut.map(|cut| cut.why), &mut self.record)
        {
            // The upstream began to answer a request that then turned out bad.
            record.cut(violation.slug(), violation.to_string());
            self.finish(Outcome::RequestRefused);
            return Some(Err(CutOff));
        }
        let (is_ours, code, reason, text) = match failure {
            Failure::CallTimeout => {
                (true, codes::UPSTREAM_TIMEOUT, "call_timeout", failure.to_string())
            }
            Failure::StreamTooLong => {
                (true, codes::TOO_LARGE, "stream_too_long", failure.to_string())
            }
            _ => {
                let text = "the connection to the server was lost".to_owned();
                (false, codes::INTERNAL_ERROR, "upstream_lost", text)
            }
        };
        let told = self.stream.as_ref().and_then(|stream| {
            // What we end ourselves is over, and there is nothing to resume.
            let id = if is_ours { &stream.id } else { &stream.orphan };
            let id = id.as_ref().filter(|_| stream.tail.is_boundary())?;
            let request_id = self.record.as_ref().map_or("", |record| record.request_id());
            let data = ErrorData::new(reason, request_id);
            let error = error_reply(Some(id), code, &text, Some(&data));
            Some([b"event: message\ndata: ", &*error, b"\n\n"].concat())
        });
        if let Some(record) = &mut self.record {
            record.cut(reason, failure.to_string());
        }
        match told {
            Some(event) => {
                if let Some(record) = &mut self.record {
                    record.bytes_out += event.len() as u64;
                }
                self.finish(Outcome::UpstreamLost);
                self.has_ended = true;
                Some(Ok(event.into()))
            }
            None => {
                self.finish(Outcome::UpstreamLost);
                Some(Err(CutOff))
            }
        }
    }

    /// Ends an endless stream when the gateway stops or its credential expires (T59): between two events, so that the client
    /// reconnects at once.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Option<Option<Result<Bytes, CutOff>>> {
        let stream = self.stream.as_mut()?;
        let at_boundary = stream.tail.is_boundary();
        let is_full = stream.room == 0 && at_boundary;
        if is_full && !stream.is_endless {
            return Some(self.lost(&Failure::StreamTooLong));
        }
        if !stream.is_endless {
            return None;
        }
        let is_old = stream.age.as_mut().is_some_and(|age| age.poll_expired(cx).is_ready());
        let has_expired =
            stream.expiry.as_mut().is_some_and(|expiry| expiry.poll_expired(cx).is_ready());
        let is_draining = self.record.as_ref().is_some_and(|record| record.is_draining());
        match (has_expired, is_draining, at_boundary) {
            (true, _, true) => self.finish(Outcome::Expired),
            (true, _, false) => {
                self.finish(Outcome::Expired);
                return Some(Some(Err(CutOff)));
            }
            (false, true, true) => self.finish(Outcome::Drained),
            _ if (is_old || is_full) && at_boundary => self.finish(Outcome::Expired),
            _ => return None,
        }
        self.has_ended = true;
        Some(None)
    }

    pub(super) fn finish(&mut self, outcome: Outcome) {
        if let Some(mut record) = self.record.take() {
            if let Some(inspector) = &mut self.inspector {
                record.inspected(inspector.hidden(), inspector.judge());
            }
            record.finish(outcome);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty()
            && self.answers.is_none()
            && (self.has_ended || (self.inspector.is_none() && self.reply.is_end_stream()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let polled = match self.get_mut() {
            Self::Fixed(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Fixed(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Relay(relay) => relay.poll(cx).map(|piece| piece.map(|p| p.map(Frame::data))),
        };
        streams::asked(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Fixed(bytes) => bytes.is_empty(),
            Self::Relay(relay) => relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Fixed(bytes) => SizeHint::with_exact(bytes.len() as u64),
            // An inspector may shorten it; an event stream may be given an ending of ours.
            Self::Relay(relay)
                if (relay.inspector.is_none() || relay.keeps_length) && relay.stream.is_none() =>
            {
                relay.reply.size_hint()
            }
            Self::Relay(_) => SizeHint::default(),
        }
    }
}
