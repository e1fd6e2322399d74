//! Who is calling, as far as it has been verified.

use super::Value;

/// How the caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// A verified JWT.
    Jwt,
    /// An API key.
    ApiKey,
    /// A client certificate.
    Mtls,
    /// Nothing was proved.
    Anonymous,
}

/// A caller. Only [`crate::identity`] makes one that claims something.
#[derive(Debug)]
pub struct Principal {
    kind: ClientKind,
    /// The token's issuer, where there is one.
    issuer: Option<Box<str>>,
    /// A stable name of the caller: `sub` of a token, the id of a key.
    id: Option<Box<str>>,
    scopes: Vec<Box<str>>,
    /// Always a [`Value::Map`].
    claims: Value,
}

impl Principal {
    /// The caller of whom nothing is known.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            kind: ClientKind::Anonymous,
            issuer: None,
            id: None,
            scopes: Vec::new(),
            claims: Value::Map(Vec::new()),
        }
    }

    /// A caller whose credential has been verified.
    #[must_use]
    pub(crate) fn verified(
        kind: ClientKind,
        issuer: Option<Box<str>>,
        id: Option<Box<str>>,
        scopes: Vec<Box<str>>,
        claims: Value,
    ) -> Self {
        Self { kind, issuer, id, scopes, claims }
    }

    /// How the caller proved who it is.
    #[must_use]
    pub fn kind(&self) -> ClientKind {
        self.kind
    }

    /// The token's issuer.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `sub` of a token, the id of a key.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// OAuth scopes granted.
    #[must_use]
    pub fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }

    /// Verified claims, a [`Value::Map`].
    #[must_use]
    pub fn claims(&self) -> &Value {
        &self.claims
    }
}
