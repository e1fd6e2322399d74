//! Values that tests tell apart, one of each kind.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Region;
use crate::policy::expr::formula::Test;
use crate::policy::prove::automaton::{self, Alphabet, Pattern, Reading};
use crate::policy::prove::sample;
use crate::policy::{Number, Value};

pub(super) fn words(words: &[&str]) -> Vec<Region> {
    words.iter().map(|word| Region::Value(Value::from(*word))).collect()
}

/// The texts that `tests` tell apart.
pub(super) fn texts(tests: &HashSet<Test>) -> Vec<Region> {
    let mut patterns = Vec::new();
    let mut most = None;
    let mut constants: Vec<&str> = Vec::new();
    let mut easy = true;
    // In one order, so that two runs find the same examples.
    let mut sorted: Vec<&Test> = tests.iter().collect();
    sorted.sort_by_cached_key(|test| format!("{test:?}"));
    for (id, test) in (0..).zip(sorted) {
        patterns.extend(Pattern::of(test, id));
        match test {
            Test::Equals(Value::String(text)) => constants.push(text),
            Test::Size(test) => match counted(test) {
                Some(size) => most = most.max(Some(size + 1)),
                None => easy = false,
            },
            Test::Matches(_) | Test::InNet(_) => easy = false,
            _ => {}
        }
    }
    if let Some(most) = most {
        patterns.push(Pattern::new(1 << 30, Reading::Count(most), Vec::new()));
    }
    let only_constants = patterns.len() == constants.len();
    let (found, is_complete) = if only_constants {
        // All others are alike.
        let mut all: Vec<String> = constants.iter().map(|text| (*text).to_owned()).collect();
        let known: HashSet<&str> = constants.iter().copied().collect();
        let other = ["other", "x"].map(str::to_owned).into_iter();
        let other = other.chain((0..).map(|n: u64| format!("other{n}")));
        all.extend(other.into_iter().find(|text| !known.contains(&**text)));
        (all, true)
    } else {
        let (found, is_complete) = automaton::walk(&patterns, Alphabet::Text, |_| true);
        (found.into_iter().map(|found| found.text).collect(), is_complete)
    };
    let text = |text: &String| Value::String(text.as_str().into());
    let mut regions: Vec<Region> = found.iter().map(|t| Region::Value(text(t))).collect();
    if !easy {
        regions.extend(examples(tests).into_iter().map(|t| Region::Value(text(&t))));
        // A text that is asked for as such is the only one of its kind.
        let is_alone = |text: &&String| constants.contains(&text.as_str());
        regions.extend(found.iter().filter(|t| !is_alone(t)).map(|t| Region::Open(text(t))));
    }
    if !is_complete {
        regions.push(Region::Wild);
    }
    regions
}

/// Texts for which hard tests may hold.
pub(super) fn examples(tests: &HashSet<Test>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for test in tests {
        match test {
            Test::InNet(net) => texts.push(net.addr().to_string()),
            Test::Matches(pattern) => texts.extend(sample::of(pattern.0.as_str())),
            Test::Size(test) => {
                let (Test::Equals(value) | Test::Less(value) | Test::Greater(value)) = &**test
                else {
                    continue;
                };
                let Value::Number(number) = value else { continue };
                let size = number.as_u64().unwrap_or(0).min(MAX_SAMPLE);
                texts.extend(
                    [size.saturating_sub(1), size, size + 1]
                        .map(|size| "x".repeat(usize::try_from(size).unwrap_or(0))),
                );
            }
            _ => {}
        }
    }
    texts.sort_unstable();
    texts.dedup();
    // What begins or ends as other tests ask for, with such a text in it.
    let parts: Vec<String> = texts.clone();
    for test in tests {
        match test {
            Test::StartsWith(start) => {
                texts.extend(parts.iter().map(|part| format!("{start}{part}")));
            }
            Test::EndsWith(end) => texts.extend(parts.iter().map(|part| format!("{part}{end}"))),
            Test::Equals(Value::String(text)) => texts.push(text.to_string()),
            _ => {}
        }
    }
    texts
}

/// Longest example that is written out, in characters.
const MAX_SAMPLE: u64 = 4096;

/// One number for each range that `tests` tell apart.
pub(super) fn numbers(tests: &HashSet<Test>) -> Vec<Region> {
    let mut points: Vec<&Number> = tests
        .iter()
        .filter_map(|test| match test {
            Test::Equals(Value::Number(n))
            | Test::Less(Value::Number(n))
            | Test::Greater(Value::Number(n)) => Some(n),
            _ => None,
        })
        .collect();
    points.sort_by(|a, b| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
    points.dedup();
    let mut numbers = Vec::new();
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => numbers.extend([first.below(), last.above()]),
        _ => numbers.push(Some(Number::from(1_i64))),
    }
    numbers.extend(points.iter().map(|point| Some((*point).clone())));
    numbers.extend(points.windows(2).map(|pair| match pair {
        [a, b] => a.between(b),
        _ => None,
    }));
    // It compares with nothing.
    numbers.push(Number::from_token("1e99999999999999999999"));
    // A range without an example, at the very end of what compares, is one of which nothing is said.
    let region = |number: Option<Number>| {
        number.map_or(Region::Lost, |number| Region::Value(Value::Number(number)))
    };
    numbers.into_iter().map(region).collect()
}

/// The moments that `expires` tells apart. The first one is asked about by a test that holds always.
pub(super) fn moments(tests: &HashSet<Test>) -> Vec<Region> {
    let mut ends: Vec<u64> = tests
        .iter()
        .filter_map(|test| match test {
            Test::Less(Value::Number(end)) => end.as_u64(),
            Test::Equals(Value::Number(now)) => now.as_u64(),
            _ => None,
        })
        .collect();
    let now = tests.iter().find_map(|test| match test {
        Test::Equals(Value::Number(now)) => now.as_u64(),
        _ => None,
    });
    ends.retain(|end| *end >= now.unwrap_or(0));
    ends.sort_unstable();
    ends.dedup();
    ends.into_iter().map(|end| Region::Value(Value::Number(Number::from(end)))).collect()
}

/// One address for each range that `tests` tell apart: the first one of each.
pub(super) fn addresses(tests: &HashSet<Test>) -> Vec<Region> {
    let mut v4: Vec<u32> = vec![0];
    // The range of mapped addresses, which are read as IPv4, begins and ends here.
    const MAPPED: u128 = 0xffff_0000_0000;
    let mut v6: Vec<u128> = vec![0, MAPPED, MAPPED + (1 << 32)];
    let mut is_wild = false;
    let mut ends = |first: IpAddr, last: IpAddr| match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            v4.push(first.to_bits());
            v4.extend(last.to_bits().checked_add(1));
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            v6.push(first.to_bits());
            v6.extend(last.to_bits().checked_add(1));
        }
        _ => {}
    };
    for test in tests {
        match test {
            Test::InNet(net) => ends(net.network(), net.broadcast()),
            Test::Equals(Value::String(text)) => {
                if let Ok(ip) = text.parse::<IpAddr>() {
                    ends(ip, ip);
                }
            }
            Test::Has | Test::IsNull | Test::InNothing => {}
            _ => is_wild = true,
        }
    }
    v6.extend(v4.iter().map(|bits| MAPPED + u128::from(*bits)));
    v4.sort_unstable();
    v6.sort_unstable();
    let mut all = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    all.extend(v4.into_iter().map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))));
    all.extend(v6.into_iter().map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))));
    let mut regions: Vec<Region> = all.into_iter().map(Region::Address).collect();
    if is_wild {
        regions.push(Region::Wild);
    }
    regions
}

/// The size that `test` of a size compares with, where sizes so small are counted.
pub(super) fn counted(test: &Test) -> Option<u32> {
    let (Test::Equals(value) | Test::Less(value) | Test::Greater(value)) = test else {
        return None;
    };
    let Value::Number(number) = value else { return None };
    // Compared with a fraction, a size is as compared with one of its neighbours.
    let size = (0..=MAX_COUNTED).find(|size| {
        matches!(
            Number::from(u64::from(*size)).compare(number),
            Some(std::cmp::Ordering::Equal | std::cmp::Ordering::Greater)
        )
    });
    size.or_else(|| (Number::from(0_u64).compare(number)?.is_gt()).then_some(0))
}

/// Longest text whose length is counted exactly, in characters; `size` compared with more is decided by examples.
const MAX_COUNTED: u32 = 40;
