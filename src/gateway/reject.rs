//! Refusals. The only place that chooses a status, headers and a JSON-RPC error (mcp-protocol.md §7.2).
//!
//! `public` goes to the caller, `detail` to the log, `reason` to both.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};

use super::body::Body;
use super::record::Record;
use crate::identity::{AuthError, challenge};
use crate::inspect::request::Violation;
use crate::inspect::response::FilterError;
use crate::limit::{Throttled, headers as limit_headers};
use crate::observe::Decision;
use crate::policy::{Call, Policy, Reason, Refusal, RefusalStyle};
use crate::upstream::Failure;
use crate::wire::jsonrpc::{ErrorData, Id, error_reply, tool_error_reply};
use crate::wire::mcp::{
    EnvelopeError, HeaderError, Method, ObjectKind, RevisionError, RevisionSet, codes,
};

use super::head::HeadFault;

/// Retry-After of a passing condition of ours or the upstream's, in seconds.
const SHED_SECONDS: u64 = 1;
/// Bytes of a name that is quoted in a message: the longest tool name in the specification.
const QUOTED: usize = 128;

/// A refusal, made in one of the constructors below.
#[derive(Debug)]
pub(super) struct Reject {
    status: StatusCode,
    body: Shape,
    reason: &'static str,
    public: Cow<'static, str>,
    detail: Option<Box<str>>,
    headers: HeaderMap,
    rule: Option<Arc<str>>,
    retry_after_ms: Option<u64>,
    decision: Decision,
    /// The revisions served and the one asked for, for -32022.
    versions: Option<(RevisionSet, Box<str>)>,
    /// Whether a request with an id, if there is one, wants to be told under it.
    id: Option<Id>,
}

/// What the body of a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Nothing.
    Empty,
    /// The public text.
    Text,
    /// A JSON-RPC error with this code.
    Error(i64),
    /// A result that tells the model.
    ToolError { modern: bool },
}

/// What a refusal is about.
pub(super) struct Asked<'a> {
    /// The call.
    pub(super) call: &'a Call,
    /// How refusals look on this route.
    pub(super) style: RefusalStyle,
}

impl Asked<'_> {
    /// `tool_error` is for tools; elsewhere it is the default.
    fn style(&self, rule: Option<RefusalStyle>) -> RefusalStyle {
        match rule.unwrap_or(self.style) {
            RefusalStyle::ToolError if &*self.call.method != "tools/call" => RefusalStyle::JsonRpc,
            style => style,
        }
    }

    fn what(&self) -> String {
        let Some(object) = &self.call.object else {
            return format!("method '{}'", quoted(&self.call.method));
        };
        let kind = match object.kind {
            ObjectKind::Tool => "tool",
            ObjectKind::Prompt => "prompt",
            ObjectKind::Resource => "resource",
        };
        format!("{kind} '{}'", quoted(&object.name))
    }
}

fn quoted(name: &str) -> &str {
    name.get(..name.floor_char_boundary(QUOTED)).unwrap_or_default()
}

impl Reject {
    fn new(status: StatusCode, body: Shape, reason: &'static str) -> Box<Self> {
        Box::new(Self {
            status,
            body,
            reason,
            public: Cow::Borrowed(""),
            detail: None,
            headers: HeaderMap::new(),
            rule: None,
            retry_after_ms: None,
            decision: Decision::Deny,
            versions: None,
            id: None,
        })
    }

    fn says(mut self: Box<Self>, public: impl Into<Cow<'static, str>>) -> Box<Self> {
        self.public = public.into();
        self
    }

    fn detail(mut self: Box<Self>, detail: impl Into<String>) -> Box<Self> {
        self.detail = Some(detail.into().into());
        self
    }

    fn header(mut self: Box<Self>, name: HeaderName, value: HeaderValue) -> Box<Self> {
        self.headers.insert(name, value);
        self
    }

    fn closing(self: Box<Self>) -> Box<Self> {
        self.header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    fn retry_after(mut self: Box<Self>, seconds: u64, millis: u64) -> Box<Self> {
        self.retry_after_ms = Some(millis);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Answers under `id`, where it is known.
    pub(super) fn under(mut self: Box<Self>, id: Option<&Id>) -> Box<Self> {
        self.id = id.cloned();
        self
    }

    // ---- before the body ---------------------------------------------------------------------------------------------

    /// The head says two things (T19). The connection ends, since nobody knows where the next request begins.
    pub(super) fn head(fault: HeadFault) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Text, "ambiguous_framing")
            .says("ambiguous request framing")
            .detail(fault.to_string())
            .closing()
    }

    /// `Host` is missing, repeated, or not the one that the request line names (T21).
    pub(super) fn bad_host() -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Text, "bad_host")
            .says("exactly one Host is needed")
            .closing()
    }

    /// `Host` is not one of ours (T25).
    pub(super) fn host() -> Box<Self> {
        Self::new(StatusCode::MISDIRECTED_REQUEST, Shape::Text, "host_not_allowed")
            .says("this host is not served here")
    }

    /// `Origin` may not call (T25).
    pub(super) fn origin() -> Box<Self> {
        Self::new(StatusCode::FORBIDDEN, Shape::Error(codes::FORBIDDEN), "origin_not_allowed")
            .says("this origin may not call")
    }

    /// A header name with an underscore (T23).
    pub(super) fn header_name(name: &HeaderName) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "header_name")
            .says("header names with an underscore are refused")
            .detail(name.as_str())
    }

    /// A header that names a session, twice.
    pub(super) fn repeated(name: &HeaderName) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "header_repeated")
            .says("a header that must stand once is repeated")
            .detail(name.as_str())
    }

    /// No route has this path.
    pub(super) fn path() -> Box<Self> {
        Self::new(StatusCode::NOT_FOUND, Shape::Text, "no_route").says("not found")
    }

    /// The method is none of the route's.
    pub(super) fn method(allow: &'static str) -> Box<Self> {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Shape::Empty, "method_not_allowed")
            .header(header::ALLOW, HeaderValue::from_static(allow))
    }

    /// `Upgrade` or CONNECT (T20).
    pub(super) fn upgrade() -> Box<Self> {
        Self::new(StatusCode::NOT_IMPLEMENTED, Shape::Text, "upgrade_refused")
            .says("upgrades are not supported")
            .closing()
    }

    /// `Expect` other than `100-continue` (T20).
    pub(super) fn expectation() -> Box<Self> {
        Self::new(StatusCode::EXPECTATION_FAILED, Shape::Text, "expectation_failed")
            .says("this expectation is not met")
            .closing()
    }

    /// A body that is coded (T32).
    pub(super) fn content_encoding() -> Box<Self> {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Shape::Error(codes::INVALID_REQUEST),
            "content_encoding",
        )
        .says("compressed request bodies are not accepted")
        // RFC 9110 §15.5.16: what is accepted.
        .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// A body that is not JSON by its type.
    pub(super) fn content_type() -> Box<Self> {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Shape::Error(codes::INVALID_REQUEST),
            "content_type",
        )
        .says("Content-Type must be application/json in UTF-8")
    }

    /// A client that takes no reply of a kind that servers send.
    pub(super) fn accept(wanted: &'static str) -> Box<Self> {
        Self::new(StatusCode::NOT_ACCEPTABLE, Shape::Error(codes::INVALID_REQUEST), "accept")
            .says(wanted)
    }

    /// A mirrored header that is malformed in itself. `modern`: whether the headers claim a modern revision.
    pub(super) fn mirror(error: &HeaderError, modern: bool) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(error.code(modern)), error.slug())
            .says(error.to_string())
    }

    /// The caller is not let in (mcp-protocol.md §4.2).
    pub(super) fn credential(error: AuthError) -> Box<Self> {
        let status = challenge::status(error);
        let reject = match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(status, Shape::Error(codes::UNAVAILABLE), error.slug())
                    .says("callers cannot be verified at the moment")
                    .retry_after(SHED_SECONDS, SHED_SECONDS * 1000)
            }
            StatusCode::BAD_REQUEST => {
                Self::new(status, Shape::Error(codes::INVALID_REQUEST), error.slug())
                    .says("the credential is malformed")
            }
            _ => Self::new(status, Shape::Error(codes::UNAUTHORIZED), error.slug())
                .says("a valid credential is needed"),
        };
        let reject = reject.detail(error.to_string());
        let challenge = challenge::refused(error, challenge::Hints::default());
        match challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
            Some(challenge) => reject.header(header::WWW_AUTHENTICATE, challenge),
            None => reject,
        }
    }

    /// GET or DELETE in a revision that has none, or of a session that is not named.
    pub(super) fn revision(error: &RevisionError, served: RevisionSet) -> Box<Self> {
        let reject = Self::new(error.status(), Shape::Error(error.code()), error.slug())
            .says(error.to_string());
        if error.status() == StatusCode::METHOD_NOT_ALLOWED {
            return reject.header(header::ALLOW, HeaderValue::from_static("POST"));
        }
        reject.versions(error.requested(), served)
    }

    /// DELETE without `Mcp-Session-Id`.
    pub(super) fn session_missing() -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "session_missing")
            .says("Mcp-Session-Id is missing")
    }

    // ---- the body ----------------------------------------------------------------------------------------------------

    /// The body breaks a rule of the wire.
    pub(super) fn violation(violation: &Violation, served: RevisionSet) -> Box<Self> {
        let status = match violation {
            Violation::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        let reject = Self::new(status, Shape::Error(violation.code()), violation.slug())
            .says(violation.to_string());
        match violation {
            Violation::Envelope(EnvelopeError::Revision(error)) => {
                reject.versions(error.requested(), served)
            }
            _ => reject,
        }
    }

    fn versions(mut self: Box<Self>, requested: Option<&str>, served: RevisionSet) -> Box<Self> {
        self.versions = requested.map(|requested| (served, requested.into()));
        self
    }

    /// The body stopped coming (T29).
    pub(super) fn body_timeout() -> Box<Self> {
        Self::new(StatusCode::REQUEST_TIMEOUT, Shape::Error(codes::INVALID_REQUEST), "body_timeout")
            .says("the request body stalled")
            .closing()
    }

    /// The body ended in the middle; most often there is nobody left to read this.
    pub(super) fn body_broken(detail: String) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "body_broken")
            .says("the request body ended early")
            .detail(detail)
            .closing()
    }

    // ---- the decision ------------------------------------------------------------------------------------------------

    /// Policy refuses.
    pub(super) fn refused(refusal: &Refusal, asked: &Asked<'_>, policy: &Policy) -> Box<Self> {
        let reason = refusal.reason();
        let public: Cow<'static, str> = match refusal.message() {
            Some(message) => String::from(&**message).into(),
            None => format!("{} denied by policy", asked.what()).into(),
        };
        let code = Shape::Error(codes::FORBIDDEN);
        let mut reject = if !asked.call.is_request {
            // Nobody waits for an answer to a notification.
            Self::new(StatusCode::FORBIDDEN, Shape::Empty, reason.slug())
        } else if reason == Reason::InsufficientScope {
            // The one refusal that a new token cures, and so the only one with a challenge.
            Self::new(StatusCode::FORBIDDEN, code, reason.slug())
                .header(header::WWW_AUTHENTICATE, step_up(refusal.scopes()))
        } else {
            match asked.style(refusal.style()) {
                RefusalStyle::JsonRpc => Self::new(StatusCode::OK, code, reason.slug()),
                RefusalStyle::Http => Self::new(StatusCode::FORBIDDEN, code, reason.slug()),
                RefusalStyle::ToolError => {
                    let modern = asked.call.revision.is_modern();
                    Self::new(StatusCode::OK, Shape::ToolError { modern }, reason.slug())
                }
            }
        };
        reject.rule = refusal.rule().and_then(|id| policy.rule(id)).map(|rule| rule.name().clone());
        reject.says(public)
    }

    /// A budget is used up.
    pub(super) fn throttled(
        throttled: &Throttled,
        asked: &Asked<'_>,
        policy: &Policy,
    ) -> Box<Self> {
        let rule = throttled.blame().and_then(|standing| policy.rule(standing.rule));
        let wait_us = throttled.retry_after_us();
        let seconds = wait_us.map(limit_headers::retry_after);
        let public = match seconds {
            Some(seconds) => {
                format!("rate limit reached for {}; retry in {seconds} s", asked.what())
            }
            None => format!("{} costs more than its rate limit ever allows", asked.what()),
        };
        let tells_model =
            asked.style(rule.and_then(|rule| rule.style())) == RefusalStyle::ToolError;
        // Clients take a 429 to these for proof of a server that does not speak MCP (mcp-protocol.md §7.1).
        let is_handshake = matches!(
            Method::from_wire(&asked.call.method),
            Method::Initialize | Method::ServerDiscover
        );
        let mut reject = if is_handshake {
            let code = Shape::Error(codes::UNAVAILABLE);
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "rate_limited")
        } else if !asked.call.is_request {
            Self::new(StatusCode::TOO_MANY_REQUESTS, Shape::Empty, "rate_limited")
        } else if tells_model {
            let modern = asked.call.revision.is_modern();
            Self::new(StatusCode::OK, Shape::ToolError { modern }, "rate_limited")
        } else {
            let code = Shape::Error(codes::RATE_LIMITED);
            Self::new(StatusCode::TOO_MANY_REQUESTS, code, "rate_limited")
        };
        reject.decision = Decision::Limit;
        reject.rule = rule.map(|rule| rule.name().clone());
        super::admit::tell_budgets(&mut reject.headers, throttled.standings(), policy);
        if let (Some(seconds), Some(wait_us)) = (seconds, wait_us) {
            reject = reject.retry_after(seconds, wait_us.div_ceil(1000));
        }
        reject.says(public)
    }

    // ---- the upstream ------------------------------------------------------------------------------------------------

    /// No exchange with the upstream.
    pub(super) fn upstream(failure: &Failure) -> Box<Self> {
        let (status, reason, public) = match failure {
            Failure::Connect(_) | Failure::ConnectTimeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no_healthy_upstream",
                "the server is not reachable",
            ),
            Failure::FirstByteTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                "the server did not answer in time",
            ),
            Failure::Lost(_) | Failure::Closed | Failure::StreamIdle | Failure::Aborted => {
                (StatusCode::BAD_GATEWAY, "upstream_lost", "the connection to the server was lost")
            }
        };
        let reject = Self::new(status, Shape::Error(codes::INTERNAL_ERROR), reason)
            .says(public)
            .detail(failure.to_string());
        let mut reject = if status == StatusCode::SERVICE_UNAVAILABLE {
            reject.retry_after(SHED_SECONDS, SHED_SECONDS * 1000)
        } else {
            reject
        };
        reject.decision = Decision::Allow;
        reject
    }

    /// The upstream answered what is never relayed (T27, T32, T45).
    pub(super) fn reply(fault: ReplyFault) -> Box<Self> {
        let mut reject =
            Self::new(StatusCode::BAD_GATEWAY, Shape::Error(codes::INTERNAL_ERROR), fault.slug())
                .says("the server gave an answer that cannot be relayed")
                .detail(fault.to_string());
        reject.decision = Decision::Allow;
        reject
    }

    // ---- out ---------------------------------------------------------------------------------------------------------

    /// Whether the connection ends with it.
    pub(super) fn is_closing(&self) -> bool {
        self.headers.contains_key(header::CONNECTION)
    }

    /// Writes the refusal, and the exchange into the log.
    pub(super) fn into_response(self: Box<Self>, mut record: Box<Record>) -> Response<Body> {
        let bytes = self.write(record.request_id());
        let is_json = matches!(self.body, Shape::Error(_) | Shape::ToolError { .. });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        *headers = self.headers;
        if !bytes.is_empty() {
            let media = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        }
        // The next caller may be allowed what this one is not.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if !record.is_http1() {
            headers.remove(header::CONNECTION);
        }
        record.refused(self.decision, self.reason, self.rule, self.detail);
        *response.body_mut() = Body::fixed(bytes, record, self.status);
        response
    }

    fn write(&self, request_id: &str) -> Bytes {
        match self.body {
            Shape::Empty => Bytes::new(),
            Shape::Text => format!("{}\n", self.public).into(),
            Shape::Error(code) => {
                let supported: Vec<&str> = match &self.versions {
                    Some((served, _)) => served.iter().map(|revision| revision.as_str()).collect(),
                    None => Vec::new(),
                };
                let data = ErrorData {
                    rule: self.rule.as_deref(),
                    retry_after_ms: self.retry_after_ms,
                    supported: self.versions.as_ref().map(|_| &*supported),
                    requested: self.versions.as_ref().map(|(_, requested)| &**requested),
                    ..ErrorData::new(self.reason, request_id)
                };
                error_reply(self.id.as_ref(), code, &self.public, Some(&data)).into()
            }
            Shape::ToolError { modern } => match &self.id {
                Some(id) => tool_error_reply(id, &self.public, modern).into(),
                // A result without an id is nothing; an error may do without.
                None => error_reply(None, codes::FORBIDDEN, &self.public, None).into(),
            },
        }
    }
}

/// The challenge for a token that lacks scopes.
fn step_up(scopes: &[Box<str>]) -> HeaderValue {
    let scopes: Vec<&str> = scopes.iter().map(|scope| &**scope).collect();
    let hints = challenge::Hints { scopes: &scopes, ..challenge::Hints::default() };
    HeaderValue::try_from(challenge::insufficient_scope(hints))
        .unwrap_or_else(|_| HeaderValue::from_static("Bearer error=\"insufficient_scope\""))
}

/// Why a reply is not relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReplyFault {
    /// 1xx as a final status: an upgrade that nobody asked for.
    #[error("switching protocols")]
    Upgrade,
    /// 3xx (T27): followed nowhere, and a client must not be sent elsewhere either.
    #[error("a redirect")]
    Redirect,
    /// 401 or 407: the upstream asks for credentials that mcpfw was not told to give (T45).
    #[error("the server asks for credentials")]
    Unauthorized,
    /// `Content-Encoding` other than identity (T32).
    #[error("the reply is compressed")]
    Encoded,
    /// Neither JSON nor an event stream, where one of them must be.
    #[error("the reply is neither JSON nor an event stream")]
    MediaType,
    /// A list that cannot be read without doubt (T17).
    #[error("{0}")]
    Filter(#[from] FilterError),
}

impl ReplyFault {
    const fn slug(self) -> &'static str {
        match self {
            Self::Upgrade => "upstream_upgrade",
            Self::Redirect => "upstream_redirect",
            Self::Unauthorized => "upstream_unauthorized",
            Self::Encoded => "upstream_encoding",
            Self::MediaType => "upstream_media_type",
            Self::Filter(error) => error.slug(),
        }
    }
}
