//! Bench: policy.
fn main() {}
