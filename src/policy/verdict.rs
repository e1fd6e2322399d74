//! What a decision says. Only [`super::Policy::decide`] makes a [`Permitted`] or a [`Refusal`], so a step that
//! asks for one cannot be reached around the policy.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::{PinId, RefusalStyle, RuleId, SlotSet};

/// A call that the rules allow, and what it must be counted against before it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a permission that is not admitted opens nothing"]
pub struct Permitted {
    pub(super) generation: u64,
    pub(super) basis: Basis,
    pub(super) draws: SmallVec<[Draw; 4]>,
    pub(super) bounds: Bounds,
    pub(super) shadow: SmallVec<[Shadowed; 1]>,
}

impl Permitted {
    /// A permission without a policy, for tests of what comes after the decision.
    #[cfg(test)]
    pub(crate) fn of_draws(draws: impl IntoIterator<Item = Draw>) -> Self {
        Self {
            generation: 0,
            basis: Basis::Lifecycle,
            draws: draws.into_iter().collect(),
            bounds: Bounds::default(),
            shadow: SmallVec::new(),
        }
    }

    /// Forgets the draws of rules that are not to be kept.
    pub(super) fn keep_draws(&mut self, is_kept: impl Fn(RuleId) -> bool) {
        self.draws.retain(|draw| is_kept(draw.rule));
    }

    /// Adds what `other`, another part of the same call, must be counted against.
    pub(super) fn join(&mut self, other: Self) {
        for draw in other.draws {
            match self
                .draws
                .iter_mut()
                .find(|known| (known.rule, known.key) == (draw.rule, draw.key))
            {
                Some(known) => known.cost = known.cost.saturating_add(draw.cost),
                None => self.draws.push(draw),
            }
        }
        self.bounds.tighten(&other.bounds);
        for shadowed in other.shadow {
            if !self.shadow.contains(&shadowed) {
                self.shadow.push(shadowed);
            }
        }
    }

    /// One permission for all calls of a batch, which are admitted together or not at all: what any of them must be
    /// counted against. `None` where there is no call.
    pub fn of_all(each: &[Self]) -> Option<Self> {
        let (first, rest) = each.split_first()?;
        let mut all = first.clone();
        rest.iter().for_each(|one| all.join(one.clone()));
        Some(all)
    }

    /// The generation of the policy set that allows it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How large and how long it may be.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What allows it.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// The budgets that must admit it, all or none, at most one per rule and key; of one call in the order of their rules.
    #[must_use]
    pub fn draws(&self) -> &[Draw] {
        &self.draws
    }

    /// Rules in shadow mode that matched. A [`Shadowed::draw`] is to be counted, never enforced.
    #[must_use]
    pub fn shadow(&self) -> &[Shadowed] {
        &self.shadow
    }
}

/// Why a call is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The method belongs to the built-in lifecycle set (policy-language.md §3).
    Lifecycle,
    /// An `allow` matches.
    Rule(RuleId),
}

impl Basis {
    /// The rule, where it is one.
    #[must_use]
    pub const fn rule(self) -> Option<RuleId> {
        match self {
            Self::Lifecycle => None,
            Self::Rule(rule) => Some(rule),
        }
    }
}

/// How large and how long a call may be: the least that its limits say, and which says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// From the decision to the end of the reply.
    pub timeout: Option<Bound<Duration>>,
    /// Bytes of `params.arguments`, as written.
    pub max_args: Option<Bound<u64>>,
    /// Bytes of one message of the reply, as written.
    pub max_result: Option<Bound<u64>>,
}

/// A bound, and the limit that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound<T> {
    /// Still admitted.
    pub most: T,
    /// Whose it is.
    pub rule: RuleId,
}

impl Bounds {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each of them in words: `the reply: 1048576 bytes`.
    pub(super) fn told(&self) -> Vec<String> {
        let time = self.timeout.map(|bound| {
            format!("the time: {}", crate::diagnostic::document::format_duration(bound.most))
        });
        let args = self.max_args.map(|bound| format!("the arguments: {} bytes", bound.most));
        let result = self.max_result.map(|bound| format!("the reply: {} bytes", bound.most));
        [time, args, result].into_iter().flatten().collect()
    }

    /// Takes over what `other` bounds more tightly.
    pub fn tighten(&mut self, other: &Self) {
        fn least<T: PartialOrd>(ours: &mut Option<Bound<T>>, other: Option<Bound<T>>) {
            if let Some(other) = other
                && ours.as_ref().is_none_or(|ours| other.most < ours.most)
            {
                *ours = Some(other);
            }
        }
        least(&mut self.timeout, other.timeout);
        least(&mut self.max_args, other.max_args);
        least(&mut self.max_result, other.max_result);
    }

    /// The same, as those of `rule`.
    pub(super) fn of(&self, rule: RuleId) -> Self {
        Self {
            timeout: self.timeout.map(|bound| Bound { rule, ..bound }),
            max_args: self.max_args.map(|bound| Bound { rule, ..bound }),
            max_result: self.max_result.map(|bound| Bound { rule, ..bound }),
        }
    }
}

/// A call that the rules refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) reason: Reason,
    pub(super) rule: Option<RuleId>,
    pub(super) pin: Option<PinId>,
    pub(super) message: Option<Arc<str>>,
    pub(super) style: Option<RefusalStyle>,
    pub(super) scopes: Option<Arc<[Box<str>]>>,
    pub(super) shadow: SmallVec<[Shadowed; 1]>,
}

impl Refusal {
    /// The pin `pin` refuses.
    pub(super) fn of_pin(pin: PinId, shadow: SmallVec<[Shadowed; 1]>) -> Self {
        Self {
            reason: Reason::PinChanged,
            rule: None,
            pin: Some(pin),
            message: None,
            style: None,
            scopes: None,
            shadow,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The rule that refuses, or whose scopes are missing.
    #[must_use]
    pub fn rule(&self) -> Option<RuleId> {
        self.rule
    }

    /// The pin that refuses.
    #[must_use]
    pub fn pin(&self) -> Option<PinId> {
        self.pin
    }

    /// The rule's own words to the caller.
    #[must_use]
    pub fn message(&self) -> Option<&Arc<str>> {
        self.message.as_ref()
    }

    /// The shape that the rule asks for; `None`: the route's.
    #[must_use]
    pub fn style(&self) -> Option<RefusalStyle> {
        self.style
    }

    /// With [`Reason::InsufficientScope`]: all scopes that the call needs, for the step-up challenge
    /// (mcp-protocol.md §4.2). Empty otherwise.
    #[must_use]
    pub fn scopes(&self) -> &[Box<str>] {
        self.scopes.as_deref().unwrap_or_default()
    }

    /// Rules in shadow mode that matched.
    #[must_use]
    pub fn shadow(&self) -> &[Shadowed] {
        &self.shadow
    }
}

/// Why policy refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No `allow` matches.
    DefaultDeny,
    /// A `deny` matches.
    Denied,
    /// The `allow` that matches asks for scopes that the caller does not have.
    InsufficientScope,
    /// The method is none that MCP knows, and no rule names it.
    UnknownMethod,
    /// What it would use is not what was reviewed, and a pin says that it may not be used then (T52).
    PinChanged,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::DefaultDeny,
        Self::Denied,
        Self::InsufficientScope,
        Self::UnknownMethod,
        Self::PinChanged,
    ];

    /// Whether `slug` is that of some reason.
    #[must_use]
    pub fn is_slug(slug: &str) -> bool {
        Self::ALL.into_iter().any(|reason| reason.slug() == slug)
    }

    /// The stable name for logs, metrics and `error.data.reason`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::DefaultDeny => "default_deny",
            Self::Denied => "denied",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnknownMethod => "unknown_method",
            Self::PinChanged => "pin_changed",
        }
    }
}

/// How fast a budget refills and how much it holds (GCRA, threats.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Microseconds for one unit of cost to come back: period divided by limit, rounded up. At least 1.
    pub interval_us: u64,
    /// Units that may be taken at once. At least 1; `interval_us * burst` is at most a year.
    pub burst: u32,
}

/// What a call takes from one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The `limit` it comes from.
    pub rule: RuleId,
    /// Which bucket of that rule: a keyed hash, stable over reloads and never a raw claim.
    pub key: u64,
    /// The bucket's size and speed.
    pub quota: Quota,
    /// Units taken. At least 1; more than `quota.burst` can never be admitted.
    pub cost: u32,
}

/// A rule in shadow mode that would have had a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// Which.
    pub rule: RuleId,
    /// For a `limit`: the draw that enforcing it would make.
    pub draw: Option<Draw>,
}

/// What must be known of a call before it can be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Arguments that a rule for this target reads.
    pub slots: SlotSet,
    /// Whether a rule reads `mcp.is_retry`.
    pub is_retry: bool,
}

impl Needs {
    /// Nothing but method and target.
    pub const NOTHING: Self = Self { slots: SlotSet::EMPTY, is_retry: false };

    /// What either needs.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { slots: self.slots.union(other.slots), is_retry: self.is_retry || other.is_retry }
    }
}
