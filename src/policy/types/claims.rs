//! The claims that `schema.toml` declares.

use std::collections::BTreeMap;

use super::{Kind, Kinds, Presence, Type};
use crate::diagnostic::Span;
use crate::policy::Value;

/// Most levels of tables in a declaration: a path has no more members (`policy::expr::limits::MAX_PATH`).
pub const MAX_DEPTH: usize = 16;

/// Claims of JWTs that need no declaration (RFC 7519 §4.1, RFC 8693 §4.2 and §4.3, OpenID Connect Core §2), and what they
/// are. None is required here: which ones are depends on the issuer.
const REGISTERED: [(&str, &[Kind]); 10] = [
    ("iss", &[Kind::String]),
    ("sub", &[Kind::String]),
    ("aud", &[Kind::String, Kind::List]),
    ("exp", &[Kind::Number]),
    ("nbf", &[Kind::Number]),
    ("iat", &[Kind::Number]),
    ("jti", &[Kind::String]),
    ("scope", &[Kind::String]),
    ("client_id", &[Kind::String]),
    ("azp", &[Kind::String]),
];

/// All declared claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    pub(in crate::policy) top: BTreeMap<Box<str>, Declared>,
}

/// One declared claim, or member of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Declared {
    pub(in crate::policy) kinds: Kinds,
    /// Of itself, or, where it is a list, of its elements.
    pub(in crate::policy) values: Option<Vec<Value>>,
    pub(in crate::policy) is_required: bool,
    /// What the elements of a list are.
    pub(in crate::policy) of: Option<Kinds>,
    /// The members of a table; `None` where it may have any.
    pub(in crate::policy) members: Option<BTreeMap<Box<str>, Self>>,
    /// Its name in `schema.toml`.
    pub(in crate::policy) span: Span,
}

impl Claims {
    /// What is at `path`, which begins with the name of a claim.
    pub(super) fn at<S: AsRef<str>>(&self, path: &[S]) -> Type {
        let Some((first, rest)) = path.split_first() else { return Type::ANY };
        let Some(mut here) = self.top.get(first.as_ref()) else {
            return registered(first.as_ref(), rest.is_empty());
        };
        let mut is_required = here.is_required;
        for name in rest {
            if !here.kinds.has(Kind::Table) {
                return Type::absent(Presence::Never);
            }
            let Some(members) = &here.members else { return Type::ANY };
            let Some(member) = members.get(name.as_ref()) else {
                return Type::absent(Presence::Unnamed);
            };
            is_required &= member.is_required && here.kinds == Kinds::only(Kind::Table);
            here = member;
        }
        here.to_type(is_required)
    }

    /// Where the claim at `path`, or the first part of `path` that is declared at all, is declared.
    #[must_use]
    pub fn span<S: AsRef<str>>(&self, path: &[S]) -> Option<Span> {
        let (first, rest) = path.split_first()?;
        let mut here = self.top.get(first.as_ref())?;
        for name in rest {
            match here.members.as_ref().and_then(|members| members.get(name.as_ref())) {
                Some(member) => here = member,
                None => break,
            }
        }
        Some(here.span)
    }

    /// The names that are declared beside one another below `path`, sorted.
    #[must_use]
    pub fn names<S: AsRef<str>>(&self, path: &[S]) -> Vec<&str> {
        let mut here = Some(&self.top);
        for name in path {
            here = here.and_then(|all| all.get(name.as_ref())?.members.as_ref());
        }
        let declared = here.into_iter().flat_map(BTreeMap::keys).map(|name| &**name);
        let known = REGISTERED.iter().map(|(name, _)| *name).filter(|_| path.is_empty());
        let mut all: Vec<&str> = declared.chain(known).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Declared {
    fn to_type(&self, is_required: bool) -> Type {
        let presence = if is_required { Presence::Required } else { Presence::Optional };
        let is_list = self.kinds.has(Kind::List);
        let elements = is_list.then(|| {
            let kinds = self.of.unwrap_or(Kinds::ALL);
            Box::new(Type { kinds, values: self.values.clone(), ..Type::ANY })
        });
        let values = if is_list { None } else { self.values.clone() };
        Type { kinds: self.kinds, values, elements, presence }
    }
}

fn registered(name: &str, is_whole: bool) -> Type {
    let Some((_, kinds)) = REGISTERED.iter().find(|(known, _)| *known == name) else {
        return Type::absent(Presence::Unnamed);
    };
    if !is_whole {
        return Type::absent(Presence::Never);
    }
    let kinds: Kinds = kinds.iter().copied().collect();
    Type { kinds, presence: Presence::Optional, ..Type::ANY }
}
