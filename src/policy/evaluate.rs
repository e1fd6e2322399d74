//! One evaluation: the rules that the index found, in order, against one call. `decide` and `explain` both run this;
//! they differ in who listens.

use std::sync::Arc;

use smallvec::SmallVec;

use super::draw::draw;
use super::expr::{Scope, Truth};
use super::index::{Block, members};
use super::memo::Memo;
use super::missing::Supposed;
use super::selector::Question;
use super::stanza::{Body, Budget, Stanza};
use super::target::Traits;
use super::{
    Basis, Bounds, Draw, Effect, Mode, Permitted, Policy, Reason, Refusal, RuleId, Shadowed,
    UnixTime,
};
use crate::wire::mcp::Method;

/// Who listens to an evaluation.
pub(super) trait Listener {
    /// Whether it wants to hear of rules that can no longer change the verdict.
    const HEARS_ALL: bool;

    /// Rule `id`, whose selectors match, came to `outcome`.
    fn heard(&mut self, id: u32, outcome: Outcome);

    /// Limit `id` applies and draws `draw`.
    fn drawn(&mut self, draw: &Draw);
}

/// Listens to nothing.
pub(super) struct Deaf;

impl Listener for Deaf {
    const HEARS_ALL: bool = false;

    fn heard(&mut self, _: u32, _: Outcome) {}

    fn drawn(&mut self, _: &Draw) {}
}

/// What a rule whose selectors match comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its last day is over.
    Expired,
    /// It is for other routes.
    OtherRoute,
    /// Its condition came to this, which is not enough for it to apply.
    Condition(Truth),
    /// It would allow the call, had the caller the scopes that it asks for.
    MissingScopes,
    /// It applies.
    Applies,
}

/// An evaluation about to run.
pub(super) struct Evaluation<'a> {
    pub(super) policy: &'a Policy,
    pub(super) scope: Scope<'a>,
    pub(super) now: UnixTime,
    pub(super) memo: Option<&'a Memo>,
    /// What is not known, and for whom that speaks; `None`: all is known.
    pub(super) supposed: Option<Supposed<'a>>,
}

/// What has been found so far.
#[derive(Default)]
struct Findings {
    denied: Option<RuleId>,
    allowed: Option<RuleId>,
    /// The first allow that only lacks scopes.
    step_up: Option<RuleId>,
    draws: SmallVec<[Draw; 4]>,
    bounds: Bounds,
    shadow: SmallVec<[Shadowed; 1]>,
}

impl Evaluation<'_> {
    /// Decides a call on `target`, of which the rules in `blocks` speak.
    pub(super) fn run<L: Listener>(
        &self,
        target: Traits,
        blocks: impl Iterator<Item = Block>,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let mut found = Findings::default();
        let Traits { is_ambiguous, is_of_task, .. } = target;
        'rules: for block in blocks {
            let mut live = block;
            if !L::HEARS_ALL {
                live.bits &= !self.memo.map_or(0, |memo| memo.dead(block.at));
            }
            for id in members(live) {
                let Some(rule) = self.policy.stanzas.get(id as usize) else { continue };
                if is_ambiguous && rule.effect() == Effect::Allow {
                    continue;
                }
                if !L::HEARS_ALL {
                    match found.interest(rule, target) {
                        Interest::Some => {}
                        Interest::None => continue,
                        Interest::End => break 'rules,
                    }
                }
                // A poll of a task is no call of its tool, and costs none of that tool's budget.
                if is_of_task
                    && rule.effect() == Effect::Limit
                    && !rule.selects(&target.of_method_alone(), Question::Use)
                {
                    continue;
                }
                let outcome = self.outcome(id, rule, is_of_task);
                listener.heard(id, outcome);
                found.add(self, id, rule, outcome, target, listener);
            }
        }
        found.verdict(self.policy, target)
    }

    /// What `rule`, whose selectors match, comes to. With arguments that are free an allow applies where some let it, and a
    /// deny where none keep it from applying.
    pub(super) fn outcome(&self, id: u32, rule: &Stanza, has_free_args: bool) -> Outcome {
        if !rule.is_current(self.now) {
            return Outcome::Expired;
        }
        if !rule.is_for(self.scope.context.route) {
            return Outcome::OtherRoute;
        }
        let supposed =
            self.supposed.and_then(|supposed| self.supposed_truth(rule, supposed, has_free_args));
        let known = || match (has_free_args, rule.effect()) {
            (false, _) | (true, Effect::Limit) => self.truth(id, rule),
            (true, Effect::Allow) => self.possible(id, rule).at_best(Truth::True),
            (true, Effect::Deny) => self.possible(id, rule).at_best(Truth::False),
        };
        let truth = supposed.unwrap_or_else(known);
        match &rule.body {
            Body::Allow { .. } if truth != Truth::True => Outcome::Condition(truth),
            Body::Deny | Body::Limit(_) if truth == Truth::False => Outcome::Condition(truth),
            Body::Allow { scopes } if !self.has_supposed(scopes) => Outcome::MissingScopes,
            _ => Outcome::Applies,
        }
    }

    /// What the condition of `rule` comes to, remembered where it depends on the caller alone.
    pub(super) fn truth(&self, id: u32, rule: &Stanza) -> Truth {
        let Some(predicate) = rule.when.and_then(|at| self.policy.predicates.get(at as usize))
        else {
            return Truth::True;
        };
        let evaluate = || predicate.expr.eval(&self.scope);
        let (Some(memo), Some(at)) = (self.memo, predicate.memo) else { return evaluate() };
        let truth = memo.truth(at, evaluate);
        if !rule.counts(truth) {
            memo.bury(id);
        }
        truth
    }

    pub(super) fn has(&self, scopes: &[Box<str>]) -> bool {
        scopes.iter().all(|scope| self.scope.principal.scopes().contains(scope))
    }

    fn draw(&self, id: RuleId, rule: &Stanza, budget: &Budget) -> Draw {
        let policy = self.policy;
        draw(id, &rule.name, budget, &self.scope, policy.tag(id), &policy.hasher)
    }
}

/// Whether a rule can still change anything.
enum Interest {
    Some,
    /// This one cannot.
    None,
    /// Nor can any after it.
    End,
}

impl Findings {
    /// Whether `rule` can still change the verdict. Rules come as denies, allows, limits; of each effect those in
    /// force before those in shadow.
    fn interest(&self, rule: &Stanza, target: Traits) -> Interest {
        if self.denied.is_some() {
            return Interest::End;
        }
        let is_permitted = self.allowed.is_some() || target.is_lifecycle;
        match rule.effect() {
            Effect::Deny => Interest::Some,
            Effect::Allow if is_permitted => Interest::None,
            Effect::Allow => Interest::Some,
            Effect::Limit if is_permitted => Interest::Some,
            Effect::Limit => Interest::End,
        }
    }

    /// Takes in what rule `id` came to.
    fn add<L: Listener>(
        &mut self,
        evaluation: &Evaluation<'_>,
        id: u32,
        rule: &Stanza,
        outcome: Outcome,
        target: Traits,
        listener: &mut L,
    ) {
        // The same question as before the evaluation, so that a listener that hears all changes no verdict.
        if !matches!(self.interest(rule, target), Interest::Some) {
            return;
        }
        let id = RuleId::new(id);
        match (outcome, &rule.body, rule.mode) {
            (Outcome::MissingScopes, _, Mode::Enforce) => {
                self.step_up.get_or_insert(id);
            }
            (Outcome::Applies, Body::Limit(limit), mode) => {
                let budget = limit.budget.as_ref();
                let draw = budget.map(|budget| evaluation.draw(id, rule, budget));
                if let Some(draw) = &draw {
                    listener.drawn(draw);
                }
                match mode {
                    Mode::Enforce => {
                        self.draws.extend(draw);
                        self.bounds.tighten(&limit.bounds.of(id));
                    }
                    Mode::Shadow => self.shadow.push(Shadowed { rule: id, draw }),
                }
            }
            (Outcome::Applies, _, Mode::Shadow) => {
                self.shadow.push(Shadowed { rule: id, draw: None });
            }
            (Outcome::Applies, Body::Deny, Mode::Enforce) => self.denied = Some(id),
            (Outcome::Applies, Body::Allow { .. }, Mode::Enforce) => self.allowed = Some(id),
            _ => {}
        }
    }

    fn verdict(self, policy: &Policy, target: Traits) -> Result<Permitted, Refusal> {
        let basis = match (self.denied, self.allowed) {
            (None, Some(rule)) => Some(Basis::Rule(rule)),
            (None, None) if target.is_lifecycle => Some(Basis::Lifecycle),
            _ => None,
        };
        if let Some(basis) = basis {
            let Self { draws, bounds, shadow, .. } = self;
            let generation = policy.generation();
            return Ok(Permitted { generation, basis, draws, bounds, shadow });
        }
        let (reason, rule) = match (self.denied, self.step_up) {
            (Some(rule), _) => (Reason::Denied, Some(rule)),
            (None, Some(rule)) => (Reason::InsufficientScope, Some(rule)),
            (None, None) if target.method == Method::Other => (Reason::UnknownMethod, None),
            (None, None) => (Reason::DefaultDeny, None),
        };
        let info = rule.and_then(|rule| policy.rule(rule));
        let scopes = match rule.and_then(|rule| policy.stanzas.get(rule.index())) {
            Some(Stanza { body: Body::Allow { scopes }, .. }) => Some(Arc::clone(scopes)),
            _ => None,
        };
        Err(Refusal {
            reason,
            rule,
            pin: None,
            message: info.and_then(|info| info.message.clone()),
            style: info.and_then(|info| info.style),
            scopes,
            shadow: self.shadow,
        })
    }
}

impl Stanza {
    /// Whether it has not expired.
    pub(super) fn is_current(&self, now: UnixTime) -> bool {
        self.expires.is_none_or(|end| now < end)
    }

    /// Whether it is for the route called `route`.
    pub(super) fn is_for(&self, route: &str) -> bool {
        self.routes.is_empty() || self.routes.iter().any(|name| **name == *route)
    }

    /// Whether `truth` of its condition is enough: an allow needs to be true, others not to be false.
    pub(super) fn counts(&self, truth: Truth) -> bool {
        match self.effect() {
            Effect::Allow => truth == Truth::True,
            Effect::Deny | Effect::Limit => truth != Truth::False,
        }
    }
}
