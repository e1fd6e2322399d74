//! Integration tests, one binary: a module for each feature.

mod architecture;
mod authn;
mod batch;
mod cli;
mod config;
mod corpus;
mod examples;
mod expr;
mod framing;
mod gateway;
mod json;
mod jsonrpc;
mod limits;
mod list_filter;
mod lock;
mod mcp;
mod policy;
mod readme;
mod request;
mod rmcp;
mod sessions;
mod smuggling;
mod sse;
mod streaming;
mod support;
mod upstream;
