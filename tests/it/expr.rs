//! Tests of: expr.
