//! Numbers by their value, exactly: `1`, `1.0` and `10e-1` are one number, `0.1` and `0.10000000000000001` are two.
//!
//! By value, because a server that is built with another library, or passes through a proxy that parses and prints,
//! writes the same schema with other tokens, and an alarm at that would teach people to ignore alarms. Exactly, because
//! two numbers beyond the precision of a float must not share a digest.

/// The one spelling of the value of the JSON number `token`: a sign, the significant digits, and a power of ten.
///
/// An exponent beyond 64 bits is kept as it was written, behind a mark that no other spelling has.
pub(super) fn canonical(token: &str) -> String {
    let (is_negative, rest) = match token.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, token),
    };
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = whole.chars().chain(fraction.chars()).collect();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let kept = significant.trim_end_matches('0');
    let power = || {
        let trimmed = i64::try_from(significant.len() - kept.len()).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        exponent.parse::<i64>().ok()?.checked_sub(places)?.checked_add(trimmed)
    };
    let sign = if is_negative { "-" } else { "" };
    match power() {
        Some(power) => format!("{sign}{kept}e{power}"),
        None => format!("?{token}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_one_spelling() {
        for (tokens, want) in [
            (&["0", "-0", "0.0", "0e9", "0.000e-5"][..], "0"),
            (&["1", "1.0", "10e-1", "0.1E1", "0.1e+1", "1.000"], "1e0"),
            (&["100", "1e2", "1.0e+02", "0.001E5"], "1e2"),
            (&["-12.50", "-125e-1", "-0.125e2"], "-125e-1"),
            (&["0.1"], "1e-1"),
            (&["0.10000000000000001"], "10000000000000001e-17"),
            (&["9007199254740993"], "9007199254740993e0"),
            (&["9007199254740992"], "9007199254740992e0"),
            (&["1e400"], "1e400"),
            (&["1e99999999999999999999"], "?1e99999999999999999999"),
            (&["1e-9223372036854775808"], "1e-9223372036854775808"),
            (&["0.1e-9223372036854775808"], "?0.1e-9223372036854775808"),
        ] {
            for token in tokens {
                assert_eq!(canonical(token), want, "{token}");
            }
        }
    }
}
