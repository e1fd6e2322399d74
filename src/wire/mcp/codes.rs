//! JSON-RPC error codes that mcpfw writes, each with its source.
//!
//! Own codes stand outside -32768…-32000, the range that JSON-RPC 2.0 §5.1 reserves, and mirror the
//! HTTP status of the same refusal. Nothing in -32020…-32099 may be invented (MCP 2026-07-28), and
//! -32000…-32019 is avoided because SDKs use it for transport conditions of their own.

/// The body is not JSON. JSON-RPC 2.0 §5.1.
pub const PARSE_ERROR: i64 = -32700;
/// JSON, but not a request of this revision: bad id, batch where there is none. JSON-RPC 2.0 §5.1.
pub const INVALID_REQUEST: i64 = -32600;
/// No such method in this revision. JSON-RPC 2.0 §5.1; HTTP 404 from 2026-07-28.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters that do not fit, unknown tool names, a missing `_meta` envelope. JSON-RPC 2.0 §5.1.
pub const INVALID_PARAMS: i64 = -32602;
/// A failure that is not the caller's. JSON-RPC 2.0 §5.1.
pub const INTERNAL_ERROR: i64 = -32603;

/// `HeaderMismatch`: a mirrored header is missing, malformed, repeated or differs from the body.
/// MCP 2026-07-28 (SEP-2243, whose text still says -32001).
pub const HEADER_MISMATCH: i64 = -32020;
/// `MissingRequiredClientCapability`. MCP 2026-07-28 (SEP-2575, whose text still says -32003).
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// `UnsupportedProtocolVersion`, with `data.supported` and `data.requested`. MCP 2026-07-28.
pub const UNSUPPORTED_VERSION: i64 = -32022;

/// A resource that is not there, up to 2025-11-25. Later revisions use [`INVALID_PARAMS`].
pub const RESOURCE_NOT_FOUND_LEGACY: i64 = -32002;
/// What SDK servers say to an unknown session (with HTTP 404); no revision defines it.
pub const SESSION_NOT_FOUND_LEGACY: i64 = -32001;

/// mcpfw: no credential, or one that does not hold. Beside HTTP 401, whose challenge says the rest.
pub const UNAUTHORIZED: i64 = 401;
/// mcpfw: refused by policy.
pub const FORBIDDEN: i64 = 403;
/// mcpfw: the body is larger than a limit.
pub const TOO_LARGE: i64 = 413;
/// mcpfw: a limit is used up; `data.retry_after_ms` says for how long.
pub const RATE_LIMITED: i64 = 429;
/// mcpfw: the upstream answered what may not be relayed.
pub const BAD_UPSTREAM: i64 = 502;
/// mcpfw: shedding, draining, or no healthy upstream.
pub const UNAVAILABLE: i64 = 503;
/// mcpfw: the upstream did not answer in time.
pub const UPSTREAM_TIMEOUT: i64 = 504;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_codes_stand_outside_the_reserved_range() {
        for code in [
            UNAUTHORIZED,
            FORBIDDEN,
            TOO_LARGE,
            RATE_LIMITED,
            BAD_UPSTREAM,
            UNAVAILABLE,
            UPSTREAM_TIMEOUT,
        ] {
            assert!(!(-32768..=-32000).contains(&code));
        }
    }
}
