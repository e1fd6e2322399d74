//! P024, warning: unknown method
//!
//! ## What it does
//! Reports a method that is written out and that MCP does not have.
//!
//! ## Why is this bad
//! The rule would never apply, unless the server has methods of its own.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-lists"
//! methods = ["tools/lst"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-lists"
//! methods = ["tools/list"]
//! ```
//!
//! ## Fix safety
//! Unsafe: a server may have a method of that name.
