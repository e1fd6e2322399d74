//! The values of one input, cut into regions: in each, every test that is asked of the input comes to the same.
//!
//! A region has a value that lies in it, so that a way through the diagram is a call that can be made. Where tests are asked
//! that texts cannot be cut by (`matches`, nets in texts), a region says only what the others come to; see [`Region::Open`].

mod values;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::net::IpAddr;

use ipnet::IpNet;

use self::values::{addresses, counted, moments, numbers, texts, words};
use super::diagram::Mix;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Input, Root, Test};
use crate::policy::{ClientKind, Value};
use crate::wire::mcp::Revision;

/// The kind of callers who have no claims.
pub(super) const ANONYMOUS: &str = ClientKind::Anonymous.as_str();

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
