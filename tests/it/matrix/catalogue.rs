//! The rows of mcp-protocol.md §7.2 as they go over the wire.
//!
//! Not here: failures behind the first byte of a stream, and the end of long streams (`streaming`); the variant "hide", which is
//! not there yet; a missing client capability, which is the server's to tell.

use std::fmt::Write as _;

use mcpfw::identity::Authenticator;
use mcpfw::identity::issuer::DemoIssuer;
use serde_json::{Value, json};

use super::{MODERN, Seen, Stage};
use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{Upstream, Wire, call, json_reply, post};

/// Headers that say something about a refusal.
const TOLD: [&str; 8] = [
    "content-type",
    "www-authenticate",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "allow",
    "accept-encoding",
    "connection",
];

const POLICY: &str = r#"
[[allow]]
name = "tools"
tools = ["*"]

[[deny]]
name = "no-shell"
tools = ["shell"]
message = "Not here."

[[deny]]
name = "tell"
tools = ["tell"]
refusal = "tool_error"

[[deny]]
name = "http"
tools = ["http"]
refusal = "http"

[[deny]]
name = "no-log"
methods = ["logging/setLevel"]

[[allow]]
name = "scoped"
resources = ["doc://a/*"]
scopes = ["docs:read"]

[[limit]]
name = "once"
tools = ["rare"]
per = ["client.ip"]
rate = "1/h"

[[limit]]
name = "shakes"
methods = ["initialize"]
per = ["client.ip"]
rate = "1/h"
"#;

/// The table in the making.
#[derive(Default)]
struct Table(String);

impl Table {
    /// A row of the page, and what it looks like.
    fn row(&mut self, name: &str, seen: &Seen) {
        let Self(out) = self;
        let reply = &seen.reply;
        let line = reply.head.lines().next().unwrap().trim_start_matches("HTTP/1.1 ");
        writeln!(out, "## {name}\n{line}").unwrap();
        for name in TOLD {
            for value in reply.headers(name) {
                writeln!(out, "{name}: {}", steady(value)).unwrap();
            }
        }
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(mut body) => {
                blank(&mut body);
                writeln!(out, "{body}").unwrap();
            }
            Err(_) if reply.body.is_empty() => {}
            Err(_) => writeln!(out, "{}", reply.text().trim_end()).unwrap(),
        }
        writeln!(out, "upstream: {}\n", seen.sent.len()).unwrap();
    }
}

/// Without what depends on the time of day: a wait of an hour that has just begun.
fn steady(text: &str) -> String {
    text.replace("3599", "3600")
}

/// Takes out what is new in each reply.
fn blank(body: &mut Value) {
    let all = match body {
        Value::Array(all) => all.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for one in all {
        if let Some(error) = one.get_mut("error") {
            error["message"] = steady(error["message"].as_str().unwrap()).into();
            error["data"]["request_id"] = "…".into();
            if error["data"].get("retry_after_ms").is_some() {
                error["data"]["retry_after_ms"] = "…".into();
            }
        }
    }
}

/// A modern POST: `method` on `name` with `params`, short of `without`, its headers followed by `more`.
fn modern(method: &str, name: &str, params: &Value, without: &str, more: &str) -> String {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params["_meta"].as_object_mut().unwrap().remove(without);
    let headers = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", method), ("Mcp-Name", name)];
    let mut fields = String::new();
    for (field, value) in headers {
        if field != without && !value.is_empty() {
            write!(fields, "{field}: {value}\r\n").unwrap();
        }
    }
    let body = json!({"jsonrpc": "2.0", "id": "q-7", "method": method, "params": params});
    post(&format!("{fields}{more}"), &body.to_string())
}

fn modern_call(tool: &str) -> String {
    modern("tools/call", tool, &json!({"name": tool, "arguments": {}}), "", "")
}

fn legacy(method: &str, params: &str) -> String {
    post("", &format!(r#"{{"jsonrpc":"2.0","id":9,"method":"{method}","params":{params}}}"#))
}

const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/strange"}"#;

#[tokio::test]
async fn every_row_of_the_catalogue() {
    let mut table = Table::default();
    let reply = json_reply(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
    let mut stage =
        Stage::set(POLICY, "[limits]\nmax_body = \"4KiB\"\nmax_hold = \"2KiB\"\n", &reply).await;
    let shake = r#"{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#;
    // Budgets that the rows below find used up.
    for request in [post("", &call("9", "rare", "{}")), legacy("initialize", shake)] {
        assert_eq!(stage.send(&request).await.sent.len(), 1);
    }
    let version =
        |version: &str, body: &str| post(&format!("MCP-Protocol-Version: {version}\r\n"), body);
    let batch = format!("[{},{},{NOTE}]", call("1", "search", "{}"), call("2", "shell", "{}"));
    let batch = batch.replace(NOTE, &NOTE.replace("strange", "cancelled"));
    let deep =
        call("9", "t", &format!("{}{}", "{\"a\":".repeat(70), "1".to_owned() + &"}".repeat(70)));
    let large = call("9", "t", &format!(r#"{{"a":"{}"}}"#, "x".repeat(5_000)));
    let held = format!(
        r#"{{"jsonrpc":"2.0","id":9,"params":{{"arguments":{{"a":"{}"}}}}}}"#,
        "x".repeat(3_000)
    );
    let meta = "io.modelcontextprotocol/protocolVersion";
    let listen = json!({"notifications": {"resourceSubscriptions": ["doc://b/c"]}});
    let read = json!({"uri": "doc://a/b"});
    let named = json!({"name": "search", "arguments": {}});
    let rows: Vec<(&str, String)> = vec![
        ("Insufficient scope, modern", modern("resources/read", "doc://a/b", &read, "", "")),
        ("Insufficient scope, legacy", legacy("resources/read", r#"{"uri":"doc://a/b"}"#)),
        ("Forbidden tool, modern", modern_call("shell")),
        ("Forbidden tool, legacy", post("", &call("9", "shell", "{}"))),
        ("Forbidden tool, tell the model, modern", modern_call("tell")),
        ("Forbidden tool, tell the model, legacy", post("", &call("9", "tell", "{}"))),
        ("Forbidden tool, http, modern", modern_call("http")),
        ("Forbidden tool, http, legacy", post("", &call("9", "http", "{}"))),
        ("Forbidden resource, by default", legacy("resources/read", r#"{"uri":"doc://b/c"}"#)),
        ("Forbidden method", legacy("logging/setLevel", r#"{"level":"debug"}"#)),
        ("Forbidden method, unknown", legacy("vendor/x", "{}")),
        ("Denied notification", post("", NOTE)),
        ("Denied posted response", post("", r#"{"jsonrpc":"2.0","id":9,"result":{}}"#)),
        ("Denied listen", modern("subscriptions/listen", "", &listen, "", "")),
        ("Rate limited, modern", modern_call("rare")),
        ("Rate limited, legacy", post("", &call("9", "rare", "{}"))),
        ("Rate limited, handshake", legacy("initialize", shake)),
        ("Not JSON, legacy", post("", "{nonsense")),
        ("Not JSON, modern", version(MODERN, "nonsense")),
        ("JSON, but no message", post("", "\"text\"")),
        ("Batch that is not JSON", post("", "[nonsense]")),
        ("Batch of what is no message", post("", "[1]")),
        ("Header twice, batch", post("Mcp-Name: a\r\nMcp-Name: a\r\n", &format!("[{}]", call("9", "search", "{}")))),
        ("Header twice, legacy", post("Mcp-Name: a\r\nMcp-Name: a\r\n", &call("9", "search", "{}"))),
        ("Too large headers", post(&format!("X-Large: {}\r\n", "x".repeat(70_000)), "{}")),
        ("Not JSON-RPC: no version", post("", r#"{"id":9,"method":"ping"}"#)),
        ("Not JSON-RPC: bad id", post("", r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#)),
        ("Not JSON-RPC: params", post("", r#"{"jsonrpc":"2.0","id":9,"method":"ping","params":[]}"#)),
        ("Not JSON-RPC: no id", post("", r#"{"jsonrpc":"2.0","method":"ping"}"#)),
        ("Not JSON-RPC: notification with id", post("", r#"{"jsonrpc":"2.0","id":9,"method":"notifications/initialized"}"#)),
        ("Batch not allowed, 2025-06-18", version("2025-06-18", &batch)),
        ("Batch not allowed, 2024-11-05", version("2024-11-05", &batch)),
        ("Batch not allowed, modern", version(MODERN, &batch)),
        ("Batch with a denied element", post("", &batch)),
        ("Batch with a denied element, 2025-03-26 by name", version("2025-03-26", &batch)),
        ("Batch of a denied notification", post("", &format!("[{NOTE}]"))),
        ("Batch of nothing", post("", "[]")),
        ("Posted response in modern", version(MODERN, r#"{"jsonrpc":"2.0","id":9,"result":{}}"#)),
        ("Too large body", post("", &large)),
        ("Too deep", post("", &deep)),
        ("Too much before the verdict", post("", &held)),
        ("Wrong Content-Type", post("", "{}").replace("Content-Type: application/json", "Content-Type: text/plain")),
        ("Wrong Accept", post("", "{}").replace("Accept: application/json, text/event-stream", "Accept: text/html")),
        ("Coded body", post("Content-Encoding: gzip\r\n", "{}")),
        ("Header mismatch", modern("tools/call", "find", &named, "", "")),
        ("Header missing: Mcp-Name", modern("tools/call", "search", &named, "Mcp-Name", "")),
        ("Header missing: Mcp-Method", modern("tools/call", "search", &named, "Mcp-Method", "")),
        ("Header missing: MCP-Protocol-Version", modern("tools/call", "search", &named, "MCP-Protocol-Version", "")),
        ("Header twice", modern("tools/call", "search", &named, "", "Mcp-Name: search\r\n")),
        ("Header with bad base64", modern("tools/call", "=?base64?c2VhcmN?=", &named, "", "")),
        ("Header mismatch, legacy", post("Mcp-Name: find\r\n", &call("9", "search", "{}"))),
        ("Era confusion", modern("tools/call", "search", &named, "MCP-Protocol-Version", "MCP-Protocol-Version: 2025-11-25\r\n")),
        ("Missing _meta key", modern("tools/call", "search", &named, meta, "")),
        ("Unsupported version", version("2099-01-01", &call("9", "search", "{}"))),
        ("Host not allowed", post("", "{}").replace("Host: localhost", "Host: evil.example")),
        ("Origin not allowed", post("Origin: https://evil.example\r\n", "{}")),
        ("DELETE, session missing", "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("GET in modern", format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n\r\n")),
        ("Session unknown, POST", post("Mcp-Session-Id: guess\r\n", &call("9", "search", "{}"))),
        ("Session unknown, batch", post("Mcp-Session-Id: guess\r\n", &format!("[{}]", call("9", "search", "{}")))),
        ("Session unknown, GET", "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: guess\r\n\r\n".to_owned()),
        ("Session in modern is ignored", modern("tools/call", "search", &named, "", "Mcp-Session-Id: guess\r\n")),
        ("Unknown path", post("", "{}").replace("/mcp", "/other")),
        ("Unknown HTTP method", post("", "{}").replace("POST", "PUT")),
    ];
    for (name, request) in rows {
        table.row(name, &stage.send(&request).await);
    }
    rows_of_other_stages(&mut table, &reply).await;
    insta::with_settings!({snapshot_path => "../../data/matrix", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("catalogue", table.0);
    });
}

/// What needs a gateway of another make.
async fn rows_of_other_stages(table: &mut Table, reply: &str) {
    let mut only = Stage::set(OPEN, "revisions = [\"2026-07-28\"]", reply).await;
    let shake = legacy("initialize", r#"{"protocolVersion":"2025-06-18"}"#);
    table.row("initialize to a modern-only route", &only.send(&shake).await);
    let get = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    table.row("GET unsupported", &only.send(get).await);
    table.row("DELETE unsupported", &only.send(&get.replace("GET", "DELETE")).await);
    let mut legacy_only =
        Stage::set(OPEN, "revisions = [\"2025-11-25\", \"2025-06-18\"]", reply).await;
    table.row("Unsupported version, modern", &legacy_only.send(&modern_call("search")).await);

    let issuer = DemoIssuer::generate("https://id.test/", "https://mcp.test/mcp").unwrap();
    let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
    let upstream = Upstream::start().await.answering(reply.to_owned());
    let gateway = Setup::new(OPEN, upstream.address).authenticator(authenticator).start();
    let mut guarded = Stage { gateway, upstream, idle: None };
    for (name, field) in [
        ("Unauthenticated", ""),
        ("Bad token", "Authorization: Bearer nonsense\r\n"),
        ("Two tokens", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
    ] {
        let request = post(field, &call("9", "search", "{}"));
        table.row(name, &guarded.send(&request).await);
    }
    let expired = issuer.sign("u", serde_json::Map::new(), 1_000_000_000, 60).unwrap();
    let request = post(&format!("Authorization: Bearer {expired}\r\n"), &call("9", "search", "{}"));
    table.row("Expired token", &guarded.send(&request).await);

    let gone = Upstream::start().await.address();
    let gateway = Setup::new(OPEN, gone).start();
    table.row("Upstream refused", &alone(gateway.address, &post("", &call("9", "t", "{}"))).await);
    let silent = Upstream::start().await;
    let gateway =
        Setup::new(OPEN, silent.address()).config("[limits]\nfirst_byte = \"100ms\"\n").start();
    table.row("Upstream timeout", &alone(gateway.address, &post("", &call("9", "t", "{}"))).await);
    let lost = Upstream::start().await;
    let gateway = Setup::new(OPEN, lost.address()).start();
    let request = post("", &call("9", "t", "{}"));
    let hang_up = async {
        let mut server = lost.accept().await;
        server.request().await;
    };
    let (seen, ()) = tokio::join!(alone(gateway.address, &request), hang_up);
    table.row("Upstream reset before headers", &seen);
    let mut odd =
        Stage::set(OPEN, "", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
            .await;
    table.row("Upstream redirects", &odd.send(&request).await);
}

async fn alone(gateway: std::net::SocketAddr, request: &str) -> Seen {
    let mut client = Wire::connect(gateway).await;
    client.send(request).await;
    Seen { reply: client.reply().await, sent: Vec::new() }
}
