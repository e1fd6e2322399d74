//! P013, error: bad rate
//!
//! ## What it does
//! Reports rates that are not a count and a period.
//!
//! ## Why is this bad
//! A rate is written `10/min`, `100/s`, `5000/day` or `3/10s`. What is not cannot be enforced.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "ten"
//! rate = "10 per minute"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "ten"
//! rate = "10/min"
//! ```
//!
//! ## Fix safety
//! Safe where the words say one rate only: `10 per minute`, `10/mins`.
