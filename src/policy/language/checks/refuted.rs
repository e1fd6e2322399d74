//! P035, error: refuted assert
//!
//! ## What it does
//! Reports an assert that does not hold for some request, with that request as a command. The rules have decided it
//! before it is printed. `never = "allow"` speaks of whatever a deny of the same words would refuse, `always = "allow"` of
//! whatever an allow of the same words would permit; now and at any later time, budgets and pins left aside.
//!
//! ## Why is this bad
//! The rules allow what must never be, or refuse what must always be possible.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "deletes"
//! tools = ["delete_file"]
//! when = 'claims.plan != "free"'
//!
//! [[assert]]
//! name = "only pro ever deletes"
//! tools = ["delete_*"]
//! when = 'claims.plan != "pro"'
//! never = "allow"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "deletes"
//! tools = ["delete_file"]
//! when = 'claims.plan == "pro"'
//!
//! [[assert]]
//! name = "only pro ever deletes"
//! tools = ["delete_*"]
//! when = 'claims.plan != "pro"'
//! never = "allow"
//! ```
