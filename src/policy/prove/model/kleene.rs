//! Conditions as functions: where they are true, false, unknown.

use crate::policy::expr::Truth;
use crate::policy::prove::diagram::Edge;

/// A condition as two functions: where it is true, and where it is false. Elsewhere it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy::prove) struct Kleene {
    pub(in crate::policy::prove) is_true: Edge,
    pub(in crate::policy::prove) is_false: Edge,
}

impl Kleene {
    pub(super) const UNKNOWN: Self = Self { is_true: Edge::FALSE, is_false: Edge::FALSE };

    pub(super) fn of(truth: Truth) -> Self {
        match truth {
            Truth::True => Self { is_true: Edge::TRUE, is_false: Edge::FALSE },
            Truth::False => Self { is_true: Edge::FALSE, is_false: Edge::TRUE },
            Truth::Unknown => Self::UNKNOWN,
        }
    }
}

impl std::ops::Not for Kleene {
    type Output = Self;

    fn not(self) -> Self {
        Self { is_true: self.is_false, is_false: self.is_true }
    }
}

/// Where a condition can come to each of the three.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy::prove) struct Can {
    pub(in crate::policy::prove) is_true: Edge,
    pub(in crate::policy::prove) is_false: Edge,
    pub(super) is_unknown: Edge,
}

impl Can {
    pub(super) const ANY: Self =
        Self { is_true: Edge::TRUE, is_false: Edge::TRUE, is_unknown: Edge::TRUE };
}

impl std::ops::Not for Can {
    type Output = Self;

    fn not(self) -> Self {
        Self { is_true: self.is_false, is_false: self.is_true, ..self }
    }
}
