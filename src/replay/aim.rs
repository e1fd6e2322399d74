//! What a call is about, with what a verdict about it can depend on.

use super::record::{Asked, Record};
use crate::policy::{Aimed, Arg, Args, Call, Depends, Object, Policy, SlotSet};
use crate::wire::mcp::Revision;

/// A method and what it acts on, on one route and in one revision.
#[derive(Debug)]
pub(super) struct Aim {
    /// The call, without arguments but while it is decided.
    pub(super) aimed: Aimed,
    pub(super) depends: Depends,
    /// The arguments that a verdict can depend on: slot and name.
    read: Box<[(u8, Box<str>)]>,
}

impl Aim {
    pub(super) fn of(policy: &Policy, asked: &Asked<'_>, revision: Revision) -> Self {
        let object = asked.object.map(|(kind, name)| Object { kind, name: name.into() });
        let depends = policy.depends(asked.method, object.as_ref());
        let names = policy.args_read();
        let name = |slot| Some((slot, names.get(usize::from(slot))?.clone()));
        let call = Call {
            method: asked.method.into(),
            object,
            revision,
            is_request: true,
            is_retry: false,
            args: Args::new(policy.captures()),
            subscriptions: None,
        };
        let aimed = policy.aim(call);
        Self { aimed, depends, read: depends.needs.slots.iter().filter_map(name).collect() }
    }

    /// Appends what an aim follows from: equal bytes are equal aims.
    pub(super) fn write_key(out: &mut Vec<u8>, asked: &Asked<'_>, route: &str, revision: Revision) {
        // INVARIANT: every text is preceded by its length, so that no two aims have the same bytes.
        let (kind, name) = match asked.object {
            Some((kind, name)) => (1 + kind as u8, name),
            None => (0, ""),
        };
        out.extend_from_slice(&[kind, revision as u8]);
        for text in [asked.method, name, route] {
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// Puts the arguments that `record` has into the call, and says which of those that are read it tells of. The others are
    /// missing.
    pub(super) fn take(&mut self, record: &Record<'_, '_>) -> SlotSet {
        let mut known = SlotSet::EMPTY;
        if !record.is_audit || self.read.is_empty() {
            return known;
        }
        let args = self.aimed.args();
        // The names of all arguments begin so, and the names of what they may be in.
        let is_above = |name: &str| name.is_empty() || name.starts_with("/args");
        for (name, value) in record.values_of(is_above) {
            // Of one name there is one slot.
            let mut value = Some(value);
            for (slot, pointer) in &self.read {
                match pointer.strip_prefix(name) {
                    Some("") => {
                        args.set(*slot, value.take().map_or(Arg::Absent, Arg::Value));
                    }
                    // Below a scalar or a list, nothing has a name.
                    Some(below) if below.starts_with('/') => {}
                    _ => continue,
                }
                known.insert(*slot);
            }
        }
        if record.absent.is_empty() && record.too_large.is_empty() {
            return known;
        }
        for (slot, pointer) in &self.read {
            let is_below = |name: &&str| {
                pointer
                    .strip_prefix(*name)
                    .is_some_and(|below| below.is_empty() || below.starts_with('/'))
            };
            if record.absent.iter().any(is_below) {
                known.insert(*slot);
            } else if record.too_large.contains(&&**pointer) {
                args.set(*slot, Arg::TooLarge);
                known.insert(*slot);
            }
        }
        known
    }

    /// Takes the arguments out again.
    pub(super) fn leave(&mut self) {
        for (slot, _) in &self.read {
            self.aimed.args().set(*slot, Arg::Absent);
        }
    }
}
