//! Tests of: mcp.
