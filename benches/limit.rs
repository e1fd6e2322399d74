//! Bench: limit.
fn main() {}
