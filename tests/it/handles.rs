//! Sealed task ids and `requestState`s (T14, T15): a handle opens for its owner, for what it was made for, and for nobody else.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use mcpfw::fuzz::envelope::{compile, exchange};
use mcpfw::inspect::request::{HandleKind, Opened, RequestInspector, RequestLimits, Violation};
use mcpfw::inspect::response::{
    Framing, Judge, Listing, ReplyInspector, ReplyOptions, SealedKind, ServerRequest, Watch,
};
use mcpfw::lock::List;
use mcpfw::policy::{Call, Context, Policy, Principal, Value as Claim};
use mcpfw::wire::jsonrpc::{Id, error_reply};
use serde_json::{Value, json};

use crate::sessions::KEY;
use crate::support::gateway::{Running, Setup};
use crate::support::tokens::{authenticator, bearer, issuer};
use crate::support::wire::{Message, Upstream, Wire, chunk, json_reply, post};

/// What a body came to, and what went on of it.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    verdict: Result<(), Violation>,
    /// The method and the target of the call.
    call: Option<(String, Option<String>)>,
    opened: Vec<(HandleKind, String)>,
    out: String,
}

/// Opens what stands for a sealed text here: `fw1.` and hexadecimal; of a task, of the tool's name, a dash and the id.
fn open(kind: HandleKind, text: &str) -> Option<Opened> {
    let digits = text.strip_prefix("fw1.")?;
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let inner: Result<Vec<u8>, _> = pairs.map(|pair| u8::from_str_radix(pair, 16)).collect();
    let inner = String::from_utf8(inner.ok()?).ok()?;
    match kind {
        HandleKind::State => Some(Opened::Is(inner.into())),
        HandleKind::Task | HandleKind::Watched => {
            let (tool, id) = inner.split_once('-')?;
            Some(Opened::Task(id.into(), tool.into()))
        }
    }
}

fn sealed(inner: &str) -> String {
    format!("fw1.{}", inner.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
}

static POLICY: LazyLock<Arc<Policy>> =
    LazyLock::new(|| compile("[[allow]]\nname = \"all\"\neverything = true\n"));

fn run<'a>(headers: &[(&str, &str)], chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    run_within(RequestLimits { hold: 600, state: 300, ..RequestLimits::default() }, headers, chunks)
}

fn run_within<'a>(
    limits: RequestLimits,
    headers: &[(&str, &str)],
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let (policy, exchange) = (Arc::clone(&POLICY), exchange(headers).unwrap());
    let mut inspector =
        RequestInspector::new(Arc::clone(&policy), exchange, limits, 1).with_sealed_handles();
    let mut outcome =
        Outcome { verdict: Ok(()), call: None, opened: Vec::new(), out: String::new() };
    let read = |inspector: &mut RequestInspector, outcome: &mut Outcome| {
        loop {
            let Some(handle) = inspector.take_handle() else {
                let Some(call) = inspector.take_call() else { return Ok(()) };
                let permitted = decide(&policy, &call);
                outcome.call =
                    Some((call.method.into(), call.object.map(|object| object.name.into())));
                // Everything that came with the call is opened before anything leaves.
                while let Some(handle) = inspector.take_handle() {
                    outcome.opened.push((handle.kind, handle.text.to_string()));
                    let opened = open(handle.kind, &handle.text);
                    inspector.settle_handle(handle, opened)?;
                }
                inspector.release(&permitted);
                return Ok(());
            };
            outcome.opened.push((handle.kind, handle.text.to_string()));
            let opened = open(handle.kind, &handle.text);
            inspector.settle_handle(handle, opened)?;
        }
    };
    let mut out = Vec::new();
    for chunk in chunks {
        outcome.verdict = inspector
            .feed(Bytes::copy_from_slice(chunk))
            .and_then(|()| read(&mut inspector, &mut outcome));
        while let Some(chunk) = inspector.next_chunk() {
            out.extend_from_slice(&chunk);
        }
        if outcome.verdict.is_err() {
            break;
        }
    }
    if outcome.verdict.is_ok() {
        outcome.verdict = inspector.finish().and_then(|()| read(&mut inspector, &mut outcome));
        while let Some(chunk) = inspector.next_chunk() {
            out.extend_from_slice(&chunk);
        }
    }
    outcome.out = String::from_utf8(out).unwrap();
    outcome
}

fn decide(policy: &Policy, call: &Call) -> mcpfw::policy::Permitted {
    let context = Context { route: "r", host: "h", sni: None, ip: [127, 0, 0, 1].into() };
    let caller = Principal::supposed(Claim::Map([].into_iter().collect()));
    policy.decide(&caller, &context, call, 1_800_000_000).unwrap()
}

/// The outcome of `body`, after checking that every cut comes to the same.
fn outcome(headers: &[(&str, &str)], body: &str) -> Outcome {
    let whole = run(headers, [body.as_bytes()]);
    let same = |cut: Outcome| {
        assert_eq!(cut.verdict, whole.verdict, "{body}");
        if whole.verdict.is_ok() {
            assert_eq!(cut, whole);
        } else {
            assert!(!cut.out.trim_end().ends_with('}') || cut.out.len() < body.len(), "{body}");
            assert!(!cut.out.contains("fw1."), "{body}");
        }
    };
    for at in 1..body.len() {
        let (a, b) = body.as_bytes().split_at(at);
        same(run(headers, [a, b]));
    }
    same(run(headers, body.as_bytes().chunks(1)));
    same(run(headers, body.as_bytes().chunks(7)));
    whole
}

const MODERN: [(&str, &str); 3] =
    [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "pay")];
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
}

/// `body` as it goes on: each handle in it is opened, and what it was longer is white space.
fn restored(body: &str, handles: &[(&str, &str)]) -> String {
    handles.iter().fold(body.to_owned(), |body, (inner, id)| {
        let (from, to) = (format!("\"{}\"", sealed(inner)), format!("\"{id}\""));
        assert!(body.contains(&from));
        body.replace(&from, &format!("{to}{}", " ".repeat(from.len() - to.len())))
    })
}

#[test]
fn a_state_is_opened_wherever_it_stands() {
    let state = format!(r#""requestState":"{}""#, sealed("a\\\"b\\n"));
    let large = format!(r#""arguments":{{"text":"{}"}}"#, "x".repeat(900));
    for params in [
        format!(r#""name":"pay","arguments":{{}},{state},{META}"#),
        format!(r#"{state},{META},"name":"pay""#),
        format!(r#"{META},"name":"pay",{large},{state}"#),
        format!(r#"{META},{state},"name":"pay",{large}"#),
        format!(
            r#"{META},"name":"pay","inputResponses":{{"k":{{"action":"accept"}}}},{state},"x":"y""#
        ),
    ] {
        let body = request("tools/call", &params);
        let got = outcome(&MODERN, &body);
        assert_eq!(got.verdict, Ok(()), "{params}");
        assert_eq!(got.out, restored(&body, &[("a\\\"b\\n", "a\\\"b\\n")]));
        assert_eq!(got.out.len(), body.len());
        let sent: Value = serde_json::from_str(&got.out).unwrap();
        assert_eq!(sent["params"]["requestState"], "a\"b\n");
        assert_eq!(got.opened, [(HandleKind::State, sealed("a\\\"b\\n"))]);
    }
}

#[test]
fn what_does_not_open_goes_nowhere() {
    let large = format!(r#""arguments":{{"text":"{}"}}"#, "x".repeat(900));
    let pads = "p".repeat(301);
    for state in [
        r#""zz""#.to_owned(),
        r#""""#.to_owned(),
        "7".to_owned(),
        r#"{"a":"zz"}"#.to_owned(),
        "[]".to_owned(),
        "true".to_owned(),
        // The right one, but for an escape: what goes on has the length of what came.
        format!(r#""\u0066{}""#, sealed("a").get(1..).unwrap()),
        format!(r#""fw1.{pads}""#),
        format!(r#""fw1.{}""#, r"\u0061".repeat(60)),
    ] {
        for params in [
            format!(r#"{META},"name":"pay",{large},"requestState":{state}"#),
            format!(r#""requestState":{state},{META},"name":"pay""#),
        ] {
            let got = outcome(&MODERN, &request("tools/call", &params));
            assert_eq!(got.verdict, Err(Violation::StateUnknown), "{params}");
            assert!(!got.out.contains("requestState\":\""), "{}", got.out);
        }
    }
    // Nothing was said.
    let body = request("tools/call", &format!(r#"{META},"name":"pay","requestState":null"#));
    assert_eq!(outcome(&MODERN, &body).out, body);
    // The longest.
    let inner = "p".repeat(148);
    let body = request(
        "tools/call",
        &format!(r#"{META},"name":"pay","requestState":"{}""#, sealed(&inner)),
    );
    assert_eq!(outcome(&MODERN, &body).out, restored(&body, &[(&inner, &inner)]));
}

#[test]
fn a_task_is_the_tool_that_made_it() {
    let task = format!(r#""taskId":"{}""#, sealed("pay-t1"));
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        for body in [
            request(method, &task),
            request(method, &format!(r#""x":{{"taskId":"zz"}},{task},"y":1"#)),
            format!(r#"{{"params":{{{task}}},"method":"{method}","id":1,"jsonrpc":"2.0"}}"#),
        ] {
            let got = outcome(&[("mcp-protocol-version", "2025-11-25")], &body);
            assert_eq!(got.verdict, Ok(()));
            assert_eq!(got.out, restored(&body, &[("pay-t1", "t1")]));
            assert_eq!(got.call, Some((method.to_owned(), Some("pay".to_owned()))));
        }
        for task in [r#""t1""#, r#""""#, r#""fw1.""#, "7"] {
            let got = outcome(&[], &request(method, &format!(r#""taskId":{task}"#)));
            let error =
                if task == "7" { Violation::TargetNotString } else { Violation::TaskUnknown };
            assert_eq!((got.verdict, &*got.out), (Err(error), ""), "{task}");
        }
    }
    // A client's own task, and what is merely called like one.
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"mine"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","params":{"taskId":"mine"},"method":"notifications/tasks/status"}"#
            .to_owned(),
        request("tools/call", r#""name":"pay","taskId":"x""#),
        request("tools/call", r#""taskId":"x","name":"pay""#),
        request("x/y", r#""taskId":"x","notifications":{"taskIds":["x","y"]}"#),
    ] {
        let got = outcome(&[("mcp-protocol-version", "2025-11-25")], &body);
        assert_eq!((got.verdict, &*got.out), (Ok(()), &*body));
    }
    // Not in a batch, whose revision has no tasks.
    let batch = format!("[{}]", request("tasks/get", &task));
    assert_eq!(outcome(&[], &batch).verdict, Err(Violation::TaskUnknown));
}

#[test]
fn who_listens_names_tasks_of_its_own() {
    const LISTEN: [(&str, &str); 2] =
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "subscriptions/listen")];
    let listen = |filter: &str| {
        request("subscriptions/listen", &format!(r#"{META},"notifications":{{{filter}}}"#))
    };
    let (a, b) = (sealed("pay-t1"), sealed("ship-t2"));
    let body = listen(&format!(r#""taskIds":["{a}", "{b}"],"toolsListChanged":true"#));
    let got = outcome(&LISTEN, &body);
    assert_eq!(got.verdict, Ok(()));
    assert_eq!(got.out, restored(&body, &[("pay-t1", "t1"), ("ship-t2", "t2")]));
    assert_eq!(got.opened, [(HandleKind::Watched, a.clone()), (HandleKind::Watched, b)]);
    let got = outcome(&LISTEN, &listen(&format!(r#""taskIds":["{a}","t2"]"#)));
    assert_eq!((got.verdict, &*got.out), (Err(Violation::TaskUnknown), ""));
    for (count, passes) in [(64, true), (65, false)] {
        let short = format!("\"{}\"", sealed("p-"));
        let body = listen(&format!(r#""taskIds":[{}]"#, vec![&*short; count].join(",")));
        let got = run_within(RequestLimits::default(), &LISTEN, [body.as_bytes()]);
        assert_eq!(got.verdict.is_ok(), passes, "{count}");
    }
}

/// Seals what it is given, in capitals.
struct Capitals(Vec<(SealedKind, String)>);

impl Judge for Capitals {
    fn listed(&mut self, _: List, _: &str) -> Listing {
        Listing::Shown
    }

    fn permits(&mut self, request: &ServerRequest<'_>) -> bool {
        request.method != "sampling/createMessage"
    }

    fn seal(&mut self, kind: SealedKind, text: &str) -> Option<String> {
        self.0.push((kind, text.to_owned()));
        (text != "keep").then(|| format!("SEALED-{}", text.to_uppercase()))
    }

    fn refusal(&mut self, id: Option<&Id>) -> Vec<u8> {
        error_reply(id, 403, "refused", None)
    }
}

fn relay(framing: Framing, watch: Watch, reply: &str) -> String {
    let feed = |chunks: Vec<&[u8]>| {
        let options = ReplyOptions { watch, is_modern: true, ..ReplyOptions::default() };
        let mut inspector = ReplyInspector::new(framing, Capitals(Vec::new()), options);
        let mut out = std::collections::VecDeque::new();
        for chunk in chunks {
            inspector.feed(Bytes::copy_from_slice(chunk), &mut out).unwrap();
        }
        inspector.finish(&mut out).unwrap();
        String::from_utf8(out.iter().flatten().copied().collect()).unwrap()
    };
    let whole = feed(vec![reply.as_bytes()]);
    for at in 1..reply.len() {
        let (a, b) = reply.as_bytes().split_at(at);
        assert_eq!(feed(vec![a, b]), whole, "{at}");
    }
    assert_eq!(feed(reply.as_bytes().chunks(1).collect()), whole);
    whole
}

#[test]
fn handles_are_sealed_where_servers_hand_them_out() {
    let watch = Watch { requests: true, states: true, tasks: true, ..Watch::NOTHING };
    let table = [
        (
            r#"{"id":1,"result":{"resultType":"input_required","requestState":"a\"\u0062/","inputRequests":{"k":{"method":"roots/list"}}}}"#,
            r#"{"id":1,"result":{"resultType":"input_required","requestState":"SEALED-A\"B/","inputRequests":{"k":{"method":"roots/list"}}}}"#,
        ),
        (
            r#"{"id":1,"result":{"inputRequests":{"k":{"method":"roots/list"}},"requestState" : "s" }}"#,
            r#"{"id":1,"result":{"inputRequests":{"k":{"method":"roots/list"}},"requestState" : "SEALED-S" }}"#,
        ),
        (
            r#"{"result":{"requestState":"s","resultType":"complete"},"id":1}"#,
            r#"{"result":{"requestState":"SEALED-S","resultType":"complete"},"id":1}"#,
        ),
        (
            r#"{"id":1,"result":{"resultType":"task","taskId":"t","status":"working"}}"#,
            r#"{"id":1,"result":{"resultType":"task","taskId":"SEALED-T","status":"working"}}"#,
        ),
        (
            r#"{"id":1,"result":{"task":{"status":"working","taskId":"t","x":{"taskId":"u"}},"_meta":{"taskId":"v"}}}"#,
            r#"{"id":1,"result":{"task":{"status":"working","taskId":"SEALED-T","x":{"taskId":"u"}},"_meta":{"taskId":"v"}}}"#,
        ),
        (
            r#"{"method":"notifications/tasks","params":{"taskId":"t","status":"x","result":{"content":[{"taskId":"u"}]}}}"#,
            r#"{"method":"notifications/tasks","params":{"taskId":"SEALED-T","status":"x","result":{"content":[{"taskId":"u"}]}}}"#,
        ),
        // Refused, with what is in it.
        (
            r#"{"id":1,"result":{"resultType":"input_required","requestState":"s","inputRequests":{"k":{"method":"sampling/createMessage"}}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":403,"message":"refused"}}"#,
        ),
        // Not handles, or not to be sealed.
        (
            r#"{"id":1,"result":{"taskId":"keep","x":1}}"#,
            r#"{"id":1,"result":{"taskId":"keep","x":1}}"#,
        ),
        (
            r#"{"id":1,"result":{"taskId":7,"requestState":null,"task":"t"}}"#,
            r#"{"id":1,"result":{"taskId":7,"requestState":null,"task":"t"}}"#,
        ),
        (
            r#"{"id":1,"result":{"content":[{"requestState":"s","taskId":"t"}]}}"#,
            r#"{"id":1,"result":{"content":[{"requestState":"s","taskId":"t"}]}}"#,
        ),
        (
            r#"{"method":"notifications/x","params":{"taskId":"t"}}"#,
            r#"{"method":"notifications/x","params":{"taskId":"t"}}"#,
        ),
    ];
    for (reply, expected) in table {
        assert_eq!(relay(Framing::Json, watch, reply), expected);
        let event = |text: &str| format!("event: message\ndata: {text}\n\n");
        assert_eq!(relay(Framing::EventStream, watch, &event(reply)), event(expected));
        if expected.starts_with(r#"{"id"#) {
            // Over several lines.
            let lines = |text: &str| event(&text.replace(",\"", ",\ndata: \""));
            assert_eq!(relay(Framing::EventStream, watch, &lines(reply)), lines(expected));
        }
        let unwatched = Watch { requests: true, ..Watch::NOTHING };
        if !expected.contains("refused") {
            assert_eq!(relay(Framing::Json, unwatched, reply), reply);
        }
    }
}

const PAY: &str = "[[allow]]\nname = \"pay\"\ntools = [\"pay\", \"ship\"]\n[[allow]]\nname = \"listen\"\nmethods = [\"subscriptions/listen\", \"completion/complete\"]\n";
const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Head and body of a modern request of `method` on `name`.
fn modern(method: &str, name: &str, params: &str, headers: &str) -> String {
    let mirrored = if name.is_empty() { String::new() } else { format!("Mcp-Name: {name}\r\n") };
    post(
        &format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{mirrored}{headers}"),
        &request(method, &format!("{params},{META}")),
    )
}

fn pay(state: &str, headers: &str) -> String {
    modern(
        "tools/call",
        "pay",
        &format!(r#""name":"pay","arguments":{{}},"inputResponses":{{}},"requestState":"{state}""#),
        headers,
    )
}

/// Sends `request` to the gateway and `reply` back from the server, and returns what each of them got.
async fn exchange_of(
    gateway: &Running,
    upstream: &Upstream,
    request: &str,
    reply: &str,
) -> (Message, Message) {
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    let mut server = upstream.accept().await;
    let seen = server.request().await;
    server.send(reply).await;
    (seen, client.reply().await)
}

/// Sends `request`, which must not reach the server.
async fn refused(gateway: &Running, upstream: &Upstream, request: &str) -> Value {
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    let reply = client.reply().await;
    assert!(!upstream.was_called().await, "{request}");
    let mut said = reply.json();
    said["status"] = reply.status().into();
    said
}

#[tokio::test]
async fn a_state_comes_back_from_whom_it_was_given_to() {
    let issuer = issuer();
    let upstream = Upstream::start().await;
    let setup = |config: &str, policy: &str| {
        Setup::new(policy, upstream.address())
            .config(config)
            .authenticator(authenticator(&issuer))
            .start()
    };
    let gateway = setup(KEY, PAY);
    let (ann, bob) = (bearer(&issuer, "ann", &json!({})), bearer(&issuer, "bob", &json!({})));
    let asks = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"st-\u00e9\"","inputRequests":{}}}"#;
    let first = modern("tools/call", "pay", r#""name":"pay","arguments":{}"#, &ann);
    let (_, reply) = exchange_of(&gateway, &upstream, &first, &json_reply(asks)).await;
    let result = &reply.json()["result"];
    let state = result["requestState"].as_str().unwrap().to_owned();
    assert!(state.starts_with("fw1.") && !reply.text().contains("st-"), "{reply:?}");
    assert_eq!(result["resultType"], "input_required");

    let done = json_reply(r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#);
    // The one that it was given to, for the same call; even after a restart under the same key.
    for gateway in [&gateway, &setup(KEY, PAY)] {
        let (seen, reply) = exchange_of(gateway, &upstream, &pay(&state, &ann), &done).await;
        assert_eq!(seen.json()["params"]["requestState"], "st-\u{e9}\"");
        assert_eq!(seen.header("content-length").unwrap(), seen.body.len().to_string());
        assert_eq!(reply.status(), 200);
    }
    let ship =
        modern("tools/call", "ship", &format!(r#""name":"ship","requestState":"{state}""#), &ann);
    for request in [
        pay(&state, &bob),
        ship,
        pay("st-1", &ann),
        pay("", &ann),
        pay(&state.to_uppercase(), &ann),
        modern(
            "completion/complete",
            "",
            &format!(r#""ref":{{"type":"ref/prompt","name":"p"}},"requestState":"{state}""#),
            &ann,
        ),
    ] {
        let said = refused(&gateway, &upstream, &request).await;
        assert_eq!(
            (
                &said["status"],
                &said["error"]["code"],
                &said["error"]["data"]["reason"],
                &said["id"]
            ),
            (&json!(400), &json!(-32602), &json!("state_unknown"), &json!(1)),
            "{request}"
        );
    }
    // A retry is decided like a fresh call.
    let said = refused(
        &setup(KEY, "[[deny]]\nname = \"no\"\ntools = [\"pay\"]\n"),
        &upstream,
        &pay(&state, &ann),
    )
    .await;
    assert_eq!(said["error"]["data"]["rule"], "no");
    // Under another key it is nobody's; where nothing is sealed it is the server's affair.
    let other = setup("[session]\nkey = \"3NZL1vQm3rHXIVhT1xkm9cJZ8f0O2iKQeD7y5sWqk4I=\"\n", PAY);
    assert_eq!(refused(&other, &upstream, &pay(&state, &ann)).await["status"], 400);
    let plain = setup("handles = \"plain\"\n", PAY);
    let (seen, reply) = exchange_of(&plain, &upstream, &pay("st-1", &ann), &json_reply(asks)).await;
    assert_eq!((&seen.json()["params"]["requestState"], reply.text()), (&json!("st-1"), asks));
}

/// The state may come when the call is long on its way.
#[tokio::test]
async fn a_state_that_comes_late_is_opened_on_the_way() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(PAY, upstream.address()).start();
    let asks = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"late"}}"#;
    let first = modern("tools/call", "pay", r#""name":"pay","arguments":{}"#, "");
    let event = STREAM.to_owned() + &chunk(&format!("data: {asks}\n\n")) + "0\r\n\r\n";
    let (_, reply) = exchange_of(&gateway, &upstream, &first, &event).await;
    let text = reply.text().strip_prefix("data: ").unwrap();
    let reply: Value = serde_json::from_str(text).unwrap();
    let state = reply["result"]["requestState"].as_str().unwrap();
    for (state, passes) in [(state, true), ("late", false)] {
        let large = "x".repeat(100_000);
        let whole = pay(state, "")
            .replace(r#""arguments":{}"#, &format!(r#""arguments":{{"a":"{large}"}}"#));
        let grown = whole.split_once("\r\n\r\n").unwrap().1.len();
        let length =
            whole.lines().find(|line| line.starts_with("Content-Length")).unwrap().to_owned();
        let whole = whole.replace(&length, &format!("Content-Length: {grown}"));
        let (begun, rest) = whole.split_at(whole.find("inputResponses").unwrap());
        let mut client = Wire::connect(gateway.address).await;
        client.send(begun).await;
        let mut server = upstream.accept().await;
        // The call goes before its end is there.
        server.until("xxxxxxxxxx").await;
        let (begun, rest) = rest.split_at(rest.find("requestState").unwrap() + 20);
        client.send(begun).await;
        client.send(rest).await;
        if passes {
            let seen = server.until("}}}}").await;
            assert!(seen.contains(r#""requestState":"late"  "#), "{seen}");
            server.send(json_reply(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)).await;
            assert_eq!(client.reply().await.status(), 200);
        } else {
            let reply = client.reply().await;
            assert_eq!(reply.json()["error"]["data"]["reason"], "state_unknown");
            let (seen, _) = server.rest().await;
            assert!(!String::from_utf8_lossy(&seen).contains("late"));
        }
    }
}

#[tokio::test]
async fn a_task_is_followed_up_by_who_may_call_its_tool() {
    const VERSION: &str = "MCP-Protocol-Version: 2025-11-25\r\n";
    let issuer = issuer();
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let setup = |policy: &str| {
        Setup::new(policy, first.address())
            .or_upstream(second.address())
            .config(KEY)
            .authenticator(authenticator(&issuer))
            .start()
    };
    let gateway = setup(PAY);
    let (ann, bob) = (bearer(&issuer, "ann", &json!({})), bearer(&issuer, "bob", &json!({})));
    let (ann, bob) = (ann + VERSION, bob + VERSION);
    let made = r#"{"jsonrpc":"2.0","id":1,"result":{"task":{"taskId":"t-1","status":"working"}}}"#;
    let call =
        post(&ann, &request("tools/call", r#""name":"pay","arguments":{},"task":{"ttl":60000}"#));
    let (_, reply) = exchange_of(&gateway, &first, &call, &json_reply(made)).await;
    let task = reply.json()["result"]["task"]["taskId"].as_str().unwrap().to_owned();
    assert!(task.starts_with("fw1."), "{reply:?}");

    let about = |method: &str, task: &str, headers: &str| {
        post(headers, &request(method, &format!(r#""taskId":"{task}""#)))
    };
    let state = r#"{"jsonrpc":"2.0","id":1,"result":{"taskId":"t-1","status":"working"}}"#;
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t-1"}}}}"#;
    for (method, answer) in
        [("tasks/get", state), ("tasks/cancel", state), ("tasks/result", result)]
    {
        let (seen, reply) =
            exchange_of(&gateway, &first, &about(method, &task, &ann), &json_reply(answer)).await;
        assert_eq!(seen.json()["params"]["taskId"], "t-1");
        // The same task has the same name.
        assert_eq!(
            reply.text(),
            answer.replace(r#":"t-1","status"#, &format!(r#":"{task}","status"#))
        );
    }
    for request in [
        about("tasks/get", &task, &bob),
        about("tasks/result", "t-1", &ann),
        about("tasks/cancel", "", &ann),
        about("tasks/get", &format!("{task}A"), &ann),
    ] {
        let said = refused(&gateway, &first, &request).await;
        assert_eq!(
            (&said["error"]["code"], &said["error"]["data"]["reason"]),
            (&json!(-32602), &json!("task_unknown")),
            "{request}"
        );
    }
    // Today's policy decides.
    let today = setup("[[allow]]\nname = \"ship\"\ntools = [\"ship\"]\nmethods = [\"x/y\"]\n");
    let said = refused(&today, &first, &about("tasks/result", &task, &ann)).await;
    assert_eq!(said["error"]["data"]["reason"], "default_deny");
    // A state is no task, and a task no state.
    let said = refused(&gateway, &first, &pay(&task, &ann.replace(VERSION, ""))).await;
    assert_eq!(said["error"]["data"]["reason"], "state_unknown");
    // Only the server that made it knows it.
    drop(first);
    let mut client = Wire::connect(gateway.address).await;
    client.send(about("tasks/get", &task, &ann)).await;
    assert_eq!(client.reply().await.status(), 503);
    assert!(!second.was_called().await);
}

#[tokio::test]
async fn tasks_of_2026() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(PAY, upstream.address()).config(KEY).start();
    let made = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"t 1é","status":"working","ttlMs":1}}"#;
    let call = modern("tools/call", "pay", r#""name":"pay","arguments":{}"#, "");
    let (_, reply) = exchange_of(&gateway, &upstream, &call, &json_reply(made)).await;
    let task = reply.json()["result"]["taskId"].as_str().unwrap().to_owned();
    gateway.log().await;
    // The header names the server's own, too.
    let get = modern("tasks/get", &task, &format!(r#""taskId":"{task}""#), "");
    let done = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","taskId":"t 1é","status":"completed","result":{"content":[]}}}"#;
    let (seen, reply) = exchange_of(&gateway, &upstream, &get, &json_reply(done)).await;
    assert_eq!(seen.header("mcp-name"), Some("=?base64?dCAxw6k=?="));
    assert_eq!(seen.json()["params"]["taskId"], "t 1é");
    assert_eq!(reply.json()["result"]["taskId"], *task);
    let line = gateway.log().await;
    assert_eq!(
        (&line["method"], &line["target"], &line["rule"]),
        (&json!("tasks/get"), &json!("pay"), &json!("pay"))
    );
    assert!(!line.to_string().contains(&task));

    // Who listens hears of it under the name that it knows.
    let listen = |task: &str| {
        let filter = format!(r#""notifications":{{"taskIds":["{task}"]}}"#);
        modern("subscriptions/listen", "", &filter, "")
    };
    let note = |id: &str| {
        format!(
            "data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks\",\"params\":{{\"taskId\":\"{id}\",\"status\":\"working\"}}}}\n\n"
        )
    };
    let mut client = Wire::connect(gateway.address).await;
    client.send(listen("t-1")).await;
    assert_eq!(client.reply().await.json()["error"]["data"]["reason"], "task_unknown");
    assert!(!upstream.was_called().await);
    let mut client = Wire::connect(gateway.address).await;
    client.send(listen(&task)).await;
    let mut server = upstream.accept().await;
    assert_eq!(
        server.request().await.json()["params"]["notifications"]["taskIds"],
        json!(["t 1é"])
    );
    server
        .send(STREAM.to_owned() + &chunk(&note("t 1é")) + &chunk(&note("else")) + "0\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.text(), note(&task) + &note("else"));
    // Whoever may no longer call its tool hears nothing.
    let today = Setup::new(&PAY.replace("\"pay\", ", ""), upstream.address()).config(KEY).start();
    let said = refused(&today, &upstream, &listen(&task)).await;
    assert_eq!(said["error"]["data"]["reason"], "default_deny");
}
