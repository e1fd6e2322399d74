//! Rules as they are evaluated: what the language made of a stanza.

use std::sync::Arc;

use super::expr::{Expr, Path, Reads};
use super::index::Entry;
use super::selector::{Pattern, Question, Space, Subject};
use super::target::{Acts, Target};
use super::{Bounds, Effect, Mode, Needs, Quota, SlotSet, UnixTime};
use crate::diagnostic::Span;

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Stanza {
    pub(super) name: Arc<str>,
    pub(super) mode: Mode,
    /// Whether it has no selector, and so speaks of everything.
    pub(super) is_everything: bool,
    pub(super) patterns: Box<[(Space, Pattern)]>,
    /// Index of its condition in the set's predicates; no condition holds always.
    pub(super) when: Option<u32>,
    /// The routes that it is for; empty for all.
    pub(super) routes: Box<[Box<str>]>,
    /// The first second at which it no longer applies.
    pub(super) expires: Option<UnixTime>,
    pub(super) body: Body,
}

/// What a rule does.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Deny,
    Allow {
        /// All of them are needed.
        scopes: Arc<[Box<str>]>,
    },
    Limit(Box<Limit>),
}

/// How much of something.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    /// How often, where that is limited.
    pub(super) budget: Option<Budget>,
    pub(super) bounds: Bounds,
}

/// How often something may be done.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// What tells buckets apart; empty for one bucket for all callers.
    pub(super) per: Box<[Path]>,
    pub(super) tier: Option<Path>,
    pub(super) tiers: Box<[(Box<str>, Quota)]>,
    /// For a tier that is not in the table; without a tier, for everybody.
    pub(super) otherwise: Quota,
    pub(super) cost: Cost,
}

/// What one call takes.
#[derive(Clone, Debug)]
pub(super) enum Cost {
    Fixed(u32),
    /// The number at the path, rounded up, at least 1. Where there is none: all that the bucket can hold.
    At(Box<Path>),
}

/// An `[[assert]]`.
#[derive(Clone, Debug)]
pub(super) struct Assert {
    /// As the rule that it is like: `never` speaks of what a deny of the same words would refuse, `always` of what an allow
    /// of the same words would permit.
    pub(super) stanza: Stanza,
    /// Its `name`.
    pub(super) span: Span,
}

/// A condition, shared by the rules that have the same text.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    pub(super) expr: Expr,
    /// Its place in the memo of a principal, where it depends on nothing else.
    pub(super) memo: Option<u32>,
}

impl Stanza {
    /// What the index reads of it.
    pub(super) fn entry(&self) -> Entry<'_> {
        let Self { is_everything, patterns, .. } = self;
        Entry { effect: self.effect(), is_everything: *is_everything, patterns }
    }

    pub(super) fn effect(&self) -> Effect {
        match self.body {
            Body::Deny => Effect::Deny,
            Body::Allow { .. } => Effect::Allow,
            Body::Limit(_) => Effect::Limit,
        }
    }

    /// Whether it permits only callers with some scope.
    pub(super) fn asks_for_scopes(&self) -> bool {
        matches!(&self.body, Body::Allow { scopes } if !scopes.is_empty())
    }

    /// Whether it allows what it selects to everybody, everywhere and for ever.
    pub(super) fn is_unconditional_allow(&self) -> bool {
        let needs_no_scope = match &self.body {
            Body::Allow { scopes } => scopes.is_empty(),
            Body::Deny | Body::Limit(_) => false,
        };
        needs_no_scope && self.when.is_none() && self.routes.is_empty() && self.expires.is_none()
    }

    /// Whether its selectors match: the definition, which the index must agree with.
    pub(super) fn selects(&self, target: &Target<'_>, question: Question) -> bool {
        let is_allow = self.effect() == Effect::Allow;
        if self.is_everything {
            return !is_allow || target.subject.is_regular;
        }
        let selects = |subject: &Subject<'_>| {
            self.patterns.iter().any(|(space, pattern)| {
                *space == subject.space && pattern.matches(subject, question)
            })
        };
        selects(&target.subject)
            || match &target.acts {
                Acts::OnNothing => false,
                Acts::On(subject) => selects(subject),
                Acts::OnUnread(kinds) => {
                    let is_of = |space: &Space| kinds.iter().any(|kind| Space::of(*kind) == *space);
                    !is_allow && self.patterns.iter().any(|(space, _)| is_of(space))
                }
            }
    }

    /// Whether its selectors match the method of `target`, whatever that acts on.
    pub(super) fn selects_method(&self, target: &Target<'_>) -> bool {
        let subject = &target.subject;
        self.patterns.iter().any(|(space, pattern)| {
            *space == subject.space && pattern.matches(subject, Question::Use)
        })
    }

    /// What must be known of a call before it can be evaluated.
    pub(super) fn needs(&self, predicates: &[Predicate]) -> Needs {
        let mut slots = SlotSet::EMPTY;
        let mut is_retry = false;
        if let Some(predicate) = self.when.and_then(|at| predicates.get(at as usize)) {
            slots = slots.union(predicate.expr.slots());
            is_retry |= predicate.expr.reads().any_of(Reads::IS_RETRY);
        }
        if let Body::Limit(limit) = &self.body {
            for path in limit.budget.iter().flat_map(Budget::paths) {
                slots = slots.union(path.slots());
                is_retry |= path.reads().any_of(Reads::IS_RETRY);
            }
        }
        Needs { slots, is_retry }
    }
}

impl Budget {
    /// Every path that it reads.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let cost = match &self.cost {
            Cost::Fixed(_) => None,
            Cost::At(path) => Some(&**path),
        };
        self.per.iter().chain(&self.tier).chain(cost)
    }
}
