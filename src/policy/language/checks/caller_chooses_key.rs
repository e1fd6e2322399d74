//! P022, warning: the caller chooses the bucket
//!
//! ## What it does
//! Reports a limit that counts by an argument of the call.
//!
//! ## Why is this bad
//! Every value that the caller makes up is a new budget, so that the limit holds nobody back.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "searches"
//! tools = ["search"]
//! per = ["args.session"]
//! rate = "10/min"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "searches"
//! tools = ["search"]
//! per = ["claims.sub"]
//! rate = "10/min"
//! ```
