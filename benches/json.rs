//! Bench: json.
fn main() {}
