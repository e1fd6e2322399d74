//! The body of a downstream request, with its idle timeout (T29).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::peer::Peer;
use crate::upstream::{Watchdog, hushed};

/// Bytes a second that a body must come with on the long run, and how long it may be slower (T29).
const MIN_RATE: u64 = 1024;
const GRACE: Duration = Duration::from_secs(5);

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// Nothing came for too long.
    #[error("nothing came for too long")]
    Idle,
    /// The connection or its framing broke.
    #[error("{0}")]
    Lost(hyper::Error),
}

/// A request body on its way in.
#[derive(Debug)]
pub(super) struct Inbound {
    body: Incoming,
    /// Whether the task that polls this is that of its connection. In HTTP/2 each stream has one of its own.
    is_alone: bool,
    peer: Arc<Peer>,
    idle: Duration,
    /// Borrowed from the peer for as long as this lives.
    dog: Option<Watchdog>,
    /// Since when the client is waited for.
    waiting: Option<Instant>,
    /// How long it was waited for in all, and what came.
    waited: Duration,
    bytes: u64,
    has_ended: bool,
}

impl Inbound {
    /// `body` of a request of `version`.
    pub(super) fn new(body: Incoming, version: Version, peer: Arc<Peer>, idle: Duration) -> Self {
        Self {
            body,
            is_alone: version <= Version::HTTP_11,
            peer,
            idle,
            dog: None,
            waiting: None,
            waited: Duration::ZERO,
            bytes: 0,
            has_ended: false,
        }
    }

    /// The size that the client announced and that has not come yet.
    pub(super) fn remaining(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Whether all of it has come.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended || self.body.is_end_stream()
    }

    /// The next piece, without trailers: they come after every check, and nothing in MCP uses them.
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            let frame = match self.poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => return self.poll_idle(cx).map(|()| Some(Err(Broken::Idle))),
            };
            if let Some(since) = self.waiting.take() {
                self.waited += since.elapsed();
            }
            return Poll::Ready(match frame {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.bytes += data.len() as u64;
                    Some(Ok(data))
                }
                Some(Err(error)) => Some(Err(Broken::Lost(error))),
                None => {
                    self.has_ended = true;
                    None
                }
            });
        }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if !self.is_alone {
            return Pin::new(&mut self.body).poll_frame(cx);
        }
        // Taking a piece tells the connection, on this very task, to read on: of no use behind the last one.
        let (frame, is_told) = hushed(|| Pin::new(&mut self.body).poll_frame(cx));
        if is_told && !self.body.is_end_stream() {
            cx.waker().wake_by_ref();
        }
        frame
    }

    /// The next piece, as a future. Nothing is lost when it is dropped.
    pub(super) async fn data(&mut self) -> Option<Result<Bytes, Broken>> {
        std::future::poll_fn(|cx| self.poll_data(cx)).await
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let dog = match &mut self.dog {
            Some(dog) => dog,
            None => {
                let kept = self.peer.dog.lock().take();
                self.dog.insert(kept.unwrap_or_else(|| Watchdog::new(Instant::now() + self.idle)))
            }
        };
        if self.waiting.is_none() {
            let now = Instant::now();
            self.waiting = Some(now);
            // Only time in which the client could have sent counts, not that in which the upstream did not take.
            let earned = GRACE + Duration::from_secs(self.bytes / MIN_RATE);
            dog.set(now + self.idle.min(earned.saturating_sub(self.waited)));
        }
        dog.poll_expired(cx)
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        // The armed timer is worth keeping: the next body of this connection moves its deadline for nothing.
        if let Some(dog) = self.dog.take() {
            *self.peer.dog.lock() = Some(dog);
        }
    }
}
