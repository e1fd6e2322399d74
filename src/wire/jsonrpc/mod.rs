//! The JSON-RPC 2.0 envelope: ids kept as raw tokens, and the replies that mcpfw writes itself.

mod id;
mod reply;

pub use id::Id;
pub use reply::{ErrorData, batch_reply, error_reply, tool_error_reply};
