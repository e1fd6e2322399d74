//! Refusals for what the upstream does, or does not do.

use std::sync::Arc;

use http::StatusCode;

use super::{Reject, SHED_SECONDS, Shape};
use crate::inspect::response::ReplyError;
use crate::observe::Decision;
use crate::upstream::Failure;
use crate::wire::mcp::codes;

impl Reject {
    /// No exchange with the upstream.
    pub(in crate::gateway) fn upstream(failure: &Failure) -> Box<Self> {
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
            Failure::CallTimeout => {
                (StatusCode::GATEWAY_TIMEOUT, "call_timeout", "the call took longer than it may")
            }
            Failure::StreamTooLong
            | Failure::Lost(_)
            | Failure::Closed
            | Failure::StreamIdle
            | Failure::Aborted => {
                (StatusCode::BAD_GATEWAY, "upstream_lost", "the connection to the server was lost")
            }
        };
        let code = match failure {
            Failure::CallTimeout => codes::UPSTREAM_TIMEOUT,
            _ => codes::INTERNAL_ERROR,
        };
        let reject =
            Self::new(status, Shape::Error(code), reason).says(public).detail(failure.to_string());
        let mut reject = if status == StatusCode::SERVICE_UNAVAILABLE {
            reject.retry_after(SHED_SECONDS, SHED_SECONDS * 1000)
        } else {
            reject
        };
        reject.decision = Decision::Allow;
        reject
    }

    /// A reply that is larger than a limit lets it be. In band, like a refusal: it is about this one call.
    pub(in crate::gateway) fn result_too_large(rule: Option<Arc<str>>) -> Box<Self> {
        let code = Shape::Error(codes::TOO_LARGE);
        let mut reject = Self::new(StatusCode::OK, code, "result_too_large")
            .says("the result is larger than a limit allows");
        reject.rule = rule;
        reject.decision = Decision::Limit;
        reject
    }

    /// The upstream answered what is never relayed (T27, T32, T45).
    pub(in crate::gateway) fn reply(fault: ReplyFault) -> Box<Self> {
        let mut reject =
            Self::new(StatusCode::BAD_GATEWAY, Shape::Error(codes::INTERNAL_ERROR), fault.slug())
                .says("the server gave an answer that cannot be relayed")
                .detail(fault.to_string());
        reject.decision = Decision::Allow;
        reject
    }
}

/// Why a reply is not relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::gateway) enum ReplyFault {
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
    /// `Mcp-Session-Id` that cannot be sent back: not visible ASCII, repeated, or beyond a limit (T44).
    #[error("the session id cannot be sent back")]
    SessionId,
    /// Neither JSON nor an event stream, where one of them must be.
    #[error("the reply is neither JSON nor an event stream")]
    MediaType,
    /// What it says cannot be read without doubt, or is not permitted (T16, T17).
    #[error("{0}")]
    Inspection(#[from] ReplyError),
}

impl ReplyFault {
    const fn slug(self) -> &'static str {
        match self {
            Self::Upgrade => "upstream_upgrade",
            Self::Redirect => "upstream_redirect",
            Self::Unauthorized => "upstream_unauthorized",
            Self::Encoded => "upstream_encoding",
            Self::SessionId => "upstream_session_id",
            Self::MediaType => "upstream_media_type",
            Self::Inspection(error) => error.slug(),
        }
    }
}
