//! P033, warning: the same rule twice
//!
//! ## What it does
//! Reports a rule that applies to the same requests as another and does the same, however the two are written.
//!
//! ## Why is this bad
//! One of the two will be changed one day, and the other will stay.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "deletes"
//! tools = ["delete_*"]
//! when = 'claims.plan != "pro"'
//!
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! when = '!(claims.plan == "pro")'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "deletes"
//! tools = ["delete_*"]
//! when = 'claims.plan != "pro"'
//! ```
