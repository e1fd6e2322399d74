//! Who may call: credentials, tokens, key sets and their issuers' bad days.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

mod credential;
mod keys;
mod remembered;
mod tokens;

use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use jsonwebtoken::Algorithm;
use mcpfw::identity::{AuthError, Authenticator, LastToken, Source, Trust, Verified};

use crate::support::idp::{TestKey, jwks};

/// Some time in 2023.
const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://id.example/";
const OTHER: &str = "https://other.example/";
const AUDIENCE: &str = "https://mcp.example/mcp";

/// The keys of `ISSUER`, one of each kind, and one key of `OTHER` with a name that `ISSUER` uses too.
struct Keys {
    rsa: TestKey,
    ec: TestKey,
    ec384: TestKey,
    ed: TestKey,
    other: TestKey,
    /// In nobody's set, with the name of a key that is.
    forger: TestKey,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: TestKey::rsa("rsa"),
        ec: TestKey::ec("ec"),
        ec384: TestKey::ec384("ec384"),
        ed: TestKey::ed("ed"),
        other: TestKey::ed("ed"),
        forger: TestKey::ed("ed"),
    })
}

fn trust(issuer: &str, source: Source) -> Trust {
    Trust {
        issuer: issuer.into(),
        audience: vec![AUDIENCE.into(), "urn:second".into()],
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        typ: None,
        leeway: 30,
        source,
    }
}

fn fixed<'a>(keys: impl IntoIterator<Item = &'a TestKey>) -> Source {
    Source::Fixed(jwks(keys).into_bytes().into())
}

/// Trusts `ISSUER` and `OTHER`.
fn authenticator() -> Authenticator {
    let k = keys();
    let issuers =
        [trust(ISSUER, fixed([&k.rsa, &k.ec, &k.ec384, &k.ed])), trust(OTHER, fixed([&k.other]))];
    Authenticator::new(issuers, |_, _| {}).unwrap()
}

fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers
}

async fn verify(authenticator: &Authenticator, token: &str) -> Result<Arc<Verified>, AuthError> {
    authenticator.authenticate_at(NOW, &bearer(token), None, &mut LastToken::default()).await
}

/// The claims of a good token, with some replaced or, by an empty text, left out. Values are JSON as written.
fn claims(changes: &[(&str, &str)]) -> String {
    let exp = (NOW + 600).to_string();
    let iat = NOW.to_string();
    let mut members = vec![
        ("iss", format!("\"{ISSUER}\"")),
        ("aud", format!("\"{AUDIENCE}\"")),
        ("sub", "\"u1\"".to_owned()),
        ("exp", exp),
        ("iat", iat),
    ];
    members.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    members.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
    members.retain(|(_, value)| !value.is_empty());
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A good token of `ISSUER`, signed with its Ed25519 key.
fn good(changes: &[(&str, &str)]) -> String {
    keys().ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}"#, &claims(changes))
}
