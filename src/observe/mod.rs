//! What an operator sees of the traffic: the access log and the audit log.

pub mod access;
mod audit;
mod escape;
mod time;
mod writer;

pub use access::{Decision, Line, LoggedCall, Outcome};
pub use audit::{AuditLine, VALUE};
pub use time::{Clock, parse_rfc3339};
pub use writer::{LineLog, Sink, wall_clock_ms};

/// Tells the operator something that belongs to no exchange: a line on standard error. What cannot be written there is told
/// to nobody.
pub fn notice(text: &str) {
    use std::io::Write as _;
    let mut line = b"mcpfw: ".to_vec();
    line.extend(text.chars().filter(|c| !c.is_control()).collect::<String>().into_bytes());
    line.push(b'\n');
    let _ = std::io::stderr().write_all(&line);
}
