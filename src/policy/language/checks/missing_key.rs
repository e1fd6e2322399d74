//! P003, error: missing key
//!
//! ## What it does
//! Reports stanzas without a key that they need.
//!
//! ## Why is this bad
//! Every rule has a `name`, because replies, logs and tests speak of rules by name. A limit that counts needs a
//! `rate`, a test a `call` and an `expect`.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! tools = ["search"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! ```
//!
//! ## Fix safety
//! Safe, of a name: it decides nothing. The name that is offered says what the stanza is and what it selects first; a better one
//! says what it is for.
