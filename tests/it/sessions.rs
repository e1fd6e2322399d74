//! Sealed session ids (T43, T44): an id is its owner's, leads to the server that made it, and is to everybody else what a
//! made-up one is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};

use crate::support::gateway::{OPEN, Running, Setup, UNWATCHED};
use crate::support::tokens::{authenticator, bearer, issuer};
use crate::support::wire::{Answering, Message, Upstream, Wire, call, chunk, json_reply, post};

pub(crate) const KEY: &str = "[session]\nkey = \"2NZL1vQm3rHXIVhT1xkm9cJZ8f0O2iKQeD7y5sWqk4I=\"\n";
const OTHER_KEY: &str = "[session]\nkey = \"3NZL1vQm3rHXIVhT1xkm9cJZ8f0O2iKQeD7y5sWqk4I=\"\n";

/// A reply that names a session.
fn minting(id: &str) -> String {
    let body = r#"{"jsonrpc":"2.0","id":0,"result":{}}"#;
    json_reply(body).replacen("\r\n\r\n", &format!("\r\nMcp-Session-Id: {id}\r\n\r\n"), 1)
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}"#;

/// Sends one request on a connection of its own.
async fn ask(gateway: &Running, request: impl AsRef<[u8]>) -> Message {
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    client.reply().await
}

/// Shakes hands, and returns the session id that the client sees.
async fn begin(gateway: &Running, headers: &str) -> String {
    let reply = ask(gateway, post(headers, INITIALIZE)).await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    reply.header("mcp-session-id").unwrap().to_owned()
}

fn session(id: &str) -> String {
    format!("Mcp-Session-Id: {id}\r\n")
}

/// Every way to use a session, with `headers`.
fn uses(headers: &str) -> Vec<(&'static str, String)> {
    let bodyless = |method: &str, more: &str| {
        format!(
            "{method} /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}{more}\r\n"
        )
    };
    vec![
        ("call", post(headers, &call("7", "t", "{}"))),
        (
            "notification",
            post(headers, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        ),
        ("response", post(headers, r#"{"jsonrpc":"2.0","id":3,"result":{}}"#)),
        ("handshake", post(headers, INITIALIZE)),
        ("GET", bodyless("GET", "")),
        ("resumed GET", bodyless("GET", "Last-Event-ID: s4-000017\r\n")),
        ("DELETE", bodyless("DELETE", "")),
    ]
}

/// Everything of a reply but its date.
fn bytes(reply: &Message) -> (Vec<&str>, &[u8]) {
    let lines = reply.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    (lines.collect(), &reply.body)
}

/// What a session that never was is told.
async fn garbage(gateway: &Running, headers: &str) -> Vec<Message> {
    let mut replies = Vec::new();
    for (_, request) in uses(&format!("{headers}{}", session("never-was"))) {
        replies.push(ask(gateway, request).await);
    }
    replies
}

async fn answering(id: &str) -> Answering {
    Upstream::start().await.answering(minting(id))
}

#[tokio::test]
async fn a_session_is_its_owners_alone() {
    let issuer = issuer();
    let mut upstream = answering("raw-1").await;
    let mut gateway = Setup::new(OPEN, upstream.address)
        .config(UNWATCHED)
        .authenticator(authenticator(&issuer))
        .start();
    let ann = bearer(&issuer, "ann", &json!({}));
    let bob = bearer(&issuer, "bob", &json!({})) + "X-Request-Id: always-the-same\r\n";
    let id = begin(&gateway, &ann).await;
    assert!(!id.contains("raw-1"), "{id}");
    assert_eq!(upstream.unseen().len(), 1);

    for (what, request) in uses(&format!("{ann}{}", session(&id))) {
        let reply = ask(&gateway, request).await;
        assert_eq!(reply.status(), 200, "{what}");
        // The reply names the session that the client named.
        assert_eq!(reply.header("mcp-session-id"), Some(&*id), "{what}");
        assert_eq!(upstream.request().await.header("mcp-session-id"), Some("raw-1"), "{what}");
    }
    let never_was = garbage(&gateway, &bob).await;
    let foreign = uses(&format!("{bob}{}", session(&id)));
    for ((what, request), never_was) in foreign.into_iter().zip(&never_was) {
        let reply = ask(&gateway, request).await;
        assert_eq!(reply.status(), 404, "{what}");
        assert_eq!(bytes(&reply), bytes(never_was), "{what}");
        let error = &reply.json()["error"];
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!(-32001), &json!("Session not found"))
        );
        assert_eq!(reply.json().get("id").unwrap_or(&Value::Null), &Value::Null, "{what}");
    }
    assert_eq!(upstream.unseen().len(), 0, "nothing of another's reaches the server");
    // The raw id and the sealed one stay out of the log.
    for _ in 0..8 + 14 {
        let line = gateway.log().await.to_string();
        assert!(!line.contains("raw-1") && !line.contains(&id), "{line}");
    }
}

#[tokio::test]
async fn ids_that_nobody_made() {
    let mut upstream = answering("raw-1").await;
    let gateway = Setup::new(OPEN, upstream.address).start();
    let same = "X-Request-Id: always-the-same\r\n";
    let id = begin(&gateway, "").await;
    upstream.request().await;
    let (head, tail) = id.split_at(id.len() / 2);
    let wrong = [
        "raw-1".to_owned(),
        String::new(),
        "fw1.".to_owned(),
        head.to_owned(),
        format!("{head}_{tail}"),
        format!("{id}="),
        format!("{id}, {id}"),
        format!("\"{id}\""),
        id.to_uppercase(),
        "fw1.".to_owned() + &"A".repeat(30_000),
    ];
    let never_was = garbage(&gateway, same).await;
    for id in wrong {
        for ((what, request), never_was) in
            uses(&format!("{same}{}", session(&id))).into_iter().zip(&never_was)
        {
            let reply = ask(&gateway, request).await;
            assert_eq!(reply.status(), 404, "{id}: {what}");
            assert_eq!(bytes(&reply), bytes(never_was), "{id}: {what}");
        }
    }
    // Twice, even the right one.
    let twice = session(&id).repeat(2);
    for (what, request) in uses(&twice) {
        assert_eq!(ask(&gateway, request).await.status(), 404, "{what}");
    }
    assert_eq!(upstream.unseen().len(), 0);
    assert_eq!(ask(&gateway, post(&session(&id), &call("1", "t", "{}"))).await.status(), 200);
}

#[tokio::test]
async fn gateways_with_one_key_know_each_others_sessions() {
    let mut upstream = answering("raw-1").await;
    let start = |config: &str| Setup::new(OPEN, upstream.address).config(config).start();
    let (first, second, other) = (start(KEY), start(KEY), start(OTHER_KEY));
    let (random, restarted) = (start(""), start(""));
    let request = |id: &str| post(&session(id), &call("1", "t", "{}"));
    let id = begin(&first, "").await;
    assert_eq!(begin(&second, "").await, id, "one handle, one text");
    assert_ne!(begin(&other, "").await, id);
    assert_eq!(ask(&second, request(&id)).await.status(), 200);
    assert_eq!(ask(&other, request(&id)).await.status(), 404);
    // Without a key, sessions end with the process.
    let id = begin(&random, "").await;
    assert_eq!(ask(&random, request(&id)).await.status(), 200);
    assert_eq!(ask(&restarted, request(&id)).await.status(), 404);
    assert_eq!(upstream.unseen().len(), 6);
}

#[tokio::test]
async fn a_session_goes_to_the_server_that_made_it() {
    let mut first = answering("raw-1").await;
    let second = Upstream::start().await;
    let alone = Setup::new(OPEN, second.address()).config(UNWATCHED).config(KEY).start();
    let behind = Setup::new(OPEN, first.address)
        .or_upstream(second.address())
        .config(UNWATCHED)
        .config(KEY)
        .start();
    let without = Setup::new(OPEN, first.address).config(UNWATCHED).config(KEY).start();

    let mut client = Wire::connect(alone.address).await;
    client.send(post("", INITIALIZE)).await;
    let mut server = second.accept().await;
    server.request().await;
    server
        .send(minting("raw-2").replacen(
            "HTTP/1.1 200 OK",
            "HTTP/1.1 200 OK\r\nConnection: close",
            1,
        ))
        .await;
    let id = client.reply().await.header("mcp-session-id").unwrap().to_owned();
    drop(server);

    for (what, request) in uses(&session(&id)) {
        let mut client = Wire::connect(behind.address).await;
        client.send(request).await;
        let mut server = second.accept().await;
        assert_eq!(server.request().await.header("mcp-session-id"), Some("raw-2"), "{what}");
        server
            .send("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await;
        assert_eq!(client.reply().await.status(), 202, "{what}");
    }
    // No session: the first that there is.
    let other = begin(&behind, "").await;
    assert_ne!(other, id);
    assert_eq!(first.unseen().len(), 1);
    // A server that is no longer named has no sessions.
    assert_eq!(ask(&without, post(&session(&id), &call("1", "t", "{}"))).await.status(), 404);
    // One that cannot be reached loses its calls, not its sessions: they go nowhere else.
    drop(second);
    for (what, request) in uses(&session(&id)) {
        assert_eq!(ask(&behind, request).await.status(), 503, "{what}");
    }
    assert_eq!(first.unseen().len(), 0);
}

#[tokio::test]
async fn ids_on_replies_of_any_kind() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).config(KEY).start();
    let expected = {
        let minted = answering("raw-1").await;
        let other = Setup::new(OPEN, minted.address).config(KEY).start();
        begin(&other, "").await
    };
    let empty = "Content-Length: 0\r\n\r\n";
    let events = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let replies = [
        ("202 Accepted", empty.to_owned(), 202),
        ("400 Bad Request", empty.to_owned(), 400),
        ("404 Not Found", empty.to_owned(), 404),
        ("500 Oops", empty.to_owned(), 500),
        ("200 OK", format!("{events}{}0\r\n\r\n", chunk("data: {}\n\n")), 200),
    ];
    for (line, rest, status) in replies {
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &call("1", "t", "{}"))).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server
            .send(format!(
                "HTTP/1.1 {line}\r\nConnection: close\r\nMcp-Session-Id: raw-1\r\n{rest}"
            ))
            .await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), status);
        let id = reply.header("mcp-session-id").unwrap();
        assert!(id.starts_with("fw1.") && !reply.head.contains("raw-1"), "{reply:?}");
        // Another server's session of that name is another session.
        assert_ne!(id, expected);
    }
}

#[tokio::test]
async fn ids_that_could_not_be_sent_back_are_the_servers_fault() {
    let longest = "x".repeat(1024);
    let cases = [
        (longest.clone(), 200),
        (format!("{longest}x"), 502),
        (String::new(), 502),
        ("a b".to_owned(), 502),
        ("a\tb".to_owned(), 502),
        ("grö".to_owned(), 502),
        ("a\r\nMcp-Session-Id: b".to_owned(), 502),
        ("!~".to_owned(), 200),
    ];
    for (id, status) in cases {
        let mut upstream = answering(&id).await;
        let mut gateway = Setup::new(OPEN, upstream.address).start();
        let reply = ask(&gateway, post("", INITIALIZE)).await;
        assert_eq!(reply.status(), status, "{id:?}");
        upstream.request().await;
        let line = gateway.log().await;
        if status == 200 {
            let id_seen = reply.header("mcp-session-id").unwrap().to_owned();
            let next = ask(&gateway, post(&session(&id_seen), &call("1", "t", "{}"))).await;
            assert_eq!(next.status(), 200);
            assert_eq!(upstream.request().await.header("mcp-session-id"), Some(&*id));
        } else {
            assert_eq!(line["reason"], "upstream_session_id");
            assert_eq!(reply.json()["id"], 0);
            assert_eq!(reply.header("mcp-session-id"), None);
        }
    }
}

#[tokio::test]
async fn a_renewed_token_keeps_the_session_and_another_client_has_none() {
    let issuer = issuer();
    let upstream = answering("raw-1").await;
    let gateway = Setup::new(OPEN, upstream.address).authenticator(authenticator(&issuer)).start();
    let as_client = |claims: &Value| bearer(&issuer, "ann", claims);
    let id = begin(&gateway, &as_client(&json!({"client_id": "ide", "jti": "1"}))).await;
    for (claims, status) in [
        (json!({"client_id": "ide", "jti": "1"}), 200),
        (json!({"client_id": "ide", "jti": "2", "plan": "pro", "scope": "more"}), 200),
        (json!({"client_id": "cli", "jti": "1"}), 404),
        (json!({"jti": "1"}), 404),
    ] {
        let headers = as_client(&claims) + &session(&id);
        let reply = ask(&gateway, post(&headers, &call("1", "t", "{}"))).await;
        assert_eq!(reply.status(), status, "{claims}");
    }
}

#[tokio::test]
async fn modern_requests_have_no_session() {
    let mut upstream = answering("raw-1").await;
    let gateway = Setup::new(OPEN, upstream.address).start();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let mirrored = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: t\r\n";
    for ids in ["", "Mcp-Session-Id: x\r\n", "Mcp-Session-Id: x\r\nMcp-Session-Id: y\r\n"] {
        let reply = ask(&gateway, post(&format!("{mirrored}{ids}"), body)).await;
        assert_eq!(reply.status(), 200, "{ids:?}");
        assert_eq!(reply.header("mcp-session-id"), None);
        assert_eq!(upstream.request().await.headers("mcp-session-id").count(), 0);
    }
}

#[tokio::test]
async fn a_server_without_sessions_and_a_route_without_seals() {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, upstream.address).start();
    for _ in 0..2 {
        let reply = ask(&gateway, post("", INITIALIZE)).await;
        assert_eq!((reply.status(), reply.header("mcp-session-id")), (200, None));
        assert_eq!(upstream.request().await.header("mcp-session-id"), None);
    }
    let mut upstream = answering("raw-1").await;
    let gateway = Setup::new(OPEN, upstream.address).config("sessions = \"plain\"").start();
    assert_eq!(begin(&gateway, "").await, "raw-1");
    let reply = ask(&gateway, post(&session("any"), &call("1", "t", "{}"))).await;
    assert_eq!((reply.status(), reply.header("mcp-session-id")), (200, Some("raw-1")));
    upstream.request().await;
    assert_eq!(upstream.request().await.header("mcp-session-id"), Some("any"));
    let twice = ask(&gateway, post(&session("any").repeat(2), &call("1", "t", "{}"))).await;
    assert_eq!(twice.status(), 400);
}

/// A made-up session costs nobody's budget, and refuses before any rule says more about the call.
#[tokio::test]
async fn an_unknown_session_draws_on_nothing() {
    let policy = format!(
        "{OPEN}[[limit]]\nname = \"once\"\ntools = [\"t\"]\nper = [\"client.ip\"]\nrate = \"1/h\"\n\
         [[deny]]\nname = \"no\"\ntools = [\"wipe\"]\n"
    );
    let upstream = answering("raw-1").await;
    let gateway = Setup::new(&policy, upstream.address).start();
    let id = begin(&gateway, "").await;
    for tool in ["t", "t", "wipe"] {
        let reply = ask(&gateway, post(&session("made-up"), &call("1", tool, "{}"))).await;
        assert_eq!(reply.status(), 404);
    }
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let reply = ask(&gateway, post(&session(&id), &call("1", "t", "{}"))).await;
        statuses.push(reply.status());
    }
    assert_eq!(statuses, [200, 429]);
}

/// However the body came, also when its end is still on the way, the answer is the same and nothing is sent on.
#[tokio::test]
async fn an_unknown_session_of_a_body_in_pieces() {
    let mut upstream = answering("raw-1").await;
    let gateway = Setup::new(OPEN, upstream.address).start();
    let whole = post(&session("made-up"), &call("1", "t", "{}"));
    for at in (whole.len() - 60..whole.len()).step_by(7) {
        let mut client = Wire::connect(gateway.address).await;
        client.send(&whole.as_bytes().get(..at).unwrap()).await;
        client.send(&whole.as_bytes().get(at..).unwrap()).await;
        assert_eq!(client.reply().await.status(), 404);
        // The connection goes on.
        client.send(post("", INITIALIZE)).await;
        assert_eq!(client.reply().await.status(), 200);
        upstream.request().await;
    }
    assert_eq!(upstream.unseen().len(), 0);
}
