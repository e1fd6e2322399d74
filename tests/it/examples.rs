//! Tests of: examples.
