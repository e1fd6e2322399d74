//! Why a caller is not let in. Closed, so that every case has one challenge (mcp-protocol.md §4.2) and one metric label.

/// A credential that was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AuthError {
    /// There is none: 401, and the challenge names no error.
    #[error("no credential")]
    Missing,
    /// The request presents its credential in a way that is not allowed: 400 `invalid_request`.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The credential does not hold: 401 `invalid_token`.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There are no keys to judge it by, because the issuer has not been reached: 503.
    #[error("the issuer's keys are not there yet")]
    Unavailable,
}

impl AuthError {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Missing => "credential_missing",
            Self::Malformed(malformed) => malformed.slug(),
            Self::Invalid(invalid) => invalid.slug(),
            Self::Unavailable => "keys_unavailable",
        }
    }
}

/// What is wrong with how a credential is presented (RFC 6750 §3.1 `invalid_request`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// More than one `Authorization` header (T38).
    #[error("more than one Authorization header")]
    TwoCredentials,
    /// A token in the URL, where logs and referrers keep it (OAuth 2.1 §5.1.1; T38).
    #[error("access token in the query")]
    QueryToken,
    /// Not `Bearer`, or not followed by exactly one token of RFC 6750's alphabet.
    #[error("not a bearer credential")]
    Scheme,
    /// Longer than 16 KiB (T38).
    #[error("token too large")]
    TooLarge,
}

impl Malformed {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::TwoCredentials => "two_credentials",
            Self::QueryToken => "query_token",
            Self::Scheme => "bad_scheme",
            Self::TooLarge => "token_too_large",
        }
    }
}

/// Why a token does not hold. The order is that of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Invalid {
    /// Not three parts of strict base64url: opaque tokens, JWE, JSON serialisation.
    #[error("not a signed JWT")]
    NotJws,
    /// The header is not one strict JSON object with members of the right types.
    #[error("malformed token header")]
    Header,
    /// An `alg` that the issuer is not trusted with, `none` and HMAC always (T35).
    #[error("algorithm not allowed")]
    Algorithm,
    /// `crit`, `b64` or `zip`: what we do not implement must not be ignored (RFC 7515 §4.1.11).
    #[error("token header extension not understood")]
    Extension,
    /// A `typ` or `cty` of something that is not an access token: ID-JAG, nested or logout tokens.
    #[error("not an access token")]
    Type,
    /// The payload is not one strict JSON object: duplicate names, bad UTF-8, trailing bytes.
    #[error("malformed claims")]
    Claims,
    /// `iss` is missing, not a string, or nobody we trust.
    #[error("issuer not trusted")]
    Issuer,
    /// `aud` is missing, malformed, or does not name this server.
    #[error("token is for another audience")]
    Audience,
    /// `sub` is missing, empty or not a string.
    #[error("no subject")]
    Subject,
    /// A date that is missing or not a plain number (T36).
    #[error("malformed date")]
    Date,
    /// `exp` has passed.
    #[error("token expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("token not valid yet")]
    Early,
    /// Valid for longer than 24 h.
    #[error("token lives too long")]
    Lifetime,
    /// `scope` or `scp` of a wrong type.
    #[error("malformed scope")]
    Scope,
    /// An ID token, a refresh token or a logout token of the same issuer.
    #[error("not an access token")]
    Purpose,
    /// `cnf`: bound to a key (DPoP, mTLS) of which a bearer header is no proof.
    #[error("token is bound to a key")]
    Bound,
    /// No key of that name, or no name where several keys would do.
    #[error("signing key unknown")]
    UnknownKey,
    /// The key of that name is not for this algorithm or not for signatures.
    #[error("signing key does not fit")]
    UnfitKey,
    /// The signature is not the key's.
    #[error("signature does not verify")]
    Signature,
}

impl Invalid {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NotJws => "token_not_jws",
            Self::Header => "token_header",
            Self::Algorithm => "token_algorithm",
            Self::Extension => "token_extension",
            Self::Type => "token_type",
            Self::Claims => "token_claims",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Subject => "token_subject",
            Self::Date => "token_date",
            Self::Expired => "token_expired",
            Self::Early => "token_early",
            Self::Lifetime => "token_lifetime",
            Self::Scope => "token_scope",
            Self::Purpose => "token_purpose",
            Self::Bound => "token_bound",
            Self::UnknownKey => "token_unknown_key",
            Self::UnfitKey => "token_unfit_key",
            Self::Signature => "token_signature",
        }
    }

    /// What the caller is told. Expiry is worth telling apart, because a new token cures it; the rest is for the log.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Expired => "The access token expired",
            Self::Audience => "The access token is for another audience",
            _ => "The access token is invalid",
        }
    }
}
