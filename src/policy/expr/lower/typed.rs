//! Static types: what is known of an operand before it has a value.

use std::ops::Range;

use super::super::super::value::Value;
use super::super::program::OperandId;
use super::super::variable::Fixed;

/// What an operand is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Whatever the token or the call has there.
    Any,
    Null,
    Bool,
    Number,
    Text,
    /// A list of elements of one type, where that is known.
    List(Item),
    /// A problem has been reported; nothing more is to be said.
    Broken,
}

/// What the elements of a list are known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Any,
    Bool,
    Number,
    Text,
}

impl Type {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::List(_) => Self::List(Item::Any),
            Value::Map(_) => Self::Any,
        }
    }

    /// The type of either, where it is one.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Broken, _) | (_, Self::Broken) => Self::Broken,
            (a, b) if a == b => a,
            (Self::List(_), Self::List(_)) => Self::List(Item::Any),
            _ => Self::Any,
        }
    }

    /// Whether a value could be of both.
    pub(super) fn fits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Broken, _) | (_, Self::Any | Self::Broken) => true,
            (Self::List(a), Self::List(b)) => Self::from(a).fits(Self::from(b)),
            (a, b) => a == b,
        }
    }

    /// The type in words, with its article.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Any | Self::Broken => "anything",
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List(Item::Any) => "a list",
            Self::List(Item::Bool) => "a list of booleans",
            Self::List(Item::Number) => "a list of numbers",
            Self::List(Item::Text) => "a list of strings",
        }
    }
}

impl From<Item> for Type {
    fn from(item: Item) -> Self {
        match item {
            Item::Any => Self::Any,
            Item::Bool => Self::Bool,
            Item::Number => Self::Number,
            Item::Text => Self::Text,
        }
    }
}

impl From<Type> for Item {
    fn from(item: Type) -> Self {
        match item {
            Type::Bool => Self::Bool,
            Type::Number => Self::Number,
            Type::Text => Self::Text,
            Type::Any | Type::Null | Type::List(_) | Type::Broken => Self::Any,
        }
    }
}

impl From<Fixed> for Type {
    fn from(fixed: Fixed) -> Self {
        match fixed {
            Fixed::Bool => Self::Bool,
            Fixed::Text | Fixed::Word(_) | Fixed::Address => Self::Text,
            Fixed::Texts => Self::List(Item::Text),
        }
    }
}

/// A lowered operand.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) id: OperandId,
    pub(super) kind: Type,
    /// Where it stands, with brackets around it.
    pub(super) span: Range<usize>,
    /// What it is a variable of, where that has a fixed type.
    pub(super) fixed: Option<Fixed>,
    /// What it is, where it is a constant.
    pub(super) constant: Option<Value>,
}

impl Typed {
    pub(super) fn is_broken(&self) -> bool {
        self.kind == Type::Broken
    }

    /// The string that it is a constant of.
    pub(super) fn text(&self) -> Option<&str> {
        self.constant.as_ref().and_then(Value::as_str)
    }
}
