//! Refusals of a request for what it is: its head, its credential, its body.

use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};

use super::super::head::HeadFault;
use super::{Reject, SHED_SECONDS, Shape};
use crate::identity::{AuthError, challenge};
use crate::inspect::request::Violation;
use crate::wire::mcp::{EnvelopeError, HeaderError, RevisionError, RevisionSet, codes};

impl Reject {
    /// The head says two things (T19). The connection ends, since nobody knows where the next request begins.
    pub(in crate::gateway) fn head(fault: HeadFault) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Text, "ambiguous_framing")
            .says("ambiguous request framing")
            .detail(fault.to_string())
            .closing()
    }

    /// `Host` is missing, repeated, or not the one that the request line names (T21).
    pub(in crate::gateway) fn bad_host() -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Text, "bad_host")
            .says("exactly one Host is needed")
            .closing()
    }

    /// `Host` is not one of ours (T25).
    pub(in crate::gateway) fn host() -> Box<Self> {
        Self::new(StatusCode::MISDIRECTED_REQUEST, Shape::Text, "host_not_allowed")
            .says("this host is not served here")
    }

    /// `Origin` may not call (T25).
    pub(in crate::gateway) fn origin() -> Box<Self> {
        Self::new(StatusCode::FORBIDDEN, Shape::Error(codes::FORBIDDEN), "origin_not_allowed")
            .says("this origin may not call")
    }

    /// A header name with an underscore (T23).
    pub(in crate::gateway) fn header_name(name: &HeaderName) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "header_name")
            .says("header names with an underscore are refused")
            .detail(name.as_str())
    }

    /// A header that names a session, twice.
    pub(in crate::gateway) fn repeated(name: &HeaderName) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "header_repeated")
            .says("a header that must stand once is repeated")
            .detail(name.as_str())
    }

    /// No route has this path.
    pub(in crate::gateway) fn path() -> Box<Self> {
        Self::new(StatusCode::NOT_FOUND, Shape::Text, "no_route").says("not found")
    }

    /// The method is none of the route's.
    pub(in crate::gateway) fn method(allow: &'static str) -> Box<Self> {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Shape::Empty, "method_not_allowed")
            .header(header::ALLOW, HeaderValue::from_static(allow))
    }

    /// `Upgrade` or CONNECT (T20).
    pub(in crate::gateway) fn upgrade() -> Box<Self> {
        Self::new(StatusCode::NOT_IMPLEMENTED, Shape::Text, "upgrade_refused")
            .says("upgrades are not supported")
            .closing()
    }

    /// `Expect` other than `100-continue` (T20).
    pub(in crate::gateway) fn expectation() -> Box<Self> {
        Self::new(StatusCode::EXPECTATION_FAILED, Shape::Text, "expectation_failed")
            .says("this expectation is not met")
            .closing()
    }

    /// A body that is coded (T32).
    pub(in crate::gateway) fn content_encoding() -> Box<Self> {
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
    pub(in crate::gateway) fn content_type() -> Box<Self> {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Shape::Error(codes::INVALID_REQUEST),
            "content_type",
        )
        .says("Content-Type must be application/json in UTF-8")
    }

    /// A client that takes no reply of a kind that servers send.
    pub(in crate::gateway) fn accept(wanted: &'static str) -> Box<Self> {
        Self::new(StatusCode::NOT_ACCEPTABLE, Shape::Error(codes::INVALID_REQUEST), "accept")
            .says(wanted)
    }

    /// A mirrored header that is malformed in itself. `modern`: whether the headers claim a modern revision.
    pub(in crate::gateway) fn mirror(error: &HeaderError, modern: bool) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(error.code(modern)), error.slug())
            .says(error.to_string())
    }

    /// The caller is not let in (mcp-protocol.md §4.2).
    pub(in crate::gateway) fn credential(error: AuthError) -> Box<Self> {
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
    pub(in crate::gateway) fn revision(error: &RevisionError, served: RevisionSet) -> Box<Self> {
        let reject = Self::new(error.status(), Shape::Error(error.code()), error.slug())
            .says(error.to_string());
        if error.status() == StatusCode::METHOD_NOT_ALLOWED {
            return reject.header(header::ALLOW, HeaderValue::from_static("POST"));
        }
        reject.versions(error.requested(), served)
    }

    /// DELETE without `Mcp-Session-Id`.
    pub(in crate::gateway) fn session_missing() -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "session_missing")
            .says("Mcp-Session-Id is missing")
    }

    /// `Mcp-Session-Id` names no session of this caller (mcp-protocol.md §7.2): one answer for what never was, what has ended
    /// and what is somebody else's (T43). Clients begin a new session.
    pub(in crate::gateway) fn session_unknown() -> Box<Self> {
        Self::new(
            StatusCode::NOT_FOUND,
            Shape::Nameless(codes::SESSION_NOT_FOUND_LEGACY),
            "session_unknown",
        )
        .says("Session not found")
    }

    /// A posted response that answers nothing that the server asked of this caller (T16).
    pub(in crate::gateway) fn response_unasked() -> Box<Self> {
        Self::new(StatusCode::FORBIDDEN, Shape::Nameless(codes::FORBIDDEN), "response_unasked")
            .says("this answers no request of the server")
    }

    /// The body breaks a rule of the wire.
    pub(in crate::gateway) fn violation(violation: &Violation, served: RevisionSet) -> Box<Self> {
        let status = match violation {
            Violation::BodyTooLarge | Violation::ArgumentsTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            // 2026-07-28: a method that is unknown, or was removed, MUST get 404 with -32601.
            Violation::MethodRemoved => StatusCode::NOT_FOUND,
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
        if let Some(requested) = requested {
            // Of an error a legacy client shows the message alone (mcp-protocol.md §7.2).
            let names: Vec<&str> = served.iter().map(|revision| revision.as_str()).collect();
            self.public = format!("{}; supported: {}", self.public, names.join(", ")).into();
            self.versions = Some((served, requested.into()));
        }
        self
    }

    /// The body stopped coming (T29).
    pub(in crate::gateway) fn body_timeout() -> Box<Self> {
        Self::new(StatusCode::REQUEST_TIMEOUT, Shape::Error(codes::INVALID_REQUEST), "body_timeout")
            .says("the request body stalled")
            .closing()
    }

    /// The body ended in the middle; most often there is nobody left to read this.
    pub(in crate::gateway) fn body_broken(detail: String) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Shape::Error(codes::INVALID_REQUEST), "body_broken")
            .says("the request body ended early")
            .detail(detail)
            .closing()
    }
}
