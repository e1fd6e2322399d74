//! P028, error: a pin without a lock file
//!
//! ## What it does
//! Reports a `[[pin]]` in a set that has no lock file.
//!
//! ## Why is this bad
//! A pin holds the server to what the lock file says. Without one it would hold it to nothing, or to everything.
//!
//! ## Example
//! ```toml
//! [[pin]]
//! name = "as-reviewed"
//! ```
//!
//! ## Use instead
//! ```json
//! { "tools": [{ "name": "search" }] }
//! ```
//!
//! ```toml
//! [[pin]]
//! name = "as-reviewed"
//! ```
