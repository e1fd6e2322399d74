//! A compiled policy set.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    Call, Captures, Context, Needs, Object, Permitted, Principal, Reason, Refusal, RuleId,
    RuleInfo, UnixTime,
};
use crate::wire::mcp::{ObjectKind, Revision};

/// A compiled policy set: immutable, shared, swapped as a whole (T59).
#[derive(Debug)]
pub struct Policy {
    captures: Captures,
    rules: Box<[RuleInfo]>,
    generation: u64,
}

impl Policy {
    /// The set without a rule: lifecycle passes, everything else is refused.
    #[must_use]
    pub fn empty() -> Arc<Self> {
        Arc::new(Self { captures: Captures::new(), rules: Box::default(), generation: 0 })
    }

    /// Every argument path that some rule reads.
    #[must_use]
    pub fn captures(&self) -> &Captures {
        &self.captures
    }

    /// What must be known of a call of `method` on `object` before [`Policy::decide`] may be asked.
    #[must_use]
    pub fn needs(&self, method: &str, object: Option<&Object>) -> Needs {
        let _ = (method, object);
        Needs::NOTHING
    }

    /// Decides `call` at `now`.
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
        let _ = (principal, context, call, now);
        Err(Refusal {
            reason: Reason::DefaultDeny,
            rule: None,
            message: None,
            style: None,
            scopes: None,
            shadow: SmallVec::new(),
        })
    }

    /// Whether a use of the object `name` could be allowed: some argument values exist for which
    /// [`Policy::decide`] permits it. Decides what a list shows (T18).
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
        let _ = (principal, context, revision, kind, name, now);
        false
    }

    /// Whether [`Policy::lists`] can be false for anybody and anything of this kind; where not, lists pass untouched.
    #[must_use]
    pub fn may_hide(&self, kind: ObjectKind) -> bool {
        let _ = kind;
        true
    }

    /// The rule `id`, which came from this set.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&RuleInfo> {
        self.rules.get(id.index())
    }

    /// Every rule.
    #[must_use]
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }

    /// Which compilation this is: larger for a later one in the same process, never repeated (T59).
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}
