//! What it costs to know a caller: by the connection's last token, by the cache of verified ones, and by verifying a signature.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderValue};
use mcpfw::identity::issuer::DemoIssuer;
use mcpfw::identity::{AuthError, Authenticator, Invalid, LastToken};
use serde_json::json;

const NOW: u64 = 1_700_000_000;

/// A token of about the size that identity providers issue.
fn headers(issuer: &DemoIssuer, subject: &str) -> HeaderMap {
    let claims = json!({
        "scope": "openid profile tools:read tools:write resources:read",
        "client_id": "https://client.example/metadata.json",
        "plan": "pro",
        "groups": ["engineering", "platform", "on-call", "reviewers"],
        "jti": "0d9f2c8e-7f0e-4f4c-9c0e-1f2a3b4c5d6e",
        "sid": "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d",
        "email": "ada.lovelace@example.com",
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    let token = issuer.sign(subject, claims, NOW, 3600).unwrap_or_default();
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    value.into_iter().map(|value| (http::header::AUTHORIZATION, value)).collect()
}

fn known(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    last: &mut LastToken,
) -> Result<(), AuthError> {
    let verified = authenticator.authenticate_at(NOW, black_box(headers), None, last);
    verified.now_or_never().unwrap_or(Err(AuthError::Unavailable)).map(|_| ())
}

fn callers(criterion: &mut Criterion) {
    let Ok(issuer) = DemoIssuer::generate("https://id.example/", "https://mcp.example/mcp") else {
        return;
    };
    let Ok(authenticator) = Authenticator::new([issuer.trust()], |_, _| {}) else { return };
    let (ada, bob) = (headers(&issuer, "ada"), headers(&issuer, "bob"));
    let bytes: usize = ada.values().map(HeaderValue::len).sum();

    let mut group = criterion.benchmark_group("identity");
    group.throughput(Throughput::Bytes(bytes as u64));
    let mut last = LastToken::default();
    group.bench_function("last_token", |bencher| {
        bencher.iter(|| assert_eq!(known(&authenticator, &ada, &mut last), Ok(())));
    });
    group.bench_function("cached", |bencher| {
        // Two callers on one connection, so that each is new to it.
        let mut turn = false;
        bencher.iter(|| {
            turn = !turn;
            assert_eq!(known(&authenticator, if turn { &ada } else { &bob }, &mut last), Ok(()));
        });
    });
    let forged = forged(&ada);
    group.bench_function("verify_ed25519", |bencher| {
        let wrong = Err(AuthError::Invalid(Invalid::Signature));
        bencher.iter(|| assert_eq!(known(&authenticator, &forged, &mut last), wrong));
    });
    group.finish();
}

/// The same token with another signature: it takes the whole way every time.
fn forged(headers: &HeaderMap) -> HeaderMap {
    let signature = URL_SAFE_NO_PAD.encode([1_u8; 64]);
    let forge = |value: &HeaderValue| {
        let (signed, _) = value.to_str().ok()?.rsplit_once('.')?;
        HeaderValue::from_str(&format!("{signed}.{signature}")).ok()
    };
    headers.values().filter_map(forge).map(|value| (http::header::AUTHORIZATION, value)).collect()
}

criterion_group!(benches, callers);
criterion_main!(benches);
