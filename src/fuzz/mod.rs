//! Properties that hold for every input: the fuzz targets call them, and so do the tests that replay the
//! committed corpus. One file for each kind of input. Not part of the library's interface.
//!
//! A property panics where it does not hold; that is its only way to say so.

pub mod batch;
pub mod endpoint;
pub mod envelope;
pub mod expr;
pub mod header_base64;
pub mod json;
pub mod list_filter;
pub mod lsp;
pub mod policy_file;
pub mod reply;
pub mod sse;
pub mod tokens;
pub mod transducer;
pub mod uri;
pub mod words;
