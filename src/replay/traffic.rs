//! What logs show of who called what: the ground of a proposal. In bounded memory, whatever names a log has.
//!
//! INVARIANT: what is kept does not depend on the order of the records, nor on how they are shared out and merged. Of more than
//! there is room for, the first in the order of their names are kept: what makes room was never among them, whatever comes
//! later, so that what is kept is whole.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Judge, Unjudged, Verdict};
use super::record::{Asked, Record, clipped};
use crate::observe::VALUE;
use crate::policy::Value;

/// Most things that are called. What is beyond is counted, and proposed nothing for.
const TARGETS: usize = 5000;
/// Most callers that are told apart of one thing, and in all.
const CALLERS: usize = 10_000;
/// Most values of a claim or an argument that are kept. One with more separates nobody that a rule could name.
const VALUES: usize = 16;
/// Most claims, and most arguments of one thing.
const NAMES: usize = 64;
/// Most minutes of callers of one thing that are counted.
const MINUTES: usize = 100_000;
/// Most bytes of claims and arguments of an example. A record that mcpfw writes has fewer but where a rule reads many long lists.
const SAMPLE: usize = 1 << 16;
/// Most days that are counted.
const DAYS: usize = 4000;

/// What is called: the kind (`tool`, `prompt`, `resource`, `method`) and the name.
pub type Called = (&'static str, Box<str>);

/// What a claim or an argument was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The texts that it was.
    pub texts: BTreeSet<Box<str>>,
    /// Whether there were more, it was no text, or was not recorded.
    pub is_open: bool,
    /// How many calls had it recorded as a text.
    pub calls: u64,
    /// What all its texts begin with, those that are not kept as well.
    pub prefix: Option<Box<str>>,
}

impl Values {
    fn add(&mut self, value: &Value) {
        let Value::String(text) = value else {
            self.is_open = true;
            return;
        };
        if text.len() > VALUE {
            // Longer than any that is recorded whole.
            self.is_open = true;
            return;
        }
        self.calls += 1;
        self.prefix = Some(match &self.prefix {
            None => text.clone(),
            Some(prefix) => common(prefix, text).into(),
        });
        self.keep(text.clone());
    }

    fn keep(&mut self, text: Box<str>) {
        self.texts.insert(text);
        if self.texts.len() > VALUES {
            self.texts.pop_last();
            self.is_open = true;
        }
    }

    fn merge(&mut self, other: Self) {
        self.is_open |= other.is_open;
        self.calls += other.calls;
        self.prefix = match (self.prefix.take(), other.prefix) {
            (Some(a), Some(b)) => Some(common(&a, &b).into()),
            (a, b) => a.or(b),
        };
        other.texts.into_iter().for_each(|text| self.keep(text));
    }
}

/// The entry of `key` in `map`, made where it is not there; `None` where `most` others go before it. What has to make room for it
/// goes to `gone`.
fn room<K: Ord + Clone, V: Default>(
    map: &mut BTreeMap<K, V>,
    key: K,
    most: usize,
    mut gone: impl FnMut(K, V),
) -> Option<&mut V> {
    if map.len() >= most && !map.contains_key(&key) {
        if map.last_key_value().is_none_or(|(last, _)| *last < key) {
            return None;
        }
        if let Some((key, value)) = map.pop_last() {
            gone(key, value);
        }
    }
    Some(map.entry(key).or_default())
}

/// Adds `item` to `set`, of which the first `most` are kept.
fn keep<K: Ord>(set: &mut BTreeSet<K>, item: K, most: usize) {
    set.insert(item);
    if set.len() > most {
        set.pop_last();
    }
}

/// Bytes of what `value` says, about. It is a scalar or a list of scalars: this goes no deeper.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(|item| 32 + item.as_str().map_or(0, str::len)).sum(),
        _ => 32,
    }
}

/// What both begin with.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    let end = same.map(|(a, _)| a.len_utf8()).sum();
    a.get(..end).unwrap_or_default()
}

/// One call, as an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When, milliseconds since 1970.
    pub time_ms: u64,
    /// What is known of the caller's claims; `None`: an anonymous caller.
    pub claims: Option<Value>,
    /// The arguments that are recorded, by their names.
    pub args: Vec<(Box<str>, Value)>,
    /// The method.
    pub method: Box<str>,
}

impl Sample {
    /// Whether it goes before `other`: the earlier one, and of two at one time the one that is spelt so.
    fn is_before(&self, other: &Self) -> bool {
        let spelt = |sample: &Self| {
            let Self { method, claims, args, .. } = sample;
            format!("{method:?} {claims:?} {args:?}")
        };
        match self.time_ms.cmp(&other.time_ms) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => self != other && spelt(self) < spelt(other),
        }
    }
}

/// The calls of one thing that came to one verdict.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// How many.
    pub calls: u64,
    /// Of whom: the kind of caller and its name.
    pub callers: BTreeSet<(&'static str, Box<str>)>,
    /// On which days since 1970.
    pub days: BTreeSet<u64>,
    /// By the name of the claim, a JSON Pointer.
    pub claims: BTreeMap<Box<str>, Values>,
    /// By the name of the argument, a JSON Pointer.
    pub args: BTreeMap<Box<str>, Values>,
    /// Calls of each caller in each minute.
    minutes: BTreeMap<(Box<str>, u64), u32>,
    /// The first of them.
    pub sample: Option<Sample>,
}

/// What all records show.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// What rules allowed.
    pub allowed: BTreeMap<Called, Calls>,
    /// What rules refused.
    pub denied: BTreeMap<Called, Calls>,
    /// Allowed calls that found no room.
    pub beyond: u64,
    /// Refused calls that found no room.
    pub denied_beyond: u64,
    /// Calls that cannot be learnt from, by why.
    pub unjudged: BTreeMap<Unjudged, u64>,
}

impl Traffic {
    /// Takes in `asked` of `record`.
    pub fn add(&mut self, record: &Record<'_, '_>, asked: &Asked<'_>) {
        let verdict = match Judge::then(record, asked) {
            Ok(verdict) => verdict,
            Err(why) => {
                *self.unjudged.entry(why).or_default() += 1;
                return;
            }
        };
        let side = match verdict {
            Verdict::Allow => &mut self.allowed,
            Verdict::Deny => &mut self.denied,
        };
        let (kind, name) = asked.target();
        if clipped(name) != name {
            *self.unjudged.entry(Unjudged::Cut).or_default() += 1;
            return;
        }
        let is_denied = verdict == Verdict::Deny;
        let mut beyond = 0;
        match room(side, (kind, Box::from(name)), TARGETS, |_, gone: Calls| beyond += gone.calls) {
            Some(calls) => calls.add(record, asked),
            None => beyond += 1,
        }
        *(if is_denied { &mut self.denied_beyond } else { &mut self.beyond }) += beyond;
    }

    /// Takes in what another part of the logs shows.
    pub fn merge(&mut self, other: Self) {
        other.unjudged.into_iter().for_each(|(why, n)| *self.unjudged.entry(why).or_default() += n);
        self.beyond += other.beyond + merge(&mut self.allowed, other.allowed);
        self.denied_beyond += other.denied_beyond + merge(&mut self.denied, other.denied);
    }

    /// Whether it is known that `called` was refused or not: where more was refused than is kept, only of what goes before the last
    /// that is.
    #[must_use]
    pub fn knows_denied(&self, called: &Called) -> bool {
        self.denied_beyond == 0
            || self.denied.last_key_value().is_some_and(|(last, _)| called <= last)
    }
}

/// Takes `other` into `side`; how many calls found no room.
fn merge(side: &mut BTreeMap<Called, Calls>, other: BTreeMap<Called, Calls>) -> u64 {
    let mut beyond = 0;
    for (key, calls) in other {
        match room(side, key, TARGETS, |_, gone: Calls| beyond += gone.calls) {
            Some(known) => known.merge(calls),
            None => beyond += calls.calls,
        }
    }
    beyond
}

impl Calls {
    fn add(&mut self, record: &Record<'_, '_>, asked: &Asked<'_>) {
        self.calls += 1;
        let (kind, id) = record.caller();
        let id = clipped(id);
        let who = format!("{kind} {id}").into_boxed_str();
        keep(&mut self.callers, (kind, id.into()), CALLERS);
        keep(&mut self.days, record.time_ms / 86_400_000, DAYS);
        let minute = (who, record.time_ms / 60_000);
        if let Some(count) = room(&mut self.minutes, minute, MINUTES, |_, _| {}) {
            *count = count.saturating_add(1);
        }
        let (mut args, mut bytes) = (Vec::new(), 0);
        for (name, value) in record.values() {
            bytes += name.len() + size(&value);
            let side = match name.starts_with("/claims/") {
                true => &mut self.claims,
                false => &mut self.args,
            };
            if clipped(name) == name
                && let Some(values) = room(side, name.into(), NAMES, |_, _| {})
            {
                values.add(&value);
            }
            if name.starts_with("/args/") {
                args.push((Box::from(name), value));
            }
        }
        if bytes > SAMPLE
            || self.sample.as_ref().is_some_and(|known| known.time_ms < record.time_ms)
        {
            return;
        }
        let claims = super::caller::claims(record);
        self.sampled(Sample { time_ms: record.time_ms, claims, args, method: asked.method.into() });
    }

    fn sampled(&mut self, sample: Sample) {
        if self.sample.as_ref().is_none_or(|known| sample.is_before(known)) {
            self.sample = Some(sample);
        }
    }

    fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        other.callers.into_iter().for_each(|caller| keep(&mut self.callers, caller, CALLERS));
        other.days.into_iter().for_each(|day| keep(&mut self.days, day, DAYS));
        for (side, other) in [(&mut self.claims, other.claims), (&mut self.args, other.args)] {
            for (name, values) in other {
                if let Some(known) = room(side, name, NAMES, |_, _| {}) {
                    known.merge(values);
                }
            }
        }
        for (minute, calls) in other.minutes {
            if let Some(count) = room(&mut self.minutes, minute, MINUTES, |_, _| {}) {
                *count = count.saturating_add(calls);
            }
        }
        if let Some(sample) = other.sample {
            self.sampled(sample);
        }
    }

    /// The claim `name`, where every call had it as one of few texts.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&BTreeSet<Box<str>>> {
        let values = self.claims.get(name)?;
        (values.calls == self.calls && !values.is_open).then_some(&values.texts)
    }

    /// How many calls one caller made in one minute: of a hundred such minutes the 99th, and the most.
    #[must_use]
    pub fn rates(&self) -> (u32, u32) {
        let mut counts: Vec<u32> = self.minutes.values().copied().collect();
        counts.sort_unstable();
        let at = (counts.len() * 99).div_ceil(100).saturating_sub(1);
        (counts.get(at).copied().unwrap_or_default(), counts.last().copied().unwrap_or_default())
    }

    /// Whether every caller proved who it is by a token.
    #[must_use]
    pub fn is_of_tokens(&self) -> bool {
        self.callers.iter().all(|(kind, id)| *kind == "jwt" && !id.is_empty())
    }
}
