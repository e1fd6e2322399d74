//! Whose handle it is.

use aws_lc_rs::digest::{SHA256, digest};

use crate::policy::{ClientKind, Principal, Value};

/// Everything that must be the same when a handle comes back as it was when it was sealed.
///
/// Of a caller that is how it proved who it is, its issuer, its subject and its OAuth client; never the credential itself, so
/// that a token can be renewed while a session lasts.
#[derive(Clone, PartialEq, Eq)]
pub struct Owner {
    /// Parts, each behind its length: two lists of parts that differ never give the same bytes. The first byte is the
    /// purpose's.
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}

impl Owner {
    /// `principal` on the route named `route`. Callers of whom nothing is known are one owner.
    #[must_use]
    pub fn new(route: &str, principal: &Principal) -> Self {
        let mut owner = Self { bytes: vec![0] };
        owner.push(Some(route.as_bytes()));
        let kind: &[u8] = match principal.kind() {
            ClientKind::Jwt => b"jwt",
            ClientKind::ApiKey => b"api_key",
            ClientKind::Mtls => b"mtls",
            ClientKind::Anonymous => b"anonymous",
        };
        owner.push(Some(kind));
        for part in [principal.issuer(), principal.id(), client(principal)] {
            owner.push(part.map(str::as_bytes));
        }
        owner
    }

    /// This owner for `parts` only: the method and the name of what the handle was given for.
    #[must_use]
    pub fn with<'a>(mut self, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        for part in parts {
            self.push(Some(part));
        }
        self
    }

    /// A short name of it: a key of tables.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let digest = digest(&SHA256, &self.bytes);
        digest.as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// What is missing is not what is empty.
    fn push(&mut self, part: Option<&[u8]>) {
        self.bytes.push(u8::from(part.is_some()));
        let part = part.unwrap_or_default();
        self.bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(part);
    }

    /// What is authenticated.
    pub(super) fn bound_to(&self, purpose: u8) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(first) = bytes.first_mut() {
            *first = purpose;
        }
        bytes
    }
}

/// The OAuth client that a token was issued to (RFC 9068 §2.2), under the name that OpenID Connect has for it where there is no
/// other.
fn client(principal: &Principal) -> Option<&str> {
    let text = |name| principal.claims().member(name).and_then(Value::as_str);
    text("client_id").or_else(|| text("azp"))
}
