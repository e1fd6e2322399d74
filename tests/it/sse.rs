//! Tests of: sse.
