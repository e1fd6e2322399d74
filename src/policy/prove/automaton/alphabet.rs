//! The characters that texts are made of: how they fold, what stands beside them, where in a URI they may be.

use std::collections::HashMap;
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

/// Where in a URI a text is, if it is one of the usual kinds: a guide to witnesses, not a judge of them.
pub(super) fn shape_after(shape: u8, c: char) -> u8 {
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

pub(super) const BAD: u8 = u8::MAX;

/// Whether a text of `shape` has come no further than its scheme.
pub(super) fn is_scheme(shape: u8) -> bool {
    shape <= 1
}

/// Whether a canonical URI may have `c` where `shape` has come to: none begins without a scheme in lower case.
pub(super) fn could_be_uri(shape: u8, c: char) -> bool {
    match shape {
        0 => c.is_ascii_lowercase(),
        1 => c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ':'),
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
