//! The streams of an HTTP/2 connection: each runs on a task of its own, hears of what its connection is told, and ends where its
//! client does not read it (T30).
//!
//! [`super::io`] drops a peer to which nothing can be written. A client of HTTP/2 can read everything but one stream, and
//! answer every ping: it just gives that stream no room. Then nobody asks for the rest of the reply, no timeout of the reply
//! runs, and the connection to the upstream waits with it for as long as the client likes.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::rt::Executor;
use tokio::time::Instant;

use super::io::WRITE_STALL;
use super::peer::Peer;
use crate::upstream::Watchdog;

thread_local! {
    /// Whether the body that was asked last on this thread had something to send; `None` where none was asked.
    static HAD_MORE: Cell<Option<bool>> = const { Cell::new(None) };
}

/// A reply's body was asked for more, and `had_more`, its end included.
pub(super) fn asked(had_more: bool) {
    HAD_MORE.set(Some(had_more));
}

/// Spawns the streams of a connection.
#[derive(Clone, Debug)]
pub(super) struct Streams(pub(super) Arc<Peer>);

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(attend(stream, Arc::clone(&self.0)));
    }
}

/// Runs `stream` of `peer`, polls it when [`Peer::wake`] says that something has changed, and drops it when the client has not taken a piece of its reply for [`WRITE_STALL`]: the stream is reset.
///
/// hyper asks for the next piece as soon as it could hand on the one before. A piece has at most what is read from the
/// upstream at once, 128 KiB, so a client that takes 5 KiB a second is quick enough.
async fn attend(stream: impl Future, peer: Arc<Peer>) {
    let mut stream = pin!(stream);
    let mut change = pin!(peer.changed.notified());
    let mut dog: Option<Watchdog> = None;
    let mut is_sending = false;
    poll_fn(|cx| {
        while change.as_mut().poll(cx).is_ready() {
            change.set(peer.changed.notified());
        }
        HAD_MORE.set(None);
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(had_more) = HAD_MORE.get() {
            is_sending = had_more;
            let deadline = Instant::now() + WRITE_STALL;
            match &mut dog {
                Some(dog) => dog.set(deadline),
                None if is_sending => dog = Some(Watchdog::new(deadline)),
                None => {}
            }
        }
        match &mut dog {
            Some(dog) if is_sending => dog.poll_expired(cx),
            _ => Poll::Pending,
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::*;

    fn peer() -> Arc<Peer> {
        Peer::new([192, 0, 2, 1].into(), false)
    }

    /// A reply whose pieces are taken after so many seconds each, the last one never. `ends`: it waits for its upstream then.
    async fn reply(pieces: &[u64], waits: bool) {
        for seconds in pieces {
            asked(true);
            sleep(Duration::from_secs(*seconds)).await;
        }
        asked(!waits);
        std::future::pending::<()>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_a_piece_is_not_taken() {
        let stall = WRITE_STALL.as_secs();
        let cases: &[(&[u64], bool, Option<u64>)] = &[
            (&[], false, Some(stall)),
            (&[stall - 1, stall - 1], false, Some(3 * stall - 2)),
            (&[1, stall + 1, 1], false, Some(stall + 1)),
            // As long as it is the upstream that is slow, the stream goes on.
            (&[], true, None),
            (&[stall - 1], true, None),
        ];
        for (pieces, waits, end) in cases {
            let began = Instant::now();
            let ended =
                timeout(Duration::from_secs(3600), attend(reply(pieces, *waits), peer())).await;
            let took = ended.is_ok().then(|| began.elapsed().as_secs());
            assert_eq!(took, *end, "{pieces:?} {waits}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_a_reply_is_left_alone() {
        let stream = async { sleep(Duration::from_secs(100)).await };
        timeout(Duration::from_secs(101), attend(stream, peer())).await.unwrap();
    }
}
