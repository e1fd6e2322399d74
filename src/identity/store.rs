//! The keys of one issuer as requests see them, and the one task that fetches them. Driver.

use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::Algorithm;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::fetch::{FetchError, Fetched, Fetcher};
use super::jwks::{Found, Key, KeyFault, KeySet};
use super::schedule::{Millis, Missing, Next, Schedule};
use super::{AuthError, Invalid};

/// So long a request waits for keys (T39).
const PATIENCE: Duration = Duration::from_secs(1);
/// So many requests wait for keys of one issuer; more are refused at once, so that a storm of unknown keys holds no memory.
const WAITERS: usize = 1024;

/// What happened to an issuer's keys: one line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// A set was fetched.
    Fetched {
        /// Keys that can be used.
        keys: usize,
        /// Whether the set differs from the one before by more than new keys: earlier tokens are verified again.
        revoked: bool,
        /// Keys left out, by their place in the document.
        skipped: Vec<(usize, KeyFault)>,
    },
    /// Nothing was fetched. The keys at hand, if any, stay good until the last good fetch is 24 h ago.
    Failed(FetchError),
}

/// How an issuer's keys stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Tokens can be judged.
    Good,
    /// Never fetched, or not for 24 h: every token is answered by 503.
    Unavailable,
}

/// The keys of one issuer.
pub(super) struct Store {
    shared: Arc<Shared>,
    /// Ends with the store.
    task: Option<JoinHandle<()>>,
}

struct Shared {
    keys: ArcSwap<Loaded>,
    /// The epoch of `keys`, where a cache hit reads it without touching the set.
    epoch: AtomicU64,
    schedule: Mutex<Schedule>,
    start: Instant,
    /// Tells the task that a fetch has become due.
    wake: Notify,
    /// Counts fetches that ended.
    ended: watch::Sender<u64>,
    waiters: AtomicUsize,
}

/// A key set and the epoch in which it is good.
pub(super) struct Loaded {
    set: KeySet,
    /// Rises whenever a key that was good no longer is: what it verified must be verified again (T41).
    pub(super) epoch: u64,
    /// Whether it is good for ever.
    fixed: bool,
}

impl Loaded {
    fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Option<&Key>, Invalid> {
        match self.set.find(kid, algorithm) {
            Found::Key(key) => Ok(Some(key)),
            Found::Unfit => Err(Invalid::UnfitKey),
            Found::Unknown => Ok(None),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Store {
    /// Keys that never change.
    pub(super) fn fixed(set: KeySet) -> Self {
        let keys = Loaded { set, epoch: 1, fixed: true };
        Self { shared: Arc::new(Shared::new(keys)), task: None }
    }

    /// Keys that `fetcher` brings, from now on and again and again. Needs a tokio runtime.
    pub(super) fn fetched(
        fetcher: Fetcher,
        seed: u64,
        tell: impl Fn(KeyEvent) + Send + 'static,
    ) -> Self {
        let shared =
            Arc::new(Shared::new(Loaded { set: KeySet::default(), epoch: 0, fixed: false }));
        let task = tokio::spawn(keep(Arc::clone(&shared), fetcher, seed, tell));
        Self { shared, task: Some(task) }
    }

    /// The epoch of the keys at hand.
    pub(super) fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    pub(super) fn standing(&self) -> Standing {
        let good =
            self.shared.keys.load().fixed || self.shared.schedule.lock().is_good(self.shared.now());
        if good { Standing::Good } else { Standing::Unavailable }
    }

    /// Waits until a fetch has ended since the start.
    pub(super) async fn first(&self) {
        if self.task.is_some() {
            // An error means that the task is gone; there is nothing to wait for then.
            let _ = self.shared.ended.subscribe().wait_for(|ended| *ended > 0).await;
        }
    }

    /// Calls `verify` with the key that a token names, and the epoch of the set it is from.
    ///
    /// Waits at most a second, and only where a fetch that may bring the key is under way.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] without keys, [`Invalid::UnknownKey`], [`Invalid::UnfitKey`], and what `verify` says.
    ///
    /// # Cancel safety
    /// A caller that goes away leaves the fetch to the others.
    pub(super) async fn with_key<T>(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        verify: impl Fn(&Key) -> Result<T, Invalid>,
    ) -> Result<(T, u64), AuthError> {
        let shared = &*self.shared;
        let mut ended = shared.ended.subscribe();
        let arrived = shared.now();
        let mut last_look = false;
        loop {
            let loaded = shared.keys.load_full();
            let now = shared.now();
            let missing = if loaded.fixed || shared.schedule.lock().is_good(now) {
                if let Some(key) = loaded.key(kid, algorithm)? {
                    return Ok((verify(key)?, loaded.epoch));
                }
                let refused = Err(Invalid::UnknownKey.into());
                // A token without a key's name is no reason to fetch: it would be one for every such token.
                let Some(kid) = kid.filter(|_| !loaded.fixed) else { return refused };
                let mut schedule = shared.schedule.lock();
                if last_look {
                    schedule.absent(kid, arrived, now);
                    return refused;
                }
                match schedule.missing(kid, now) {
                    Missing::Refuse => return refused,
                    Missing::Wait => Invalid::UnknownKey.into(),
                }
            } else {
                match shared.schedule.lock().nothing(now) {
                    Missing::Wait if !last_look => AuthError::Unavailable,
                    Missing::Wait | Missing::Refuse => return Err(AuthError::Unavailable),
                }
            };
            shared.wake.notify_one();
            let Some(_waiting) = Waiting::enter(&shared.waiters) else { return Err(missing) };
            match tokio::time::timeout(PATIENCE, ended.changed()).await {
                Ok(Ok(())) => last_look = true,
                Ok(Err(_)) | Err(_) => return Err(missing),
            }
        }
    }
}

impl Shared {
    fn new(keys: Loaded) -> Self {
        Self {
            epoch: AtomicU64::new(keys.epoch),
            keys: ArcSwap::from_pointee(keys),
            schedule: Mutex::new(Schedule::new(RandomState::new())),
            start: Instant::now(),
            wake: Notify::new(),
            ended: watch::Sender::new(0),
            waiters: AtomicUsize::new(0),
        }
    }

    fn now(&self) -> Millis {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Puts a set that was just fetched in place of the one at hand.
    fn replace(&self, set: KeySet) -> KeyEvent {
        let old = self.keys.load_full();
        let revoked = old.epoch == 0 || !set.keeps(&old.set);
        let epoch = old.epoch + u64::from(revoked);
        let event = KeyEvent::Fetched {
            keys: set.len(),
            revoked: revoked && old.epoch > 0,
            skipped: set.skipped.clone(),
        };
        self.keys.store(Arc::new(Loaded { set, epoch, fixed: false }));
        self.epoch.store(epoch, Ordering::Release);
        event
    }
}

/// The task: the only one that fetches, so that there is one fetch at a time.
async fn keep(shared: Arc<Shared>, fetcher: Fetcher, seed: u64, tell: impl Fn(KeyEvent) + Send) {
    loop {
        let next = shared.schedule.lock().next(shared.now());
        match next {
            Next::At(time) => {
                let sleep = tokio::time::sleep_until(
                    shared.start + Duration::from_millis(time.min(1 << 35)),
                );
                tokio::select! {
                    () = sleep => {}
                    () = shared.wake.notified() => {}
                }
            }
            Next::Fetch => {
                let fetched = fetcher.fetch().await.and_then(|Fetched { document, ttl }| {
                    Ok((KeySet::parse(&document, seed)?, ttl))
                });
                let event = match fetched {
                    Ok((set, ttl)) => {
                        let event = shared.replace(set);
                        shared.schedule.lock().fetched(shared.now(), ttl);
                        event
                    }
                    Err(error) => {
                        shared.schedule.lock().failed(shared.now());
                        KeyEvent::Failed(error)
                    }
                };
                tell(event);
                shared.ended.send_modify(|ended| *ended += 1);
            }
        }
    }
}

/// A place among the requests that wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiters: &'a AtomicUsize) -> Option<Self> {
        let entered = waiters
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < WAITERS).then_some(n + 1));
        entered.ok().map(|_| Self(waiters))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
