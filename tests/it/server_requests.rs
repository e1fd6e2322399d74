//! What a server asks of its client, through a whole gateway: refused, answered in the client's place, let through and answered.

use serde_json::json;

use crate::support::gateway::{OPEN, Running, Setup};
use crate::support::wire::{
    MODERN, STREAM, Upstream, Wire, call, chunk, json_reply, modern_call, post,
};

/// Calls, and forms; no sampling, no roots.
const FORMS: &str = "[[allow]]\nname = \"calls\"\ntools = [\"*\"]\n\
    [[allow]]\nname = \"forms\"\nserver_requests = [\"elicitation/create\"]\n\
    [[limit]]\nname = \"few calls\"\nper = [\"client.ip\"]\nrate = \"2/min\"\n\
    [[limit]]\nname = \"few forms\"\nserver_requests = [\"*\"]\nper = [\"client.ip\"]\nrate = \"2/min\"\n";

const SAMPLING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}"#;
const FORM: &str = r#"{"jsonrpc":"2.0","id":"f","method":"elicitation/create","params":{"message":"m","requestedSchema":{}}}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

fn event(message: &str) -> String {
    chunk(&format!("data: {message}\n\n"))
}

fn initialize() -> String {
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#.to_owned()
}

/// A call that has reached its server.
struct Stage {
    upstream: Upstream,
    gateway: Running,
    client: Wire,
    server: Wire,
}

/// `request` on its way, under `policy` and with `config`.
async fn called(policy: &str, config: &str, request: String) -> Stage {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(policy, upstream.address()).config(config).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    let mut server = upstream.accept().await;
    server.request().await;
    Stage { upstream, gateway, client, server }
}

/// Tool `t` is called, and its server has begun to answer with a stream.
async fn streaming(policy: &str, config: &str) -> Stage {
    let mut stage = called(policy, config, post("", &call("1", "t", "{}"))).await;
    stage.server.send(STREAM).await;
    stage
}

#[tokio::test]
async fn a_refused_request_is_answered_to_the_server() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(FORMS, upstream.address())
        .config("credentials = { value = \"ours\" }\n[identity_headers]\nsub = \"X-User-Id\"")
        .start();
    // A session, so that the answer has to find its way into it.
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &initialize())).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server
        .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: raw\r\nContent-Length: 24\r\n\r\n{\"id\":0,\"result\":{}}    ")
        .await;
    let session = client.reply().await.header("mcp-session-id").unwrap().to_owned();
    gateway.log().await;

    let headers = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n");
    client.send(post(&headers, &call("1", "t", "{}"))).await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk(&format!("id: 4\nevent: message\ndata: {SAMPLING}\n\n"))).await;
    // The id of the event stays, so that a stream is resumed behind it.
    let out = client.until("id: 4\nevent: message\n").await;
    assert!(!out.contains("sampling"), "{out}");
    let mut answers = upstream.accept().await;
    let answer = answers.request().await;
    assert_eq!(answer.header("mcp-session-id"), Some("raw"));
    assert_eq!(answer.header("mcp-protocol-version"), Some("2025-11-25"));
    assert_eq!(answer.header("authorization"), Some("ours"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!((&body["id"], &body["error"]["code"]), (&json!(7), &json!(403)));
    assert_eq!(body["error"]["data"]["reason"], "server_request_refused");
    answers.send(ACCEPTED).await;
    server.send(event(RESULT)).await;
    server.send("0\r\n\r\n").await;
    let rest = client.until("0\r\n\r\n").await;
    assert!(rest.contains(RESULT) && !rest.contains("sampling"), "{rest}");
    let line = gateway.log().await;
    assert_eq!((&line["server_refused"], &line["outcome"]), (&json!(1), &json!("complete")));
}

#[tokio::test]
async fn a_permitted_request_is_answered_once() {
    let Stage { upstream, mut gateway, mut client, mut server } = streaming(FORMS, "").await;
    server.send(event(FORM)).await;
    client.until(FORM).await;
    // Nobody asked under this id, nor for a number.
    let mut other = Wire::connect(gateway.address).await;
    for id in ["\"g\"", "7", "1"] {
        other.send(post("", &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#))).await;
        assert_eq!(other.reply().await.status(), 403);
        gateway.log().await;
    }
    let answer = r#"{"jsonrpc":"2.0","id":"f","result":{"action":"accept","content":{}}}"#;
    other.send(post("", answer)).await;
    let mut posted = upstream.accept().await;
    assert_eq!(posted.request().await.text(), answer);
    posted.send(ACCEPTED).await;
    assert_eq!(other.reply().await.status(), 202);
    other.send(post("", answer)).await;
    assert_eq!(other.reply().await.status(), 403);
}

/// The TypeScript SDK writes the id last: what it answers is known when all of it has come.
#[tokio::test]
async fn an_answer_may_be_large_and_name_its_request_last() {
    let frame = r#"{"result":{"content":{"a":""}},"jsonrpc":"2.0","id":"f"}"#;
    let answer =
        |len: usize| frame.replace("\"\"", &format!("\"{}\"", "x".repeat(len - frame.len())));
    // To the end of the id; the brace behind it waits for nothing.
    for (len, status) in [((100 << 10) + 1, 202), ((100 << 10) + 2, 400)] {
        let config = "[limits]\nmax_response = \"100KiB\"";
        let Stage { upstream, gateway, mut client, mut server } = streaming(FORMS, config).await;
        server.send(event(FORM)).await;
        client.until(FORM).await;
        let mut other = Wire::connect(gateway.address).await;
        other.send(post("", &answer(len))).await;
        if status == 202 {
            let mut posted = upstream.accept().await;
            assert_eq!(posted.request().await.text().len(), len);
            posted.send(ACCEPTED).await;
        }
        assert_eq!(other.reply().await.status(), status);
    }
}

/// A limit counts what it selects; one of everything counts what clients call.
#[tokio::test]
async fn limits_count_what_they_select() {
    let Stage { upstream, mut gateway, mut client, mut server } = streaming(FORMS, "").await;
    for id in 0..3 {
        server.send(event(&FORM.replace("\"f\"", &id.to_string()))).await;
    }
    let out = client.until("\"id\":1,").await;
    assert!(!out.contains("\"id\":2,"), "{out}");
    let mut answers = upstream.accept().await;
    assert_eq!(answers.request().await.json()["id"], 2);
    answers.send(ACCEPTED).await;
    server.send(event(RESULT)).await;
    server.send("0\r\n\r\n").await;
    client.until("0\r\n\r\n").await;
    assert_eq!(gateway.log().await["server_refused"], 1);
    // The requests cost no call.
    client.send(post("", &call("2", "t", "{}"))).await;
    server.request().await;
    server.send(json_reply(RESULT)).await;
    assert_eq!(client.reply().await.status(), 200);
}

/// A modern server asks in its result.
#[tokio::test]
async fn a_result_that_asks_for_too_much_is_an_error() {
    let asks = |request: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":5,"result":{{"resultType":"input_required","inputRequests":{{"k":{request}}}}}}}"#
        )
    };
    let url = |url: &str| {
        format!(
            r#"{{"method":"elicitation/create","params":{{"mode":"url","url":"{url}","message":"m"}}}}"#
        )
    };
    let table = [
        (asks(r#"{"method":"elicitation/create","params":{"message":"m"}}"#), true),
        (asks(&url("https://pay.example/x")), true),
        (asks(r#"{"method":"sampling/createMessage","params":{}}"#), false),
        (asks(&url("https://evil.example/x")), false),
        (asks(&url("http://pay.example/x")), false),
    ];
    let policy = FORMS.replace("2/min", "100/min");
    for (message, passes) in table {
        for is_stream in [false, true] {
            let config = "elicitation_hosts = [\"pay.example\"]";
            let request = post(MODERN, &modern_call("5"));
            let Stage { mut gateway, mut client, mut server, .. } =
                called(&policy, config, request).await;
            let body = if is_stream {
                server.send(STREAM).await;
                server.send(event(&message)).await;
                server.send("0\r\n\r\n").await;
                let out = client.until("0\r\n\r\n").await;
                let data = out.split("data: ").nth(1).unwrap().split('\n').next().unwrap();
                data.trim().to_owned()
            } else {
                server.send(json_reply(&message)).await;
                client.reply().await.text().to_owned()
            };
            let line = gateway.log().await;
            if passes {
                assert_eq!(body, message);
                assert_eq!(line.get("server_refused"), None);
            } else {
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                assert_eq!(
                    (&body["id"], &body["error"]["code"]),
                    (&json!(5), &json!(403)),
                    "{message}"
                );
                assert_eq!(body["error"]["data"]["reason"], "input_request_refused");
                assert_eq!(line["server_refused"], 1);
            }
        }
    }
}

/// A legacy server sends the user to a URL with an error.
#[tokio::test]
async fn an_error_that_sends_the_user_too_far_is_another() {
    let error = |url: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":5,"error":{{"code":-32042,"message":"m","data":{{"elicitations":[{{"mode":"url","elicitationId":"e","url":"{url}","message":"m"}}]}}}}}}"#
        )
    };
    for (url, passes) in [("https://pay.example/x", true), ("https://evil.example/x", false)] {
        for is_stream in [false, true] {
            let config = "elicitation_hosts = [\"pay.example\"]";
            let request = post("", &call("5", "t", "{}"));
            let Stage { gateway: _gateway, mut client, mut server, .. } =
                called(FORMS, config, request).await;
            let out = if is_stream {
                server.send(STREAM).await;
                server.send(event(&error(url))).await;
                server.send("0\r\n\r\n").await;
                client.until("0\r\n\r\n").await
            } else {
                server.send(json_reply(&error(url))).await;
                client.reply().await.text().to_owned()
            };
            assert_eq!(out.contains(url), passes, "{out}");
            assert!(out.contains(r#""id":5,"error""#), "{out}");
        }
    }
}

/// Where nothing could be refused, nothing is looked at: not even whether it is JSON.
#[tokio::test]
async fn without_a_rule_nothing_is_held() {
    let hosts = "elicitation_hosts = [\"*\"]";
    let Stage { gateway: _gateway, mut client, mut server, .. } = streaming(OPEN, hosts).await;
    for piece in ["d", "ata: no", " JSON\n\nfoo: bar\n\n", "data: {\"method\":\"samp"] {
        server.send(chunk(piece)).await;
        client.until(piece).await;
    }
}

/// Nobody answers what stands in a batch of JSON: what is remembered of it is bounded.
#[tokio::test]
async fn refusals_without_an_answer_are_bounded() {
    for (count, passes) in [(4_096, true), (4_097, false)] {
        let request = post("", &call("1", "t", "{}"));
        let Stage { mut gateway, mut client, mut server, .. } = called(FORMS, "", request).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        server.send(head).await;
        let batch = format!("[{}]", vec![SAMPLING; count].join(","));
        server.send(chunk(&batch) + "0\r\n\r\n").await;
        if passes {
            client.until("0\r\n\r\n").await;
        } else {
            let (out, _) = client.rest().await;
            assert!(!out.ends_with(b"0\r\n\r\n"));
        }
        let line = gateway.log().await;
        assert_eq!(line["outcome"], if passes { "complete" } else { "reply_refused" });
    }
}
