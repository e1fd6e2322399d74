//! Tests of: upstream. Connections are reused, never at the price of a call that runs twice; nothing that a hostile server says
//! is relayed as it stands.

use std::time::Duration;

use crate::support::gateway::{OPEN, Setup};
use crate::support::soon;
use crate::support::wire::{Upstream, Wire, call, json_reply, post};

fn a_call() -> String {
    post("", &call("1", "t", "{}"))
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    let replies = [
        json_reply("{\"n\":0}"),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"n\":1}\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        json_reply(&format!("{{\"result\":\"{}\"}}", "x".repeat(200_000))),
        json_reply("{\"n\":5}"),
    ];
    for (at, reply) in replies.iter().enumerate() {
        server.request().await;
        server.send(reply).await;
        assert!(client.reply().await.complete);
        assert!(!upstream.was_called().await, "a new connection after reply {at}");
        client.send(a_call()).await;
    }
    server.request().await;
}

#[tokio::test]
async fn a_connection_is_shared_by_clients() {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, upstream.address).start();
    for _ in 0..5 {
        let mut client = Wire::connect(gateway.address).await;
        client.send(a_call()).await;
        assert_eq!(client.reply().await.text(), "{}");
        upstream.request().await;
    }
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_replaced_unseen() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    for _ in 0..3 {
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(json_reply("{}")).await;
        assert_eq!(client.reply().await.status(), 200);
        // The FIN is there before the next request is.
        drop(server);
    }
}

#[tokio::test]
async fn a_call_that_may_have_run_is_not_sent_twice() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    // Once on a fresh connection, once on one that was used before.
    for reused in [false, true] {
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        if reused {
            server.request().await;
            server.send(json_reply("{}")).await;
            client.reply().await;
            client.send(a_call()).await;
            gateway.log().await;
        }
        server.request().await;
        drop(server);
        let reply = client.reply().await;
        assert_eq!(reply.status(), 502, "{reply:?}");
        assert_eq!(reply.json()["id"], 1);
        assert_eq!(reply.json()["error"]["data"]["reason"], "upstream_lost");
        assert!(!upstream.was_called().await, "sent again");
        assert_eq!(gateway.log().await["reason"], "upstream_lost");
    }
}

#[tokio::test]
async fn close_is_honoured() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    for _ in 0..2 {
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server
            .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
            .await;
        let reply = client.reply().await;
        assert_eq!(reply.text(), "{}");
        assert_eq!(reply.header("connection"), None, "that was between the other two");
        assert!(server.is_closed().await);
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached() {
    let upstream = Upstream::start().await;
    let address = upstream.address();
    drop(upstream);
    let mut gateway = Setup::new(OPEN, address).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 503);
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.json()["id"], 1);
    assert_eq!(reply.json()["error"]["data"]["reason"], "no_healthy_upstream");
    let line = gateway.log().await;
    assert_eq!(line["decision"], "allow");
    assert_eq!(line["status"], 503);
}

#[tokio::test]
async fn the_next_server_is_tried_where_nothing_was_sent() {
    let down = Upstream::start().await;
    let address = down.address();
    drop(down);
    let up = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, address).or_upstream(up.address).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    assert_eq!(client.reply().await.text(), "{}");
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let upstream = Upstream::start().await;
    let gateway =
        Setup::new(OPEN, upstream.address()).config("[limits]\nfirst_byte = \"100ms\"\n").start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 504);
    assert_eq!(reply.json()["error"]["data"]["reason"], "upstream_timeout");
    assert!(server.is_closed().await);
}

#[tokio::test]
async fn a_stream_that_stalls_is_ended() {
    let upstream = Upstream::start().await;
    let gateway =
        Setup::new(OPEN, upstream.address()).config("[limits]\nstream_idle = \"1s\"\n").start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server
        .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n")
        .await;
    client.until(":\n\n").await;
    let (rest, _) = client.rest().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    assert!(server.is_closed().await);
}

#[tokio::test]
async fn replies_that_are_not_relayed() {
    let json = "Content-Type: application/json\r\nContent-Length: 2\r\n";
    let cases = [
        ("301 Moved", format!("Location: http://evil/\r\n{json}"), 502, "upstream_redirect"),
        ("307 Temporary Redirect", format!("Location: /x\r\n{json}"), 502, "upstream_redirect"),
        ("304 Not Modified", String::new(), 502, "upstream_redirect"),
        (
            "401 Unauthorized",
            format!("WWW-Authenticate: Bearer resource_metadata=\"https://evil/\"\r\n{json}"),
            502,
            "upstream_unauthorized",
        ),
        ("407 Proxy Authentication Required", json.to_owned(), 502, "upstream_unauthorized"),
        ("200 OK", format!("Content-Encoding: gzip\r\n{json}"), 502, "upstream_encoding"),
        ("200 OK", format!("Content-Encoding: identity, br\r\n{json}"), 502, "upstream_encoding"),
        (
            "200 OK",
            "Content-Type: text/html\r\nContent-Length: 2\r\n".to_owned(),
            502,
            "upstream_media_type",
        ),
        ("200 OK", "Content-Length: 2\r\n".to_owned(), 502, "upstream_media_type"),
        (
            "200 OK",
            format!("Content-Type: text/event-stream\r\n{json}"),
            502,
            "upstream_media_type",
        ),
        // The Python SDK would decode the stream by these.
        (
            "200 OK",
            "Content-Type: text/event-stream; charset=utf-16le\r\nContent-Length: 2\r\n".to_owned(),
            502,
            "upstream_media_type",
        ),
        (
            "200 OK",
            "Content-Type: text/event-stream;x=y; Charset=\"utf-7\"\r\nContent-Length: 2\r\n"
                .to_owned(),
            502,
            "upstream_media_type",
        ),
        // Spelt so that only a lenient parser finds it: Python's does.
        (
            "200 OK",
            "Content-Type: text/event-stream; charset =utf-16le\r\nContent-Length: 2\r\n"
                .to_owned(),
            502,
            "upstream_media_type",
        ),
        (
            "200 OK",
            "Content-Type: text/event-stream; charset*=''utf-7\r\nContent-Length: 2\r\n".to_owned(),
            502,
            "upstream_media_type",
        ),
        (
            "101 Switching Protocols",
            "Upgrade: h2c\r\nConnection: upgrade\r\n".to_owned(),
            502,
            "upstream_upgrade",
        ),
    ];
    for (status, headers, expected, reason) in cases {
        let upstream = Upstream::start().await;
        let gateway = Setup::new(OPEN, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(format!("HTTP/1.1 {status}\r\n{headers}\r\n{{}}")).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), expected, "{status} {headers}: {reply:?}");
        assert_eq!(reply.json()["error"]["data"]["reason"], reason, "{status} {headers}");
        assert_eq!(reply.json()["id"], 1);
        assert_eq!(reply.header("location"), None);
        assert_eq!(reply.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn replies_that_break_http() {
    let replies: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n{}",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX Y: a\r\n\r\n",
    ];
    for reply in replies {
        let upstream = Upstream::start().await;
        let gateway = Setup::new(OPEN, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(reply).await;
        server.finish().await;
        let seen = client.reply().await;
        assert_eq!(seen.status(), 502, "{}: {seen:?}", String::from_utf8_lossy(reply));
    }
}

#[tokio::test]
async fn heads_that_never_end_are_cut_off() {
    let many: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
    for head in [format!("X: {}\r\n", "a".repeat(200_000)), many] {
        let upstream = Upstream::start().await;
        let gateway = Setup::new(OPEN, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        server.request().await;
        let _ = server.try_send(format!("HTTP/1.1 200 OK\r\n{head}\r\n")).await;
        assert_eq!(client.reply().await.status(), 502);
    }
}

#[tokio::test]
async fn replies_that_end_with_their_connection() {
    let json = "Content-Type: application/json";
    let events = "Content-Type: text/event-stream";
    let cases = [
        (json, "{\"a\":[1]}", true),
        (json, "{\"a\":[1]} \n", true),
        // Cut off where the framing does not tell.
        (json, "{\"a\":[1]", false),
        (json, "{\"a\":", false),
        (json, "{\"a\":1}}", false),
        (events, "data: {\"method\":\"notifications/x\"}\n\n", true),
        (events, "data: {\"method\":\"notifications/x\"}\n\ndata: {}\n", false),
    ];
    for (media, body, is_whole) in cases {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(OPEN, upstream.address()).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(a_call()).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(format!("HTTP/1.0 200 OK\r\n{media}\r\n\r\n{body}")).await;
        drop(server);
        let reply = client.try_reply().await;
        assert_eq!(reply.is_some_and(|reply| reply.complete), is_whole, "{body:?}");
        let outcome = &gateway.log().await["outcome"];
        assert_eq!(outcome == "complete", is_whole, "{body:?}: {outcome}");
    }
}

#[tokio::test]
async fn a_flood_of_interim_replies_ends() {
    let upstream = Upstream::start().await;
    let gateway =
        Setup::new(OPEN, upstream.address()).config("[limits]\nfirst_byte = \"300ms\"\n").start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    let flood = tokio::spawn(async move {
        let many = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
        while server.try_send(&many).await {}
    });
    assert_eq!(client.reply().await.status(), 504);
    soon(flood).await.unwrap();
}

#[tokio::test]
async fn interim_replies_are_passed_over() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n").await;
    server.send(json_reply("{}")).await;
    let (head, body) = (client.head().await, client.until("{}").await);
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, "{}");
}

#[tokio::test]
async fn headers_that_speak_for_the_origin_stay_behind() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server
        .send(
            "HTTP/1.1 403 Forbidden\r\nServer: nasty/1\r\nSet-Cookie: a=b\r\nAlt-Svc: h3=\":1\"\r\n\
             WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\nAccess-Control-Allow-Origin: *\r\n\
             X-Accel-Redirect: /secret\r\nX-Request-Id: theirs-0001\r\nX-Fine: yes\r\nMcp-Session-Id: s1\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        )
        .await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 403);
    for name in [
        "server",
        "set-cookie",
        "alt-svc",
        "www-authenticate",
        "access-control-allow-origin",
        "x-accel-redirect",
    ] {
        assert_eq!(reply.header(name), None, "{name}");
    }
    assert_eq!(reply.header("x-fine"), Some("yes"));
    assert!(reply.header("mcp-session-id").unwrap().starts_with("fw1."));
    assert_ne!(reply.header("x-request-id"), Some("theirs-0001"));
}

#[tokio::test]
async fn bytes_after_a_reply_do_not_answer_the_next_call() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    // A second reply that nobody asked for.
    server.send(json_reply("{\"n\":1}") + &json_reply("{\"poison\":1}")).await;
    assert_eq!(client.reply().await.text(), "{\"n\":1}");
    client.send(a_call()).await;
    let mut second = upstream.accept().await;
    second.request().await;
    second.send(json_reply("{\"n\":2}")).await;
    assert_eq!(client.reply().await.text(), "{\"n\":2}");
}

#[tokio::test]
async fn idle_connections_grow_old() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(a_call()).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(json_reply("{}")).await;
    client.reply().await;
    // Closed by us within 5 s, before the server would.
    tokio::time::timeout(Duration::from_secs(8), server.is_closed()).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_by_a_reply_of_no_type() {
    // Lists are filtered under this policy, so that the stream of a session must be readable; its end need not be.
    let policy = "[[allow]]\nname = \"some\"\ntools = [\"read_*\"]\n";
    let delete = "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: s\r\nMCP-Protocol-Version: 2025-06-18\r\n\r\n";
    let replies = [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
        // So the Python SDK's server does: no body, but a type.
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n", 200, ""),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", 405, ""),
        // What cannot be read is not shown.
        ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret", 200, ""),
    ];
    for (reply, status, body) in replies {
        let upstream = Upstream::start().await;
        let gateway = Setup::new(policy, upstream.address()).config("sessions = \"plain\"").start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(delete).await;
        let mut server = upstream.accept().await;
        server.request().await;
        server.send(reply).await;
        let seen = client.reply().await;
        assert_eq!((seen.status(), seen.text()), (status, body), "{reply}");
    }
}
