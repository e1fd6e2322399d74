//! Who is calling, as far as it has been verified.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};

use super::Value;
use super::memo::Memo;

/// A memo that is being read; cheaper than a count of its own.
pub(super) type HeldMemo = Guard<Option<Arc<Memo>>>;

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

impl ClientKind {
    /// What conditions call it: `jwt`, `api_key`, `mtls`, `anonymous`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
            Self::Mtls => "mtls",
            Self::Anonymous => "anonymous",
        }
    }

    /// The kind that [`ClientKind::as_str`] calls `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Jwt, Self::ApiKey, Self::Mtls, Self::Anonymous]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
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
    /// Which conditions hold for it, under the policy that was asked last.
    memo: ArcSwapOption<Memo>,
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
            memo: ArcSwapOption::empty(),
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
        Self { kind, issuer, id, scopes, claims, memo: ArcSwapOption::empty() }
    }

    /// A caller of whom it is supposed that a token with `claims` was verified: `explain`, tests of policies and
    /// benchmarks ask about such. `iss`, `sub` and `scope` mean what they mean in a token (RFC 9068).
    #[must_use]
    pub fn supposed(claims: Value) -> Self {
        let text = |name| match claims.member(name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let scopes = text("scope").unwrap_or_default();
        let scopes = scopes.split(' ').filter(|scope| !scope.is_empty()).map(Box::from).collect();
        Self::verified(ClientKind::Jwt, text("iss"), text("sub"), scopes, claims)
    }

    /// The same caller with what is given in place of what was supposed of it, and where `kind` is given, nothing but that:
    /// for `explain`.
    #[must_use]
    pub fn changed(
        mut self,
        kind: Option<ClientKind>,
        id: Option<&str>,
        issuer: Option<&str>,
        scopes: &[String],
    ) -> Self {
        if let Some(kind) = kind {
            self = Self::verified(kind, None, None, Vec::new(), self.claims);
        }
        self.id = id.map(Into::into).or(self.id);
        self.issuer = issuer.map(Into::into).or(self.issuer);
        if !scopes.is_empty() {
            self.scopes = scopes.iter().map(|scope| scope.as_str().into()).collect();
        }
        self
    }

    /// What is remembered of it for the policy generation `generation`; where that is another, `fresh`, which is
    /// kept from now on. Two threads that find it missing at once may each have their own for one call.
    pub(super) fn memo(&self, generation: u64, fresh: impl FnOnce() -> Arc<Memo>) -> HeldMemo {
        let known = self.memo.load();
        if known.as_ref().is_some_and(|memo| memo.generation() == generation) {
            return known;
        }
        let memo = Some(fresh());
        self.memo.store(memo.clone());
        Guard::from_inner(memo)
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
