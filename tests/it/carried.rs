//! Resources that come inside other results (T13): what a deny keeps from the caller does not come through a side door either.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;

use bytes::Bytes;
use mcpfw::inspect::response::{
    Framing, Judge, Listing, ReplyError, ReplyInspector, ReplyOptions, ServerRequest, Watch,
};
use mcpfw::lock::List;
use mcpfw::wire::jsonrpc::{Id, error_reply};
use serde_json::Value;

use crate::support::gateway::Setup;
use crate::support::wire::{Upstream, Wire, call, json_reply, post};

/// Keeps back everything below `db://secret/`.
struct Secretive;

impl Judge for Secretive {
    fn listed(&mut self, _: List, _: &str) -> Listing {
        Listing::Shown
    }

    fn delivers(&mut self, uri: &str) -> bool {
        !uri.starts_with("db://secret/")
    }

    fn permits(&mut self, _: &ServerRequest<'_>) -> bool {
        true
    }

    fn refusal(&mut self, id: Option<&Id>) -> Vec<u8> {
        error_reply(id, 403, "refused", None)
    }
}

fn feed(framing: Framing, watch: Watch, chunks: Vec<&[u8]>) -> (Result<(), ReplyError>, String) {
    let options = ReplyOptions { watch, hold: 400, ..ReplyOptions::default() };
    let mut inspector = ReplyInspector::new(framing, Secretive, options);
    let mut out = VecDeque::new();
    let fed = chunks
        .into_iter()
        .try_for_each(|chunk| inspector.feed(Bytes::copy_from_slice(chunk), &mut out));
    let verdict = fed.and_then(|()| inspector.finish(&mut out));
    (verdict, String::from_utf8(out.iter().flatten().copied().collect()).unwrap())
}

/// What comes of `reply`, the same at every cut.
fn relay(framing: Framing, watch: Watch, reply: &str) -> (Result<(), ReplyError>, String) {
    let whole = feed(framing, watch, vec![reply.as_bytes()]);
    let same = |cut: (Result<(), ReplyError>, String)| {
        assert_eq!(cut.0, whole.0, "{reply}");
        assert!(cut.1 == whole.1 || whole.0.is_err(), "{reply}: {} {}", cut.1, whole.1);
    };
    for at in 1..reply.len() {
        let (a, b) = reply.as_bytes().split_at(at);
        same(feed(framing, watch, vec![a, b]));
    }
    same(feed(framing, watch, reply.as_bytes().chunks(1).collect()));
    whole
}

const CARRIED: Watch = Watch { carried: true, ..Watch::NOTHING };
const JUDGED: Watch = Watch { requests: true, ..CARRIED };

#[test]
fn what_is_denied_is_left_out() {
    let text = r#"{"type":"text","text":"t"}"#;
    let late = r#"{"text":"db://secret/ is only a word","type":"text"}"#;
    let open = r#"{"type":"resource","resource":{"uri":"db://open/a","text":"o"}}"#;
    let link = r#"{"type":"resource_link","uri":"db://open/a","name":"n"}"#;
    let secret = r#"{"type":"resource","resource":{"text":"s","uri":"db://secret/a"}}"#;
    let secret_link = r#"{"uri":"db:\/\/secret/a","type":"resource_link"}"#;
    let rows = [
        (format!("[{text},{secret},{open}]"), format!("[{text},{open}]")),
        (format!("[{secret},{text}]"), format!("[{text}]")),
        (format!("[ {secret} ]"), "[ ]".to_owned()),
        (format!("[{secret_link}, {late}, {link}, {secret}]"), format!("[ {late}, {link}]")),
        (format!("[{open},{link},{text}]"), format!("[{open},{link},{text}]")),
        ("[]".to_owned(), "[]".to_owned()),
    ];
    let result = |member: &str, list: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"{member}":{list},"isError":false}}}}"#)
    };
    for watch in [CARRIED, JUDGED] {
        for (before, after) in &rows {
            let (before, after) = (result("content", before), result("content", after));
            assert_eq!(relay(Framing::Json, watch, &before), (Ok(()), after.clone()));
            let event = |text: &str| format!("id: 1\ndata: {text}\n\n");
            let (before, after) = (event(&before), event(&after));
            assert_eq!(relay(Framing::EventStream, watch, &before), (Ok(()), after));
        }
        // What a prompt says, and what reading a resource gives.
        let message = |content: &str| format!(r#"{{"role":"user","content":{content}}}"#);
        let messages = |all: &[&str]| {
            let all: Vec<String> = all.iter().map(|content| message(content)).collect();
            result("messages", &format!("[{}]", all.join(",")))
        };
        let (before, after) = (messages(&[text, secret, open]), messages(&[text, open]));
        assert_eq!(relay(Framing::Json, watch, &before), (Ok(()), after));
        let contents = r#"[{"uri":"db://open/a","text":"o"},{"text":"s","uri":"db://secret/a"}]"#;
        let after = r#"[{"uri":"db://open/a","text":"o"}]"#;
        let (before, after) = (result("contents", contents), result("contents", after));
        assert_eq!(relay(Framing::Json, watch, &before), (Ok(()), after));
    }
    // A task carries the result of its call.
    let task = format!(r#"{{"id":1,"result":{{"taskId":"t","result":{{"content":[{secret}]}}}}}}"#);
    assert_eq!(relay(Framing::Json, JUDGED, &task).1, task.replace(secret, ""));
}

#[test]
fn what_comes_too_late_is_cut_off() {
    let content = |element: &str| format!(r#"{{"id":1,"result":{{"content":[{element}]}}}}"#);
    for (element, slug) in [
        // It says that it is text, and has a resource in it.
        (r#"{"type":"text","resource":{"uri":"db://secret/a"}}"#, "resource_denied"),
        (r#"{"text":"t","type":"resource_link","uri":"db://secret/a"}"#, "resource_denied"),
        (r#"{"type":"resource","Resource":{"uri":"db://secret/a"}}"#, "folded_key"),
        (r#"{"type":"resource","resource":{"URI":"db://secret/a"}}"#, "folded_key"),
        (
            &format!(r#"{{"resource":{{"text":"{}","uri":"db://secret/a"}}}}"#, "x".repeat(400)),
            "hold_exceeded",
        ),
        (&format!(r#"{{"type":"text","uri":"{}"}}"#, "x".repeat(401)), "hold_exceeded"),
    ] {
        for watch in [CARRIED, JUDGED] {
            let (verdict, out) = relay(Framing::Json, watch, &content(element));
            assert_eq!(verdict.unwrap_err().slug(), slug, "{element}");
            assert!(serde_json::from_str::<Value>(&out).is_err(), "{out}");
        }
    }
    // Text is never held.
    let long = content(&format!(r#"{{"type":"text","text":"{}"}}"#, "x".repeat(2_000)));
    assert_eq!(feed(Framing::Json, CARRIED, vec![long.as_bytes()]), (Ok(()), long.clone()));
    let long = content(&format!(r#"{{"text":"{}","type":"text"}}"#, "x".repeat(2_000)));
    assert_eq!(
        feed(Framing::Json, CARRIED, long.as_bytes().chunks(9).collect()),
        (Ok(()), long.clone())
    );
}

/// A tool needs no allow for what it answers with, but a deny of a resource holds at this door, too.
#[tokio::test]
async fn a_denied_resource_does_not_come_with_a_tool() {
    let allow = "[[allow]]\nname = \"t\"\ntools = [\"t\"]\n";
    let deny = "[[deny]]\nname = \"no\"\nresources = [\"db://secret/**\"]\n";
    let element =
        |uri: &str| format!(r#"{{"type":"resource","resource":{{"uri":"{uri}","text":"x"}}}}"#);
    let reply = |elements: &[String]| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{}]}}}}"#, elements.join(","))
    };
    let open = element("db://open/a");
    let denied = ["db://secret/a", "DB://secret/a", "db://secret/%61", "db://open/../secret/a"];
    let all: Vec<String> = denied.iter().map(|uri| element(uri)).chain([open.clone()]).collect();
    for (policy, expected) in
        [(allow.to_owned(), reply(&all)), (format!("{allow}{deny}"), reply(&[open]))]
    {
        let upstream = Upstream::start().await.answering(json_reply(&reply(&all)));
        let mut gateway = Setup::new(&policy, upstream.address).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &call("1", "t", "{}"))).await;
        assert_eq!(client.reply().await.text(), expected);
        let hidden = gateway.log().await.get("hidden").cloned();
        assert_eq!(hidden.is_some(), policy.contains("deny"), "{hidden:?}");
    }
}
