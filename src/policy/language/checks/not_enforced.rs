//! P015, error: not enforced yet
//!
//! ## What it does
//! Reports what is of the language and not of this version.
//!
//! ## Why is this bad
//! A control that is written and not in force is worse than none.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "exports"
//! tools = ["export_*"]
//! rate = "10/min"
//! concurrent = 2
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "exports"
//! tools = ["export_*"]
//! rate = "10/min"
//! ```
