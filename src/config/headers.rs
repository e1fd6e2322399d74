//! `[identity_headers]`: verified claims that the server is told.

use http::HeaderName;

use crate::diagnostic::{Diagnostic, Span};

use super::raw::{RawHeader, Text};
use super::resolve::Scope;
use super::{Credentials, Route, codes};

/// A claim and the header that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeader {
    /// Member names from the claims down; never empty. `realm_access.roles` is two of them, `"https://x/plan"` one.
    pub claim: Vec<Box<str>>,
    /// The header. Copies of it that a client sends are removed, and so are those of its twin with `_` for `-` (T23).
    pub header: HeaderName,
}

/// What a header of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It tells the server who is calling.
    Identity,
    /// It proves to the server that it is us.
    Credential,
}

/// Names that are not ours to set: those that frame a message or belong to one connection (RFC 9110 §7.6.1), those that
/// MCP gives a meaning, and those by which a server would be told something else than a claim.
const TAKEN: &[&str] = &[
    "accept",
    "age",
    "connection",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "last-event-id",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
/// Beginnings of such names.
const TAKEN_PREFIXES: &[&str] =
    &["accept-", "access-control-", "content-", "if-", "mcp-", "sec-", "x-forwarded-"];

/// Most claims below each other.
const MAX_DEPTH: usize = 8;

/// Resolves `[identity_headers]`.
pub(super) fn resolve(
    raw: &[RawHeader<'_>],
    routes: &[Route],
    scope: &Scope<'_>,
) -> Vec<IdentityHeader> {
    let mut seen: Vec<(HeaderName, Span)> = Vec::new();
    let mut found = Vec::new();
    for entry in raw {
        let claim = claim(&entry.claim, scope);
        let Some(header) = name(entry.header, Use::Identity, scope) else { continue };
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == header) {
            let message = format!("header `{}` would be set twice", entry.header.value);
            let finding = Diagnostic::error(codes::SAME_HEADER, message)
                .primary(entry.header.span, "again")
                .secondary(*first, "first");
            scope.problems.push(finding);
        }
        seen.push((header.clone(), entry.header.span));
        for route in routes {
            if matches!(&route.credentials, Credentials::Set { header: set, .. } if *set == header)
            {
                let message = format!("header `{}` would be set twice", entry.header.value);
                let label = format!("route `{}` sets it as its credential", route.name);
                let finding = Diagnostic::error(codes::SAME_HEADER, message)
                    .primary(entry.header.span, label);
                scope.problems.push(finding);
            }
        }
        if let Some(claim) = claim {
            found.push(IdentityHeader { claim, header });
        }
    }
    found
}

fn claim(path: &[Text<'_>], scope: &Scope<'_>) -> Option<Vec<Box<str>>> {
    let last = path.last()?;
    if path.len() > MAX_DEPTH {
        let expected = format!("at most {MAX_DEPTH} names");
        return scope.error(codes::CLAIM_PATH, *last, "claim", &expected, None::<&str>);
    }
    if let Some(empty) = path.iter().find(|name| name.value.is_empty()) {
        return scope.error(
            codes::CLAIM_PATH,
            *empty,
            "claim",
            "the name of a claim",
            None::<&str>,
        );
    }
    Some(path.iter().map(|name| name.value.into()).collect())
}

/// The header that `text` names, if it is ours to set for `purpose`.
pub(super) fn name(text: Text<'_>, purpose: Use, scope: &Scope<'_>) -> Option<HeaderName> {
    let expected = "a header name such as `X-User-Id`";
    let Ok(header) = HeaderName::from_bytes(text.value.as_bytes()) else {
        return scope.error(codes::HEADER_NAME, text, "header name", expected, None::<&str>);
    };
    if header.as_str().contains('_') {
        // Servers that speak CGI cannot tell `X_User_Id` from `X-User-Id`; a client could send the other (T23).
        let help = format!("write `{}`", text.value.replace('_', "-"));
        return scope.error(codes::HEADER_NAME, text, "header name to trust", expected, Some(help));
    }
    let is_taken = TAKEN.contains(&header.as_str())
        || TAKEN_PREFIXES.iter().any(|prefix| header.as_str().starts_with(prefix))
        || (purpose == Use::Identity && header == http::header::AUTHORIZATION);
    if is_taken {
        let help = match purpose {
            Use::Identity => "name a header of your own, such as `X-User-Id`",
            Use::Credential => "name `Authorization`, or a header of your own such as `X-Api-Key`",
        };
        let finding = Diagnostic::error(
            codes::HEADER_TAKEN,
            format!("header `{}` cannot be set", text.value),
        )
        .primary(text.span, "it has a meaning of its own")
        .help(help);
        scope.problems.push(finding);
        return None;
    }
    Some(header)
}
