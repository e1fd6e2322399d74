//! Tests of: policy.
