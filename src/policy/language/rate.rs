//! Rates as people write them: `10/min`.

use crate::policy::Quota;

/// Periods in seconds.
const PERIODS: [(&str, u64); 10] = [
    ("s", 1),
    ("sec", 1),
    ("second", 1),
    ("m", 60),
    ("min", 60),
    ("minute", 60),
    ("h", 3_600),
    ("hour", 3_600),
    ("d", 86_400),
    ("day", 86_400),
];

/// Longest time for a budget to refill, `interval × burst`: a year. Whoever means "once" means a deny.
pub(super) const MAX_REFILL_US: u64 = 366 * 86_400 * 1_000_000;

/// Largest count of a rate and largest burst: what one budget may let through at once.
pub(super) const MAX_COUNT: u64 = 10_000_000;

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RateError {
    #[error("a rate is a count, a slash and a period")]
    Form,
    #[error("unknown period")]
    Period,
    #[error("a rate of nothing")]
    Zero,
    #[error("more than {MAX_COUNT} at once")]
    TooMany,
    #[error("more than one a microsecond")]
    TooFast,
    #[error("the budget takes more than a year to refill")]
    TooSlow,
}

impl RateError {
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Form => "such as `10/min`, `100/s`, `5000/day` or `3/10s`",
            Self::Period => {
                "periods are `s`, `min`, `hour`, `day`, or a number of them as in `10s`"
            }
            Self::Zero => "a limit lets something through; to forbid, write a deny",
            Self::TooMany | Self::TooFast => "a limit that nobody reaches protects nothing",
            Self::TooSlow => "give a smaller count or burst, or a shorter period",
        }
    }
}

/// A count and the period that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// 1 to [`MAX_COUNT`].
    pub(super) count: u32,
    period_us: u64,
}

impl Rate {
    pub(super) fn parse(text: &str) -> Result<Self, RateError> {
        let (count, period) = text.split_once('/').ok_or(RateError::Form)?;
        let count = number(count.trim_end())?;
        let period = period.trim_start();
        let unit = period.trim_start_matches(|c: char| c.is_ascii_digit());
        let many = match period.strip_suffix(unit) {
            Some("") | None => 1,
            Some(digits) => number(digits)?,
        };
        let (_, seconds) =
            PERIODS.iter().find(|(name, _)| *name == unit.trim_start()).ok_or(RateError::Period)?;
        if count == 0 || many == 0 {
            return Err(RateError::Zero);
        }
        if count > MAX_COUNT {
            return Err(RateError::TooMany);
        }
        let period_us = many.checked_mul(seconds * 1_000_000).ok_or(RateError::TooSlow)?;
        if period_us < count {
            return Err(RateError::TooFast);
        }
        Ok(Self { count: u32::try_from(count).map_err(|_| RateError::TooMany)?, period_us })
    }

    /// The quota with room for `burst` at once, at most [`MAX_COUNT`].
    pub(super) fn quota(self, burst: u32) -> Result<Quota, RateError> {
        // Rounded up: never more than was asked for.
        let interval_us = self.period_us.div_ceil(u64::from(self.count));
        match interval_us.checked_mul(u64::from(burst)) {
            Some(refill) if refill <= MAX_REFILL_US => Ok(Quota { interval_us, burst }),
            _ => Err(RateError::TooSlow),
        }
    }
}

/// The rate that `text`, which is none, says in words: `10 per minute`, `10/mins`.
pub(super) fn respelt(text: &str) -> Option<String> {
    let folded = text.trim().to_ascii_lowercase();
    let (count, period) = folded
        .split_once('/')
        .or_else(|| folded.split_once(" per "))
        .or_else(|| folded.split_once(" a "))
        .or_else(|| folded.split_once(" an "))?;
    let (count, period) = (count.trim(), period.trim());
    let unit = period.trim_start_matches(|c: char| c.is_ascii_digit());
    let many = period.strip_suffix(unit)?;
    let unit = unit.trim();
    let known = |name: &str| PERIODS.iter().any(|(period, _)| *period == name);
    let unit = match unit.strip_suffix('s') {
        Some(one) if !known(unit) && known(one) => one,
        _ => unit,
    };
    let written = format!("{count}/{many}{unit}");
    Rate::parse(&written).is_ok().then_some(written)
}

fn number(digits: &str) -> Result<u64, RateError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RateError::Form);
    }
    digits.parse().map_err(|_| RateError::TooMany)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_rates() {
        for (text, want) in [
            ("10 per minute", Some("10/minute")),
            ("10 Per Min", Some("10/min")),
            ("10/mins", Some("10/min")),
            ("3 / 10 secs", Some("3/10sec")),
            ("5 an hour", Some("5/hour")),
            ("10", None),
            ("ten per minute", None),
            ("0/mins", None),
            ("10/fortnight", None),
            ("10/month", None),
        ] {
            assert_eq!(respelt(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn rates() {
        for (text, want) in [
            ("10/min", Ok((6_000_000, 10))),
            ("10 / min", Ok((6_000_000, 10))),
            ("1/s", Ok((1_000_000, 1))),
            ("7/minute", Ok((8_571_429, 7))),
            ("3/10s", Ok((3_333_334, 3))),
            ("1/2h", Ok((7_200_000_000, 1))),
            ("1000000/s", Ok((1, 1_000_000))),
            ("1/366d", Ok((366 * 86_400 * 1_000_000, 1))),
            ("10", Err(RateError::Form)),
            ("/min", Err(RateError::Form)),
            ("-1/min", Err(RateError::Form)),
            ("1.5/min", Err(RateError::Form)),
            ("10/", Err(RateError::Period)),
            ("10/mins", Err(RateError::Period)),
            ("10/s/s", Err(RateError::Period)),
            ("10/5", Err(RateError::Period)),
            ("0/min", Err(RateError::Zero)),
            ("1/0s", Err(RateError::Zero)),
            ("10000001/day", Err(RateError::TooMany)),
            ("99999999999999999999999/s", Err(RateError::TooMany)),
            ("1000001/s", Err(RateError::TooFast)),
            ("1/367d", Err(RateError::TooSlow)),
            ("1/9999999999999999999d", Err(RateError::TooSlow)),
        ] {
            let quota = Rate::parse(text).and_then(|rate| rate.quota(rate.count));
            assert_eq!(quota.map(|q| (q.interval_us, u64::from(q.burst))), want, "{text}");
        }
    }
}
