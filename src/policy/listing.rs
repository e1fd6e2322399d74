//! What a list shows: whether a call could be allowed, arguments being free (T18).

use super::evaluate::Evaluation;
use super::expr::{Possible, Scope, Truth};
use super::index::members;
use super::selector::{Question, Space};
use super::set::held;
use super::stanza::{Body, Predicate, Stanza};
use super::target::Target;
use super::{Call, Context, Effect, Mode, Object, Policy, Principal, UnixTime};
use crate::wire::mcp::ObjectKind;

/// The method that uses an object of `kind`; a list shows what it could be asked for.
pub(super) const fn method_of(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Tool => "tools/call",
        ObjectKind::Prompt => "prompts/get",
        ObjectKind::Resource => "resources/read",
    }
}

impl Evaluation<'_> {
    /// Whether some arguments exist with which the call of this scope could be allowed. Each rule is looked at by
    /// itself: that one rule needs what another forbids is not seen, so what can be called is always listed.
    pub(super) fn could_be_allowed(&self, target: &Target<'_>) -> bool {
        let mut is_allowed = target.is_lifecycle();
        let candidates = self.policy.index.candidates(target, Question::Listing);
        for block in candidates.blocks() {
            let mut live = block;
            live.bits &= !self.memo.map_or(0, |memo| memo.dead(block.at));
            for id in members(live) {
                let Some(rule) = self.policy.stanzas.get(id as usize) else { continue };
                if rule.mode == Mode::Shadow
                    || !rule.is_current(self.now)
                    || !rule.is_for(self.scope.context.route)
                {
                    continue;
                }
                match &rule.body {
                    Body::Deny if self.possible(id, rule).contains(Truth::False) => {}
                    Body::Deny => return false,
                    Body::Allow { .. } if is_allowed => {}
                    Body::Allow { scopes } => {
                        is_allowed =
                            self.has(scopes) && self.possible(id, rule).contains(Truth::True);
                    }
                    Body::Limit(_) => return is_allowed,
                }
            }
        }
        is_allowed
    }

    pub(super) fn possible(&self, id: u32, rule: &Stanza) -> Possible {
        match rule.when.and_then(|at| self.policy.predicates.get(at as usize)) {
            None => Possible::only(Truth::True),
            Some(Predicate { memo: Some(_), .. }) => Possible::only(self.truth(id, rule)),
            Some(predicate) => predicate.expr.possible(&self.scope),
        }
    }
}

/// Whether [`Policy::lists`] can be false for an object of `kind`: true unless one allow has everything, always,
/// and no deny speaks of anything of that kind.
pub(super) fn may_hide(stanzas: &[Stanza], kind: ObjectKind) -> bool {
    let method = method_of(kind);
    let speaks = |rule: &Stanza| {
        rule.is_everything
            || rule.selects(&Target::new(method, None, false), Question::Listing)
            || rule.patterns.iter().any(|(space, _)| *space == Space::of(kind))
    };
    let mut enforced = stanzas.iter().filter(|rule| rule.mode == Mode::Enforce);
    let is_denied = enforced.clone().any(|rule| rule.effect() == Effect::Deny && speaks(rule));
    let allows_all = enforced.any(|rule| {
        rule.is_unconditional_allow()
            && rule.selects(&Target::new(method, None, false), Question::Listing)
    });
    is_denied || !allows_all
}

/// Whether some deny can keep a resource from somebody.
pub(super) fn may_deny_resources(stanzas: &[Stanza]) -> bool {
    let target = Target::new(method_of(ObjectKind::Resource), None, false);
    let mut enforced = stanzas.iter().filter(|rule| rule.mode == Mode::Enforce);
    enforced.any(|rule| rule.effect() == Effect::Deny && rule.selects(&target, Question::Use))
}

/// Whether a request of the server can be refused: true unless one allow has everything, always, and no deny speaks of requests
/// of the server.
pub(super) fn may_refuse_requests(stanzas: &[Stanza]) -> bool {
    let speaks = |rule: &Stanza| {
        rule.is_everything || rule.patterns.iter().any(|(space, _)| *space == Space::ServerRequests)
    };
    let mut enforced = stanzas.iter().filter(|rule| rule.mode == Mode::Enforce);
    // A limit refuses, too.
    let is_bounded = enforced.clone().any(|rule| match rule.effect() {
        Effect::Allow => false,
        Effect::Deny => speaks(rule),
        Effect::Limit => !rule.is_everything && speaks(rule),
    });
    is_bounded || !enforced.any(|rule| rule.is_everything && rule.is_unconditional_allow())
}

impl Policy {
    /// Whether a call like `call` could be allowed: some arguments exist for which [`Policy::decide`] permits it. Those that it
    /// has are not looked at.
    #[must_use]
    pub fn could_allow(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
    ) -> bool {
        let uris = call.subscriptions.as_deref().filter(|_| call.object.is_none());
        let each = uris.unwrap_or_default().iter().map(|uri| Call {
            object: Some(Object { kind: ObjectKind::Resource, name: uri.clone() }),
            subscriptions: None,
            ..call.clone()
        });
        let could_be = |call: &Call| {
            let memo = self.memo(principal);
            let scope = Scope { principal, context, call, tool: None };
            Evaluation { policy: self, scope, now, memo: held(memo.as_ref()), supposed: None }
                .could_be_allowed(&Target::of(call))
        };
        match uris {
            Some(uris) if !uris.is_empty() => each.into_iter().all(|one| could_be(&one)),
            _ => could_be(call),
        }
    }

    /// [`may_hide`] for each kind, in the order of [`ObjectKind`].
    pub(super) fn hidden_kinds(stanzas: &[Stanza]) -> [bool; 3] {
        [ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource]
            .map(|kind| may_hide(stanzas, kind))
    }
}
