//! P009, error: an allow without selectors
//!
//! ## What it does
//! Reports an `[[allow]]` that does not say what it allows.
//!
//! ## Why is this bad
//! No selector means everything. To open everything is so much that it has to be said aloud.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "admins"
//! when = '"admin" in claims.roles'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "admins"
//! everything = true
//! when = '"admin" in claims.roles'
//! ```
