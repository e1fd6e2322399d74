//! Streams that are open when another set comes in force: the right to them, and what is judged on them.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};

use super::{event, get, listen, open};
use crate::support::gateway::{OPEN, Setup, UNWATCHED};
use crate::support::wire::{STREAM, Upstream, Wire, call, chunk, post};

const ALLOW: &str = "[[allow]]\nname = \"a\"\ntools = [\"t\"]\n";
const DENY: &str = "[[deny]]\nname = \"d\"\ntools = [\"t\"]\nmessage = \"Not today.\"\n";
const NOTICE: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":"x","result":{"content":[]}}"#;
const SAMPLING: &str =
    r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"messages":[]}}"#;

/// The JSON of the event that `text` ends with.
fn last(text: &str) -> Value {
    let (_, data) = text.rsplit_once("data: ").unwrap_or_else(|| panic!("{text}"));
    serde_json::from_str(data.trim_end()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn a_revoked_call_ends_between_two_events_and_is_told_why() {
    // Inspected from the first byte on, and not at all.
    for (before, config) in [(ALLOW, ""), (OPEN, UNWATCHED)] {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(before, upstream.address()).config(config).start();
        let mut stream = open(&gateway, &upstream, post("", &call("\"x\"", "t", "{}"))).await;
        let (half, rest) = NOTICE.split_at(60);
        stream.server.send(chunk(&format!("data: {half}"))).await;
        stream.client.until(half).await;
        let generation = gateway.swap(&format!("{OPEN}{DENY}"));
        // Behind the event that has begun there are others in the same piece, the result among them.
        stream.server.send(chunk(&format!("{rest}\n\ndata: {RESULT}\n\ndata: {NOTICE}"))).await;
        stream.client.until(rest).await;
        let told = stream.client.until("}\n\n").await;
        let error = last(&told);
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!("x"), &json!(403)));
        assert_eq!(error["error"]["message"], "Not today.");
        assert_eq!(error["error"]["data"]["reason"], "denied");
        // A whole reply, and nothing behind the error.
        assert_eq!(stream.client.until("0\r\n\r\n").await, "\r\n0\r\n\r\n");
        let line = gateway.log().await;
        assert_eq!((&line["outcome"], &line["reason"]), (&json!("revoked"), &json!("denied")));
        assert_eq!((&line["rule"], &line["last_generation"]), (&json!("d"), &json!(generation)));
        assert!(line["generation"].as_u64() < Some(generation));
    }
}

/// A quiet stream hears of it at once.
#[tokio::test]
async fn a_revoked_call_does_not_wait_for_its_server() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(ALLOW, upstream.address()).start();
    let mut stream = open(&gateway, &upstream, post("", &call("1", "t", "{}"))).await;
    gateway.swap("[[allow]]\nname = \"b\"\ntools = [\"other\"]\n");
    let told = stream.client.until("\n\n").await;
    assert_eq!(last(&told)["error"]["message"], "no longer permitted by policy");
    assert_eq!(gateway.log().await["reason"], "default_deny");
}

/// An event that never ends is no way to stay.
#[tokio::test]
async fn an_event_without_an_end_is_cut_off() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(ALLOW, upstream.address()).start();
    let mut stream = open(&gateway, &upstream, post("", &call("1", "t", "{}"))).await;
    stream.server.send(chunk("data: {\"method\":\"notifications/x\",\"a\":\"")).await;
    stream.client.until("\"a\":\"").await;
    gateway.swap(DENY);
    let (end, _) = stream.client.rest().await;
    assert!(!end.ends_with(b"0\r\n\r\n"), "it must not look whole");
    let line = gateway.log().await;
    assert_eq!((&line["outcome"], &line["rule"]), (&json!("revoked"), &json!("d")));
}

/// What is still allowed goes on, whatever else has changed; so does what depends on arguments that are gone.
#[tokio::test]
async fn a_call_that_may_go_on_does() {
    let by_argument = |when: &str| format!("{ALLOW}when = '{when}'\n");
    for (before, after) in [
        (ALLOW.to_owned(), format!("{ALLOW}{}", DENY.replace("\"t\"", "\"other\""))),
        (ALLOW.to_owned(), OPEN.to_owned()),
        (OPEN.to_owned(), ALLOW.to_owned()),
        (by_argument("args.path == \"/a\""), by_argument("args.path.startsWith(\"/a\")")),
        (ALLOW.to_owned(), by_argument("args.new == 1")),
        (ALLOW.to_owned(), format!("{ALLOW}{DENY}when = 'args.path == \"/b\"'\n")),
        (ALLOW.to_owned(), format!("{ALLOW}[[limit]]\nname = \"l\"\nrate = \"1/h\"\n")),
        (ALLOW.to_owned(), format!("{ALLOW}{DENY}mode = \"shadow\"\n")),
    ] {
        let upstream = Upstream::start().await;
        let mut gateway = Setup::new(&before, upstream.address()).start();
        let mut stream =
            open(&gateway, &upstream, post("", &call("\"x\"", "t", r#"{"path":"/a"}"#))).await;
        stream.server.send(event(NOTICE)).await;
        stream.client.until(NOTICE).await;
        let generation = gateway.swap(&after);
        stream.server.send(event(RESULT)).await;
        stream.server.send("0\r\n\r\n").await;
        stream.client.until(RESULT).await;
        let line = gateway.log().await;
        assert_eq!(
            (&line["outcome"], &line["decision"]),
            (&json!("complete"), &json!("allow")),
            "{after}"
        );
        assert_eq!(line["last_generation"], generation);
    }
}

#[tokio::test]
async fn a_subscription_ends_with_the_right_to_one_of_its_resources() {
    let rule = |uris: &str| format!("[[allow]]\nname = \"r\"\nresources = [{uris}]\n");
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(&rule("\"doc://a\", \"doc://b\""), upstream.address()).start();
    let both = r#""resourceSubscriptions":["doc://a","doc://b"]"#;
    let one = r#""resourceSubscriptions":["doc://a"]"#;
    let mut gone = open(&gateway, &upstream, listen("5", both)).await;
    let mut stays = open(&gateway, &upstream, listen("6", one)).await;
    gateway.swap(&rule("\"doc://a\""));
    let error = last(&gone.client.until("\n\n").await);
    assert_eq!((&error["id"], &error["error"]["code"]), (&json!(5), &json!(403)));
    assert_eq!(gateway.log().await["outcome"], "revoked");
    stays.server.send(event(NOTICE)).await;
    let out = stays.client.until(NOTICE).await;
    assert!(!out.contains("error"), "{out}");
}

/// What the server asks is judged by the set in force when it asks, also where no piece of the stream ever ends between two
/// events, and where nobody looked into the stream before.
#[tokio::test]
async fn requests_of_the_server_cannot_hide_from_another_set() {
    for (before, config) in [
        (OPEN, UNWATCHED),
        ("[[allow]]\nname = \"s\"\nserver_requests = [\"sampling/createMessage\"]\n", ""),
    ] {
        let upstream = Upstream::start().await;
        let config = format!("sessions = \"plain\"\n{config}");
        let gateway = Setup::new(before, upstream.address()).config(&config).start();
        let mut stream = open(&gateway, &upstream, get("s")).await;
        let (half, rest) = NOTICE.split_at(60);
        stream.server.send(chunk(&format!("data: {SAMPLING}\n\ndata: {half}"))).await;
        stream.client.until(SAMPLING).await;
        stream.client.until(half).await;
        gateway.swap(ALLOW);
        let asked = SAMPLING.replace(":7", ":8");
        stream.server.send(chunk(&format!("{rest}\n\ndata: {asked}\n\ndata: {half}"))).await;
        let mut answers = upstream.accept().await;
        let answer = answers.request().await.json();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(8), &json!(403)), "{before}");
        stream.server.send(chunk(&format!("{rest}\n\n"))).await;
        stream.client.until(rest).await;
        let out = stream.client.until(rest).await;
        assert!(!out.contains("sampling"), "{out}");
    }
}

/// A list that comes on a stream of 2024-11-05 is that of the set in force when it comes.
#[tokio::test]
async fn lists_on_a_stream_are_those_of_the_set_in_force() {
    let upstream = Upstream::start().await;
    let both = "[[allow]]\nname = \"all\"\ntools = [\"t\", \"u\"]\n";
    let gateway = Setup::new(both, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(get("")).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    server.send(chunk("event: endpoint\ndata: /messages/?session_id=ab12\n\n")).await;
    client.until("event: endpoint\n").await;
    let list = r#"{"jsonrpc":"2.0","id":8,"result":{"tools":[{"name":"t"},{"name":"u"}]}}"#;
    server.send(event(list)).await;
    client.until(list).await;
    gateway.swap(ALLOW);
    // What is visible has changed, and is told before.
    client.until("notifications/tools/list_changed\"}\n\n").await;
    server.send(event(list)).await;
    client.until(r#"{"tools":[{"name":"t"}"#).await;
    let rest = client.until("]}}").await;
    assert!(!rest.contains("name"), "{rest}");
}

/// Nobody who is refused by the new set can be answered by the old one: a stream that was asked for before a swap, and whose reply
/// begins after it.
#[tokio::test]
async fn a_stream_that_begins_after_the_swap_is_looked_at() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(ALLOW, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    gateway.swap(DENY);
    server.send(STREAM).await;
    server.send(event(&RESULT.replace("\"x\"", "1"))).await;
    client.head().await;
    let told = client.until("\n\n").await;
    assert_eq!(last(&told)["error"]["code"], 403);
    assert_eq!(gateway.log().await["outcome"], "revoked");
}

/// A storm of swaps over open streams: nothing is lost, nothing is told twice, and every event arrives once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_outlast_a_storm() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(ALLOW, upstream.address()).config("sessions = \"plain\"").start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("\"x\"", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    server.send(STREAM).await;
    let other = format!("{ALLOW}{}", DENY.replace("\"t\"", "\"other\""));
    let mut wanted = String::new();
    for n in 0..200 {
        let text = format!(
            "data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/n\",\"params\":{n}}}\n\n"
        );
        let (half, rest) = text.split_at(n % text.len());
        if !half.is_empty() {
            server.send(chunk(half)).await;
        }
        gateway.swap(if n % 2 == 0 { &other } else { ALLOW });
        server.send(chunk(rest)).await;
        wanted.push_str(&text);
    }
    server.send(event(RESULT)).await;
    server.send("0\r\n\r\n").await;
    wanted.push_str(&format!("data: {RESULT}\n\n"));
    let reply = client.reply().await;
    assert!(reply.complete && reply.text() == wanted, "{}", reply.text().len());
    assert_eq!(gateway.log().await["outcome"], "complete");
}
