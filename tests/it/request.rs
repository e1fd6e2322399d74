//! Tests of: request.
