//! Tests of: limits.
