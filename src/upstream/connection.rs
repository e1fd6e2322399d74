//! One connection to an upstream, polled by whoever has it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::wakeups::hushed;
use super::watchdog::Watchdog;
use super::{Endpoint, Failure, RequestBody, Timeouts};

/// Most header fields in a reply (T27).
const REPLY_HEADERS: usize = 100;
/// Most bytes of a reply's head (T27).
const REPLY_HEAD: usize = 64 * 1024;
/// Most bytes of a reply's body that are read at once. The buffer grows to this only while as much keeps coming.
const READ: usize = 128 * 1024;

/// A connection that can carry a request.
pub(super) struct Connection {
    io: http1::Connection<TokioIo<TcpStream>, RequestBody>,
    sender: http1::SendRequest<RequestBody>,
    /// Kept with the connection so that it is armed once in a while and not once a request.
    pub(super) watchdog: Watchdog,
    /// When it was put into the pool.
    pub(super) idle_since: Instant,
}

/// What became of a request.
pub(super) enum Sent {
    /// The upstream answered.
    Answered(Box<Connection>, Response<Incoming>),
    /// The connection was already dead; not a byte of the request was written, so it may be tried on another.
    NotStarted(Request<RequestBody>),
    /// It failed, and may have been executed.
    Failed(Failure),
}

impl Sent {
    fn from_error(mut error: TrySendError<Request<RequestBody>>) -> Self {
        if let Some(request) = error.take_message() {
            return Self::NotStarted(request);
        }
        let error = error.into_error();
        // The only user error that a body can make is to end itself.
        let is_aborted = error.is_user();
        Self::Failed(if is_aborted { Failure::Aborted } else { Failure::Lost(error) })
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`Failure::Connect`] and [`Failure::ConnectTimeout`]; [`Failure::Lost`] where HTTP could not be set up on it.
    pub(super) async fn open(
        endpoint: &Endpoint,
        timeouts: &Timeouts,
    ) -> Result<Box<Self>, Failure> {
        let connect = TcpStream::connect((endpoint.host(), endpoint.port()));
        let stream = tokio::time::timeout(timeouts.connect, connect)
            .await
            .map_err(|_| Failure::ConnectTimeout)?
            .map_err(Failure::Connect)?;
        // A request is written whole; waiting for the ACK of the last one helps nobody.
        stream.set_nodelay(true).map_err(Failure::Connect)?;
        let (sender, io) = http1::Builder::new()
            .max_headers(REPLY_HEADERS)
            .max_header_size(REPLY_HEAD)
            .max_buf_size(READ)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(Failure::Lost)?;
        let now = Instant::now();
        let watchdog = Watchdog::new(now + timeouts.first_byte);
        Ok(Box::new(Self { io, sender, watchdog, idle_since: now }))
    }

    /// Sends `request` and waits for the head of the reply.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connection: the upstream sees it close.
    pub(super) async fn send(mut self: Box<Self>, request: Request<RequestBody>) -> Sent {
        // `io` hears of it by being polled below.
        let mut reply = pin!(hushed(|| self.sender.try_send_request(request)).0);
        let mut ended = false;
        let outcome = std::future::poll_fn(|cx| {
            if !ended {
                ended = self.poll(cx).is_ready();
            }
            // Nothing but `io` resolves it, and that runs on this task.
            match reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                // The connection is done, but the request still stands in its queue: nobody has looked at it.
                Poll::Pending if ended => Poll::Ready(None),
                Poll::Pending => self.watchdog.poll_expired(cx).map(|()| None),
            }
        })
        .await;
        let outcome = match outcome {
            Some(outcome) => outcome,
            None if !ended => return Sent::Failed(Failure::FirstByteTimeout),
            None => {
                // Dropping the connection hands the request back.
                drop(self);
                return match std::future::poll_fn(|cx| Poll::Ready(reply.as_mut().poll(cx))).await {
                    Poll::Ready(Err(error)) => Sent::from_error(error),
                    Poll::Ready(Ok(_)) | Poll::Pending => Sent::Failed(Failure::Closed),
                };
            }
        };
        match outcome {
            Ok(response) => Sent::Answered(self, response),
            Err(error) => Sent::from_error(error),
        }
    }

    /// Moves bytes both ways; ready when the connection has ended, well or badly.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        Pin::new(&mut self.io).poll(cx)
    }

    /// Whether the last exchange is over on both sides, so that another can begin.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }
}
