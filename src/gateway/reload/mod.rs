//! Policy reload: from a directory that has changed to a set in force, or to a line that says why not (T59).
//!
//! ```text
//! SIGHUP ─────────────┐
//! stamp every second ─┴► Rest: changed, and at rest ─► Reading: parse, lint, [[test]] ─► Policies::swap: one pointer
//!                                                             └─ broken: the old set stays, findings are told
//! ```
//!
//! Nothing of the data path waits for any of it: reading and compiling run on a thread of their own, and a swap is one store.

mod rest;
mod swap;
mod told;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

pub use self::rest::Rest;
pub use self::swap::Policies;
pub use self::told::ReloadEvent;
use super::policies::{Read, Reading, Set};
use crate::config::Reload;
use crate::config::stamp::{Stamp, stamp};

/// How often a directory that changes while it is read is read again, and how long each waits. Writing a set takes less; one that
/// takes longer is read when it is at rest.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// Reloads the policies of one gateway.
#[derive(Debug)]
pub struct Reloader {
    policies: Policies,
    reading: Arc<Reading>,
    folder: PathBuf,
    when: Reload,
    rest: Rest<Stamp>,
    /// Whether the last set was refused.
    is_refused: bool,
}

impl Reloader {
    /// Reloads `policies` from `folder`, read as `reading` does, of which the set in force was read when it had `stamp`.
    #[must_use]
    pub fn new(
        policies: Policies,
        reading: Reading,
        folder: PathBuf,
        stamp: Option<Stamp>,
        when: Reload,
    ) -> Self {
        let rest = Rest::new(stamp);
        Self { policies, reading: Arc::new(reading), folder, when, rest, is_refused: false }
    }

    /// Reloads whenever `asked` is notified, and when the directory has changed and come to rest, for ever. Whatever comes of it
    /// goes to `tell`.
    ///
    /// # Cancel safety
    /// Dropped, it leaves the set that is in force.
    pub async fn run(mut self, asked: Arc<Notify>, mut tell: impl FnMut(&ReloadEvent) + Send) {
        loop {
            let is_asked = tokio::select! {
                () = asked.notified() => true,
                () = sleep(self.when.interval), if self.when.watch => false,
            };
            if (is_asked || self.is_due().await)
                && let Some(event) = self.reload(is_asked).await
            {
                tell(&event);
            }
        }
    }

    /// Whether the directory has changed and come to rest.
    async fn is_due(&mut self) -> bool {
        let folder = self.folder.clone();
        let Ok(stamp) = spawn_blocking(move || stamp(&folder)).await else { return false };
        self.rest.look(stamp, Instant::now().into_std())
    }

    /// Reads the set and puts it in force. What there is to tell of it.
    async fn reload(&mut self, is_asked: bool) -> Option<ReloadEvent> {
        for _ in 0..TRIES {
            let (reading, folder) = (Arc::clone(&self.reading), self.folder.clone());
            let known = *self.policies.current().digest();
            let read = spawn_blocking(move || match reading.read_unless(&folder, &known) {
                Read::Known(stamp) => Read::Known(stamp),
                Read::Set(set) if set.stamp.is_none() => Read::Set(set),
                Read::Set(set) => Read::Set(Box::new(set.tried())),
            });
            let Ok(read) = read.await else {
                // A panic there is a defect of ours, and no reason to judge by nothing.
                return Some(ReloadEvent::failed(&self.policies));
            };
            match read {
                Read::Known(Some(stamp)) => {
                    self.rest.settle(stamp);
                    let was_refused = std::mem::replace(&mut self.is_refused, false);
                    let is_news = is_asked || was_refused;
                    return is_news.then(|| ReloadEvent::unchanged(&self.policies));
                }
                Read::Set(set) if set.stamp.is_some() => return Some(self.take(*set)),
                // What was read may be half of one set and half of another.
                Read::Known(None) | Read::Set(_) => sleep(PAUSE).await,
            }
        }
        is_asked.then(|| ReloadEvent::restless(&self.policies, self.when.watch))
    }

    /// Puts `set` in force, if it can be.
    fn take(&mut self, set: Set) -> ReloadEvent {
        if let Some(stamp) = set.stamp {
            self.rest.settle(stamp);
        }
        self.is_refused = set.policy.is_none();
        match set.policy {
            None => ReloadEvent::refused(&self.policies, &set.sources, &set.findings),
            Some(policy) => {
                self.policies.swap(policy);
                ReloadEvent::reloaded(&self.policies, &set.sources, &set.findings)
            }
        }
    }
}
