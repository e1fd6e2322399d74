//! Headers and body together, and the policy-relevant promise: the same verdict for the same body.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{HeaderMap, HeaderName, HeaderValue};
use mcpfw::wire::mcp::agree::{Body, judge};
use mcpfw::wire::mcp::headers::Mirror;
use mcpfw::wire::mcp::revision::{BodyVersion, Revision, RevisionSet};

fn mirror(lines: &[(&'static str, &str)]) -> Mirror {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    Mirror::parse(&map).unwrap()
}

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

fn modern<'a>(method: &'a str) -> Body<'a> {
    Body {
        method,
        is_request: true,
        version: BodyVersion::Text("2026-07-28"),
        has_capabilities: true,
        ..Body::default()
    }
}

fn legacy<'a>(method: &'a str) -> Body<'a> {
    Body { method, is_request: true, ..Body::default() }
}

type Headers<'a> = &'a [(&'static str, &'a str)];

/// The revision, or code and message of the refusal.
fn verdict(headers: Headers<'_>, body: &Body<'_>) -> Result<Revision, (i64, String)> {
    judge(&mirror(headers), body, None, false, RevisionSet::ALL)
        .map_err(|error| (error.code(), error.to_string()))
}

#[test]
fn modern_requests_mirror_method_and_name() {
    let call = Body { name: Some("ledger.post"), ..modern("tools/call") };
    let prompt = Body { name: Some("greet"), uri: Some("x://y"), ..modern("prompts/get") };
    let read = Body { uri: Some("file:///a"), name: Some("other"), ..modern("resources/read") };
    let task = Body { task_id: Some("t-1"), name: Some("n"), ..modern("tasks/get") };
    let listen = modern("subscriptions/listen");
    let complete = modern("completion/complete");
    let extension = Body { name: Some("x"), uri: Some("y"), ..modern("com.example/do") };
    let by_uri = Body { uri: Some("y"), ..modern("com.example/do") };
    let nameless = modern("tools/call");
    let pass: &[(Headers<'_>, &Body<'_>)] = &[
        (&[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "ledger.post")], &call),
        (&[VERSION, ("mcp-method", " tools/call\t"), ("mcp-name", "\tledger.post ")], &call),
        (
            &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "=?base64?bGVkZ2VyLnBvc3Q=?=")],
            &call,
        ),
        (&[VERSION, ("mcp-method", "prompts/get"), ("mcp-name", "greet")], &prompt),
        (&[VERSION, ("mcp-method", "resources/read"), ("mcp-name", "file:///a")], &read),
        // The TypeScript SDK cannot send it for tasks, and sends it for whatever has a name or a URI.
        (&[VERSION, ("mcp-method", "tasks/get")], &task),
        (&[VERSION, ("mcp-method", "tasks/get"), ("mcp-name", "t-1")], &task),
        (&[VERSION, ("mcp-method", "subscriptions/listen")], &listen),
        (&[VERSION, ("mcp-method", "completion/complete")], &complete),
        (&[VERSION, ("mcp-method", "com.example/do")], &extension),
        (&[VERSION, ("mcp-method", "com.example/do"), ("mcp-name", "x")], &extension),
        (&[VERSION, ("mcp-method", "com.example/do"), ("mcp-name", "y")], &by_uri),
        // No name to mirror: the call fails on its own.
        (&[VERSION, ("mcp-method", "tools/call")], &nameless),
    ];
    for (headers, body) in pass {
        assert_eq!(verdict(headers, body), Ok(Revision::V2026_07_28), "{headers:?}");
    }
    let refused: &[(Headers<'_>, &Body<'_>, &str)] = &[
        (&[VERSION, ("mcp-name", "ledger.post")], &call, "Mcp-Method: missing"),
        (&[VERSION, ("mcp-method", "tools/call")], &call, "Mcp-Name: missing"),
        (
            &[VERSION, ("mcp-method", "TOOLS/CALL"), ("mcp-name", "ledger.post")],
            &call,
            "Mcp-Method: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "tools/list"), ("mcp-name", "ledger.post")],
            &call,
            "Mcp-Method: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", ""), ("mcp-name", "ledger.post")],
            &call,
            "Mcp-Method: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "read_note")],
            &call,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "Ledger.post")],
            &call,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "")],
            &call,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "ledger.post, ledger.post")],
            &call,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "prompts/get"), ("mcp-name", "x://y")],
            &prompt,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "resources/read"), ("mcp-name", "other")],
            &read,
            "Mcp-Name: differs from the body",
        ),
        (&[VERSION, ("mcp-method", "resources/read")], &read, "Mcp-Name: missing"),
        (
            &[VERSION, ("mcp-method", "tasks/get"), ("mcp-name", "n")],
            &task,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "subscriptions/listen"), ("mcp-name", "n")],
            &listen,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "com.example/do"), ("mcp-name", "y")],
            &extension,
            "Mcp-Name: differs from the body",
        ),
        (
            &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "x")],
            &nameless,
            "Mcp-Name: differs from the body",
        ),
        (
            &[("mcp-method", "tools/call"), ("mcp-name", "ledger.post")],
            &call,
            "MCP-Protocol-Version: missing",
        ),
    ];
    for (headers, body, message) in refused {
        assert_eq!(verdict(headers, body), Err((-32020, (*message).to_owned())), "{headers:?}");
    }
}

#[test]
fn modern_notifications_mirror_what_they_like_but_nothing_else() {
    let note = Body { is_request: false, ..modern("notifications/x") };
    let pass: &[Headers<'_>] = &[&[], &[VERSION], &[("mcp-method", "notifications/x")]];
    for headers in pass {
        assert_eq!(verdict(headers, &note), Ok(Revision::V2026_07_28), "{headers:?}");
    }
    let refused: &[Headers<'_>] = &[
        &[("mcp-method", "tools/call")],
        &[VERSION, ("mcp-name", "x")],
        &[("mcp-protocol-version", "2025-06-18")],
    ];
    for headers in refused {
        assert_eq!(verdict(headers, &note).unwrap_err().0, -32020, "{headers:?}");
    }
}

#[test]
fn legacy_requests_need_no_mirror_but_must_not_contradict_one() {
    let call = Body { name: Some("shell"), ..legacy("tools/call") };
    let june = ("mcp-protocol-version", "2025-06-18");
    let pass: &[Headers<'_>] = &[
        &[june],
        &[june, ("mcp-method", "tools/call")],
        &[june, ("mcp-name", "shell")],
        &[june, ("mcp-method", "tools/call"), ("mcp-name", "shell")],
        &[june, ("mcp-param-x", "anything")],
    ];
    for headers in pass {
        assert_eq!(verdict(headers, &call), Ok(Revision::V2025_06_18), "{headers:?}");
    }
    assert_eq!(verdict(&[], &call), Ok(Revision::V2025_03_26));
    let refused: &[(Headers<'_>, &str)] = &[
        (&[june, ("mcp-method", "tools/list")], "Mcp-Method: differs from the body"),
        (&[june, ("mcp-name", "search")], "Mcp-Name: differs from the body"),
        (&[("mcp-name", "search")], "Mcp-Name: differs from the body"),
    ];
    for (headers, message) in refused {
        assert_eq!(verdict(headers, &call), Err((-32600, (*message).to_owned())), "{headers:?}");
    }
}

#[test]
fn a_contradiction_is_named_before_an_unsupported_version() {
    let future =
        Body { version: BodyVersion::Text("2027-01-01"), name: Some("a"), ..modern("tools/call") };
    let version = ("mcp-protocol-version", "2027-01-01");
    let wrong: Headers<'_> = &[version, ("mcp-method", "tools/call"), ("mcp-name", "b")];
    assert_eq!(
        verdict(wrong, &future),
        Err((-32020, "Mcp-Name: differs from the body".to_owned()))
    );
    let right: Headers<'_> = &[version, ("mcp-method", "tools/call"), ("mcp-name", "a")];
    assert_eq!(verdict(right, &future).unwrap_err().0, -32022);
    // The envelope comes before both.
    let bare = Body { has_capabilities: false, ..future };
    assert_eq!(verdict(wrong, &bare).unwrap_err().0, -32602);
}

#[test]
fn era_confusion_is_refused() {
    // The TypeScript SDK's server would run it as modern, the Python SDK's as legacy.
    let body = Body { name: Some("x"), ..modern("tools/call") };
    let headers: Headers<'_> = &[("mcp-protocol-version", "2025-11-25")];
    assert_eq!(
        verdict(headers, &body),
        Err((-32020, "MCP-Protocol-Version: differs from the body".to_owned()))
    );
}
