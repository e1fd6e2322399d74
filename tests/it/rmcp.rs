//! Tests of: rmcp.
