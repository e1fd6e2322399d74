//! Who calls, in an example.

use super::{Given, Values, put};
use crate::policy::expr::formula::{Input, Root};
use crate::policy::{ClientKind, Principal, Value};

/// Who calls.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy::prove) struct Caller {
    pub(in crate::policy::prove) kind: ClientKind,
    pub(in crate::policy::prove) id: Option<Box<str>>,
    pub(in crate::policy::prove) issuer: Option<Box<str>>,
    pub(in crate::policy::prove) scopes: Vec<Box<str>>,
    /// A [`Value::Map`].
    pub(in crate::policy::prove) claims: Value,
}

impl Caller {
    /// The caller whose token has `claims`; without claims it is anonymous.
    pub(in crate::policy::prove) fn of_token(claims: Value) -> Self {
        let kind = match &claims {
            Value::Map(members) if members.is_empty() => ClientKind::Anonymous,
            _ => ClientKind::Jwt,
        };
        let principal = Principal::supposed(claims.clone());
        Self {
            kind,
            id: principal.id().map(Into::into),
            issuer: principal.issuer().map(Into::into),
            scopes: principal.scopes().to_vec(),
            claims,
        }
    }

    /// Whether its claims say all the rest.
    pub(in crate::policy::prove) fn is_plain(&self) -> bool {
        *self == Self::of_token(self.claims.clone())
    }

    pub(super) fn principal(&self) -> Principal {
        let Self { kind, id, issuer, scopes, claims } = self.clone();
        Principal::verified(kind, issuer, id, scopes, claims)
    }
}

/// The caller that `values` describe: one by token, if that can be; `None` where there can be none.
pub(super) fn caller(values: &Values, mut claims: Value) -> Option<Caller> {
    let kind = match values.get(&Input::root(Root::ClientKind)) {
        Some(Given::Value(Value::String(kind))) => {
            Some(ClientKind::from_word(kind).unwrap_or(ClientKind::Anonymous))
        }
        _ => None,
    };
    let wanted = |root| {
        values.get(&Input::root(root)).map(|given| match given {
            Given::Value(Value::String(text)) => Some(text.clone()),
            _ => None,
        })
    };
    let (id, issuer) = (wanted(Root::ClientId), wanted(Root::ClientIssuer));
    let scopes: Option<Vec<Box<str>>> = match values.get(&Input::root(Root::ClientScopes)) {
        Some(Given::Value(Value::List(list))) => {
            Some(list.iter().filter_map(Value::as_str).map(Box::from).collect())
        }
        _ => None,
    };
    if kind.is_none_or(|kind| kind == ClientKind::Jwt) {
        // A token says all of this in its claims, where these are not spoken for.
        let joined = scopes.as_ref().map(|scopes| Box::<str>::from(scopes.join(" ")));
        let joined = joined.filter(|text| !text.is_empty());
        for (name, text) in
            [("sub", id.clone().flatten()), ("iss", issuer.clone().flatten()), ("scope", joined)]
        {
            let input = Input { root: Root::Claims, names: Box::new([name.into()]) };
            let is_free = !values.contains_key(&input);
            if let (Some(text), true) = (text, is_free) {
                put(&mut claims, &input.names, &Value::String(text))?;
            }
        }
    }
    let mut caller = Caller::of_token(claims);
    let by_token = caller.clone();
    caller.id = id.unwrap_or(caller.id);
    caller.issuer = issuer.unwrap_or(caller.issuer);
    caller.scopes = scopes.unwrap_or(caller.scopes);
    let fits = caller == by_token;
    match kind {
        None if fits => {}
        // Some other credential, of which the claims do not say the rest.
        None => caller.kind = ClientKind::ApiKey,
        Some(ClientKind::Jwt) if !fits => return None,
        Some(kind) => caller.kind = kind,
    }
    let is_nobody = caller.kind == ClientKind::Anonymous;
    let has_claims = !matches!(&caller.claims, Value::Map(members) if members.is_empty());
    if is_nobody && (has_claims || caller.id.is_some() || caller.issuer.is_some()) {
        return None;
    }
    Some(caller)
}
