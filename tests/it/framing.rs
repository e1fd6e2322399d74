//! Tests of: request smuggling (T19, T20). Raw bytes against an upstream that counts what it sees: every vector is either refused
//! or becomes exactly the one request that it says in one way only.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{Upstream, Wire, call, json_reply, post};

const HEAD: &str = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                    Accept: application/json, text/event-stream\r\n";
/// A whole message of 51 bytes.
const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}"#;

/// What a vector may come to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Refused with this status, and the connection ends.
    Refused(u16),
    /// One request goes upstream, and this many replies come down.
    Passes,
}

use Fate::{Passes, Refused};

/// Sends `bytes`, then ends, and returns the statuses that came down and the bodies that went up.
async fn run(bytes: &str) -> (Vec<u16>, Vec<String>) {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, upstream.address)
        .config("[limits]\nkeep_alive = \"1s\"\nheader_timeout = \"1s\"\n")
        .start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(bytes).await;
    // The gateway treats the end of the sending half as the client's end, so it is left open: the gateway itself ends a
    // connection on which nothing comes any more.
    let (rest, _) = client.rest().await;
    let text = String::from_utf8_lossy(&rest);
    let statuses = text
        .match_indices("HTTP/1.1 ")
        .map(|(at, start)| text[at + start.len()..][..3].parse().unwrap())
        .collect();
    let bodies = upstream.unseen().iter().map(|request| request.text().to_owned()).collect();
    (statuses, bodies)
}

fn vectors() -> Vec<(&'static str, String, Fate)> {
    let n = BODY.len();
    let chunked = format!("{n:x}\r\n{BODY}\r\n0\r\n\r\n");
    let with = |fields: &str, body: &str| format!("{HEAD}{fields}\r\n{body}");
    let cl = format!("Content-Length: {n}\r\n");
    vec![
        // Must pass.
        ("plain length", with(&cl, BODY), Passes),
        ("plain chunked", with("Transfer-Encoding: chunked\r\n", &chunked), Passes),
        ("chunked in capitals", with("TRANSFER-ENCODING: Chunked\r\n", &chunked), Passes),
        (
            "white space around the value",
            with(&format!("Content-Length: \t{n} \r\n"), BODY),
            Passes,
        ),
        ("an empty line first", format!("\r\n{}", with(&cl, BODY)), Passes),
        (
            "a chunk extension",
            with("Transfer-Encoding: chunked\r\n", &format!("{n:x};a=b\r\n{BODY}\r\n0\r\n\r\n")),
            Passes,
        ),
        (
            "trailers, which stay here",
            with(
                "Transfer-Encoding: chunked\r\n",
                &format!("{n:x}\r\n{BODY}\r\n0\r\nX-User-Id: root\r\n\r\n"),
            ),
            Passes,
        ),
        (
            "a leading zero in a chunk size",
            with("Transfer-Encoding: chunked\r\n", &format!("0{n:x}\r\n{BODY}\r\n0\r\n\r\n")),
            Passes,
        ),
        // CL.TE and TE.CL.
        (
            "CL then TE",
            with(&format!("{cl}Transfer-Encoding: chunked\r\n"), &chunked),
            Refused(400),
        ),
        (
            "TE then CL",
            with(&format!("Transfer-Encoding: chunked\r\n{cl}"), &chunked),
            Refused(400),
        ),
        (
            "CL 0 and TE",
            with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", &chunked),
            Refused(400),
        ),
        (
            "classic CL.TE prefix",
            with("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
            Refused(400),
        ),
        (
            "classic TE.CL prefix",
            with(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                "5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n",
            ),
            Refused(400),
        ),
        // CL.CL
        ("two lengths", with(&format!("{cl}Content-Length: 0\r\n"), BODY), Refused(400)),
        ("two equal lengths", with(&format!("{cl}{cl}"), BODY), Refused(400)),
        ("lengths in a list", with(&format!("Content-Length: {n}, {n}\r\n"), BODY), Refused(400)),
        ("a plus", with(&format!("Content-Length: +{n}\r\n"), BODY), Refused(400)),
        ("a minus", with("Content-Length: -1\r\n", BODY), Refused(400)),
        ("hexadecimal", with("Content-Length: 0x34\r\n", BODY), Refused(400)),
        ("digits, then letters", with(&format!("Content-Length: {n}a\r\n"), BODY), Refused(400)),
        ("an empty length", with("Content-Length:\r\n", BODY), Refused(400)),
        (
            "a length that overflows",
            with("Content-Length: 18446744073709551668\r\n", BODY),
            Refused(400),
        ),
        // TE.TE
        (
            "chunked twice",
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", &chunked),
            Refused(400),
        ),
        (
            "chunked, chunked",
            with("Transfer-Encoding: chunked, chunked\r\n", &chunked),
            Refused(400),
        ),
        ("gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n", &chunked), Refused(400)),
        (
            "chunked, identity",
            with("Transfer-Encoding: chunked, identity\r\n", &chunked),
            Refused(400),
        ),
        ("identity", with("Transfer-Encoding: identity\r\n", BODY), Refused(400)),
        ("xchunked", with("Transfer-Encoding: xchunked\r\n", &chunked), Refused(400)),
        ("quoted", with("Transfer-Encoding: \"chunked\"\r\n", &chunked), Refused(400)),
        ("a vertical tab", with("Transfer-Encoding: \x0bchunked\r\n", &chunked), Refused(400)),
        ("an empty coding", with("Transfer-Encoding:\r\n", &chunked), Refused(400)),
        (
            "TE on HTTP/1.0",
            with("Transfer-Encoding: chunked\r\n", &chunked).replace("HTTP/1.1", "HTTP/1.0"),
            Refused(400),
        ),
        // Lines.
        ("space before the colon", with(&format!("Content-Length : {n}\r\n"), BODY), Refused(400)),
        (
            "space before a name",
            with(&format!("X: a\r\n Content-Length: {n}\r\n"), BODY),
            Refused(400),
        ),
        ("a folded line", with(&format!("{cl}X: a\r\n\tb\r\n"), BODY), Refused(400)),
        (
            "bare LF at the end of a field",
            with(&format!("Content-Length: {n}\nX: a\r\n"), BODY),
            Refused(400),
        ),
        ("bare LF everywhere", with(&cl, BODY).replace("\r\n", "\n"), Refused(400)),
        (
            "bare CR in a value",
            with(&format!("{cl}X: a\rTransfer-Encoding: chunked\r\n"), BODY),
            Refused(400),
        ),
        ("NUL in a value", with(&format!("{cl}X: a\0b\r\n"), BODY), Refused(400)),
        ("NUL in a name", with(&format!("{cl}X\0: a\r\n"), BODY), Refused(400)),
        ("no name", with(&format!("{cl}: a\r\n"), BODY), Refused(400)),
        ("no colon", with(&format!("{cl}Transfer-Encoding chunked\r\n"), BODY), Refused(400)),
        // The request line.
        ("two spaces", with(&cl, BODY).replace("POST /mcp", "POST  /mcp"), Refused(400)),
        ("a tab", with(&cl, BODY).replace("POST /mcp", "POST\t/mcp"), Refused(400)),
        ("HTTP/1.2", with(&cl, BODY).replace("HTTP/1.1", "HTTP/1.2"), Refused(400)),
        (
            "a version with text behind",
            with(&cl, BODY).replace("HTTP/1.1", "HTTP/1.1 x"),
            Refused(400),
        ),
        ("no version", with(&cl, BODY).replace(" HTTP/1.1", ""), Refused(400)),
        // Chunks.
        (
            "a chunk size with a plus",
            with("Transfer-Encoding: chunked\r\n", &format!("+{n:x}\r\n{BODY}\r\n0\r\n\r\n")),
            Refused(400),
        ),
        (
            "a chunk size with 0x",
            with("Transfer-Encoding: chunked\r\n", &format!("0x{n:x}\r\n{BODY}\r\n0\r\n\r\n")),
            Refused(400),
        ),
        (
            "a chunk size that overflows",
            with(
                "Transfer-Encoding: chunked\r\n",
                &format!("f0000000000000034\r\n{BODY}\r\n0\r\n\r\n"),
            ),
            Refused(400),
        ),
        (
            "a chunk ended by LF",
            with("Transfer-Encoding: chunked\r\n", &format!("{n:x}\n{BODY}\r\n0\r\n\r\n")),
            Refused(400),
        ),
        (
            "LF in a chunk extension",
            with("Transfer-Encoding: chunked\r\n", &format!("{n:x};a\nb\r\n{BODY}\r\n0\r\n\r\n")),
            Refused(400),
        ),
        (
            "data longer than its chunk",
            with("Transfer-Encoding: chunked\r\n", &format!("5\r\n{BODY}\r\n0\r\n\r\n")),
            Refused(400),
        ),
        // Two hosts, and one that is somebody else's.
        ("Host twice", with(&format!("{cl}Host: localhost\r\n"), BODY), Refused(400)),
        ("no Host", with(&cl, BODY).replace("Host: localhost\r\n", ""), Refused(400)),
        (
            "another host in the request line",
            with(&cl, BODY).replace("/mcp", "http://evil.example/mcp"),
            Refused(400),
        ),
        // Upgrades and expectations.
        (
            "h2c",
            with(
                &format!(
                    "{cl}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
                ),
                BODY,
            ),
            Refused(501),
        ),
        (
            "websocket",
            with("Upgrade: websocket\r\nConnection: Upgrade\r\n", "").replace("POST", "GET"),
            Refused(501),
        ),
        (
            "CONNECT",
            "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n".to_owned(),
            Refused(501),
        ),
        (
            "an expectation that nobody has",
            with(&format!("{cl}Expect: 200-ok\r\n"), BODY),
            Refused(417),
        ),
    ]
}

#[tokio::test]
async fn every_vector_is_refused_or_is_one_request() {
    let vectors = vectors();
    assert!(vectors.iter().filter(|vector| vector.2 != Passes).count() >= 40);
    let runs = vectors.into_iter().map(|(name, bytes, fate)| async move {
        let (statuses, bodies) = run(&bytes).await;
        match fate {
            Passes => {
                assert_eq!(statuses, [200], "{name}");
                assert_eq!(bodies, [BODY], "{name}");
            }
            Refused(status) => {
                assert_eq!(statuses, [status], "{name}");
                assert!(bodies.is_empty(), "{name}: {bodies:?}");
            }
        }
    });
    futures::future::join_all(runs).await;
}

#[tokio::test]
async fn pipelined_requests_are_two() {
    let one = post("", BODY);
    let two = post("", &call("2", "t", "{}"));
    let (statuses, bodies) = run(&format!("{one}{two}")).await;
    assert_eq!(statuses, [200, 200]);
    assert_eq!(bodies, [BODY.to_owned(), call("2", "t", "{}")]);
}

/// HTTP/2 begins with more than three letters: a connection that only begins alike is HTTP/1, and each of its heads is looked
/// at.
#[tokio::test]
async fn a_connection_that_begins_like_http2() {
    let n = BODY.len();
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{n:x}\r\n{BODY}\r\n0\r\n\r\n");
    let cases = [
        (format!("{HEAD}Content-Length: {n}\r\n\r\n{BODY}"), 200),
        (format!("{HEAD}{chunked}"), 200),
        (format!("{HEAD}Content-Length: {n}\n\r\n{BODY}"), 400),
        (format!("{HEAD}Content-Length: {n}\r\nContent-Length: {n}\r\n\r\n{BODY}"), 400),
        (format!("{HEAD}Content-Length: {n}\r\n{chunked}"), 400),
    ];
    for (second, status) in cases {
        let upstream = Upstream::start().await.answering(json_reply("{}"));
        let gateway = Setup::new(OPEN, upstream.address).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send("PRIVATE /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(client.reply().await.status(), 405);
        client.send(&second).await;
        assert_eq!(client.reply().await.status(), status, "{second:?}");
    }
}

#[tokio::test]
async fn a_chunked_request_is_not_pipelined() {
    // Its head cannot be seen apart from what came before.
    let one = post("", BODY);
    let two = format!("{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
    let (statuses, bodies) = run(&format!("{one}{two}")).await;
    assert_eq!(statuses, [200, 400]);
    assert_eq!(bodies, [BODY]);
}

#[tokio::test]
async fn a_refused_body_is_no_request() {
    // What stands in the body of a request that is refused early must not be read as the next request.
    let smuggled = post("", &call("666", "wipe", "{}"));
    for (fields, status) in
        [("Content-Type: text/plain\r\n", 415), ("Origin: http://evil\r\n", 403)]
    {
        let head = HEAD.replace("Content-Type: application/json\r\n", fields);
        let request = format!("{head}Content-Length: {}\r\n\r\n{smuggled}", smuggled.len());
        let (statuses, bodies) = run(&request).await;
        assert_eq!(statuses, [status]);
        assert!(bodies.is_empty());
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it() {
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    client
        .send(format!("{HEAD}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", BODY.len()))
        .await;
    client.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send(BODY).await;
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(upstream.request().await.header("expect"), None);
    // A request that is refused by its head is not asked for its body.
    let head = HEAD.replace("application/json\r\n", "text/plain\r\n");
    client.send(format!("{head}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 415"));
}
