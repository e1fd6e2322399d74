//! Durations and sizes as people write them: a whole number and a unit, nothing between.

use std::time::Duration;

/// Milliseconds in each unit of time, largest first.
const TIMES: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Bytes in each unit of size, largest first. Only powers of two: `MB` means one thing to a disk and another to a
/// memory, and a limit should mean one.
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads a duration such as `10s`. `Ok(None)` is one beyond what can be held.
///
/// # Errors
/// What to write in its place.
pub fn parse_duration(text: &str) -> Result<Option<Duration>, String> {
    let help = || "write a whole number and one of `ms`, `s`, `m`, `h`, `d`".to_owned();
    let (number, unit) = split(text).ok_or_else(help)?;
    match TIMES.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => Ok(scale(number, *factor).map(Duration::from_millis)),
        None => Err(help()),
    }
}

/// `Ok(None)` is a size beyond what can be held. `Err` says what to write.
pub(super) fn parse_size(text: &str) -> Result<Option<u64>, String> {
    let help = || "write a whole number and one of `B`, `KiB`, `MiB`, `GiB`".to_owned();
    let (number, unit) = split(text).ok_or_else(help)?;
    if let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) {
        return Ok(scale(number, *factor));
    }
    let first = unit.chars().next().map(|c| c.to_ascii_uppercase());
    match SIZES.iter().find(|(name, _)| name.len() > 1 && name.chars().next() == first) {
        Some((meant, _)) => Err(format!("did you mean `{number}{meant}`? sizes are powers of two")),
        None => Err(help()),
    }
}

/// Digits, then a unit of letters; no sign, fraction or space.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let is_unit = unit.chars().all(|c| c.is_ascii_alphabetic());
    (!number.is_empty() && is_unit).then_some((number, unit))
}

fn scale(number: &str, factor: u64) -> Option<u64> {
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A duration in the largest unit that keeps it whole: the form that is read back.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 { "0s".to_owned() } else { largest(millis, &TIMES) }
}

/// A number of bytes in the largest unit that keeps it whole: the form that is read back.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    if bytes == 0 { "0B".to_owned() } else { largest(bytes, &SIZES) }
}

fn largest(amount: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().find(|(_, factor)| amount.is_multiple_of(*factor));
    whole.map_or_else(|| amount.to_string(), |(unit, factor)| format!("{}{unit}", amount / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let ms = Duration::from_millis;
        for (text, want) in [
            ("250ms", Some(ms(250))),
            ("10s", Some(ms(10_000))),
            ("2m", Some(ms(120_000))),
            ("1h", Some(ms(3_600_000))),
            ("7d", Some(ms(604_800_000))),
            ("0s", Some(ms(0))),
            ("18446744073709551615ms", Some(ms(u64::MAX))),
            ("18446744073709551616ms", None),
            ("18446744073709551615s", None),
        ] {
            assert_eq!(parse_duration(text), Ok(want), "{text}");
            if let Some(duration) = want {
                assert_eq!(parse_duration(&format_duration(duration)), Ok(want), "{text}");
            }
        }
        for text in ["", "10", "s", "10 s", "1.5s", "-1s", "+1s", "10S", "10sec", "1m30s", "١s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, want) in [
            ("0B", Some(0)),
            ("1500B", Some(1500)),
            ("64KiB", Some(65_536)),
            ("4MiB", Some(4_194_304)),
            ("2GiB", Some(2_147_483_648)),
            ("17179869184GiB", None),
        ] {
            assert_eq!(parse_size(text), Ok(want), "{text}");
            if let Some(size) = want {
                assert_eq!(format_size(size), text);
            }
        }
        for (text, hint) in [("4MB", "4MiB"), ("4M", "4MiB"), ("64kb", "64KiB"), ("1g", "1GiB")] {
            assert!(parse_size(text).unwrap_err().contains(&format!("`{hint}`")), "{text}");
        }
        for text in ["", "4", "MiB", "4 MiB", "4.5MiB", "-4MiB", "4TiB", "4MiB "] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
