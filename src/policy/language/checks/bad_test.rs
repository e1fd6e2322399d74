//! P025, error: a test that tests nothing
//!
//! ## What it does
//! Reports a test that cannot be run, or whose outcomes do not add up to its calls.
//!
//! ## Why is this bad
//! A test that can only fail, or only pass, says nothing of the rules.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[test]]
//! name = "three searches"
//! call = { tool = "search" }
//! repeat = 3
//! expect = { allow = 1, deny = 1 }
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[test]]
//! name = "three searches"
//! call = { tool = "search" }
//! repeat = 3
//! expect = { allow = 3 }
//! ```
