//! Policy: what users write, compiled to an index, and the decisions made from it. Pure.
//!
//! ```text
//! sources ─ language ─► stanzas ─► index ─┐
//! Principal, Context, Call ─ target ──────┴► evaluate ─► Permitted { draws } | Refusal { reason }
//!                                            listing  ─► shown or hidden
//! ```

mod aimed;
mod call;
mod compile;
mod coverage;
mod digest;
mod draw;
mod evaluate;
mod example;
mod explain;
pub mod expr;
mod index;
pub mod language;
mod listing;
mod matching;
mod memo;
mod missing;
#[doc(hidden)]
pub mod naive;
mod number;
mod pin;
mod principal;
mod prove;
mod recorded;
mod reproduce;
mod rule;
mod selector;
mod set;
mod stanza;
mod target;
pub mod types;
mod value;
mod verdict;

pub use aimed::Aimed;
pub use call::{Arg, Args, Call, Captures, Context, Object, SlotSet};
pub use compile::{CompileOptions, Compiled};
pub use coverage::{AtomCoverage, Coverage, RuleCoverage};
pub use digest::SetDigest;
pub use draw::LimitTag;
pub use evaluate::Outcome;
pub use example::{Counts, PolicyTest, Tried};
pub use explain::{Considered, Explanation};
pub use matching::matched;
pub use missing::{Certainty, ClaimPath, Minded, Missing};
pub use pin::{OnChange, Pin, PinId, PinInfo};
pub use principal::{ClientKind, Principal};
pub use prove::{Change, Changed, Difference, Example, Opposite, Turn, Verdict};
pub use recorded::{Depends, ReadClaim};
pub use rule::{Effect, Mode, RefusalStyle, RuleId, RuleInfo};
pub use selector::is_exact_name;
pub use set::Policy;
pub use value::{Number, Value};
pub use verdict::{Basis, Bound, Bounds, Draw, Needs, Permitted, Quota, Reason, Refusal, Shadowed};

/// Seconds since 1970-01-01T00:00:00Z on the wall clock.
pub type UnixTime = u64;
