//! A push tokenizer for JSON text (RFC 8259): strict, resumable at any byte, without recursion.
//!
//! It validates everything that it is fed, also what nobody wants to see, and tells a [`Visit`]or
//! only of the parts that the visitor asked for by giving them a [`Node`]. A value whose node is
//! [`Node::IGNORE`] is validated (UTF-8, numbers, depth, duplicate keys) and otherwise skipped.

mod error;
mod tokenizer;
mod visit;

pub use error::{Error, SyntaxError, SyntaxErrorKind};
pub use tokenizer::{Limits, Tokenizer};
pub use visit::{Ignore, Kind, Node, Visit};
