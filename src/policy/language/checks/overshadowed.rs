//! P032, warning: shadowed by other rules
//!
//! ## What it does
//! Reports an allow or deny without which every request would be decided alike: whatever it decides, other rules decide,
//! too. Of rules that cover each other, those written later are reported.
//!
//! ## Why is this bad
//! Who reads it believes that it matters, and who changes it will wonder why nothing happens.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "reads"
//! tools = ["read_*"]
//!
//! [[allow]]
//! name = "read-file"
//! tools = ["read_file"]
//! when = 'claims.plan == "pro"'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "reads"
//! tools = ["read_dir", "read_log"]
//!
//! [[allow]]
//! name = "read-file"
//! tools = ["read_file"]
//! when = 'claims.plan == "pro"'
//! ```
