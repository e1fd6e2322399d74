//! What became of a request's draws.

use smallvec::SmallVec;

use super::gcra::Pace;
use crate::policy::{Draw, Permitted, Quota, RuleId};

/// How long a bucket has to be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It gives what is asked.
    None,
    /// It gives it after so many microseconds.
    Micros(u64),
    /// It never gives it: more is asked than it holds when full.
    Forever,
}

/// One bucket after a request was judged: charged where the request was admitted, untouched where not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The rule whose bucket it is.
    pub rule: RuleId,
    /// The bucket's size and speed.
    pub quota: Quota,
    /// Microseconds until it is full.
    pub reset_us: u64,
    /// What it said to this request.
    pub wait: Wait,
}

impl Standing {
    /// Units that it can give now.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        Pace::of(self.quota).remaining(self.reset_us, 0)
    }

    /// Microseconds until it can give one unit more than now; 0 where it is full.
    #[must_use]
    pub fn next_us(&self) -> u64 {
        Pace::of(self.quota).next(self.reset_us, 0)
    }
}

/// All buckets of one request, in the order of its draws.
#[derive(Clone, Debug)]
pub struct Outcome {
    standings: SmallVec<[Standing; 4]>,
}

impl Outcome {
    pub(super) fn new(standings: SmallVec<[Standing; 4]>) -> Self {
        Self { standings }
    }

    /// Every bucket that was drawn on.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// The bucket that refused and has to be waited for longest, where one refused.
    #[must_use]
    pub fn refused(&self) -> Option<&Standing> {
        self.standings.iter().filter(|standing| standing.wait != Wait::None).max_by_key(
            |standing| match standing.wait {
                Wait::None => (0, 0),
                Wait::Micros(micros) => (1, micros),
                Wait::Forever => (2, 0),
            },
        )
    }
}

/// A permitted request that its budgets admit. Only [`super::Limiter::admit`] makes one.
#[derive(Debug)]
pub struct Admitted {
    permitted: Permitted,
    outcome: Outcome,
}

impl Admitted {
    pub(super) fn new(permitted: Permitted, outcome: Outcome) -> Self {
        Self { permitted, outcome }
    }

    /// What the policy permitted.
    pub fn permitted(&self) -> &Permitted {
        &self.permitted
    }

    /// The buckets that were charged, as they stand now.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        self.outcome.standings()
    }
}

/// A permitted request that some budget refused. Nothing was charged.
#[derive(Debug)]
pub struct Throttled(Box<(Permitted, Outcome)>);

impl Throttled {
    pub(super) fn new(permitted: Permitted, outcome: Outcome) -> Self {
        Self(Box::new((permitted, outcome)))
    }

    /// What the policy permitted.
    pub fn permitted(&self) -> &Permitted {
        &self.0.0
    }

    /// The buckets that were asked, as they stand.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        self.0.1.standings()
    }

    /// The bucket to blame: of those that refused, the one to wait for longest.
    #[must_use]
    pub fn blame(&self) -> Option<&Standing> {
        self.0.1.refused()
    }

    /// The draw on the bucket to blame.
    #[must_use]
    pub fn blamed_draw(&self) -> Option<&Draw> {
        let blame = self.blame()?;
        let at = self.standings().iter().position(|standing| standing == blame)?;
        self.permitted().draws().get(at)
    }

    /// Microseconds after which the same request would pass if nobody else drew; `None` where it never would.
    #[must_use]
    pub fn retry_after_us(&self) -> Option<u64> {
        match self.blame()?.wait {
            Wait::Micros(micros) => Some(micros),
            Wait::None | Wait::Forever => None,
        }
    }
}
