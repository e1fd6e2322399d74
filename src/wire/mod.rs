//! The wire, without a socket: bytes in, tokens and verdict material out. Pure.

pub mod hidden;
pub mod json;
pub mod jsonrpc;
pub mod mcp;
pub mod sse;
