//! The downstream socket: keeps the raw bytes of heads for [`super::head`], and drops a peer that does not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::peer::Peer;
use crate::upstream::Watchdog;

/// A peer that takes nothing for so long is dropped with everything that waits for it (T30).
const WRITE_STALL: Duration = Duration::from_secs(30);

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// Nothing yet.
    Unknown,
    Http1,
    Http2,
}

/// A downstream socket.
#[derive(Debug)]
pub(super) struct Socket {
    io: TcpStream,
    peer: Arc<Peer>,
    /// Bytes that a head may have.
    max_head: usize,
    protocol: Protocol,
    /// Runs while nothing can be written.
    stall: Option<Watchdog>,
}

impl Socket {
    pub(super) fn new(io: TcpStream, peer: Arc<Peer>, max_head: usize) -> Self {
        Self { io, peer, max_head, protocol: Protocol::Unknown, stall: None }
    }

    fn has_read(&mut self, bytes: &[u8]) {
        if self.protocol == Protocol::Unknown {
            // "PRI" is reserved for HTTP/2 (RFC 9113 §3.4); no client sends fewer bytes than these first.
            let is_http2 = bytes.starts_with(b"PRI");
            self.protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
        }
        if self.protocol == Protocol::Http1 && self.peer.head_began() {
            self.peer.head.lock().push(bytes, self.max_head);
        }
    }

    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stall = None;
            return outcome;
        }
        let dog = self.stall.get_or_insert_with(|| Watchdog::new(Instant::now() + WRITE_STALL));
        dog.poll_expired(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(cx, buf);
        let read = buf.filled().get(before..).unwrap_or_default();
        if !read.is_empty() {
            self.has_read(read);
        }
        outcome
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
