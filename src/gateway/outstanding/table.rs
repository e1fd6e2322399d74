//! The table of requests that a server made and that have no answer yet. Pure: the clock is an argument.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use smallvec::SmallVec;

use crate::wire::jsonrpc::Id;

/// A session, as far as the requests of its server go: whose it is, on which route, and the server's id for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::gateway) struct SessionKey(pub(in crate::gateway) [u8; 32]);

/// What a posted response may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Asked {
    /// The method.
    pub(in crate::gateway) method: Box<str>,
    /// The generation of the policy that let it pass.
    pub(in crate::gateway) generation: u64,
}

/// How much is kept, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Requests in all.
    pub(super) total: usize,
    /// Requests of one session.
    pub(super) session: usize,
    /// Bytes of a method's name.
    pub(super) method: usize,
    /// Microseconds.
    pub(super) ttl: u64,
}

/// A request that could not be kept. It must not go downstream: its answer would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::gateway) enum Unnoted {
    /// The table is full of other sessions' requests.
    #[error("too many requests of servers wait for an answer")]
    Full,
    /// The method's name is beyond its limit.
    #[error("the name of the method is too long")]
    Method,
}

#[derive(Debug)]
struct Request {
    id: Id,
    asked: Asked,
    /// When it stops waiting.
    until: u64,
    /// Which answer is on its way, if one is.
    ticket: Option<u64>,
}

/// The requests, by session; those of a session in the order in which they came.
#[derive(Debug)]
pub(super) struct Table {
    bounds: Bounds,
    sessions: HashMap<SessionKey, Vec<Request>>,
    count: usize,
    tickets: u64,
    /// When it was looked through last.
    swept: u64,
}

/// Between two looks through all of a full table, microseconds: so a flood of new sessions costs one look a second.
const SWEEP: u64 = 1_000_000;

impl Table {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, sessions: HashMap::new(), count: 0, tickets: 0, swept: 0 }
    }

    /// Remembers a request. Where the session has as many as it may, its own oldest goes; no session takes the place of
    /// another's.
    ///
    /// The same request again, as on a stream that is resumed, begins to wait anew. An id that is used for two methods at once
    /// stands for both.
    pub(super) fn note(
        &mut self,
        session: SessionKey,
        id: &Id,
        asked: Asked,
        now: u64,
    ) -> Result<(), Unnoted> {
        if asked.method.len() > self.bounds.method {
            return Err(Unnoted::Method);
        }
        if self.count >= self.bounds.total && now.saturating_sub(self.swept) >= SWEEP {
            self.sweep(now);
        }
        let is_full = self.count >= self.bounds.total;
        let requests = match self.sessions.entry(session) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(_) if is_full => return Err(Unnoted::Full),
            Slot::Vacant(slot) => slot.insert(Vec::new()),
        };
        let before = requests.len();
        requests.retain(|request| {
            let is_again = request.asked.method == asked.method && request.id.is_same(id);
            request.until > now && !is_again
        });
        if requests.len() >= self.bounds.session || (is_full && requests.len() == before) {
            requests.remove(0);
        }
        let until = now.saturating_add(self.bounds.ttl);
        requests.push(Request { id: id.clone(), asked, until, ticket: None });
        self.count = self.count + requests.len() - before;
        Ok(())
    }

    /// Takes what a response under `id` answers: nobody else may answer it until [`Table::settle`] is told how that went.
    pub(super) fn take(
        &mut self,
        session: SessionKey,
        id: &Id,
        now: u64,
    ) -> Option<(u64, SmallVec<[Asked; 1]>)> {
        let requests = self.sessions.get_mut(&session)?;
        let ticket = self.tickets;
        let mut asked = SmallVec::new();
        for request in requests {
            if request.until > now && request.ticket.is_none() && request.id.is_same(id) {
                request.ticket = Some(ticket);
                asked.push(request.asked.clone());
            }
        }
        self.tickets += 1;
        (!asked.is_empty()).then_some((ticket, asked))
    }

    /// Ends what [`Table::take`] began: an answer that went out was the answer, any other leaves the request waiting.
    pub(super) fn settle(&mut self, session: SessionKey, ticket: u64, went_out: bool) {
        let Slot::Occupied(mut slot) = self.sessions.entry(session) else { return };
        let requests = slot.get_mut();
        let before = requests.len();
        if went_out {
            requests.retain(|request| request.ticket != Some(ticket));
        }
        for request in requests.iter_mut().filter(|request| request.ticket == Some(ticket)) {
            request.ticket = None;
        }
        self.count = self.count + requests.len() - before;
        if requests.is_empty() {
            slot.remove();
        }
    }

    /// Forgets a session that has ended.
    pub(super) fn forget(&mut self, session: SessionKey) {
        let requests = self.sessions.remove(&session);
        self.count -= requests.map_or(0, |requests| requests.len());
    }

    fn sweep(&mut self, now: u64) {
        self.swept = now;
        self.sessions.retain(|_, requests| {
            requests.retain(|request| request.until > now);
            !requests.is_empty()
        });
        self.count = self.sessions.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { total: 4, session: 3, method: 8, ttl: 100 };
    const A: SessionKey = SessionKey([1; 32]);
    const B: SessionKey = SessionKey([2; 32]);
    const C: SessionKey = SessionKey([3; 32]);

    fn id(raw: &str) -> Id {
        Id::from_raw(raw).unwrap()
    }

    fn note(table: &mut Table, session: SessionKey, raw: &str, now: u64) -> Result<(), Unnoted> {
        noted(table, session, raw, "ping", now)
    }

    fn noted(
        table: &mut Table,
        session: SessionKey,
        raw: &str,
        method: &str,
        now: u64,
    ) -> Result<(), Unnoted> {
        let noted =
            table.note(session, &id(raw), Asked { method: method.into(), generation: 1 }, now);
        let kept: usize = table.sessions.values().map(Vec::len).sum();
        assert_eq!(table.count, kept, "the count is right");
        assert!(
            kept <= table.bounds.total
                && table.sessions.values().all(|requests| requests.len() <= 3)
        );
        noted
    }

    /// The methods that a response would answer, which it does if it `goes out`.
    fn answer(
        table: &mut Table,
        session: SessionKey,
        raw: &str,
        now: u64,
        goes_out: bool,
    ) -> Vec<String> {
        let Some((ticket, asked)) = table.take(session, &id(raw), now) else { return Vec::new() };
        assert!(table.take(session, &id(raw), now).is_none(), "taken once");
        table.settle(session, ticket, goes_out);
        asked.into_iter().map(|asked| asked.method.into()).collect()
    }

    #[test]
    fn a_response_answers_one_request_once() {
        let mut table = Table::new(BOUNDS);
        note(&mut table, A, "1", 0).unwrap();
        noted(&mut table, A, "\"1\"", "elicit", 0).unwrap();
        assert!(answer(&mut table, B, "1", 0, true).is_empty(), "another session");
        assert!(answer(&mut table, A, "2", 0, true).is_empty(), "another id");
        // What does not go out leaves the request waiting.
        assert_eq!(answer(&mut table, A, "1", 0, false), ["ping"]);
        assert_eq!(answer(&mut table, A, "1", 0, true), ["ping"]);
        assert!(answer(&mut table, A, "1", 0, true).is_empty(), "answered");
        // Another type is another id, another spelling is not.
        assert_eq!(answer(&mut table, A, r#""\u0031""#, 0, true), ["elicit"]);
        assert_eq!((table.count, table.sessions.len()), (0, 0));
    }

    #[test]
    fn requests_wait_for_a_time() {
        let mut table = Table::new(BOUNDS);
        note(&mut table, A, "1", 0).unwrap();
        assert_eq!(answer(&mut table, A, "1", 99, false), ["ping"]);
        assert!(answer(&mut table, A, "1", 100, true).is_empty());
        // Sent again, it waits anew, and once.
        note(&mut table, A, "2", 50).unwrap();
        note(&mut table, A, "2", 90).unwrap();
        assert_eq!(answer(&mut table, A, "2", 180, true), ["ping"]);
        assert!(answer(&mut table, A, "2", 180, true).is_empty());
    }

    #[test]
    fn an_id_of_two_methods_stands_for_both() {
        let mut table = Table::new(BOUNDS);
        note(&mut table, A, "1", 0).unwrap();
        noted(&mut table, A, "1", "elicit", 0).unwrap();
        assert_eq!(answer(&mut table, A, "1", 0, true), ["ping", "elicit"]);
        assert_eq!(table.count, 0);
    }

    #[test]
    fn a_full_session_loses_its_oldest() {
        let mut table = Table::new(BOUNDS);
        for raw in ["1", "2", "3", "4"] {
            note(&mut table, A, raw, 0).unwrap();
        }
        assert!(answer(&mut table, A, "1", 0, false).is_empty());
        for raw in ["2", "3", "4"] {
            assert_eq!(answer(&mut table, A, raw, 0, false), ["ping"], "{raw}");
        }
    }

    #[test]
    fn no_session_takes_the_place_of_another() {
        let mut table = Table::new(BOUNDS);
        for raw in ["1", "2", "3"] {
            note(&mut table, A, raw, 0).unwrap();
        }
        note(&mut table, B, "1", 0).unwrap();
        // Full: a third session must wait, and each of the two can only replace its own.
        assert_eq!(note(&mut table, C, "1", 50), Err(Unnoted::Full));
        note(&mut table, B, "2", 50).unwrap();
        assert!(answer(&mut table, B, "1", 50, false).is_empty());
        assert_eq!(answer(&mut table, B, "2", 50, false), ["ping"]);
        for raw in ["1", "2", "3"] {
            assert_eq!(answer(&mut table, A, raw, 50, false), ["ping"], "{raw}");
        }
        // A session that ends, or time that passes, makes room.
        table.forget(A);
        assert_eq!(note(&mut table, C, "1", 50), Ok(()));
        for raw in ["2", "3"] {
            note(&mut table, C, raw, 50).unwrap();
        }
        assert_eq!(
            note(&mut table, A, "1", 151),
            Err(Unnoted::Full),
            "not looked through again yet"
        );
        assert_eq!(note(&mut table, A, "1", SWEEP), Ok(()));
        assert_eq!(table.count, 1);
    }

    #[test]
    fn names_have_a_limit() {
        let mut table = Table::new(BOUNDS);
        assert_eq!(noted(&mut table, A, "1", "12345678", 0), Ok(()));
        assert_eq!(noted(&mut table, A, "1", "123456789", 0), Err(Unnoted::Method));
    }

    /// An answer that is on its way while its request is sent again, pushed out or forgotten ends nothing else.
    #[test]
    fn what_changes_meanwhile() {
        let mut table = Table::new(BOUNDS);
        note(&mut table, A, "1", 0).unwrap();
        let (ticket, _) = table.take(A, &id("1"), 0).unwrap();
        note(&mut table, A, "1", 0).unwrap();
        table.settle(A, ticket, true);
        assert_eq!(answer(&mut table, A, "1", 0, false), ["ping"], "the second sending waits");
        let (ticket, _) = table.take(A, &id("1"), 0).unwrap();
        table.forget(A);
        table.settle(A, ticket, false);
        assert_eq!((table.count, table.sessions.len()), (0, 0));
    }
}
