//! What is told to the author of a file: findings with a code, a severity and labelled spans. Pure.
//!
//! A finding is data ([`Diagnostic`]); how it looks is decided in [`render`]. Reading a TOML file with spans and with
//! all of its errors at once is [`document`]; policy and config files are both read through it.
//!
//! How to word a finding: lower case, no full stop at the end, what the author wrote in backticks, words of the policy
//! language instead of Rust's; what to do about it goes into [`Diagnostic::help`], not into the message.

pub mod document;
pub mod render;

mod escape;
mod finding;
pub mod fix;
mod source;
mod suggest;

pub use escape::{is_command, is_hidden, visible};
pub use finding::{Applicability, Code, Diagnostic, Edit, Fix, Label, Problems, Severity, sort};
pub use source::{Position, Source, SourceId, Sources, Span, Spanned};
pub use suggest::{Elsewhere, Here, Near, elsewhere, near, suggest};
