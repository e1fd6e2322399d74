//! The values that expressions see.

/// A decimal number kept exactly: no float round trip, so 2^53 and 2^53+1 differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// The number written as the JSON token `token`, or `None` where that is not a JSON number.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        Some(Self(token.into()))
    }
}

/// A claim or an argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// A list.
    List(Vec<Value>),
    /// An object, sorted by name.
    Map(Vec<(Box<str>, Value)>),
}
