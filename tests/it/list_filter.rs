//! Tests of: list_filter.
