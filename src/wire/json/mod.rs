//! A push tokenizer for JSON text (RFC 8259): strict, resumable at any byte, without recursion.
//!
//! It validates everything that it is fed, also what nobody wants to see, and tells a [`Visit`]or
//! only of the parts that the visitor asked for by giving them a [`Node`]. A value whose node is
//! [`Node::IGNORE`] is validated (UTF-8, escapes, numbers, depth, duplicate keys) and otherwise
//! skipped. Bytes are never changed or copied, except for a name that is cut by the end of a chunk or
//! has escapes. Nothing is allocated but a stack of open containers, the hashes of the names of
//! the open objects, one name, and a few short names that records have in common; [`Limits`] or a
//! constant bounds each.
//!
//! # What is accepted
//!
//! Exactly what `serde_json::from_str::<serde_json::value::RawValue>` accepts (RFC 8259 without
//! extensions), except for these, which are refused on purpose because two readers could disagree
//! about them or because they are only there to do harm:
//!
//! | refused | `serde_json` | threat |
//! |---|---|---|
//! | a name twice in one object, at any depth, however spelt | the last one wins | T1 |
//! | `\uD800`-`\uDFFF` without its partner | refused for a `String`, skipped in `IgnoredAny` and `RawValue` | T3 |
//! | bytes in a string that are not UTF-8 | `from_slice` refuses them for a `String` or `RawValue`, not in `IgnoredAny` | T3 |
//! | more than [`Limits`] | `Value` has a depth of 128, nothing else | T5 |
//!
//! Numbers are kept as tokens, so that one beyond `f64` passes, as it does in `IgnoredAny` and
//! `RawValue` (but not in `Value`).

mod error;
mod hash;
mod keys;
mod number;
mod quiet;
mod run;
mod scan;
mod shape;
mod stack;
mod string;
mod tokenizer;
mod visit;

pub use error::{Error, SyntaxError, SyntaxErrorKind};
pub use tokenizer::{Limits, Tokenizer};
pub use visit::{Ignore, Kind, Node, Visit};
