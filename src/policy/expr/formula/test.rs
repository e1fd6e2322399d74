//! What a test says of one value: the comparisons of an evaluation, asked by themselves.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::super::limits::MAX_LIST;
use super::super::text::Text;
use super::super::truth::Truth;
use super::super::view::{self, View, Work};
use super::{Formula, Root, Test};
use crate::policy::Value;

impl Test {
    /// What it says of `value`; `None` where there is none. `None` inside `Some` is an argument too large to be kept.
    pub(in crate::policy) fn on(&self, value: Option<Option<&Value>>) -> Truth {
        let view = match value {
            None => View::Absent,
            Some(None) => View::TooLarge,
            Some(Some(value)) => View::of(value),
        };
        self.of(view)
    }

    fn of(&self, view: View<'_>) -> Truth {
        let work = Work::default();
        let order = |value: &Value, wanted| {
            Truth::from(view::order(view, View::of(value), &work).map(|order| order == wanted))
        };
        let text = |holds: &dyn Fn(&Text<'_>) -> bool| match &view {
            View::Text(text) => Truth::from(holds(text)),
            _ => Truth::Unknown,
        };
        match self {
            Self::Holds => match view {
                View::Bool(truth) => Truth::from(truth),
                _ => Truth::Unknown,
            },
            Self::IsNull if view.is_unknown() => Truth::Unknown,
            Self::IsNull => Truth::from(matches!(view, View::Null)),
            Self::Has => Truth::from(!matches!(view, View::Absent)),
            Self::InNothing if view.is_unknown() => Truth::Unknown,
            Self::InNothing => Truth::False,
            Self::Equals(value) => Truth::from(view::equal(view, View::of(value), &work)),
            Self::Less(value) => order(value, Ordering::Less),
            Self::Greater(value) => order(value, Ordering::Greater),
            Self::StartsWith(part) => text(&|text| text.starts_with(&Text::Whole(part))),
            Self::EndsWith(part) => text(&|text| text.ends_with(&Text::Whole(part))),
            Self::Contains(part) => text(&|text| text.contains(&Text::Whole(part))),
            Self::Matches(pattern) => text(&|text| pattern.0.is_match(&text.join())),
            Self::InNet(net) => match &view {
                View::Text(text) => {
                    let address = text.join().parse::<IpAddr>().ok();
                    Truth::from(address.map(|address| {
                        net.contains(&address) || net.contains(&address.to_canonical())
                    }))
                }
                _ => Truth::Unknown,
            },
            Self::HasElement(value) => Truth::from(view::is_in(View::of(value), view, &work)),
            Self::Size(test) => test.of(view.size()),
            Self::Loop { every, body } => match view {
                View::List(list) if list.len() <= MAX_LIST => {
                    let truths = list.elements().map(|element| body.of_element(element));
                    if *every { join_all(truths) } else { !join_all(truths.map(|truth| !truth)) }
                }
                _ => Truth::Unknown,
            },
        }
    }
}

/// The conjunction of `truths`.
fn join_all(truths: impl Iterator<Item = Truth>) -> Truth {
    truths.fold(Truth::True, Truth::and)
}

impl Formula {
    /// What the body of a loop says of the element `value`.
    pub(in crate::policy) fn on_element(&self, value: &Value) -> Truth {
        self.of_element(View::of(value))
    }

    fn of_element(&self, element: View<'_>) -> Truth {
        let of = |part: &Self| part.of_element(element);
        match self {
            Self::Always(truth) => *truth,
            Self::All(parts) => join_all(parts.iter().map(of)),
            Self::Any(parts) => !join_all(parts.iter().map(|part| !of(part))),
            Self::Not(part) => !of(part),
            Self::If(parts) => match &**parts {
                [condition, then, otherwise] => match of(condition) {
                    Truth::True => of(then),
                    Truth::False => of(otherwise),
                    Truth::Unknown => Truth::Unknown,
                },
            },
            Self::Test(input, test) if input.root == Root::Element => test.of(element),
            // Bodies that read more are no loops of this kind.
            Self::Test(..) | Self::Other(_) => Truth::Unknown,
        }
    }
}
