//! Verdicts that follow from who calls what, so that the next call of the same needs none.

use std::sync::Arc;

use super::judge::Open;
use crate::policy::{Reason, RuleId};

/// Verdicts that are kept.
const VERDICTS: usize = 1 << 15;

/// What the rules say of a call.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// It may happen, by this rule.
    Permitted(Option<RuleId>),
    /// It may not, by this rule, and why.
    Refused(Option<RuleId>, Reason),
    /// It depends on what is not known.
    Open(Arc<Open>),
}

/// What a verdict follows from: places in what is kept of callers and of what is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    caller: usize,
    aim: usize,
    /// Where it matters: whether the call was a leg of a longer one, and whether that is not known.
    retry: Option<(bool, bool)>,
}

impl Seat {
    pub(super) fn new(caller: usize, aim: usize, retry: Option<(bool, bool)>) -> Self {
        Self { caller, aim, retry }
    }

    /// Where it is kept. Seats that share a place take turns, so that none costs more than its verdict.
    fn index(self) -> usize {
        // Neighbours in one table are spread over the other's places.
        let mixed =
            (self.aim as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.caller as u64);
        usize::try_from(mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 49).unwrap_or(0)
    }
}

/// A table of as many places as there will ever be.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    places: Vec<Option<(Seat, Found)>>,
}

impl Verdicts {
    /// What was kept for `seat`.
    pub(super) fn found(&self, seat: Seat) -> Option<Found> {
        let (known, found) = self.places.get(seat.index())?.as_ref()?;
        (*known == seat).then(|| found.clone())
    }

    /// Keeps `found` for `seat`, in the place of another.
    pub(super) fn keep(&mut self, seat: Seat, found: Found) {
        if self.places.is_empty() {
            self.places.resize(VERDICTS, None);
        }
        if let Some(place) = self.places.get_mut(seat.index()) {
            *place = Some((seat, found));
        }
    }
}
