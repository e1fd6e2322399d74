//! A request body that is still coming while it goes upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

use super::handles::StateOpener;
use super::inbound::{Broken, Inbound};
use super::record::Flow;
use crate::inspect::request::{RequestInspector, Violation};
use crate::upstream::Aborted;

/// Why a body was cut off on its way upstream, and what is left of it.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) why: Why,
    pub(super) inbound: Inbound,
    pub(super) inspector: Box<RequestInspector>,
}

/// What ended it.
#[derive(Debug)]
pub(super) enum Why {
    /// It turned out to break a rule.
    Violation(Violation),
    /// It did not come to its end.
    Broken(Broken),
    /// Nothing: whoever was to send it gave up.
    Unsent,
}

/// Where the cut is left for whoever waits for the reply.
pub(super) type Slot = Arc<Mutex<Option<Cut>>>;

/// The body. It hands out what the inspector lets go, and ends with an error the moment anything is wrong: then the upstream
/// connection is closed with the request incomplete (promise 4).
pub(super) struct Uplink {
    /// `None` once it was cut.
    source: Option<(Inbound, Box<RequestInspector>)>,
    has_finished: bool,
    /// Bytes that are still to go, where the client said so.
    remaining: Option<u64>,
    /// The last byte of a body of known length: it goes when the body has been found good, so that a length alone never
    /// makes a bad body look complete.
    last: Option<Bytes>,
    flow: Arc<Flow>,
    slot: Slot,
    /// Opens a `requestState` that comes late.
    opener: Option<Box<StateOpener>>,
}

impl Uplink {
    /// The rest of a body of which `inspector`, whose gate is open, has seen the beginning.
    pub(super) fn new(
        inbound: Inbound,
        inspector: Box<RequestInspector>,
        flow: Arc<Flow>,
        opener: Option<Box<StateOpener>>,
    ) -> (Self, Slot) {
        let slot = Slot::default();
        let held = inspector.held() as u64;
        let remaining = inbound.remaining().map(|ahead| ahead + held);
        let source = Some((inbound, inspector));
        let uplink = Self {
            source,
            has_finished: false,
            remaining,
            last: None,
            flow,
            slot: Arc::clone(&slot),
            opener,
        };
        (uplink, slot)
    }

    fn hand_out(&mut self, chunk: Bytes) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        self.remaining = self.remaining.map(|left| left.saturating_sub(chunk.len() as u64));
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn cut(&mut self, why: Why) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some((inbound, inspector)) = self.source.take() {
            *self.slot.lock() = Some(Cut { why, inbound, inspector });
        }
        Poll::Ready(Some(Err(Aborted)))
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        // The body goes back to whoever waits for the reply, which may have to read on for the id.
        let _ = self.cut(Why::Unsent);
    }
}

impl Body for Uplink {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        loop {
            let this = &mut *self;
            let Some((inbound, inspector)) = &mut this.source else {
                return Poll::Ready(Some(Err(Aborted)));
            };
            if let Some(mut chunk) = inspector.next_chunk() {
                if !this.has_finished && this.remaining == Some(chunk.len() as u64) {
                    this.last = Some(chunk.split_off(chunk.len().saturating_sub(1)));
                }
                if !chunk.is_empty() {
                    return this.hand_out(chunk);
                }
            }
            if this.has_finished {
                return match this.last.take() {
                    Some(last) => this.hand_out(last),
                    None => Poll::Ready(None),
                };
            }
            let verdict = match inbound.poll_data(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    let bytes = chunk.len();
                    let verdict = inspector.feed(chunk);
                    this.flow.came(bytes, inspector.held());
                    verdict.and_then(|()| match &this.opener {
                        Some(opener) => opener.open(inspector),
                        None => Ok(()),
                    })
                }
                Poll::Ready(Some(Err(broken))) => return self.cut(Why::Broken(broken)),
                Poll::Ready(None) => {
                    this.has_finished = true;
                    inspector.finish()
                }
            };
            if let Err(violation) = verdict {
                return self.cut(Why::Violation(violation));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        // The client's own Content-Length goes on: what passes is what came, byte for byte.
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
