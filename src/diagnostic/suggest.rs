//! "Did you mean": the nearest of the words that would have been right.

/// Longest word, in characters, that is compared: the work is quadratic, and nobody mistypes a longer one by a letter.
const MAX_WORD: usize = 64;

/// The word that was probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'c> {
    /// The candidate.
    pub word: &'c str,
    /// Whether no other can have been meant: at most one letter is wrong, and no other candidate is near.
    pub is_certain: bool,
}

/// A word that other tools use, and what it is here. Words that look alike are found by [`near`]; these do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The words, in lower case with `_`.
    pub words: &'static [&'static str],
    /// What says the same here.
    pub here: Here,
}

/// What a word of other tools is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// Another word in the same place.
    Word(&'static str),
    /// No word in the same place: how it is said instead.
    Say(&'static str),
}

/// What `word` of other tools is here, by the first entry of `table` that has it. Case and `-` for `_` count as no difference.
#[must_use]
pub fn elsewhere(word: &str, table: &[Elsewhere]) -> Option<Here> {
    let folded: String = fold(word)?.into_iter().collect();
    let has = |entry: &&Elsewhere| entry.words.contains(&&*folded);
    table.iter().find(has).map(|entry| entry.here)
}

/// Fewest characters of a word that is certain to mean another: of two, one letter is half.
const MIN_CERTAIN: usize = 3;

/// The word of [`near`].
#[must_use]
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    near(word, candidates).map(|near| near.word)
}

/// The candidate nearest to `word`, if one is near enough to be meant: at most a third of its letters (and at least
/// one) inserted, left out, replaced or swapped with their neighbour. Case and `-` for `_` count as no difference. Of
/// equally near ones the first.
#[must_use]
pub fn near<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<Near<'c>> {
    let wanted = fold(word)?;
    let mut best: Option<(usize, &'c str)> = None;
    let mut is_alone = true;
    for candidate in candidates {
        let Some(folded) = fold(candidate) else { continue };
        // rustc's measure: a third of the longer word, but a word of one letter is like no other.
        let limit = wanted.len().max(folded.len()).max(3) / 3;
        if wanted.len().abs_diff(folded.len()) > limit {
            continue;
        }
        let far = distance(&wanted, &folded);
        let is_word_lost = far >= wanted.len().min(folded.len());
        if far > limit || is_word_lost {
            continue;
        }
        match best {
            // The same candidate may come twice.
            Some((_, known)) if known == candidate => {}
            Some((least, _)) => {
                is_alone = false;
                if far < least {
                    best = Some((far, candidate));
                }
            }
            None => best = Some((far, candidate)),
        }
    }
    let (far, word) = best?;
    Some(Near { word, is_certain: is_alone && far <= 1 && wanted.len() >= MIN_CERTAIN })
}

/// The word as it is compared; `None` where it is too long.
fn fold(word: &str) -> Option<Vec<char>> {
    let same = |c: char| if c == '-' { '_' } else { c.to_ascii_lowercase() };
    let folded: Vec<char> = word.chars().take(MAX_WORD + 1).map(same).collect();
    (folded.len() <= MAX_WORD).then_some(folded)
}

/// Optimal string alignment distance: Levenshtein's, and a swap of neighbours counts once.
fn distance(a: &[char], b: &[char]) -> usize {
    // Three rows of the usual table: i-2, i-1 and i.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut swap_from: Option<char> = None;
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        let mut left = i + 1;
        row.push(left);
        let mut previous: Option<char> = None;
        for (j, (&y, pair)) in b.iter().zip(last.windows(2)).enumerate() {
            let &[diagonal, above] = pair else { break };
            let mut cost = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            if swap_from == Some(y) && previous == Some(x) {
                let swapped = j.checked_sub(1).and_then(|at| before.get(at));
                cost = cost.min(swapped.map_or(cost, |d| d + 1));
            }
            row.push(cost);
            left = cost;
            previous = Some(y);
        }
        before = std::mem::replace(&mut last, row);
        swap_from = Some(x);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(a: &str, b: &str) -> usize {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        distance(&chars(a), &chars(b))
    }

    #[test]
    fn distances() {
        for (a, b, want) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("polices", "policies", 1),
            ("limti", "limit", 1),
            ("ab", "ba", 1),
            ("ca", "abc", 3), // not 2: a swapped pair is not edited again
            ("größe", "grösse", 2),
        ] {
            assert_eq!(measure(a, b), want, "{a} {b}");
            assert_eq!(measure(b, a), want, "{b} {a}");
        }
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let keys = ["policies", "listen", "route", "auth", "limits", "log", "max_body", "per"];
        for (word, want) in [
            ("polices", Some("policies")),
            ("listne", Some("listen")),
            ("routes", Some("route")),
            ("Limits", Some("limits")),
            ("max-body", Some("max_body")),
            ("maxbody", Some("max_body")),
            ("logg", Some("log")),
            ("pre", Some("per")),
            ("upstream", None),
            ("xyz", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(word, keys), want, "{word}");
        }
        for (word, want) in [
            ("polices", true),
            ("Policies", true),
            ("max-body", true),
            ("lmits", true),
            // Two letters.
            ("plicis", false),
        ] {
            assert_eq!(near(word, keys).map(|near| near.is_certain), Some(want), "{word}");
        }
        // The words of other tools are found whole, whatever their case.
        const TABLE: &[Elsewhere] = &[
            Elsewhere { words: &["block", "rate_limit"], here: Here::Word("deny") },
            Elsewhere { words: &["block"], here: Here::Say("never said") },
        ];
        for (word, want) in [
            ("block", true),
            ("Rate-Limit", true),
            ("blocks", false),
            ("", false),
            (&*"x".repeat(65), false),
        ] {
            let found = elsewhere(word, TABLE);
            assert_eq!(found, want.then_some(Here::Word("deny")), "{word}");
        }
        // Two candidates, one of them as near as can be; one candidate twice.
        let of =
            |word, all: [&'static str; 2]| near(word, all).map(|near| (near.word, near.is_certain));
        assert_eq!(of("plans", ["plan", "plane"]), Some(("plan", false)));
        assert_eq!(of("plans", ["plan", "plan"]), Some(("plan", true)));
        assert_eq!(of("pln", ["plan", "zone"]), Some(("plan", true)));
        assert_eq!(of("pl", ["pla", "zone"]), Some(("pla", false)));
        assert_eq!(suggest("a", ["b"]), None);
        assert_eq!(suggest("ab", ["ac", "ad"]), Some("ac"));
        assert_eq!(suggest(&"x".repeat(65), [&*"x".repeat(65)]), None);
        assert_eq!(suggest(&"x".repeat(64), [&*"x".repeat(63)]), Some(&*"x".repeat(63)));
    }
}
