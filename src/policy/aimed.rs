//! A call whose target stays while its arguments change: what the index says of the target is asked once.

use super::evaluate::Listener;
use super::expr::Scope;
use super::index::Block;
use super::missing::Supposed;
use super::selector::Question;
use super::target::{Target, Traits};
use super::{Args, Call, Context, Permitted, Policy, Principal, Refusal, UnixTime};

/// A call with the rules that speak of its target, under one policy.
#[derive(Debug)]
pub struct Aimed {
    call: Call,
    /// Of the policy that was asked.
    generation: u64,
    traits: Traits,
    /// Of the rules that speak of the target, in their order.
    blocks: Box<[Block]>,
}

impl Aimed {
    /// The call.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The call itself, which what the index says is left out of.
    #[must_use]
    pub fn into_call(self) -> Call {
        self.call
    }

    /// Its arguments, to be changed.
    pub fn args(&mut self) -> &mut Args {
        &mut self.call.args
    }

    /// Makes it a leg of a multi-round-trip request, or none.
    pub fn retry(&mut self, is_retry: bool) {
        self.call.is_retry = is_retry;
    }
}

impl Policy {
    /// Asks the index about `call`, which downstream sends.
    #[must_use]
    pub fn aim(&self, call: Call) -> Aimed {
        let target = Target::of(&call);
        let (traits, candidates) = (target.traits(), self.index.candidates(&target, Question::Use));
        let blocks = candidates.blocks().collect();
        Aimed { generation: self.generation(), traits, blocks, call }
    }

    /// [`Policy::decide`] of what `aimed` is, where something may not be known.
    pub(super) fn decide_aimed<L: Listener>(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        aimed: &Aimed,
        now: UnixTime,
        supposed: Option<Supposed<'_>>,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let Aimed { call, generation, traits, blocks } = aimed;
        // Rules have other numbers in another set, and each URI of a subscription has rules of its own.
        if *generation != self.generation() || call.subscriptions.is_some() {
            return self.decide_supposing(principal, context, call, now, supposed, listener);
        }
        let scope = Scope { principal, context, call, tool: None };
        self.judge(scope, now, supposed, *traits, blocks.iter().copied(), listener)
    }
}
