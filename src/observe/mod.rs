//! What an operator sees of the traffic: the access log.

pub mod access;
mod escape;
mod time;
mod writer;

pub use access::{Decision, Line, Outcome};
pub use writer::{AccessLog, Sink, wall_clock_ms};
