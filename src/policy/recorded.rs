//! What a record of a decision must hold, so that the decision can be made again: the claims and arguments that a set reads.

use super::expr::{Expr, Path, Reads, Root};
use super::index::members;
use super::selector::Question;
use super::stanza::{Body, Budget, Predicate, Stanza};
use super::target::Target;
use super::types::Types;
use super::{Captures, Needs, Object, Policy, Principal, Value};

/// A claim that some rule reads, or that `schema.toml` declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadClaim {
    pointer: Box<str>,
    names: Box<[Box<str>]>,
}

impl ReadClaim {
    /// Its name in records: a JSON Pointer (RFC 6901) below `{claims, args}`, such as `/claims/plan`.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Its value, where `principal` has it.
    #[must_use]
    pub fn of<'p>(&self, principal: &'p Principal) -> Option<&'p Value> {
        self.names.iter().try_fold(principal.claims(), |value, name| value.member(name))
    }
}

/// What a verdict about one thing can depend on, besides that thing, the caller, the route and the revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depends {
    /// Arguments, and whether it is a leg of a multi-round-trip request.
    pub needs: Needs,
    /// `client.ip` and `request.*`.
    pub context: bool,
    /// The time: a rule expires, or has.
    pub time: bool,
}

impl Policy {
    /// What a verdict about a call of `method` on `object` can depend on.
    #[must_use]
    pub fn depends(&self, method: &str, object: Option<&Object>) -> Depends {
        let of = object.map(|object| (object.kind, &*object.name));
        let target = Target::new(method, of, false);
        let mut depends =
            Depends { needs: self.needs(method, object), context: false, time: false };
        for id in self.index.candidates(&target, Question::Use).blocks().flat_map(members) {
            let Some(rule) = self.stanzas.get(id as usize) else { continue };
            depends.time |= rule.expires.is_some();
            let reads = |expr: &Expr| expr.reads().any_of(Reads::CONTEXT);
            depends.context |= self.condition(id).is_some_and(reads);
        }
        depends
    }
}

/// What the rules of a set read.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    /// By pointer, none twice.
    pub(super) claims: Box<[ReadClaim]>,
    /// By slot.
    pub(super) args: Box<[Box<str>]>,
}

impl Recorded {
    pub(super) fn of(
        stanzas: &[Stanza],
        predicates: &[Predicate],
        captures: &Captures,
        types: &Types,
    ) -> Self {
        let budgets = stanzas.iter().filter_map(|rule| match &rule.body {
            Body::Limit(limit) => limit.budget.as_ref(),
            Body::Allow { .. } | Body::Deny => None,
        });
        let of_paths = budgets.flat_map(Budget::paths).filter_map(Path::root);
        let read = predicates.iter().flat_map(|it| Expr::roots(&it.expr)).chain(of_paths);
        let read = read.filter_map(|root| match root {
            Root::Claim(names) => Some(names.to_vec()),
            Root::Arg(_) => None,
        });
        let mut claims: Vec<ReadClaim> = read
            .chain(declared(types))
            .map(|names| ReadClaim { pointer: pointer("claims", &names), names: names.into() })
            .collect();
        claims.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        claims.dedup();
        let slots = 0..u8::try_from(captures.len()).unwrap_or(u8::MAX);
        let args = slots.map(|slot| pointer("args", &captures.path(slot)));
        Self { claims: claims.into(), args: args.collect() }
    }
}

/// The paths of all claims that the schema declares and that have none declared below them.
fn declared(types: &Types) -> Vec<Vec<Box<str>>> {
    let Some(claims) = types.claims() else { return Vec::new() };
    let mut found = Vec::new();
    let mut open: Vec<Vec<Box<str>>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let below = claims.names(&path).into_iter().map(|name| {
            let mut below = path.clone();
            below.push(name.into());
            below
        });
        // The claims that every token has are known without being declared, and are recorded where they are read.
        let below: Vec<_> = below.filter(|path| claims.span(path).is_some()).collect();
        if below.is_empty() && !path.is_empty() {
            found.push(path);
        }
        open.extend(below);
    }
    found
}

/// The JSON Pointer of `names` below `root`.
pub(super) fn pointer(root: &str, names: &[impl AsRef<str>]) -> Box<str> {
    let mut text = format!("/{root}");
    for name in names {
        text.push('/');
        text.push_str(&name.as_ref().replace('~', "~0").replace('/', "~1"));
    }
    text.into()
}
