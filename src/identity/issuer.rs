//! An issuer inside the process, for `mcpfw demo` and for tests: its tokens pass the same [`super::Authenticator`] as any other's.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use super::claims::MAX_LIFE;
use super::trust::{Source, Trust};
use crate::policy::UnixTime;

/// An Ed25519 key made at the start of the process, which dies with it.
pub struct DemoIssuer {
    name: Box<str>,
    audience: Box<str>,
    key: EncodingKey,
    jwks: Box<[u8]>,
}

/// The system has no randomness, or signing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot sign")]
pub struct SignError;

/// The key's name. There is one.
const KID: &str = "demo";

impl DemoIssuer {
    /// Makes the issuer `name`, whose tokens are for `audience`.
    ///
    /// # Errors
    /// [`SignError`] where there is no randomness.
    pub fn generate(name: &str, audience: &str) -> Result<Self, SignError> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SignError)?;
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| SignError)?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": KID, "x": x});
        Ok(Self {
            name: name.into(),
            audience: audience.into(),
            key: EncodingKey::from_ed_der(pkcs8.as_ref()),
            jwks: json!({"keys": [jwk]}).to_string().into_bytes().into(),
        })
    }

    /// How an [`super::Authenticator`] is told to trust it.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust {
            issuer: self.name.clone(),
            audience: vec![self.audience.clone()],
            algorithms: vec![Algorithm::EdDSA],
            typ: Some("at+jwt".into()),
            leeway: 30,
            source: Source::Fixed(self.jwks.clone()),
        }
    }

    /// Its JWK set, as a document.
    #[must_use]
    pub fn jwks(&self) -> String {
        String::from_utf8_lossy(&self.jwks).into_owned()
    }

    /// A token for `subject`, good from `now` for `life` seconds (at most 24 h), with `claims` besides the registered ones, which
    /// they cannot replace.
    ///
    /// # Errors
    /// [`SignError`], which has no known cause.
    pub fn sign(
        &self,
        subject: &str,
        claims: Map<String, Value>,
        now: UnixTime,
        life: u64,
    ) -> Result<String, SignError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        header.kid = Some(KID.into());
        let mut payload = claims;
        let registered = [
            ("iss", json!(self.name)),
            ("aud", json!(self.audience)),
            ("sub", json!(subject)),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add(life.min(MAX_LIFE)))),
        ];
        payload.extend(registered.map(|(name, value)| (name.to_owned(), value)));
        jsonwebtoken::encode(&header, &payload, &self.key).map_err(|_| SignError)
    }
}

impl fmt::Debug for DemoIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoIssuer").field("name", &self.name).finish_non_exhaustive()
    }
}
