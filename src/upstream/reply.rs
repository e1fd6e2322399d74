//! The body of a reply, and the connection that it runs on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::connection::Connection;
use super::{Failure, Upstream, hushed};

/// A reply's body. Polling it drives its connection; when it ends, the connection goes back to its pool; dropped before
/// that, the connection is closed.
pub struct Reply {
    body: Incoming,
    /// `None` once it went back or died.
    connection: Option<Box<Connection>>,
    upstream: Arc<Upstream>,
    idle: Duration,
    /// Whether the watchdog has been set to the stream's own timeout yet.
    timed: bool,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("body", &self.body).finish_non_exhaustive()
    }
}

impl Reply {
    pub(super) fn new(
        connection: Box<Connection>,
        body: Incoming,
        upstream: Arc<Upstream>,
        idle: Duration,
    ) -> Self {
        let mut reply = Self { body, connection: Some(connection), upstream, idle, timed: false };
        if reply.body.is_end_stream() {
            reply.release(&mut Context::from_waker(Waker::noop()));
        }
        reply
    }

    /// Where it comes from.
    #[must_use]
    pub fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    /// The next piece, without trailers: nothing in MCP uses them, and they come after every check.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        // What has been read already is taken before the connection is looked at again.
        if let (Poll::Ready(piece), _) = self.poll_body(cx) {
            return Poll::Ready(piece);
        }
        loop {
            let Some(connection) = &mut self.connection else {
                // The connection is gone and its end of the channel with it.
                return self.poll_body(cx).0;
            };
            let ended = connection.poll(cx);
            let (piece, has_room) = self.poll_body(cx);
            if piece.is_ready() {
                return piece;
            }
            match ended {
                Poll::Ready(Ok(())) => self.connection = None,
                Poll::Ready(Err(error)) => {
                    self.connection = None;
                    return Poll::Ready(Some(Err(Failure::Lost(error))));
                }
                // The connection reads on once it knows that somebody wants more.
                Poll::Pending if has_room => {}
                Poll::Pending => return self.poll_stalled(cx),
            }
        }
    }

    /// The next piece that the connection has read, and whether the connection has to be polled because it was asked for.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> (Poll<Option<Result<Bytes, Failure>>>, bool) {
        let mut has_room = false;
        loop {
            // Nothing but the connection fills the body, and that runs on this task: there is nobody to wake. Only the channel
            // is kept quiet: what happens to the connection below may concern others.
            let noop = &mut Context::from_waker(Waker::noop());
            let (frame, is_told) = hushed(|| Pin::new(&mut self.body).poll_frame(noop));
            has_room |= is_told;
            let Poll::Ready(frame) = frame else { return (Poll::Pending, has_room) };
            let piece = match frame {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.timed = false;
                    if self.body.is_end_stream() {
                        self.release(cx);
                    }
                    Some(Ok(data))
                }
                Some(Err(error)) => {
                    self.connection = None;
                    Some(Err(Failure::Lost(error)))
                }
                None => {
                    self.release(cx);
                    None
                }
            };
            return (Poll::Ready(piece), has_room);
        }
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let Some(connection) = &mut self.connection else { return Poll::Pending };
        if !self.timed {
            self.timed = true;
            connection.watchdog.set(Instant::now() + self.idle);
        }
        connection.watchdog.poll_expired(cx).map(|()| {
            self.connection = None;
            Some(Err(Failure::StreamIdle))
        })
    }

    /// Gives the connection back, if it can carry another request: not while a request body is still on its way (an early
    /// reply), and not after `Connection: close`.
    fn release(&mut self, cx: &mut Context<'_>) {
        let Some(mut connection) = self.connection.take() else { return };
        // The piece that ended the body may have been read before the connection noticed that this was all.
        if connection.is_ready() || (connection.poll(cx).is_pending() && connection.is_ready()) {
            self.upstream.checkin(connection);
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        self.get_mut().poll_data(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
