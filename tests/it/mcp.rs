//! MCP's vocabulary: methods, revisions, mirrored headers, keys that only look like protocol keys.

mod fold;
mod headers;
mod judge;
mod methods;
mod revision;
mod uri;
