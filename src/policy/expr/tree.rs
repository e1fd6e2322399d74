//! An expression as it is written.

use std::ops::Range;

/// A node, and where it stands.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) form: Form,
    /// Without brackets around it.
    pub(super) span: Range<usize>,
    /// With the brackets that group it and nothing else.
    pub(super) grouped: Range<usize>,
    /// Of a member, a call or an operation the name or the sign alone; of anything else all of it.
    pub(super) name: Range<usize>,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Form {
    Literal(Literal),
    /// A name, with the dot that may stand before it.
    Ident(String),
    /// `operand.field`
    Select {
        operand: Box<Tree>,
        field: String,
    },
    List(Vec<Tree>),
    /// `{…}`, unread.
    Map,
    /// `Name{…}`, unread.
    Struct,
    Operation(Operator, Vec<Tree>),
    Call(Call),
}

/// A call of a function or a macro.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// `target.name(…)`
    pub(super) target: Option<Box<Tree>>,
    pub(super) args: Vec<Tree>,
}

/// A constant.
#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    /// Its digits: a number is exact, an f64 made of them is not.
    Double {
        is_negative: bool,
        digits: Range<usize>,
    },
    Text(String),
    /// `b"…"`, unread.
    Bytes,
}

/// What operands are joined by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// Of two or more.
    And,
    /// Of two or more.
    Or,
    Not,
    /// `a ? b : c`
    Conditional,
    Equals,
    NotEquals,
    Less,
    LessEquals,
    Greater,
    GreaterEquals,
    In,
    /// Of two or more.
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Negate,
    /// `a[b]`
    Index,
}

impl Operator {
    /// The operator between two operands that is written as `sign`, and how tightly it binds.
    pub(super) fn between(sign: &str) -> Option<(Self, u8)> {
        Some(match sign {
            "||" => (Self::Or, 1),
            "&&" => (Self::And, 2),
            "==" => (Self::Equals, 3),
            "!=" => (Self::NotEquals, 3),
            "<" => (Self::Less, 3),
            "<=" => (Self::LessEquals, 3),
            ">" => (Self::Greater, 3),
            ">=" => (Self::GreaterEquals, 3),
            "in" => (Self::In, 3),
            "+" => (Self::Add, 4),
            "-" => (Self::Subtract, 4),
            "*" => (Self::Multiply, 5),
            "/" => (Self::Divide, 5),
            "%" => (Self::Modulo, 5),
            _ => return None,
        })
    }

    /// Whether a chain of it is one node.
    pub(super) fn is_flat(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Add)
    }

    /// Whether it is of numbers, which the policy language does not reckon with.
    pub(super) fn is_arithmetic(self) -> bool {
        matches!(self, Self::Subtract | Self::Multiply | Self::Divide | Self::Modulo | Self::Negate)
    }
}
