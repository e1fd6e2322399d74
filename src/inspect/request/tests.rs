//! The inspector alone, without a policy that reads arguments. With policies: tests/it/request.rs.

use std::sync::LazyLock;

use http::HeaderMap;

use super::*;

static NO_RULES: LazyLock<Arc<Policy>> = LazyLock::new(Policy::empty);

fn exchange(headers: &[(&'static str, &str)]) -> Exchange {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let mirror = Mirror::parse(&map).unwrap();
    Exchange { mirror, session: None, announced: false, route: RevisionSet::ALL }
}

/// What became of a body.
#[derive(Debug, PartialEq)]
struct Outcome {
    verdict: Result<(), &'static str>,
    /// Method, target, whether it wants a reply.
    call: Option<(String, Option<String>, bool)>,
    id: Option<String>,
    left: Vec<u8>,
}

/// Feeds `chunks`, permits every call, and reads on after a refusal.
fn run<'a>(
    headers: &[(&'static str, &str)],
    limits: RequestLimits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let policy = Arc::clone(&NO_RULES);
    let mut inspector = RequestInspector::new(policy, exchange(headers), limits, 7);
    let mut outcome = Outcome { verdict: Ok(()), call: None, id: None, left: Vec::new() };
    let mut chunks = chunks.into_iter();
    for chunk in chunks.by_ref() {
        if let Err(violation) = inspector.feed(Bytes::copy_from_slice(chunk)) {
            outcome.verdict = Err(violation.slug());
            break;
        }
        pass(&mut inspector, &mut outcome);
    }
    if outcome.verdict.is_ok() {
        outcome.verdict = inspector.finish().map_err(|violation| violation.slug());
        pass(&mut inspector, &mut outcome);
    } else {
        for chunk in chunks {
            if inspector.drain(chunk).is_break() {
                break;
            }
        }
    }
    assert!(outcome.verdict.is_ok() || inspector.next_chunk().is_none());
    outcome.id = inspector.id().map(|id| id.as_raw().to_owned());
    outcome
}

fn pass(inspector: &mut RequestInspector, outcome: &mut Outcome) {
    if let Some(call) = inspector.take_call() {
        assert_eq!(outcome.call, None, "taken once");
        let target = call.object.map(|object| object.name.into_string());
        outcome.call = Some((call.method.to_string(), target, call.is_request));
        inspector.release(&Permitted::of_draws([]));
    }
    inspector.release_response();
    while let Some(chunk) = inspector.next_chunk() {
        outcome.left.extend_from_slice(&chunk);
    }
}

/// The outcome of `body` whole, after checking that every way to cut it ends the same.
fn outcome(headers: &[(&'static str, &str)], body: &str) -> Outcome {
    let limits = RequestLimits::default();
    let whole = run(headers, limits, [body.as_bytes()]);
    let mut cuts: Vec<_> = (1..body.len())
        .map(|at| run(headers, limits, [&body.as_bytes()[..at], &body.as_bytes()[at..]]))
        .collect();
    cuts.push(run(headers, limits, body.as_bytes().chunks(1)));
    for cut in cuts {
        assert_eq!((&cut.verdict, &cut.id), (&whole.verdict, &whole.id), "{body}");
        match &whole.verdict {
            Ok(()) => assert_eq!(cut, whole, "{body}"),
            // What left of a refused body is no message to anybody.
            Err(_) => {
                assert!(body.as_bytes().starts_with(&cut.left));
                assert!(serde_json::from_slice::<serde_json::Value>(&cut.left).is_err());
            }
        }
    }
    if whole.verdict.is_ok() {
        assert_eq!(whole.left, body.as_bytes());
    }
    whole
}

const MODERN: [(&str, &str); 3] =
    [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "search")];

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

#[test]
fn a_call_passes_byte_for_byte_in_any_key_order() {
    let bodies = [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"x"}}}"#,
        r#" {"params" : {"arguments":{"q":[1,{"name":"shell"}]},"name":"search"},"method":"tools/call","id":"a\u0062","jsonrpc":"2.0"} "#,
        r#"{"id":-5,"method":"tools/c\u0061ll","x":{"method":"y"},"params":{"name":"s\u0065arch"},"jsonrpc":"2\u002e0"}"#,
    ];
    for body in bodies {
        let outcome = outcome(&[], body);
        assert_eq!(outcome.verdict, Ok(()), "{body}");
        assert_eq!(
            outcome.call,
            Some(("tools/call".to_owned(), Some("search".to_owned()), true)),
            "{body}"
        );
    }
}

#[test]
fn modern_requests_agree_with_their_headers() {
    let body = |meta: &str, name: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{{"name":"{name}","arguments":{{}},{meta}}}}}"#
        )
    };
    assert_eq!(outcome(&MODERN, &body(META, "search")).verdict, Ok(()));
    assert_eq!(outcome(&MODERN, &body(META, "shell")).verdict, Err("header_mismatch"));
    assert_eq!(outcome(&MODERN, &body("\"_meta\":{}", "search")).verdict, Err("envelope_missing"));
    assert_eq!(outcome(&[], &body(META, "search")).verdict, Err("header_missing"));
    let late = outcome(&MODERN, &body(META, "search").replace("{}}}", "[]}}"));
    assert_eq!((late.verdict, late.id.as_deref()), (Err("envelope_missing"), Some("\"q\"")));
}

#[test]
fn violations_and_their_neighbours() {
    let pass = [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/x"}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{"name":7}}"#,
        r#"{"jsonrpc":"2.0","error":{},"id":3}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"name":"p","type":"ref/prompt"}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"name":5,"_meta":null}}"#,
    ];
    for body in pass {
        assert_eq!(outcome(&[], body).verdict, Ok(()), "{body}");
    }
    let refused = [
        ("[]", "batch_empty"),
        ("7 ", "not_an_object"),
        ("", "parse_error"),
        ("{}", "jsonrpc_version"),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, "jsonrpc_version"),
        (r#"{"jsonrpc":"2.1","id":1,"method":"ping"}"#, "jsonrpc_version"),
        (r#"{"id":1,"method":"ping"}"#, "jsonrpc_version"),
        (r#"{"jsonrpc":"2.0","id":1}"#, "method_missing"),
        (r#"{"jsonrpc":"2.0","method":"ping"}"#, "id_missing"),
        (r#"{"jsonrpc":"2.0","result":{}}"#, "id_missing"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "bad_id"),
        (r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, "bad_id"),
        (r#"{"jsonrpc":"2.0","id":{"id":1},"method":"ping"}"#, "bad_id"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#,
            "notification_with_id",
        ),
        (r#"{"jsonrpc":"2.0","method":"notifications/x","id":1}"#, "notification_with_id"),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, "method_not_string"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, "request_and_response"),
        (r#"{"jsonrpc":"2.0","id":1,"error":{},"method":"ping"}"#, "request_and_response"),
        (r#"{"jsonrpc":"2.0","id":1,"error":{},"result":{}}"#, "request_and_response"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{}}"#, "request_and_response"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "params_not_object"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, "params_not_object"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":1}}"#, "meta_not_object"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, "target_missing"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, "target_missing"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":[]}}"#,
            "target_not_string",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":null}}"#,
            "arguments_not_object",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"Method":"ping"}"#, "folded_key"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","id":2}"#, "duplicate_key"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{}"#, "trailing_bytes"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"#, "parse_error"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/x"}}}"#,
            "target_missing",
        ),
    ];
    for (body, slug) in refused {
        assert_eq!(outcome(&[], body).verdict, Err(slug), "{body}");
    }
    let modern = [("mcp-protocol-version", "2026-07-28")];
    let posted = outcome(&modern, r#"{"jsonrpc":"2.0","id":3,"result":{}}"#);
    assert_eq!(posted.verdict, Err("response_unsupported"));
    // What 2026-07-28 has no more is unknown, not malformed; what it has is malformed.
    for (method, slug) in [
        ("resources/subscribe", "method_removed"),
        ("resources/unsubscribe", "method_removed"),
        ("resources/read", "target_missing"),
    ] {
        let modern = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
        let bare = format!(r#"{{"jsonrpc":"2.0","id":3,"method":"{method}","params":{{{META}}}}}"#);
        assert_eq!(outcome(&modern, &bare).verdict, Err(slug), "{method}");
        let legacy = format!(r#"{{"jsonrpc":"2.0","id":3,"method":"{method}","params":{{}}}}"#);
        assert_eq!(outcome(&[], &legacy).verdict, Err("target_missing"), "{method}");
    }
}

#[test]
fn limits_at_their_edges() {
    let with = |pad: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"params":{{"pad":"{}","name":"x"}},"method":"tools/call"}}"#,
            "p".repeat(pad)
        )
    };
    let verdict = |limits, body: &str| {
        let whole = run(&[], limits, [body.as_bytes()]);
        let bytes = run(&[], limits, body.as_bytes().chunks(1));
        assert_eq!((&whole.verdict, &whole.id), (&bytes.verdict, &bytes.id));
        assert_eq!(whole.id.as_deref(), Some("1"));
        whole.verdict
    };
    let body = with(100);
    let at = body.len() as u64;
    let limits = RequestLimits::default();
    assert_eq!(verdict(RequestLimits { body: at, ..limits }, &body), Ok(()));
    assert_eq!(verdict(RequestLimits { body: at - 1, ..limits }, &body), Err("body_too_large"));
    // The method's closing quote decides; the brace stands behind it.
    assert_eq!(verdict(RequestLimits { hold: at - 1, ..limits }, &body), Ok(()));
    assert_eq!(verdict(RequestLimits { hold: at - 2, ..limits }, &body), Err("hold_exceeded"));
    let spaced = format!("{body}{}", " ".repeat(1024));
    assert_eq!(verdict(limits, &spaced), Ok(()));
    assert_eq!(verdict(limits, &format!("{spaced} ")), Err("trailing_space"));
    assert_eq!(verdict(limits, &format!("{spaced}x")), Err("trailing_bytes"));
    assert_eq!(verdict(limits, &format!("{spaced} x")), Err("trailing_space"));
    let target = |bytes: usize| body.replace("\"x\"", &format!("\"{}\"", "x".repeat(bytes)));
    assert_eq!(verdict(limits, &target(8192)), Ok(()));
    assert_eq!(verdict(limits, &target(8193)), Err("target_too_long"));
    let method = |bytes: usize| body.replace("tools/call", &"m".repeat(bytes));
    assert_eq!(verdict(limits, &method(128)), Ok(()));
    assert_eq!(verdict(limits, &method(129)), Err("method_too_long"));
}

#[test]
fn a_late_violation_leaves_an_incomplete_body_behind() {
    for evil in ["\"method\":\"x\"", "\"METHOD\":1", "\"result\":1", "\"id\":2", "]", "\u{feff}"] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"search","pad":"{}"}},{evil}}}"#,
            "p".repeat(100_000)
        );
        let outcome = run(&[], RequestLimits::default(), body.as_bytes().chunks(4096));
        assert!(outcome.verdict.is_err(), "{evil}");
        assert!(outcome.left.len() > 90_000, "it was streamed");
        assert!(serde_json::from_slice::<serde_json::Value>(&outcome.left).is_err());
        assert!(!outcome.left.ends_with(b"}"));
    }
}
