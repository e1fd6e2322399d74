//! The idle connections of one endpoint.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::connection::{Connection, Sent};
use super::{Endpoint, Failure, Reply, RequestBody};

/// How long an unused connection is kept. Node closes after 5 s, the shortest default among servers that MCP runs on;
/// closing first avoids the race between their FIN and our request.
const IDLE: Duration = Duration::from_secs(4);
/// Most idle connections of one endpoint. As many as a sidecar has callers at once; more would only hold descriptors.
const MAX_IDLE: usize = 256;

/// How long to wait for an upstream. Defaults are those of threats.md §5.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To a TCP connection.
    pub connect: Duration,
    /// From the request's start to the reply's head.
    pub first_byte: Duration,
    /// Between two pieces of a reply.
    pub stream_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(30),
            stream_idle: Duration::from_secs(5 * 60),
        }
    }
}

/// An endpoint and the connections to it.
pub struct Upstream {
    endpoint: Endpoint,
    timeouts: Timeouts,
    /// Last in, first out: the warmest connection is used, the others grow old and are dropped.
    #[expect(
        clippy::vec_box,
        reason = "a connection moves between pool and exchange as one pointer"
    )]
    idle: Mutex<Vec<Box<Connection>>>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Upstream {
    /// An endpoint without a connection yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, timeouts: Timeouts) -> Arc<Self> {
        Arc::new(Self { endpoint, timeouts, idle: Mutex::new(Vec::new()) })
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `request` and returns the head of the reply; its body still runs on the connection.
    ///
    /// A request is tried on a second, fresh connection only where the first had died before a byte of it was written, so
    /// no call is ever executed twice (P3).
    ///
    /// # Errors
    ///
    /// Any [`Failure`], and the request itself where not a byte of it was sent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection that carries the request.
    pub async fn send(
        self: &Arc<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Reply>, (Failure, Option<Box<Request<RequestBody>>>)> {
        let mut request = request;
        if let Some(mut connection) = self.checkout() {
            connection.watchdog.set(Instant::now() + self.timeouts.first_byte);
            match connection.send(request).await {
                Sent::Answered(connection, response) => {
                    return Ok(self.reply(connection, response));
                }
                Sent::NotStarted(unsent) => request = unsent,
                Sent::Failed(failure) => return Err((failure, None)),
            }
        }
        let connection = match Connection::open(&self.endpoint, &self.timeouts).await {
            Ok(connection) => connection,
            Err(failure) => return Err((failure, Some(Box::new(request)))),
        };
        match connection.send(request).await {
            Sent::Answered(connection, response) => Ok(self.reply(connection, response)),
            Sent::NotStarted(unsent) => Err((Failure::Closed, Some(Box::new(unsent)))),
            Sent::Failed(failure) => Err((failure, None)),
        }
    }

    /// Drops what has been idle too long; to be called every second or so.
    pub fn sweep(&self) {
        let now = Instant::now();
        let mut idle = self.idle.lock();
        // Oldest first, since they are pushed in the order of their ages.
        let old = idle.partition_point(|c| now.duration_since(c.idle_since) >= IDLE);
        let old: Vec<Box<Connection>> = idle.drain(..old).collect();
        drop(idle);
        // Closing a socket is a system call: not under the lock.
        drop(old);
    }

    /// Takes a connection back.
    pub(super) fn checkin(&self, mut connection: Box<Connection>) {
        connection.idle_since = Instant::now();
        let mut idle = self.idle.lock();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }

    fn checkout(&self) -> Option<Box<Connection>> {
        let connection = self.idle.lock().pop()?;
        // If the youngest is too old, so are the rest; the sweep takes them.
        (connection.idle_since.elapsed() < IDLE).then_some(connection)
    }

    fn reply(
        self: &Arc<Self>,
        connection: Box<Connection>,
        response: Response<hyper::body::Incoming>,
    ) -> Response<Reply> {
        let idle = self.timeouts.stream_idle;
        response.map(|body| Reply::new(connection, body, Arc::clone(self), idle))
    }
}
