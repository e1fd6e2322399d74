//! Which sets of patterns a text can match: a walk over the product of their automata.
//!
//! Every pattern is a row of steps; a state is what of each pattern is still live. The walk goes breadth first, so that
//! the first text that comes to a set of patterns is a shortest one: its witness. At each state it tries the characters
//! that some live step spells out, in every spelling that a fold takes for them, and one of each kind that no step does;
//! all others behave like one of these.

mod alphabet;
mod product;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use self::alphabet::{BAD, may_end, readings};
use self::product::{Effect, Product, State};
use super::diagram::Mix;
use crate::policy::Value;
use crate::policy::expr::formula::Test;
use crate::policy::selector::{Class, Step};

/// Most states of one walk: with the patterns of a thousand rules some 11 000 are seen. Beyond it, what was not reached is
/// unknown.
pub(super) const MAX_STATES: usize = 200_000;

/// Most sets of patterns of one walk over texts: each condition that asks what an argument contains doubles them, and beyond
/// nine such nothing is known of it. With many patterns, so many for each.
const MAX_FOUND: usize = 512;
const FOUND_OF_EACH: usize = 4;

/// Longest text that is walked to, in characters: patterns have at most 256.
const MAX_TEXT: usize = 600;

/// Letters of a text that are tried in the other case.
const MAX_RESPELT: usize = 8;

/// How a pattern reads a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reading {
    /// Its characters.
    Plain,
    /// The fold of its characters: names, as deny and limit see them.
    Folded,
    /// In lower case: URIs, as deny and limit see them.
    Lower,
    /// In lower case without query and slashes at the end: URIs, as deny and limit see them.
    Reduced,
    /// Whether it comes before the characters of the steps.
    Less,
    /// Whether it comes after.
    Greater,
    /// How many characters it has, up to so many: matches as the pattern `id + count`.
    Count(u32),
}

/// One pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) id: u32,
    pub(super) reading: Reading,
    pub(super) steps: Vec<Step>,
    /// How its author spelt the steps, one for one, where that is another spelling: witnesses are spelt so.
    pub(super) spelt: Vec<Step>,
}

impl Pattern {
    pub(super) fn new(id: u32, reading: Reading, steps: Vec<Step>) -> Self {
        Self { id, reading, steps, spelt: Vec::new() }
    }

    /// The pattern that tells texts apart as `test` does; `None` where none does.
    pub(super) fn of(test: &Test, id: u32) -> Option<Self> {
        let chars = |text: &str| text.chars().map(Step::Char).collect::<Vec<_>>();
        let any = Step::Many(Class::Any);
        let (reading, steps) = match test {
            Test::Equals(Value::String(text)) => (Reading::Plain, chars(text)),
            Test::Less(Value::String(text)) => (Reading::Less, chars(text)),
            Test::Greater(Value::String(text)) => (Reading::Greater, chars(text)),
            Test::StartsWith(text) => (Reading::Plain, [chars(text), vec![any]].concat()),
            Test::EndsWith(text) => (Reading::Plain, [vec![any], chars(text)].concat()),
            Test::Contains(text) => (Reading::Plain, [vec![any], chars(text), vec![any]].concat()),
            _ => return None,
        };
        Some(Self::new(id, reading, steps))
    }
}

/// What the texts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Any text.
    Text,
    /// Names of tools, prompts and methods.
    Name,
    /// URIs.
    Uri,
}

/// A set of patterns and a shortest text that matches these and no others.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) text: String,
    /// Their ids, sorted.
    pub(super) ids: Vec<u32>,
    /// Whether the text is one that `accepts` takes.
    pub(super) is_real: bool,
}

/// Every set of patterns that some text matches, with a witness that `accepts` takes where one was found. The second value
/// tells whether all of them are there.
pub(super) fn walk(
    patterns: &[Pattern],
    alphabet: Alphabet,
    accepts: impl Fn(&str) -> bool,
) -> (Vec<Found>, bool) {
    let product = Product::new(patterns, alphabet);
    let mut found: BTreeMap<Vec<u32>, (Found, Rc<State>)> = BTreeMap::new();
    // Hashing states is a quarter of the work, and nobody outside writes them.
    let mut states: HashSet<Rc<State>, BuildHasherDefault<Mix>> = HashSet::default();
    // Which state a state was reached from, and by which character.
    let mut ways: Vec<(usize, char)> = vec![(0, '\0')];
    let start = Rc::new(product.start());
    let mut open = VecDeque::from([(0_usize, 0_usize, Rc::clone(&start))]);
    states.insert(start);
    let mut next = State { shape: 0, items: Vec::new() };
    let mut is_complete = true;
    let most = match alphabet {
        Alphabet::Text => MAX_FOUND.max(FOUND_OF_EACH * patterns.len()),
        Alphabet::Name | Alphabet::Uri => usize::MAX,
    };
    while let Some((at, length, state)) = open.pop_front() {
        let ids = product.matched(&state.items);
        let known = found.get(&ids);
        let may_end = alphabet != Alphabet::Uri || may_end(state.shape);
        if may_end && known.is_none_or(|(known, _)| !known.is_real) {
            let text = text_of(&ways, at);
            let is_real = (alphabet != Alphabet::Uri || state.shape != BAD) && accepts(&text);
            if known.is_none() && found.len() >= most {
                is_complete = false;
                break;
            }
            if is_real || known.is_none() {
                found.insert(ids.clone(), (Found { text, ids, is_real }, Rc::clone(&state)));
            }
        }
        if length == MAX_TEXT {
            is_complete = false;
            continue;
        }
        let waiting = product.waiting(&state);
        let mut tried: Vec<Effect> = Vec::new();
        for c in product.characters(&state, &waiting) {
            let effect = product.effect(state.shape, &waiting, c);
            if tried.contains(&effect) {
                continue;
            }
            tried.push(effect);
            product.step(state.shape, &product.moved(&waiting, c), c, &mut next);
            if states.contains(&next) {
                continue;
            }
            if states.len() >= MAX_STATES {
                is_complete = false;
                continue;
            }
            let next = Rc::new(next.clone());
            states.insert(Rc::clone(&next));
            ways.push((at, c));
            open.push_back((ways.len() - 1, length + 1, next));
        }
    }
    let mut all = Vec::with_capacity(found.len());
    for (mut one, state) in found.into_values() {
        product.beautify(&mut one, &state, &accepts);
        all.push(one);
    }
    (all, is_complete)
}

fn text_of(ways: &[(usize, char)], mut at: usize) -> String {
    let mut text = Vec::new();
    while at != 0 {
        let Some((from, c)) = ways.get(at) else { break };
        text.push(*c);
        at = *from;
    }
    text.iter().rev().collect()
}

impl Product<'_> {
    /// Takes a text that reads better, or that is real, where one matches the same; its own ends in `end`.
    fn beautify(&self, found: &mut Found, end: &State, accepts: &impl Fn(&str) -> bool) {
        let more = if found.text.is_empty() {
            ["x", "other", "mem:x"]
        } else if !found.is_real || found.text.ends_with(['_', '-', '/', '.', ' ']) {
            ["x", "a", "1"]
        } else {
            return;
        };
        let better = more.into_iter().find_map(|more| {
            let text = format!("{}{more}", found.text);
            if !accepts(&text) {
                return None;
            }
            let mut end = end.clone();
            for c in more.chars() {
                let before = end.clone();
                self.step(before.shape, &before.items, c, &mut end);
            }
            (self.matched(&end.items) == found.ids).then_some(text)
        });
        if let Some(better) = better {
            (found.text, found.is_real) = (better, true);
        } else if !found.is_real {
            self.respell(found, accepts);
        }
    }

    /// Takes the text with one letter in the other case, where that is real and matches the same: characters that lead to one
    /// state were tried once, and the one that was may have made a name that is taken for something else.
    fn respell(&self, found: &mut Found, accepts: &impl Fn(&str) -> bool) {
        let letters = found.text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic());
        let respelt = letters.take(MAX_RESPELT).map(|(at, c)| {
            let other = if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            };
            let (before, after) = (found.text.get(..at), found.text.get(at + 1..));
            format!("{}{other}{}", before.unwrap_or_default(), after.unwrap_or_default())
        });
        let real = respelt.into_iter().find(|text| accepts(text) && self.ids(text) == found.ids);
        if let Some(real) = real {
            (found.text, found.is_real) = (real, true);
        }
    }

    /// The patterns that match `text`.
    fn ids(&self, text: &str) -> Vec<u32> {
        let mut end = self.start();
        for c in text.chars() {
            let before = end.clone();
            self.step(before.shape, &before.items, c, &mut end);
        }
        self.matched(&end.items)
    }
}

/// Whether whatever text has all characters of `plain` matches `steps`, too, when it is read as `reading`; false where that
/// cannot be told by the steps alone. A fold of a text is the fold of its characters.
pub(super) fn contains(reading: Reading, steps: &[Step], plain: &[Step]) -> bool {
    let mut wanted = Vec::with_capacity(steps.len());
    for step in plain {
        match (reading, step) {
            (Reading::Lower, Step::Char(c)) => wanted.push(Step::Char(c.to_ascii_lowercase())),
            (Reading::Lower, step) => wanted.push(*step),
            (Reading::Folded, Step::Char(c)) => {
                let likely = readings(*c).into_iter().next().unwrap_or_default();
                wanted.extend(likely.chars().map(Step::Char));
            }
            (Reading::Folded, Step::Many(_)) => wanted.push(Step::Many(Class::Any)),
            // One character may fold to none, or to two.
            _ => return false,
        }
    }
    wanted == steps
}
