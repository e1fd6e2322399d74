//! Which sets of patterns a text can match: a walk over the product of their automata.
//!
//! Every pattern is a row of steps; a state is what of each pattern is still live. The walk goes breadth first, so that
//! the first text that comes to a set of patterns is a shortest one: its witness. At each state it tries the characters
//! that some live step spells out, in every spelling that a fold takes for them, and one of each kind that no step does;
//! all others behave like one of these.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;
use std::rc::Rc;
use std::sync::LazyLock;

use super::diagram::Mix;
use crate::policy::selector::{Step, folds};

/// Most states of one walk: with the patterns of a thousand rules some 20 000 are seen. Beyond it, what was not reached is
/// unknown.
pub(super) const MAX_STATES: usize = 200_000;

/// Longest text that is walked to, in characters: patterns have at most 256.
const MAX_TEXT: usize = 600;

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

/// A place in a pattern: its index, and the step that is next. Two places of a pattern have more to say.
type Item = (u32, u16);

/// The comparison is decided; or, of a reduced URI, the slashes at its end have begun.
const SETTLED: u16 = u16::MAX;
/// In the query of a reduced URI.
const QUERY: u16 = u16::MAX - 1;

struct Walk<'w> {
    patterns: &'w [Pattern],
    alphabet: Alphabet,
    has_folded: bool,
    /// How the characters tried so far fold.
    readings: RefCell<HashMap<char, Rc<[String]>>>,
}

/// Every set of patterns that some text matches, with a witness that `accepts` takes where one was found. The second value
/// tells whether all of them are there.
pub(super) fn walk(
    patterns: &[Pattern],
    alphabet: Alphabet,
    accepts: impl Fn(&str) -> bool,
) -> (Vec<Found>, bool) {
    let has_folded = patterns.iter().any(|pattern| pattern.reading == Reading::Folded);
    let walk = Walk { patterns, alphabet, has_folded, readings: RefCell::default() };
    let mut found: BTreeMap<Vec<u32>, Found> = BTreeMap::new();
    // Hashing states is a quarter of the work, and nobody outside writes them.
    let mut states: HashSet<(u8, Vec<Item>), BuildHasherDefault<Mix>> = HashSet::default();
    // Which state a state was reached from, and by which character.
    let mut ways: Vec<(usize, char)> = vec![(0, '\0')];
    let mut open = VecDeque::from([(0_usize, 0_usize, walk.start())]);
    states.insert(walk.start());
    let mut is_complete = true;
    while let Some((at, length, state)) = open.pop_front() {
        let ids = walk.matched(&state.1);
        let known = found.get(&ids);
        if known.is_none_or(|known| !known.is_real) {
            let text = text_of(&ways, at);
            let is_real = (walk.alphabet != Alphabet::Uri || state.0 != BAD) && accepts(&text);
            if is_real || known.is_none() {
                found.insert(ids.clone(), Found { text, ids, is_real });
            }
        }
        if length == MAX_TEXT {
            is_complete = false;
            continue;
        }
        for c in walk.characters(&state) {
            let next = walk.step(&state, c);
            if states.contains(&next) {
                continue;
            }
            if states.len() >= MAX_STATES {
                is_complete = false;
                continue;
            }
            states.insert(next.clone());
            ways.push((at, c));
            open.push_back((ways.len() - 1, length + 1, next));
        }
    }
    let mut found: Vec<Found> = found.into_values().collect();
    for one in &mut found {
        walk.beautify(one, &accepts);
    }
    (found, is_complete)
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

impl Walk<'_> {
    fn start(&self) -> (u8, Vec<Item>) {
        let mut items = Vec::new();
        for (index, pattern) in (0_u32..).zip(self.patterns) {
            enter(&mut items, index, pattern, 0);
        }
        items.sort_unstable();
        items.dedup();
        (0, items)
    }

    fn pattern(&self, index: u32) -> Option<&Pattern> {
        self.patterns.get(index as usize)
    }

    /// The patterns that match a text which ends here.
    fn matched(&self, items: &[Item]) -> Vec<u32> {
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
    fn characters(&self, state: &(u8, Vec<Item>)) -> Vec<char> {
        let mut spelled: Vec<char> = Vec::new();
        // What live steps of folded patterns spell out.
        let mut folded: Vec<char> = Vec::new();
        for (index, place) in &state.1 {
            let Some(pattern) = self.pattern(*index) else { continue };
            let Some(Step::Char(c)) = pattern.steps.get(usize::from(*place)).copied() else {
                continue;
            };
            match pattern.reading {
                Reading::Plain => spelled.push(c),
                Reading::Folded => folded.push(c),
                Reading::Lower | Reading::Reduced => spelled.extend([c, c.to_ascii_uppercase()]),
                Reading::Less | Reading::Greater => spelled.extend(around(c)),
                Reading::Count(_) => {}
            }
        }
        folded.sort_unstable();
        folded.dedup();
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
            Alphabet::Text => &["xyzabcdefghijklmnopqrstuvw0123456789XYZ_日本語文字列"],
            Alphabet::Name => &[
                "xyzabcdefghjknopqrstuvw2345678_-./XYZABCDEFGHJKNOPQRSTUVW",
                "!~+,;=@&'日本語文字列",
            ],
            Alphabet::Uri => &["xyzabcdefghijklmnopqrstuvw0123456789-_", "/", "?", ":", "~!,;="],
        };
        for kind in others {
            if let Some(c) = kind.chars().find(|c| is_free(*c, &spelled)) {
                spelled.push(c);
            }
        }
        if self.has_folded {
            // It folds to nothing.
            spelled.push(' ');
        }
        let mut seen = HashSet::new();
        let is_uri = self.alphabet == Alphabet::Uri;
        spelled.retain(|c| seen.insert(*c) && (!is_uri || could_be_uri(state.0, *c)));
        spelled
    }

    fn step(&self, (shape, items): &(u8, Vec<Item>), c: char) -> (u8, Vec<Item>) {
        let mut next = Vec::with_capacity(items.len());
        let readings = if self.has_folded { self.readings(c) } else { Rc::default() };
        for (index, place) in items {
            let Some(pattern) = self.pattern(*index) else { continue };
            match pattern.reading {
                Reading::Plain => advance(&mut next, *index, pattern, *place, c),
                Reading::Lower => {
                    advance(&mut next, *index, pattern, *place, c.to_ascii_lowercase());
                }
                Reading::Folded => {
                    for reading in readings.iter() {
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
                Reading::Reduced => reduce(&mut next, *index, pattern, *place, c),
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
                    let order = wanted.map_or(std::cmp::Ordering::Greater, |wanted| c.cmp(&wanted));
                    match (order, pattern.reading) {
                        (std::cmp::Ordering::Equal, _) => next.push((*index, *place + 1)),
                        (std::cmp::Ordering::Less, Reading::Less)
                        | (std::cmp::Ordering::Greater, Reading::Greater) => {
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
        let shape = if self.alphabet == Alphabet::Uri { shape_after(*shape, c) } else { 0 };
        (shape, next)
    }

    fn readings(&self, c: char) -> Rc<[String]> {
        let mut known = self.readings.borrow_mut();
        Rc::clone(known.entry(c).or_insert_with(|| readings(c).into()))
    }

    /// The patterns that match `text`.
    fn ids(&self, text: &str) -> Vec<u32> {
        let end = text.chars().fold(self.start(), |state, c| self.step(&state, c));
        self.matched(&end.1)
    }

    /// Takes a text that reads better, where one matches the same.
    fn beautify(&self, found: &mut Found, accepts: &impl Fn(&str) -> bool) {
        let text = &found.text;
        let tries = if text.is_empty() {
            ["x".to_owned(), "other".into(), "mem:x".into()]
        } else if !found.is_real || text.ends_with(['_', '-', '/', '.', ' ']) {
            [format!("{text}x"), format!("{text}a"), format!("{text}1")]
        } else {
            return;
        };
        if let Some(better) =
            tries.into_iter().find(|text| accepts(text) && self.ids(text) == found.ids)
        {
            (found.text, found.is_real) = (better, true);
        }
    }
}

/// Adds the place before step `place`, and those that follow it without a character.
fn enter(items: &mut Vec<Item>, index: u32, pattern: &Pattern, mut place: u16) {
    loop {
        items.push((index, place));
        match pattern.steps.get(usize::from(place)) {
            Some(Step::Many(_)) => place += 1,
            _ => return,
        }
    }
}

fn advance(items: &mut Vec<Item>, index: u32, pattern: &Pattern, place: u16, c: char) {
    match pattern.steps.get(usize::from(place)) {
        Some(Step::Char(wanted)) if *wanted == c => enter(items, index, pattern, place + 1),
        Some(Step::One(class)) if class.has(c) => enter(items, index, pattern, place + 1),
        Some(Step::Many(class)) if class.has(c) => enter(items, index, pattern, place),
        _ => {}
    }
}

/// `advance` of a reduced URI: the pattern matches what stands before the slashes at the end and the query.
fn reduce(items: &mut Vec<Item>, index: u32, pattern: &Pattern, place: u16, c: char) {
    match (place, c) {
        (QUERY, _) | (SETTLED, '?') => items.push((index, QUERY)),
        (SETTLED, '/') => items.push((index, SETTLED)),
        (SETTLED, _) => {}
        // A text that is all query is reduced to nothing, which no pattern matches.
        (_, '?') => {}
        (place, c) => {
            let before = items.len();
            advance(items, index, pattern, place, c.to_ascii_lowercase());
            let is_end = |item: &Item| usize::from(item.1) == pattern.steps.len();
            if c != '/' && items.iter().skip(before).any(is_end) {
                items.push((index, SETTLED));
            }
        }
    }
}

/// The characters before and after `c` in the order of code points, and itself.
fn around(c: char) -> impl Iterator<Item = char> {
    let code = u32::from(c);
    let before = (1..=0x801).find_map(|step| char::from_u32(code.checked_sub(step)?));
    let after = (1..=0x801).find_map(|step| char::from_u32(code + step));
    [before, Some(c), after].into_iter().flatten()
}

/// Where in a URI a text is, if it is one of the usual kinds: a guide to witnesses, not a judge of them.
fn shape_after(shape: u8, c: char) -> u8 {
    let is_segment = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(
                c,
                '-' | '.'
                    | '_'
                    | '~'
                    | '!'
                    | ','
                    | ';'
                    | '='
                    | ':'
                    | '@'
                    | '%'
                    | '+'
                    | '&'
                    | '*'
                    | '('
                    | ')'
                    | '$'
            )
    };
    let is_host =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
    match (shape, c) {
        (0, 'a'..='z') | (1, 'a'..='z' | '0'..='9' | '+' | '-' | '.') => 1,
        (1, ':') => 2,
        (2, '/') => 3,
        (3, '/') => 4,
        (4 | 7, c) if is_host(c) => 7,
        (4 | 6 | 7, '/') => 5,
        (2 | 3 | 5 | 6, c) if is_segment(c) => 6,
        (5..=7, '?') | (8, _) => 8,
        _ => BAD,
    }
}

const BAD: u8 = u8::MAX;

/// Whether a canonical URI may have `c` where `shape` has come to: none begins without a scheme in lower case.
fn could_be_uri(shape: u8, c: char) -> bool {
    match shape {
        0 => c.is_ascii_lowercase(),
        1 => c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ':'),
        _ => c.is_ascii_graphic() && !"\\\"<>^`|#{}".contains(c),
    }
}

/// What a character folds to; more than one text where it has two readings.
fn readings(c: char) -> Vec<String> {
    if let Some(fold) = FOLD.of_ascii(c) {
        return vec![fold.to_owned()];
    }
    let forms = folds(c.encode_utf8(&mut [0; 4]));
    forms.into_iter().flatten().map(|form| form.as_str().to_owned()).collect()
}

/// How characters fold, the other way round.
struct Fold {
    ascii: Vec<String>,
    /// By the first character of their fold, characters that fold alike: of ASCII all; and one that is no character of names.
    by_first: HashMap<char, Vec<char>>,
}

impl Fold {
    fn of_ascii(&self, c: char) -> Option<&str> {
        self.ascii.get(c as usize).map(String::as_str)
    }
}

static FOLD: LazyLock<Fold> = LazyLock::new(|| {
    let fold = |c: char| {
        let forms = folds(c.encode_utf8(&mut [0; 4]));
        forms.into_iter().flatten().map(|form| form.as_str().to_owned()).next().unwrap_or_default()
    };
    let ascii: Vec<String> = (0..128_u8).map(|code| fold(char::from(code))).collect();
    let mut by_first: HashMap<char, Vec<char>> = HashMap::new();
    for c in (0x21..0x7f_u8).map(char::from) {
        // The full-width form of a character looks and folds like it, and is none that wildcards of an allow stand for.
        let wide = char::from_u32(u32::from(c) + 0xfee0);
        for c in std::iter::once(c).chain(wide) {
            if let Some(first) = fold(c).chars().next() {
                by_first.entry(first).or_default().push(c);
            }
        }
    }
    Fold { ascii, by_first }
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::selector::{Dialect, Glob};

    fn patterns(texts: &[(&str, Dialect, Reading)]) -> Vec<Pattern> {
        (0_u32..)
            .zip(texts)
            .map(|(id, (text, dialect, reading))| Pattern {
                id,
                reading: *reading,
                steps: Glob::parse(text, *dialect).unwrap().steps().collect(),
            })
            .collect()
    }

    #[test]
    fn every_set_has_its_witness() {
        let globs = patterns(&[
            ("read_*", Dialect::RegularName, Reading::Plain),
            ("*_file", Dialect::RegularName, Reading::Plain),
            ("read_file", Dialect::RegularName, Reading::Plain),
            ("delete", Dialect::Name, Reading::Folded),
        ]);
        let (found, is_complete) = walk(&globs, Alphabet::Name, |_| true);
        let sets: Vec<Vec<u32>> = found.iter().map(|found| found.ids.clone()).collect();
        assert!(is_complete);
        assert_eq!(sets, [vec![], vec![0], vec![0, 1], vec![0, 1, 2], vec![1], vec![3]]);
    }

    #[test]
    fn texts_are_ordered_and_counted() {
        let steps = |text: &str| text.chars().map(Step::Char).collect::<Vec<_>>();
        let all = [
            Pattern { id: 0, reading: Reading::Less, steps: steps("b") },
            Pattern { id: 1, reading: Reading::Greater, steps: steps("b") },
            Pattern { id: 2, reading: Reading::Less, steps: steps("b\0") },
            Pattern { id: 10, reading: Reading::Count(2), steps: Vec::new() },
        ];
        let (found, is_complete) = walk(&all, Alphabet::Text, |_| true);
        assert!(is_complete);
        let sets: Vec<Vec<u32>> = found.iter().map(|found| found.ids.clone()).collect();
        // Nothing lies between `b` and `b\0`.
        let want =
            [vec![0, 2, 10], vec![0, 2, 11], vec![0, 2, 12], vec![1, 11], vec![1, 12], vec![2, 11]];
        assert_eq!(sets, want);
    }
}
