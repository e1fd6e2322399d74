//! P016, error: unknown word
//!
//! ## What it does
//! Reports a word that the key does not take.
//!
//! ## Why is this bad
//! `mode`, `refusal`, `on_change` and the types of claims take one of a few words. Another one would mean nothing,
//! or the default.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! refusal = "jsonrcp"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! refusal = "jsonrpc"
//! ```
//!
//! ## Fix safety
//! Safe where one letter is wrong and only one word is so near. `shadow` is unsafe: it takes a rule out of force.
