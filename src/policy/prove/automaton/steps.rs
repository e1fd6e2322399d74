//! One pattern, step by step.

use super::product::{Item, QUERY, SETTLED};
use super::{Pattern, Reading};
use crate::policy::selector::{Class, Step};

/// For each place of `pattern` the first one that it stands for, too: `*` takes whatever the steps before it take, as far as
/// these take nothing that it does not.
pub(super) fn floors(pattern: &Pattern) -> Vec<Option<u16>> {
    let is_row = matches!(
        pattern.reading,
        Reading::Plain | Reading::Folded | Reading::Lower | Reading::Reduced
    );
    let mut floors = Vec::new();
    for (place, step) in (0_u16..).zip(&pattern.steps) {
        let floor = match step {
            Step::Many(class) if is_row => {
                let before = pattern.steps.iter().take(usize::from(place)).rev();
                let within = before.take_while(|step| match step {
                    Step::Char(c) => class.has(*c),
                    Step::One(of) | Step::Many(of) => of == class || *class == Class::Any,
                });
                place.checked_sub(u16::try_from(within.count()).unwrap_or(u16::MAX))
            }
            _ => None,
        };
        floors.push(floor);
    }
    floors
}

/// Adds the place before step `place`, and those that follow it without a character.
pub(super) fn enter(items: &mut Vec<Item>, index: u32, pattern: &Pattern, mut place: u16) {
    loop {
        items.push((index, place));
        match pattern.steps.get(usize::from(place)) {
            Some(Step::Many(_)) => place += 1,
            _ => return,
        }
    }
}

pub(super) fn advance(items: &mut Vec<Item>, index: u32, pattern: &Pattern, place: u16, c: char) {
    match pattern.steps.get(usize::from(place)) {
        Some(Step::Char(wanted)) if *wanted == c => enter(items, index, pattern, place + 1),
        Some(Step::One(class)) if class.has(c) => enter(items, index, pattern, place + 1),
        Some(Step::Many(class)) if class.has(c) => enter(items, index, pattern, place),
        _ => {}
    }
}

/// `advance` of a reduced URI: the pattern matches what stands before the slashes at the end and the query.
pub(super) fn reduce(items: &mut Vec<Item>, index: u32, pattern: &Pattern, place: u16, c: char) {
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
