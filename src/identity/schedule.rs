//! When an issuer's keys are fetched, how long they are good, and what a token with an unknown key costs. Pure: the clock is
//! an argument, in milliseconds from any fixed moment.
//!
//! ```text
//!            fetched ─► fresh ── 80 % of TTL ──► due ─► fetching ─┬─ fetched ─► fresh
//!  start ─► due ─► fetching                                        └─ failed ─► retry, keys stay good for 24 h
//!  unknown kid ─► refused while the cool-down lasts or the name is known to be nobody's, else due at once
//! ```
//!
//! One fetch is in flight at most (T39, T41). Whatever tokens arrive, there are never two fetches within the cool-down of 30 s
//! while keys are held.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Milliseconds from any fixed moment, monotonic.
pub(super) type Millis = u64;

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;

/// Between two fetches that unknown keys ask for, and between two tries while keys are held (T39).
pub(super) const COOL_DOWN: Millis = 30 * SECOND;
/// Keys are good so long where the issuer does not say.
const TTL: Millis = 15 * MINUTE;
/// And never shorter or longer than this, whatever it says (T41).
const TTL_RANGE: std::ops::RangeInclusive<Millis> = MINUTE..=HOUR;
/// Keys are good so long after the last good fetch, when the issuer cannot be reached (T41).
const STALE: Millis = 24 * HOUR;
/// First wait after a failure without any keys; doubles up to the cool-down.
const RETRY: Millis = SECOND;
/// A name that was in no set just fetched is refused so long without asking again (T39).
const NEGATIVE: Millis = MINUTE;
/// And so many names are remembered.
const NEGATIVE_NAMES: usize = 10_000;

/// What the task that fetches does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Fetch now; the answer goes to [`Schedule::fetched`] or [`Schedule::failed`].
    Fetch,
    /// Ask again at this time, or when a request has made it earlier.
    At(Millis),
}

/// What a request whose key is not there does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A fetch is under way or due: wait for its end.
    Wait,
    /// Nothing will change soon: refuse.
    Refuse,
}

/// The schedule of one issuer.
#[derive(Debug)]
pub(super) struct Schedule {
    /// The last good fetch.
    good: Option<Millis>,
    /// When the last fetch began.
    began: Option<Millis>,
    fetching: bool,
    /// When the next one is due.
    due: Millis,
    failures: u32,
    negative: HashMap<u64, Millis>,
    /// When the names that may be asked for again were last dropped.
    purged: Millis,
    hasher: RandomState,
}

impl Schedule {
    /// Nothing fetched yet, and a fetch is due. `hasher` keys what is remembered of names.
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            good: None,
            began: None,
            fetching: false,
            due: 0,
            failures: 0,
            negative: HashMap::new(),
            purged: 0,
            hasher,
        }
    }

    /// What to do now. [`Next::Fetch`] counts as begun.
    pub(super) fn next(&mut self, now: Millis) -> Next {
        if self.fetching {
            return Next::At(Millis::MAX);
        }
        if now < self.due {
            return Next::At(self.due);
        }
        self.fetching = true;
        self.began = Some(now);
        Next::Fetch
    }

    /// The fetch brought a key set that its issuer calls good for `ttl`.
    pub(super) fn fetched(&mut self, now: Millis, ttl: Option<Millis>) {
        let ttl = ttl.unwrap_or(TTL).clamp(*TTL_RANGE.start(), *TTL_RANGE.end());
        self.fetching = false;
        self.failures = 0;
        self.good = Some(now);
        self.due = now.saturating_add(ttl / 5 * 4);
    }

    /// The fetch brought nothing.
    pub(super) fn failed(&mut self, now: Millis) {
        self.fetching = false;
        self.failures = self.failures.saturating_add(1);
        let wait = if self.is_good(now) {
            COOL_DOWN
        } else {
            (RETRY << (self.failures - 1).min(5)).min(COOL_DOWN)
        };
        self.due = now.saturating_add(wait);
    }

    /// Whether the keys of the last good fetch may be used.
    pub(super) fn is_good(&self, now: Millis) -> bool {
        self.good.is_some_and(|good| now.saturating_sub(good) < STALE)
    }

    /// A token names a key that is not in the set. Makes a fetch due where one may help.
    pub(super) fn missing(&mut self, kid: &str, now: Millis) -> Missing {
        let name = self.hasher.hash_one(kid);
        if self.negative.get(&name).is_some_and(|until| now < *until) {
            return Missing::Refuse;
        }
        if self.fetching || self.due <= now {
            return Missing::Wait;
        }
        if self.began.is_some_and(|began| now.saturating_sub(began) < COOL_DOWN) {
            return Missing::Refuse;
        }
        self.due = now;
        Missing::Wait
    }

    /// A token comes while there are no keys at all.
    pub(super) fn nothing(&self, now: Millis) -> Missing {
        if self.fetching || self.due <= now { Missing::Wait } else { Missing::Refuse }
    }

    /// The key is not there after a fetch for which its token, which arrived at `arrived`, waited. The name is nobody's for a
    /// while, if that fetch was good and had not already begun, and so read the set from before the token.
    pub(super) fn absent(&mut self, kid: &str, arrived: Millis, now: Millis) {
        if self.failures > 0 || self.began.is_none_or(|began| began < arrived) {
            return;
        }
        if self.negative.len() >= NEGATIVE_NAMES && self.purged.saturating_add(SECOND) <= now {
            self.negative.retain(|_, until| now < *until);
            self.purged = now;
        }
        if self.negative.len() < NEGATIVE_NAMES {
            self.negative.insert(self.hasher.hash_one(kid), now.saturating_add(NEGATIVE));
        }
    }

    /// Names that are remembered as nobody's.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.negative.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(RandomState::new())
    }

    /// A schedule that fetched a set good for `ttl` at time 0.
    fn fetched(ttl: Option<Millis>) -> Schedule {
        let mut schedule = schedule();
        assert_eq!(schedule.next(0), Next::Fetch);
        schedule.fetched(0, ttl);
        schedule
    }

    #[test]
    fn a_set_is_refreshed_at_four_fifths_of_its_life() {
        for (ttl, due) in [
            (None, 12 * MINUTE),
            (Some(0), 48 * SECOND),
            (Some(MINUTE), 48 * SECOND),
            (Some(10 * MINUTE), 8 * MINUTE),
            (Some(HOUR), 48 * MINUTE),
            (Some(Millis::MAX), 48 * MINUTE),
        ] {
            let mut schedule = fetched(ttl);
            assert_eq!(schedule.next(due - 1), Next::At(due), "{ttl:?}");
            assert_eq!(schedule.next(due), Next::Fetch, "{ttl:?}");
        }
    }

    #[test]
    fn one_fetch_at_a_time() {
        let mut schedule = schedule();
        assert_eq!(schedule.next(0), Next::Fetch);
        assert_eq!(schedule.next(HOUR), Next::At(Millis::MAX));
        schedule.fetched(HOUR, None);
        assert_eq!(schedule.next(HOUR), Next::At(HOUR + 12 * MINUTE));
    }

    #[test]
    fn without_keys_tries_come_quickly_and_then_less_often() {
        let mut schedule = schedule();
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..100 {
            assert_eq!(schedule.next(now), Next::Fetch);
            schedule.failed(now);
            let Next::At(due) = schedule.next(now) else { panic!("no pause") };
            pauses.push((due - now) / SECOND);
            now = due;
        }
        assert_eq!(pauses[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses[99], 30);
    }

    #[test]
    fn keys_outlive_an_outage_of_a_day_and_no_more() {
        let mut schedule = fetched(None);
        let mut now = 0;
        let mut tries = 0;
        while now < STALE {
            assert!(schedule.is_good(now), "at {now}");
            match schedule.next(now) {
                Next::Fetch => {
                    tries += 1;
                    schedule.failed(now);
                }
                Next::At(due) => now = due,
            }
        }
        assert!(!schedule.is_good(STALE));
        assert!(tries <= STALE / COOL_DOWN, "{tries} tries");
        assert_eq!(schedule.nothing(STALE - 1), Missing::Refuse);
        schedule.next(now);
        schedule.fetched(now, None);
        assert!(schedule.is_good(now), "and come back");
    }

    #[test]
    fn an_unknown_key_asks_at_once_unless_that_was_just_done() {
        let mut schedule = fetched(None);
        assert_eq!(schedule.missing("new", COOL_DOWN - 1), Missing::Refuse);
        assert_eq!(schedule.missing("new", COOL_DOWN), Missing::Wait);
        assert_eq!(schedule.next(COOL_DOWN), Next::Fetch);
        // While it is under way everybody waits for the same fetch.
        assert_eq!(schedule.missing("newer", COOL_DOWN + 1), Missing::Wait);
        assert_eq!(schedule.next(COOL_DOWN + 1), Next::At(Millis::MAX));
    }

    #[test]
    fn a_name_that_is_nobodys_is_remembered_for_a_minute() {
        let mut schedule = fetched(None);
        let asked = COOL_DOWN;
        assert_eq!(schedule.missing("nobody", asked), Missing::Wait);
        assert_eq!(schedule.next(asked), Next::Fetch);
        schedule.fetched(asked, None);
        schedule.absent("nobody", asked, asked);
        assert_eq!(schedule.missing("nobody", asked + NEGATIVE - 1), Missing::Refuse);
        assert_eq!(schedule.missing("somebody", asked + COOL_DOWN), Missing::Wait);
        assert_eq!(schedule.missing("nobody", asked + NEGATIVE), Missing::Wait);
    }

    /// A rotation must not be shut out for a minute because a token came while an older answer was on its way, or while
    /// the issuer was down.
    #[test]
    fn only_a_later_and_good_fetch_says_that_a_name_is_nobodys() {
        let mut schedule = fetched(None);
        let due = 12 * MINUTE;
        assert_eq!(schedule.next(due), Next::Fetch);
        let arrived = due + 10;
        assert_eq!(schedule.missing("new", arrived), Missing::Wait);
        schedule.fetched(due + 20, None);
        schedule.absent("new", arrived, due + 20);
        assert_eq!(schedule.missing("new", due + COOL_DOWN), Missing::Wait);

        assert_eq!(schedule.next(due + COOL_DOWN), Next::Fetch);
        schedule.failed(due + COOL_DOWN + 1);
        schedule.absent("new", due + COOL_DOWN, due + COOL_DOWN + 1);
        assert_eq!(schedule.missing("new", due + 2 * COOL_DOWN), Missing::Wait);
    }

    /// T39: 50 000 tokens with random keys in ten minutes, and never two fetches within the cool-down. Whatever the
    /// issuer answers.
    #[test]
    fn a_storm_of_unknown_keys_fetches_once_a_cool_down() {
        for fails in [false, true] {
            let mut schedule = fetched(Some(MINUTE));
            let mut fetches = vec![0];
            for n in 0..50_000_u64 {
                let now = n * 12;
                let kid = n.to_string();
                let verdict = schedule.missing(&kid, now);
                if schedule.next(now) == Next::Fetch {
                    fetches.push(now);
                    if fails { schedule.failed(now) } else { schedule.fetched(now, Some(MINUTE)) }
                }
                if verdict == Missing::Wait {
                    schedule.absent(&kid, now, now);
                }
            }
            assert!(fetches.windows(2).all(|pair| pair[1] - pair[0] >= COOL_DOWN), "{fetches:?}");
            assert!(fetches.len() >= 15, "{fetches:?}");
            assert!(schedule.remembered() < 100);
        }
    }

    #[test]
    fn names_are_remembered_up_to_a_bound() {
        let mut schedule = fetched(None);
        for n in 0..2 * NEGATIVE_NAMES {
            schedule.absent(&n.to_string(), 0, 0);
        }
        assert_eq!(schedule.remembered(), NEGATIVE_NAMES);
        schedule.absent("later", 0, NEGATIVE);
        assert_eq!(schedule.remembered(), 1);
    }
}
