//! What changes or may change, in groups: counted by small numbers, told by names. In bounded memory, whatever names a log has.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Verdict;
use super::record::clipped;
use super::tally::{By, Example, Group, Key, Place};
use crate::policy::{ClientKind, Reason, RuleId};
use crate::wire::mcp::ObjectKind;

/// Most groups. Names of tools come from callers, and a log of random ones must cost no more memory than this; what finds no
/// group is counted all the same.
const GROUPS: usize = 10_000;
/// Groups that are counted before it is asked which of them may stay.
const COUNTED: usize = 1 << 16;
/// Bytes of what is told of those.
const BYTES: usize = 16 << 20;

/// What tells groups apart, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Id {
    to: Option<Verdict>,
    rule: Option<RuleId>,
    reason: Option<Reason>,
    needs: u32,
    kind: Option<ObjectKind>,
    target: u32,
    client: ClientKind,
    caller: u32,
}

/// One call that changes or may change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flip<'a> {
    pub(super) to: Option<Verdict>,
    /// Who decides now, or why, where no rule does.
    pub(super) rule: Option<RuleId>,
    pub(super) reason: Option<Reason>,
    pub(super) needs: &'a [String],
    /// The kind and name of what is called; without a kind, the method.
    pub(super) target: (Option<ObjectKind>, &'a str),
    pub(super) caller: (ClientKind, &'a str),
    pub(super) place: Place,
    pub(super) request_id: &'a str,
    pub(super) then_rule: Option<&'a str>,
}

/// Texts by number.
#[derive(Clone, Debug, Default)]
struct Names {
    numbers: HashMap<Box<str>, u32, RandomState>,
    texts: Vec<Box<str>>,
    bytes: usize,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        self.bytes += 2 * text.len();
        number
    }

    fn text(&self, number: u32) -> Box<str> {
        self.texts.get(number as usize).cloned().unwrap_or_default()
    }
}

/// Which groups stay where there are too many: what changes for certain before what may, and else by a hash of what they are. So
/// it does not depend on the order in which they are met, and a few of each rule's remain.
type Rank = (bool, u64);

fn rank(key: &Key) -> Rank {
    // The same in every process, so that two runs tell of the same groups.
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (key.to.is_none(), hasher.finish())
}

/// The groups of one part of the logs.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    names: Names,
    needs: HashMap<Arc<[String]>, u32, RandomState>,
    counts: HashMap<Id, Group, RandomState>,
    /// Those that were counted before numbers were given anew.
    settled: BTreeMap<Key, Group>,
    /// The last rank that may stay; what is behind it has no group.
    last: Option<Rank>,
    /// Calls without a group.
    pub(super) left_out: u64,
}

impl Groups {
    /// Counts `flip`.
    pub(super) fn add(&mut self, flip: &Flip<'_>) {
        let needs = match self.needs.get(flip.needs) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.needs.len()).unwrap_or(u32::MAX);
                self.needs.insert(flip.needs.into(), number);
                self.names.bytes += flip.needs.iter().map(String::len).sum::<usize>();
                number
            }
        };
        let Flip { to, rule, target: (kind, target), caller: (client, caller), .. } = *flip;
        let mut number = |name| self.names.number(clipped(name));
        let (target, caller) = (number(target), number(caller));
        let reason = flip.reason.filter(|_| rule.is_none());
        let id = Id { to, rule, reason, needs, kind, target, client, caller };
        let example = || Example {
            place: flip.place,
            request_id: clipped(flip.request_id).into(),
            then_rule: flip.then_rule.map(|rule| clipped(rule).into()),
        };
        match self.counts.get_mut(&id) {
            Some(known) => {
                known.calls += 1;
                if flip.place <= known.example.place {
                    known.example = example().min(known.example.clone());
                }
            }
            None => {
                let example = example();
                let rule = example.then_rule.as_ref().map_or(0, |rule| rule.len());
                self.names.bytes += example.request_id.len() + rule;
                self.counts.insert(id, Group { calls: 1, example });
                if self.counts.len() >= COUNTED || self.names.bytes >= BYTES {
                    self.settle();
                }
            }
        }
    }

    /// Gives the counted groups their names, and keeps as many as may stay.
    pub(super) fn settle(&mut self) {
        let needs: BTreeMap<u32, Arc<[String]>> =
            self.needs.drain().map(|(needs, number)| (number, needs)).collect();
        let names = std::mem::take(&mut self.names);
        for (id, group) in std::mem::take(&mut self.counts) {
            let key = Key {
                to: id.to,
                by: id.rule.map_or(By::NoRule(id.reason.map(Reason::slug)), By::Rule),
                needs: needs.get(&id.needs).cloned().unwrap_or_else(|| Arc::new([])),
                target: (id.kind.map_or("method", ObjectKind::as_str), names.text(id.target)),
                caller: (id.client.as_str(), names.text(id.caller)),
            };
            self.put(key, group);
            if self.settled.len() >= 2 * GROUPS {
                self.trim();
            }
        }
        self.trim();
    }

    fn put(&mut self, key: Key, group: Group) {
        if self.last.is_some_and(|last| rank(&key) > last) {
            self.left_out += group.calls;
            return;
        }
        match self.settled.get_mut(&key) {
            Some(known) => {
                known.calls += group.calls;
                if group.example < known.example {
                    known.example = group.example;
                }
            }
            None => {
                self.settled.insert(key, group);
            }
        }
    }

    fn trim(&mut self) {
        if self.settled.len() <= GROUPS {
            return;
        }
        let mut ranks: Vec<Rank> = self.settled.keys().map(rank).collect();
        ranks.sort_unstable();
        // INVARIANT: a group that stays at the end has stayed from its first call on: what is behind the last one of some of
        // the groups is behind the last one of all.
        self.last = ranks.get(GROUPS - 1).copied();
        self.cut();
    }

    /// Takes out the groups behind the last one that may stay.
    fn cut(&mut self) {
        let Some(last) = self.last else { return };
        let left_out = &mut self.left_out;
        self.settled.retain(|key, group| {
            let stays = rank(key) <= last;
            if !stays {
                *left_out += group.calls;
            }
            stays
        });
    }

    /// Takes in the groups of another part of the logs.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        self.left_out += other.left_out;
        // What has no group in one part has none in all.
        self.last = match (self.last, other.last) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.cut();
        for (key, group) in other.settled {
            self.put(key, group);
        }
        self.trim();
    }

    /// All that has settled.
    pub(super) fn settled(&self) -> &BTreeMap<Key, Group> {
        &self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More groups than are told, of names longer than are kept: the same ones stay, each with all its calls, whatever the logs
    /// were cut into.
    #[test]
    fn too_many_groups() {
        let long = "k".repeat(3000);
        let of = |parts: u64| {
            let mut all: Vec<Groups> = (0..parts).map(|_| Groups::default()).collect();
            for at in 0..36_000_u64 {
                let tool = at * 7919 % 12_000;
                let name = format!("t{tool}");
                let flip = Flip {
                    to: (tool < 5000).then_some(Verdict::Deny),
                    rule: None,
                    reason: None,
                    needs: &[],
                    target: (Some(ObjectKind::Tool), &name),
                    caller: (ClientKind::Jwt, &long),
                    place: Place { file: 0, line: at },
                    request_id: &long,
                    then_rule: None,
                };
                all.get_mut((at / 100 % parts) as usize).unwrap().add(&flip);
            }
            let mut sum = Groups::default();
            all.into_iter().rev().for_each(|part| sum.merge(part));
            sum
        };
        let (one, many) = (of(1), of(3));
        assert_eq!(one.settled.len(), GROUPS);
        assert!(one.settled.values().all(|group| group.calls == 3));
        assert_eq!(one.left_out, 3 * 2000);
        let certain = one.settled.keys().filter(|key| key.to.is_some()).count();
        assert_eq!(certain, 5000, "what changes for certain stays");
        for (key, group) in &one.settled {
            assert_eq!((key.caller.1.len(), group.example.request_id.len()), (1027, 1027));
        }
        assert_eq!(format!("{:?}", one.settled), format!("{:?}", many.settled));
        assert_eq!(one.left_out, many.left_out);
    }
    /// What many groups need is kept once, and counts with what else is told of them.
    #[test]
    fn long_needs() {
        let mut groups = Groups::default();
        let sets = 2 * BYTES / 8192;
        for at in 0..sets {
            let needs = [format!("{at:08192}")];
            groups.add(&Flip {
                to: None,
                rule: None,
                reason: None,
                needs: &needs,
                target: (None, "ping"),
                caller: (ClientKind::Jwt, "u"),
                place: Place { file: 0, line: 0 },
                request_id: "",
                then_rule: None,
            });
        }
        assert!(groups.counts.len() < sets / 2 + 2, "{}", groups.counts.len());
        groups.settle();
        assert_eq!(groups.settled.len(), sets);
    }
}
