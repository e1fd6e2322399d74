//! The values of one input, cut into regions: in each, every test that is asked of the input comes to the same.
//!
//! A region has a value that lies in it, so that a way through the diagram is a call that can be made. Where tests are asked
//! that texts cannot be cut by (`matches`, nets in texts), a region says only what the others come to; see [`Region::Open`].

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::automaton::{self, Alphabet, Pattern, Reading};
use super::diagram::Mix;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Input, Root, Test};
use crate::policy::selector::{Class, Step};
use crate::policy::{ClientKind, Number, Value};
use crate::wire::mcp::Revision;

/// The kind of callers who have no claims.
pub(super) const ANONYMOUS: &str = ClientKind::Anonymous.as_str();

/// Longest text whose length is counted exactly, in characters; `size` compared with more is decided by examples.
const MAX_COUNTED: u32 = 40;

/// Some values of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Region {
    Absent,
    /// An argument larger than what is kept.
    TooLarge,
    /// All values that no test tells from this one.
    Value(Value),
    Address(IpAddr),
    /// All lists; what is in them is said by variables of their own.
    List,
    /// All objects; their members are inputs of their own.
    Map,
    /// The texts that no test but the hard ones tells from this one.
    Open(Value),
    /// Any text: the cutting was given up.
    Wild,
    /// Values of which nothing is known.
    Lost,
}

/// What a test comes to in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Judged {
    Is(Truth),
    /// True or false.
    Decided,
    /// Any of the three.
    Any,
}

/// The regions of an input.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    /// The likelier before the odder: an example takes the first that fits.
    pub(super) all: Vec<Region>,
    /// By test, by region; of lists and objects only what holds for all of them.
    pub(super) truths: HashMap<Test, Vec<Judged>>,
    /// For lists: the regions of their elements, and what the tests of elements come to there.
    pub(super) elements: Option<Box<Self>>,
    /// Whether every value lies in one of them.
    pub(super) is_complete: bool,
}

/// Cuts `input` by `tests`; `has_members` where a member of it is an input, too, `is_compared` where it is compared with
/// other inputs, so that types must be told apart.
pub(super) fn cut(
    input: &Input,
    tests: &HashSet<Test>,
    has_members: bool,
    is_compared: bool,
) -> Regions {
    let mut candidates: Vec<Region> = Vec::new();
    let texts = |preferred: &[&str]| {
        let mut all: Vec<Region> =
            preferred.iter().map(|text| Region::Value(Value::from(*text))).collect();
        all.extend(texts(tests));
        all
    };
    let mut is_listed = false;
    match input.root {
        Root::ClientKind => candidates.extend(words(&["jwt", ANONYMOUS, "api_key", "mtls"])),
        Root::Revision => {
            let default = Revision::V2025_11_25;
            let all = Revision::ALL.into_iter().filter(|revision| *revision != default);
            let names: Vec<&str> =
                std::iter::once(default).chain(all).map(Revision::as_str).collect();
            candidates.extend(words(&names));
        }
        Root::IsRetry => {
            candidates.extend([false, true].map(|is| Region::Value(Value::Bool(is))));
        }
        Root::Now => candidates.extend(moments(tests)),
        Root::Route => candidates.extend(texts(&["default"])),
        Root::Host => candidates.extend(texts(&["localhost"])),
        Root::ClientId | Root::ClientIssuer | Root::Sni => {
            candidates.push(Region::Absent);
            candidates.extend(texts(&[]));
        }
        Root::ClientIp => candidates.extend(addresses(tests)),
        Root::ClientScopes => {
            candidates.push(Region::List);
            is_listed = true;
        }
        Root::Method | Root::Kind | Root::Target => {}
        Root::Claims | Root::Args | Root::Element => {
            if input.root != Root::Element {
                candidates.push(Region::Absent);
            }
            candidates.extend(texts(&[]));
            candidates.extend(numbers(tests));
            candidates.extend([true, false].map(|is| Region::Value(Value::Bool(is))));
            candidates.push(Region::Value(Value::Null));
            let looks_inside = |test: &Test| {
                matches!(
                    test,
                    Test::HasElement(_)
                        | Test::Loop { .. }
                        | Test::Size(_)
                        | Test::Equals(Value::List(_))
                )
            };
            let inside = tests.iter().any(looks_inside);
            is_listed = inside && input.root != Root::Element;
            let (list, map) = if inside || has_members {
                (Region::List, Region::Map)
            } else {
                (Region::Value(Value::List(Vec::new())), Region::Value(Value::Map(Vec::new())))
            };
            candidates.extend([list, map]);
            if input.root == Root::Args {
                candidates.push(Region::TooLarge);
            }
        }
    }
    let elements = is_listed.then(|| Box::new(elements(input, tests)));
    // INVARIANT: what says something of other inputs (`Model::constrain`) has a region of its own, even where no test of this
    // input tells it from another. Who is anonymous has no claims; of what is too large, members may be known all the same.
    let is_apart = |region: &Region| match region {
        Region::TooLarge => has_members,
        Region::Value(kind) => input.root == Root::ClientKind && kind.as_str() == Some(ANONYMOUS),
        _ => false,
    };
    Regions::new(candidates, tests, elements, is_compared, is_apart)
}

/// Cuts what lists of `input` hold.
fn elements(input: &Input, tests: &HashSet<Test>) -> Regions {
    let mut asked: HashSet<Test> = HashSet::new();
    for test in tests {
        match test {
            Test::HasElement(value) => {
                asked.insert(Test::Equals(value.clone()));
            }
            Test::Loop { body, .. } => body.visit(&mut |part| {
                if let crate::policy::expr::formula::Formula::Test(_, test) = part {
                    asked.insert(test.clone());
                }
            }),
            _ => {}
        }
    }
    if input.root == Root::ClientScopes {
        return Regions::new(texts(&asked), &asked, None, false, |_| false);
    }
    cut(&Input::root(Root::Element), &asked, false, false)
}

impl Regions {
    /// One region for all candidates that no test tells apart, and one for each that `is_apart`.
    fn new(
        candidates: Vec<Region>,
        tests: &HashSet<Test>,
        elements: Option<Box<Self>>,
        by_type: bool,
        is_apart: impl Fn(&Region) -> bool,
    ) -> Self {
        let mut is_complete = elements.as_ref().is_none_or(|elements| elements.is_complete);
        let tests: Vec<&Test> = tests.iter().collect();
        // A row has a word for each test: hashing them was a quarter of the work, and nobody outside writes them.
        let mut known: HashSet<(u8, Vec<Judged>), BuildHasherDefault<Mix>> = HashSet::default();
        let mut all = Vec::new();
        let mut truths: Vec<Vec<Judged>> = vec![Vec::new(); tests.len()];
        for region in candidates {
            let row: Vec<Judged> = tests.iter().map(|test| region.judge(test)).collect();
            // Lists and objects are more than their row.
            let is_plain = !matches!(region, Region::List | Region::Map) && !is_apart(&region);
            is_complete &= region != Region::Lost;
            let kind = if by_type { region.kind() } else { 0 };
            if is_plain && !known.insert((kind, row.clone())) {
                continue;
            }
            for (truths, judged) in truths.iter_mut().zip(row) {
                truths.push(judged);
            }
            all.push(region);
        }
        let truths = tests.into_iter().cloned().zip(truths).collect();
        Self { all, truths, elements, is_complete }
    }
}

impl Region {
    /// What `test` comes to for all values here.
    pub(super) fn judge(&self, test: &Test) -> Judged {
        let list = || Value::List(Vec::new());
        match self {
            Self::Absent => Judged::Is(test.on(None)),
            Self::TooLarge => Judged::Is(test.on(Some(None))),
            Self::Value(value) => Judged::Is(test.on(Some(Some(value)))),
            Self::Address(ip) => Judged::Is(match test {
                Test::InNet(net) => Truth::from(contains(net, *ip)),
                test => test.on(Some(Some(&Value::String(ip.to_canonical().to_string().into())))),
            }),
            Self::List => match test {
                Test::HasElement(_) | Test::Loop { .. } | Test::Equals(Value::List(_)) => {
                    Judged::Any
                }
                Test::Size(_) => Judged::Decided,
                test => Judged::Is(test.on(Some(Some(&list())))),
            },
            Self::Map => match test {
                Test::HasElement(Value::String(_)) | Test::Size(_) => Judged::Decided,
                test => Judged::Is(test.on(Some(Some(&Value::Map(Vec::new()))))),
            },
            Self::Open(_) if is_hard(test) => match test {
                Test::InNet(_) => Judged::Any,
                _ => Judged::Decided,
            },
            Self::Open(like) => Judged::Is(test.on(Some(Some(like)))),
            Self::Lost => Judged::Any,
            Self::Wild => match test {
                Test::Has => Judged::Is(Truth::True),
                Test::IsNull | Test::InNothing => Judged::Is(Truth::False),
                _ => Judged::Any,
            },
        }
    }

    /// Whether only texts are here.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::Value(Value::String(_)) | Self::Address(_) | Self::Open(_) | Self::Wild => true,
            Self::Absent
            | Self::TooLarge
            | Self::Value(_)
            | Self::List
            | Self::Map
            | Self::Lost => false,
        }
    }

    /// A number for its type.
    fn kind(&self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::TooLarge => 1,
            region if region.is_text() => 2,
            Self::Value(Value::Number(_)) => 3,
            Self::Value(Value::Bool(_)) => 4,
            Self::Value(Value::Null) => 5,
            Self::List | Self::Value(Value::List(_)) => 6,
            _ => 7,
        }
    }

    /// Whether the region is one that examples are taken from.
    pub(super) fn is_concrete(&self) -> bool {
        !matches!(self, Self::Open(_) | Self::Wild | Self::Lost)
    }
}

fn contains(net: &IpNet, ip: IpAddr) -> bool {
    net.contains(&ip) || net.contains(&ip.to_canonical())
}

/// Whether texts cannot be cut by it.
fn is_hard(test: &Test) -> bool {
    match test {
        Test::Matches(_) | Test::InNet(_) => true,
        Test::Size(test) => counted(test).is_none(),
        _ => false,
    }
}

/// The size that `test` of a size compares with, where sizes so small are counted.
fn counted(test: &Test) -> Option<u32> {
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

fn words(words: &[&str]) -> Vec<Region> {
    words.iter().map(|word| Region::Value(Value::from(*word))).collect()
}

/// The texts that `tests` tell apart.
fn texts(tests: &HashSet<Test>) -> Vec<Region> {
    let mut patterns = Vec::new();
    let mut most = None;
    let chars = |text: &str| text.chars().map(Step::Char).collect::<Vec<_>>();
    let any = Step::Many(Class::Any);
    let mut add = |reading, steps| {
        let id = u32::try_from(patterns.len()).unwrap_or(u32::MAX);
        patterns.push(Pattern { id, reading, steps });
    };
    let mut constants: Vec<&str> = Vec::new();
    let mut easy = true;
    // In one order, so that two runs find the same examples.
    let mut sorted: Vec<&Test> = tests.iter().collect();
    sorted.sort_by_cached_key(|test| format!("{test:?}"));
    for test in sorted {
        match test {
            Test::Equals(Value::String(text)) => {
                constants.push(text);
                add(Reading::Plain, chars(text));
            }
            Test::Less(Value::String(text)) => add(Reading::Less, chars(text)),
            Test::Greater(Value::String(text)) => add(Reading::Greater, chars(text)),
            Test::StartsWith(text) => add(Reading::Plain, [chars(text), vec![any]].concat()),
            Test::EndsWith(text) => add(Reading::Plain, [vec![any], chars(text)].concat()),
            Test::Contains(text) => {
                add(Reading::Plain, [vec![any], chars(text), vec![any]].concat());
            }
            Test::Size(test) => match counted(test) {
                Some(size) => most = most.max(Some(size + 1)),
                None => easy = false,
            },
            Test::Matches(_) | Test::InNet(_) => easy = false,
            _ => {}
        }
    }
    if let Some(most) = most {
        patterns.push(Pattern { id: 1 << 30, reading: Reading::Count(most), steps: Vec::new() });
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
        regions.extend(found.iter().map(|t| Region::Open(text(t))));
    }
    if !is_complete {
        regions.push(Region::Wild);
    }
    regions
}

/// Texts for which hard tests may hold.
fn examples(tests: &HashSet<Test>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for test in tests {
        match test {
            Test::InNet(net) => texts.push(net.addr().to_string()),
            Test::Matches(pattern) => texts.extend(super::sample::of(pattern.0.as_str())),
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
fn numbers(tests: &HashSet<Test>) -> Vec<Region> {
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
fn moments(tests: &HashSet<Test>) -> Vec<Region> {
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
fn addresses(tests: &HashSet<Test>) -> Vec<Region> {
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
