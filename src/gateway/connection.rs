//! One downstream connection: HTTP/1.1 or HTTP/2 by its first bytes, its timeouts, its end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::body::Body;
use super::exchange;
use super::io::{Protocol, Socket};
use super::peer::{Peer, State};
use super::state::Shared;
use super::streams::Streams;
use crate::config::Limits;
use crate::observe::{Decision, Line, Outcome, wall_clock_ms};
use crate::upstream::{Wakeups, Watchdog};

/// Most bytes of a body that are read at once, over HTTP/1. The buffer grows to this only while as much keeps coming, and each
/// system call less is 5 % of what a body of 1 MiB costs.
const READ: usize = 128 * 1024;
/// HTTP/2 streams of one connection at once (threats.md §5).
const STREAMS: u32 = 128;
/// HTTP/2 receive windows, bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Streams that a peer may open and reset before they were served, and streams that we reset for its errors (T28).
const PENDING_RESETS: usize = 20;
const ERROR_RESETS: usize = 1024;
/// How often a silent HTTP/2 peer is asked whether it is there, and how long it has to say so.
const PING: Duration = Duration::from_secs(20);
/// How often a connection that wakes itself is polled before other tasks get their turn. Two are usual; a task that has used
/// up its budget (tokio's cooperative scheduling) wakes itself for as long as it is asked.
const ROUNDS: usize = 4;

/// Serves `stream` until it ends, is idle for too long, or the gateway stops.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, peer: Arc<Peer>) {
    // A reply is written whole; waiting for the ACK of the last one helps nobody. If the option cannot be set, the
    // connection is already gone.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let socket = Socket::new(stream, Arc::clone(&peer), shared.limits.max_head);
    let service = {
        let (shared, peer) = (Arc::clone(&shared), Arc::clone(&peer));
        // Boxed, so that its 8 KiB are free once the reply's head is there: hyper keeps the place of the future for as long as
        // the connection lives, and most connections that are open carry a quiet event stream.
        service_fn(move |request| {
            Box::pin(exchange(Arc::clone(&shared), Arc::clone(&peer), request))
        })
    };
    let mut connection = Connection::Unknown(Some((socket, service)));
    let mut vigil = Vigil::new(&peer, &shared.limits);
    let (mut is_registered, mut is_told) = (false, false);
    let wakeups = Wakeups::new();
    std::future::poll_fn(|cx| {
        wakeups.lead_to(cx.waker());
        if !is_registered {
            // First, so that whoever changes anything from now on wakes this task. A task's waker stays the same.
            is_registered = true;
            peer.register(cx.waker());
        }
        if peer.is_stopped() {
            return Poll::Ready(());
        }
        if shared.is_draining() && !is_told {
            is_told = true;
            connection.graceful_shutdown();
        }
        for _ in 0..ROUNDS {
            wakeups.begin();
            let polled = connection.poll(&mut wakeups.context(), &shared.limits, &peer);
            let is_woken = wakeups.end();
            if let Poll::Ready(end) = polled {
                if let Err(error) = end {
                    log_broken(&shared, &peer, &error);
                }
                return Poll::Ready(());
            }
            if !is_woken {
                return vigil.poll(cx);
            }
        }
        // Others want to run as well.
        cx.waker().wake_by_ref();
        vigil.poll(cx)
    })
    .await;
}

/// A connection from its first byte on.
enum Connection<S: HttpService<Incoming, ResBody = Body>> {
    /// What it speaks is not known yet. `None` only while it becomes known.
    Unknown(Option<(Socket, S)>),
    Http1(Box<http1::Connection<TokioIo<Socket>, S>>),
    Http2(Pin<Box<http2::Connection<TokioIo<Socket>, S, Streams>>>),
}

impl<S, F> Connection<S>
where
    S: HttpService<Incoming, ResBody = Body, Error = Infallible, Future = F>,
    S: hyper::service::Service<
            Request<Incoming>,
            Response = Response<Body>,
            Error = Infallible,
            Future = F,
        >,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        peer: &Arc<Peer>,
    ) -> Poll<Result<(), hyper::Error>> {
        if let Self::Unknown(unknown) = self {
            let Some((socket, _)) = unknown else { return Poll::Ready(Ok(())) };
            let protocol = match socket.poll_protocol(cx) {
                Poll::Ready(Ok(protocol)) => protocol,
                // Nothing was said on it.
                Poll::Ready(Err(_)) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            };
            let Some((socket, service)) = unknown.take() else { return Poll::Ready(Ok(())) };
            let io = TokioIo::new(socket);
            *self = match protocol {
                Protocol::Http1 => {
                    Self::Http1(Box::new(http1(limits).serve_connection(io, service)))
                }
                Protocol::Http2 => {
                    Self::Http2(Box::pin(http2(limits, peer).serve_connection(io, service)))
                }
            };
        }
        match self {
            Self::Unknown(_) => Poll::Pending,
            Self::Http1(connection) => Pin::new(connection).poll(cx),
            Self::Http2(connection) => connection.as_mut().poll(cx),
        }
    }

    /// Lets it end once what runs on it is done.
    fn graceful_shutdown(&mut self) {
        match self {
            // Nothing runs on it.
            Self::Unknown(unknown) => *unknown = None,
            Self::Http1(connection) => Pin::new(connection.as_mut()).graceful_shutdown(),
            Self::Http2(connection) => connection.as_mut().graceful_shutdown(),
        }
    }
}

fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Vigil` does this, without a new timer for each request.
        .header_read_timeout(None)
        .max_headers(limits.max_headers)
        .max_header_size(limits.max_head)
        .max_buf_size(limits.max_head.max(READ))
        .half_close(false);
    builder
}

fn http2(limits: &Limits, peer: &Arc<Peer>) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams(Arc::clone(peer)));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.max_head).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(ERROR_RESETS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// Logs bytes that were no HTTP: hyper has answered them, and no exchange began. Resets and timeouts are nothing to log.
fn log_broken(shared: &Shared, peer: &Peer, error: &hyper::Error) {
    let (Some(log), true) = (&shared.log, error.is_parse()) else { return };
    let is_too_large = error.is_parse_too_large();
    log.log(&Line {
        time_ms: wall_clock_ms(),
        peer: peer.ip_value.to_str().unwrap_or_default(),
        decision: Decision::Deny,
        reason: Some(if is_too_large { "head_too_large" } else { "not_http" }),
        detail: Some(&error.to_string()),
        status: if is_too_large { 431 } else { 400 },
        outcome: Outcome::Complete,
        ..Line::default()
    });
}

/// Ends a connection on which nothing happens (T29, T31): between two requests, or within a head. Everything else has
/// timeouts of its own.
struct Vigil<'a> {
    peer: &'a Peer,
    head: Duration,
    idle: Duration,
    seen: State,
    since: Instant,
    dog: Watchdog,
}

impl<'a> Vigil<'a> {
    fn new(peer: &'a Peer, limits: &Limits) -> Self {
        let (head, idle) = (limits.header_timeout, limits.keep_alive);
        let since = Instant::now();
        // A connection on which nothing ever comes has as long as a head.
        let dog = Watchdog::new(since + head);
        Self { peer, head, idle, seen: peer.state(), since, dog }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let state = self.peer.state();
        if state != self.seen {
            self.seen = state;
            self.since = Instant::now();
            let patience = if state.in_head { self.head } else { self.idle };
            if state.is_idle() {
                self.dog.set(self.since + patience);
            }
        }
        if state.is_idle() { self.dog.poll_expired(cx) } else { Poll::Pending }
    }
}
