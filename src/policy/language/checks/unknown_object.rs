//! P030, warning: unknown tool or prompt
//!
//! ## What it does
//! Reports a tool or prompt that a rule spells out and the lock file does not have. Without a lock file: names that
//! are written as regular expressions, lists or braces of a shell, as no tool is called.
//!
//! ## Why is this bad
//! The rule does nothing. What it was written for is open, or closed, or without a limit. `*` stands for any text,
//! also of no length, and `?` for one character; each name is a string of its own.
//!
//! ## Example
//! ```json
//! { "tools": [{ "name": "read_file" }] }
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "reads"
//! tools = ["read_flie"]
//! ```
//!
//! ## Use instead
//! ```json
//! { "tools": [{ "name": "read_file" }] }
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "reads"
//! tools = ["read_file"]
//! ```
//!
//! ## Fix safety
//! Unsafe: names of tools are often near one another, and the server may have one of that name since.
