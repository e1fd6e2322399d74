//! What mcpfw itself says on open streams: one mailbox a stream, filled by the posts that it answers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::Mutex;
use uuid::Uuid;

/// Events that wait in one mailbox. A client that has more unread refusals than this is told by the posts themselves; an event
/// has below 1 KiB.
const MOST_WAITING: usize = 64;

/// A stream that announced an endpoint. Unique over processes; it is told to nobody but under a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::gateway) struct StreamId(pub(in crate::gateway) [u8; 16]);

impl StreamId {
    /// A new one.
    pub(in crate::gateway) fn new() -> Self {
        Self(Uuid::now_v7().into_bytes())
    }

    /// As a header could have it.
    pub(in crate::gateway) fn name(self) -> HeaderValue {
        // Hexadecimal digits can stand in a header, so the fallback is never taken.
        HeaderValue::try_from(Uuid::from_bytes(self.0).simple().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("stream"))
    }
}

/// The mailboxes of the streams that are open in this process: at most as many as streams.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Mailboxes {
    open: Mutex<HashMap<StreamId, Arc<Mutex<Mail>>>>,
}

#[derive(Debug, Default)]
struct Mail {
    events: VecDeque<Bytes>,
    /// Who waits for them.
    reader: Option<Waker>,
}

impl Mailboxes {
    /// Opens the mailbox of `stream`.
    pub(in crate::gateway) fn open(self: &Arc<Self>, stream: StreamId) -> Mailbox {
        let mail = Arc::default();
        self.open.lock().insert(stream, Arc::clone(&mail));
        Mailbox { all: Arc::clone(self), stream, mail }
    }

    /// Puts an event into the mailbox of `stream`; false where that is not open here, or full.
    pub(in crate::gateway) fn deliver(&self, stream: StreamId, event: Bytes) -> bool {
        let Some(mail) = self.open.lock().get(&stream).cloned() else { return false };
        let mut mail = mail.lock();
        if mail.events.len() >= MOST_WAITING {
            return false;
        }
        mail.events.push_back(event);
        let reader = mail.reader.take();
        drop(mail);
        if let Some(reader) = reader {
            reader.wake();
        }
        true
    }
}

/// The mailbox of a stream, as the stream has it. Dropped with the stream, it is closed.
#[derive(Debug)]
pub(in crate::gateway) struct Mailbox {
    all: Arc<Mailboxes>,
    stream: StreamId,
    mail: Arc<Mutex<Mail>>,
}

impl Mailbox {
    /// The next event.
    pub(in crate::gateway) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut mail = self.mail.lock();
        match mail.events.pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                if mail.reader.as_ref().is_none_or(|known| !known.will_wake(cx.waker())) {
                    mail.reader = Some(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.all.open.lock().remove(&self.stream);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn event(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn events_come_in_order_and_wake_their_reader() {
        let all = Arc::new(Mailboxes::default());
        let (here, elsewhere) = (StreamId::new(), StreamId::new());
        assert!(!all.deliver(here, event("early")));
        let mut mailbox = all.open(here);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        assert!(mailbox.poll_next(&mut cx).is_pending());
        assert!(!all.deliver(elsewhere, event("x")));
        assert!(all.deliver(here, event("a")) && all.deliver(here, event("b")));
        assert_eq!(woken.0.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert_eq!(mailbox.poll_next(&mut cx), Poll::Ready(event("a")));
        assert_eq!(mailbox.poll_next(&mut cx), Poll::Ready(event("b")));
        assert!(mailbox.poll_next(&mut cx).is_pending());
    }

    #[test]
    fn a_full_mailbox_takes_no_more_and_a_closed_one_nothing() {
        let all = Arc::new(Mailboxes::default());
        let stream = StreamId::new();
        let mailbox = all.open(stream);
        for _ in 0..MOST_WAITING {
            assert!(all.deliver(stream, event("x")));
        }
        assert!(!all.deliver(stream, event("x")));
        drop(mailbox);
        assert!(!all.deliver(stream, event("x")));
        assert!(all.open.lock().is_empty());
    }
}
