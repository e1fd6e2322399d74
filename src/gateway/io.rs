//! The downstream socket: tells HTTP/1 from HTTP/2, keeps the raw bytes of heads for [`super::head`], and drops a peer that
//! does not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::peer::Peer;
use crate::upstream::Watchdog;

/// A peer that takes nothing for so long is dropped with everything that waits for it (T30).
pub(super) const WRITE_STALL: Duration = Duration::from_secs(30);

/// How every HTTP/2 connection begins (RFC 9113 §3.4). All of it counts: what only begins alike (`PRIVATE / HTTP/1.1`) is
/// HTTP/1, and its heads are looked at.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
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
    /// `None` until the first bytes have come.
    protocol: Option<Protocol>,
    /// The first bytes, which were read to know the protocol and are to be read again.
    first: SmallVec<[u8; PREFACE.len()]>,
    /// Runs while nothing can be written.
    stall: Option<Watchdog>,
}

impl Socket {
    pub(super) fn new(io: TcpStream, peer: Arc<Peer>, max_head: usize) -> Self {
        Self { io, peer, max_head, protocol: None, first: SmallVec::new(), stall: None }
    }

    /// Waits until it can be told what the peer speaks. One that hangs up before is left to HTTP/1, which knows what to do.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Protocol>> {
        loop {
            if let Some(protocol) = self.protocol {
                return Poll::Ready(Ok(protocol));
            }
            let mut bytes = [0; PREFACE.len()];
            let room = bytes.get_mut(self.first.len()..).unwrap_or_default();
            let mut buf = ReadBuf::new(room);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
            let has_ended = buf.filled().is_empty();
            self.first.extend_from_slice(buf.filled());
            self.protocol = match &*self.first {
                first if first == PREFACE => Some(Protocol::Http2),
                first if PREFACE.starts_with(first) && !has_ended => None,
                _ => Some(Protocol::Http1),
            };
        }
    }

    fn has_read(&mut self, bytes: &[u8]) {
        if self.protocol == Some(Protocol::Http1) && self.peer.head_began() {
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
        let outcome = if self.first.is_empty() {
            Pin::new(&mut self.io).poll_read(cx, buf)
        } else {
            let room = buf.remaining().min(self.first.len());
            self.first.drain(..room).for_each(|byte| buf.put_slice(&[byte]));
            Poll::Ready(Ok(()))
        };
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
