//! Properties of what issuers say: tokens and key sets. `serde_json` is the second reader.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use crate::identity::{self, Source, Trust};

/// When every token is judged.
const NOW: u64 = 1_700_000_000;

/// Fuzz target `token`: the input is a header, a line end and a payload, or a whole token.
///
/// A token that is taken, but for its signature, means the same to a reader of its text that knows nothing of ours: the last
/// `iss`, `aud`, `exp` and `sub` that stand there are ours and in order.
pub fn token(data: &[u8]) {
    let trust = Trust {
        issuer: "https://id.example/".into(),
        audience: vec!["https://mcp.example/mcp".into()],
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        typ: None,
        leeway: 30,
        source: Source::Fixed(Box::default()),
    };
    let _ = identity::unsigned(data, &trust, NOW);

    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (Some(header), Some(payload)) = (parts.next(), parts.next()) else { return };
    let whole =
        [URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload), "AAAA".into()].join(".");
    if identity::unsigned(whole.as_bytes(), &trust, NOW).is_err() {
        return;
    }
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap_or_default();
    let (header, claims) = (read(header), read(payload));
    let text =
        |object: &Value, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let algorithm = text(&header, "alg");
    assert!(["RS256", "ES256", "EdDSA", "Ed25519"].map(Some).contains(&algorithm.as_deref()));
    assert!(header.get("crit").is_none());
    assert_eq!(text(&claims, "iss").as_deref(), Some("https://id.example/"));
    assert!(text(&claims, "sub").is_some_and(|sub| !sub.is_empty()));
    let ours = Value::from("https://mcp.example/mcp");
    assert!(
        claims.get("aud").is_some_and(
            |aud| *aud == ours || aud.as_array().is_some_and(|all| all.contains(&ours))
        )
    );
    let date = |name| claims.get(name).map(|date| date.as_f64().unwrap_or(f64::NAN));
    let now = NOW as f64;
    assert!(date("exp").is_some_and(|exp| exp > now - 30.0 && exp <= now + 86_400.0 + 30.0));
    assert!(date("nbf").is_none_or(|from| from <= now + 30.0));
    assert!(date("iat").is_none_or(|from| from <= now + 30.0));
}

/// Fuzz target `key_set`: a document has no more usable keys than another reader finds in it, and none that publishes
/// its private half.
pub fn key_set(data: &[u8]) {
    let Ok(usable) = identity::usable(data) else { return };
    let document: Value = serde_json::from_slice(data).unwrap_or_default();
    let keys = document.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let public = keys.iter().filter(|key| key.get("d").is_none() && key.get("kty").is_some());
    assert!(usable <= public.count());
    assert!(usable <= 64);
}
