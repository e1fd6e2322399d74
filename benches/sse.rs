//! Bench: sse.
fn main() {}
