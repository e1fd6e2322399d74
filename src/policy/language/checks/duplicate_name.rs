//! P006, error: duplicate name
//!
//! ## What it does
//! Reports a name that two stanzas have, over all files of the set.
//!
//! ## Why is this bad
//! A line of the log names the rule that decided. It must lead to one stanza.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[deny]]
//! name = "search"
//! tools = ["search_all"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[deny]]
//! name = "no-search-of-all"
//! tools = ["search_all"]
//! ```
