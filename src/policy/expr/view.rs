//! Values as an expression sees them: borrowed, or absent, or unfit.

use std::cell::Cell;
use std::cmp::Ordering;

use super::super::value::{Number, Value, find};
use super::limits::{MAX_COMPARED_DEPTH, MAX_LIST, STEP_TEXT};
use super::text::{Pieces, Text};

/// What an operand comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    /// The path is not there.
    Absent,
    /// There, but larger than the capture limit.
    TooLarge,
    /// Made of something that is not there or does not fit.
    Unfit,
    Null,
    Bool(bool),
    Number(&'a Number),
    /// The size of something.
    Count(u64),
    Text(Text<'a>),
    List(List<'a>),
    Map(&'a [(Box<str>, Value)]),
    /// Whatever the call will have there, or nothing. Free values come from [`super::possible`] alone.
    Free,
    /// The size of something free, or nothing.
    FreeCount,
}

/// The elements of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum List<'a> {
    Values(&'a [Value]),
    Names(&'a [Box<str>]),
    Views(&'a [View<'a>]),
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Names(names) => names.len(),
            Self::Views(views) => views.len(),
        }
    }

    /// The element at `at`.
    pub(super) fn element(&self, at: usize) -> Option<View<'a>> {
        match self {
            Self::Values(values) => values.get(at).map(View::of),
            Self::Names(names) => names.get(at).map(|name| View::whole(name)),
            Self::Views(views) => views.get(at).copied(),
        }
    }

    pub(super) fn elements(self) -> impl Iterator<Item = View<'a>> {
        (0..self.len()).filter_map(move |at| self.element(at))
    }
}

impl<'a> View<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::whole(text),
            Value::List(values) => Self::List(List::Values(values)),
            Value::Map(members) => Self::Map(members),
        }
    }

    pub(super) fn whole(text: &'a str) -> Self {
        Self::Text(Text::Whole(text))
    }

    pub(super) fn whole_or_absent(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, Self::whole)
    }

    /// Whether there is no value to test.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Absent | Self::TooLarge | Self::Unfit)
    }

    /// The member at the end of `names`.
    pub(super) fn descend(self, names: &[Box<str>]) -> Self {
        let mut view = self;
        for name in names {
            view = match view {
                Self::Map(members) => find(members, name).map_or(Self::Absent, Self::of),
                Self::TooLarge | Self::Unfit | Self::Free => return view,
                _ => Self::Absent,
            };
        }
        view
    }

    /// Whether only the call will say what it is.
    pub(super) fn is_free(&self) -> bool {
        matches!(self, Self::Free | Self::FreeCount)
    }

    /// Its size, where it has one.
    pub(super) fn size<'s>(&self) -> View<'s> {
        let size = match self {
            Self::Text(text) => text.size(),
            Self::List(list) => list.len(),
            Self::Map(members) => members.len(),
            Self::TooLarge => return View::TooLarge,
            Self::Free => return View::FreeCount,
            _ => return View::Unfit,
        };
        View::Count(u64::try_from(size).unwrap_or(u64::MAX))
    }
}

/// A view that owns what it was built from.
#[derive(Clone, Debug)]
pub(super) enum Built<'a> {
    Plain(View<'a>),
    Text(Pieces<'a>),
    /// A list literal. No element of one is a list literal.
    List(Vec<Self>),
    /// A string that begins and ends like these, or nothing.
    FreeText {
        prefix: Pieces<'a>,
        suffix: Pieces<'a>,
    },
}

impl Built<'_> {
    /// The view. What only this type can tell of a list or a free string is lost.
    pub(super) fn view(&self) -> View<'_> {
        match self {
            Self::Plain(view) => *view,
            Self::Text(pieces) => View::Text(Text::Pieces(pieces)),
            Self::List(_) => View::Unfit,
            Self::FreeText { .. } => View::Free,
        }
    }
}

/// Steps of work done: elements looked at, and 64 bytes of text a step.
#[derive(Debug, Default)]
pub(super) struct Work(Cell<u32>);

impl Work {
    pub(super) fn add(&self, steps: usize) {
        self.0.set(self.0.get().saturating_add(u32::try_from(steps).unwrap_or(u32::MAX)));
    }

    pub(super) fn add_text(&self, bytes: usize) {
        self.add(1 + bytes / STEP_TEXT);
    }

    pub(super) fn take(&self) -> u32 {
        self.0.take()
    }
}

/// Whether the two are equal; `None` (unknown) where either is not there or they are not of one type.
///
/// CEL calls values of two types unequal. Here that would let a caller choose the type that a `deny` does not
/// know (`"1"` for `1`, `["a"]` for `"a"`), which the server may well read as the same.
pub(super) fn equal(left: View<'_>, right: View<'_>, work: &Work) -> Option<bool> {
    equal_at(0, left, right, work)
}

fn equal_at(depth: usize, left: View<'_>, right: View<'_>, work: &Work) -> Option<bool> {
    match (left, right) {
        (View::Text(a), View::Text(b)) => {
            work.add_text(a.len().min(b.len()));
            Some(a.equals(&b))
        }
        (View::Bool(a), View::Bool(b)) => Some(a == b),
        (View::Null, View::Null) => Some(true),
        (View::List(a), View::List(b)) if depth < MAX_COMPARED_DEPTH => {
            if a.len() != b.len() {
                return Some(false);
            }
            let elements = a.elements().zip(b.elements());
            all(elements.map(|(a, b)| equal_at(depth + 1, a, b, work)))
        }
        (View::Map(a), View::Map(b)) if depth < MAX_COMPARED_DEPTH => {
            work.add(a.len());
            let same_names = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0);
            if !same_names {
                return Some(false);
            }
            let values = a.iter().zip(b);
            all(values.map(|(a, b)| equal_at(depth + 1, View::of(&a.1), View::of(&b.1), work)))
        }
        _ => order(left, right, work).map(Ordering::is_eq),
    }
}

/// Kleene conjunction.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut together = Some(true);
    for truth in truths {
        match truth {
            Some(false) => return Some(false),
            None => together = None,
            Some(true) => {}
        }
    }
    together
}

/// How the two are ordered; `None` where either is not there or they are not two numbers or two strings.
pub(super) fn order(left: View<'_>, right: View<'_>, work: &Work) -> Option<Ordering> {
    match (left, right) {
        (View::Text(a), View::Text(b)) => {
            work.add_text(a.len().min(b.len()));
            Some(a.compare(&b))
        }
        (View::Number(a), View::Number(b)) => {
            work.add_text(a.weight().min(b.weight()));
            a.compare(b)
        }
        (View::Count(a), View::Count(b)) => Some(a.cmp(&b)),
        (View::Count(a), View::Number(b)) => Number::from(a).compare(b),
        (View::Number(a), View::Count(b)) => a.compare(&Number::from(b)),
        _ => None,
    }
}

/// Whether `needle` is an element of a list or a name of an object; elements after [`MAX_LIST`] are unknown.
pub(super) fn is_in(needle: View<'_>, haystack: View<'_>, work: &Work) -> Option<bool> {
    if needle.is_unknown() {
        return None;
    }
    match haystack {
        View::List(list) => {
            let looked_at = list.elements().take(MAX_LIST);
            work.add(list.len().min(MAX_LIST));
            let is_other = |element| equal(needle, element, work).map(|equal| !equal);
            match all(looked_at.map(is_other)) {
                Some(true) if list.len() > MAX_LIST => None,
                absent => absent.map(|absent| !absent),
            }
        }
        View::Map(members) => match needle {
            View::Text(name) => Some(find(members, &name.join()).is_some()),
            _ => None,
        },
        _ => None,
    }
}
