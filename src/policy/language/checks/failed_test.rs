//! P026, error: failed test
//!
//! ## What it does
//! Reports a test whose outcome is not the expected one. `mcpfw check` runs all of them, each with a clock and
//! budgets of its own.
//!
//! ## Why is this bad
//! The rules and the example disagree. One of them is not what its author meant.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[test]]
//! name = "nobody searches"
//! call = { tool = "search" }
//! expect = "deny"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[test]]
//! name = "everybody searches"
//! call = { tool = "search" }
//! expect = "allow"
//! ```
