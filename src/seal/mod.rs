//! Handles that only their owner can use: sealed by mcpfw, opened by mcpfw, opaque to everybody else (T43, T44).
//!
//! What a server hands to a client as a bearer of state (a session id, a task id, an MRTR `requestState`) goes to the client
//! under a seal that binds it to the verified caller. So no table of handles is kept, every replica that has the key can
//! open them, and a handle that was stolen or guessed is to everybody else what a made-up one is.
//!
//! The seal is an AEAD whose nonce follows from what is sealed (RFC 5297 §1.1 names the pattern): the same handle of the
//! same owner has one text, which clients that compare session ids rely on.

mod key;
mod owner;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use self::key::Key;
pub use self::owner::Owner;

/// What a handle is for. One that was sealed for another purpose does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `Mcp-Session-Id` of the legacy revisions.
    Session,
    /// The id of a task.
    Task,
    /// `requestState` of a result that asks for input (2026-07-28).
    State,
    /// Where a stream of 2024-11-05 takes messages.
    Endpoint,
}

impl Purpose {
    /// INVARIANT: one byte a purpose, never reused: it is part of what is authenticated.
    const fn tag(self) -> u8 {
        match self {
            Self::Session => 1,
            Self::Task => 2,
            Self::State => 3,
            Self::Endpoint => 4,
        }
    }
}

/// Seals and opens, under one key.
pub struct Sealer {
    cipher: LessSafeKey,
    /// Makes nonces.
    nonces: hmac::Key,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

/// Bytes that authenticate a sealed text (RFC 8452 §4).
const TAG_LEN: usize = 16;

impl Sealer {
    /// Most bytes that are sealed. 64 KiB: the largest `requestState` that is taken (T14); session and task ids are far
    /// shorter.
    pub const MAX_PAYLOAD: usize = 64 << 10;

    /// Stands before every sealed text. Another way of sealing gets another.
    pub const PREFIX: &str = "fw1.";

    /// Bytes of the text that `payload` bytes are sealed as.
    #[must_use]
    pub const fn sealed_len(payload: usize) -> usize {
        Self::PREFIX.len() + ((NONCE_LEN + payload + TAG_LEN) * 4).div_ceil(3)
    }

    /// A sealer under `key`.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        // The key may be short of entropy per bit, and one key per use is good custom: HKDF (RFC 5869) gives both.
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"mcpfw seal 1");
        let root = salt.extract(key.bytes());
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA256 gives up to 8160 bytes (RFC 5869 §2.3); 32 are asked for"
        )]
        let (cipher, nonces) = (
            root.expand(&[b"seal"], &AES_256_GCM_SIV).expect("32 bytes are given"),
            root.expand(&[b"nonce"], hmac::HMAC_SHA256).expect("32 bytes are given"),
        );
        Self { cipher: LessSafeKey::new(UnboundKey::from(cipher)), nonces: nonces.into() }
    }

    /// `payload` as a text that [`Sealer::open`] takes back for the same purpose and owner, and for no other: visible ASCII
    /// that may stand in a header, a JSON string and a query. The same input gives the same text.
    ///
    /// `None` where `payload` is longer than [`Sealer::MAX_PAYLOAD`].
    #[must_use]
    pub fn seal(&self, purpose: Purpose, owner: &Owner, payload: &[u8]) -> Option<String> {
        if payload.len() > Self::MAX_PAYLOAD {
            return None;
        }
        let aad = owner.bound_to(purpose.tag());
        // Nonces that follow from the input never repeat for another one but by a collision, and then GCM-SIV tells no
        // more than that two handles are the same (RFC 8452 §1).
        let nonce = self.nonce(&aad, payload);
        let mut sealed = Vec::with_capacity(NONCE_LEN + payload.len() + TAG_LEN);
        sealed.extend_from_slice(payload);
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.cipher.seal_in_place_append_tag(nonce_used, Aad::from(&aad), &mut sealed).ok()?;
        sealed.splice(..0, nonce);
        let mut text = String::with_capacity(Self::PREFIX.len() + sealed.len().div_ceil(3) * 4);
        text.push_str(Self::PREFIX);
        URL_SAFE_NO_PAD.encode_string(&sealed, &mut text);
        Some(text)
    }

    /// What [`Sealer::seal`] made `text` of, for this purpose and this owner. `None` for everything else.
    ///
    /// A genuine text of somebody else costs the same work as garbage of its length: how long it takes tells nobody which of
    /// the two it was.
    #[must_use]
    pub fn open(&self, purpose: Purpose, owner: &Owner, text: &[u8]) -> Option<Vec<u8>> {
        let text = text.strip_prefix(Self::PREFIX.as_bytes())?;
        if text.len() > (NONCE_LEN + Self::MAX_PAYLOAD + TAG_LEN).div_ceil(3) * 4 {
            return None;
        }
        // Strict: no padding, and no bits behind the last byte, so that one handle has one spelling.
        let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let nonce = *sealed.first_chunk::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(owner.bound_to(purpose.tag()));
        let payload = self.cipher.open_within(nonce, aad, &mut sealed, NONCE_LEN..).ok()?.len();
        sealed.truncate(payload);
        Some(sealed)
    }

    fn nonce(&self, aad: &[u8], payload: &[u8]) -> [u8; NONCE_LEN] {
        let mut context = hmac::Context::with_key(&self.nonces);
        // With its length before it, what is authenticated cannot run into what is sealed.
        context.update(&(aad.len() as u64).to_le_bytes());
        context.update(aad);
        context.update(payload);
        let tag = context.sign();
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        nonce
    }
}

#[cfg(test)]
mod tests;
