//! Tests of: policy.

mod attack;
mod decisions;
mod diagnostics;
mod examples;
mod pages;
mod pins;
mod proofs;
mod properties;
