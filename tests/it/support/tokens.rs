//! Callers with tokens of an issuer that the gateway trusts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{SystemTime, UNIX_EPOCH};

use mcpfw::identity::Authenticator;
use mcpfw::identity::issuer::DemoIssuer;
use serde_json::Value;

/// Whom the gateway trusts.
pub(crate) fn issuer() -> DemoIssuer {
    DemoIssuer::generate("https://issuer.test/", "https://mcp.test/mcp").unwrap()
}

/// What trusts it.
pub(crate) fn authenticator(issuer: &DemoIssuer) -> Authenticator {
    Authenticator::new([issuer.trust()], |_, _| {}).unwrap()
}

/// The header line of a token of `sub`.
pub(crate) fn bearer(issuer: &DemoIssuer, sub: &str, claims: &Value) -> String {
    let claims = claims.as_object().cloned().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    format!("Authorization: Bearer {}\r\n", issuer.sign(sub, claims, now, 600).unwrap())
}
