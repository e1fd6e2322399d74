//! The lock file: what is the same and what is not, and what is told of a change.

mod digest;
mod file;
