//! The transport of 2024-11-05 through the gateway: the server says on a stream where to post, and answers there.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use mcpfw::identity::Authenticator;
use mcpfw::identity::issuer::DemoIssuer;
use serde_json::json;

use crate::support::gateway::{OPEN, Running, Setup};
use crate::support::wire::{Message, STREAM, Upstream, Wire, call, chunk};

const ACCEPTED: &str =
    "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nAccepted";

const POLICY: &str = r#"
[[allow]]
name  = "reads"
tools = ["read_*"]

[[limit]]
name  = "once"
tools = ["read_once"]
per   = ["client.ip"]
rate  = "1/h"
"#;

/// A stream that has announced an endpoint.
struct Opened {
    client: Wire,
    server: Wire,
    /// Where the client was told to post.
    uri: String,
}

fn get(headers: &str) -> String {
    format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}\r\n")
}

fn endpoint(uri: &str) -> String {
    chunk(&format!("event: endpoint\ndata: {uri}\n\n"))
}

async fn open(gateway: &Running, upstream: &Upstream, headers: &str) -> Opened {
    let mut client = Wire::connect(gateway.address).await;
    client.send(get(headers)).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(endpoint("/messages/?session_id=ab12")).await;
    let head = client.until("event: endpoint\ndata: ").await;
    assert!(!head.contains("ab12"));
    let uri = client.until("\n\n").await.trim_end().to_owned();
    assert!(uri.starts_with("/mcp?mcpfw=fw1.") && !uri.contains("ab12"), "{uri}");
    Opened { client, server, uri }
}

/// A POST of `body` to `uri`.
fn post(uri: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {uri} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(gateway: SocketAddr, request: String) -> Message {
    let mut client = Wire::connect(gateway).await;
    client.send(request).await;
    client.reply().await
}

/// Posts, and lets the server accept it. Returns what the server saw.
async fn accepted(gateway: &Running, upstream: &Upstream, request: String) -> Message {
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    let mut server = upstream.accept().await;
    let seen = server.request().await;
    server.send(ACCEPTED.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 202);
    // Where a list was asked for, nothing that cannot be read as one is shown.
    assert!(reply.text() == "Accepted" || seen.text().contains("/list"), "{reply:?}");
    seen
}

fn event(message: &str) -> String {
    chunk(&format!("event: message\ndata: {message}\n\n"))
}

#[tokio::test]
async fn calls_go_by_post_and_answers_come_on_the_stream() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(POLICY, upstream.address()).start();
    let Opened { mut client, mut server, uri } = open(&gateway, &upstream, "").await;

    let body = call("7", "read_a", "{}");
    let seen = accepted(&gateway, &upstream, post(&uri, "", &body)).await;
    assert!(seen.head.starts_with("POST /messages/?session_id=ab12 HTTP/1.1\r\n"), "{seen:?}");
    assert_eq!(seen.text(), body);
    let line = gateway.log().await;
    assert_eq!((&line["revision"], &line["status"]), (&json!("2024-11-05"), &json!(202)));
    assert!(!line.to_string().contains("ab12") && !line.to_string().contains("fw1."), "{line}");
    server.send(event(r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#)).await;
    client.until(r#"data: {"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#).await;

    // A list on the stream is filtered like any other.
    let list = r#"{"jsonrpc":"2.0","id":8,"method":"tools/list"}"#;
    accepted(&gateway, &upstream, post(&uri, "", list)).await;
    server
        .send(event(
            r#"{"jsonrpc":"2.0","id":8,"result":{"tools":[{"name":"wipe"},{"name":"read_a"}]}}"#,
        ))
        .await;
    let seen = client.until("]}}\n\n").await;
    assert!(seen.contains("read_a") && !seen.contains("wipe"), "{seen}");

    // Notifications and answers to the server go the same way; a session header means nothing here.
    server.send(event(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)).await;
    client.until("ping\"}\n\n").await;
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    ] {
        let request = post(&uri, "Mcp-Session-Id: x\r\n", body);
        let seen = accepted(&gateway, &upstream, request).await;
        assert_eq!((seen.text(), seen.header("mcp-session-id")), (body, None));
    }
}

/// What the server asks on the stream is judged there; where mcpfw answers in the client's place, it posts where the client would.
#[tokio::test]
async fn the_server_asks_on_the_stream() {
    let policy = "[[allow]]\nname = \"roots\"\nserver_requests = [\"roots/list\"]\n";
    let upstream = Upstream::start().await;
    let gateway = Setup::new(policy, upstream.address()).start();
    let Opened { mut client, mut server, uri } = open(&gateway, &upstream, "").await;
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let post_answer = || ask(gateway.address, post(&uri, "", answer));

    // Nothing was asked yet, so there is nothing to answer.
    assert_eq!(post_answer().await.status(), 403);
    server
        .send(event(r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#))
        .await;
    let mut answers = upstream.accept().await;
    let seen = answers.request().await;
    assert!(seen.head.starts_with("POST /messages/?session_id=ab12 HTTP/1.1\r\n"), "{seen:?}");
    assert_eq!(seen.header("mcp-session-id"), None);
    let seen = seen.json();
    assert_eq!((&seen["id"], seen["error"].is_object()), (&json!(1), true));
    answers.send(ACCEPTED).await;
    assert_eq!(post_answer().await.status(), 403);

    server.send(event(r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#)).await;
    let seen = client.until("roots/list\"}\n\n").await;
    assert!(!seen.contains("sampling"), "{seen}");
    // Asked on this stream: on another one of the same caller it answers nothing.
    let other = open(&gateway, &upstream, "").await;
    let elsewhere = ask(gateway.address, post(&other.uri, "", answer)).await;
    assert_eq!(elsewhere.status(), 403);
    assert_eq!(accepted(&gateway, &upstream, post(&uri, "", answer)).await.text(), answer);
    assert_eq!(post_answer().await.status(), 403);
}

#[tokio::test]
async fn refusals_come_on_the_stream_while_it_is_open() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(POLICY, upstream.address()).start();
    let Opened { mut client, mut server, uri } = open(&gateway, &upstream, "").await;
    let address = gateway.address;
    let refused = |body: String| ask(address, post(&uri, "", &body));

    let reply = refused(call("\"a\"", "wipe", "{}")).await;
    assert_eq!((reply.status(), reply.text()), (202, ""));
    let told = client.until("event: message\ndata: ").await + &client.until("\n\n").await;
    assert!(told.contains(r#""id":"a","error":{"code":403,"#), "{told}");
    assert!(told.contains("denied by policy"), "{told}");
    let reply = refused(
        r#"{"jsonrpc":"2.0","id":5,"method":"resources/read","params":{"uri":"file:///a/../b"}}"#
            .to_owned(),
    )
    .await;
    assert_eq!(reply.status(), 202);
    assert!(client.until("uri_dot_segment").await.contains(r#""id":5"#));
    client.until("\n\n").await;

    // Never inside an event.
    server.send(chunk("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",")).await;
    client.until("notifications/message\",").await;
    assert_eq!(refused(call("2", "wipe", "{}")).await.status(), 202);
    server.send(chunk("\"params\":{}}\n\n")).await;
    assert!(client.until("\n\n").await.contains("\"params\":{}}\n\n"));
    assert!(client.until("\n\n").await.contains(r#""id":2,"error""#));

    // A budget, and what concerns nobody who waits.
    accepted(&gateway, &upstream, post(&uri, "", &call("3", "read_once", "{}"))).await;
    let reply = refused(call("4", "read_once", "{}")).await;
    assert_eq!((reply.status(), reply.header("retry-after")), (202, None));
    assert!(client.until("\n\n").await.contains(r#""id":4,"error":{"code":429"#));
    let notification = refused(
        r#"{"jsonrpc":"2.0","method":"tools/wipe"}"#.replace("tools/wipe", "notifications/x"),
    );
    assert_eq!(notification.await.status(), 403);
    assert_eq!(refused("{".to_owned()).await.status(), 400);

    // The log has the decision.
    let mut denied = 0;
    for _ in 0..7 {
        let line = gateway.log().await;
        denied += u32::from(line["status"] == 202 && line["decision"] != "allow");
    }
    assert_eq!(denied, 4);

    // Without a stream there is nobody to be told but the post.
    drop(client);
    assert!(server.is_closed().await);
    let reply = refused(call("6", "wipe", "{}")).await;
    assert_eq!((reply.status(), &reply.json()["error"]["code"]), (200, &json!(403)));
}

/// The server is gone when a message comes: whoever waits on the stream is told.
#[tokio::test]
async fn failures_of_posts_come_on_the_stream() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(POLICY, upstream.address()).start();
    let Opened { mut client, server: _server, uri } = open(&gateway, &upstream, "").await;
    let mut poster = Wire::connect(gateway.address).await;
    poster.send(post(&uri, "", &call("1", "read_a", "{}"))).await;
    drop(upstream.accept().await);
    assert_eq!(poster.reply().await.status(), 202);
    assert!(client.until("\n\n").await.contains(r#""id":1,"error":{"code":-32603"#));
}

#[tokio::test]
async fn nobody_else_can_post_there() {
    let issuer = DemoIssuer::generate("https://issuer.test/", "https://mcp.test/mcp").unwrap();
    let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).authenticator(authenticator).start();
    let bearer = |sub: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let token = issuer.sign(sub, serde_json::Map::new(), now, 600).unwrap();
        format!("Authorization: Bearer {token}\r\nX-Request-Id: always-the-same\r\n")
    };
    let (ann, bob) = (bearer("ann"), bearer("bob"));
    let Opened { client: _client, server: _server, uri } = open(&gateway, &upstream, &ann).await;
    let body = call("1", "t", "{}");
    let text = |reply: &Message| (reply.status(), reply.text().to_owned());
    let never_was = ask(gateway.address, post("/mcp?mcpfw=fw1.AAAA", &bob, &body)).await;
    assert_eq!(text(&never_was).0, 404);
    let tampered = uri.replace("fw1.", "fw1.A");
    for (uri, headers) in [
        (&*uri, &bob),
        (&tampered, &ann),
        ("/mcp?mcpfw=", &ann),
        (&format!("{uri}&a=1"), &ann),
        (&format!("{uri}&mcpfw=x"), &ann),
    ] {
        let reply = ask(gateway.address, post(uri, headers, &body)).await;
        assert_eq!(text(&reply), text(&never_was), "{uri}");
    }
    for method in ["GET", "DELETE"] {
        let request = format!(
            "{method} {uri} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{ann}\r\n"
        );
        assert_eq!(ask(gateway.address, request).await.status(), 404, "{method}");
    }
    // Nor without a token, whatever the endpoint.
    assert_eq!(ask(gateway.address, post(&uri, "", &body)).await.status(), 401);
    assert!(!upstream.was_called().await);
    accepted(&gateway, &upstream, post(&uri, &ann, &body)).await;
}

#[tokio::test]
async fn endpoints_that_lead_elsewhere_end_the_stream() {
    let good = "event: endpoint\ndata: /m\n\n";
    let legacy = "revisions = [\"2025-03-26\", \"2025-06-18\"]\n";
    let cases = [
        ("", "", "event: endpoint\ndata: http://evil.example/m\n\n".to_owned(), "endpoint_foreign"),
        ("", "", "event: endpoint\ndata: //127.0.0.1:1/m\n\n".to_owned(), "endpoint_foreign"),
        ("", "", format!("{good}data: {{}}\n\n{good}"), "endpoint_unexpected"),
        ("", "", format!("data: {{}}\n\n{good}"), "endpoint_unexpected"),
        ("", "", format!("event: endpoint\ndata: /{}\n\n", "x".repeat(2048)), "endpoint_too_long"),
        ("sessions = \"plain\"\n", "Mcp-Session-Id: s\r\n", good.to_owned(), "endpoint_unexpected"),
        (legacy, "", good.to_owned(), "endpoint_unexpected"),
    ];
    for (config, headers, events, reason) in cases {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(OPEN, upstream.address()).config(config).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(get(headers)).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(STREAM).await;
        // A server that is ended may be so before it has sent everything.
        for byte in events.as_bytes().chunks(30) {
            if !server.try_send(chunk(std::str::from_utf8(byte).unwrap())).await {
                break;
            }
        }
        let (seen, _) = client.rest().await;
        let seen = String::from_utf8(seen).unwrap();
        assert!(!seen.ends_with("0\r\n\r\n"), "{events}: {seen}");
        assert!(!seen.contains("evil") && !seen.contains("data: /m\n"), "{seen}");
        let line = gateway.log().await;
        assert_eq!((&line["reason"], &line["outcome"]), (&json!(reason), &json!("reply_refused")));
    }
}

#[tokio::test]
async fn posts_go_to_the_server_that_has_the_stream() {
    const KEY: &str = "[session]\nkey = \"2NZL1vQm3rHXIVhT1xkm9cJZ8f0O2iKQeD7y5sWqk4I=\"\n";
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let alone = Setup::new(POLICY, second.address()).config(KEY).start();
    let behind =
        Setup::new(POLICY, first.address()).or_upstream(second.address()).config(KEY).start();
    let Opened { client: _client, server: _server, uri } = open(&alone, &second, "").await;
    // Another gateway with the key knows the way; the stream is not its own, so it refuses by itself.
    accepted(&behind, &second, post(&uri, "", &call("1", "read_a", "{}"))).await;
    assert!(!first.was_called().await);
    let reply = ask(behind.address, post(&uri, "", &call("1", "wipe", "{}"))).await;
    assert_eq!((reply.status(), &reply.json()["id"]), (200, &json!(1)));
}

#[tokio::test]
async fn a_route_of_nothing_else() {
    let upstream = Upstream::start().await;
    let mut gateway =
        Setup::new(POLICY, upstream.address()).config("revisions = [\"2024-11-05\"]").start();
    let Opened { client, server: _server, uri } = open(&gateway, &upstream, "").await;
    accepted(&gateway, &upstream, post(&uri, "", &call("1", "read_a", "{}"))).await;
    assert_eq!(gateway.log().await["revision"], "2024-11-05");
    drop(client);
    assert_eq!(gateway.log().await["revision"], "2024-11-05");
    // Batches are of another revision, and so is a body that speaks for itself.
    let batch = format!("[{}]", call("1", "read_a", "{}"));
    assert_eq!(ask(gateway.address, post(&uri, "", &batch)).await.status(), 400);
}

/// What the server sends before its announcement, and how it cuts it, changes nothing.
#[tokio::test]
async fn announcements_in_pieces() {
    for policy in [OPEN, POLICY] {
        let upstream = Upstream::start().await;
        let gateway = Setup::new(policy, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(get("")).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(STREAM).await;
        server.send(chunk(": hello\r\n\r\n")).await;
        client.until(": hello\r\n\r\n").await;
        for byte in "event: endpoint\r\ndata: messages?s=1\r\n\r\n".as_bytes().chunks(1) {
            server.send(chunk(std::str::from_utf8(byte).unwrap())).await;
        }
        let message = r#"data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
        server.send(chunk(&format!("{message}\r\n\r\n"))).await;
        let seen = client.until(message).await;
        let uri = seen.split("data: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        let seen = accepted(&gateway, &upstream, post(&uri, "", &call("1", "read_a", "{}"))).await;
        assert!(seen.head.starts_with("POST /messages?s=1 "), "{seen:?}");
    }
}
