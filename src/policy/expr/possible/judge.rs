//! What an atom can come to over operands that may be free.

use super::{F_OR_U, T_OR_U, U};
use crate::policy::Number;
use crate::policy::expr::eval::Machine;
use crate::policy::expr::limits::MAX_LIST;
use crate::policy::expr::program::{Atom, Order, Set, TextTest};
use crate::policy::expr::text::Text;
use crate::policy::expr::truth::{Possible, Truth};
use crate::policy::expr::view::{Built, List, View, Work, equal, is_in, order};

/// What is known of a free string.
#[derive(Clone, Copy)]
struct Affixes<'p> {
    prefix: Text<'p>,
    suffix: Text<'p>,
}

impl Affixes<'_> {
    /// Whether a string with these ends can be `text`.
    fn can_be(&self, text: &Text<'_>) -> bool {
        text.len() >= self.prefix.len() + self.suffix.len()
            && text.starts_with(&self.prefix)
            && text.ends_with(&self.suffix)
    }
}

/// An operand as an atom is judged by it.
#[derive(Clone, Copy)]
enum Side<'p> {
    Known(View<'p>),
    /// Anything, or nothing.
    Free,
    /// A size, or nothing.
    Count,
    /// A string, or nothing.
    Text(Affixes<'p>),
}

impl<'p> Side<'p> {
    fn of(built: &'p Built<'_>) -> Self {
        match built {
            Built::FreeText { prefix, suffix } => {
                Self::Text(Affixes { prefix: Text::Pieces(prefix), suffix: Text::Pieces(suffix) })
            }
            Built::Plain(View::Free) => Self::Free,
            Built::Plain(View::FreeCount) => Self::Count,
            // Of some list: what it holds matters to `==`, `in` and loops, which do not ask here.
            Built::List(_) => Self::Known(View::List(List::Views(&[]))),
            Built::Plain(view) => Self::Known(*view),
            Built::Text(pieces) => Self::Known(View::Text(Text::Pieces(pieces))),
        }
    }
}

/// What `atom` can come to over `left` and `right`, of which any may be free; not for loops.
pub(super) fn judge(
    machine: &Machine<'_>,
    atom: Atom,
    left: &Built<'_>,
    right: &Built<'_>,
) -> Possible {
    match (atom, Side::of(left), Side::of(right)) {
        (Atom::Equal { negated, .. }, ..) => {
            let equal = can_equal(left, right);
            if negated { !equal } else { equal }
        }
        (Atom::In { .. }, ..) => can_be_in(left, right),
        (_, Side::Known(left), Side::Known(right)) => {
            Possible::only(machine.judge(atom, left, right))
        }
        (Atom::Has(_), ..) => Possible::DECIDED,
        (Atom::Order { order, .. }, free, Side::Known(known)) => ordered(free, order, known),
        (Atom::Order { order, .. }, Side::Known(known), free) => {
            ordered(free, order.flipped(), known)
        }
        (Atom::InSet { set, .. }, free, _) => {
            machine.program.set(set).map_or(U, |set| in_set(free, set))
        }
        (Atom::Text { test, .. }, subject, part) => text(test, subject, part),
        (Atom::Matches { .. } | Atom::InNet { .. } | Atom::Holds(_), Side::Count, _) => U,
        (Atom::Holds(_), Side::Text(_), _) => U,
        (Atom::IsNull { negated, .. }, Side::Count | Side::Text(_), _) => {
            if negated {
                T_OR_U
            } else {
                F_OR_U
            }
        }
        _ => Possible::ANY,
    }
}

fn can_equal(left: &Built<'_>, right: &Built<'_>) -> Possible {
    if let Some((left, right)) = lists(left, right) {
        return if left.iter().chain(&right).any(View::is_free) {
            Possible::ANY
        } else {
            let (left, right) = (List::Views(&left), List::Views(&right));
            let work = Work::default();
            Possible::only(Truth::from(equal(View::List(left), View::List(right), &work)))
        };
    }
    match (Side::of(left), Side::of(right)) {
        (Side::Known(left), Side::Known(right)) => {
            Possible::only(Truth::from(equal(left, right, &Work::default())))
        }
        (free, Side::Known(known)) | (Side::Known(known), free) => match (free, known) {
            (_, known) if known.is_unknown() => U,
            (_, View::Number(number)) if number.is_beyond() => U,
            (Side::Count, View::Number(number)) if !number.is_count() => F_OR_U,
            (Side::Count, View::Number(_) | View::Count(_)) => Possible::ANY,
            (Side::Text(affixes), View::Text(text)) if !affixes.can_be(&text) => F_OR_U,
            (Side::Text(_), View::Text(_)) => Possible::ANY,
            (Side::Count | Side::Text(_), _) => U,
            (Side::Free | Side::Known(_), _) => Possible::ANY,
        },
        (Side::Count, Side::Text(_)) | (Side::Text(_), Side::Count) => U,
        (Side::Free | Side::Count | Side::Text(_), _) => Possible::ANY,
    }
}

/// The elements of both, where both are lists and at least one is a literal.
fn lists<'p>(left: &'p Built<'_>, right: &'p Built<'_>) -> Option<(Vec<View<'p>>, Vec<View<'p>>)> {
    let elements = |built: &'p Built<'_>| -> Option<Vec<View<'p>>> {
        match built {
            Built::List(elements) => Some(elements.iter().map(Built::view).collect()),
            Built::Plain(View::List(list)) => Some(list.elements().collect()),
            _ => None,
        }
    };
    let is_literal = |built: &Built<'_>| matches!(built, Built::List(_));
    if !is_literal(left) && !is_literal(right) {
        return None;
    }
    Some((elements(left)?, elements(right)?))
}

fn can_be_in(needle: &Built<'_>, list: &Built<'_>) -> Possible {
    let is_free = !matches!(Side::of(needle), Side::Known(_));
    let of_elements = |found: Possible, length: usize| {
        let found = if length > MAX_LIST { found.or(U) } else { found };
        if is_free { found.union(U) } else { found }
    };
    match (Side::of(needle), list) {
        (Side::Known(needle), _) if needle.is_unknown() => U,
        (_, Built::List(elements)) => {
            let found = elements.iter().take(MAX_LIST).map(|element| can_equal(needle, element));
            of_elements(found.fold(Possible::only(Truth::False), Possible::or), elements.len())
        }
        (_, Built::Plain(View::Free)) => Possible::ANY,
        (Side::Known(known), Built::Plain(list)) if !matches!(needle, Built::List(_)) => {
            Possible::only(Truth::from(is_in(known, *list, &Work::default())))
        }
        (_, Built::Plain(View::List(list))) => {
            let elements = list.elements().take(MAX_LIST).map(Built::Plain);
            let found = elements.map(|element| can_equal(needle, &element));
            of_elements(found.fold(Possible::only(Truth::False), Possible::or), list.len())
        }
        (Side::Free | Side::Text(_), Built::Plain(View::Map([]))) => F_OR_U,
        (Side::Free | Side::Text(_), Built::Plain(View::Map(_))) => Possible::ANY,
        _ => U,
    }
}

fn in_set(needle: Side<'_>, set: &Set) -> Possible {
    let can = match (needle, set) {
        (_, set) if set.is_empty() => false,
        (Side::Count, Set::Numbers(numbers)) => numbers.iter().any(Number::is_count),
        (Side::Text(affixes), Set::Texts(texts)) => {
            texts.iter().any(|text| affixes.can_be(&Text::Whole(text)))
        }
        (Side::Count | Side::Text(_), _) => return U,
        (Side::Free | Side::Known(_), _) => true,
    };
    if can { Possible::ANY } else { F_OR_U }
}

/// What `free` `asked` `known` can come to.
fn ordered(free: Side<'_>, asked: Order, known: View<'_>) -> Possible {
    // The least that the free side can be: 0 of counts, "" of strings, nothing of numbers. There is no most.
    let least = match (free, known) {
        (_, View::Number(number)) if number.is_beyond() => return U,
        (Side::Free, View::Number(_) | View::Count(_)) => return Possible::ANY,
        (Side::Count, View::Number(_) | View::Count(_)) => View::Count(0),
        (Side::Free, View::Text(_)) => View::Text(Text::Whole("")),
        // They differ within the prefix, whatever follows.
        (Side::Text(affixes), View::Text(text)) if !text.starts_with(&affixes.prefix) => {
            let truth = asked.holds(affixes.prefix.compare(&text));
            return Possible::only(Truth::from(truth)).union(U);
        }
        (Side::Text(affixes), View::Text(_)) => View::Text(affixes.prefix),
        _ => return U,
    };
    let Some(least) = order(least, known, &Work::default()) else { return U };
    let sometimes = |truth: bool, always: Possible| if truth { Possible::ANY } else { always };
    match asked {
        Order::Less => sometimes(least.is_lt(), F_OR_U),
        Order::LessOrEqual => sometimes(least.is_le(), F_OR_U),
        Order::Greater => sometimes(least.is_le(), T_OR_U),
        Order::GreaterOrEqual => sometimes(least.is_lt(), T_OR_U),
    }
}

fn text(test: TextTest, subject: Side<'_>, part: Side<'_>) -> Possible {
    match (subject, part) {
        // Every string has the empty one.
        (Side::Free | Side::Text(_), Side::Known(View::Text(part))) if part.len() == 0 => T_OR_U,
        (Side::Text(subject), Side::Known(View::Text(part))) => {
            let (always, sometimes) = match test {
                TextTest::StartsWith => {
                    (subject.prefix.starts_with(&part), part.starts_with(&subject.prefix))
                }
                TextTest::EndsWith => {
                    (subject.suffix.ends_with(&part), part.ends_with(&subject.suffix))
                }
                TextTest::Contains => {
                    (subject.prefix.contains(&part) || subject.suffix.contains(&part), true)
                }
            };
            match (always, sometimes) {
                (true, _) => T_OR_U,
                (false, true) => Possible::ANY,
                (false, false) => F_OR_U,
            }
        }
        (Side::Known(View::Text(subject)), Side::Text(part)) => {
            let can = match test {
                TextTest::StartsWith => subject.starts_with(&part.prefix),
                TextTest::EndsWith => subject.ends_with(&part.suffix),
                TextTest::Contains => {
                    subject.contains(&part.prefix) && subject.contains(&part.suffix)
                }
            };
            if can { Possible::ANY } else { F_OR_U }
        }
        (Side::Free | Side::Text(_), Side::Known(View::Text(_)) | Side::Free | Side::Text(_))
        | (Side::Known(View::Text(_)), Side::Free) => Possible::ANY,
        _ => U,
    }
}
