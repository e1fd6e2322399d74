//! Tests of: gateway. One request at a time, and what becomes of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcpfw::identity::Authenticator;
use mcpfw::identity::issuer::DemoIssuer;
use serde_json::{Value, json};

use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{Upstream, Wire, call, chunk, json_reply, post, post_head};

/// An issuer, and the gateway's way to know its callers.
fn issuer() -> (DemoIssuer, Authenticator) {
    let issuer = DemoIssuer::generate("https://id.test/", "https://mcp.test/mcp").unwrap();
    let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
    (issuer, authenticator)
}

/// A token for `subject` with `claims`.
fn token(issuer: &DemoIssuer, subject: &str, claims: &Value) -> String {
    let now = mcpfw::observe::wall_clock_ms() / 1000;
    issuer.sign(subject, claims.as_object().unwrap().clone(), now, 600).unwrap()
}

#[tokio::test]
async fn a_call_goes_through() {
    let reply = json_reply(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    let mut upstream = Upstream::start().await.answering(reply);
    let mut gateway = Setup::new(OPEN, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = call("7", "search", r#"{"q":"rust"}"#);
    client.send(post("X-Request-Id: abcd-1234\r\n", &body)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    assert_eq!(reply.text(), r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_eq!(reply.header("x-request-id"), Some("abcd-1234"));
    let request = upstream.request().await;
    assert_eq!(request.text(), body);
    assert!(request.head.starts_with("POST /mcp HTTP/1.1\r\n"));
    let address = upstream.address.to_string();
    for (name, value) in [
        ("x-request-id", "abcd-1234"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("accept-encoding", "identity"),
        ("host", &address),
        ("content-length", &body.len().to_string()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let line = gateway.log().await;
    for (name, value) in [
        ("request_id", json!("abcd-1234")),
        ("peer", json!("127.0.0.1")),
        ("route", json!("main")),
        ("http", json!("POST")),
        ("revision", json!("2025-03-26")),
        ("method", json!("tools/call")),
        ("kind", json!("tool")),
        ("target", json!("search")),
        ("decision", json!("allow")),
        ("rule", json!("all")),
        ("status", json!(200)),
        ("bytes_in", json!(body.len())),
        ("bytes_out", json!(36)),
        ("outcome", json!("complete")),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    assert!(line["total_us"].as_u64() >= line["upstream_us"].as_u64());
}

#[tokio::test]
async fn a_refused_call_is_told_under_its_id_and_never_sent() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new("", upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("\"a\"", "wipe", "{}"))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    let error = reply.json();
    assert_eq!(error["id"], "a");
    assert_eq!(error["error"]["code"], 403);
    assert_eq!(error["error"]["message"], "tool 'wipe' denied by policy");
    assert_eq!(error["error"]["data"]["reason"], "default_deny");
    assert!(!upstream.was_called().await);
    let line = gateway.log().await;
    assert_eq!(line["decision"], "deny");
    assert_eq!(line["reason"], "default_deny");
}

#[tokio::test]
async fn a_refused_call_is_told_under_an_id_at_its_end() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new("", upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = format!(
        r#"{{"jsonrpc":"2.0","method":"tools/call","params":{{"name":"wipe","arguments":{{"blob":"{}"}}}},"id":99}}"#,
        "x".repeat(1_000_000)
    );
    for framing in
        [format!("Content-Length: {}\r\n", body.len()), "Transfer-Encoding: chunked\r\n".to_owned()]
    {
        let is_chunked = framing.starts_with('T');
        client.send(post_head(&framing)).await;
        if is_chunked {
            client.send(format!("{:x}\r\n", body.len())).await;
        }
        client.send(&body).await;
        if is_chunked {
            client.send("\r\n0\r\n\r\n").await;
        }
        // The whole body has been taken, so the connection is good for another request.
        let reply = client.reply().await;
        assert_eq!(reply.json()["id"], 99, "{framing}");
        assert_eq!(reply.json()["error"]["code"], 403);
    }
    assert!(!upstream.was_called().await);
}

#[tokio::test]
async fn refusals_take_the_shape_that_the_route_asks_for() {
    let upstream = Upstream::start().await;
    for (style, status, is_result) in
        [("jsonrpc", 200, false), ("http", 403, false), ("tool_error", 200, true)]
    {
        let gateway =
            Setup::new("", upstream.address()).config(&format!("refusal = \"{style}\"")).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &call("1", "wipe", "{}"))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), status, "{style}");
        assert_eq!(reply.json()["id"], 1);
        assert_eq!(reply.json()["result"]["isError"] == true, is_result, "{style}");
        assert_eq!(reply.header("www-authenticate"), None);
        // What is no tool has no tool error.
        client
            .send(post(
                "",
                r#"{"jsonrpc":"2.0","id":2,"method":"prompts/get","params":{"name":"p"}}"#,
            ))
            .await;
        let reply = client.reply().await;
        assert_eq!(reply.json()["error"]["message"], "prompt 'p' denied by policy", "{style}");
        // Nobody waits for the answer to a notification.
        client.send(post("", r#"{"jsonrpc":"2.0","method":"notifications/strange"}"#)).await;
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.text()), (403, ""), "{style}");
    }
    assert!(!upstream.was_called().await);
}

#[tokio::test]
async fn a_budget_that_is_used_up() {
    let policy = "[[allow]]\nname = \"all\"\neverything = true\n\
                  [[limit]]\nname = \"two\"\ntools = [\"t\"]\nper = [\"client.ip\"]\nrate = \"2/min\"\n\
                  [[limit]]\nname = \"shakes\"\nmethods = [\"initialize\"]\nper = [\"client.ip\"]\nrate = \"1/min\"\n";
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let mut gateway = Setup::new(policy, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    for left in [1, 0] {
        client.send(post("", &call("1", "t", "{}"))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), 200);
        let told = reply.header("ratelimit").unwrap();
        assert!(told.starts_with(&format!("\"two\";r={left};t=")), "{told}");
        assert_eq!(reply.header("ratelimit-policy"), Some("\"two\";q=2;w=60"));
        upstream.request().await;
        gateway.log().await;
    }
    client.send(post("", &call("3", "t", "{}"))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 429);
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((29..=30).contains(&wait), "{wait}");
    let error = reply.json();
    assert_eq!(error["id"], 3);
    assert_eq!(error["error"]["code"], 429);
    assert_eq!(
        error["error"]["message"],
        format!("rate limit reached for tool 't'; retry in {wait} s")
    );
    assert_eq!(error["error"]["data"]["reason"], "rate_limited");
    assert_eq!(error["error"]["data"]["rule"], "two");
    assert!(error["error"]["data"]["retry_after_ms"].as_u64().unwrap() <= wait * 1000);
    let line = gateway.log().await;
    assert_eq!(line["decision"], "limit");
    assert_eq!(line["rule"], "two");
    assert!(upstream.unseen().is_empty());
    // A handshake is shed, never limited: clients would take the server for one that does not speak MCP.
    let shake = r#"{"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    client.send(post("", shake)).await;
    assert_eq!(client.reply().await.status(), 200);
    client.send(post("", shake)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 503);
    assert!(reply.header("retry-after").is_some());
    assert_eq!(reply.json()["error"]["code"], 503);
}

#[tokio::test]
async fn hosts_and_origins() {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let config = "[listen]\naddress = \"127.0.0.1:0\"\nhosts = [\"mcp.example.com\", \"localhost\"]\n\
                  origins = [\"https://app.example.com\"]\n";
    let gateway = Setup::new(OPEN, upstream.address).config(config).start();
    let body = call("1", "t", "{}");
    let cases = [
        ("Host: localhost\r\n", 200),
        ("Host: LOCALHOST:1234\r\n", 200),
        ("Host: mcp.example.com\r\n", 200),
        ("Host: mcp.example.com:443\r\n", 200),
        ("Host: mcp.example.com.\r\n", 421),
        ("Host: evil.example\r\n", 421),
        ("Host: mcp.example.com.evil.example\r\n", 421),
        ("Host: 127.0.0.1\r\n", 421),
        ("Host: localhost@evil.example\r\n", 421),
        ("Host: \r\n", 421),
        ("Host: localhost, evil\r\n", 421),
        ("Host: localhost\r\nHost: localhost\r\n", 400),
        ("", 400),
        ("Host: localhost\r\nOrigin: https://app.example.com\r\n", 200),
        ("Host: localhost\r\nOrigin: https://app.example.com:443\r\n", 403),
        ("Host: localhost\r\nOrigin: http://app.example.com\r\n", 403),
        ("Host: localhost\r\nOrigin: https://evil.example\r\n", 403),
        ("Host: localhost\r\nOrigin: null\r\n", 403),
        ("Host: localhost\r\nOrigin: \r\n", 403),
        (
            "Host: localhost\r\nOrigin: https://app.example.com\r\nOrigin: https://app.example.com\r\n",
            403,
        ),
        // Our own, on loopback: no page has it.
        ("Host: localhost:1234\r\nOrigin: http://localhost:1234\r\n", 200),
        ("Host: localhost:1234\r\nOrigin: http://localhost:1235\r\n", 403),
        ("Host: localhost:1234\r\nOrigin: http://localhost\r\n", 403),
        ("Host: localhost:1234\r\nOrigin: https://localhost:1234\r\n", 403),
        ("Host: mcp.example.com\r\nOrigin: http://mcp.example.com\r\n", 403),
        // The host first: a page behind a rebound name sends its own origin, too.
        ("Host: evil.example\r\nOrigin: http://evil.example\r\n", 421),
    ];
    for (fields, status) in cases {
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &body).replace("Host: localhost\r\n", fields)).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), status, "{fields:?}");
        assert_eq!(upstream.unseen().len(), usize::from(status == 200), "{fields:?}");
        let allowed = reply.header("access-control-allow-origin");
        let origin = fields.split("Origin: ").nth(1).map(str::trim_end);
        assert_eq!(allowed, origin.filter(|_| status == 200), "{fields:?}");
    }
    // Health is no way around it.
    let mut client = Wire::connect(gateway.address).await;
    client.send("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(client.reply().await.status(), 421);
}

#[tokio::test]
async fn pages_that_may_call_can_read_why_they_may_not() {
    let upstream = Upstream::start().await;
    let config = "[listen]\naddress = \"127.0.0.1:0\"\norigins = [\"https://app.example.com\"]\n";
    let (_, authenticator) = issuer();
    let gateway =
        Setup::new(OPEN, upstream.address()).config(config).authenticator(authenticator).start();
    let mut client = Wire::connect(gateway.address).await;
    let origin = "Origin: https://app.example.com\r\n";
    client
        .send(format!(
            "OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n{origin}Access-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization, content-type, mcp-param-region\r\n\r\n"
        ))
        .await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example.com"));
    assert_eq!(reply.header("access-control-allow-methods"), Some("POST, GET, DELETE"));
    assert_eq!(
        reply.header("access-control-allow-headers"),
        Some("authorization, content-type, mcp-param-region")
    );
    client.send(post(origin, &call("1", "t", "{}"))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 401);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example.com"));
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate") && exposed.contains("mcp-session-id"));
    // Without an origin that may call there is no preflight.
    client.send("OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: POST\r\n\r\n").await;
    assert_eq!(client.reply().await.status(), 405);
}

#[tokio::test]
async fn what_a_request_must_look_like() {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, upstream.address).start();
    let good = post("", &call("1", "t", "{}"));
    let accept = "Accept: application/json, text/event-stream\r\n";
    let media = "Content-Type: application/json\r\n";
    let with = |field: &str, instead: &str| good.replace(field, instead);
    let cases = [
        (good.clone(), 200),
        (with("/mcp", "/"), 404),
        (with("/mcp", "/mcp/"), 404),
        (with("/mcp", "/MCP"), 404),
        (with("/mcp", "/%6dcp"), 404),
        (with("/mcp", "/x/../mcp"), 404),
        (with("/mcp", "/mcp?a=1"), 200),
        (with("POST", "PUT"), 405),
        (with("POST", "PATCH"), 405),
        (with("POST", "post"), 405),
        (with(media, ""), 415),
        (with(media, "Content-Type: text/plain\r\n"), 415),
        (with(media, "Content-Type: application/json; charset=utf-16\r\n"), 415),
        (with(media, &media.repeat(2)), 415),
        (with(media, &format!("{media}Content-Encoding: gzip\r\n")), 415),
        (with(media, &format!("{media}Content-Encoding: identity\r\n")), 200),
        (with(accept, ""), 200),
        (with(accept, "Accept: */*\r\n"), 200),
        (with(accept, "Accept: application/json\r\n"), 406),
        (with(accept, "Accept: text/event-stream\r\n"), 406),
        (with(media, &format!("{media}X_User_Id: 1\r\n")), 400),
        (with(media, &format!("{media}Mcp-Session-Id: a\r\nMcp-Session-Id: b\r\n")), 404),
        (with(media, &format!("{media}Last-Event-ID: a\r\nLast-Event-ID: b\r\n")), 400),
        (with(media, &format!("{media}Mcp-Method: tools/list\r\n")), 400),
        (with(media, &format!("{media}MCP-Protocol-Version: 1999-01-01\r\n")), 400),
        ("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400),
        ("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".to_owned(), 406),
        ("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n\r\n".to_owned(), 405),
        ("HEAD /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 405),
    ];
    for (request, status) in cases {
        let mut client = Wire::connect(gateway.address).await;
        client.send(&request).await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{request:?}: {head}");
        assert_eq!(upstream.unseen().len(), usize::from(status == 200), "{request:?}");
        if status == 405 {
            assert!(head.to_ascii_lowercase().contains("\r\nallow: post"), "{head}");
        }
    }
}

#[tokio::test]
async fn bodies_that_break_a_rule() {
    let upstream = Upstream::start().await;
    let gateway =
        Setup::new(OPEN, upstream.address()).config("[limits]\nmax_body = \"64KiB\"\n").start();
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{}{}}}}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    let large = call("1", "t", &format!(r#"{{"a":"{}"}}"#, "x".repeat(70_000)));
    let cases: &[(&str, u16, i64, Value, &str)] = &[
        ("", 400, -32700, Value::Null, "parse_error"),
        ("{nonsense", 400, -32700, Value::Null, "parse_error"),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,", 400, -32700, json!(1), "parse_error"),
        ("[]", 400, -32600, Value::Null, "batch_empty"),
        ("1", 400, -32600, Value::Null, "not_an_object"),
        (r#"{"id":3,"method":"ping"}"#, 400, -32600, json!(3), "jsonrpc_version"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, 400, -32600, Value::Null, "bad_id"),
        (
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}"#,
            400,
            -32600,
            Value::Null,
            "id_missing",
        ),
        (
            r#"{"jsonrpc":"2.0","id":4,"id":5,"method":"ping"}"#,
            400,
            -32600,
            json!(4),
            "duplicate_key",
        ),
        (
            r#"{"jsonrpc":"2.0","id":4,"method":"ping","Params":{}}"#,
            400,
            -32600,
            json!(4),
            "folded_key",
        ),
        (
            r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{}}"#,
            400,
            -32602,
            json!(4),
            "target_missing",
        ),
        (&deep, 400, -32600, json!(1), "too_deep"),
        (&large, 413, 413, json!(1), "body_too_large"),
    ];
    for (body, status, code, id, reason) in cases {
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", body)).await;
        let reply = client.reply().await;
        let error = reply.json();
        assert_eq!(reply.status(), *status, "{body:.80}: {error}");
        assert_eq!(error["error"]["code"], *code, "{body:.80}");
        assert_eq!(error["error"]["data"]["reason"], *reason, "{body:.80}");
        assert_eq!(error["id"], *id, "{body:.80}");
    }
    // The large one had begun to go up when it grew too large.
    let mut server = upstream.accept().await;
    let sent = server.try_request().await;
    assert!(sent.is_none_or(|request| !request.complete));
}

#[tokio::test]
async fn an_unsupported_version_names_those_that_are() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address())
        .config("revisions = [\"2025-06-18\", \"2025-11-25\"]")
        .start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("MCP-Protocol-Version: 2025-03-26\r\n", &call("1", "t", "{}"))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 400);
    let error = reply.json();
    assert_eq!(error["error"]["code"], -32022);
    assert_eq!(error["error"]["data"]["supported"], json!(["2025-11-25", "2025-06-18"]));
    assert_eq!(error["error"]["data"]["requested"], "2025-03-26");
}

#[tokio::test]
async fn identity_comes_from_the_token_alone() {
    let (issuer, authenticator) = issuer();
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let config = "[identity_headers]\nsub = \"X-User-Id\"\nplan = \"X-User-Plan\"\ngroups = \"X-Groups\"\n\
                  missing = \"X-Missing\"\norg.name = \"X-Org\"\n";
    let mut gateway =
        Setup::new(OPEN, upstream.address).config(config).authenticator(authenticator).start();
    let claims =
        json!({"plan": "pro\r\nX-Admin: 1", "groups": ["a,b", "c"], "org": {"name": "größe"}});
    let bearer = format!("Authorization: Bearer {}\r\n", token(&issuer, "u1", &claims));
    let forgeries = [
        "",
        "X-User-Id: root\r\n",
        "x-user-id: root\r\nX-USER-ID: root\r\n",
        "X-User-Plan: pro\r\nX-Groups: admin\r\nX-Missing: root\r\nX-Org: root\r\n",
        "Connection: X-User-Id, X-User-Plan, X-Forwarded-For, X-Request-Id, Host, Authorization\r\n",
        "Connection: close, x-user-id\r\nX-User-Id: root\r\n",
        "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: root\r\nX-Real-Ip: 6.6.6.6\r\n",
    ];
    for forgery in forgeries {
        let mut client = Wire::connect(gateway.address).await;
        client.send(post(&format!("{bearer}{forgery}"), &call("1", "t", "{}"))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), 200, "{forgery:?}: {reply:?}");
        let request = upstream.request().await;
        for (name, value) in [
            ("x-user-id", Some("u1")),
            ("x-user-plan", Some("pro%0D%0AX-Admin: 1")),
            ("x-groups", Some("a%2Cb,c")),
            ("x-org", Some("gr%C3%B6%C3%9Fe")),
            ("x-missing", None),
            ("x-admin", None),
            ("authorization", None),
            ("forwarded", None),
            ("x-real-ip", None),
            ("connection", None),
            ("x-forwarded-for", Some("127.0.0.1")),
            ("x-forwarded-host", Some("localhost")),
        ] {
            assert_eq!(request.header(name), value, "{forgery:?} {name}");
        }
        assert!(!request.head.contains("root") && !request.head.contains("6.6.6.6"), "{forgery:?}");
        let line = gateway.log().await;
        assert_eq!(
            line["principal"],
            json!({"kind": "jwt", "id": "u1", "issuer": "https://id.test/"})
        );
    }
    // The twin with an underscore is no header at all here.
    let mut client = Wire::connect(gateway.address).await;
    client.send(post(&format!("{bearer}X_User_Id: root\r\n"), &call("1", "t", "{}"))).await;
    // Scrubbed as a twin before it is refused as a name.
    assert_eq!(client.reply().await.status(), 200);
    assert!(!upstream.request().await.head.contains("root"));
    // A trailer is no header.
    let body = call("1", "t", "{}");
    let chunked = format!(
        "{}{:x}\r\n{body}\r\n0\r\nX-User-Id: root\r\n\r\n",
        post_head(&format!("{bearer}Transfer-Encoding: chunked\r\nTrailer: X-User-Id\r\n")),
        body.len()
    );
    client.send(chunked).await;
    assert_eq!(client.reply().await.status(), 200);
    let request = upstream.request().await;
    assert_eq!(request.header("x-user-id"), Some("u1"));
    assert_eq!(request.header("trailer"), None);
}

#[tokio::test]
async fn credentials_as_the_route_says() {
    let (issuer, _) = issuer();
    let bearer = format!("Bearer {}", token(&issuer, "u1", &json!({})));
    for (config, expected) in
        [("credentials = \"strip\"", None), ("credentials = \"forward\"", Some(&*bearer))]
    {
        let mut upstream = Upstream::start().await.answering(json_reply("{}"));
        let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
        let gateway =
            Setup::new(OPEN, upstream.address).config(config).authenticator(authenticator).start();
        let mut client = Wire::connect(gateway.address).await;
        client
            .send(post(
                &format!("Authorization: {bearer}\r\nCookie: s=1\r\n"),
                &call("1", "t", "{}"),
            ))
            .await;
        assert_eq!(client.reply().await.status(), 200);
        let request = upstream.request().await;
        assert_eq!(request.header("authorization"), expected, "{config}");
        assert_eq!(request.header("cookie"), None);
    }
}

#[tokio::test]
async fn callers_that_are_not_let_in() {
    let (issuer, authenticator) = issuer();
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).authenticator(authenticator).start();
    let good = token(&issuer, "u1", &json!({}));
    let forged = {
        let (head, _) = good.rsplit_once('.').unwrap();
        format!("{head}.{}", "A".repeat(86))
    };
    let cases = [
        (String::new(), 401, "credential_missing"),
        (format!("Authorization: Bearer {forged}\r\n"), 401, "token_signature"),
        ("Authorization: Bearer abc\r\n".to_owned(), 401, "token_not_jws"),
        ("Authorization: Basic dTpw\r\n".to_owned(), 400, "bad_scheme"),
        (
            format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {good}\r\n"),
            400,
            "two_credentials",
        ),
    ];
    for (fields, status, reason) in cases {
        let mut client = Wire::connect(gateway.address).await;
        client.send(post(&fields, &call("1", "t", "{}"))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), status, "{reason}");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
        assert_eq!(reply.json()["error"]["data"]["reason"], reason);
        let line = gateway.log().await;
        assert_eq!(line["reason"], reason);
        assert!(!line.to_string().contains(&forged) && !line.to_string().contains("dTpw"));
    }
    assert!(!upstream.was_called().await);
    // A stream and the end of a session ask for one just as well.
    for method in ["GET", "DELETE"] {
        let mut client = Wire::connect(gateway.address).await;
        client
            .send(format!("{method} /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: s\r\n\r\n"))
            .await;
        assert_eq!(client.reply().await.status(), 401, "{method}");
    }
}

/// T38: also where nobody needs a credential, one that is presented must be presented well.
#[tokio::test]
async fn a_token_in_the_query_is_refused_where_none_is_needed() {
    let (_, authenticator) = issuer();
    let upstream = Upstream::start().await;
    let optional = "[auth]\nrequired = false\n[[auth.jwt]]\nissuer = \"https://id.example/\"\n\
                    audience = \"a\"\njwks = \"file:jwks.json\"\n";
    let setup = Setup::new(OPEN, upstream.address()).config(optional).authenticator(authenticator);
    let gateway = setup.start();
    let ask = async |path: &str| {
        let mut client = Wire::connect(gateway.address).await;
        let request = post("", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client.send(request.replacen("/mcp", path, 1)).await;
        client
    };
    let mut client = ask("/mcp?access_token=x").await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 400);
    assert!(reply.header("www-authenticate").unwrap().contains("invalid_request"));
    assert!(!upstream.was_called().await);
    // Must pass: without one, nobody is somebody too.
    let _client = ask("/mcp?other=x").await;
    let _ = upstream.accept().await;
}

#[tokio::test]
async fn a_scope_that_is_missing_is_asked_for() {
    let policy = "[[allow]]\nname = \"write\"\ntools = [\"w\"]\nscopes = [\"notes:read\", \"notes:write\"]\n";
    let (issuer, authenticator) = issuer();
    let upstream = Upstream::start().await;
    let gateway = Setup::new(policy, upstream.address()).authenticator(authenticator).start();
    let bearer = token(&issuer, "u1", &json!({"scope": "notes:read"}));
    let mut client = Wire::connect(gateway.address).await;
    client.send(post(&format!("Authorization: Bearer {bearer}\r\n"), &call("1", "w", "{}"))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 403);
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"notes:read notes:write\""), "{challenge}");
    assert_eq!(reply.json()["id"], 1);
}

#[tokio::test]
async fn trusted_proxies_speak_for_others() {
    let config = "[listen]\naddress = \"127.0.0.1:0\"\ntrusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\n";
    let policy = "[[allow]]\nname = \"net\"\neverything = true\nwhen = 'cidr(\"203.0.113.0/24\").containsIP(client.ip)'\n";
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let mut gateway = Setup::new(policy, upstream.address).config(config).start();
    let cases = [
        ("X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9", true),
        ("X-Forwarded-For: 203.0.113.9, 10.0.0.1\r\n", "203.0.113.9", true),
        ("X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\n", "198.51.100.1", false),
        ("X-Forwarded-For: junk\r\n", "127.0.0.1", false),
        ("", "127.0.0.1", false),
    ];
    for (fields, peer, is_allowed) in cases {
        let mut client = Wire::connect(gateway.address).await;
        client
            .send(post(&format!("{fields}X-Forwarded-Proto: https\r\n"), &call("1", "t", "{}")))
            .await;
        let reply = client.reply().await;
        assert_eq!(reply.text() == "{}", is_allowed, "{fields:?}");
        assert_eq!(gateway.log().await["peer"], peer, "{fields:?}");
        for request in upstream.unseen() {
            assert!(request.header("x-forwarded-for").unwrap().ends_with(", 127.0.0.1"));
            assert_eq!(request.header("x-forwarded-proto"), Some("https"));
        }
    }
}

#[tokio::test]
async fn lists_show_what_may_be_called() {
    let policy = "[[allow]]\nname = \"some\"\ntools = [\"read_*\"]\n";
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read_a"},{"name":"wipe"},{"name":"read_b"}]}}"#;
    let upstream = Upstream::start().await.answering(json_reply(list));
    let mut gateway = Setup::new(policy, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.json()["result"]["tools"], json!([{"name": "read_a"}, {"name": "read_b"}]));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let line = gateway.log().await;
    assert_eq!((&line["hidden"], &line["outcome"]), (&json!(1), &json!("complete")));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_shown() {
    let policy = "[[allow]]\nname = \"some\"\ntools = [\"read_*\"]\n";
    let secret = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"secret"}]}}"#;
    let types = [
        ("text/html", 502),
        ("application/octet-stream", 502),
        // Mislabelled: a JSON text is no event stream, and the other way round.
        ("text/event-stream", 0),
    ];
    for (media, status) in types {
        let reply = json_reply(secret).replace("application/json", media);
        let upstream = Upstream::start().await.answering(reply);
        let gateway =
            Setup::new(policy, upstream.address).config("[limits]\nkeep_alive = \"1s\"\n").start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)).await;
        let (rest, _) = client.rest().await;
        let text = String::from_utf8_lossy(&rest);
        assert!(!text.contains("secret"), "{media}: {text}");
        assert!(!text.contains("\r\n0\r\n\r\n"), "{media}: looks complete: {text}");
        if status != 0 {
            assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{media}: {text}");
        }
    }
}

#[tokio::test]
async fn neither_arguments_nor_tokens_are_logged() {
    let (issuer, authenticator) = issuer();
    let mut upstream =
        Upstream::start().await.answering(json_reply("{\"canary\":\"reply-canary\"}"));
    let policy =
        "[[allow]]\nname = \"a\"\ntools = [\"*\"]\nwhen = 'args.path != \"/arg-canary\"'\n";
    let mut gateway = Setup::new(policy, upstream.address).authenticator(authenticator).start();
    let bearer = token(&issuer, "u1", &json!({"secret": "claim-canary"}));
    let mut client = Wire::connect(gateway.address).await;
    let fields = format!("Authorization: Bearer {bearer}\r\nCookie: cookie-canary\r\n");
    let calls =
        [("x\\u001b[31m\\u202e", "x\u{1b}[31m\u{202e}", "/arg-canary"), ("fine", "fine", "/fine")];
    for (spelt, tool, path) in calls {
        let arguments = format!(r#"{{"path":"{path}","other":"arg-canary"}}"#);
        client.send(post(&fields, &call("\"id-canary\"", spelt, &arguments))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), 200);
        let line = gateway.log().await;
        let text = line.to_string();
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains(&bearer));
        assert_eq!(line["target"], tool);
    }
    upstream.request().await;
}

#[tokio::test]
async fn request_ids() {
    let upstream = Upstream::start().await.answering(json_reply("{}"));
    let mut gateway = Setup::new(OPEN, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    for (fields, kept) in [
        ("X-Request-Id: 0123456789abcdef\r\n", true),
        ("X-Request-Id: short\r\n", false),
        ("X-Request-Id: has \"quotes\" and spaces\r\n", false),
        ("X-Request-Id: 0123456789abcdef\r\nX-Request-Id: 0123456789abcdee\r\n", false),
        ("", false),
    ] {
        client.send(post(fields, &call("1", "t", "{}"))).await;
        let reply = client.reply().await;
        let id = reply.header("x-request-id").unwrap();
        assert_eq!(id == "0123456789abcdef", kept, "{fields:?}");
        assert!(kept || uuid::Uuid::try_parse(id).is_ok());
        assert_eq!(gateway.log().await["request_id"], id);
    }
}

#[tokio::test]
async fn health() {
    let upstream = Upstream::start().await;
    let address = upstream.address();
    drop(upstream);
    let (_, authenticator) = issuer();
    let gateway = Setup::new("", address).authenticator(authenticator).start();
    let mut client = Wire::connect(gateway.address).await;
    for (line, status) in
        [("GET /healthz", 200), ("GET /readyz", 200), ("POST /healthz", 405), ("GET /livez", 404)]
    {
        client.send(format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert_eq!(client.reply().await.status(), status, "{line}");
    }
}

#[tokio::test]
async fn heads_that_are_too_large_or_too_slow() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address())
        .config("[limits]\nmax_headers = 20\nmax_head = \"8KiB\"\nheader_timeout = \"1s\"\nkeep_alive = \"1s\"\n")
        .start();
    let many: String = (0..30).map(|n| format!("X-{n}: a\r\n")).collect();
    for fields in [many, format!("X-Long: {}\r\n", "a".repeat(20_000))] {
        let mut client = Wire::connect(gateway.address).await;
        let _ = client.try_send(post(&fields, &call("1", "t", "{}"))).await;
        let (rest, _) = client.rest().await;
        let text = String::from_utf8_lossy(&rest);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    }
    assert!(!upstream.was_called().await);
    // Nothing at all; half a head; half a head after a request.
    let mut silent = Wire::connect(gateway.address).await;
    let mut half = Wire::connect(gateway.address).await;
    half.send("POST /mcp HTTP/1.1\r\nHost: loc").await;
    let mut again = Wire::connect(gateway.address).await;
    again.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(again.reply().await.status(), 200);
    again.send("GET /healthz HT").await;
    let mut idle = Wire::connect(gateway.address).await;
    idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(idle.reply().await.status(), 200);
    for client in [&mut silent, &mut half, &mut again, &mut idle] {
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_body_that_stalls() {
    let upstream = Upstream::start().await;
    let mut gateway =
        Setup::new(OPEN, upstream.address()).config("[limits]\nbody_idle = \"1s\"\n").start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post_head("Content-Length: 1000\r\n")).await;
    client.send(r#"{"jsonrpc":"2.0","#).await;
    assert_eq!(client.reply().await.status(), 408);
    assert_eq!(gateway.log().await["reason"], "body_timeout");
    // After it had begun to go up.
    let mut client = Wire::connect(gateway.address).await;
    client.send(post_head("Content-Length: 1000\r\n")).await;
    client
        .send(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}"#,
        )
        .await;
    let mut server = upstream.accept().await;
    assert_eq!(client.reply().await.status(), 408);
    assert!(server.try_request().await.is_none_or(|request| !request.complete));
}

#[tokio::test]
async fn a_body_that_trickles() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post_head("Content-Length: 1000000\r\n")).await;
    // Never idle for as long as that would take, but slower than any real client.
    let began = std::time::Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let trickle = async {
        while client.try_send(" ").await {
            tick.tick().await;
        }
    };
    let line = tokio::select! {
        () = trickle => gateway.log().await,
        line = gateway.log() => line,
    };
    assert_eq!(line["reason"], "body_timeout");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn bytes_that_are_no_http_are_logged() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let cases =
        [("\x16\x03\x01\x02\r\n\r\n", "not_http"), ("GET / HTTP/1.1\r\nA : b\r\n\r\n", "not_http")];
    for (bytes, reason) in cases {
        let mut client = Wire::connect(gateway.address).await;
        client.send(bytes).await;
        assert!(client.reply().await.head.starts_with("HTTP/1.1 400"));
        assert_eq!(gateway.log().await["reason"], reason);
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_credential_that_opened_it() {
    let (issuer, authenticator) = issuer();
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).authenticator(authenticator).start();
    let now = mcpfw::observe::wall_clock_ms() / 1000;
    let bearer = issuer.sign("u1", serde_json::Map::new(), now, 2).unwrap();
    let mut client = Wire::connect(gateway.address).await;
    client
        .send(format!(
            "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {bearer}\r\n\r\n"
        ))
        .await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(crate::support::wire::STREAM).await;
    server.send(chunk("data: {\"method\":\"notifications/x\"}\n\n")).await;
    client.until("data: {\"method\":\"notifications/x\"}\n\n").await;
    client.until("0\r\n\r\n").await;
    assert!(server.is_closed().await);
    assert_eq!(gateway.log().await["outcome"], "expired");
}

/// The task of an HTTP/2 connection is not that of its streams: it must hear of every piece that a stream has taken, or the
/// client waits for room that it already has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_over_http2_does_not_wait() {
    let mut upstream = Upstream::start().await.answering(json_reply("{\"n\":1}"));
    let gateway = Setup::new(OPEN, upstream.address).start();
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    // Some sixteen times what a stream may send unasked.
    let body = call("1", "t", &format!(r#"{{"blob":"{}"}}"#, "x".repeat(1_000_000)));
    let request = hyper::Request::post("http://localhost/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Full::new(Bytes::from(body.clone())))
        .unwrap();
    let sent = sender.send_request(request);
    let reply = tokio::time::timeout(Duration::from_secs(10), sent).await.unwrap().unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(upstream.request().await.text(), body);
}

/// A client that reads its connection but not one of its streams loses that stream, and only that one (T30).
#[tokio::test]
async fn an_http2_stream_that_is_not_read() {
    let large = "x".repeat(2_000_000);
    let upstream =
        Upstream::start().await.answering(json_reply(&format!("{{\"result\":\"{large}\"}}")));
    let mut gateway = Setup::new(OPEN, upstream.address).start();
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(65_535)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = || {
        hyper::Request::post("http://localhost/mcp")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(Full::new(Bytes::from(call("1", "t", "{}"))))
            .unwrap()
    };
    let unread = sender.send_request(request()).await.unwrap();
    assert_eq!(unread.status(), 200);
    // The part that needs no leave arrives, and the stream waits for leave to send more.
    for _ in 0..2000 {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert_eq!(gateway.log().await["outcome"], "client_left");
    assert!(unread.into_body().collect().await.is_err());
    let read = sender.send_request(request()).await.unwrap();
    assert_eq!(read.into_body().collect().await.unwrap().to_bytes().len(), large.len() + 13);
    assert_eq!(gateway.log().await["outcome"], "complete");
}

/// Nothing comes on a stream of a session while the gateway stops: it ends all the same, at once and between two events.
#[tokio::test]
async fn a_stop_ends_streams_of_http2() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let listen = hyper::Request::get("http://localhost/mcp")
        .header("accept", "text/event-stream")
        .body(Full::new(Bytes::new()))
        .unwrap();
    let reply = tokio::spawn(sender.send_request(listen));
    let mut server = upstream.accept().await;
    server.request().await;
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    server.send(head).await;
    server.send(chunk("data: {\"method\":\"notifications/x\"}\n\n")).await;
    let mut events = reply.await.unwrap().unwrap().into_body();
    assert_eq!(
        events.frame().await.unwrap().unwrap().into_data().unwrap(),
        "data: {\"method\":\"notifications/x\"}\n\n"
    );
    gateway.stop();
    // An end, and no reset.
    assert_eq!(events.collect().await.unwrap().to_bytes(), "");
    assert_eq!(gateway.log().await["outcome"], "drained");
    gateway.stopped().await;
}

#[tokio::test]
async fn http2_with_prior_knowledge() {
    let mut upstream = Upstream::start().await.answering(json_reply("{\"n\":1}"));
    let (issuer, authenticator) = issuer();
    let gateway = Setup::new(OPEN, upstream.address)
        .config("[identity_headers]\nsub = \"X-User-Id\"\n")
        .authenticator(authenticator)
        .start();
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let bearer = token(&issuer, "u1", &json!({}));
    let request = |host: &str, body: String| {
        hyper::Request::post(format!("http://{host}/mcp"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("authorization", format!("Bearer {bearer}"))
            .header("x-user-id", "root")
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    };
    let body = call("1", "t", &format!(r#"{{"blob":"{}"}}"#, "x".repeat(300_000)));
    let reply = sender.send_request(request("localhost", body.clone())).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "{\"n\":1}");
    let sent = upstream.request().await;
    assert_eq!(sent.text(), body);
    assert_eq!(sent.header("x-user-id"), Some("u1"));
    assert_eq!(sent.header("x-forwarded-host"), Some("localhost"));
    let reply = sender.send_request(request("evil.example", body)).await.unwrap();
    assert_eq!(reply.status(), 421);
    // Refusals that close an HTTP/1 connection have no connection header here.
    let mut upgrade = request("localhost", String::new());
    upgrade.headers_mut().insert("expect", "nothing".parse().unwrap());
    assert_eq!(sender.send_request(upgrade).await.unwrap().status(), 417);
}
