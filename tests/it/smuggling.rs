//! Tests of: smuggling.
