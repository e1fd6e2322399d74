//! Tests of: every method in every revision, and every row of the catalogue of refusals (mcp-protocol.md §7.2), through a whole
//! gateway. What comes back is a table in tests/data/matrix, reviewed row by row.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod catalogue;

use std::fmt::Write as _;

use mcpfw::wire::mcp::{Method, MethodInfo, Mirrored, Target};
use serde_json::{Map, Value, json};

use crate::support::gateway::{OPEN, Running, Setup};
use crate::support::wire::{Answering, Message, Upstream, Wire, json_reply, post};

/// The revisions as headers name them; `-`: no header, and so 2025-03-26.
const REVISIONS: [&str; 6] =
    ["-", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
const MODERN: &str = "2026-07-28";

/// A gateway before an upstream that answers everything alike.
struct Stage {
    gateway: Running,
    upstream: Answering,
    /// A connection that is good for another request.
    idle: Option<Wire>,
}

/// What became of a request.
struct Seen {
    reply: Message,
    /// Requests that the upstream saw.
    sent: Vec<Message>,
}

impl Stage {
    async fn set(policy: &str, config: &str, reply: &str) -> Self {
        let upstream = Upstream::start().await.answering(reply.to_owned());
        // Whose a task is, is tried in `handles`.
        let config = format!("handles = \"plain\"\n{config}");
        let gateway = Setup::new(policy, upstream.address).config(&config).start();
        Self { gateway, upstream, idle: None }
    }

    /// Sends raw `request`.
    async fn send(&mut self, request: &str) -> Seen {
        let mut client = match self.idle.take() {
            Some(client) => client,
            None => Wire::connect(self.gateway.address).await,
        };
        client.send(request).await;
        let reply = client.reply().await;
        self.idle = Some(client).filter(|_| reply.header("connection") != Some("close"));
        Seen { reply, sent: self.upstream.unseen() }
    }
}

impl Seen {
    /// One cell: `>` for what reached the upstream; the status; code and reason of an error, with `*` where it has the id of
    /// the request.
    fn cell(&self, id: &Value) -> String {
        let up = if self.sent.is_empty() { "" } else { "> " };
        let mut cell = format!("{up}{}", self.reply.status());
        if self.reply.body.is_empty() || !self.sent.is_empty() {
            return cell;
        }
        let body = self.reply.json();
        assert_eq!(self.reply.header("content-type"), Some("application/json"));
        assert_eq!(self.reply.header("cache-control"), Some("no-store"));
        let error = &body["error"];
        assert_eq!(error["data"]["source"], "mcpfw", "{body}");
        assert_eq!(error["data"]["request_id"], self.reply.header("x-request-id").unwrap());
        let star = if body.get("id").is_some_and(|known| known == id) { "*" } else { "" };
        assert_eq!(body.get("id").is_some(), !star.is_empty(), "another id: {body}");
        let reason = error["data"]["reason"].as_str().unwrap();
        write!(cell, " {}{star} {reason}", error["code"]).unwrap();
        cell
    }
}

/// The parameters of `info`, with what it acts on.
fn params(info: &MethodInfo) -> Map<String, Value> {
    let params = match info.target {
        Target::None => json!({}),
        Target::Name(_) => json!({"name": "n", "arguments": {}}),
        Target::Uri => json!({"uri": "doc://a/b"}),
        Target::Ref => json!({"ref": {"type": "ref/prompt", "name": "n"}}),
        Target::Task => json!({"taskId": "t"}),
        Target::Filter => json!({"notifications": {"resourceSubscriptions": ["doc://a/b"]}}),
    };
    let mut params = params.as_object().unwrap().clone();
    if info.method == Method::Initialize {
        params.insert("protocolVersion".to_owned(), "2025-06-18".into());
    }
    params
}

/// A message of `method`, as a well-behaved client of `revision` sends it.
fn message(info: &MethodInfo, name: &str, id: Option<&Value>, revision: &str) -> String {
    let mut params = params(info);
    let mut headers = String::new();
    if revision != "-" {
        write!(headers, "MCP-Protocol-Version: {revision}\r\n").unwrap();
    }
    if revision == MODERN {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        params.insert("_meta".to_owned(), meta);
        write!(headers, "Mcp-Method: {name}\r\n").unwrap();
        if info.mirrored != Mirrored::No {
            let target = ["name", "uri", "taskId"].iter().find_map(|key| params.get(*key));
            write!(headers, "Mcp-Name: {}\r\n", target.unwrap().as_str().unwrap()).unwrap();
        }
    }
    let mut body = json!({"jsonrpc": "2.0", "method": name, "params": params});
    if let Some(id) = id {
        body["id"] = id.clone();
    }
    post(&headers, &body.to_string())
}

/// One row. Cells that are alike stand once.
fn row(table: &mut String, (name, form, policy): (&str, &str, &str), cells: &[String]) {
    let [first, rest @ ..] = cells else { return };
    write!(table, "{name:<42} {form:<6} {policy:<8} ").unwrap();
    if rest.iter().all(|cell| cell == first) {
        writeln!(table, "{first}").unwrap();
    } else if let [legacy @ .., modern] = rest
        && legacy.iter().all(|cell| cell == first)
    {
        writeln!(table, "{first} || {modern}").unwrap();
    } else {
        writeln!(table, "{}", cells.join(" | ")).unwrap();
    }
}

/// Nothing may be called, not even what is allowed where no rule says anything.
const CLOSED: &str = "[[deny]]\nname = \"nothing\"\nmethods = [\"*\"]\n";

#[tokio::test]
async fn every_method_in_every_revision() {
    let reply = json_reply(r#"{"jsonrpc":"2.0","id":"q-7","result":{}}"#);
    let mut open = Stage::set(OPEN, "", &reply).await;
    let mut unsaid = Stage::set("", "", &reply).await;
    let mut closed = Stage::set(CLOSED, "", &reply).await;
    let id = json!("q-7");
    let mut table = format!("{}; or all alike; or legacy || modern\n", REVISIONS.join(" | "));
    let strange =
        [("vendor/method", Method::Other.info()), ("notifications/vendor", Method::Other.info())];
    let known = Method::all().iter().map(|info| (info.name, info));
    for (name, info) in known.chain(strange) {
        for with_id in [true, false] {
            for (policy, stage) in
                [("allowed", &mut open), ("unsaid", &mut unsaid), ("refused", &mut closed)]
            {
                let mut cells = Vec::new();
                for revision in REVISIONS {
                    let id = Some(&id).filter(|_| with_id);
                    let seen = stage.send(&message(info, name, id, revision)).await;
                    cells.push(seen.cell(&json!("q-7")));
                }
                let form = if with_id { "id" } else { "no id" };
                row(&mut table, (name, form, policy), &cells);
            }
        }
    }
    for (form, body) in [
        ("result", r#"{"jsonrpc":"2.0","id":"q-7","result":{}}"#),
        ("error", r#"{"jsonrpc":"2.0","id":"q-7","error":{"code":1,"message":"m"}}"#),
        ("results", r#"[{"jsonrpc":"2.0","id":"q-7","result":{}}]"#),
    ] {
        for (policy, stage) in [("allowed", &mut open), ("refused", &mut closed)] {
            let mut cells = Vec::new();
            for revision in REVISIONS {
                let version = match revision {
                    "-" => String::new(),
                    _ => format!("MCP-Protocol-Version: {revision}\r\n"),
                };
                cells.push(stage.send(&post(&version, body)).await.cell(&json!("q-7")));
            }
            row(&mut table, (form, "id", policy), &cells);
        }
    }
    insta::with_settings!({snapshot_path => "../data/matrix", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("methods", table);
    });
}
