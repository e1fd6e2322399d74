//! What a caller is told of its budgets: the values of `RateLimit`, `RateLimit-Policy` and `Retry-After`
//! (draft-ietf-httpapi-ratelimit-headers, RFC 9651 structured fields, RFC 9110 §10.2.3).
//!
//! Every list member is a rule's name with integer parameters; the key of a bucket is never shown.

use std::fmt::Write as _;

use super::{Standing, Wait};

/// The value of `RateLimit-Policy`: `"client";q=100;w=60, "tool.search";q=10;w=60`. `q` is what the bucket holds when
/// full, `w` the seconds in which an empty one fills. `None` for no buckets.
#[must_use]
pub fn policy<'a>(buckets: impl IntoIterator<Item = (&'a str, &'a Standing)>) -> Option<String> {
    list(buckets, |out, standing| {
        let quota = standing.quota;
        let window = seconds(quota.interval_us.saturating_mul(u64::from(quota.burst))).max(1);
        push_parameter(out, "q", u64::from(quota.burst));
        push_parameter(out, "w", window.min(SF_INTEGER_MAX));
    })
}

/// The value of `RateLimit`: `"client";r=37;t=23, "tool.search";r=0;t=4`. `None` for no buckets.
///
/// `r` is what can be asked for now. `t` is a number of seconds: for a bucket that refused, until it gives what was asked;
/// for an empty one, until it gives anything; for any other, until it is full. On a refusal, a `t` beyond `Retry-After`
/// is left out, since the draft wants `Retry-After` never to be the earlier of the two.
#[must_use]
pub fn rate_limit<'a>(
    buckets: impl IntoIterator<Item = (&'a str, &'a Standing)> + Clone,
) -> Option<String> {
    let retry = buckets
        .clone()
        .into_iter()
        .filter_map(|(_, standing)| match standing.wait {
            Wait::Micros(micros) => Some(micros),
            Wait::None | Wait::Forever => None,
        })
        .max();
    list(buckets, |out, standing| {
        push_parameter(out, "r", u64::from(standing.remaining()));
        let until = match standing.wait {
            Wait::Forever => return,
            Wait::Micros(micros) => micros,
            Wait::None if standing.remaining() == 0 => standing.next_us(),
            Wait::None => standing.reset_us,
        };
        if retry.is_none_or(|retry| until <= retry) {
            push_parameter(out, "t", seconds(until).min(SF_INTEGER_MAX));
        }
    })
}

/// The value of `Retry-After` for a wait of `wait_us` microseconds: whole seconds, rounded up, so never earlier than the
/// wait, and at least 1.
#[must_use]
pub fn retry_after(wait_us: u64) -> u64 {
    seconds(wait_us).max(1)
}

/// RFC 9651 §3.3.1: integers have at most 15 digits.
const SF_INTEGER_MAX: u64 = 999_999_999_999_999;

/// Microseconds as seconds, rounded up.
fn seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000)
}

fn list<'a>(
    buckets: impl IntoIterator<Item = (&'a str, &'a Standing)>,
    parameters: impl Fn(&mut String, &Standing),
) -> Option<String> {
    let mut out = String::with_capacity(TYPICAL);
    for (name, standing) in buckets {
        if !out.is_empty() {
            out.push_str(", ");
        }
        push_string(&mut out, name);
        parameters(&mut out, standing);
    }
    (!out.is_empty()).then_some(out)
}

/// Bytes of a value with two buckets of usual names.
const TYPICAL: usize = 64;

/// `;name=value`
fn push_parameter(out: &mut String, name: &str, value: u64) {
    out.push(';');
    out.push_str(name);
    out.push('=');
    out.push_str(itoa::Buffer::new().format(value));
}

/// A structured-field string (RFC 9651 §3.3.3): what is not printable ASCII is percent-encoded, quotes are escaped, so that
/// no rule name can end the string or the header.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.bytes().all(is_plain) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out.push('"');
}
