//! Pins: what must be as the lock says.
//!
//! A pin is no rule about callers. It is asked of each element of a list that passes, and of each call: is this still
//! what was reviewed, and what happens where it is not.

use std::sync::Arc;

use super::index::{Entry, Index, members};
use super::listing::method_of;
use super::selector::{Pattern, Question, Space};
use super::target::Target;
use super::{Call, Effect, Mode, Permitted, Policy, Refusal, UnixTime};
use crate::lock::{Digest, List, Lock};
use crate::wire::mcp::ObjectKind;

/// What happens to an object that is not what the lock says, from mild to strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnChange {
    /// It is told in the log, and passes.
    #[default]
    Alert,
    /// No list shows it.
    Hide,
    /// No list shows it, and it may not be used.
    Deny,
}

impl OnChange {
    /// `alert`, `hide`, `deny`: as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Hide => "hide",
            Self::Deny => "deny",
        }
    }
}

/// The place of a pin in its policy set. Only meaningful together with the [`Policy`] it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinId(u32);

impl PinId {
    /// Place in [`Policy::pins`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a pin says of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin<'p> {
    /// The pin; of several that select the object, the strictest one.
    pub id: PinId,
    /// Its name.
    pub name: &'p Arc<str>,
    /// What the object must say; `None` where the lock does not have it, so that whatever it says is a change.
    pub digest: Option<Digest>,
    /// What happens where it says something else.
    pub on_change: OnChange,
}

/// A `[[pin]]`, as far as anybody but the index needs it.
#[derive(Clone, Debug)]
pub struct PinInfo {
    pub(super) name: Arc<str>,
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    pub(super) mode: Mode,
    pub(super) on_change: OnChange,
    /// Whether it has no selector, and so pins everything.
    pub(super) is_everything: bool,
    pub(super) patterns: Box<[(Space, Pattern)]>,
    /// The routes that it is for; empty for all.
    pub(super) routes: Box<[Box<str>]>,
    /// The first second at which it no longer applies.
    pub(super) expires: Option<UnixTime>,
}

/// The pins of a set, and what they pin to.
#[derive(Debug)]
pub(super) struct Pins {
    all: Box<[PinInfo]>,
    index: Index,
    lock: Option<Arc<Lock>>,
}

impl Pins {
    pub(super) fn new(all: Vec<PinInfo>, lock: Option<Arc<Lock>>) -> Self {
        let index = Index::new(all.iter().map(PinInfo::entry));
        Self { all: all.into(), index, lock }
    }
}

impl PinInfo {
    /// Its `name`, unique in its set.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The file it stands in, as the source was named.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The line of its stanza header, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Whether it binds; in shadow it only alerts.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What it does about a change.
    #[must_use]
    pub fn on_change(&self) -> OnChange {
        self.on_change
    }

    /// What the index reads of it. Patterns match what a name could be taken for, as those of a deny do: a look-alike
    /// of a pinned tool is not in the lock, and so is a change.
    fn entry(&self) -> Entry<'_> {
        let Self { is_everything, patterns, .. } = self;
        Entry { effect: Effect::Deny, is_everything: *is_everything, patterns }
    }

    /// What it does in its mode.
    fn effective(&self) -> OnChange {
        match self.mode {
            Mode::Enforce => self.on_change,
            Mode::Shadow => OnChange::Alert,
        }
    }

    fn is_in_force(&self, route: &str, now: UnixTime) -> bool {
        self.expires.is_none_or(|end| now < end)
            && (self.routes.is_empty() || self.routes.iter().any(|name| **name == *route))
    }
}

impl Policy {
    /// Every pin, by name.
    #[must_use]
    pub fn pins(&self) -> &[PinInfo] {
        &self.pins.all
    }

    /// What the server offered when it was reviewed; `None` where there is no lock file.
    #[must_use]
    pub fn lock(&self) -> Option<&Arc<Lock>> {
        self.pins.lock.as_ref()
    }

    /// `permitted`, unless a pin says that what `call` uses may not be used: because the lock does not have it, or because
    /// it was seen to say something else. `is_changed` tells, of an element of a list whose digest in the lock is given,
    /// whether the server showed it with another one last.
    ///
    /// A resource that the lock does not have may be read: most servers answer for more URIs than they list.
    ///
    /// # Errors
    /// [`Refusal`] with [`super::Reason::PinChanged`].
    pub fn hold_to_pins(
        &self,
        permitted: Permitted,
        route: &str,
        call: &Call,
        now: UnixTime,
        is_changed: impl Fn(List, &str, Digest) -> bool,
    ) -> Result<Permitted, Refusal> {
        if self.pins.all.is_empty() {
            return Ok(permitted);
        }
        let object = call.object.iter().map(|object| (object.kind, &*object.name));
        let listened =
            call.subscriptions.iter().flatten().map(|uri| (ObjectKind::Resource, &**uri));
        for (kind, name) in object.chain(listened) {
            for list in List::ALL.into_iter().filter(|list| list.kind() == kind) {
                let Some(pin) = self.pin(route, list, name, now) else { continue };
                let holds = match pin.digest {
                    _ if pin.on_change < OnChange::Deny => true,
                    Some(digest) => !is_changed(list, name, digest),
                    None => kind == ObjectKind::Resource,
                };
                if !holds {
                    return Err(Refusal::of_pin(pin.id, permitted.shadow));
                }
            }
        }
        Ok(permitted)
    }

    /// What the pins in force on `route` at `now` say of the element of `list` that is called `id`; `None` where none
    /// selects it.
    #[must_use]
    pub fn pin(&self, route: &str, list: List, id: &str, now: UnixTime) -> Option<Pin<'_>> {
        if self.pins.all.is_empty() {
            return None;
        }
        let kind = list.kind();
        let target = Target::new(method_of(kind), Some((kind, id)), false);
        let candidates = self.pins.index.candidates(&target, Question::Use);
        let pins = candidates.blocks().flat_map(members);
        let pin = pins
            .filter_map(|at| Some((PinId(at), self.pins.all.get(at as usize)?)))
            .filter(|(_, pin)| pin.is_in_force(route, now))
            // Of equals the first by name.
            .reduce(|a, b| if b.1.effective() > a.1.effective() { b } else { a });
        let (id_of_pin, pin) = pin?;
        let item = self.pins.lock.as_ref().and_then(|lock| lock.find(list, id));
        Some(Pin {
            id: id_of_pin,
            name: &pin.name,
            digest: item.map(crate::lock::Item::digest),
            on_change: pin.effective(),
        })
    }
}
