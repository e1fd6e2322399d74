//! How large and how long: `timeout`, `max_args` and `max_result` of limits, and what the config says of streams.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{STREAM, Upstream, Wire, call, chunk, json_reply, post, post_head};

fn policy(bounds: &str) -> String {
    format!(
        "{OPEN}[[limit]]\nname = \"bounds\"\ntools = [\"t\"]\n{bounds}\n[[limit]]\nname = \"loose\"\ntimeout = \"1h\"\nmax_args = \"1MiB\"\nmax_result = \"1MiB\"\n"
    )
}

/// A call whose arguments have `len` bytes.
fn sized(len: usize) -> String {
    call("1", "t", &format!(r#"{{"a":"{}"}}"#, "x".repeat(len - r#"{"a":""}"#.len())))
}

#[tokio::test]
async fn arguments_have_an_edge() {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let mut gateway = Setup::new(&policy("max_args = \"100B\""), upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    for (body, passes) in [
        (sized(100), true),
        (sized(101), false),
        (sized(101).replace("\"t\"", "\"u\""), true),
        (format!("[{}]", sized(100)), true),
        (format!("[{},{}]", sized(20).replace(":1,", ":2,"), sized(101)), false),
    ] {
        client.send(post("", &body)).await;
        let reply = client.reply().await;
        let line = gateway.log().await;
        if passes {
            assert_eq!(reply.status(), 200, "{body}");
            assert_eq!(upstream.request().await.text(), body);
        } else {
            assert_eq!(
                (reply.status(), &line["reason"], &line["rule"]),
                (413, &json!("arguments_too_large"), &json!("bounds")),
                "{body}"
            );
            assert!(reply.text().contains("\"code\":413"), "{}", reply.text());
        }
    }
    assert!(upstream.unseen().is_empty());
}

/// What is too large is found while it streams: the upstream never sees a complete body.
#[tokio::test]
async fn arguments_that_stream_have_the_same_edge() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(&policy("max_args = \"1000B\""), upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = sized(1001);
    let (first, rest) = body.split_at(200);
    client.send(post_head("Transfer-Encoding: chunked\r\n")).await;
    client.send(chunk(first)).await;
    let mut server = upstream.accept().await;
    server.head().await;
    client.send(chunk(rest)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status(), &reply.json()["id"]), (413, &json!(1)));
    let (seen, _) = server.rest().await;
    assert!(!seen.ends_with(b"0\r\n\r\n"));
    assert_eq!(gateway.log().await["reason"], "arguments_too_large");
}

#[tokio::test]
async fn results_have_an_edge() {
    let result = |len: usize| {
        let frame = r#"{"id":1,"result":""}"#;
        format!(r#"{{"id":1,"result":"{}"}}"#, "x".repeat(len - frame.len()))
    };
    let heads = [(false, "Content-Length: LEN\r\n"), (true, "Transfer-Encoding: chunked\r\n")];
    for config in ["elicitation_hosts = [\"*\"]", ""] {
        for (is_chunked, head) in heads {
            for (len, passes) in [(100, true), (101, false)] {
                let upstream = Upstream::start().await;
                let mut gateway = Setup::new(&policy("max_result = \"100B\""), upstream.address())
                    .config(config)
                    .start();
                let mut client = Wire::connect(gateway.address).await;
                client.send(post("", &call("1", "t", "{}"))).await;
                let mut server = upstream.accept().await;
                server.request().await;
                let body = result(len);
                let head = head.replace("LEN", &len.to_string());
                server
                    .send(format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n"
                    ))
                    .await;
                if is_chunked {
                    server.send(chunk(&body) + "0\r\n\r\n").await;
                } else {
                    server.send(&body).await;
                }
                if is_chunked && !passes {
                    let (out, _) = client.rest().await;
                    assert!(!out.ends_with(b"0\r\n\r\n"));
                    assert_eq!(gateway.log().await["reason"], "reply_too_large");
                    continue;
                }
                let reply = client.reply().await;
                assert_eq!(reply.status(), 200);
                let line = gateway.log().await;
                if passes {
                    assert_eq!(reply.text(), body);
                } else {
                    assert_eq!(
                        (&reply.json()["id"], &reply.json()["error"]["code"]),
                        (&json!(1), &json!(413))
                    );
                    assert_eq!(
                        (&line["reason"], &line["rule"]),
                        (&json!("result_too_large"), &json!("bounds"))
                    );
                }
            }
        }
    }
}

fn events(out: &str) -> Vec<Value> {
    let data = out.split("data: ").skip(1).map(|rest| rest.split('\n').next().unwrap());
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[tokio::test]
async fn a_call_has_its_time() {
    for starts in [false, true] {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(&policy("timeout = \"1s\""), upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &call("1", "t", "{}"))).await;
        let mut server = upstream.accept().await;
        server.request().await;
        let error = if starts {
            server.send(STREAM).await;
            server.send(chunk("id: 1\ndata: {\"method\":\"notifications/x\"}\n\n")).await;
            // Between two events the client is told, and the stream ends well.
            let out = client.until("0\r\n\r\n").await;
            assert_eq!(gateway.log().await["outcome"], "upstream_lost");
            events(&out).pop().unwrap()
        } else {
            let reply = client.reply().await;
            assert_eq!(reply.status(), 504);
            assert_eq!(gateway.log().await["reason"], "call_timeout");
            reply.json()
        };
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(1), &json!(504)));
        assert_eq!(error["error"]["data"]["reason"], "call_timeout");
        // The server learns of it, too.
        server.rest().await;
    }
}

/// Inside an event nothing can be said without completing it.
#[tokio::test]
async fn time_that_is_up_inside_an_event_cuts_it_off() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&policy("timeout = \"1s\""), upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk("data: {\"id\":1,\"result\":{\"a\":")).await;
    client.until("\"a\":").await;
    let (rest, _) = client.rest().await;
    assert_eq!(String::from_utf8_lossy(&rest), "\r\n");
}

#[tokio::test]
async fn a_stream_has_its_size() {
    let upstream = Upstream::start().await;
    let config = "[limits]\nmax_stream = \"1KiB\"\nmax_event = \"2KiB\"\n";
    let mut gateway = Setup::new(OPEN, upstream.address()).config(config).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    let event =
        format!("data: {{\"method\":\"notifications/x\",\"pad\":\"{}\"}}\n\n", "p".repeat(1500));
    server.send(chunk(&event)).await;
    // The event that fills it passes whole; behind it comes the end.
    let out = client.until("0\r\n\r\n").await;
    let told = events(&out);
    assert_eq!((told.len(), &told[1]["error"]["data"]["reason"]), (2, &json!("stream_too_long")));
    assert_eq!(gateway.log().await["reason"], "stream_too_long");
    // An event that is too large never ends.
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk(&event.replace("\"}\n", &format!("{}\"}}\n", "p".repeat(1000))))).await;
    let (out, _) = client.rest().await;
    assert!(!String::from_utf8_lossy(&out).contains("\n\n\r\n"));
    assert_eq!(gateway.log().await["reason"], "reply_too_large");
}

#[tokio::test]
async fn a_session_stream_comes_of_age() {
    let upstream = Upstream::start().await;
    let mut gateway =
        Setup::new(OPEN, upstream.address()).config("[limits]\nstream_age = \"1s\"\n").start();
    let mut client = Wire::connect(gateway.address).await;
    client.send("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n").await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk("data: {\"method\":\"notifications/x\"}\n\n")).await;
    tokio::time::timeout(Duration::from_secs(20), client.until("0\r\n\r\n")).await.unwrap();
    assert_eq!(gateway.log().await["outcome"], "expired");
}
