//! A timer that is armed late.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline that moves with every exchange, on a timer that does not.
///
/// Moving tokio's timer takes the lock of its wheel. This one is left where it is when the deadline moves on, and looked at
/// again when it fires: a connection under load touches the wheel once in a timeout, not once in a request.
#[derive(Debug)]
pub(crate) struct Watchdog {
    deadline: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Watchdog {
    /// A timer for `deadline`.
    pub(crate) fn new(deadline: Instant) -> Self {
        Self { deadline, sleep: None }
    }

    /// Moves the deadline.
    pub(crate) fn set(&mut self, deadline: Instant) {
        // A timer set for later than the new deadline would bark too late.
        if self.sleep.as_ref().is_some_and(|sleep| sleep.deadline() > deadline) {
            self.sleep = None;
        }
        self.deadline = deadline;
    }

    /// Ready when the deadline has passed.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            // A task that a flood keeps busy has no budget left for its timers: tokio then says pending whatever the time is.
            // Whether the timer fired can be asked without.
            if !sleep.is_elapsed() && sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn barks_at_the_last_deadline_set() {
        let start = Instant::now();
        let mut dog = Watchdog::new(start + Duration::from_millis(5));
        assert!(poll_fn(|cx| Poll::Ready(dog.poll_expired(cx))).await.is_pending());
        // Later: the armed timer fires early and is moved. Then sooner: it is thrown away.
        dog.set(start + Duration::from_secs(3600));
        assert!(poll_fn(|cx| Poll::Ready(dog.poll_expired(cx))).await.is_pending());
        dog.set(start + Duration::from_millis(20));
        poll_fn(|cx| dog.poll_expired(cx)).await;
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}
