//! Elements of lists while they pass: are they what was reviewed (T52), and do they say what nobody sees (T51)?

use std::sync::Arc;

use smallvec::SmallVec;

use super::state::Route;
use crate::config::HiddenCharacters;
use crate::diagnostic::visible;
use crate::inspect::response::{ElementPart, Listing};
use crate::lock::{Digest, ElementDigest, List};
use crate::observe::notice;
use crate::policy::{OnChange, Policy, UnixTime};
use crate::wire::hidden::{HiddenSet, Scan};
use crate::wire::json::Kind;

/// Names of changed elements that one line of the access log has, and the bytes of one of them.
const MOST_NAMES: usize = 8;
const NAME_BYTES: usize = 128;

/// What was found in the lists of one reply.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    /// Elements that are not what a pin says, and the names of the first of them.
    pub(super) changed: u64,
    pub(super) changed_names: SmallVec<[Box<str>; 1]>,
    /// Elements that have hidden characters and would be shown but for them, and what kinds.
    pub(super) flagged: u64,
    pub(super) flagged_kinds: HiddenSet,
}

/// Looks at the elements of one reply, one after the other.
#[derive(Debug)]
pub(super) struct Elements {
    digest: Option<ElementDigest>,
    scan: Option<Scan>,
    hides_hidden: bool,
    /// Values open in the element, itself included.
    depth: usize,
    /// What is known of the element at hand, from its name on.
    named: Option<Named>,
    passes: bool,
    pub(super) findings: Findings,
}

#[derive(Debug)]
struct Named {
    name: Box<str>,
    /// Whether policy shows it to the caller.
    is_visible: bool,
    pin: Option<Pinned>,
}

#[derive(Debug)]
struct Pinned {
    by: Arc<str>,
    digest: Option<Digest>,
    on_change: OnChange,
}

impl Elements {
    /// Of replies on `route` under `policy`; `None` where there is nothing to look for.
    pub(super) fn new(policy: &Policy, route: &Route) -> Option<Self> {
        let is_pinned = !policy.pins().is_empty();
        let is_scanned = route.hidden_characters != HiddenCharacters::Allow;
        (is_pinned || is_scanned).then(|| Self {
            digest: is_pinned.then(|| ElementDigest::new(List::Tools)),
            scan: is_scanned.then(Scan::default),
            hides_hidden: route.hidden_characters == HiddenCharacters::Hide,
            depth: 0,
            named: None,
            passes: false,
            findings: Findings::default(),
        })
    }

    /// Where there is nothing to look for.
    pub(super) fn nothing() -> Self {
        Self {
            digest: None,
            scan: None,
            hides_hidden: false,
            depth: 0,
            named: None,
            passes: true,
            findings: Findings::default(),
        }
    }

    /// The element at hand is called `name`. What becomes of it; `is_visible`: whether policy shows it.
    pub(super) fn named(
        &mut self,
        policy: &Policy,
        route: &Route,
        list: List,
        name: &str,
        is_visible: bool,
        now: UnixTime,
    ) -> Listing {
        let pin = policy.pin(&route.name, list, name, now).map(|pin| Pinned {
            by: Arc::clone(pin.name),
            digest: pin.digest,
            on_change: pin.on_change,
        });
        let binds = pin.as_ref().is_some_and(|pin| pin.on_change > OnChange::Alert);
        let is_new = pin.as_ref().is_some_and(|pin| pin.digest.is_none());
        self.named = Some(Named { name: name.into(), is_visible, pin });
        if !is_visible || (binds && is_new) {
            Listing::Hidden
        } else if binds || self.hides_hidden {
            Listing::Undecided
        } else {
            Listing::Shown
        }
    }

    /// A part of an element of `list`.
    pub(super) fn part(
        &mut self,
        policy: &Policy,
        route: &Route,
        list: List,
        part: ElementPart<'_>,
    ) {
        match part {
            ElementPart::Begin(kind) => self.begin(list, kind),
            ElementPart::Key(name) => {
                if let Some(digest) = &mut self.digest {
                    digest.key(name);
                }
                if let Some(scan) = &mut self.scan {
                    scan.text(name);
                    scan.end();
                }
            }
            ElementPart::Text(piece) => {
                if let Some(digest) = &mut self.digest {
                    digest.text(piece);
                }
                if let Some(scan) = &mut self.scan {
                    scan.text(piece);
                }
            }
            ElementPart::End(kind) => {
                if let Some(digest) = &mut self.digest {
                    digest.end(kind);
                }
                if let Some(scan) = &mut self.scan {
                    scan.end();
                }
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.end(policy, route, list);
                }
            }
        }
    }

    /// Whether the element that just ended passes.
    pub(super) fn passes(&self) -> bool {
        self.passes
    }

    fn begin(&mut self, list: List, kind: Kind) {
        if self.depth == 0 {
            self.named = None;
            self.passes = false;
            if let Some(digest) = &mut self.digest {
                digest.reset(list);
            }
            if let Some(scan) = &mut self.scan {
                scan.reset();
            }
        }
        self.depth += 1;
        if let Some(digest) = &mut self.digest {
            digest.begin(kind);
        }
    }

    fn end(&mut self, policy: &Policy, route: &Route, list: List) {
        // Without a name the reply fails.
        let Some(named) = self.named.take() else { return };
        let found = self.scan.map(|scan| scan.found()).unwrap_or_default();
        if !found.is_empty() && named.is_visible {
            self.findings.flagged += 1;
            self.findings.flagged_kinds = self.findings.flagged_kinds.union(found);
        }
        let mut passes = found.is_empty() || !self.hides_hidden;
        let live = self.digest.as_ref().and_then(ElementDigest::digest);
        if let Some(pin) = &named.pin {
            if let (Some(pinned), Some(lock)) = (pin.digest, policy.lock()) {
                route.drift.note(lock, list, &named.name, pinned, live);
            }
            if pin.digest.is_none() || live != pin.digest {
                passes &= pin.on_change == OnChange::Alert;
                self.changed(route, list, &named.name, pin, live);
            }
        }
        self.passes = passes;
    }

    fn changed(
        &mut self,
        route: &Route,
        list: List,
        name: &str,
        pin: &Pinned,
        live: Option<Digest>,
    ) {
        let shown = name.get(..name.floor_char_boundary(NAME_BYTES)).unwrap_or_default();
        self.findings.changed += 1;
        if self.findings.changed_names.len() < MOST_NAMES {
            self.findings.changed_names.push(shown.into());
        }
        if !route.drift.is_news(list, name, live) {
            return;
        }
        let what = if pin.digest.is_some() { "is not what" } else { "is not in" };
        let rest = if pin.digest.is_some() { "the lock file says" } else { "the lock file" };
        notice(&format!(
            "route {}: {} `{}` {what} {rest}; pin `{}`, on_change {}",
            route.name,
            list.noun(),
            visible(shown),
            pin.by,
            pin.on_change.as_str(),
        ));
    }
}
