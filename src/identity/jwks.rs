//! A JWK set (RFC 7517) as keys that may verify signatures, and nothing else. Pure.
//!
//! A key that we cannot or must not use is left out and named in [`KeySet::skipped`], since sets often carry keys for other
//! purposes. A document that is not a key set is an error, so that an error page never empties a good set (T41).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::jws::{MAX_KID, asymmetric};
use super::{Invalid, json};
use crate::policy::Value;
use crate::wire::json::Limits;

/// Bytes of a document (T40).
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// Keys of a set (T40).
pub(super) const MAX_KEYS: usize = 64;
/// Bits of an RSA modulus: fewer can be factored, more make verification slow enough to be an attack.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

const LIMITS: Limits =
    Limits { depth: 16, key_bytes: 256, number_bytes: 64, values: 4096, open_keys: 1024 };

/// Why a document is no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JwksError {
    /// Larger than 256 KiB.
    #[error("larger than 256 KiB")]
    TooLarge,
    /// Not strict JSON.
    #[error("not JSON")]
    Syntax,
    /// Not an object with a list `keys` of objects.
    #[error("not a JWK set")]
    Shape,
    /// More than 64 keys.
    #[error("more than 64 keys")]
    TooManyKeys,
}

/// Why a key of a set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeyFault {
    /// A `kty`, `crv` or `alg` that no accepted algorithm uses; symmetric keys too.
    #[error("of a kind that verifies nothing here")]
    Kind,
    /// `use` or `key_ops` say that it is not for verifying signatures.
    #[error("not for signatures")]
    Use,
    /// A member is missing, of the wrong type or not strict base64url.
    #[error("malformed")]
    Malformed,
    /// RSA below 2048 or above 8192 bits, an even modulus, an exponent below 3 or even; a point not on its curve.
    #[error("weak or not a key")]
    Weak,
    /// It carries its private half: whoever can read the set can sign.
    #[error("private key published")]
    Private,
    /// Another key of the set has the same name, kind and algorithm (T35).
    #[error("name used twice")]
    Ambiguous,
}

/// A key that verifies signatures.
pub(super) struct Key {
    kid: Option<Box<str>>,
    kind: Kind,
    /// The one algorithm that the key is for, where it says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
    /// The public key itself, to tell whether a name means the same key as before.
    material: Box<[u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Kind {
    fn fits(self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        match self {
            Self::Rsa => {
                matches!(algorithm, A::RS256 | A::RS384 | A::RS512 | A::PS256 | A::PS384 | A::PS512)
            }
            Self::P256 => algorithm == A::ES256,
            Self::P384 => algorithm == A::ES384,
            Self::Ed25519 => algorithm == A::EdDSA,
        }
    }
}

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.kind.fits(algorithm) && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// Whether both are the same key for the same use.
    fn is(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.algorithm == other.algorithm
            && self.material == other.material
    }

    /// Verifies `signature` of `signed`. `algorithm` is one that the key fits.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        signed: &[u8],
        signature: &Vec<u8>,
    ) -> Result<(), Invalid> {
        // The provider is named, so that a feature that some other crate turns on cannot change it or make it panic.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key);
        let verifier = verifier.map_err(|_| Invalid::UnfitKey)?;
        verifier.verify(signed, signature).map_err(|_| Invalid::Signature)
    }
}

/// The keys of one issuer.
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    /// Keys left out, by their place in the document.
    pub(super) skipped: Vec<(usize, KeyFault)>,
}

/// What a set knows of a key's name.
pub(super) enum Found<'a> {
    /// The key, and it is for this algorithm.
    Key(&'a Key),
    /// A key of that name that is for something else.
    Unfit,
    /// No key of that name.
    Unknown,
}

impl KeySet {
    /// Reads a document.
    pub(super) fn parse(document: &[u8], seed: u64) -> Result<Self, JwksError> {
        if document.len() > MAX_BYTES {
            return Err(JwksError::TooLarge);
        }
        let root = json::parse(document, LIMITS, seed).map_err(|_| JwksError::Syntax)?;
        let Some(Value::List(list)) = root.member("keys") else { return Err(JwksError::Shape) };
        if list.len() > MAX_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let mut set = Self::default();
        let mut places = Vec::new();
        for (place, jwk) in list.iter().enumerate() {
            if !matches!(jwk, Value::Map(_)) {
                return Err(JwksError::Shape);
            }
            match parse_key(jwk) {
                Ok(key) => {
                    set.keys.push(key);
                    places.push(place);
                }
                Err(fault) => set.skipped.push((place, fault)),
            }
        }
        set.drop_ambiguous(&places);
        Ok(set)
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key for a token with this `kid` and `alg`. Without a `kid`, the only key that fits.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let named = |key: &&Key| kid.is_none() || key.kid.as_deref() == kid;
        let mut fitting = self.keys.iter().filter(named).filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Found::Key(key),
            (Some(_), Some(_)) => Found::Unfit,
            (None, _) if self.keys.iter().any(|key| named(&key)) => Found::Unfit,
            (None, _) => Found::Unknown,
        }
    }

    /// Whether every key of `older` is here too: tokens that `older` verified still hold.
    pub(super) fn keeps(&self, older: &Self) -> bool {
        older.keys.iter().all(|old| self.keys.iter().any(|key| key.kid == old.kid && key.is(old)))
    }

    /// Of keys that a token could mean by the same words, only equal ones are kept, once. Trying one after the other would let
    /// whoever adds a key to the set choose which is meant.
    fn drop_ambiguous(&mut self, places: &[usize]) {
        let clash = |a: &Key, b: &Key| {
            let algorithms =
                a.algorithm.is_none() || b.algorithm.is_none() || a.algorithm == b.algorithm;
            a.kid.is_some() && a.kid == b.kid && a.kind == b.kind && algorithms
        };
        let keys = std::mem::take(&mut self.keys);
        let keep: Vec<bool> = keys
            .iter()
            .enumerate()
            .map(|(at, key)| {
                let others = || {
                    keys.iter().enumerate().filter(move |(n, other)| *n != at && clash(key, other))
                };
                let is_repeat = others().any(|(n, other)| n < at && key.is(other));
                !is_repeat && others().all(|(_, other)| key.is(other))
            })
            .collect();
        for ((key, keep), place) in keys.into_iter().zip(keep).zip(places) {
            if keep {
                self.keys.push(key);
            } else {
                self.skipped.push((*place, KeyFault::Ambiguous));
            }
        }
    }
}

/// How many keys of `document` can be used: for the properties of [`crate::fuzz`].
pub(crate) fn usable(document: &[u8]) -> Result<usize, JwksError> {
    KeySet::parse(document, 0).map(|set| set.len())
}

fn parse_key(jwk: &Value) -> Result<Key, KeyFault> {
    let text = |name| match jwk.member(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(KeyFault::Malformed),
    };
    let kty = text("kty")?.ok_or(KeyFault::Malformed)?;
    if !matches!(kty, "RSA" | "EC" | "OKP") {
        return Err(KeyFault::Kind);
    }
    // RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2.
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.member(name).is_some()) {
        return Err(KeyFault::Private);
    }
    if text("use")?.is_some_and(|usage| usage != "sig") {
        return Err(KeyFault::Use);
    }
    match jwk.member("key_ops") {
        None => {}
        Some(Value::List(ops)) if ops.iter().any(|op| op.as_str() == Some("verify")) => {}
        Some(_) => return Err(KeyFault::Use),
    }
    let algorithm = match text("alg")? {
        None => None,
        Some(name) => Some(asymmetric(name).ok_or(KeyFault::Kind)?),
    };
    let kid = text("kid")?;
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID) {
        return Err(KeyFault::Malformed);
    }
    let bytes = |name| {
        let encoded = text(name)?.ok_or(KeyFault::Malformed)?;
        URL_SAFE_NO_PAD.decode(encoded).map_err(|_| KeyFault::Malformed)
    };
    let (kind, key, material) = match kty {
        "RSA" => rsa(bytes("n")?, bytes("e")?)?,
        "EC" => ec(text("crv")?, bytes("x")?, bytes("y")?)?,
        _ => okp(text("crv")?, bytes("x")?)?,
    };
    if algorithm.is_some_and(|algorithm| !kind.fits(algorithm)) {
        return Err(KeyFault::Kind);
    }
    Ok(Key { kid: kid.map(Into::into), kind, algorithm, key, material: material.into() })
}

type Material = (Kind, DecodingKey, Vec<u8>);

fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Material, KeyFault> {
    // RFC 7518 §2 wants no leading zeros; old issuers write one.
    let trim = |mut number: Vec<u8>| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        number.drain(..zeros);
        number
    };
    let (modulus, exponent) = (trim(modulus), trim(exponent));
    let bits = modulus.first().map_or(0, |top| modulus.len() * 8 - top.leading_zeros() as usize);
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    // An exponent of 1 makes every text its own signature.
    let is_exponent = is_odd(&exponent) && exponent != [1] && exponent.len() <= 4;
    if !RSA_BITS.contains(&bits) || !is_odd(&modulus) || !is_exponent {
        return Err(KeyFault::Weak);
    }
    let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
    let mut material = vec![u8::try_from(exponent.len()).unwrap_or(u8::MAX)];
    material.extend(exponent);
    material.extend(modulus);
    Ok((Kind::Rsa, key, material))
}

fn ec(curve: Option<&str>, x: Vec<u8>, y: Vec<u8>) -> Result<Material, KeyFault> {
    let (kind, length, algorithm): (_, _, &'static dyn VerificationAlgorithm) = match curve {
        Some("P-256") => (Kind::P256, 32, &ECDSA_P256_SHA256_FIXED),
        Some("P-384") => (Kind::P384, 48, &ECDSA_P384_SHA384_FIXED),
        Some(_) => return Err(KeyFault::Kind),
        None => return Err(KeyFault::Malformed),
    };
    if x.len() != length || y.len() != length {
        return Err(KeyFault::Malformed);
    }
    // SEC 1 §2.3.3: the uncompressed form.
    let mut point = vec![4];
    point.extend(x);
    point.extend(y);
    ParsedPublicKey::new(algorithm, &point).map_err(|_| KeyFault::Weak)?;
    Ok((kind, DecodingKey::from_ec_der(&point), point))
}

fn okp(curve: Option<&str>, x: Vec<u8>) -> Result<Material, KeyFault> {
    match curve {
        Some("Ed25519") => {}
        Some(_) => return Err(KeyFault::Kind),
        None => return Err(KeyFault::Malformed),
    }
    if x.len() != 32 {
        return Err(KeyFault::Malformed);
    }
    ParsedPublicKey::new(&ED25519, &x).map_err(|_| KeyFault::Weak)?;
    Ok((Kind::Ed25519, DecodingKey::from_ed_der(&x), x))
}
