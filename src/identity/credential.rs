//! Taking the one credential out of a request. Pure.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};

use super::{AuthError, Malformed};

/// Bytes of an `Authorization` value, scheme included (T38).
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// The value of the request's only `Authorization` header.
pub(super) fn authorization<'a>(
    headers: &'a HeaderMap,
    query: Option<&str>,
) -> Result<&'a HeaderValue, AuthError> {
    if query.is_some_and(has_token) {
        return Err(Malformed::QueryToken.into());
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    match values.next() {
        Some(_) => Err(Malformed::TwoCredentials.into()),
        None => Ok(value),
    }
}

/// The token of `Bearer <token>` (RFC 6750 §2.1): one token of `b64token`'s alphabet, nothing else.
pub(super) fn bearer(value: &[u8]) -> Result<&[u8], AuthError> {
    if value.len() > MAX_BYTES {
        return Err(Malformed::TooLarge.into());
    }
    let (scheme, rest) = value.split_at_checked(7).ok_or(Malformed::Scheme)?;
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return Err(Malformed::Scheme.into());
    }
    // RFC 7235 §2.1 has 1*SP between the two.
    let start = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    let token = rest.get(start..).unwrap_or_default();
    let end = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let body = token.get(..end).unwrap_or_default();
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(b);
    if body.is_empty() || !body.iter().all(is_token) {
        return Err(Malformed::Scheme.into());
    }
    Ok(token)
}

/// Whether the query has a parameter `access_token`, however it is spelt (T38).
fn has_token(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}
