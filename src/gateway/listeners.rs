//! The sessions that have open streams, so that what mcpfw itself tells a session goes on one of them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::outstanding::SessionKey;

/// The sessions of which a stream is open in this process: at most as many as streams.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    open: Mutex<HashMap<SessionKey, Open>>,
}

#[derive(Debug, Default)]
struct Open {
    streams: usize,
    /// The last generation of which a stream took it upon itself to tell.
    told: u64,
}

/// An open stream of a session. Dropped with it.
#[derive(Debug)]
pub(super) struct Listening {
    all: Arc<Listeners>,
    session: SessionKey,
}

impl Listeners {
    /// A stream of `session` is open.
    pub(super) fn join(self: &Arc<Self>, session: SessionKey) -> Listening {
        self.open.lock().entry(session).or_default().streams += 1;
        Listening { all: Arc::clone(self), session }
    }
}

impl Listening {
    /// Whether this stream is the one to tell its session of `generation`: the first that asks.
    pub(super) fn claim(&self, generation: u64) -> bool {
        let mut open = self.all.open.lock();
        let Some(open) = open.get_mut(&self.session) else { return true };
        let is_news = open.told < generation;
        open.told = open.told.max(generation);
        is_news
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut all = self.all.open.lock();
        if let Some(open) = all.get_mut(&self.session) {
            open.streams -= 1;
            if open.streams == 0 {
                all.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stream_of_a_session_tells() {
        let all = Arc::new(Listeners::default());
        let [a, b] = [1, 2].map(|byte| SessionKey([byte; 32]));
        let (first, second, other) = (all.join(a), all.join(a), all.join(b));
        assert_eq!([first.claim(2), second.claim(2), other.claim(2)], [true, false, true]);
        assert_eq!([second.claim(3), first.claim(3), first.claim(2)], [true, false, false]);
        drop(first);
        assert!(!second.claim(3) && second.claim(4));
        drop((second, other));
        assert!(all.open.lock().is_empty());
    }
}
