//! Tests of: json.
