//! Tests of: batches (2025-03-26). Each element is decided as if it came alone; all go or none.

#![expect(clippy::string_slice, clippy::indexing_slicing, reason = "a test fails by panicking")]

use mcpfw::fuzz::batch::HEADERS;
use mcpfw::fuzz::envelope::{POLICIES, compile, exchange, run, same_in};
use mcpfw::inspect::request::RequestLimits;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::gateway::{OPEN, Setup, UNWATCHED};
use crate::support::wire::{Upstream, Wire, call, json_reply, post, post_head};

const NOTE: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"z"}}"#;

fn list(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#)
}

fn ping(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

fn array<S: AsRef<str>>(elements: &[S]) -> String {
    let elements: Vec<&str> = elements.iter().map(AsRef::as_ref).collect();
    format!("[{}]", elements.join(","))
}

/// Elements of every fate, under `id` where they have one.
fn element() -> impl Strategy<Value = String> {
    (0..18_usize, 0..6_u8).prop_map(|(kind, id)| {
        let id = id.to_string();
        match kind {
            0 => NOTE.to_owned(),
            1 => r#"{"jsonrpc":"2.0","method":"notifications/strange"}"#.to_owned(),
            2 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
            3 => call(&id, "shell", "{}"),
            4 => call(&id, "write_file", r#"{"path":"/sandbox/a"}"#),
            5 => call(&id, "write_file", r#"{"options":{"force":true},"path":"/sandbox/a"}"#),
            6 => call(&id, "write_file", r#"{"path":"/sandbox/a","PATH":"/etc"}"#),
            7 => ping(&id).replace("method", "Method"),
            8 => ping(&format!("\"{id}\"")),
            9 => format!(
                r#"{{"id":{id},"params":{{"x":[{{"id":9}}]}},"jsonrpc":"2.0","method":"ping"}}"#
            ),
            10 => array(&[ping(&id)]),
            11 => id,
            12 => r#"{"jsonrpc":"2.0","method":"ping"}"#.to_owned(),
            13 => list(&id),
            _ => call(&id, "search", r#"{"q":[1]}"#),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_is_the_conjunction_of_its_elements(
        elements in proptest::collection::vec(element(), 0..6),
        headers in 0..HEADERS.len(),
        limits in 0..8_u8,
    ) {
        let text = array(&elements);
        let choice = [u8::try_from(headers).unwrap(), limits];
        mcpfw::fuzz::batch::batch(&[&choice, text.as_bytes()].concat());
        for element in &elements {
            mcpfw::fuzz::batch::batch(&[&choice, element.as_bytes()].concat());
        }
    }

    #[test]
    fn a_batch_may_be_cut_anywhere(elements in proptest::collection::vec(element(), 1..4)) {
        let (text, limits) = (array(&elements), RequestLimits::default());
        let exchange = exchange(&[]).unwrap();
        let whole = run(&POLICIES, &exchange, limits, [text.as_bytes()]);
        for at in 1..text.len() {
            let (a, b) = text.as_bytes().split_at(at);
            same_in(&POLICIES, &exchange, limits, (text.as_bytes(), &whole), [a, b]);
        }
    }
}

/// Whoever waits for an answer is found, in front of what is refused and behind it.
#[test]
fn the_ids_of_all_requests_are_found() {
    let policy = compile("");
    let refused = [
        ("default_deny", call("2", "shell", "{}")),
        ("target_missing", call("2", "shell", "{}").replace("name", "named")),
        ("bad_id", ping("null")),
        ("not_an_object", array(&[ping("9")])),
        ("method_not_string", ping("2").replace("\"ping\"", "{\"id\":8}")),
        ("unknown_method", r#"{"jsonrpc":"2.0","method":"notifications/x"}"#.to_owned()),
        ("batch_member", ping("2").replace("ping", "initialize")),
        ("batch_mixed", r#"{"jsonrpc":"2.0","id":2,"result":{"id":7}}"#.to_owned()),
        ("batch_duplicate_id", ping("1")),
    ];
    let late = r#"{"params":{"id":6,"name":"search","arguments":{"a":{"id":5}}},"method":"tools/call","id":"l\u0061te","jsonrpc":"2.0"}"#;
    let answer = r#"{"jsonrpc":"2.0","id":77,"error":{"code":1}}"#;
    for (slug, evil) in refused {
        let text = array(&[&ping("1"), NOTE, &evil, NOTE, late, answer, &ping("-3")]);
        // A response among requests is refused itself, wherever policy would have been asked.
        let (text, slug) = match slug {
            "default_deny" | "unknown_method" => (text.replace(&format!("{answer},"), ""), slug),
            _ => (text, slug),
        };
        for step in [1, 5, text.len()] {
            let chunks = text.as_bytes().chunks(step);
            let exchange = exchange(&[]).unwrap();
            let outcome = run(&policy, &exchange, RequestLimits::default(), chunks);
            assert_eq!(outcome.verdict.slug(), Some(slug), "{text}");
            assert_eq!(outcome.left, b"");
            assert_eq!(outcome.id, None);
            let found: Vec<&str> = outcome.requests.iter().map(|(_, id)| id.as_raw()).collect();
            let own = evil.contains("\"id\":2") && slug != "batch_mixed";
            let again = slug == "batch_duplicate_id";
            let expected: Vec<&str> = ["1", "2", "1", "\"l\\u0061te\"", "-3"]
                .into_iter()
                .enumerate()
                .filter(|(at, _)| (*at != 1 || own) && (*at != 2 || again))
                .map(|(_, id)| id)
                .collect();
            assert_eq!(found, expected, "{slug}");
            if !matches!(slug, "default_deny" | "unknown_method") {
                assert_eq!(outcome.blamed, Some(2), "{slug}");
            }
        }
    }
}

#[test]
fn limits_of_a_batch_at_their_edges() {
    let policy = compile(OPEN);
    let verdict = |limits: RequestLimits, text: &str| {
        let exchange = exchange(&[]).unwrap();
        let whole = run(&policy, &exchange, limits, [text.as_bytes()]);
        same_in(&policy, &exchange, limits, (text.as_bytes(), &whole), text.as_bytes().chunks(1));
        whole.verdict.slug()
    };
    let limits = RequestLimits::default();
    let of = |n: usize| array(&(0..n).map(|n| ping(&n.to_string())).collect::<Vec<_>>());
    assert_eq!(limits.batch, 20);
    assert_eq!(verdict(limits, &of(20)), None);
    assert_eq!(verdict(limits, &of(21)), Some("batch_too_long"));
    assert_eq!(verdict(RequestLimits { batch: 21, ..limits }, &of(21)), None);
    assert_eq!(verdict(RequestLimits { batch: 1, ..limits }, &of(1)), None);
    assert_eq!(verdict(RequestLimits { batch: 0, ..limits }, &of(1)), Some("batch_unsupported"));
    // The bracket is among what is held.
    let bytes = of(3).len() as u64;
    assert_eq!(verdict(RequestLimits { hold: bytes, ..limits }, &of(3)), None);
    assert_eq!(verdict(RequestLimits { hold: bytes - 1, ..limits }, &of(3)), Some("hold_exceeded"));
}

/// The example of mcp-protocol.md §8.8.
#[tokio::test]
async fn one_refused_element_refuses_the_batch() {
    let policy = "[[deny]]\nname = \"no-shell\"\ntools = [\"shell\"]\nmessage = \"Not here.\"\n";
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(policy, upstream.address()).start();
    let body = array(&[&list("\"a\""), &call("\"b\"", "shell", "{}"), NOTE]);
    let mut client = Wire::connect(gateway.address).await;
    for version in ["", "MCP-Protocol-Version: 2025-03-26\r\n"] {
        client.send(post(version, &body)).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let answers = reply.json();
        assert_eq!(answers.as_array().unwrap().len(), 2, "{answers}");
        assert_eq!(answers[0]["id"], "a");
        assert_eq!(answers[0]["error"]["code"], 403);
        assert_eq!(answers[0]["error"]["data"]["reason"], "batch_refused");
        assert_eq!(answers[0]["error"]["data"]["rule"], Value::Null);
        assert_eq!(answers[1]["id"], "b");
        assert_eq!(answers[1]["error"]["message"], "Not here.");
        assert_eq!(answers[1]["error"]["data"]["reason"], "denied");
        assert_eq!(answers[1]["error"]["data"]["rule"], "no-shell");
        let line = gateway.log().await;
        for (name, value) in [
            ("batch", json!(3)),
            ("calls", Value::Null),
            ("revision", json!("2025-03-26")),
            ("method", json!("tools/call")),
            ("kind", json!("tool")),
            ("target", json!("shell")),
            ("decision", json!("deny")),
            ("rule", json!("no-shell")),
            ("reason", json!("denied")),
            ("status", json!(200)),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
    }
    client.send(post("MCP-Protocol-Version: 2025-06-18\r\n", &body)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 400);
    assert_eq!(reply.json()["error"]["code"], -32600);
    assert_eq!(reply.json()["error"]["data"]["reason"], "batch_unsupported");
    assert_eq!(reply.json().get("id"), None);
    assert!(!upstream.was_called().await);
}

#[tokio::test]
async fn what_is_allowed_goes_as_it_came() {
    let answer = r#"[{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","id":1,"result":{}}]"#;
    let mut upstream = Upstream::start().await.answering(json_reply(answer));
    let mut gateway = Setup::new(OPEN, upstream.address).config(UNWATCHED).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = format!(" [ {} ,\n{NOTE},{}\t]\r\n", call("1", "t", "{}"), ping("2"));
    client.send(post("", &body)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.text()), (200, answer));
    assert_eq!(upstream.request().await.text(), body);
    let line = gateway.log().await;
    assert_eq!(line["batch"], 3);
    assert_eq!(line["method"], Value::Null);
    assert_eq!(line["decision"], "allow");
    assert_eq!(
        line["calls"],
        json!([
            {"method": "tools/call", "kind": "tool", "target": "t", "rule": "all"},
            {"method": "notifications/cancelled"},
            {"method": "ping"},
        ])
    );
    // Responses to what the server asked: as one of them alone.
    let body = r#"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"m"}}]"#;
    client.send(post("", body)).await;
    client.reply().await;
    assert_eq!(upstream.request().await.text(), body);
    assert_eq!(gateway.log().await["batch"], 2);
}

/// The closing bracket leaves when the whole body has been found good (T8).
#[tokio::test]
async fn the_bracket_waits_for_the_end() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = array(&[ping("1"), ping("2")]);
    client.send(post_head("Transfer-Encoding: chunked\r\n")).await;
    client.send(format!("{:x}\r\n{body}\r\n", body.len())).await;
    let mut server = upstream.accept().await;
    let seen = server.until(&ping("2")).await;
    assert!(seen.ends_with(&body[..body.len() - 1]), "{seen}");
    client.send("1\r\nx\r\n0\r\n\r\n").await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 400);
    assert_eq!(reply.json()["error"]["data"]["reason"], "trailing_bytes");
    let (rest, _) = server.rest().await;
    assert!(!rest.contains(&b']'), "{rest:?}");
}

#[tokio::test]
async fn the_shape_of_a_refusal_is_that_of_its_element() {
    let policy = "[[allow]]\nname = \"scoped\"\ntools = [\"scoped\"]\nscopes = [\"s\"]\n";
    let upstream = Upstream::start().await;
    let strange = r#"{"jsonrpc":"2.0","method":"notifications/strange"}"#;
    let denied = array(&[ping("1"), call("2", "wipe", "{}")]);
    for (style, status, is_result) in
        [("jsonrpc", 200, false), ("http", 403, false), ("tool_error", 200, true)]
    {
        let setup =
            Setup::new(policy, upstream.address()).config(&format!("refusal = \"{style}\""));
        let mut gateway = setup.start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &denied)).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), status, "{style}");
        assert_eq!(reply.json()[0]["error"]["data"]["reason"], "batch_refused");
        assert_eq!(reply.json()[1]["result"]["isError"] == true, is_result, "{style}");
        gateway.log().await;
        // A notification has no answer of its own, but whoever waits beside it has one.
        client.send(post("", &array(&[strange, &ping("1")]))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), if style == "http" { 403 } else { 200 }, "{style}");
        assert_eq!(reply.json().as_array().unwrap().len(), 1);
        assert_eq!(reply.json()[0]["error"]["data"]["reason"], "batch_refused");
        assert_eq!(gateway.log().await["method"], "notifications/strange");
        // And where nobody waits there is nothing to say.
        client.send(post("", &array(&[strange, NOTE]))).await;
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.text()), (403, ""), "{style}");
        assert_eq!(gateway.log().await["batch"], 2);
    }
    let gateway = Setup::new(policy, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &array(&[ping("1"), call("2", "scoped", "{}")]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 403);
    assert!(reply.header("www-authenticate").unwrap().contains("insufficient_scope"));
    assert_eq!(reply.json()[1]["error"]["data"]["reason"], "insufficient_scope");
    // A message that breaks a rule of the wire: 400, under every id.
    let mut gateway = Setup::new(OPEN, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = array(&[&ping("1"), NOTE, &call("2", "t", "[]"), &ping("\"c\"")]);
    client.send(post("", &body)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 400);
    let seen: Vec<_> = reply.json().as_array().unwrap().iter().map(told).collect();
    let others = |id: Value| (id, json!(403), json!("batch_refused"));
    let own = (json!(2), json!(-32602), json!("arguments_not_object"));
    assert_eq!(seen, [others(json!(1)), own, others(json!("c"))]);
    let line = gateway.log().await;
    assert_eq!((&line["batch"], &line["method"]), (&json!(4), &json!("tools/call")));
    // What is wrong with the body as a whole is told to all alike.
    let long = "x".repeat(70_000);
    let body = array(&[&ping("1"), &call("2", &long, "{}"), &ping("3")]);
    client.send(post("", &body)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 400);
    let seen: Vec<_> = reply.json().as_array().unwrap().iter().map(told).collect();
    let of = |id: u8| (json!(id), json!(-32600), json!("hold_exceeded"));
    assert_eq!(seen, [of(1), of(2), of(3)]);
    // What is no batch at all has one answer (JSON-RPC 2.0 §6).
    for body in
        ["[]".to_owned(), format!("[{},", ping("1")), array(&vec![NOTE; 21]), "[1]".to_owned()]
    {
        client.send(post("", &body)).await;
        let reply = client.reply().await;
        assert_eq!(reply.status(), 400, "{body}");
        assert!(reply.json()["error"]["code"].is_i64(), "{body}");
        assert_eq!(reply.json().get("id"), None, "{body}");
    }
    assert!(!upstream.was_called().await);
}

/// Id, code and reason of an error.
fn told(answer: &Value) -> (Value, Value, Value) {
    let error = &answer["error"];
    (answer["id"].clone(), error["code"].clone(), error["data"]["reason"].clone())
}

#[tokio::test]
async fn budgets_admit_all_of_a_batch_or_none() {
    let policy = "[[allow]]\nname = \"all\"\neverything = true\n\
                  [[limit]]\nname = \"three\"\ntools = [\"t\"]\nper = [\"client.ip\"]\nrate = \"3/h\"\n\
                  [[limit]]\nname = \"two\"\ntools = [\"u\"]\nper = [\"client.ip\"]\nrate = \"2/h\"\n";
    let mut upstream = Upstream::start().await.answering(json_reply("[]"));
    let mut gateway = Setup::new(policy, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    let batch = |tools: &[&str]| {
        let calls = tools.iter().enumerate().map(|(at, tool)| call(&at.to_string(), tool, "{}"));
        array(&calls.collect::<Vec<_>>())
    };
    // More than the budget ever holds: none is taken from either.
    client.send(post("", &batch(&["t", "u", "t", "u", "u"]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 429);
    assert_eq!(reply.header("retry-after"), None, "waiting does not help");
    let reasons: Vec<_> = reply.json().as_array().unwrap().iter().map(|one| told(one).2).collect();
    assert_eq!(
        reasons,
        ["batch_refused", "rate_limited", "batch_refused", "rate_limited", "rate_limited"]
    );
    let line = gateway.log().await;
    assert_eq!((&line["decision"], &line["rule"]), (&json!("limit"), &json!("two")));
    assert_eq!((&line["target"], &line["batch"]), (&json!("u"), &json!(5)));
    assert!(upstream.unseen().is_empty());
    // Each element is charged.
    client.send(post("", &batch(&["t", "t", "u"]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200);
    assert!(reply.header("ratelimit").unwrap().contains("\"three\";r=1;"));
    assert!(reply.header("ratelimit").unwrap().contains("\"two\";r=1;"));
    upstream.request().await;
    // Two more than there is one of: refused whole, and the one is still there.
    client.send(post("", &batch(&["u", "t", "t"]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 429);
    assert!(reply.header("retry-after").is_some());
    assert_eq!(told(&reply.json()[0]).2, "batch_refused");
    assert!(reply.json()[1]["error"]["data"]["retry_after_ms"].is_u64());
    client.send(post("", &batch(&["u", "t"]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200);
    assert!(reply.header("ratelimit").unwrap().contains("\"two\";r=0;"));
    // A batch that policy refuses costs nothing either; by then there is nothing left to cost.
    client.send(post("", &call("1", "t", "{}"))).await;
    assert_eq!(client.reply().await.status(), 429);
}

#[tokio::test]
async fn every_request_hears_of_an_upstream_that_fails() {
    let upstream = Upstream::start().await;
    let gone = upstream.address();
    drop(upstream);
    let gateway = Setup::new(OPEN, gone).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &array(&[&ping("1"), NOTE, &ping("2")]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 503);
    let seen: Vec<_> = reply.json().as_array().unwrap().iter().map(told).collect();
    let of = |id: u8| (json!(id), json!(-32603), json!("no_healthy_upstream"));
    assert_eq!(seen, [of(1), of(2)]);
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_owned();
    let upstream = Upstream::start().await.answering(redirect);
    let gateway = Setup::new(OPEN, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &array(&[ping("1"), ping("2")]))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 502);
    assert_eq!(reply.json()[1]["id"], 2);
    assert_eq!(told(&reply.json()[1]).2, "upstream_redirect");
}

/// A reply that may not go is an error under each id, whether it is told by its length or by what is in it.
#[tokio::test]
async fn every_request_hears_of_a_reply_that_may_not_go() {
    let large = "[[limit]]\nname = \"small\"\nmax_result = \"100B\"\n";
    let no_sampling =
        "[[deny]]\nname = \"no-sampling\"\nserver_requests = [\"sampling/createMessage\"]\n";
    let sampling = r#"{"id":7,"method":"sampling/createMessage"}"#.to_owned();
    let table = [
        (large, format!(r#"[{{"id":1,"result":"{}"}}]"#, "x".repeat(100)), 413, "result_too_large"),
        // In place of the array there stands a request.
        (no_sampling, sampling, -32603, "server_request_refused"),
    ];
    for (rules, reply, code, reason) in table {
        let upstream = Upstream::start().await.answering(json_reply(&reply));
        let gateway = Setup::new(&format!("{OPEN}{rules}"), upstream.address).start();
        let mut client = Wire::connect(gateway.address).await;
        client.send(post("", &array(&[ping("1"), NOTE.to_owned(), ping("2")]))).await;
        let answer = client.reply().await.json();
        let seen: Vec<_> = answer.as_array().unwrap().iter().map(told).collect();
        let of = |id: u8| (json!(id), json!(code), json!(reason));
        assert_eq!(seen, [of(1), of(2)], "{reason}");
    }
}
