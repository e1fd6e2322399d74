//! A condition as the prover reads it: Kleene logic over tests of single inputs, and over what is more than that.
//!
//! [`read`] takes a program apart. What compares one input with constants becomes a [`Test`], which can be judged on any
//! value by itself ([`Test::on`], with the very comparisons of an evaluation). What compares inputs with each other is a
//! [`Relation`]; what is neither keeps its text alone.

mod read;
mod test;

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use super::truth::Truth;
use crate::policy::{Number, Value};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Formula {
    Always(Truth),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// `condition ? then : otherwise`
    If(Box<[Self; 3]>),
    Test(Input, Test),
    Other(Arc<Other>),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::policy) struct Input {
    pub(in crate::policy) root: Root,
    /// The members down from it; of `claims` and `args` at least one.
    pub(in crate::policy) names: Box<[Box<str>]>,
}

/// The first name of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::policy) enum Root {
    /// The time of the decision, in seconds: what `expires` is compared with.
    Now,
    Route,
    Host,
    Sni,
    ClientKind,
    ClientId,
    ClientIssuer,
    ClientIp,
    ClientScopes,
    Claims,
    Revision,
    IsRetry,
    Method,
    Kind,
    Target,
    Args,
    /// The element that a loop is at.
    Element,
}

/// A question about one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Test {
    Holds,
    IsNull,
    Has,
    /// Whether it is in the empty list.
    InNothing,
    Equals(Value),
    Less(Value),
    Greater(Value),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
    Matches(Pattern),
    InNet(ipnet::IpNet),
    /// Whether the constant is an element or the name of a member.
    HasElement(Value),
    /// A test of its size, which is `Equals`, `Less` or `Greater`.
    Size(Box<Self>),
    /// `all` where `every`, else `exists`; the body reads nothing but the element itself.
    Loop {
        every: bool,
        body: Arc<Formula>,
    },
}

/// A regular expression, equal to those of the same text.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Pattern(pub(in crate::policy) Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

/// What is no test of one input.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Other {
    /// As it is written; what it says depends on nothing else.
    pub(in crate::policy) text: Box<str>,
    /// Everything that it reads.
    pub(in crate::policy) inputs: Vec<Input>,
    pub(in crate::policy) relation: Option<Relation>,
}

impl PartialEq for Other {
    fn eq(&self, other: &Self) -> bool {
        match (&self.relation, &other.relation) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self.text == other.text,
            _ => false,
        }
    }
}

impl Eq for Other {}

impl std::hash::Hash for Other {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match &self.relation {
            Some(relation) => relation.hash(state),
            None => self.text.hash(state),
        }
    }
}

/// A comparison of two values, of which at most one is constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) struct Relation {
    pub(in crate::policy) kind: RelationKind,
    pub(in crate::policy) left: Term,
    pub(in crate::policy) right: Term,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum RelationKind {
    Equal,
    /// Left before right.
    Less,
    Greater,
    StartsWith,
    EndsWith,
    Contains,
}

/// A side of a [`Relation`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Term {
    Text(Box<str>),
    Input(Input),
    /// Strings one after the other, none of them a concatenation.
    Concat(Vec<Self>),
}

impl Input {
    pub(in crate::policy) fn root(root: Root) -> Self {
        Self { root, names: Box::default() }
    }

    /// As it is written in a condition.
    pub(in crate::policy) fn text(&self) -> String {
        let root = match self.root {
            Root::Now => "the time",
            Root::Route => "request.route",
            Root::Host => "request.host",
            Root::Sni => "request.sni",
            Root::ClientKind => "client.kind",
            Root::ClientId => "client.id",
            Root::ClientIssuer => "client.issuer",
            Root::ClientIp => "client.ip",
            Root::ClientScopes => "client.scopes",
            Root::Claims => "claims",
            Root::Revision => "mcp.revision",
            Root::IsRetry => "mcp.is_retry",
            Root::Method => "mcp.method",
            Root::Kind => "mcp.kind",
            Root::Target => "mcp.target",
            Root::Args => "args",
            Root::Element => "the element",
        };
        self.names.iter().fold(root.to_owned(), |text, name| format!("{text}.{name}"))
    }

    /// Whether `other` lies below it.
    pub(in crate::policy) fn is_above(&self, other: &Self) -> bool {
        self.root == other.root
            && self.names.len() < other.names.len()
            && self.names.iter().eq(other.names.iter().take(self.names.len()))
    }

    /// The member `name` of it.
    pub(in crate::policy) fn member(&self, name: &str) -> Self {
        let names = self.names.iter().cloned().chain([name.into()]).collect();
        Self { root: self.root, names }
    }
}

impl Term {
    /// Every input in it.
    pub(in crate::policy) fn inputs(&self) -> Vec<&Input> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Input(input) => vec![input],
            Self::Concat(parts) => parts.iter().flat_map(Self::inputs).collect(),
        }
    }

    /// Whether every value of it begins with that of `other`, which reads nothing else.
    pub(in crate::policy) fn begins_with(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.parts(), other.parts());
        let Some((last, before)) = theirs.split_last() else { return true };
        let rest = ours.get(before.len());
        ours.len() >= theirs.len()
            && before.iter().eq(ours.iter().take(before.len()))
            && match (rest, last) {
                (Some(Self::Text(ours)), Self::Text(theirs)) => ours.starts_with(&**theirs),
                (rest, last) => rest == Some(last),
            }
    }

    /// Whether every value of it ends with that of `other`, which reads nothing else.
    pub(in crate::policy) fn ends_with(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.parts(), other.parts());
        let Some((first, after)) = theirs.split_first() else { return true };
        let Some(at) = ours.len().checked_sub(theirs.len()) else { return false };
        after.iter().eq(ours.iter().skip(at + 1))
            && match (ours.get(at), first) {
                (Some(Self::Text(ours)), Self::Text(theirs)) => ours.ends_with(&**theirs),
                (rest, first) => rest == Some(first),
            }
    }

    fn parts(&self) -> &[Self] {
        match self {
            Self::Concat(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// What every value of it begins with.
    pub(in crate::policy) fn beginning(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Input(_) => "",
            Self::Concat(parts) => parts.first().map_or("", Self::beginning),
        }
    }

    /// What every value of it ends with.
    pub(in crate::policy) fn end(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Input(_) => "",
            Self::Concat(parts) => parts.last().map_or("", Self::end),
        }
    }

    /// A text that every value of it contains: the longest that is known.
    pub(in crate::policy) fn inner(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Input(_) => "",
            Self::Concat(parts) => {
                parts.iter().map(Self::inner).max_by_key(|text| text.len()).unwrap_or("")
            }
        }
    }
}

impl Formula {
    /// Calls `seen` with every test and everything else that the formula reads. Bodies of loops are parts of tests.
    pub(in crate::policy) fn visit<'f>(&'f self, seen: &mut impl FnMut(&'f Self)) {
        match self {
            Self::Always(_) => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(seen)),
            Self::Not(part) => part.visit(seen),
            Self::If(parts) => parts.iter().for_each(|part| part.visit(seen)),
            Self::Test(..) | Self::Other(_) => seen(self),
        }
    }

    /// Whether its input has a value of `root`.
    pub(in crate::policy) fn reads(&self, is: impl Fn(Root) -> bool) -> bool {
        let mut reads = false;
        self.visit(&mut |part| match part {
            Self::Test(input, _) => reads |= is(input.root),
            Self::Other(other) => reads |= other.inputs.iter().any(|input| is(input.root)),
            _ => {}
        });
        reads
    }
}

impl Number {
    /// A test of order or equality needs a number that compares.
    fn is_ordered(&self) -> bool {
        !self.is_beyond()
    }
}

/// Where an atom stands in its expression.
pub(super) type Place = Range<usize>;
