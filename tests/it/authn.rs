//! Tests of: authn.
