//! P005, error: out of range
//!
//! ## What it does
//! Reports numbers, durations and sizes beyond their bounds.
//!
//! ## Why is this bad
//! A limit that never admits anything is a deny that hides, and one that nobody reaches protects nothing.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "ten"
//! rate = "10/min"
//! burst = 0
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "ten"
//! rate = "10/min"
//! burst = 10
//! ```
