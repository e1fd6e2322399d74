//! A JWT taken apart: three parts, strict base64url, strict JSON. Nothing here is verified yet. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use super::{Invalid, json};
use crate::policy::Value;
use crate::wire::json::Limits;

/// Bounds of a token's JSON. A value takes up to 100 bytes here and 2 on the wire, and nothing is verified yet: a thousand are more
/// than any issuer writes and keep the memory of a hostile token below ten times its size.
pub(super) const LIMITS: Limits =
    Limits { depth: 16, key_bytes: 256, number_bytes: 64, values: 1024, open_keys: 512 };

/// Bytes of a key's name. Longer names are nobody's; they would only fill logs and caches.
pub(super) const MAX_KID: usize = 256;

/// A compact JWS (RFC 7515 §3.1) whose parts are well-formed.
pub(super) struct Jws<'a> {
    /// What `alg` claims.
    pub(super) algorithm: Algorithm,
    /// Which key it names.
    pub(super) kid: Option<Box<str>>,
    /// `typ`, lower case, without `application/`.
    pub(super) typ: Option<Box<str>>,
    /// The payload, a [`Value::Map`].
    pub(super) claims: Value,
    /// The bytes that are signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Takes `token` apart.
    ///
    /// `jwk`, `jku`, `x5u`, `x5c` and `x5t` of the header are not read: keys come from configuration alone (RFC 8725 §3.10, T35).
    pub(super) fn parse(token: &'a [u8], seed: u64) -> Result<Self, Invalid> {
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Invalid::NotJws);
        };
        let signed = token.get(..header.len() + 1 + payload.len()).ok_or(Invalid::NotJws)?;
        let decode = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).map_err(|_| Invalid::NotJws);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

        let header = json::parse(&header, LIMITS, seed).map_err(|_| Invalid::Header)?;
        let text = |name| match header.member(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(Invalid::Header),
        };
        let algorithm = text("alg")?.ok_or(Invalid::Header)?;
        let kid = text("kid")?;
        if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID) {
            return Err(Invalid::UnknownKey);
        }
        let typ = text("typ")?.map(media_type);
        // RFC 7515 §4.1.11: an extension that is not understood makes the token invalid. We understand none; RFC 7797's `b64` and
        // compression change what is signed or said, so they are refused even where `crit` forgets them.
        if ["crit", "b64", "zip", "enc"].iter().any(|name| header.member(name).is_some()) {
            return Err(Invalid::Extension);
        }
        // RFC 7519 §5.2: `cty` marks a nested token.
        if header.member("cty").is_some() {
            return Err(Invalid::Type);
        }
        let algorithm = asymmetric(algorithm).ok_or(Invalid::Algorithm)?;

        let claims = json::parse(&payload, LIMITS, seed).map_err(|_| Invalid::Claims)?;
        if !matches!(claims, Value::Map(_)) {
            return Err(Invalid::Claims);
        }
        Ok(Self { algorithm, kid: kid.map(Into::into), typ, claims, signed, signature })
    }
}

/// The algorithm named `name`, byte for byte, where a public key verifies it. No configuration can allow another (T35).
pub(super) fn asymmetric(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        "PS256" => Some(Algorithm::PS256),
        "PS384" => Some(Algorithm::PS384),
        "PS512" => Some(Algorithm::PS512),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        // RFC 9864 names the curve; both say the same of an Ed25519 key.
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

/// A `typ` as it is compared: RFC 7515 §4.1.9 lets `application/` be left out, media types ignore case.
fn media_type(typ: &str) -> Box<str> {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ).into()
}
