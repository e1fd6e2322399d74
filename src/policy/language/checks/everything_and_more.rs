//! P010, error: `everything` that is not everything
//!
//! ## What it does
//! Reports `everything` where it has no meaning: written as `false`, in a deny or limit, or beside selectors.
//!
//! ## Why is this bad
//! A reader would take one of the two for what is in force, and it may be the wrong one.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! everything = true
//! tools = ["search"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! ```
