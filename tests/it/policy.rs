//! Tests of: policy.

mod attack;
mod decisions;
mod diagnostics;
mod examples;
mod pins;
mod properties;
