//! P023, warning: reaches a look-alike
//!
//! ## What it does
//! Reports a deny or limit that reaches a name which an allow spells out, only because the two look alike.
//!
//! ## Why is this bad
//! A deny and a limit apply to names that look like theirs, too, so that nobody passes with a letter of another
//! script. Here that hits a name which is meant to be there.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "mall"
//! tools = ["send_mall"]
//!
//! [[deny]]
//! name = "no-mail"
//! tools = ["send_mail"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "mall"
//! tools = ["send_to_mall"]
//!
//! [[deny]]
//! name = "no-mail"
//! tools = ["send_mail"]
//! ```
