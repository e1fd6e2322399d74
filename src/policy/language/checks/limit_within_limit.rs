//! P037, warning: a limit behind a smaller one
//!
//! ## What it does
//! Reports a limit that never is the one to refuse: wherever it counts, another counts in the same buckets and holds no
//! more.
//!
//! ## Why is this bad
//! It looks like a budget, and the budget is another one.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "exports"
//! tools = ["export_*"]
//! per = ["claims.sub"]
//! rate = "10/min"
//!
//! [[limit]]
//! name = "big-exports"
//! tools = ["export_all"]
//! per = ["claims.sub"]
//! rate = "60/min"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "exports"
//! tools = ["export_*"]
//! per = ["claims.sub"]
//! rate = "10/min"
//!
//! [[limit]]
//! name = "big-exports"
//! tools = ["export_all"]
//! per = ["claims.sub"]
//! rate = "1/min"
//! ```
