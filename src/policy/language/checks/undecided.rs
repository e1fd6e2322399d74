//! P036, warning: undecided assert
//!
//! ## What it does
//! Reports an assert that was neither proved nor refuted, with what it depends on: regular expressions, comparisons of
//! one value with another, what is computed. Comparisons of one value with constants are always decided.
//!
//! ## Why is this bad
//! Nobody knows whether it holds. No request is known for which it does not.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "letters"
//! tools = ["put"]
//! when = 'args.id.matches("^[a-z]+$")'
//!
//! [[assert]]
//! name = "no digits"
//! tools = ["put"]
//! when = 'args.id.matches("[0-9]")'
//! never = "allow"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "letters"
//! tools = ["put"]
//! when = 'args.id.matches("^[a-z]+$")'
//!
//! [[assert]]
//! name = "letters only"
//! tools = ["put"]
//! when = '!args.id.matches("^[a-z]+$")'
//! never = "allow"
//! ```
