//! P021, warning: expires soon
//!
//! ## What it does
//! Reports a rule or pin that ends within two weeks.
//!
//! ## Why is this bad
//! There is time now to ask whether it should.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "migration"
//! tools = ["import"]
//! expires = 2026-11-30
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "migration"
//! tools = ["import"]
//! expires = 2099-01-31
//! ```
