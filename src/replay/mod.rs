//! Yesterday's traffic: what log lines say of calls, and what a policy set says of the same calls. Pure.
//!
//! ```text
//! line ─ quick, or simd_json ─► Record ─ judge (policy::decide_aim_without) ─► Same | Changed | Open ─ tally ─► counts, groups with an example each
//!                             └─── traffic ─► propose ─► the text of a policy
//! ```
//!
//! The lines are those of the audit log, which hold what the decision read, or of the access log, which do not: then much
//! of what a condition asks is missing, and only what holds whatever it was is said.

mod aim;
mod caller;
mod fields;
mod groups;
mod judge;
mod kept;
mod listed;
mod met;
mod nodes;
mod plain;
mod propose;
mod quick;
mod reader;
mod record;
mod runs;
mod tally;
#[cfg(test)]
mod tests;
mod toml;
mod traffic;
mod verdicts;

pub use judge::{Judge, Judged, Open, Unjudged, Verdict};
pub use listed::{Listed, propose_listed};
pub use propose::{Proposal, Wish, propose};
pub use reader::Reader;
pub use record::{Asked, Fault, LINE, Line, Record};
pub use tally::{By, Example, Group, Key, Place, Tally};
pub use traffic::{Called, Calls, Sample, Traffic, Values};
