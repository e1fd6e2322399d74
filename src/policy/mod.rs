//! Policy: what users write, compiled to an index, and the decisions made from it. Pure.

mod call;
pub mod expr;
mod number;
mod principal;
mod rule;
mod set;
mod value;
mod verdict;

pub use call::{Arg, Args, Call, Captures, Context, Object, SlotSet};
pub use principal::{ClientKind, Principal};
pub use rule::{Effect, Mode, RefusalStyle, RuleId, RuleInfo};
pub use set::Policy;
pub use value::{Number, Value};
pub use verdict::{Basis, Draw, Needs, Permitted, Quota, Reason, Refusal, Shadowed};

/// Seconds since 1970-01-01T00:00:00Z on the wall clock.
pub type UnixTime = u64;
