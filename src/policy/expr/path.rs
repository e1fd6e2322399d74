//! A single path, as `per`, `tier` and `cost` name it.

use std::fmt;
use std::net::IpAddr;

use super::program::Program;
use super::text::Text;
use super::uses::{self, Root};
use super::variable::Variable;
use super::view::{List, View};
use super::{ExprProblem, Reads, Scope, lower, read};
use crate::policy::{Captures, Number, SlotSet, Value};

/// A path to one value: `claims.sub`, `args.tenant`, `client.ip`.
#[derive(Clone)]
pub struct Path {
    text: Box<str>,
    program: Program,
    variable: Variable,
}

impl Path {
    /// Compiles `text`; an argument path is added to `captures`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it: what [`super::Expr::parse`] would say, and that it is not a path.
    pub fn parse(text: &str, captures: &mut Captures) -> Result<Self, Vec<ExprProblem>> {
        let (program, variable) = read(text, |parsed| lower::path(parsed, captures))?;
        Ok(Self { text: text.into(), program, variable })
    }

    /// The value at its end.
    #[must_use]
    pub fn resolve<'a>(&self, scope: &Scope<'a>) -> Resolved<'a> {
        if self.variable == Variable::ClientIp {
            return Resolved::Ip(scope.context.ip.to_canonical());
        }
        match self.variable.value(&self.program, scope) {
            View::TooLarge => Resolved::TooLarge,
            View::Null => Resolved::Null,
            View::Bool(truth) => Resolved::Bool(truth),
            View::Number(number) => Resolved::Number(number),
            View::Text(Text::Whole(text)) => Resolved::Text(text),
            View::List(List::Values(values)) => Resolved::List(values),
            View::List(List::Names(names)) => Resolved::Names(names),
            View::Map(members) => Resolved::Map(members),
            // No variable is put together, counted or free.
            View::Absent
            | View::Free
            | View::FreeCount
            | View::Unfit
            | View::Count(_)
            | View::Text(Text::Pieces(_))
            | View::List(List::Views(_)) => Resolved::Absent,
        }
    }

    /// The claim or argument that it names; `None` for `client.ip` and its like.
    pub(in crate::policy) fn root(&self) -> Option<Root<'_>> {
        uses::root(&self.program, self.variable)
    }

    /// The arguments that it reads.
    #[must_use]
    pub fn slots(&self) -> SlotSet {
        self.program.slots
    }

    /// The sources that it reads.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.program.reads
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({})", self.text)
    }
}

/// What stands at the end of a [`Path`]. Equal values are equal and have one hash, whatever way they were
/// written in; so this is what a limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolved<'a> {
    /// Nothing.
    Absent,
    /// An argument larger than the capture limit.
    TooLarge,
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(&'a Number),
    /// A string.
    Text(&'a str),
    /// `client.ip`; IPv6-mapped IPv4 is IPv4.
    Ip(IpAddr),
    /// `client.scopes`
    Names(&'a [Box<str>]),
    /// A list.
    List(&'a [Value]),
    /// An object, sorted by name.
    Map(&'a [(Box<str>, Value)]),
}
