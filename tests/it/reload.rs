//! Policy reload (T59): a set is in force as a whole or not at all, whatever has begun goes on, and what is open is looked at again.

mod files;
mod listed;
mod process;
mod streams;
mod swap;

use crate::support::gateway::Running;
use crate::support::wire::{STREAM, Upstream, Wire, chunk};

/// An open stream, from both sides.
struct Opened {
    client: Wire,
    server: Wire,
}

/// What `request` is answered with is a stream.
async fn open(gateway: &Running, upstream: &Upstream, request: impl AsRef<[u8]>) -> Opened {
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    client.head().await;
    Opened { client, server }
}

/// A GET of a legacy session, whose id is as it is (`sessions = "plain"`).
fn get(session: &str) -> String {
    let session = match session {
        "" => String::new(),
        id => format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: 2025-06-18\r\n"),
    };
    format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{session}\r\n")
}

/// An event with `message`, as a chunk.
fn event(message: &str) -> String {
    chunk(&format!("data: {message}\n\n"))
}

/// A subscription under `id`, with the members of its filter.
fn listen(id: &str, filter: &str) -> String {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"subscriptions/listen","params":{{"notifications":{{{filter}}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    );
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n";
    crate::support::wire::post(headers, &body)
}
