//! P017, error: unknown route
//!
//! ## What it does
//! Reports a route that the configuration does not have (with `--config`).
//!
//! ## Why is this bad
//! The rule would never apply.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! routes = ["fiels"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! routes = ["files"]
//! ```
//!
//! ## Fix safety
//! Unsafe: names of routes are often near one another, and the wrong one leaves a route open.
