//! One downstream connection, as its exchanges and its listener share it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;

use http::HeaderValue;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::head::RawHead;
use crate::identity::LastToken;
use crate::upstream::Watchdog;

/// A downstream connection.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its address, IPv4 where that is what it is.
    pub(super) ip: IpAddr,
    /// The same as a header value.
    pub(super) ip_value: HeaderValue,
    /// Whether it is a proxy that may speak for others (T24).
    pub(super) trusted: bool,
    /// Exchanges that began, and those that ended. Equal: the connection is idle.
    began: AtomicU64,
    ended: AtomicU64,
    /// Whether bytes of a next head have come; HTTP/1 only.
    in_head: AtomicBool,
    /// Raw bytes of the head that is being read; HTTP/1 only.
    pub(super) head: Mutex<RawHead>,
    /// A timer for request bodies, kept from one exchange to the next. `None` while an exchange has it.
    pub(super) dog: Mutex<Option<Watchdog>>,
    /// The credential that came last on this connection. `None` while an exchange has it.
    pub(super) last_token: Mutex<Option<Box<LastToken>>>,
    /// The `Host` that came last and is allowed, and what it says: most connections ask for one host all their life.
    pub(super) last_host: Mutex<Option<(HeaderValue, Arc<str>)>>,
    /// Told to stop at once.
    stop: AtomicBool,
    /// Wakes the connection's task.
    waker: Mutex<Option<Waker>>,
    /// Wakes the tasks of its streams; HTTP/2 only.
    pub(super) changed: Notify,
}

impl Peer {
    pub(super) fn new(ip: IpAddr, trusted: bool) -> Arc<Self> {
        let ip = ip.to_canonical();
        // The text of an address is always a valid value.
        let ip_value = HeaderValue::try_from(ip.to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        Arc::new(Self {
            ip,
            ip_value,
            trusted,
            began: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            in_head: AtomicBool::new(false),
            head: Mutex::default(),
            dog: Mutex::new(None),
            last_token: Mutex::new(None),
            last_host: Mutex::new(None),
            stop: AtomicBool::new(false),
            waker: Mutex::new(None),
            changed: Notify::new(),
        })
    }

    /// An exchange begins.
    pub(super) fn begin(&self) {
        self.in_head.store(false, Ordering::Relaxed);
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    /// An exchange has ended.
    pub(super) fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes came while no exchange ran: a head has begun. Says whether none ran.
    pub(super) fn head_began(&self) -> bool {
        let is_idle = self.state().is_idle();
        if is_idle {
            self.in_head.store(true, Ordering::Relaxed);
        }
        is_idle
    }

    /// What the connection is doing.
    pub(super) fn state(&self) -> State {
        State {
            began: self.began.load(Ordering::Relaxed),
            ended: self.ended.load(Ordering::Relaxed),
            in_head: self.in_head.load(Ordering::Relaxed),
        }
    }

    /// Says whom to wake.
    pub(super) fn register(&self, waker: &Waker) {
        *self.waker.lock() = Some(waker.clone());
    }

    /// Wakes the connection's task and those of its streams, so that they look at what has changed.
    pub(super) fn wake(&self) {
        self.changed.notify_waiters();
        if let Some(waker) = &*self.waker.lock() {
            waker.wake_by_ref();
        }
    }

    /// Ends the connection, whatever it does.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether it was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// What a connection is doing. A change means that it did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    began: u64,
    ended: u64,
    /// Whether a head is being read.
    pub(super) in_head: bool,
}

impl State {
    /// Whether no exchange runs.
    pub(super) fn is_idle(self) -> bool {
        self.began == self.ended
    }
}
