//! P029, warning: a pin that pins nothing
//!
//! ## What it does
//! Reports a pattern of a pin that matches nothing in the lock file.
//!
//! ## Why is this bad
//! What the server has and the lock file does not counts as changed, so that the pin hides or refuses all that it
//! matches.
//!
//! ## Example
//! ```json
//! { "tools": [{ "name": "read_file" }] }
//! ```
//!
//! ```toml
//! [[pin]]
//! name = "as-reviewed"
//! tools = ["read_flie"]
//! ```
//!
//! ## Use instead
//! ```json
//! { "tools": [{ "name": "read_file" }] }
//! ```
//!
//! ```toml
//! [[pin]]
//! name = "as-reviewed"
//! tools = ["read_file"]
//! ```
//!
//! ## Fix safety
//! Unsafe: the server may have a tool of that name since.
