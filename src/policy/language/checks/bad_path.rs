//! P012, error: bad path
//!
//! ## What it does
//! Reports what is no path in `per`, `tier` and `cost`.
//!
//! ## Why is this bad
//! They name one value: `claims.sub`, `client.ip`, `args.count`. What is no path names none, and all callers would
//! share a budget.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "ten-each"
//! per = ["sub"]
//! rate = "10/min"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "ten-each"
//! per = ["claims.sub"]
//! rate = "10/min"
//! ```
//!
//! ## Fix safety
//! As for conditions (P011).
