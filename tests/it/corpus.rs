//! Tests of: corpus.
