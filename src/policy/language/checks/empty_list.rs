//! P008, error: empty list
//!
//! ## What it does
//! Reports lists that select nothing.
//!
//! ## Why is this bad
//! With an empty list a rule would never apply; without the key it would apply to everything. Neither is what `[]`
//! looks like.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = []
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! ```
