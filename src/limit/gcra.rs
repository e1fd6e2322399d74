//! The generic cell rate algorithm on whole microseconds: the arithmetic of one bucket.
//!
//! A bucket is one number, its theoretical arrival time `tat`: the moment at which it is full again. It is full when
//! `tat <= now`, so a bucket that nobody remembers is a full one, and forgetting a full one changes nothing.

use crate::policy::Quota;

/// The longest time, in microseconds, from empty to full: 2^51, 71 years. Quotas beyond it are cut to it, so that a
/// `tat` fits in the 52 bits that the table has for it.
pub(super) const MAX_TAU_US: u64 = 1 << 51;

/// The latest `tat` or `now` that is kept apart from later ones: 2^52 - 1 microseconds, 142 years of uptime.
pub(super) const MAX_TIME_US: u64 = (1 << 52) - 1;

/// A quota made ready for arithmetic: neither number is 0 by accident nor beyond [`MAX_TAU_US`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Microseconds for one unit to come back, at least 1 (`T`).
    interval: u64,
    /// Microseconds from empty to full (`tau = T * burst`).
    tau: u64,
    burst: u32,
}

impl Pace {
    pub(super) fn of(quota: Quota) -> Self {
        let interval = quota.interval_us.clamp(1, MAX_TAU_US);
        let tau = interval.saturating_mul(u64::from(quota.burst)).min(MAX_TAU_US);
        Self { interval, tau, burst: quota.burst }
    }

    pub(super) fn tau(self) -> u64 {
        self.tau
    }

    /// Microseconds of refill that `cost` units stand for.
    pub(super) fn price(self, cost: u32) -> u64 {
        self.interval.saturating_mul(u64::from(cost)).min(MAX_TIME_US)
    }

    /// The `tat` after `price` microseconds are taken from the bucket at `tat`.
    pub(super) fn after(tat: u64, now: u64, price: u64) -> u64 {
        tat.max(now).saturating_add(price).min(MAX_TIME_US)
    }

    /// By how many microseconds a bucket at `tat` is overdrawn: 0 where it may stand so.
    pub(super) fn over(self, tat: u64, now: u64) -> u64 {
        tat.saturating_sub(now).saturating_sub(self.tau)
    }

    /// Units that can be taken now.
    pub(super) fn remaining(self, tat: u64, now: u64) -> u32 {
        let free = self.tau.saturating_sub(tat.saturating_sub(now)) / self.interval;
        u32::try_from(free).unwrap_or(u32::MAX).min(self.burst)
    }

    /// Microseconds until one unit more than now can be taken; 0 where the bucket is full.
    pub(super) fn next(self, tat: u64, now: u64) -> u64 {
        let debt = tat.saturating_sub(now);
        match debt.checked_sub(self.tau) {
            Some(beyond) => beyond.saturating_add(self.interval),
            None if debt == 0 => 0,
            None => match (self.tau - debt) % self.interval {
                0 => self.interval.min(debt),
                part => (self.interval - part).min(debt),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(interval_us: u64, burst: u32) -> Pace {
        Pace::of(Quota { interval_us, burst })
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_unit_an_interval() {
        let pace = pace(100, 3);
        let mut tat = 0;
        for left in [2, 1, 0] {
            tat = Pace::after(tat, 1000, pace.price(1));
            assert_eq!(pace.over(tat, 1000), 0);
            assert_eq!(pace.remaining(tat, 1000), left);
        }
        assert_eq!(pace.next(tat, 1000), 100);
        let more = Pace::after(tat, 1000, pace.price(1));
        assert_eq!(pace.over(more, 1000), 100, "the wait is exactly one interval");
        assert_eq!(pace.over(more, 1100), 0, "and after it the unit is there");
        assert_eq!(pace.over(more, 1099), 1, "but not a microsecond sooner");
    }

    #[test]
    fn next_is_the_time_to_one_more_unit() {
        let pace = pace(100, 3);
        // (tat, remaining, next) at now = 1000, tau = 300
        for (tat, remaining, next) in [
            (0, 3, 0),
            (1000, 3, 0),
            (1001, 2, 1),
            (1100, 2, 100),
            (1150, 1, 50),
            (1300, 0, 100),
            (1350, 0, 150),
        ] {
            assert_eq!(
                (pace.remaining(tat, 1000), pace.next(tat, 1000)),
                (remaining, next),
                "tat {tat}"
            );
        }
    }

    #[test]
    fn extreme_quotas_saturate() {
        for (interval_us, burst) in
            [(0, 0), (0, u32::MAX), (u64::MAX, 0), (u64::MAX, u32::MAX), (1, u32::MAX)]
        {
            let pace = pace(interval_us, burst);
            for now in [0, 1, MAX_TIME_US, u64::MAX] {
                for cost in [0, 1, u32::MAX] {
                    let tat = Pace::after(now, now, pace.price(cost));
                    let _ = (pace.over(tat, now), pace.remaining(tat, now), pace.next(tat, now));
                }
            }
            assert!(pace.tau() <= MAX_TAU_US);
        }
    }
}
