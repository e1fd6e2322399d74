//! Tests of: policy.

mod decisions;
