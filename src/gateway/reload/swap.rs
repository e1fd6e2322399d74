//! The policy set in force, and the swap to another.

use std::sync::Arc;

use super::super::peer::Peer;
use super::super::start::annotate;
use super::super::state::Shared;
use crate::lock::List;
use crate::policy::Policy;

/// The policy set of a gateway.
#[derive(Clone, Debug)]
pub struct Policies {
    shared: Arc<Shared>,
}

impl Policies {
    pub(in crate::gateway) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The set in force.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        self.shared.policy.load_full()
    }

    /// Puts `policy` in force, and returns the one that was. Every exchange that begins afterwards is decided by it, every other
    /// one by what it began with; open event streams are looked at again (T59).
    ///
    /// Budgets last over it where both sets were compiled with one hasher ([`crate::policy::CompileOptions`]): a limit keeps what was
    /// drawn from it as long as it keeps its name, and what a limit that is gone took is free.
    pub fn swap(&self, policy: Arc<Policy>) -> Arc<Policy> {
        let shared = &*self.shared;
        // The one step that decides anything. What follows only tells others of it.
        let after = Arc::clone(&policy);
        let before = shared.policy.swap(policy);
        shared.limiter.keep(after.limit_tags());
        self.relearn(&before, &after);
        shared.connections.each(Peer::wake);
        before
    }

    /// What a new lock says of mirrored arguments (T9), where the old one said something else: what lists told since counts for
    /// more than a lock that says what it said before.
    fn relearn(&self, before: &Policy, after: &Policy) {
        let Some(lock) = after.lock() else { return };
        let was = |id: &str| Some(before.lock()?.find(List::Tools, id)?.digest());
        let news: Vec<_> =
            lock.items(List::Tools).filter(|tool| was(tool.id()) != Some(tool.digest())).collect();
        for route in &self.shared.routes {
            news.iter().for_each(|tool| annotate(route, tool));
        }
    }
}
