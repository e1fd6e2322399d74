//! The lock file: what a server offered when somebody reviewed it, and what has changed since. Pure.
//!
//! ```text
//! mcp.lock.json ─ read ─► Lock ─ write ─► mcp.lock.json     (sorted: a change of the server is a small diff)
//! a live list ─ Item, ElementDigest ─┘ └─ diff ─► changes in words, each with how much it matters
//! ```
//!
//! A server that is trusted once and then describes its tools in another way is a rug pull (threat T52); a description
//! that speaks to the model instead of its reader is poisoned (T51). Both show here.

pub mod codes;

mod diff;
mod digest;
mod json;
mod list;
mod model;
mod number;
mod read;
mod schema;
mod write;

pub use diff::{Change, Weight, diff};
pub use digest::{Digest, ElementDigest, MAX_DEPTH, MAX_MEMBERS, NoDigest};
pub use json::{Json, Value};
pub use list::List;
pub use model::{Item, ItemFault, Lock, Server};
pub use read::parse;

/// What the file is called in a policy directory.
pub const FILE_NAME: &str = "mcp.lock.json";

/// Most elements of one list. Ten times what the largest aggregators offer; a model can choose from a fraction.
pub const MAX_ITEMS: usize = 10_000;

/// Most bytes of a lock file, and of one page of a list: [`MAX_ITEMS`] tools of 1.6 KiB. Servers in the field have a
/// hundred tools and 100 KiB.
pub const MAX_BYTES: usize = 16 << 20;
