//! P011, error: bad condition
//!
//! ## What it does
//! Reports everything in a condition that is not of the language: a subset of CEL in which nothing can fail at run
//! time.
//!
//! ## Why is this bad
//! A condition that could fail would have to fail open or closed in the middle of traffic. Here it is refused
//! before.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claim.plan == "pro"'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claims.plan == "pro"'
//! ```
//!
//! ## Fix safety
//! Safe for `=`, `&`, `|`, `and` and `or`, which have one meaning, and where one letter of a variable, a field or a
//! function is wrong and only one is so near. Unsafe where more is wrong.
