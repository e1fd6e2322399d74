//! P019, error: too many
//!
//! ## What it does
//! Reports a set, a list or a table that goes beyond a bound.
//!
//! ## Why is this bad
//! The bounds keep decisions fast whatever is asked.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "by-plan"
//! tier = "claims.plan"
//! rate = {}
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "by-plan"
//! tier = "claims.plan"
//! rate = { free = "10/min" }
//! ```
