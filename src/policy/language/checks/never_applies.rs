//! P031, warning: a rule that can never apply
//!
//! ## What it does
//! Reports a rule whose condition comes out for no request as the rule needs it: true for an allow, not false for a
//! deny or limit. Every request is looked at, not a sample.
//!
//! ## Why is this bad
//! The rule reads like a control and is none. Mostly two parts of its condition contradict each other.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "export"
//! tools = ["export"]
//! when = 'claims.plan == "pro" && claims.plan == "team"'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "export"
//! tools = ["export"]
//! when = 'claims.plan in ["pro", "team"]'
//! ```
