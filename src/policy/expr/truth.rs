//! Three-valued truth, and sets of it.

use std::fmt;

/// What a condition comes to (Kleene's strong logic). Unknown counts against the caller: an `allow` needs
/// [`Truth::True`], a `deny` and a `limit` apply unless [`Truth::False`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be said: something it reads is not there, does not fit, or is too large.
    Unknown,
}

impl Truth {
    /// All three.
    pub const ALL: [Self; 3] = [Self::True, Self::False, Self::Unknown];

    /// False if either is, true if both are, else unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    /// True if either is, false if both are, else unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}

/// `None` is unknown.
impl From<Option<bool>> for Truth {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Self::Unknown, Self::from)
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
        })
    }
}

/// Which truths can come out: a set of [`Truth`]s, never empty when [`super::Expr::possible`] gave it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Possible(u8);

impl Possible {
    /// No truth: the neutral element of [`Possible::union`].
    pub const NONE: Self = Self(0);
    /// Any of the three.
    pub const ANY: Self = Self(0b111);
    /// True or false, never unknown.
    pub const DECIDED: Self = Self(0b011);

    const fn bit(truth: Truth) -> u8 {
        match truth {
            Truth::True => 0b001,
            Truth::False => 0b010,
            Truth::Unknown => 0b100,
        }
    }

    /// Exactly `truth`.
    #[must_use]
    pub const fn only(truth: Truth) -> Self {
        Self(Self::bit(truth))
    }

    /// Whether `truth` can come out.
    #[must_use]
    pub const fn contains(self, truth: Truth) -> bool {
        self.0 & Self::bit(truth) != 0
    }

    /// The one truth that can come out, where it is one.
    #[must_use]
    pub fn certain(self) -> Option<Truth> {
        Truth::ALL.into_iter().find(|truth| self == Self::only(*truth))
    }

    /// `wish` where it can come out, and else what does.
    #[must_use]
    pub fn at_best(self, wish: Truth) -> Truth {
        if self.contains(wish) { wish } else { self.certain().unwrap_or(Truth::Unknown) }
    }

    /// Whatever either can be.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set with `truth`.
    #[must_use]
    pub const fn with(self, truth: Truth) -> Self {
        Self(self.0 | Self::bit(truth))
    }

    /// This set without `truth`.
    #[must_use]
    pub const fn without(self, truth: Truth) -> Self {
        Self(self.0 & !Self::bit(truth))
    }

    /// What the conjunction of the two can be, each free of the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.product(other, Truth::and)
    }

    /// What the disjunction of the two can be, each free of the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.product(other, Truth::or)
    }

    fn product(self, other: Self, join: fn(Truth, Truth) -> Truth) -> Self {
        let mut joined = Self::NONE;
        for a in self.members() {
            for b in other.members() {
                joined = joined.with(join(a, b));
            }
        }
        joined
    }

    /// The truths of the set.
    pub fn members(self) -> impl Iterator<Item = Truth> {
        Truth::ALL.into_iter().filter(move |truth| self.contains(*truth))
    }
}

impl std::ops::Not for Possible {
    type Output = Self;

    fn not(self) -> Self {
        self.members().fold(Self::NONE, |negated, truth| negated.with(!truth))
    }
}

impl FromIterator<Truth> for Possible {
    fn from_iter<I: IntoIterator<Item = Truth>>(truths: I) -> Self {
        truths.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Possible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// False is least, true is most, unknown between: conjunction is the lesser, disjunction the greater.
    fn rank(truth: Truth) -> u8 {
        match truth {
            Truth::False => 0,
            Truth::Unknown => 1,
            Truth::True => 2,
        }
    }

    #[test]
    fn truth_is_kleenes() {
        for a in Truth::ALL {
            assert_eq!(!!a, a);
            assert_eq!(rank(!a), 2 - rank(a));
            for b in Truth::ALL {
                assert_eq!(rank(a.and(b)), rank(a).min(rank(b)), "{a} and {b}");
                assert_eq!(rank(a.or(b)), rank(a).max(rank(b)), "{a} or {b}");
                assert_eq!(!(a.and(b)), (!a).or(!b), "De Morgan: {a}, {b}");
            }
        }
    }

    #[test]
    fn sets_hold_what_their_members_come_to() {
        let sets: Vec<Possible> = (0..8).map(Possible).collect();
        for &a in &sets {
            assert_eq!((!a).members().count(), a.members().count());
            assert_eq!(a.certain().is_some(), a.members().count() == 1);
            for &b in &sets {
                for x in Truth::ALL {
                    let comes = |join: fn(Truth, Truth) -> Truth| {
                        a.members().any(|m| b.members().any(|n| join(m, n) == x))
                    };
                    assert_eq!(a.and(b).contains(x), comes(Truth::and), "{a:?} and {b:?}");
                    assert_eq!(a.or(b).contains(x), comes(Truth::or), "{a:?} or {b:?}");
                    assert_eq!(a.union(b).contains(x), a.contains(x) || b.contains(x));
                }
            }
        }
        assert_eq!(Possible::ANY.without(Truth::Unknown), Possible::DECIDED);
        assert_eq!(Possible::NONE.with(Truth::True), Possible::only(Truth::True));
    }
}
