//! P014, error: tiers without a table, or a table without tiers
//!
//! ## What it does
//! Reports a `tier` beside a single rate, and a table of rates without a `tier`.
//!
//! ## Why is this bad
//! `tier` says which claim names the tier, the table in `rate` has a rate for each. One without the other is half a
//! control.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "by-plan"
//! rate = { free = "10/min", pro = "100/min" }
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "by-plan"
//! tier = "claims.plan"
//! rate = { free = "10/min", pro = "100/min" }
//! ```
