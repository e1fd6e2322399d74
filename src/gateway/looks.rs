//! What is looked for in a reply: it follows from what was asked for, and from the policy set that judges.

use super::state::Route;
use crate::config::HiddenCharacters;
use crate::inspect::response::Watch;
use crate::policy::Policy;
use crate::wire::mcp::ObjectKind;

/// Some of the three kinds of object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    /// Every kind.
    pub(super) const ALL: Self = Self(0b111);

    /// With `kind`.
    pub(super) const fn and(self, kind: ObjectKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether `kind` is in it.
    pub(super) const fn has(self, kind: ObjectKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// What is in either.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One by one.
    pub(super) fn iter(self) -> impl Iterator<Item = ObjectKind> {
        let all = [ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource];
        all.into_iter().filter(move |kind| self.has(*kind))
    }

    /// Takes one out.
    pub(super) fn pop(&mut self) -> Option<ObjectKind> {
        let first = self.iter().next()?;
        self.0 &= !(1 << first as u8);
        Some(first)
    }
}

impl FromIterator<ObjectKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = ObjectKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::and)
    }
}

/// What may come in a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    /// The lists that were asked for.
    pub(super) lists: Kinds,
    /// Whether lists hardly ever come: then nothing is looked for but for the sake of the verdict.
    pub(super) is_light: bool,
    /// Whether a limit bounds its messages.
    pub(super) is_bounded: bool,
    /// Whether resources may come inside of it.
    pub(super) carries: bool,
    /// The handles that its client gets sealed.
    pub(super) sealed: Watch,
}

impl Looks {
    /// What must be looked for on `route` while `policy` judges.
    pub(super) fn watch(self, policy: &Policy, route: &Route) -> Watch {
        let has_list = !self.lists.is_empty();
        let may_hide = self.lists.iter().any(|kind| policy.may_hide(kind));
        let is_learnt = route.mirrors() && self.lists.iter().any(|kind| kind == ObjectKind::Tool);
        let is_pinned = has_list && !policy.pins().is_empty();
        let hides = route.hidden_characters == HiddenCharacters::Hide;
        let is_scanned = has_list && route.hidden_characters != HiddenCharacters::Allow;
        let elements = is_pinned || is_scanned || is_learnt;
        let private = may_hide || is_pinned || has_list && hides;
        let is_seen = private || !self.is_light;
        Watch {
            lists: is_seen && (may_hide || elements),
            elements: is_seen && elements,
            private,
            carried: self.carries && policy.may_deny_resources(),
            requests: judges_requests(policy, route) || self.sealed.requests,
            states: self.sealed.states,
            tasks: self.sealed.tasks,
            size: self.is_bounded,
        }
    }
}

/// Whether anything that the server asks could be refused. Otherwise its requests pass unseen, and so do the answers.
pub(super) fn judges_requests(policy: &Policy, route: &Route) -> bool {
    policy.may_refuse_server_requests() || !route.elicitation_hosts.is_any()
}
