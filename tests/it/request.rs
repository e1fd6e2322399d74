//! The request inspector with policies: when it decides, what it captures, what it holds. What it refuses is in
//! smuggling.rs; limits at their edges are beside the code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use mcpfw::fuzz::envelope::{Outcome, Verdict, compile, decide, exchange, run};
use mcpfw::inspect::request::{RequestInspector, RequestLimits, Violation};
use mcpfw::policy::{Arg, Number, Policy, Value};
use mcpfw::wire::jsonrpc::Id;
use mcpfw::wire::mcp::{Revision, RevisionSet};

const POLICY: &str = r#"
[[allow]]
name = "plain"
tools = ["plain"]

[[allow]]
name = "write"
tools = ["write"]
when = 'args.path.startsWith("/sandbox/")'

[[allow]]
name = "deep"
tools = ["deep"]
when = 'args.a.b.c == 7 && size(args.list) < 3'

[[allow]]
name = "whole"
tools = ["whole"]
when = 'has(args.o) && args.o.k == "v"'

[[allow]]
name = "retry"
tools = ["retry"]
when = '!mcp.is_retry'

[[allow]]
name = "docs"
resources = ["doc://public/**"]
methods = ["subscriptions/listen"]
"#;

/// `body` byte by byte, without headers.
fn bytewise(policy: &Arc<Policy>, body: &str) -> Outcome {
    run(policy, &exchange(&[]).unwrap(), RequestLimits::default(), body.as_bytes().chunks(1))
}

/// An inspector without headers.
fn inspector(policy: &Arc<Policy>, limits: RequestLimits) -> RequestInspector {
    RequestInspector::new(Arc::clone(policy), exchange(&[]).unwrap(), limits, 1)
}

#[test]
fn the_first_byte_leaves_as_soon_as_the_call_is_decided() {
    let policy = compile(POLICY);
    // The caret stands behind the byte that decides; it is not part of the body.
    let bodies = [
        r#"{"method":"ping"^,"id":1,"jsonrpc":"2.0"}"#,
        r#"{"id":1,"method":"tools/list"^,"params":{"cursor":"c"},"jsonrpc":"2.0"}"#,
        r#"{"method":"tools/call","params":{"name":"plain"^,"arguments":{"a":1}},"id":1,"jsonrpc":"2.0"}"#,
        r#"{"params":{"arguments":{"a":1},"name":"plain"},"id":1,"method":"tools/call"^,"jsonrpc":"2.0"}"#,
        r#"{"method":"tools/call","params":{"name":"write","arguments":{"x":[{}],"path":"/sandbox/a"^,"content":"c"}},"id":1,"jsonrpc":"2.0"}"#,
        r#"{"method":"tools/call","params":{"arguments":{"path":"/sandbox/a","content":"c"},"name":"write"^,"x":1},"id":1,"jsonrpc":"2.0"}"#,
        r#"{"method":"tools/call","params":{"name":"deep","arguments":{"list":[1,2],"a":{"x":1,"b":{"y":2,"c":7,^"z":3}}}},"id":1,"jsonrpc":"2.0"}"#,
        // Whether it is a retry is known when the parameters end, or when it is one.
        r#"{"method":"tools/call","params":{"name":"retry","arguments":{}}^,"id":1,"jsonrpc":"2.0"}"#,
        r#"{"method":"resources/read","params":{"uri":"doc://public/a"^,"x":1},"id":1,"jsonrpc":"2.0"}"#,
        r#"{"method":"completion/complete","params":{"ref":{"uri":"doc://public/a","type":"ref/resource"}^,"x":1},"id":1,"jsonrpc":"2.0"}"#,
        r#"{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["doc://public/a"]}^,"x":1},"id":1,"jsonrpc":"2.0"}"#,
        r#"{"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}^,"id":1,"jsonrpc":"2.0"}"#,
        r#"{"error":{^},"id":1,"jsonrpc":"2.0"}"#,
    ];
    for marked in bodies {
        let body = marked.replace('^', "");
        let outcome = bytewise(&policy, &body);
        assert_eq!(outcome.verdict, Verdict::Passed, "{body}");
        assert_eq!(outcome.left, body.as_bytes());
        if !marked.starts_with(r#"{"error""#) {
            assert_eq!(outcome.released_at, marked.find('^'), "{body}");
        }
    }
}

/// A listen is decided for each resource: what the rules on one of them read must have come, wherever it stands.
#[test]
fn a_listen_waits_for_what_the_rules_on_its_resources_read() {
    let policy = compile(
        r#"
[[allow]]
name = "first time"
resources = ["doc://once/*"]
when = '!mcp.is_retry'

[[allow]]
name = "always"
resources = ["doc://public/*"]
"#,
    );
    let listen = |uri: &str, rest: &str| {
        let filter = format!(r#"{{"resourceSubscriptions":["{uri}"]}}"#);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{{"notifications":{filter}{rest}}}}}"#
        );
        let whole =
            run(&policy, &exchange(&[]).unwrap(), RequestLimits::default(), [body.as_bytes()]);
        let outcome = bytewise(&policy, &body);
        assert_eq!(outcome.verdict, whole.verdict, "{body}");
        (outcome.verdict, outcome.released_at.map(|at| body.len() - at))
    };
    let retry = r#","requestState":"s""#;
    assert_eq!(listen("doc://once/a", retry), (Verdict::Denied("default_deny"), None));
    assert_eq!(listen("doc://once/a", r#","x":1"#), (Verdict::Passed, Some(1)));
    assert_eq!(listen("doc://public/a", retry), (Verdict::Passed, Some(retry.len() + 2)));
}

#[test]
fn arguments_reach_the_policy_as_they_are() {
    let policy = compile(POLICY);
    let call = |name: &str, arguments: &str| {
        bytewise(
            &policy,
            &format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#
            ),
        )
    };
    let passes = |name, arguments| call(name, arguments).verdict == Verdict::Passed;
    assert!(passes("write", r#"{"path":"\/sandbox\u002fa"}"#));
    assert!(!passes("write", r#"{"path":"/etc"}"#));
    assert!(!passes("write", r#"{"path":["/sandbox/"]}"#));
    assert!(!passes("write", r#"{"x":{"path":"/sandbox/"}}"#));
    assert!(!passes("write", r"{}"));
    assert!(passes("deep", r#"{"a":{"b":{"c":7.0}},"list":[]}"#));
    assert!(!passes("deep", r#"{"a":{"b":{"c":7.1}},"list":[]}"#));
    assert!(!passes("deep", r#"{"a":{"b":{"c":7}},"list":[1,2,3]}"#));
    assert!(!passes("deep", r#"{"a":[{"b":{"c":7}}],"list":[]}"#));
    assert!(!passes("deep", r#"{"a.b.c":7,"list":[]}"#));
    assert!(passes("whole", r#"{"o":{"z":1,"k":"v","a":[{}]}}"#));
    assert!(!passes("whole", r#"{"o":"v"}"#));
}

#[test]
fn what_is_too_large_to_capture_counts_against_the_caller() {
    let policy = compile(POLICY);
    let slot = |arguments: &str, limits| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"deep","arguments":{arguments}}}}}"#
        );
        let exchange = exchange(&[]).unwrap();
        let outcome = run(&policy, &exchange, limits, [body.as_bytes()]);
        let call = outcome.call.unwrap();
        let list = policy.captures().child(0, "list").unwrap();
        (call.args.slot(policy.captures().slot(list).unwrap()).clone(), outcome.verdict)
    };
    let limits = RequestLimits { capture: 200, elements: 4, ..RequestLimits::default() };
    let list = |elements: &[&str]| {
        Arg::Value(Value::List(
            elements.iter().map(|n| Value::Number(Number::from_token(n).unwrap())).collect(),
        ))
    };
    let fits = r#"{"list":[1,2,3,4],"a":{"b":{"c":7}}}"#;
    assert_eq!(slot(fits, limits).0, list(&["1", "2", "3", "4"]));
    assert_eq!(slot(r#"{"list":[1,2,3,4,5],"a":{"b":{"c":7}}}"#, limits).0, Arg::TooLarge);
    // 32 for the list and each string, and their text.
    let text =
        |bytes: usize| format!(r#"{{"list":["{}"],"a":{{"b":{{"c":7}}}}}}"#, "x".repeat(bytes));
    assert_ne!(slot(&text(136 - 33), limits).0, Arg::TooLarge);
    assert_eq!(slot(&text(137), limits).0, Arg::TooLarge);
    // What did not fit is forgotten, and leaves room for the next.
    let outcome = slot(r#"{"list":[1,2,3,4,5,6,7],"a":{"b":{"c":7}}}"#, limits);
    assert_eq!(outcome.1, Verdict::Denied("default_deny"), "unknown is no");
    let nested = |depth: usize| {
        format!(r#"{{"list":{}{},"a":{{"b":{{"c":7}}}}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    let roomy = RequestLimits::default();
    assert_ne!(slot(&nested(8), roomy).0, Arg::TooLarge);
    assert_eq!(slot(&nested(9), roomy).0, Arg::TooLarge);
}

/// What rules for other tools read of the arguments takes nothing of what is kept for this one's.
#[test]
fn what_only_others_read_is_not_kept() {
    let policy = compile(
        r#"
[[allow]]
name = "part"
tools = ["part"]
when = 'args.a.b == "x"'

[[allow]]
name = "all"
tools = ["all"]
when = 'has(args.a) && args.a.b == "x"'
"#,
    );
    let limits = RequestLimits { capture: 200, ..RequestLimits::default() };
    let call = |name: &str, bytes: usize| {
        let arguments = format!(r#"{{"a":{{"b":"x","c":"{}"}}}}"#, "c".repeat(bytes));
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#
        );
        run(&policy, &exchange(&[]).unwrap(), limits, [body.as_bytes()]).verdict
    };
    assert_eq!(call("all", 10), Verdict::Passed);
    assert_eq!(call("all", 300), Verdict::Denied("default_deny"));
    assert_eq!(call("part", 10), Verdict::Passed);
    assert_eq!(call("part", 300), Verdict::Passed);
}

#[test]
fn listen_names_every_resource_or_counts_as_all() {
    let policy = compile(POLICY);
    let listen = |filter: &str| {
        let outcome = bytewise(
            &policy,
            &format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{{"notifications":{filter}}}}}"#
            ),
        );
        outcome.call.unwrap().subscriptions.map(|uris| uris.join(" "))
    };
    assert_eq!(listen("{}").as_deref(), Some(""));
    let two = r#"{"toolsListChanged":true,"resourceSubscriptions":["a:b","c:\u0064"]}"#;
    assert_eq!(listen(two).as_deref(), Some("a:b c:d"));
    assert_eq!(listen(r#"{"resourceSubscriptions":["a:b",{"uri":"a:c"}]}"#), None);
    assert_eq!(listen(r#"{"resourceSubscriptions":"a:b"}"#), None);
    let many =
        |n: usize| format!(r#"{{"resourceSubscriptions":[{}]}}"#, vec!["\"a:b\""; n].join(","));
    assert!(listen(&many(64)).is_some());
    assert_eq!(listen(&many(65)), None);
}

#[test]
fn the_id_is_found_wherever_it_stands() {
    let policy = compile(POLICY);
    let pad = format!(r#""pad":"{}""#, "p".repeat(10_000));
    let refused = format!(
        r#"{{"method":"tools/call","params":{{"name":"shell","id":3}},{pad},"x":[{{"id":2}}],"id":"\u0061-1","jsonrpc":"2.0"}}"#
    );
    let violated = refused.replace("\"shell\"", "17");
    for body in [refused, violated] {
        for step in [1, 7, 4096, body.len()] {
            let exchange = exchange(&[]).unwrap();
            let outcome =
                run(&policy, &exchange, RequestLimits::default(), body.as_bytes().chunks(step));
            assert_ne!(outcome.verdict, Verdict::Passed);
            assert_eq!(outcome.id.unwrap().as_raw(), "\"\\u0061-1\"", "the very token");
            assert_eq!(outcome.left, b"");
        }
    }
}

#[test]
fn draining_ends_when_nothing_can_be_learnt() {
    let policy = compile(POLICY);
    let limits = RequestLimits { body: 100, ..RequestLimits::default() };
    let feed = |body: &str| {
        let mut inspector = inspector(&policy, limits);
        let _ = inspector.feed(Bytes::copy_from_slice(body.as_bytes()));
        inspector
    };
    let mut batch = feed("[1,");
    assert_eq!(batch.drain(b"{\"id\":5"), ControlFlow::Continue(()), "others may follow");
    assert_eq!(batch.drain(b"}]"), ControlFlow::Break(()));
    let ids: Vec<_> = batch.batch().unwrap().requests().collect();
    assert_eq!(ids, [(1, &Id::from_raw("5").unwrap())]);
    assert_eq!(batch.id(), None, "a batch has no one id");
    assert_eq!(feed("{\"id\":1}}").drain(b"1"), ControlFlow::Break(()), "it is known");
    assert_eq!(feed("{\"id\":x").drain(b"1"), ControlFlow::Break(()), "no JSON");
    let mut open = feed("{\"method\":1,");
    assert_eq!(open.drain(b"\"a\":1,"), ControlFlow::Continue(()));
    assert_eq!(open.drain(b"\"id\":"), ControlFlow::Continue(()));
    assert_eq!(open.drain(b"5,"), ControlFlow::Break(()));
    assert_eq!(open.id().map(|id| id.as_raw()), Some("5"));
    assert!(open.is_request());
    let mut long = feed("{\"method\":1,");
    assert_eq!(long.drain(&[b' '; 88]), ControlFlow::Continue(()));
    assert_eq!(long.drain(b" "), ControlFlow::Break(()), "beyond the limit of the body");
}

#[test]
fn a_streamed_body_waits_nowhere() {
    let policy = compile(POLICY);
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"write","arguments":{{"path":"/sandbox/a","content":"{}"}}}}}}"#,
        "c".repeat(1_000_000)
    );
    let exchange = exchange(&[]).unwrap();
    let outcome =
        run(&policy, &exchange, RequestLimits::default(), body.as_bytes().chunks(4 << 10));
    assert_eq!(outcome.verdict, Verdict::Passed);
    assert!(outcome.max_held <= 4 << 10);
    assert!(outcome.left == body.as_bytes());
}

#[test]
fn slices_leave_not_copies() {
    let policy = compile(POLICY);
    let body = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"ping"} "#);
    let mut inspector = inspector(&policy, RequestLimits::default());
    inspector.feed(body.clone()).unwrap();
    let call = inspector.take_call().unwrap();
    assert_eq!(inspector.next_chunk(), None);
    inspector.release(&decide(&policy, &call).unwrap());
    inspector.finish().unwrap();
    let out = inspector.next_chunk().unwrap();
    assert_eq!((out.as_ptr(), out.len()), (body.as_ptr(), body.len()));
    assert_eq!(inspector.next_chunk(), None);
}

#[test]
fn nothing_is_released_that_was_not_asked_for() {
    let policy = compile(POLICY);
    let body = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let mut first = inspector(&policy, RequestLimits::default());
    first.feed(body.clone()).unwrap();
    let permitted = decide(&policy, &first.take_call().unwrap()).unwrap();
    // A permission opens only what was asked about: not a call that nobody took,
    let mut other = inspector(&policy, RequestLimits::default());
    other.feed(body.clone()).unwrap();
    other.release(&permitted);
    other.release_response();
    assert_eq!(other.next_chunk(), None);
    // not one that was refused after it was asked about.
    let mut late = inspector(&policy, RequestLimits::default());
    late.feed(body).unwrap();
    assert!(late.take_call().is_some());
    assert!(late.feed(Bytes::from_static(b"!")).is_err());
    late.release(&permitted);
    assert_eq!(late.next_chunk(), None);
    assert!(late.finish().is_err());
}

#[test]
fn sessions_and_routes_have_revisions() {
    let policy = compile(POLICY);
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let with = |headers: &[(&str, &str)], session, announced, route| {
        let mut exchange = exchange(headers).unwrap();
        (exchange.session, exchange.announced, exchange.route) = (session, announced, route);
        let outcome = run(&policy, &exchange, RequestLimits::default(), [&body[..]]);
        match outcome.verdict {
            Verdict::Passed => Ok(outcome.call.unwrap().revision),
            verdict => Err(verdict.slug().unwrap()),
        }
    };
    let all = RevisionSet::ALL;
    let june = [("mcp-protocol-version", "2025-06-18")];
    assert_eq!(with(&[], None, false, all), Ok(Revision::V2025_03_26));
    assert_eq!(with(&[], None, true, all), Ok(Revision::V2024_11_05));
    assert_eq!(with(&[], Some(Revision::V2025_11_25), false, all), Ok(Revision::V2025_11_25));
    assert_eq!(with(&june, Some(Revision::V2025_06_18), false, all), Ok(Revision::V2025_06_18));
    assert_eq!(with(&june, Some(Revision::V2025_11_25), false, all), Err("version_not_negotiated"));
    assert_eq!(with(&june, None, false, RevisionSet::MODERN), Err("version_unsupported"));
}

#[test]
fn single_bytes_do_not_pin_their_buffers() {
    // 60 000 chunks of one byte, each a slice of a buffer of its own: what is held is the bytes (T5).
    let policy = compile(POLICY);
    let mut inspector = inspector(&policy, RequestLimits::default());
    let body = format!(r#"{{"pad":"{}","#, "p".repeat(60_000));
    let mut buffers = Vec::new();
    for byte in body.as_bytes() {
        let buffer = Bytes::from(vec![*byte; 8]);
        inspector.feed(buffer.slice(..1)).unwrap();
        buffers.push(buffer);
    }
    assert_eq!(inspector.held(), body.len());
    let pinned = buffers.iter().filter(|buffer| !buffer.is_unique()).count();
    assert!(pinned <= 5, "{pinned} buffers are pinned");
    assert_eq!(inspector.feed(Bytes::from(vec![b' '; 8000])), Err(Violation::HoldExceeded));
    assert_eq!(inspector.held(), 0, "a refusal forgets");
}
