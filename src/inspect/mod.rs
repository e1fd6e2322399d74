//! The streaming transducers between the wire and the policy. Pure.
//!
//! [`request`] reads a body from downstream as its chunks arrive, says as early as possible what is
//! asked for, and hands the same chunks out once that is permitted. [`response`] judges and edits what comes
//! back. Both forward the bytes that they judged: nothing is parsed and written again.

pub mod annotation;
mod capture;
mod id;
pub mod request;
pub mod response;
mod text;
