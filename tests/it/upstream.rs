//! Tests of: upstream.
