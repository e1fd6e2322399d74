//! Tests of: policy.

mod asserts;
mod attack;
mod decisions;
mod diagnostics;
mod examples;
mod missing;
mod pages;
mod pins;
mod proofs;
mod properties;
