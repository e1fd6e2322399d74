//! Conditions over claims and arguments: a total subset of CEL.
//!
//! ```text
//! text ─ scan (bounds, brackets) ─ parse (tree) ─ lower (types, problems) ─► Program
//! Program + Scope ─ eval ─► Truth          one call
//!                 ─ possible ─► Possible   any arguments
//!                 ─ conditions ─► what each atom saw
//! ```
//!
//! Everything that is not of the subset is an [`ExprProblem`] when the policy is read; nothing fails when it is
//! run. What cannot be said is [`Truth::Unknown`].
//!
//! # What differs from CEL
//!
//! The interpreter of the `cel` crate and this one agree on all inputs where every path is present and every
//! operator finds the types it is for (`tests/it/expr.rs`). Where CEL fails, the answer here is unknown. And
//! where it does not fail:
//!
//! | | CEL | here | why |
//! |---|---|---|---|
//! | `1 == "1"`, `"a" in [1]` | false | unknown | a `deny` must not fall to a caller who changes a type |
//! | `2^53 == 2^53 + 1.0` | true | false | numbers are exact |
//! | `has(a.b)` where `a` is no object | fails | false | presence is always known |
//! | `c ? x : y`, `c` unknown | fails | unknown | |

mod address;
mod breaks;
mod conditions;
mod eval;
pub(in crate::policy) mod formula;
pub mod limits;
mod lower;
mod missing;
mod operand;
mod parse;
mod path;
mod possible;
mod problem;
mod program;
mod reads;
mod scan;
mod text;
mod tree;
mod truth;
mod uses;
mod variable;
mod view;

use std::fmt;

pub use breaks::{Break, breaks};
pub use conditions::ConditionSeen;
pub use missing::Missed;
pub use path::{Path, Resolved};
pub use problem::{ExprFix, ExprProblem};
pub use reads::Reads;
pub use truth::{Possible, Truth};
pub(super) use uses::{Question, Root};

use self::eval::Machine;
use self::program::{NodeId, Program};
use super::{Call, Captures, Context, Missing, Principal, SlotSet};

/// What an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// By which way.
    pub context: &'a Context<'a>,
    /// What is asked for.
    pub call: &'a Call,
    /// What the lock says of the tool; `None` where there is no lock or the target is no tool of it.
    pub tool: Option<&'a ToolHints>,
}

/// The annotations of a tool in the lock: reviewed, hence trusted. `None` is absent, and so unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolHints {
    /// `readOnlyHint`
    pub read_only: Option<bool>,
    /// `destructiveHint`
    pub destructive: Option<bool>,
    /// `idempotentHint`
    pub idempotent: Option<bool>,
    /// `openWorldHint`
    pub open_world: Option<bool>,
}

/// A condition, compiled.
#[derive(Clone)]
pub struct Expr {
    text: Box<str>,
    program: Program,
    root: NodeId,
}

impl Expr {
    /// Compiles `text`; the argument paths that it reads are added to `captures`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, in the order of the text. `captures` may then have paths too many.
    pub fn parse(text: &str, captures: &mut Captures) -> Result<Self, Vec<ExprProblem>> {
        let (program, root) = read(text, |parsed| lower::condition(parsed, captures))?;
        Ok(Self { text: text.into(), program, root })
    }

    /// What it comes to. Total, and bounded in work by [`limits`].
    #[must_use]
    pub fn eval(&self, scope: &Scope<'_>) -> Truth {
        Machine::new(&self.program, scope).truth(self.root, None)
    }

    /// What it can come to when arguments and `mcp.is_retry` may be anything, and all else is as in `scope`.
    /// Each atom is exact by itself; that two atoms can be tied to one another is not seen, so the set may hold
    /// more than can come out, but never less.
    #[must_use]
    pub fn possible(&self, scope: &Scope<'_>) -> Possible {
        possible::possible(&Machine::new(&self.program, scope), self.root)
    }

    /// What it can come to when what is `missing` may be anything, and all else is as in `scope`: as [`Expr::possible`], never
    /// less than can come out.
    #[must_use]
    pub fn possible_without(&self, scope: &Scope<'_>, missing: &Missing) -> Possible {
        let machine = Machine { missing: Some(missing), ..Machine::new(&self.program, scope) };
        possible::possible_without(&machine, self.root)
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

    /// What each of its atoms saw and came to, in the order of the text.
    #[must_use]
    pub fn conditions(&self, scope: &Scope<'_>) -> Vec<ConditionSeen> {
        conditions::conditions(&self.text, &Machine::new(&self.program, scope), self.root)
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn read<T>(
    text: &str,
    lower: impl FnOnce(&parse::Parsed<'_>) -> Result<T, Vec<ExprProblem>>,
) -> Result<T, Vec<ExprProblem>> {
    let tokens = scan::Tokens::scan(text)?;
    lower(&parse::parse(text, &tokens).map_err(|problem| vec![problem])?)
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({:?})", self.text)
    }
}
