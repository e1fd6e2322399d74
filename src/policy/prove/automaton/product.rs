//! The product of the automata of all patterns: its states, and what characters lead to.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;

use super::alphabet::{
    FOLD, between, could_be_uri, needed, one_of_each, others, readings, shape_after,
};
use super::steps::{advance, enter, floors, reduce};
use super::{Alphabet, Pattern, Reading};
use crate::policy::prove::diagram::Mix;
use crate::policy::selector::{Class, Step};

/// A place in a pattern: its index, and the step that is next. Two places of a pattern have more to say.
pub(super) type Item = (u32, u16);

/// The comparison is decided; or, of a reduced URI, the slashes at its end have begun.
pub(super) const SETTLED: u16 = u16::MAX;

/// In the query of a reduced URI.
pub(super) const QUERY: u16 = u16::MAX - 1;

/// A place in a text: where in a URI, and what of the patterns is live there, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) shape: u8,
    pub(super) items: Vec<Item>,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u8(self.shape);
        for (index, place) in &self.items {
            hasher.write_u64(u64::from(*index) << 16 | u64::from(*place));
        }
    }
}

/// The items of a state that wait for one character, sorted by how they read it and which it is; and the others. There may be
/// a thousand of the first, and any one character moves few of them.
pub(super) struct Waiting {
    for_one: Vec<(Spelling, char, Item)>,
    others: Vec<Item>,
    /// The characters that the next one is compared with, in their order.
    bounds: Vec<char>,
}

impl Waiting {
    /// Those that wait for `c` in `spelling`; for any character, where there is no `c`.
    fn of(&self, spelling: Spelling, c: Option<char>) -> &[(Spelling, char, Item)] {
        let order = |of: &(Spelling, char, Item)| {
            of.0.cmp(&spelling).then(c.map_or(Ordering::Equal, |c| of.1.cmp(&c)))
        };
        let from = self.for_one.partition_point(|of| order(of).is_lt());
        let found = self.for_one.get(from..).unwrap_or_default();
        let length = found.partition_point(|of| order(of).is_eq());
        found.get(..length).unwrap_or_default()
    }
}

/// How an item reads the character that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spelling {
    Plain,
    Lower,
    Folded,
}

/// What a character comes to in a state: characters of one effect lead to one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    /// The character, where some item asks for just this one.
    exactly: Option<char>,
    lower: Option<char>,
    /// Which bound it is, or between which two it lies.
    order: Result<usize, usize>,
    /// The number of its readings.
    readings: u32,
    /// What wildcards and the ends of URIs tell apart.
    is_name: bool,
    is_slash: bool,
    is_query: bool,
    shape: u8,
}

/// How a character folds, and a number for all that fold alike.
#[derive(Clone, Debug, Default)]
struct Readings {
    number: u32,
    texts: Rc<[String]>,
}

pub(super) struct Product<'w> {
    patterns: &'w [Pattern],
    /// By pattern, by place: the first place of which whatever matches from there matches from here.
    floors: Vec<Vec<Option<u16>>>,
    alphabet: Alphabet,
    has_folded: bool,
    /// Whether some wildcard stands for one character of any kind, beside patterns that fold.
    has_counted: bool,
    /// How the characters tried so far fold.
    readings: RefCell<HashMap<char, Readings, BuildHasherDefault<Mix>>>,
}

impl<'w> Product<'w> {
    pub(super) fn new(patterns: &'w [Pattern], alphabet: Alphabet) -> Self {
        let has_folded = patterns.iter().any(|pattern| pattern.reading == Reading::Folded);
        let is_counted = |pattern: &Pattern| {
            pattern.reading == Reading::Plain && pattern.steps.contains(&Step::One(Class::Any))
        };
        let has_counted = has_folded && patterns.iter().any(is_counted);
        let floors = patterns.iter().map(floors).collect();
        Self { patterns, floors, alphabet, has_folded, has_counted, readings: RefCell::default() }
    }

    pub(super) fn start(&self) -> State {
        let mut items = Vec::new();
        for (index, pattern) in (0_u32..).zip(self.patterns) {
            enter(&mut items, index, pattern, 0);
        }
        items.sort_unstable();
        items.dedup();
        State { shape: 0, items }
    }

    fn pattern(&self, index: u32) -> Option<&Pattern> {
        self.patterns.get(index as usize)
    }

    /// The patterns that match a text which ends here.
    pub(super) fn matched(&self, items: &[Item]) -> Vec<u32> {
        let mut ids: Vec<u32> = items
            .iter()
            .filter_map(|(index, place)| {
                let pattern = self.pattern(*index)?;
                let is_end = usize::from(*place) == pattern.steps.len();
                match pattern.reading {
                    Reading::Plain | Reading::Folded | Reading::Lower => {
                        is_end.then_some(pattern.id)
                    }
                    Reading::Reduced => (*place >= QUERY).then_some(pattern.id),
                    Reading::Less => (*place == SETTLED || !is_end).then_some(pattern.id),
                    Reading::Greater => (*place == SETTLED).then_some(pattern.id),
                    Reading::Count(_) => Some(pattern.id + u32::from(*place)),
                }
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The characters that are worth trying in `state`.
    pub(super) fn characters(&self, state: &State, waiting: &Waiting) -> Vec<char> {
        let mut spelled: Vec<char> = Vec::new();
        // What live steps of folded patterns spell out.
        let mut folded: Vec<char> = Vec::new();
        for alike in waiting.for_one.chunk_by(|a, b| a.0 == b.0 && a.1 == b.1) {
            match alike.first() {
                Some((Spelling::Plain, c, _)) => spelled.push(*c),
                Some((Spelling::Lower, c, _)) => spelled.extend([*c, c.to_ascii_uppercase()]),
                Some((Spelling::Folded, c, _)) => {
                    folded.push(*c);
                    // As the author spells it, rather than as it looks when it is folded.
                    for (_, _, (index, place)) in alike {
                        let spelt = self.pattern(*index).map_or(&[][..], |pattern| &pattern.spelt);
                        if let Some(Step::Char(c)) = spelt.get(usize::from(*place))
                            && !spelled.contains(c)
                        {
                            spelled.push(*c);
                        }
                    }
                }
                None => {}
            }
        }
        spelled.extend(&waiting.bounds);
        let odd =
            if self.has_folded { self.other_folds(&folded, &spelled, waiting) } else { Vec::new() };
        for c in &folded {
            spelled.push(*c);
            spelled.extend(FOLD.by_first.get(c).into_iter().flatten());
        }
        let is_free = |c: char, spelled: &[char]| {
            !spelled.contains(&c)
                && (!self.has_folded
                    || FOLD.of_ascii(c).is_none_or(|fold| {
                        let mut letters = fold.chars();
                        letters.next().is_some_and(|c| !folded.contains(&c))
                            && letters.next().is_none()
                    }))
        };
        let others: &[&str] = match self.alphabet {
            Alphabet::Text => &["xyzabcdefghijklmnopqrstuvw0123456789XYZ_"],
            // Those of the first kind are all that wildcards of an allow stand for.
            Alphabet::Name => &[
                "xyzabcdefghjknopqrstuvw2345678_-./XYZABCDEFGHJKNOPQRSTUVWilm019ILMO",
                "!~+,;=@&'",
            ],
            Alphabet::Uri => &[
                "xyzabcdefghijklmnopqrstuvw0123456789-_XYZABCDEFGHIJKLMNOPQRSTUVW",
                "/",
                "?",
                ":",
                "~!,;=.@&+$()*'",
                "%",
            ],
        };
        for (at, kind) in (1..).zip(others) {
            let free = kind.chars().find(|c| is_free(*c, &spelled));
            // There is always another one that is no character of names: nobody spells out all ideographs.
            let is_open = self.alphabet != Alphabet::Uri && at == others.len();
            let more = || ('\u{4e00}'..='\u{9fff}').find(|c| is_free(*c, &spelled));
            let free = free.or_else(|| is_open.then(more).flatten());
            spelled.extend(free);
        }
        if self.has_folded {
            // They fold to nothing or to two letters, which may stand where wildcards are.
            spelled.push(' ');
            spelled.extend(&FOLD.odd);
            spelled.extend(odd);
        }
        spelled.extend(needed(state.shape).filter(|_| self.alphabet == Alphabet::Uri));
        if !waiting.bounds.is_empty() {
            let ordered = between(&spelled);
            spelled.extend(ordered);
        }
        let is_uri = self.alphabet == Alphabet::Uri;
        spelled.retain(|c| !is_uri || could_be_uri(state.shape, *c));
        spelled
    }

    /// Characters that fold to what begins with one of `folded`, or to nothing, where those of ASCII and of full width are not
    /// enough: some order tells them apart, they are `spelled` by others, or a wildcard counts what is seen.
    fn other_folds(&self, folded: &[char], spelled: &[char], waiting: &Waiting) -> Vec<char> {
        let is_all = !waiting.bounds.is_empty() || self.has_counted;
        let needs = |first: Option<char>| {
            is_all
                || match first {
                    None => spelled.contains(&' '),
                    Some(first) => {
                        let wide = FOLD.by_first.get(&first).into_iter().flatten();
                        wide.filter(|c| !c.is_ascii()).all(|c| spelled.contains(c))
                    }
                }
        };
        let firsts = folded.iter().map(|c| Some(*c)).chain([None]).filter(|first| needs(*first));
        firsts
            .flat_map(others)
            .flat_map(|chars| one_of_each(chars, &waiting.bounds, spelled))
            .collect()
    }

    pub(super) fn waiting(&self, state: &State) -> Waiting {
        let mut waiting = Waiting { for_one: Vec::new(), others: Vec::new(), bounds: Vec::new() };
        for item in &state.items {
            let Some(pattern) = self.pattern(item.0) else { continue };
            let spelling = match pattern.reading {
                Reading::Plain => Some(Spelling::Plain),
                Reading::Lower | Reading::Reduced => Some(Spelling::Lower),
                Reading::Folded => Some(Spelling::Folded),
                Reading::Less | Reading::Greater => {
                    if let Some(Step::Char(c)) = pattern.steps.get(usize::from(item.1)) {
                        waiting.bounds.push(*c);
                    }
                    None
                }
                Reading::Count(_) => None,
            };
            match (spelling, pattern.steps.get(usize::from(item.1))) {
                (Some(spelling), Some(Step::Char(c))) => {
                    waiting.for_one.push((spelling, *c, *item));
                }
                _ => waiting.others.push(*item),
            }
        }
        waiting.for_one.sort_unstable();
        waiting.bounds.sort_unstable();
        waiting.bounds.dedup();
        waiting
    }

    /// The items that `c` may move; all others it ends.
    pub(super) fn moved(&self, waiting: &Waiting, c: char) -> Vec<Item> {
        let mut items = waiting.others.clone();
        let mut add = |spelling, c| items.extend(waiting.of(spelling, c).iter().map(|of| of.2));
        add(Spelling::Plain, Some(c));
        add(Spelling::Lower, Some(c.to_ascii_lowercase()));
        if self.has_folded {
            for reading in self.readings(c).texts.iter() {
                // What folds to nothing moves nothing on, and ends nothing.
                add(Spelling::Folded, reading.chars().next());
            }
        }
        items
    }

    pub(super) fn effect(&self, shape: u8, waiting: &Waiting, c: char) -> Effect {
        let is_asked = |spelling, c| !waiting.of(spelling, Some(c)).is_empty();
        let lower = c.to_ascii_lowercase();
        Effect {
            exactly: is_asked(Spelling::Plain, c).then_some(c),
            order: waiting.bounds.binary_search(&c),
            lower: is_asked(Spelling::Lower, lower).then_some(lower),
            readings: if self.has_folded { self.readings(c).number } else { 0 },
            is_name: Class::Name.has(c),
            is_slash: c == '/',
            is_query: c == '?',
            shape: self.shape_after(shape, c),
        }
    }

    fn shape_after(&self, shape: u8, c: char) -> u8 {
        if self.alphabet == Alphabet::Uri { shape_after(shape, c) } else { 0 }
    }

    pub(super) fn step(&self, shape: u8, items: &[Item], c: char, after: &mut State) {
        after.shape = self.shape_after(shape, c);
        let next = &mut after.items;
        next.clear();
        let readings = if self.has_folded { self.readings(c) } else { Readings::default() };
        for (index, place) in items {
            let Some(pattern) = self.pattern(*index) else { continue };
            match pattern.reading {
                Reading::Plain => advance(next, *index, pattern, *place, c),
                Reading::Lower => {
                    advance(next, *index, pattern, *place, c.to_ascii_lowercase());
                }
                Reading::Folded => {
                    for reading in readings.texts.iter() {
                        let mut letters = reading.chars();
                        if let (Some(only), None) = (letters.next(), letters.next()) {
                            advance(next, *index, pattern, *place, only);
                            continue;
                        }
                        let mut now = vec![(*index, *place)];
                        for c in reading.chars() {
                            let mut after = Vec::new();
                            for (_, place) in &now {
                                advance(&mut after, *index, pattern, *place, c);
                            }
                            now = after;
                        }
                        next.extend(now);
                    }
                }
                Reading::Reduced => reduce(next, *index, pattern, *place, c),
                Reading::Less | Reading::Greater => {
                    let wanted = match pattern.steps.get(usize::from(*place)) {
                        _ if *place == SETTLED => {
                            next.push((*index, SETTLED));
                            continue;
                        }
                        Some(Step::Char(wanted)) => Some(*wanted),
                        _ => None,
                    };
                    // What goes on after the end is greater.
                    let order = wanted.map_or(Ordering::Greater, |wanted| c.cmp(&wanted));
                    match (order, pattern.reading) {
                        (Ordering::Equal, _) => next.push((*index, *place + 1)),
                        (Ordering::Less, Reading::Less) | (Ordering::Greater, Reading::Greater) => {
                            next.push((*index, SETTLED));
                        }
                        _ => {}
                    }
                }
                Reading::Count(most) => {
                    next.push((*index, u16::try_from(most).unwrap_or(*place).min(*place + 1)));
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        self.prune(next);
    }

    /// Takes out what has nothing to say beside a later place of its pattern.
    fn prune(&self, items: &mut Vec<Item>) {
        // From the end: later places come first.
        items.reverse();
        let mut later: (u32, Option<u16>) = (u32::MAX, None);
        items.retain(|(index, place)| {
            if later.0 != *index {
                later = (*index, None);
            }
            let is_said = later.1.is_some_and(|floor| floor <= *place);
            let floors = self.floors.get(*index as usize);
            let floor = floors.and_then(|floors| *floors.get(usize::from(*place))?);
            later.1 = later.1.into_iter().chain(floor).min();
            !is_said
        });
        items.reverse();
    }

    fn readings(&self, c: char) -> Readings {
        let mut known = self.readings.borrow_mut();
        if let Some(known) = known.get(&c) {
            return known.clone();
        }
        let texts = readings(c);
        let alike = known.values().find(|of| *of.texts == *texts).cloned();
        let number = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let made = alike.unwrap_or_else(|| Readings { number, texts: texts.into() });
        known.insert(c, made.clone());
        made
    }
}
