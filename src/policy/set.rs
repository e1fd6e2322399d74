//! A compiled policy set, and the questions that it answers.

use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::evaluate::{Deaf, Evaluation, Listener};
use super::example::PolicyTest;
use super::expr::{Expr, Reads, Scope};
use super::index::{Block, Index, members};
use super::listing::{self, method_of};
use super::memo::Memo;
use super::missing::Supposed;
use super::pin::{PinInfo, Pins};
use super::principal::HeldMemo;
use super::recorded::{ReadClaim, Recorded};
use super::selector::Question;
use super::stanza::{Assert, Predicate, Stanza};
use super::target::{Target, Traits};
use super::types::Types;
use super::{
    Args, Call, Captures, Context, Effect, LimitTag, Needs, Object, Permitted, Principal, Reason,
    Refusal, RuleId, RuleInfo, SetDigest, UnixTime,
};
use crate::lock::Lock;
use crate::wire::mcp::{ObjectKind, Revision};

/// A compiled policy set: immutable, shared, swapped as a whole (T59).
#[derive(Debug)]
pub struct Policy {
    pub(super) stanzas: Box<[Stanza]>,
    rules: Box<[RuleInfo]>,
    pub(super) predicates: Box<[Predicate]>,
    /// How many predicates have a place in the memo of a principal.
    memoised: u32,
    pub(super) index: Index,
    /// By rule.
    needs: Box<[Needs]>,
    captures: Captures,
    pub(super) hasher: RandomState,
    /// By rule: what its buckets are known by.
    tags: Box<[LimitTag]>,
    /// By [`ObjectKind`].
    may_hide: [bool; 3],
    may_refuse_requests: bool,
    may_deny_resources: bool,
    tests: Box<[PolicyTest]>,
    pub(super) pins: Pins,
    types: Types,
    pub(super) asserts: Box<[Assert]>,
    recorded: Recorded,
    generation: u64,
    digest: SetDigest,
}

/// What a set is made of: the outcome of reading its sources.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// In the order of evaluation: denies, allows, limits; of each those in force before those in shadow; by name.
    pub(super) rules: Vec<(Stanza, RuleInfo)>,
    pub(super) predicates: Vec<Predicate>,
    pub(super) captures: Captures,
    pub(super) tests: Vec<PolicyTest>,
    /// By name.
    pub(super) pins: Vec<PinInfo>,
    /// By name.
    pub(super) asserts: Vec<Assert>,
    pub(super) lock: Option<Arc<Lock>>,
    pub(super) types: Types,
    pub(super) digest: SetDigest,
}

/// Generations handed out in this process.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

impl Policy {
    /// Puts a set together.
    pub(super) fn assemble(parts: Parts, hasher: RandomState) -> Arc<Self> {
        let mut predicates = parts.predicates;
        let mut memoised = 0;
        for predicate in &mut predicates {
            if predicate.expr.reads().only_principal() {
                predicate.memo = Some(memoised);
                memoised += 1;
            }
        }
        let (stanzas, rules): (Vec<Stanza>, Vec<RuleInfo>) = parts.rules.into_iter().unzip();
        let tags = rules.iter().map(|rule| LimitTag::of(&rule.name, &hasher)).collect();
        Arc::new(Self {
            needs: stanzas.iter().map(|rule| rule.needs(&predicates)).collect(),
            index: Index::new(stanzas.iter().map(Stanza::entry)),
            may_hide: Self::hidden_kinds(&stanzas),
            may_refuse_requests: listing::may_refuse_requests(&stanzas),
            may_deny_resources: listing::may_deny_resources(&stanzas),
            recorded: Recorded::of(&stanzas, &predicates, &parts.captures, &parts.types),
            stanzas: stanzas.into(),
            rules: rules.into(),
            predicates: predicates.into(),
            memoised,
            captures: parts.captures,
            tags,
            hasher,
            tests: parts.tests.into(),
            pins: Pins::new(parts.pins, parts.lock),
            types: parts.types,
            asserts: parts.asserts.into(),
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            digest: parts.digest,
        })
    }

    /// The set without a rule: lifecycle passes, everything else is refused.
    #[must_use]
    pub fn empty() -> Arc<Self> {
        Self::assemble(Parts { captures: Captures::new(), ..Parts::default() }, RandomState::new())
    }

    /// Every argument path that some rule reads.
    #[must_use]
    pub fn captures(&self) -> &Captures {
        &self.captures
    }

    /// Every claim that some rule reads or the schema declares, none twice.
    #[must_use]
    pub fn claims_read(&self) -> &[ReadClaim] {
        &self.recorded.claims
    }

    /// The name of each argument that some rule reads, by slot, in records: a JSON Pointer (RFC 6901) such as `/args/path`.
    #[must_use]
    pub fn args_read(&self) -> &[Box<str>] {
        &self.recorded.args
    }

    /// What must be known of a call of `method` on `object` before [`Policy::decide`] may be asked.
    #[must_use]
    pub fn needs(&self, method: &str, object: Option<&Object>) -> Needs {
        let object = object.map(|object| (object.kind, &*object.name));
        self.needs_of(&Target::new(method, object, false))
    }

    fn needs_of(&self, target: &Target<'_>) -> Needs {
        let candidates = self.index.candidates(target, Question::Use);
        let rules = candidates.blocks().flat_map(members);
        rules
            .filter_map(|rule| self.needs.get(rule as usize))
            .fold(Needs::NOTHING, |sum, needs| sum.union(*needs))
    }

    /// Decides `call`, which downstream sends, at `now`.
    ///
    /// # Errors
    /// [`Refusal`] where a rule denies it or none allows it.
    pub fn decide(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
    ) -> Result<Permitted, Refusal> {
        self.decide_for(principal, context, call, now, &mut Deaf)
    }

    /// Decides every call of a batch, each as if it came alone, up to the first that is refused.
    ///
    /// # Errors
    /// Its place among `calls`, and [`Policy::decide`]'s refusal of it: then none of them may go.
    pub fn decide_each_of(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        calls: &[Call],
        now: UnixTime,
    ) -> Result<Vec<Permitted>, (usize, Refusal)> {
        let decided = |(at, call)| {
            self.decide(principal, context, call, now).map_err(|refusal| (at, refusal))
        };
        calls.iter().enumerate().map(decided).collect()
    }

    /// What must be known of a request of the server before [`Policy::decide_server_request`] may be asked: its `args` are the
    /// members of its `params`.
    #[must_use]
    pub fn needs_of_server_request(&self, method: &str) -> Needs {
        self.needs_of(&Target::server_request(method))
    }

    /// Whether [`Policy::decide_server_request`] can ever refuse.
    #[must_use]
    pub fn may_refuse_server_requests(&self) -> bool {
        self.may_refuse_requests
    }

    /// Decides `call`, which the server sends downstream, at `now`: by the same rules, of which `server_requests`
    /// selects it. Its `object` is not looked at. A limit that has no selector counts what clients call, and not this.
    ///
    /// # Errors
    /// [`Refusal`] where a rule denies it or none allows it.
    pub fn decide_server_request(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
    ) -> Result<Permitted, Refusal> {
        self.decide_request_for(principal, context, call, now, &mut Deaf)
    }

    /// [`Policy::decide_server_request`] with a listener.
    pub(super) fn decide_request_for<L: Listener>(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let target = Target::server_request(&call.method);
        let scope = Scope { principal, context, call, tool: None };
        let mut permitted = self.evaluate(scope, now, None, &target, listener)?;
        permitted.keep_draws(|rule| {
            self.stanzas.get(rule.index()).is_some_and(|stanza| !stanza.is_everything)
        });
        Ok(permitted)
    }

    /// [`Policy::decide`] with a listener.
    pub(super) fn decide_for<L: Listener>(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        self.decide_supposing(principal, context, call, now, None, listener)
    }

    /// The same, where something may not be known.
    pub(super) fn decide_supposing<L: Listener>(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
        supposed: Option<Supposed<'_>>,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let scope = Scope { principal, context, call, tool: None };
        match &call.subscriptions {
            Some(uris) if call.object.is_none() && !uris.is_empty() => {
                Self::decide_each(call, uris, |call, target| {
                    self.evaluate(Scope { call, ..scope }, now, supposed, target, listener)
                })
            }
            _ => self.evaluate(scope, now, supposed, &Target::of(call), listener),
        }
    }

    /// Decides a call that acts on each of `uris`: all must be permitted, and each is charged for.
    fn decide_each(
        call: &Call,
        uris: &[Box<str>],
        mut evaluate: impl FnMut(&Call, &Target<'_>) -> Result<Permitted, Refusal>,
    ) -> Result<Permitted, Refusal> {
        let mut all: Option<Permitted> = None;
        for uri in uris {
            let object = Object { kind: ObjectKind::Resource, name: uri.clone() };
            let one = Call { object: Some(object), subscriptions: None, ..call.clone() };
            let permitted = evaluate(&one, &Target::of(&one))?;
            match &mut all {
                None => all = Some(permitted),
                Some(all) => all.join(permitted),
            }
        }
        match all {
            Some(all) => Ok(all),
            // Not reached: there is a URI.
            None => evaluate(call, &Target::of(call)),
        }
    }

    fn evaluate<L: Listener>(
        &self,
        scope: Scope<'_>,
        now: UnixTime,
        supposed: Option<Supposed<'_>>,
        target: &Target<'_>,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let candidates = self.index.candidates(target, Question::Use);
        self.judge(scope, now, supposed, target.traits(), candidates.blocks(), listener)
    }

    /// Decides a call on `target`, of which the rules in `blocks` speak. Every decision comes here.
    pub(super) fn judge<L: Listener>(
        &self,
        scope: Scope<'_>,
        now: UnixTime,
        supposed: Option<Supposed<'_>>,
        target: Traits,
        blocks: impl Iterator<Item = Block>,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let memo = self.memo(scope.principal);
        Evaluation { policy: self, scope, now, memo: held(memo.as_ref()), supposed }
            .run(target, blocks, listener)
    }

    /// Whether a use of the object `name` could be allowed: some argument values exist for which
    /// [`Policy::decide`] permits it. Decides what a list shows (T18). A URI template is shown where some of what
    /// it stands for could be allowed.
    #[must_use]
    pub fn lists(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        revision: Revision,
        kind: ObjectKind,
        name: &str,
        now: UnixTime,
    ) -> bool {
        let call = Call {
            method: method_of(kind).into(),
            object: Some(Object { kind, name: name.into() }),
            revision,
            is_request: true,
            is_retry: false,
            args: Args::default(),
            subscriptions: None,
        };
        let memo = self.memo(principal);
        let scope = Scope { principal, context, call: &call, tool: None };
        let evaluation =
            Evaluation { policy: self, scope, now, memo: held(memo.as_ref()), supposed: None };
        evaluation.could_be_allowed(&Target::of(&call))
    }

    /// Whether no deny keeps the resource `uri` from the caller, where it comes inside the result of something else that was
    /// permitted (T13). No allow of it is asked for: what a tool answers with is the tool's affair.
    #[must_use]
    pub fn delivers(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        revision: Revision,
        uri: &str,
        now: UnixTime,
    ) -> bool {
        let kind = ObjectKind::Resource;
        let call = Call {
            method: method_of(kind).into(),
            object: Some(Object { kind, name: uri.into() }),
            revision,
            is_request: true,
            is_retry: false,
            args: Args::default(),
            subscriptions: None,
        };
        let decided = self.decide(principal, context, &call, now);
        !decided.is_err_and(|refusal| refusal.reason() == Reason::Denied)
    }

    /// Whether [`Policy::delivers`] can be false.
    #[must_use]
    pub fn may_deny_resources(&self) -> bool {
        self.may_deny_resources
    }

    /// Whether [`Policy::lists`] can be false for anybody and anything of this kind; where not, lists pass untouched.
    #[must_use]
    pub fn may_hide(&self, kind: ObjectKind) -> bool {
        let [tools, prompts, resources] = self.may_hide;
        match kind {
            ObjectKind::Tool => tools,
            ObjectKind::Prompt => prompts,
            ObjectKind::Resource => resources,
        }
    }

    /// The rule `id`; `None` where it is of a larger set.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&RuleInfo> {
        self.rules.get(id.index())
    }

    /// Every rule: denies, allows, limits; of each those in force before those in shadow; by name.
    #[must_use]
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }

    /// The examples that stand beside the rules.
    #[must_use]
    pub fn tests(&self) -> &[PolicyTest] {
        &self.tests
    }

    /// What claims and arguments are declared to be.
    #[must_use]
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Which compilation this is: larger for a later one in the same process, never repeated (T59).
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What it was compiled from.
    #[must_use]
    pub fn digest(&self) -> &SetDigest {
        &self.digest
    }

    /// What the buckets of its limits are known by, of those in shadow as well.
    pub fn limit_tags(&self) -> impl Iterator<Item = LimitTag> {
        let tags = self.stanzas.iter().zip(&self.tags);
        tags.filter(|(rule, _)| rule.effect() == Effect::Limit).map(|(_, tag)| *tag)
    }

    /// What the buckets of rule `id` are known by.
    pub(super) fn tag(&self, id: RuleId) -> LimitTag {
        self.tags.get(id.index()).copied().unwrap_or_default()
    }

    /// The condition of rule `id`.
    pub(super) fn condition(&self, id: u32) -> Option<&Expr> {
        let when = self.stanzas.get(id as usize)?.when?;
        self.predicates.get(when as usize).map(|predicate| &predicate.expr)
    }

    /// What is known of `principal` under this set; `None` where no rule depends on the caller alone.
    pub(super) fn memo(&self, principal: &Principal) -> Option<HeldMemo> {
        (self.memoised > 0).then(|| {
            let fresh = || Memo::new(self.generation, self.memoised, self.stanzas.len());
            principal.memo(self.generation, fresh)
        })
    }

    /// Whether some condition reads `of`.
    #[must_use]
    pub fn reads(&self, of: Reads) -> bool {
        self.predicates.iter().any(|predicate| predicate.expr.reads().any_of(of))
    }
}

pub(super) fn held(memo: Option<&HeldMemo>) -> Option<&Memo> {
    memo.and_then(|held| held.as_deref())
}
