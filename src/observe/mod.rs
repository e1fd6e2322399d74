//! What an operator sees of the traffic: the access log.

pub mod access;
mod escape;
mod time;
mod writer;

pub use access::{Decision, Line, LoggedCall, Outcome};
pub use writer::{AccessLog, Sink, wall_clock_ms};

/// Tells the operator something that belongs to no exchange: a line on standard error. What cannot be written there is told
/// to nobody.
pub fn notice(text: &str) {
    use std::io::Write as _;
    let mut line = b"mcpfw: ".to_vec();
    line.extend(text.chars().filter(|c| !c.is_control()).collect::<String>().into_bytes());
    line.push(b'\n');
    let _ = std::io::stderr().write_all(&line);
}
