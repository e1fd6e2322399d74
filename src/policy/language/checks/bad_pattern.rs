//! P007, error: bad pattern
//!
//! ## What it does
//! Reports names and URIs with wildcards that are not of the language, and patterns that are empty, too long or
//! have characters that cannot be seen.
//!
//! ## Why is this bad
//! Names take `*` and `?`. `**` reaches over the slashes of a URI and means nothing in a name, so that its author
//! had something else in mind.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_**"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! ```
