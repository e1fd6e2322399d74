//! The characters that texts are made of: how they fold, what stands beside them, where in a URI they may be.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::policy::selector::folds;

/// Characters of every kind that lie between any two of `spelled`, before the first and after the last: all of ASCII that is
/// seen, and the neighbours of each. Where an order divides characters, each part has one that nobody spells, if it has any.
pub(super) fn between(spelled: &[char]) -> Vec<char> {
    let before =
        |c: char| (1..=0x801).find_map(|step| char::from_u32(u32::from(c).checked_sub(step)?));
    let after = |c: char| (1..=0x801).find_map(|step| char::from_u32(u32::from(c) + step));
    let near = spelled.iter().flat_map(|c| [before(*c), after(*c)]).flatten();
    (' '..='~').chain(near).collect()
}

/// Where in a URI a text is, if it is one of the usual kinds: a guide to witnesses, not a judge of them. Texts that differ in
/// whether they are canonical are told apart as far as a few places do; [`ODD`] marks those of which the host, or a label of it,
/// is empty, which some schemes have and some have not.
pub(super) fn shape_after(shape: u8, c: char) -> u8 {
    let is_hex = c.is_ascii_digit() || matches!(c, 'A'..='F');
    let is_segment = c.is_ascii_alphanumeric() || "-._~!,;=:@'+&*()$".contains(c);
    let is_label = c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let odd = shape & ODD;
    let next = match (shape & !ODD, c) {
        (START, 'a'..='z') | (SCHEME, 'a'..='z' | '0'..='9' | '+' | '-' | '.') => SCHEME,
        (SCHEME, ':') => COLON,
        (COLON, '/') => SLASH,
        (SLASH, '/') => LABEL_START,
        (LABEL_START, '/') => SEGMENT_START | ODD,
        (LABEL_START, '.') => LABEL_START | ODD,
        (LABEL_START, '[') => ADDRESS,
        (LABEL_START | LABEL, _) if is_label => LABEL,
        (LABEL, '.') => LABEL_START,
        (LABEL, ':') | (PORT, '0'..='9') => PORT,
        (ADDRESS, '0'..='9' | 'a'..='f' | ':' | '.') => ADDRESS,
        (ADDRESS, ']') => LABEL,
        (SEGMENT | LABEL | PORT, '/') => SEGMENT_START,
        (COLON | SLASH | SEGMENT_START | SEGMENT, '%') => ESCAPE,
        (ESCAPE, _) if is_hex => ESCAPE_END,
        (COLON | SLASH | SEGMENT_START | SEGMENT, _) if is_segment => SEGMENT,
        (ESCAPE_END, _) if is_hex => SEGMENT,
        (SEGMENT_START | SEGMENT | LABEL | PORT, '?') => QUERY,
        (QUERY, '%') => QUERY_ESCAPE,
        (QUERY_ESCAPE, _) if is_hex => QUERY_ESCAPE_END,
        (QUERY_ESCAPE_END, _) if is_hex => QUERY,
        (QUERY, _) => QUERY,
        _ => return BAD,
    };
    next | odd
}

const START: u8 = 0;
const SCHEME: u8 = 1;
const COLON: u8 = 2;
const SLASH: u8 = 3;
const LABEL_START: u8 = 4;
const LABEL: u8 = 5;
const ADDRESS: u8 = 6;
const PORT: u8 = 7;
const SEGMENT_START: u8 = 8;
const SEGMENT: u8 = 9;
const ESCAPE: u8 = 10;
const ESCAPE_END: u8 = 11;
const QUERY: u8 = 12;
const QUERY_ESCAPE: u8 = 13;
const QUERY_ESCAPE_END: u8 = 14;
const ODD: u8 = 0x40;
pub(super) const BAD: u8 = u8::MAX;

/// Whether a text of `shape` may be a URI as it is: not without a colon, and not in the middle of an escape.
pub(super) fn may_end(shape: u8) -> bool {
    !matches!(shape & !ODD, START | SCHEME | ESCAPE | ESCAPE_END | QUERY_ESCAPE | QUERY_ESCAPE_END)
}

/// A character that goes on where few do: in a port, and in an escape (of a space).
pub(super) fn needed(shape: u8) -> Option<char> {
    match shape & !ODD {
        PORT => Some('8'),
        ESCAPE | QUERY_ESCAPE => Some('2'),
        ESCAPE_END | QUERY_ESCAPE_END => Some('0'),
        _ => None,
    }
}

/// Whether a canonical URI may have `c` where `shape` has come to: none begins without a scheme in lower case.
pub(super) fn could_be_uri(shape: u8, c: char) -> bool {
    match shape {
        START => c.is_ascii_lowercase(),
        SCHEME => {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ':')
        }
        _ => c.is_ascii_graphic() && !"\\\"<>^`|#{}".contains(c),
    }
}

/// What a character folds to; more than one text where it has two readings.
pub(super) fn readings(c: char) -> Vec<String> {
    if let Some(fold) = FOLD.of_ascii(c) {
        return vec![fold.to_owned()];
    }
    let forms = folds(c.encode_utf8(&mut [0; 4]));
    forms.into_iter().flatten().map(|form| form.as_str().to_owned()).collect()
}

/// How characters fold, the other way round.
pub(super) struct Fold {
    ascii: Vec<String>,
    /// By the first character of their fold, characters that fold alike: of ASCII all; and one that is no character of names.
    pub(super) by_first: HashMap<char, Vec<char>>,
    /// Characters of ASCII that fold to more than one letter.
    pub(super) odd: Vec<char>,
}

impl Fold {
    pub(super) fn of_ascii(&self, c: char) -> Option<&str> {
        self.ascii.get(c as usize).map(String::as_str)
    }
}

pub(super) static FOLD: LazyLock<Fold> = LazyLock::new(|| {
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
    let is_odd =
        |c: &char| ascii.get(*c as usize).is_some_and(|fold| fold.chars().nth(1).is_some());
    let odd = (' '..='~').filter(is_odd).collect();
    Fold { ascii, by_first, odd }
});

/// All that may fold to something else: what is not here, of private use or not assigned, folds to itself.
const FOLDING: [RangeInclusive<u32>; 3] = [0x80..=0xd7ff, 0xf900..=0x3_ffff, 0xe_0000..=0xe_0fff];

/// Characters beyond those of [`FOLD`] by what they fold to, if that is not the character itself; those that fold to nothing
/// stand under the empty text. It takes some tenths of a second to make, and few policies need it.
static OTHERS: LazyLock<BTreeMap<String, Vec<char>>> = LazyLock::new(|| {
    let mut others: BTreeMap<String, Vec<char>> = BTreeMap::new();
    for c in FOLDING.into_iter().flatten().filter_map(char::from_u32) {
        for text in readings(c) {
            if !text.chars().eq([c]) {
                others.entry(text).or_default().push(c);
            }
        }
    }
    others
});

/// For each fold that begins with `first`, or for the empty one, the characters beyond those of [`FOLD`] that fold to it, in
/// their order.
pub(super) fn others(first: Option<char>) -> impl Iterator<Item = &'static [char]> {
    let from = first.map(String::from).unwrap_or_default();
    let all = OTHERS.range(from.clone()..);
    all.take_while(move |(text, _)| match first {
        Some(first) => text.starts_with(first),
        None => text.is_empty(),
    })
    .map(|(_, chars)| chars.as_slice())
}

/// Of `chars`, which are in their order, one that is not `spelled` between each two of `bounds`, which are too.
pub(super) fn one_of_each(chars: &[char], bounds: &[char], spelled: &[char]) -> Vec<char> {
    let mut found: Vec<char> = Vec::new();
    let part = |c: char| bounds.partition_point(|bound| *bound < c);
    for c in chars {
        let is_new = found.last().is_none_or(|last| part(*last) != part(*c));
        if is_new && !spelled.contains(c) {
            found.push(*c);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_folds_to_itself() {
        let is_in = |c: &char| FOLDING.iter().any(|block| block.contains(&u32::from(*c)));
        // Planes 5 to 13 have no characters, as plane 4; 15 and 16 are of private use, as e000 is.
        for c in ('\u{80}'..='\u{4ffff}').filter(|c| !is_in(c)) {
            let folds = readings(c);
            assert!(folds.iter().all(|text| text.chars().eq([c])), "{c:?} {folds:?}");
        }
        assert!(('가'..='힣').all(|c| is_in(&c)));
    }
}
