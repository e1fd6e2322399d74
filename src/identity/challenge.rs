//! The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1, mcp-protocol.md §4.2). Pure.
//!
//! The official SDKs read it with regular expressions: `Bearer` first, one field, every value quoted without escapes, and no text
//! of ours ahead of the real parameters that could look like one. So the description comes last, and a character that would need
//! an escape is left out.

use super::{AuthError, Malformed};

/// What a challenge may tell of the way in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The URL of the RFC 9728 document.
    pub resource_metadata: Option<&'a str>,
    /// Every scope that the operation needs, in one challenge.
    pub scopes: &'a [&'a str],
}

/// The HTTP status for a caller that was not let in.
#[must_use]
pub const fn status(error: AuthError) -> http::StatusCode {
    match error {
        AuthError::Missing | AuthError::Invalid(_) => http::StatusCode::UNAUTHORIZED,
        AuthError::Malformed(_) => http::StatusCode::BAD_REQUEST,
        AuthError::Unavailable => http::StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The challenge for a caller that was not let in; `None` where a new token would not help.
#[must_use]
pub fn refused(error: AuthError, hints: Hints<'_>) -> Option<String> {
    let mut challenge = Challenge::new();
    challenge.hints(hints);
    match error {
        AuthError::Missing => {}
        AuthError::Invalid(invalid) => challenge.error("invalid_token", invalid.description()),
        AuthError::Malformed(malformed) => challenge.error(
            "invalid_request",
            match malformed {
                Malformed::TwoCredentials => "More than one credential",
                Malformed::QueryToken => "The access token belongs in the Authorization header",
                Malformed::Scheme => "The Authorization header is not a bearer credential",
                Malformed::TooLarge => "The access token is too large",
            },
        ),
        AuthError::Unavailable => return None,
    }
    Some(challenge.0)
}

/// The challenge, with status 403, for a caller whose token is good and whose scopes are too few: `hints.scopes` is all
/// that the operation needs, not what is missing. Only where consent could cure it: clients start over with the user.
#[must_use]
pub fn insufficient_scope(hints: Hints<'_>) -> String {
    let mut challenge = Challenge::new();
    challenge.parameter("error", "insufficient_scope");
    challenge.scopes(hints.scopes);
    challenge.metadata(hints.resource_metadata);
    challenge.parameter("error_description", "The access token lacks a scope");
    challenge.0
}

struct Challenge(String);

impl Challenge {
    fn new() -> Self {
        Self("Bearer".into())
    }

    fn hints(&mut self, hints: Hints<'_>) {
        self.metadata(hints.resource_metadata);
        self.scopes(hints.scopes);
    }

    fn metadata(&mut self, url: Option<&str>) {
        if let Some(url) = url {
            self.parameter("resource_metadata", url);
        }
    }

    fn scopes(&mut self, scopes: &[&str]) {
        // RFC 6749 §3.3: a scope has no space, quote or backslash; one that does cannot be asked for.
        let is_scope =
            |scope: &&&str| !scope.is_empty() && scope.bytes().all(|b| is_plain(b) && b != b' ');
        let list: Vec<&str> = scopes.iter().filter(is_scope).copied().collect();
        if !list.is_empty() {
            self.parameter("scope", &list.join(" "));
        }
    }

    fn error(&mut self, code: &str, description: &str) {
        self.parameter("error", code);
        self.parameter("error_description", description);
    }

    fn parameter(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.len() == "Bearer".len() { " " } else { ", " });
        self.0.push_str(name);
        self.0.push_str("=\"");
        self.0.extend(value.bytes().filter(|byte| is_plain(*byte)).map(char::from));
        self.0.push('"');
    }
}

/// Printable ASCII that stands in a quoted string as itself.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::super::Invalid;
    use super::*;

    const HINTS: Hints<'static> = Hints {
        resource_metadata: Some("https://gw.example/.well-known/oauth-protected-resource/mcp"),
        scopes: &["mcp:read", "mcp:write"],
    };

    #[test]
    fn one_challenge_for_each_situation() {
        let metadata =
            "resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\"";
        let cases = [
            (AuthError::Missing, 401, format!("Bearer {metadata}, scope=\"mcp:read mcp:write\"")),
            (
                Invalid::Expired.into(),
                401,
                format!(
                    "Bearer {metadata}, scope=\"mcp:read mcp:write\", error=\"invalid_token\", \
                     error_description=\"The access token expired\""
                ),
            ),
            (
                Malformed::TwoCredentials.into(),
                400,
                format!(
                    "Bearer {metadata}, scope=\"mcp:read mcp:write\", error=\"invalid_request\", \
                     error_description=\"More than one credential\""
                ),
            ),
        ];
        for (error, code, want) in cases {
            assert_eq!(status(error).as_u16(), code);
            assert_eq!(refused(error, HINTS).as_deref(), Some(&*want));
        }
        assert_eq!(
            (status(AuthError::Unavailable).as_u16(), refused(AuthError::Unavailable, HINTS)),
            (503, None)
        );
        assert_eq!(
            insufficient_scope(HINTS),
            format!(
                "Bearer error=\"insufficient_scope\", scope=\"mcp:read mcp:write\", {metadata}, \
                 error_description=\"The access token lacks a scope\""
            )
        );
        assert_eq!(refused(AuthError::Missing, Hints::default()).as_deref(), Some("Bearer"));
    }

    #[test]
    fn nothing_breaks_out_of_its_quotes() {
        let hints = Hints {
            resource_metadata: Some("https://x/\", error=\"y\r\nSet-Cookie: a"),
            scopes: &["a\"b", "c d", "", "\u{e9}", "plain"],
        };
        let value = refused(AuthError::Missing, hints).unwrap();
        assert_eq!(
            value,
            "Bearer resource_metadata=\"https://x/, error=ySet-Cookie: a\", scope=\"plain\""
        );
        assert!(http::HeaderValue::from_str(&value).is_ok());
    }
}
