//! P004, error: wrong type or form
//!
//! ## What it does
//! Reports values that are not what their key takes.
//!
//! ## Why is this bad
//! What has the wrong type cannot be enforced, and a guess could be the wrong one.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = "search"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! ```
//!
//! ## Fix safety
//! Safe: one string where a list of them belongs gets brackets, a date in quotes loses them. Neither changes what
//! was written.
