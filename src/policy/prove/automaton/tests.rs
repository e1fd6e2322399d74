//! Walks against texts that are matched one by one.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::policy::selector::{Dialect, Glob, folds};

fn patterns(texts: &[(&str, Dialect, Reading)]) -> Vec<Pattern> {
    (0_u32..)
        .zip(texts)
        .map(|(id, (text, dialect, reading))| {
            Pattern::new(id, *reading, Glob::parse(text, *dialect).unwrap().steps().collect())
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
        Pattern::new(0, Reading::Less, steps("b")),
        Pattern::new(1, Reading::Greater, steps("b")),
        Pattern::new(2, Reading::Less, steps("b\0")),
        Pattern::new(10, Reading::Count(2), Vec::new()),
    ];
    let (found, is_complete) = walk(&all, Alphabet::Text, |_| true);
    assert!(is_complete);
    let sets: Vec<Vec<u32>> = found.iter().map(|found| found.ids.clone()).collect();
    // Nothing lies between `b` and `b\0`.
    let want =
        [vec![0, 2, 10], vec![0, 2, 11], vec![0, 2, 12], vec![1, 11], vec![1, 12], vec![2, 11]];
    assert_eq!(sets, want);
}

/// One pattern by itself on a text: each character after the other, nothing shared and nothing left out.
fn matches(pattern: &Pattern, text: &str) -> bool {
    let forms: Vec<String> = match pattern.reading {
        Reading::Plain => vec![text.to_owned()],
        Reading::Lower => vec![text.to_ascii_lowercase()],
        Reading::Reduced => {
            let before = text.split('?').next().unwrap_or_default();
            vec![before.trim_end_matches('/').to_ascii_lowercase()]
        }
        Reading::Folded => {
            folds(text).into_iter().flatten().map(|form| form.as_str().to_owned()).collect()
        }
        Reading::Less | Reading::Greater => {
            let bound: String = pattern
                .steps
                .iter()
                .filter_map(|step| match step {
                    Step::Char(c) => Some(*c),
                    _ => None,
                })
                .collect();
            return if pattern.reading == Reading::Less { text < &*bound } else { text > &*bound };
        }
        Reading::Count(_) => return true,
    };
    forms.iter().any(|form| {
        let mut live = BTreeSet::from([0_usize]);
        let close = |live: &mut BTreeSet<usize>| {
            for (at, step) in pattern.steps.iter().enumerate() {
                if matches!(step, Step::Many(_)) && live.contains(&at) {
                    live.insert(at + 1);
                }
            }
        };
        close(&mut live);
        for c in form.chars() {
            let mut next = BTreeSet::new();
            for at in live {
                match pattern.steps.get(at) {
                    Some(Step::Char(wanted)) if *wanted == c => next.insert(at + 1),
                    Some(Step::One(class)) if class.has(c) => next.insert(at + 1),
                    Some(Step::Many(class)) if class.has(c) => next.insert(at),
                    _ => false,
                };
            }
            live = next;
            close(&mut live);
        }
        live.contains(&pattern.steps.len())
            && (pattern.reading != Reading::Reduced || !form.is_empty())
    })
}

/// Patterns as rules have them: an allow its own, a deny the folded or the two of URIs beside it.
fn names() -> impl Strategy<Value = Vec<Pattern>> {
    let text = "[abl1mrn_*?]{1,6}"
        .prop_filter("no pattern", |text| Glob::parse(text, Dialect::Name).is_ok());
    let one = (text, 0..3_u8).prop_map(|(text, kind)| {
        let glob = |dialect| Glob::parse(&text, dialect).unwrap();
        let folded =
            || glob(Dialect::Name).rewritten(|part| folds(part).unwrap()[0].as_str().to_owned());
        match kind {
            0 => (Reading::Plain, glob(Dialect::RegularName)),
            1 => (Reading::Plain, glob(Dialect::Name)),
            _ => (Reading::Folded, folded().unwrap()),
        }
    });
    proptest::collection::vec(one, 1..5).prop_map(numbered)
}

fn uris() -> impl Strategy<Value = Vec<Pattern>> {
    let text = "a:/(/[ab*?]{0,3}){0,2}[ab*/]{0,2}"
        .prop_filter("no pattern", |text| Glob::parse(text, Dialect::Uri).is_ok());
    let one = (text, 0..3_u8).prop_map(|(text, kind)| {
        let reading = [Reading::Plain, Reading::Lower, Reading::Reduced][usize::from(kind)];
        (reading, Glob::parse(&text, Dialect::Uri).unwrap())
    });
    proptest::collection::vec(one, 1..4).prop_map(numbered)
}

/// What conditions ask of texts: order, beginnings, ends, parts, equality, and how long they are.
fn texts() -> impl Strategy<Value = Vec<Pattern>> {
    let one = ("[bcdez]{0,3}", 0..6_u8).prop_map(|(text, kind)| {
        let chars = text.chars().map(Step::Char).collect::<Vec<_>>();
        let any = vec![Step::Many(Class::Any)];
        match kind {
            0 => (Reading::Plain, chars),
            1 => (Reading::Less, chars),
            2 => (Reading::Greater, chars),
            3 => (Reading::Plain, [chars, any].concat()),
            4 => (Reading::Plain, [any, chars].concat()),
            _ => (Reading::Plain, [any.clone(), chars, any].concat()),
        }
    });
    (proptest::collection::vec(one, 1..7), any::<bool>()).prop_map(|(all, is_counted)| {
        let each = (0_u32..).zip(all);
        let mut all: Vec<Pattern> =
            each.map(|(id, (reading, steps))| Pattern::new(id, reading, steps)).collect();
        if is_counted {
            all.push(Pattern::new(100, Reading::Count(3), Vec::new()));
        }
        all
    })
}

fn numbered(globs: Vec<(Reading, Glob)>) -> Vec<Pattern> {
    let each = (0_u32..).zip(globs);
    each.map(|(id, (reading, glob))| Pattern::new(id, reading, glob.steps().collect())).collect()
}

/// What `text` matches is a set that was found, and every set that was found is what its text matches.
fn agree(patterns: &[Pattern], alphabet: Alphabet, texts: &[String]) -> Result<(), TestCaseError> {
    let (found, is_complete) = walk(patterns, alphabet, |_| true);
    prop_assert!(is_complete);
    let set = |text: &str| -> Vec<u32> {
        let matching = patterns.iter().filter(|pattern| matches(pattern, text));
        let id = |pattern: &Pattern| match pattern.reading {
            Reading::Count(most) => {
                pattern.id + most.min(u32::try_from(text.chars().count()).unwrap())
            }
            _ => pattern.id,
        };
        matching.map(id).collect()
    };
    for text in texts {
        let set = set(text);
        prop_assert!(found.iter().any(|found| found.ids == set), "{text:?} matches {set:?}");
    }
    for found in found {
        prop_assert_eq!(&found.ids, &set(&found.text), "{:?}", found.text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn walks_of_names_find_what_texts_match(
        patterns in names(),
        texts in proptest::collection::vec("[abABlLiI1mMrn_ \u{ff41}\u{200b}z]{0,6}", 40),
    ) {
        agree(&patterns, Alphabet::Name, &texts)?;
    }

    #[test]
    fn walks_of_uris_find_what_texts_match(
        patterns in uris(),
        texts in proptest::collection::vec("a:/(/[abB]{0,3}){0,3}/{0,2}(\\?[a/?]{0,2})?", 40),
    ) {
        agree(&patterns, Alphabet::Uri, &texts)?;
    }

    #[test]
    fn walks_of_texts_find_what_texts_match(
        patterns in texts(),
        texts in proptest::collection::vec("[a-g{éy~ z]{0,4}", 60),
    ) {
        agree(&patterns, Alphabet::Text, &texts)?;
    }

    #[test]
    fn what_is_contained_matches_too(
        text in "[abmi1_*?\u{fb01}\u{17f}]{1,6}",
        name in "[abmi1l_ \u{fb01}\u{17f}\u{ff41}]{0,8}",
    ) {
        let Ok(plain) = Glob::parse(&text, Dialect::RegularName) else { return Ok(()) };
        let folded = plain.rewritten(|part| folds(part).unwrap()[0].as_str().to_owned()).unwrap();
        let (plain, steps): (Vec<Step>, Vec<Step>) = (plain.steps().collect(), folded.steps().collect());
        if contains(Reading::Folded, &steps, &plain) {
            let pattern = |reading, steps| Pattern::new(0, reading, steps);
            let is_plain = matches(&pattern(Reading::Plain, plain), &name);
            prop_assert!(!is_plain || matches(&pattern(Reading::Folded, steps), &name));
        }
    }
}

/// A rule whose pattern has no `?` is walked in one reading; those that are in doubt in both.
#[test]
fn most_patterns_contain_themselves() {
    for (text, want) in [("read_*", true), ("*_del*", true), ("m", true), ("a?", false)] {
        let plain = Glob::parse(text, Dialect::RegularName).unwrap();
        let folded = plain.rewritten(|part| folds(part).unwrap()[0].as_str().to_owned()).unwrap();
        let steps = |glob: &Glob| glob.steps().collect::<Vec<_>>();
        assert_eq!(contains(Reading::Folded, &steps(&folded), &steps(&plain)), want, "{text}");
    }
}

/// Of the texts that lead to one state the one is told that an author would write; a text that is taken for something else is
/// written in another way.
#[test]
fn witnesses_are_spelt_as_patterns_are() {
    let all: [(&str, &[&str]); 3] =
        [("List_*", &["List_x"]), ("i1l0", &["i1l0"]), ("Tools/Call", &["Tools/Call"])];
    for (text, want) in all {
        let plain = Glob::parse(text, Dialect::Name).unwrap();
        let folded = plain.rewritten(|part| folds(part).unwrap()[0].as_str().to_owned()).unwrap();
        let (spelt, steps) = (plain.steps().collect(), folded.steps().collect());
        let pattern = Pattern { id: 0, reading: Reading::Folded, steps, spelt };
        let (found, _) = walk(&[pattern], Alphabet::Name, |_| true);
        let texts = found.iter().filter(|found| found.ids == [0]).map(|found| &*found.text);
        assert_eq!(texts.collect::<Vec<_>>(), want);
    }
    let steps = "tools/call".chars().map(Step::Char).collect();
    let pattern = Pattern::new(0, Reading::Folded, steps);
    let (found, _) = walk(&[pattern], Alphabet::Name, |text| text != "tools/call");
    assert!(found.iter().all(|found| found.is_real), "{found:?}");
}
