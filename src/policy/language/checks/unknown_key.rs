//! P002, error: unknown key or stanza
//!
//! ## What it does
//! Reports keys and tables that nothing reads, with the one that was probably meant.
//!
//! ## Why is this bad
//! A key that nothing reads is a control that somebody believes in and nobody enforces.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tool = ["delete_*"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//! ```
//!
//! ## Fix safety
//! Safe where one letter is wrong and only one key is so near: keys are a closed list, so nothing else can be
//! meant. Unsafe where more is wrong, and for `[[allow]]`, which opens something.
