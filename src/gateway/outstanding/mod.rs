//! Requests of servers that wait for an answer (T16): a posted response has no method, and is judged by what it answers.
//!
//! The table is bounded and lives in this process. With several mcpfw side by side, a response must come to the one that the
//! request went through.

mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;

pub(super) use self::table::{Asked, SessionKey, Unnoted};
use self::table::{Bounds, Table};
use crate::config::Limits;
use crate::wire::jsonrpc::Id;

/// The requests that wait.
#[derive(Debug)]
pub(super) struct Outstanding {
    table: Mutex<Table>,
}

impl Outstanding {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let bounds = Bounds {
            total: limits.max_outstanding,
            session: limits.max_outstanding_session,
            method: limits.request.method,
            ttl: super::clock::micros(limits.outstanding_ttl),
        };
        Arc::new(Self { table: Mutex::new(Table::new(bounds)) })
    }

    /// A request that policy of `generation` permits goes downstream at `now` (microseconds of the monotonic clock).
    ///
    /// # Errors
    /// Then it must not go: its answer would be refused.
    pub(super) fn note(
        &self,
        session: SessionKey,
        id: &Id,
        method: &str,
        generation: u64,
        now: u64,
    ) -> Result<(), Unnoted> {
        self.table.lock().note(session, id, Asked { method: method.into(), generation }, now)
    }

    /// Takes what a response under `id` answers; `None` where that is nothing.
    pub(super) fn take(self: &Arc<Self>, session: SessionKey, id: &Id, now: u64) -> Option<Taken> {
        let (ticket, asked) = self.table.lock().take(session, id, now)?;
        Some(Taken { outstanding: Arc::clone(self), session, ticket, asked, went_out: false })
    }

    /// A session has ended.
    pub(super) fn forget(&self, session: SessionKey) {
        self.table.lock().forget(session);
    }
}

/// A request that a response is about to answer. Dropped before [`Taken::went_out`], it waits on.
#[derive(Debug)]
pub(super) struct Taken {
    outstanding: Arc<Outstanding>,
    session: SessionKey,
    ticket: u64,
    asked: SmallVec<[Asked; 1]>,
    went_out: bool,
}

impl Taken {
    /// What was asked; more than one thing only where a server used one id for several.
    pub(super) fn asked(&self) -> &[Asked] {
        &self.asked
    }
}

/// What a posted response answers, or all of a batch, as far as it is known.
#[derive(Debug)]
pub(super) struct Answers(SmallVec<[Taken; 1]>);

impl Answers {
    /// Nobody watches what servers ask: any response may answer something.
    pub(super) fn unknown() -> Self {
        Self::none()
    }

    /// Nothing yet.
    pub(super) fn none() -> Self {
        Self(SmallVec::new())
    }

    /// It answers this, which policy permits.
    pub(super) fn add(&mut self, taken: Taken) {
        self.0.push(taken);
    }

    /// The response has reached the server.
    pub(super) fn went_out(mut self) {
        self.0.iter_mut().for_each(|taken| taken.went_out = true);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.outstanding.table.lock().settle(self.session, self.ticket, self.went_out);
    }
}
