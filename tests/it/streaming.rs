//! Tests of: streaming. What is sent when, and what a broken stream looks like from the other side.
//!
//! Order is proved by handshakes: the test holds both ends, and one end does its next step only after the other has seen the
//! last one.

#![expect(clippy::string_slice, reason = "a test fails by panicking")]

use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{
    MODERN, STREAM, Upstream, Wire, call, chunk, json_reply, modern_call, post, post_head,
};

#[tokio::test]
async fn an_event_arrives_before_the_next_is_sent() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    let head = client.head().await;
    assert!(head.contains("200 OK"), "{head}");
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("cache-control: no-cache, no-transform"), "{head}");
    assert!(lower.contains("x-accel-buffering: no"), "{head}");
    for n in 0..5 {
        let event = format!("data: {{\"n\":{n}}}\n\n");
        server.send(chunk(&event)).await;
        client.until(&event).await;
    }
    // Half an event is not held back either: nothing in it is to be judged.
    server.send(chunk("data: {\"method\":\"notifications/x\",\"ha")).await;
    client.until("data: {\"method\":\"notifications/x\",\"ha").await;
    server.send(chunk("lf\":1}\n\n")).await;
    server.send("0\r\n\r\n").await;
    client.until("0\r\n\r\n").await;
    assert_eq!(gateway.log().await["outcome"], "complete");
}

#[tokio::test]
async fn a_quiet_stream_gets_comments_between_events_and_never_inside_one() {
    let upstream = Upstream::start().await;
    let config = "[limits]\nstream_comment = \"1s\"\nstream_idle = \"3s\"\n";
    let mut gateway = Setup::new(OPEN, upstream.address()).config(config).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    client.head().await;
    // Before the first event, and between two.
    client.until(":\n\n").await;
    server.send(chunk("data: {\"method\":\"notifications/x\"}\n\n")).await;
    client.until("data: {\"method\":\"notifications/x\"}\n\n").await;
    client.until(":\n\n").await;
    // Half an event stays half: what comes next is what the upstream did, which is nothing until it is given up.
    server.send(chunk("data: {\"method\":\"notifications/x\",\"ha")).await;
    client.until("data: {\"method\":\"notifications/x\",\"ha").await;
    let (rest, _) = client.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains(':'), "{rest:?}");
    assert_eq!(gateway.log().await["outcome"], "upstream_lost");
}

/// The upstream answers before it has read the body, and the client is still sending: neither is left waiting.
#[tokio::test]
async fn an_early_reply_ends_the_exchange_while_the_body_is_on_its_way() {
    let body = call("1", "t", &format!(r#"{{"blob":"{}"}}"#, "x".repeat(300_000)));
    let (first, _) = body.split_at(100_000);
    let early = json_reply(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post_head(&format!("Content-Length: {}\r\n", body.len()))).await;
    client.send(first).await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send(&early).await;
    assert_eq!(client.reply().await.status(), 200);
    // The rest of the body is of no use to anybody: both connections end at once, without another byte from either side.
    client.rest().await;
    server.rest().await;
    assert_eq!(gateway.log().await["status"], 200);
}

#[tokio::test]
async fn a_large_argument_streams_while_it_is_read() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = call("1", "t", &format!(r#"{{"blob":"{}"}}"#, "x".repeat(300_000)));
    let (first, rest) = body.split_at(100_000);
    client.send(post_head(&format!("Content-Length: {}\r\n", body.len()))).await;
    client.send(first).await;
    let mut server = upstream.accept().await;
    let head = server.head().await.to_ascii_lowercase();
    // The client's own framing goes on.
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    server.until(first).await;
    client.send(rest).await;
    server.until(rest).await;
    server.send(json_reply("{}")).await;
    assert_eq!(client.reply().await.text(), "{}");
}

#[tokio::test]
async fn the_last_brace_waits_for_the_end_of_the_body() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post_head("Transfer-Encoding: chunked\r\n")).await;
    let body = call("1", "t", r#"{"a":1}"#);
    client.send(chunk(&body)).await;
    let mut server = upstream.accept().await;
    server.until(&body[..body.len() - 1]).await;
    // Spaces are harmless, but they show that the brace is still here.
    client.send(chunk("  ")).await;
    client.send("0\r\n\r\n").await;
    let rest = server.until("0\r\n\r\n").await;
    assert_eq!(rest.replace("\r\n", "|"), "|1|}|2|  |0||");
    server.send(json_reply("{}")).await;
    assert_eq!(client.reply().await.status(), 200);
}

#[tokio::test]
async fn a_late_violation_leaves_the_upstream_with_half_a_body() {
    let filler = "x".repeat(100_000);
    let tails = [
        // (tail of the body, reason)
        (r#"}},"method":"tools/list"}"#, "duplicate_key"),
        (r#"}},"Method":"tools/list"}"#, "folded_key"),
        (r#"}}}{"jsonrpc":"2.0"}"#, "trailing_bytes"),
        (r#"}}"#, "parse_error"),
        ("\u{1}}}}", "parse_error"),
    ];
    for (tail, reason) in tails {
        for chunked in [true, false] {
            let upstream = Upstream::start().await;
            let mut gateway = Setup::new(OPEN, upstream.address()).start();
            let mut client = Wire::connect(gateway.address).await;
            let start = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"t","arguments":{"blob":""#;
            let (first, second) = (format!("{start}{filler}"), format!("\"{tail}"));
            if chunked {
                client.send(post_head("Transfer-Encoding: chunked\r\n")).await;
                client.send(chunk(&first)).await;
            } else {
                let length = first.len() + second.len();
                client.send(post_head(&format!("Content-Length: {length}\r\n"))).await;
                client.send(&first).await;
            }
            let mut server = upstream.accept().await;
            server.until_count(b'x', filler.len()).await;
            let last = if chunked { format!("{}0\r\n\r\n", chunk(&second)) } else { second };
            client.send(last).await;
            let reply = client.reply().await;
            assert_eq!(reply.status(), 400, "{tail}: {reply:?}");
            assert_eq!(reply.json()["id"], 5, "{tail}");
            assert_eq!(reply.json()["error"]["data"]["reason"], reason, "{tail}");
            let (rest, _) = server.rest().await;
            assert!(!rest.ends_with(b"0\r\n\r\n"), "{tail}: the body looked complete");
            let rest = String::from_utf8_lossy(&rest);
            if !chunked {
                assert!(rest.len() < tail.len() + 1, "{tail}: all bytes came");
            }
            assert!(!rest.ends_with("}}}"), "{tail}: {rest}");
            assert_eq!(gateway.log().await["reason"], reason);
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_upstream_with_it() {
    // Before the reply.
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    drop(client);
    assert!(server.is_closed().await);
    assert_eq!(gateway.log().await["outcome"], "client_left");
    // In the middle of a stream.
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk("data: {\"method\":\"notifications/x\"}\n\n")).await;
    client.until("data: {\"method\":\"notifications/x\"}\n\n").await;
    drop(client);
    assert!(server.is_closed().await);
    assert_eq!(gateway.log().await["outcome"], "client_left");
    // In the middle of a request.
    let mut client = Wire::connect(gateway.address).await;
    client.send(post_head("Transfer-Encoding: chunked\r\n")).await;
    let body = call("1", "t", r#"{"a":1}"#);
    client.send(chunk(&body)).await;
    let mut server = upstream.accept().await;
    server.until(&body[..body.len() - 1]).await;
    drop(client);
    let (rest, _) = server.rest().await;
    assert_eq!(String::from_utf8_lossy(&rest), "\r\n", "neither the brace nor the last chunk");
}

#[tokio::test]
async fn a_json_reply_that_breaks_off_never_looks_complete() {
    let heads = [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"result\":{}}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{\"result\":{}}\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{\"result\":{}}\r\n5\r\n ",
    ];
    for head in heads {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(OPEN, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &call("1", "t", "{}"))).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(head).await;
        client.until("{\"result\":{}").await;
        drop(server);
        let (rest, _) = client.rest().await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(!rest.contains("0\r\n\r\n"), "{rest:?}");
        assert_eq!(gateway.log().await["outcome"], "upstream_lost");
    }
}

/// Of a short reply nothing goes before all of it is there: the caller is told what happened.
#[tokio::test]
async fn a_short_json_reply_that_breaks_off_is_an_error() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server
        .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"result\":{}")
        .await;
    drop(server);
    let reply = client.reply().await;
    assert_eq!(reply.status(), 502);
    assert_eq!(
        (&reply.json()["id"], &reply.json()["error"]["data"]["reason"]),
        (&1.into(), &"upstream_lost".into())
    );
    assert_eq!(gateway.log().await["reason"], "upstream_lost");
}

#[tokio::test]
async fn a_stream_that_breaks_off_inside_an_event_is_reset() {
    for modern in [true, false] {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(OPEN, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        let request =
            if modern { post(MODERN, &modern_call("9")) } else { post("", &call("9", "t", "{}")) };
        client.send(request).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(STREAM).await;
        server.send(chunk("data: {\"a\":1}\n")).await;
        client.until("data: {\"a\":1}\n").await;
        drop(server);
        let (rest, _) = client.rest().await;
        assert_eq!(String::from_utf8_lossy(&rest), "\r\n", "the end of the chunk, and no more");
        assert_eq!(gateway.log().await["outcome"], "upstream_lost");
    }
}

#[tokio::test]
async fn a_modern_stream_that_breaks_off_between_events_says_so() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post(MODERN, &modern_call("9"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk("data: {\"a\":1}\n\n")).await;
    client.until("data: {\"a\":1}\n\n").await;
    drop(server);
    let event = client.until("0\r\n\r\n").await;
    let data = event.split("data: ").nth(1).unwrap().split('\n').next().unwrap();
    let error: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(error["id"], 9);
    assert_eq!(error["error"]["code"], -32603);
    assert_eq!(error["error"]["data"]["reason"], "upstream_lost");
    assert_eq!(gateway.log().await["outcome"], "upstream_lost");
}

#[tokio::test]
async fn a_legacy_stream_that_breaks_off_between_events_is_left_to_be_resumed() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("9", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk("id: 1\ndata: {\"a\":1}\n\n")).await;
    client.until("data: {\"a\":1}\n\n").await;
    drop(server);
    let (rest, _) = client.rest().await;
    assert_eq!(String::from_utf8_lossy(&rest), "\r\n");
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_upstream() {
    const MOST: usize = 256 << 20;
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server
        .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999999999\r\n\r\n")
        .await;
    client.head().await;
    let sent = server.flood(b':', MOST).await;
    // What the sockets of both connections hold, and no queue of ours: far less than was offered.
    assert!(sent < 32 << 20, "{sent}");
}

#[tokio::test]
async fn a_filtered_list_in_events_arrives_event_by_event() {
    let policy = "[[allow]]\nname = \"some\"\ntools = [\"read_*\"]\n";
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(policy, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    let progress =
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n";
    server.send(chunk(progress)).await;
    client.until("notifications/progress").await;
    let list = concat!(
        r#"data: {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"wipe"},{"name":"read_a"},"#,
        r#"{"name":"sh"}]}}"#,
        "\n\n"
    );
    server.send(format!("{}0\r\n\r\n", chunk(list))).await;
    let rest = client.until("0\r\n\r\n").await;
    assert!(
        rest.contains("read_a") && !rest.contains("wipe") && !rest.contains("\"sh\""),
        "{rest}"
    );
    let line = gateway.log().await;
    assert_eq!(line["hidden"], 2);
}

#[tokio::test]
async fn a_stop_lets_calls_end_and_ends_streams() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    // A call that runs, a stream of a session, a connection that is idle.
    let mut caller = Wire::connect(gateway.address).await;
    caller.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    let mut listener = Wire::connect(gateway.address).await;
    let get = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    listener.send(get).await;
    let mut stream = upstream.accept().await;
    stream.request().await;
    stream.send(STREAM).await;
    stream.send(chunk("data: {\"method\":\"notifications/x\"}\n\n")).await;
    listener.until("data: {\"method\":\"notifications/x\"}\n\n").await;
    let mut idle = Wire::connect(gateway.address).await;
    idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(idle.reply().await.status(), 200);
    gateway.stop();
    assert!(idle.is_closed().await);
    let (end, clean) = listener.rest().await;
    assert!(clean && end.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&end));
    assert!(stream.is_closed().await);
    server.send(json_reply("{\"late\":1}")).await;
    let reply = caller.reply().await;
    assert_eq!(reply.text(), "{\"late\":1}");
    gateway.stopped().await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(gateway.log().await["outcome"].as_str().unwrap().to_owned());
    }
    outcomes.sort();
    assert_eq!(outcomes, ["complete", "complete", "drained"]);
}

#[tokio::test]
async fn what_outlasts_the_drain_window_is_ended() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address())
        .drain_within(std::time::Duration::from_millis(50))
        .start();
    let mut caller = Wire::connect(gateway.address).await;
    caller.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    gateway.stop();
    gateway.stopped().await;
    assert!(caller.is_closed().await);
    assert!(server.is_closed().await);
    assert_eq!(gateway.log().await["outcome"], "client_left");
}
