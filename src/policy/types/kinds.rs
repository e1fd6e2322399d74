//! The kinds of value that JSON has, and sets of them.

use std::fmt;

use super::super::Value;

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool,
    /// Any number: whole ones are not told apart, as policies do not.
    Number,
    /// A string.
    String,
    /// A list; JSON's array.
    List,
    /// A table; JSON's object.
    Table,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Null, Self::Bool, Self::Number, Self::String, Self::List, Self::Table];

    /// What `value` is.
    #[must_use]
    pub const fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Table,
        }
    }

    /// With its article, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::List => "a list",
            Self::Table => "a table",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self(0b11_1111);

    /// `kind` alone.
    #[must_use]
    pub const fn only(kind: Kind) -> Self {
        Self(kind.bit())
    }

    /// Whether `kind` is in it.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in it, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, |all, kind| all.or(Self::only(kind)))
    }
}

/// `a string or null`; `nothing` for none, `anything` for all.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => return f.write_str("anything"),
            Self::NONE => return f.write_str("nothing"),
            _ => {}
        }
        // What it is before what it is not.
        let (null, rest): (Vec<Kind>, Vec<Kind>) = self.iter().partition(|it| *it == Kind::Null);
        for (at, kind) in rest.into_iter().chain(null).enumerate() {
            let or = if at == 0 { "" } else { " or " };
            write!(f, "{or}{}", kind.words())?;
        }
        Ok(())
    }
}
