//! Policy: what users write, compiled to an index, and the decisions made from it. Pure.

mod call;
mod principal;
mod value;

pub use call::{Arg, Args, Call, Captures, Context, Object, SlotSet};
pub use principal::{ClientKind, Principal};
pub use value::{Number, Value};
