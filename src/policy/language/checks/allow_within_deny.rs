//! P034, warning: an allow that a deny always takes back
//!
//! ## What it does
//! Reports an allow that only applies where a deny applies, too.
//!
//! ## Why is this bad
//! A deny wins over every allow, so the allow never allows anything. One of the two is a mistake.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "deletes-for-free"
//! tools = ["delete_file"]
//! when = 'claims.plan == "free"'
//!
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! when = 'claims.plan in ["free", "trial"]'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "deletes-for-pro"
//! tools = ["delete_file"]
//! when = 'claims.plan == "pro"'
//!
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! when = 'claims.plan in ["free", "trial"]'
//! ```
