//! Tests of: replay. The audit log, what `mcpfw replay` says of it and of the access log.

mod audit;
mod command;
mod explain;
mod learn;
mod listed;
