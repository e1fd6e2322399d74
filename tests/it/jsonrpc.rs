//! Tests of: jsonrpc.
