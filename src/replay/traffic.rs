//! What logs show of who called what: the ground of a proposal. In bounded memory, whatever names a log has.

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
        if self.texts.len() < VALUES {
            self.texts.insert(text.clone());
        } else {
            self.is_open |= !self.texts.contains(text);
        }
    }

    fn merge(&mut self, other: Self) {
        self.is_open |= other.is_open;
        self.calls += other.calls;
        self.prefix = match (self.prefix.take(), other.prefix) {
            (Some(a), Some(b)) => Some(common(&a, &b).into()),
            (a, b) => a.or(b),
        };
        for text in other.texts {
            if self.texts.len() < VALUES {
                self.texts.insert(text);
            } else {
                self.is_open |= !self.texts.contains(&text);
            }
        }
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
    /// Calls that found no room.
    pub beyond: u64,
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
        let key = (kind, Box::from(name));
        if side.len() >= TARGETS && !side.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        side.entry(key).or_default().add(record, asked);
    }

    /// Takes in what another part of the logs shows.
    pub fn merge(&mut self, other: Self) {
        self.beyond += other.beyond;
        other.unjudged.into_iter().for_each(|(why, n)| *self.unjudged.entry(why).or_default() += n);
        for (side, other) in [(&mut self.allowed, other.allowed), (&mut self.denied, other.denied)]
        {
            for (key, calls) in other {
                if side.len() >= TARGETS && !side.contains_key(&key) {
                    self.beyond += calls.calls;
                } else {
                    side.entry(key).or_default().merge(calls);
                }
            }
        }
    }
}

impl Calls {
    fn add(&mut self, record: &Record<'_, '_>, asked: &Asked<'_>) {
        self.calls += 1;
        let (kind, id) = record.caller();
        let id = clipped(id);
        let who = format!("{kind} {id}").into_boxed_str();
        if self.callers.len() < CALLERS {
            self.callers.insert((kind, id.into()));
        }
        if self.days.len() < DAYS {
            self.days.insert(record.time_ms / 86_400_000);
        }
        let minute = (who, record.time_ms / 60_000);
        if self.minutes.len() < MINUTES || self.minutes.contains_key(&minute) {
            let count = self.minutes.entry(minute).or_default();
            *count = count.saturating_add(1);
        }
        let (mut args, mut bytes) = (Vec::new(), 0);
        for (name, value) in record.values() {
            bytes += name.len() + size(&value);
            let side = match name.starts_with("/claims/") {
                true => &mut self.claims,
                false => &mut self.args,
            };
            if clipped(name) == name && (side.len() < NAMES || side.contains_key(name)) {
                side.entry(name.into()).or_default().add(&value);
            }
            if name.starts_with("/args/") {
                args.push((Box::from(name), value));
            }
        }
        let is_first = self.sample.as_ref().is_none_or(|known| record.time_ms < known.time_ms);
        if is_first && bytes <= SAMPLE {
            let claims = super::caller::claims(record);
            self.sample =
                Some(Sample { time_ms: record.time_ms, claims, args, method: asked.method.into() });
        }
    }

    fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.callers.extend(other.callers.into_iter().take(CALLERS));
        self.days.extend(other.days);
        for (side, other) in [(&mut self.claims, other.claims), (&mut self.args, other.args)] {
            for (name, values) in other {
                if side.len() < NAMES || side.contains_key(&name) {
                    side.entry(name).or_default().merge(values);
                }
            }
        }
        for (minute, calls) in other.minutes {
            if self.minutes.len() < MINUTES || self.minutes.contains_key(&minute) {
                let count = self.minutes.entry(minute).or_default();
                *count = count.saturating_add(calls);
            }
        }
        let is_first = match (&self.sample, &other.sample) {
            (Some(ours), Some(theirs)) => theirs.time_ms < ours.time_ms,
            (None, _) => true,
            (_, None) => false,
        };
        if is_first {
            self.sample = other.sample;
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
