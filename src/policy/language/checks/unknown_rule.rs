//! P018, error: unknown rule
//!
//! ## What it does
//! Reports a `by` that names no rule.
//!
//! ## Why is this bad
//! The test could never pass, and says nothing of the rule that was meant.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[test]]
//! name = "everybody searches"
//! call = { tool = "search" }
//! expect = "allow"
//! by = "serach"
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
//! by = "search"
//! ```
//!
//! ## Fix safety
//! Safe where one letter is wrong and only one rule is so near: a test enforces nothing, and it is run after the
//! fix.
