//! The whole catalogue: status, code and headers of every refusal there is.

use serde_json::Value;

use super::*;
use crate::diagnostic::Sources;
use crate::identity::{AuthError, Invalid, Malformed};
use crate::inspect::request::Violation;
use crate::inspect::response::ReplyError;
use crate::limit::Limiter;
use crate::policy::{
    Args, Call, CompileOptions, Context, Object, Permitted, Policy, Principal, Refusal,
    RefusalStyle,
};
use crate::upstream::Failure;
use crate::wire::json::{SyntaxError, SyntaxErrorKind};
use crate::wire::mcp::headers::{Header, HeaderFault};
use crate::wire::mcp::{EnvelopeError, HeaderError, ObjectKind, Revision, RevisionError, UriFault};

use super::super::head::HeadFault;

/// A refusal as it goes out: status, code of the JSON-RPC error (0: no such body), reason, headers.
type Seen = (u16, i64, &'static str, Vec<String>);

fn seen(reject: &Reject) -> Seen {
    let body = reject.write("req-00001");
    let code = match reject.body {
        Shape::Error(code) | Shape::Nameless(code) => {
            let json: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(json["error"]["code"], code);
            assert_eq!(json["error"]["data"]["source"], "mcpfw");
            assert_eq!(json["error"]["data"]["reason"], reject.reason);
            assert_eq!(json["error"]["data"]["request_id"], "req-00001");
            assert_ne!(json["error"]["message"], "");
            code
        }
        Shape::ToolError { .. } | Shape::Text => {
            assert!(!body.is_empty());
            0
        }
        Shape::Empty => {
            assert!(body.is_empty());
            0
        }
    };
    let mut headers: Vec<String> = reject
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    (reject.status.as_u16(), code, reject.reason, headers)
}

const CLOSE: &str = "connection: close";

#[test]
fn of_the_request() {
    let header = |fault| HeaderError { header: Header::Name, fault };
    let syntax = |kind| Violation::Syntax(SyntaxError { kind, offset: 0 });
    let served = RevisionSet::only(Revision::V2025_06_18);
    let violation = |violation: Violation| Reject::violation(&violation, served);
    let unsupported = RevisionError::Unsupported { requested: "x".into() };
    let name = HeaderName::from_static("x");
    type Case = (Box<Reject>, u16, i64, &'static str, &'static [&'static str]);
    let cases: Vec<Case> = vec![
        (Reject::head(HeadFault::TwoLengths), 400, 0, "ambiguous_framing", &[CLOSE]),
        (Reject::bad_host(), 400, 0, "bad_host", &[CLOSE]),
        (Reject::host(), 421, 0, "host_not_allowed", &[]),
        (Reject::origin(), 403, 403, "origin_not_allowed", &[]),
        (Reject::header_name(&name), 400, -32600, "header_name", &[]),
        (Reject::repeated(&name), 400, -32600, "header_repeated", &[]),
        (Reject::path(), 404, 0, "no_route", &[]),
        (Reject::method("POST"), 405, 0, "method_not_allowed", &["allow: POST"]),
        (Reject::upgrade(), 501, 0, "upgrade_refused", &[CLOSE]),
        (Reject::expectation(), 417, 0, "expectation_failed", &[CLOSE]),
        (
            Reject::content_encoding(),
            415,
            -32600,
            "content_encoding",
            &["accept-encoding: identity"],
        ),
        (Reject::content_type(), 415, -32600, "content_type", &[]),
        (Reject::accept("a"), 406, -32600, "accept", &[]),
        (Reject::mirror(&header(HeaderFault::Repeated), true), 400, -32020, "header_repeated", &[]),
        (
            Reject::mirror(&header(HeaderFault::Repeated), false),
            400,
            -32600,
            "header_repeated",
            &[],
        ),
        (
            Reject::credential(AuthError::Missing),
            401,
            401,
            "credential_missing",
            &["www-authenticate: Bearer"],
        ),
        (
            Reject::credential(Invalid::Expired.into()),
            401,
            401,
            "token_expired",
            &[
                "www-authenticate: Bearer error=\"invalid_token\", error_description=\"The access token expired\"",
            ],
        ),
        (
            Reject::credential(Malformed::QueryToken.into()),
            400,
            -32600,
            "query_token",
            &[
                "www-authenticate: Bearer error=\"invalid_request\", error_description=\"The access token belongs in the Authorization header\"",
            ],
        ),
        (
            Reject::credential(AuthError::Unavailable),
            503,
            503,
            "keys_unavailable",
            &["retry-after: 1"],
        ),
        (
            Reject::revision(&RevisionError::NoStream, served),
            405,
            -32600,
            "no_stream",
            &["allow: POST"],
        ),
        (Reject::revision(&unsupported, served), 400, -32022, "version_unsupported", &[]),
        (Reject::session_missing(), 400, -32600, "session_missing", &[]),
        (Reject::session_unknown(), 404, -32001, "session_unknown", &[]),
        (Reject::response_unasked(), 403, 403, "response_unasked", &[]),
        (violation(syntax(SyntaxErrorKind::TrailingBytes)), 400, -32700, "trailing_bytes", &[]),
        (violation(syntax(SyntaxErrorKind::DuplicateKey)), 400, -32600, "duplicate_key", &[]),
        (violation(Violation::BodyTooLarge), 413, 413, "body_too_large", &[]),
        (violation(Violation::HoldExceeded), 400, -32600, "hold_exceeded", &[]),
        (violation(Violation::BatchUnsupported), 400, -32600, "batch_unsupported", &[]),
        (violation(Violation::BatchEmpty), 400, -32600, "batch_empty", &[]),
        (violation(Violation::BatchTooLong), 400, -32600, "batch_too_long", &[]),
        (violation(Violation::BatchMixed), 400, -32600, "batch_mixed", &[]),
        (violation(Violation::BatchDuplicateId), 400, -32600, "batch_duplicate_id", &[]),
        (violation(Violation::BatchMember), 400, -32600, "batch_member", &[]),
        (violation(Violation::TargetMissing), 400, -32602, "target_missing", &[]),
        (violation(Violation::MethodRemoved), 404, -32601, "method_removed", &[]),
        (violation(UriFault::DotSegment.into()), 400, -32602, "uri_dot_segment", &[]),
        (
            violation(
                EnvelopeError::Header { error: header(HeaderFault::Differs), modern: true }.into(),
            ),
            400,
            -32020,
            "header_mismatch",
            &[],
        ),
        (
            violation(EnvelopeError::from(unsupported.clone()).into()),
            400,
            -32022,
            "version_unsupported",
            &[],
        ),
        (
            violation(
                EnvelopeError::from(RevisionError::Envelope { version: true, capabilities: true })
                    .into(),
            ),
            400,
            -32602,
            "envelope_missing",
            &[],
        ),
        (Reject::body_timeout(), 408, -32600, "body_timeout", &[CLOSE]),
        (Reject::body_broken(String::new()), 400, -32600, "body_broken", &[CLOSE]),
    ];
    for (reject, status, code, reason, headers) in cases {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        assert_eq!(seen(&reject), (status, code, reason, headers));
        assert_eq!(reject.decision, Decision::Deny);
    }
    let json: Value =
        serde_json::from_slice(&Reject::revision(&unsupported, served).write("i")).unwrap();
    assert_eq!(json["error"]["data"]["supported"][0], "2025-06-18");
    assert_eq!(json["error"]["data"]["requested"], "x");
}

#[test]
fn of_the_upstream() {
    let io = || std::io::Error::other("x");
    let filter = ReplyFault::Inspection(ReplyError::ListNotArray);
    let cases: Vec<(Box<Reject>, u16, &str, &[&str])> = vec![
        (
            Reject::upstream(&Failure::Connect(io())),
            503,
            "no_healthy_upstream",
            &["retry-after: 1"],
        ),
        (
            Reject::upstream(&Failure::ConnectTimeout),
            503,
            "no_healthy_upstream",
            &["retry-after: 1"],
        ),
        (Reject::upstream(&Failure::FirstByteTimeout), 504, "upstream_timeout", &[]),
        (Reject::upstream(&Failure::Closed), 502, "upstream_lost", &[]),
        (Reject::upstream(&Failure::StreamIdle), 502, "upstream_lost", &[]),
        (Reject::reply(ReplyFault::Upgrade), 502, "upstream_upgrade", &[]),
        (Reject::reply(ReplyFault::Redirect), 502, "upstream_redirect", &[]),
        (Reject::reply(ReplyFault::Unauthorized), 502, "upstream_unauthorized", &[]),
        (Reject::reply(ReplyFault::Encoded), 502, "upstream_encoding", &[]),
        (Reject::reply(ReplyFault::SessionId), 502, "upstream_session_id", &[]),
        (Reject::reply(ReplyFault::MediaType), 502, "upstream_media_type", &[]),
        (Reject::reply(filter), 502, "list_not_array", &[]),
    ];
    for (reject, status, reason, headers) in cases {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        assert_eq!(seen(&reject), (status, -32603, reason, headers));
        // Policy allowed it; what failed is behind.
        assert_eq!(reject.decision, Decision::Allow);
        assert!(reject.detail.is_some());
    }
}

const POLICY: &str = r#"
    [[allow]]
    name = "all"
    tools = ["*"]
    methods = ["initialize", "notifications/cancelled", "prompts/get"]

    [[allow]]
    name = "scoped"
    resources = ["db://x"]
    scopes = ["a", "b"]

    [[deny]]
    name = "never"
    tools = ["wipe"]
    message = "Not here."

    [[deny]]
    name = "as-http"
    tools = ["http"]
    refusal = "http"

    [[deny]]
    name = "as-result"
    tools = ["result"]
    refusal = "tool_error"

    [[limit]]
    name = "slow"
    per = ["client.ip"]
    rate = "1/min"
"#;

struct Bench {
    policy: Arc<Policy>,
    limiter: Limiter,
}

impl Bench {
    fn new() -> Self {
        let mut sources = Sources::new();
        sources.add("p.toml", POLICY.to_owned());
        let compiled = Policy::compile(&sources, &CompileOptions::new(0));
        let policy = compiled.policy.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
        Self { policy, limiter: Limiter::new(100) }
    }

    fn decide(&self, call: &Call) -> Result<Permitted, Refusal> {
        let ip = "192.0.2.1".parse().unwrap();
        let context = Context { route: "r", host: "h", sni: None, ip };
        self.policy.decide(&Principal::anonymous(), &context, call, 0)
    }

    fn refused(&self, call: &Call, style: RefusalStyle) -> Box<Reject> {
        let refusal = self.decide(call).expect_err("refused");
        Reject::refused(&refusal, &Asked::single(call, style), &self.policy)
    }

    fn throttled(&self, call: &Call, style: RefusalStyle) -> Box<Reject> {
        let admit = || self.limiter.admit(self.decide(call).expect("permitted"), 0);
        while admit().is_ok() {}
        let throttled = admit().expect_err("throttled");
        Reject::throttled(&throttled, &Asked::single(call, style), &self.policy)
    }
}

fn call(method: &str, object: Option<(ObjectKind, &str)>) -> Call {
    Call {
        method: method.into(),
        object: object.map(|(kind, name)| Object { kind, name: name.into() }),
        revision: Revision::V2025_06_18,
        is_request: !method.starts_with("notifications/"),
        is_retry: false,
        args: Args::default(),
        subscriptions: None,
    }
}

fn tool(name: &str) -> Call {
    call("tools/call", Some((ObjectKind::Tool, name)))
}

#[test]
fn by_policy() {
    let bench = Bench::new();
    use RefusalStyle::{Http, JsonRpc, ToolError};
    let resource = |uri| call("resources/read", Some((ObjectKind::Resource, uri)));
    const CHALLENGE: &str = "www-authenticate: Bearer error=\"insufficient_scope\", scope=\"a b\", error_description=\"The access token lacks a scope\"";
    type Headers = &'static [&'static str];
    type Case = (Call, RefusalStyle, u16, i64, &'static str, Headers, &'static str);
    let cases: Vec<Case> = vec![
        (tool("wipe"), JsonRpc, 200, 403, "denied", &[], "Not here."),
        (tool("wipe"), Http, 403, 403, "denied", &[], "Not here."),
        (tool("wipe"), ToolError, 200, 0, "denied", &[], "Not here."),
        // The rule's own word goes before the route's.
        (tool("http"), JsonRpc, 403, 403, "denied", &[], "tool 'http' denied by policy"),
        (tool("result"), Http, 200, 0, "denied", &[], "tool 'result' denied by policy"),
        (
            resource("db://y"),
            ToolError,
            200,
            403,
            "default_deny",
            &[],
            "resource 'db://y' denied by policy",
        ),
        (
            call("x/y", None),
            JsonRpc,
            200,
            403,
            "unknown_method",
            &[],
            "method 'x/y' denied by policy",
        ),
        (
            call("notifications/x", None),
            JsonRpc,
            403,
            0,
            "unknown_method",
            &[],
            "method 'notifications/x' denied by policy",
        ),
        (
            resource("db://x"),
            JsonRpc,
            403,
            403,
            "insufficient_scope",
            &[CHALLENGE],
            "resource 'db://x' denied by policy",
        ),
    ];
    for (call, style, status, code, reason, headers, public) in cases {
        let reject = bench.refused(&call, style);
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        assert_eq!(seen(&reject), (status, code, reason, headers), "{call:?} {style:?}");
        assert_eq!(reject.public, public);
        assert_eq!(reject.decision, Decision::Deny);
    }
    assert_eq!(bench.refused(&tool("wipe"), JsonRpc).rule.as_deref(), Some("never"));
}

#[test]
fn by_limits() {
    let bench = Bench::new();
    use RefusalStyle::{Http, JsonRpc, ToolError};
    let cases = [
        (tool("t"), JsonRpc, 429, 429),
        (tool("t"), Http, 429, 429),
        (tool("t"), ToolError, 200, 0),
        (call("prompts/get", Some((ObjectKind::Prompt, "p"))), ToolError, 429, 429),
        (call("initialize", None), JsonRpc, 503, 503),
        (call("initialize", None), ToolError, 503, 503),
        (call("notifications/cancelled", None), JsonRpc, 429, 0),
    ];
    for (call, style, status, code) in cases {
        let reject = bench.throttled(&call, style);
        let headers = [
            "ratelimit-policy: \"slow\";q=1;w=60",
            "ratelimit: \"slow\";r=0;t=60",
            "retry-after: 60",
        ];
        let headers = headers.map(str::to_owned).to_vec();
        assert_eq!(seen(&reject), (status, code, "rate_limited", headers), "{call:?} {style:?}");
        assert!(reject.public.ends_with("retry in 60 s"), "{}", reject.public);
        assert_eq!(reject.retry_after_ms, Some(60_000));
        assert_eq!(reject.decision, Decision::Limit);
    }
}

#[test]
fn under_an_id() {
    let bench = Bench::new();
    let id = Id::from_raw("\"a\"").unwrap();
    for style in [RefusalStyle::JsonRpc, RefusalStyle::ToolError] {
        let reject = bench.refused(&tool("wipe"), style).under(Some(&id));
        let json: Value = serde_json::from_slice(&reject.write("i")).unwrap();
        assert_eq!(json["id"], "a");
    }
    // On a stream: only what somebody waits for, and only if the stream takes it.
    let told = |reject: Box<Reject>, takes: bool| {
        let mut events = Vec::new();
        let reject = reject.told_by("i", |event| {
            events.push(event);
            takes
        });
        (reject.status.as_u16(), events.len(), reject.write("i").is_empty())
    };
    let wipe = || bench.refused(&tool("wipe"), RefusalStyle::JsonRpc);
    assert_eq!(told(wipe().under(Some(&id)), true), (202, 1, true));
    assert_eq!(told(wipe().under(Some(&id)), false), (200, 1, false));
    assert_eq!(told(wipe(), true), (200, 0, false));
    assert_eq!(told(Reject::session_unknown().under(Some(&id)), true), (404, 0, false));
    assert_eq!(told(Reject::body_timeout().under(Some(&id)), true), (408, 0, false));
    let step_up = call("resources/read", Some((ObjectKind::Resource, "db://x")));
    let step_up = bench.refused(&step_up, RefusalStyle::JsonRpc).under(Some(&id));
    assert_eq!(told(step_up, true), (403, 0, false));
    // One answer to every unknown session, whoever asks and under whatever id (T43).
    let reject = Reject::session_unknown();
    assert_eq!(reject.write("i"), Reject::session_unknown().under(Some(&id)).write("i"));
    // A name of any length is quoted in part.
    let reject = bench.refused(&call(&"é".repeat(500), None), RefusalStyle::JsonRpc);
    assert!(reject.public.len() < 200, "{}", reject.public);
}
