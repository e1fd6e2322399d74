//! Wake-ups that a task sends to itself.
//!
//! The parts of one exchange talk through channels although they run on one task. Each message wakes the task that is
//! running already: it is queued again, another thread is woken to help with the queue, and the second poll finds nothing.
//! That costs more than the exchange's own work.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use parking_lot::Mutex;

thread_local! {
    /// What [`hushed`] is told of the wake-ups that this thread sends; `None` outside of it.
    static HUSHED: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Runs `work`, and lets no wake-up that it sends to a [`Wakeups`] get there. Says whether there was one.
///
/// For work on one end of a channel whose other end is looked at next by the same caller: any other task that is to hear of it
/// (the connection of an HTTP/2 stream, say) would sleep on. Wake-ups by other threads are not touched.
pub(crate) fn hushed<T>(work: impl FnOnce() -> T) -> (T, bool) {
    let before = Before(HUSHED.replace(Some(false)));
    let done = work();
    let is_woken = HUSHED.get().unwrap_or(false);
    drop(before);
    (done, is_woken)
}

/// Puts back what was in [`HUSHED`], also where the work panics: the thread goes on with other tasks, which must be woken.
struct Before(Option<bool>);

impl Drop for Before {
    fn drop(&mut self) {
        HUSHED.set(self.0);
    }
}

/// Stands between a task and what wakes it. Between [`Wakeups::begin`] and [`Wakeups::end`] a wake-up is noted and not passed
/// on: whoever says `begin` looks again himself when `end` tells him to.
#[derive(Debug)]
pub(crate) struct Wakeups {
    waker: Waker,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    is_noting: AtomicBool,
    is_noted: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if HUSHED.get().is_some() {
            return HUSHED.set(Some(true));
        }
        // Noted before looked: either `end` finds the note, or the task is woken here (SeqCst orders the four accesses).
        self.is_noted.store(true, Ordering::SeqCst);
        if !self.is_noting.load(Ordering::SeqCst)
            && let Some(task) = &*self.task.lock()
        {
            task.wake_by_ref();
        }
    }
}

impl Wakeups {
    pub(crate) fn new() -> Self {
        let inner = Arc::new(Inner::default());
        Self { waker: Waker::from(Arc::clone(&inner)), inner }
    }

    /// What to poll with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// From now on wake-ups go to `task`.
    pub(crate) fn lead_to(&self, task: &Waker) {
        let mut known = self.inner.task.lock();
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }

    /// From now on wake-ups are noted.
    pub(crate) fn begin(&self) {
        self.inner.is_noting.store(true, Ordering::SeqCst);
        // Read, not only overwritten: what was written before the note that is forgotten here must be seen by who polls next.
        self.inner.is_noted.swap(false, Ordering::SeqCst);
    }

    /// From now on they are passed on again. Says whether one was noted.
    pub(crate) fn end(&self) -> bool {
        self.inner.is_noting.store(false, Ordering::SeqCst);
        self.inner.is_noted.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_wake_up_is_passed_on_or_noted_never_lost() {
        let count = Arc::new(Count::default());
        let task = Waker::from(Arc::clone(&count));
        let wakeups = Wakeups::new();
        wakeups.lead_to(&task);
        let waker = wakeups.context().waker().clone();
        waker.wake_by_ref();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        wakeups.begin();
        waker.wake_by_ref();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(wakeups.end());
        wakeups.begin();
        assert!(!wakeups.end());
        let ((), is_woken) = hushed(|| waker.wake_by_ref());
        assert!(is_woken && !hushed(|| ()).1);
        waker.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_panic_ends_the_hush() {
        let count = Arc::new(Count::default());
        let wakeups = Wakeups::new();
        wakeups.lead_to(&Waker::from(Arc::clone(&count)));
        let waker = wakeups.context().waker().clone();
        let work =
            std::panic::AssertUnwindSafe(|| hushed(|| std::panic::resume_unwind(Box::new(()))));
        assert!(std::panic::catch_unwind(work).is_err());
        waker.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    /// Another thread wakes at any moment: whoever looks again when told to, and otherwise waits for the task's own waker,
    /// sees every message.
    #[test]
    fn wake_ups_from_other_threads_are_not_lost() {
        const MESSAGES: usize = 20_000;
        let wakeups = Wakeups::new();
        wakeups.lead_to(&{
            struct Unpark(std::thread::Thread);
            impl Wake for Unpark {
                fn wake(self: Arc<Self>) {
                    self.0.unpark();
                }
            }
            Waker::from(Arc::new(Unpark(std::thread::current())))
        });
        let sent = Arc::new(AtomicUsize::new(0));
        let (told, waker) = (Arc::clone(&sent), wakeups.context().waker().clone());
        let sender = std::thread::spawn(move || {
            for _ in 0..MESSAGES {
                told.fetch_add(1, Ordering::SeqCst);
                waker.wake_by_ref();
            }
        });
        let mut seen = 0;
        while seen < MESSAGES {
            wakeups.begin();
            seen = sent.load(Ordering::SeqCst);
            if !wakeups.end() && seen < MESSAGES {
                std::thread::park();
            }
        }
        sender.join().unwrap();
    }
}
