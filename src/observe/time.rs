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
        }
    }
}
