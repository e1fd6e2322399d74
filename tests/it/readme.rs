//! Tests of: readme.
