//! Why a request speaks no revision, and how that is said.

use crate::wire::mcp::codes;
use crate::wire::mcp::headers::HeaderError;

/// Bytes of a version text that a refusal repeats; published names have 10.
const REPEATED_BYTES: usize = 64;

/// Why no revision could be decided. Every variant is HTTP 400 but [`RevisionError::NoStream`], which is 405.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// The header is missing beside a modern body, or differs from it.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A modern request without the keys in `params._meta` that every modern request has, or with
    /// a value of the wrong type there.
    #[error("params._meta lacks {}", missing_keys(*.version, *.capabilities))]
    Envelope {
        /// `io.modelcontextprotocol/protocolVersion` is missing or not a string.
        version: bool,
        /// `io.modelcontextprotocol/clientCapabilities` is missing or not an object.
        capabilities: bool,
    },
    /// A revision that the route does not serve, or that nobody has published.
    #[error("unsupported protocol version")]
    Unsupported {
        /// What was asked for, cut to 64 bytes.
        requested: Box<str>,
    },
    /// `initialize` asks for a legacy revision that the route does not serve. Letting the server
    /// negotiate would end in a session whose every request is then refused.
    #[error("unsupported protocol version")]
    Handshake {
        /// What was asked for, cut to 64 bytes.
        requested: Box<str>,
    },
    /// The header names another revision than the session has negotiated.
    #[error("MCP-Protocol-Version differs from what the session negotiated")]
    Session,
    /// GET or DELETE with a modern version: that revision has neither.
    #[error("this revision has no GET and no DELETE")]
    NoStream,
}

fn missing_keys(version: bool, capabilities: bool) -> &'static str {
    match (version, capabilities) {
        (true, true) => {
            "io.modelcontextprotocol/protocolVersion and io.modelcontextprotocol/clientCapabilities"
        }
        (true, false) => "io.modelcontextprotocol/protocolVersion",
        (false, _) => "io.modelcontextprotocol/clientCapabilities",
    }
}

impl RevisionError {
    /// The JSON-RPC code of the refusal.
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self {
            // Only a body with a modern envelope is compared with the header here.
            Self::Header(_) => codes::HEADER_MISMATCH,
            Self::Envelope { .. } | Self::Handshake { .. } => codes::INVALID_PARAMS,
            Self::Unsupported { .. } => codes::UNSUPPORTED_VERSION,
            Self::Session | Self::NoStream => codes::INVALID_REQUEST,
        }
    }

    /// The HTTP status of the refusal.
    #[must_use]
    pub const fn status(&self) -> http::StatusCode {
        match self {
            Self::NoStream => http::StatusCode::METHOD_NOT_ALLOWED,
            _ => http::StatusCode::BAD_REQUEST,
        }
    }

    /// The word for logs and for `data.reason`.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Header(error) => error.slug(),
            Self::Envelope { .. } => "envelope_missing",
            Self::Unsupported { .. } | Self::Handshake { .. } => "version_unsupported",
            Self::Session => "version_not_negotiated",
            Self::NoStream => "no_stream",
        }
    }

    /// The version that was asked for, where `data.supported` and `data.requested` belong in the reply.
    #[must_use]
    pub fn requested(&self) -> Option<&str> {
        match self {
            Self::Unsupported { requested } | Self::Handshake { requested } => Some(requested),
            _ => None,
        }
    }
}

/// At most [`REPEATED_BYTES`] of `text`, whole characters.
pub(super) fn cut(text: &str) -> Box<str> {
    text.get(..text.floor_char_boundary(REPEATED_BYTES)).unwrap_or_default().into()
}
