//! The process's clocks: one monotonic base for limits and durations, the wall clock for tokens and logs.

use std::time::Instant;

use crate::observe::wall_clock_ms;
use crate::policy::UnixTime;

/// The monotonic clock, counted from the start of the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    base: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { base: Instant::now() }
    }

    /// Microseconds since the start. Never goes back.
    pub(super) fn micros(self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.base))
    }
}

/// Seconds since 1970.
pub(super) fn unix_seconds() -> UnixTime {
    wall_clock_ms() / 1000
}

/// A duration as whole microseconds.
pub(super) fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
