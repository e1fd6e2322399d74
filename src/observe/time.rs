//! RFC 3339 times. Pure.

use super::escape::number;

/// Appends `millis` (milliseconds since 1970-01-01T00:00:00Z) as `2026-11-22T10:43:38.123Z`.
pub(super) fn rfc3339(out: &mut Vec<u8>, millis: u64) {
    let (days, in_day) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = civil(days);
    number(out, year);
    for (mark, value) in [
        (b'-', month),
        (b'-', day),
        (b'T', in_day / 3_600_000),
        (b':', in_day / 60_000 % 60),
        (b':', in_day / 1000 % 60),
    ] {
        out.push(mark);
        two(out, value);
    }
    out.push(b'.');
    out.push(digit(in_day % 1000 / 100));
    two(out, in_day % 100);
    out.push(b'Z');
}

fn two(out: &mut Vec<u8>, value: u64) {
    out.extend([digit(value / 10 % 10), digit(value % 10)]);
}

fn digit(value: u64) -> u8 {
    // Below ten by construction.
    b'0' + u8::try_from(value).unwrap_or(0)
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The milliseconds since 1970-01-01T00:00:00Z that `text` stands for: what `rfc3339` writes, or a start of it that ends with
/// the day, the minute, the second or a fraction of three digits. `None` where it is anything else.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    // Of one length, so that no look at a byte of it can fail: it is done for every line of a log.
    let mut bytes = [0; 24];
    bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range)?.iter().try_fold(0_u64, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
        })
    };
    let mark = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    if !mark(4, b'-') || !mark(7, b'-') || !(1970..=9999).contains(&year) {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u64::from(is_leap),
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let days = days(year, month, day);
    let of_day = |hour: u64, minute: u64, second: u64| {
        (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
    };
    let is_utc = text.ends_with('Z');
    let (seconds, millis) = match text.len() - usize::from(is_utc) {
        10 if !is_utc => (0, 0),
        16 if mark(10, b'T') && mark(13, b':') => (of_day(digits(11..13)?, digits(14..16)?, 0)?, 0),
        length @ (19 | 23) if mark(10, b'T') && mark(13, b':') && mark(16, b':') => {
            let millis = match length {
                19 => 0,
                _ if mark(19, b'.') => digits(20..23)?,
                // An offset, or nothing that is a time.
                _ => return None,
            };
            (of_day(digits(11..13)?, digits(14..16)?, digits(17..19)?)?, millis)
        }
        _ => return None,
    };
    Some((days * 86_400 + seconds) * 1000 + millis)
}

/// Reads times that mostly follow on one another: the minute of the last one is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Up to the minute, with the colon behind it; `None`: there was none.
    minute: Option<[u8; 17]>,
    /// When it began.
    began_ms: u64,
}

impl Clock {
    /// What [`parse_rfc3339`] makes of `text`.
    pub fn parse(&mut self, text: &str) -> Option<u64> {
        if let Some((minute, rest)) = text.as_bytes().split_first_chunk()
            && let [a, b, b'.', c, d, e, b'Z'] = rest
            && self.minute == Some(*minute)
            && let [a, b, c, d, e] =
                [a, b, c, d, e].map(|digit| u64::from(digit.wrapping_sub(b'0')))
            && a < 6
            && [b, c, d, e].iter().all(|digit| *digit < 10)
        {
            return Some(self.began_ms + (a * 10 + b) * 1000 + c * 100 + d * 10 + e);
        }
        let time = parse_rfc3339(text)?;
        // Of a time without seconds, the colon is missing.
        if let Some(minute) = text.as_bytes().first_chunk()
            && minute.ends_with(b":")
        {
            *self = Self { minute: Some(*minute), began_ms: time - time % 60_000 };
        }
        Some(time)
    }
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_344_218_042, "2026-11-22T10:43:38.042Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (millis, expected) in cases {
            let mut out = Vec::new();
            rfc3339(&mut out, millis);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            assert_eq!(parse_rfc3339(expected), Some(millis));
        }
    }

    /// A clock reads what is read without one, whatever it read before.
    #[test]
    fn clocks() {
        let mut clock = Clock::default();
        let nul = format!("{}00.000Z", "\0".repeat(17));
        for text in [
            &*nul,
            "1970-01-01T00:01:01.002Z",
            "1970-01-01T00:01:59.999Z",
            "1970-01-01T00:01:60.000Z",
            "1970-01-01T00:01:0a.000Z",
            "1970-01-01T00:01:00.00/Z",
            "1970-01-01T00:01:00.000z",
            "1970-01-01T00:01:00,000Z",
            "1970-01-01T00:01:00.000",
            "1970-01-01T00:01:00Z",
            "1970-01-01T00:01:00.0000Z",
            "1970-01-01T00:02Z",
            "1970-01-01T00:02",
            "1970-01-01T00:02:00.000Z",
            "1970-01-01T00:03:07",
            "1970-01-01T00:03:08.100Z",
            "1970-01-01T24:03:08.100Z",
            "1970-01-01T24:03:09.100Z",
            "1970-01-01T00:03:",
            "",
        ] {
            for _ in 0..2 {
                assert_eq!(clock.parse(text), parse_rfc3339(text), "{text}");
            }
        }
    }

    #[test]
    fn starts_of_times_and_what_is_none() {
        for (text, expected) in [
            ("1970-01-02", Some(86_400_000)),
            ("1970-01-01T00:01", Some(60_000)),
            ("1970-01-01T00:01Z", Some(60_000)),
            ("1970-01-01T00:00:01Z", Some(1000)),
            ("", None),
            ("Z", None),
            ("1970-01-02Z", None),
            ("1970-02-30", None),
            ("1970-02-29", None),
            ("2000-02-29", Some(951_782_400_000)),
            ("2100-02-29", None),
            ("2026-04-31", None),
            ("2026-12-31", Some(1_798_675_200_000)),
            ("2026-01-00", None),
            ("2026-00-01", None),
            ("1970-13-01", None),
            ("1969-12-31", None),
            ("1970-01-01T24:00", None),
            ("1970-01-01 00:00", None),
            ("1970-01-01T00:00:00.00", None),
            ("1970-01-01T00:00:00.001", Some(1)),
            ("1970-01-01T00:00:00+01:", None),
            ("1970-01-01T00:00:00X123", None),
            ("1970-01-01T00:00:00+123Z", None),
            ("+970-01-01", None),
            ("19é0-01-01", None),
        ] {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
    }
}
