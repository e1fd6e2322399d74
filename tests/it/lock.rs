//! The lock file: what is the same and what is not, what is told of a change, and the command that writes it.

mod command;
mod digest;
mod file;
mod server;

/// The URL of a server that can be locked, on the runtime at hand.
pub(crate) async fn some_server() -> String {
    format!("http://{}/mcp", server::sdk(true).await)
}
