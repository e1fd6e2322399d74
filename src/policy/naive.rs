//! The obvious evaluator: every rule, one after the other, nothing remembered. The oracle of the index.

use super::draw::draw;
use super::expr::{Expr, Possible, Scope, Truth};
use super::listing::method_of;
use super::selector::Question;
use super::stanza::{Body, Stanza};
use super::target::Target;
use super::{
    Args, Basis, Bounds, Call, Context, Effect, Mode, Object, Permitted, Policy, Principal, Reason,
    Refusal, RuleId, Shadowed, UnixTime,
};
use crate::wire::mcp::{Method, ObjectKind, Revision};

/// What [`Policy::decide`] must say of a call without subscriptions.
///
/// # Errors
/// As there.
pub fn decide(
    policy: &Policy,
    principal: &Principal,
    context: &Context<'_>,
    call: &Call,
    now: UnixTime,
) -> Result<Permitted, Refusal> {
    let scope = Scope { principal, context, call, tool: None };
    let target = Target::of(call);
    let rules: Vec<(RuleId, &Stanza)> = (0..).map(RuleId::new).zip(&policy.stanzas).collect();
    let matching: Vec<(RuleId, &Stanza)> = rules
        .into_iter()
        .filter(|(_, rule)| rule.selects(&target, Question::Use))
        .filter(|(_, rule)| rule.effect() != Effect::Allow || !target.is_ambiguous_resource())
        .filter(|(_, rule)| rule.expires.is_none_or(|end| now < end))
        .filter(|(_, rule)| {
            rule.routes.is_empty() || rule.routes.iter().any(|r| **r == *context.route)
        })
        .filter(|(_, rule)| {
            let expr = rule.when.map(|at| predicate(policy, at));
            let truth = match expr {
                None => Truth::True,
                Some(expr) => expr.map_or(Truth::Unknown, |expr| expr.eval(&scope)),
            };
            let possible = match expr {
                None => Possible::only(Truth::True),
                Some(expr) => expr.map_or(Possible::ANY, |expr| expr.possible(&scope)),
            };
            match (rule.effect(), target.is_of_task()) {
                (Effect::Allow, false) => truth == Truth::True,
                (Effect::Allow, true) => possible.contains(Truth::True),
                (Effect::Deny, true) => !possible.contains(Truth::False),
                (Effect::Limit, true) => {
                    truth != Truth::False && rule.selects(&target.of_method_alone(), Question::Use)
                }
                (Effect::Deny | Effect::Limit, false) => truth != Truth::False,
            }
        })
        .collect();
    let of = |effect, mode| {
        matching.iter().filter(move |(_, rule)| rule.effect() == effect && rule.mode == mode)
    };
    let refuse = |reason, rule: Option<RuleId>, shadow: &[Shadowed]| {
        let info = rule.and_then(|rule| policy.rule(rule));
        let scopes = rule.and_then(|rule| match &policy.stanzas.get(rule.index())?.body {
            Body::Allow { scopes } => Some(scopes.clone()),
            _ => None,
        });
        Err(Refusal {
            reason,
            rule,
            pin: None,
            message: info.and_then(|info| info.message.clone()),
            style: info.and_then(|info| info.style),
            scopes,
            shadow: shadow.into(),
        })
    };
    let shadowed = |(rule, _): &(RuleId, &Stanza)| Shadowed { rule: *rule, draw: None };
    let has_scopes = |rule: &Stanza| match &rule.body {
        Body::Allow { scopes } => scopes.iter().all(|s| principal.scopes().contains(s)),
        _ => true,
    };

    // 1. A matching deny refuses.
    if let Some((rule, _)) = of(Effect::Deny, Mode::Enforce).next() {
        return refuse(Reason::Denied, Some(*rule), &[]);
    }
    let mut shadow: Vec<Shadowed> = of(Effect::Deny, Mode::Shadow).map(shadowed).collect();
    // 2. Otherwise a matching allow permits.
    let allow = of(Effect::Allow, Mode::Enforce).find(|(_, rule)| has_scopes(rule));
    let basis = if target.is_lifecycle() {
        Basis::Lifecycle
    } else if let Some((rule, _)) = allow {
        Basis::Rule(*rule)
    } else {
        // 3. Otherwise it is refused.
        shadow.extend(of(Effect::Allow, Mode::Shadow).filter(|(_, r)| has_scopes(r)).map(shadowed));
        return match of(Effect::Allow, Mode::Enforce).next() {
            Some((rule, _)) => refuse(Reason::InsufficientScope, Some(*rule), &shadow),
            None if target.method == Method::Other => refuse(Reason::UnknownMethod, None, &shadow),
            None => refuse(Reason::DefaultDeny, None, &shadow),
        };
    };
    // Then every matching limit.
    let drawn = |(id, rule): &(RuleId, &Stanza)| match &rule.body {
        Body::Limit(limit) => {
            let budget = limit.budget.as_ref()?;
            Some(draw(*id, &rule.name, budget, &scope, policy.tag(*id), &policy.hasher))
        }
        _ => None,
    };
    let draws = of(Effect::Limit, Mode::Enforce).filter_map(drawn).collect();
    shadow.extend(
        of(Effect::Limit, Mode::Shadow).map(|limit| Shadowed { rule: limit.0, draw: drawn(limit) }),
    );
    let mut bounds = Bounds::default();
    for (id, rule) in of(Effect::Limit, Mode::Enforce) {
        if let Body::Limit(limit) = &rule.body {
            bounds.tighten(&limit.bounds.of(*id));
        }
    }
    let generation = policy.generation();
    Ok(Permitted { generation, basis, draws, bounds, shadow: shadow.into() })
}

/// What [`Policy::lists`] must say.
#[must_use]
pub fn lists(
    policy: &Policy,
    principal: &Principal,
    context: &Context<'_>,
    revision: Revision,
    object: &Object,
    now: UnixTime,
) -> bool {
    let call = Call {
        method: method_of(object.kind).into(),
        object: Some(object.clone()),
        revision,
        is_request: true,
        is_retry: false,
        args: Args::default(),
        subscriptions: None,
    };
    let scope = Scope { principal, context, call: &call, tool: None };
    let target = Target::of(&call);
    let possible = |rule: &Stanza| match rule.when {
        None => Possible::only(Truth::True),
        Some(at) => predicate(policy, at).map_or(Possible::ANY, |expr| expr.possible(&scope)),
    };
    let rules = || {
        policy.stanzas.iter().filter(|rule| {
            rule.mode == Mode::Enforce
                && rule.selects(&target, Question::Listing)
                && rule.expires.is_none_or(|end| now < end)
                && (rule.routes.is_empty() || rule.routes.iter().any(|r| **r == *context.route))
        })
    };
    let is_denied =
        rules().any(|rule| rule.effect() == Effect::Deny && !possible(rule).contains(Truth::False));
    let is_allowed = rules().any(|rule| match &rule.body {
        Body::Allow { scopes } => {
            scopes.iter().all(|s| principal.scopes().contains(s))
                && possible(rule).contains(Truth::True)
        }
        _ => false,
    });
    is_allowed && !is_denied
}

fn predicate(policy: &Policy, at: u32) -> Option<&Expr> {
    policy.predicates.get(at as usize).map(|predicate| &predicate.expr)
}

/// Kinds, for tests that go through all of them.
pub const KINDS: [ObjectKind; 3] = [ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource];
