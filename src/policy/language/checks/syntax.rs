//! P001, error: not TOML
//!
//! ## What it does
//! Reports every place where a policy file is not TOML.
//!
//! ## Why is this bad
//! A file that does not parse has no rules. mcpfw starts with all files or not at all, so that a missing `deny`
//! never goes unnoticed.
//!
//! ## Example
//! ```toml
//! [[allow]
//! name = "search"
//! tools = ["search"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! ```
