//! What came of all records: counts, and groups with an example each. In bounded memory, whatever names a log has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::groups::{Flip, Groups};
use super::judge::{Judged, Unjudged, Verdict};
use super::record::{Asked, Fault, Record};
use crate::policy::{ClientKind, RuleId};

/// Most faults that are told with their place.
const FAULTS: usize = 20;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which log, in the order in which they were named.
    pub file: usize,
    /// Its line, from 1.
    pub line: u64,
}

/// One record of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// Where it stands. The first of a group is its example.
    pub place: Place,
    /// The id that its caller was told.
    pub request_id: Box<str>,
    /// The rule that decided then.
    pub then_rule: Option<Box<str>>,
}

/// Who decides now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// This rule.
    Rule(RuleId),
    /// No rule: why, where it is refused; `None`: the lifecycle, which needs no rule.
    NoRule(Option<&'static str>),
}

/// What the records of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What becomes of them; `None`: it depends on what the records lack.
    pub to: Option<Verdict>,
    /// Who decides now.
    pub by: By,
    /// Where it is open: what would have to be known.
    pub needs: Arc<[String]>,
    /// What they act on: the kind and the name.
    pub target: (&'static str, Box<str>),
    /// Who asked: the kind of caller and its name.
    pub caller: (&'static str, Box<str>),
}

/// Records that have a [`Key`] in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// How many.
    pub calls: u64,
    /// The first.
    pub example: Example,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Lines of exchanges.
    pub records: u64,
    /// Calls that were judged, those that stay open included.
    pub calls: u64,
    /// Allowed then and now.
    pub still_allowed: u64,
    /// Refused then and now.
    pub still_denied: u64,
    /// Allowed then, refused now.
    pub now_denied: u64,
    /// Refused then, allowed now.
    pub now_allowed: u64,
    /// It depends on what the record lacks.
    pub open: u64,
    /// Of all that was judged: what a limit refused then.
    pub limited: u64,
    /// Calls that could not be judged, by why.
    pub unjudged: BTreeMap<Unjudged, u64>,
    groups: Groups,
    /// Lines that are no records, by why.
    pub faults: BTreeMap<Fault, u64>,
    /// The first of them.
    pub faulty: Vec<(Place, Fault)>,
    /// Lines that were lost when the logs were written, as the logs say.
    pub lost: u64,
    /// Records outside of the time that was asked for.
    pub outside: u64,
}

impl Tally {
    /// Counts a line that is no record.
    pub fn fault(&mut self, place: Place, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
        self.faulty.push((place, fault));
        self.trim();
    }

    /// Keeps the first faults.
    fn trim(&mut self) {
        if self.faulty.len() > FAULTS {
            self.faulty.sort_unstable();
            self.faulty.truncate(FAULTS);
        }
    }

    /// Counts what came of `asked`.
    pub fn add(
        &mut self,
        place: Place,
        record: &Record<'_, '_>,
        asked: &Asked<'_>,
        judged: Result<(Verdict, Judged), Unjudged>,
    ) {
        let (_, judged) = match judged {
            Ok(judged) => judged,
            Err(why) => {
                *self.unjudged.entry(why).or_default() += 1;
                return;
            }
        };
        self.calls += 1;
        self.limited += u64::from(record.decision == "limit");
        let open;
        let (to, rule, reason, needs) = match judged {
            Judged::Same(Verdict::Allow) => {
                self.still_allowed += 1;
                return;
            }
            Judged::Same(Verdict::Deny) => {
                self.still_denied += 1;
                return;
            }
            Judged::Changed { to, rule, reason } => {
                match to {
                    Verdict::Allow => self.now_allowed += 1,
                    Verdict::Deny => self.now_denied += 1,
                }
                (Some(to), rule, reason, &[][..])
            }
            Judged::Open(why) => {
                self.open += 1;
                open = why;
                (None, open.rules.first().copied(), None, open.needs.as_slice())
            }
        };
        self.groups.add(&Flip {
            to,
            rule,
            reason,
            needs,
            target: (asked.object.map(|(kind, _)| kind), asked.target().1),
            caller: (record.client.unwrap_or(ClientKind::Anonymous), record.caller().1),
            place,
            request_id: record.request_id,
            then_rule: asked.rule,
        });
    }

    /// Takes in what another part of the logs came to.
    pub fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.calls += other.calls;
        self.still_allowed += other.still_allowed;
        self.still_denied += other.still_denied;
        self.now_denied += other.now_denied;
        self.now_allowed += other.now_allowed;
        self.open += other.open;
        self.limited += other.limited;
        self.lost = self.lost.saturating_add(other.lost);
        self.outside += other.outside;
        other.unjudged.into_iter().for_each(|(why, n)| *self.unjudged.entry(why).or_default() += n);
        other.faults.into_iter().for_each(|(why, n)| *self.faults.entry(why).or_default() += n);
        self.faulty.extend(other.faulty);
        self.trim();
        self.groups.merge(other.groups);
    }

    /// What changes or may change, as far as it was merged: at most 10 000 groups, the same whatever the logs were cut into.
    #[must_use]
    pub fn groups(&self) -> &BTreeMap<Key, Group> {
        self.groups.settled()
    }

    /// Calls that change or may change and have no group.
    #[must_use]
    pub fn ungrouped(&self) -> u64 {
        self.groups.left_out
    }

    /// How many verdicts change for certain.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.now_allowed + self.now_denied
    }
}
