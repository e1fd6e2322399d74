//! `[auth]`: how callers prove who they are.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;

use crate::diagnostic::{Diagnostic, Span};

use super::codes;
use super::raw::{Raw, RawIssuer, Text};
use super::resolve::Scope;
use super::target::{self, Fault};

/// How callers prove who they are.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// Whether a caller without a credential is refused. Default: as soon as there is a way to have one. Never true
    /// without an issuer.
    pub required: bool,
    /// Issuers of tokens, each with a name of its own.
    pub jwt: Vec<Issuer>,
}

/// An issuer of JWTs, and what its tokens must look like (T35, T36).
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What `iss` must say, byte for byte.
    pub issuer: Box<str>,
    /// What `aud` must name one of; never empty.
    pub audience: Vec<Box<str>>,
    /// Where its keys are.
    pub jwks: Jwks,
    /// Whether the host name in `jwks` may lead into a private network, as an issuer beside us does (T40). Default no.
    /// Link-local addresses are never connected to.
    pub allow_private: bool,
    /// Signature algorithms accepted; asymmetric, never empty. Default RS256, ES256, EdDSA.
    pub algorithms: Vec<Algorithm>,
    /// What `typ` of the header must say, without `application/`; `None` does not ask, but refuses what cannot be an
    /// access token.
    pub typ: Option<Box<str>>,
    /// How far clocks may differ, in both directions. Default 30 s, at most 5 min.
    pub leeway: Duration,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Jwks {
    /// Fetched: https, or http from loopback.
    Url(Url),
    /// Read from a file.
    File(PathBuf),
}

impl Issuer {
    /// The algorithms that are accepted where none are named.
    pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    /// How far clocks may differ where nothing is said.
    pub const LEEWAY: Duration = Duration::from_secs(30);
}

/// Algorithms by their names in tokens. None is symmetric: a key that verifies would also sign.
const WORDS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

impl Auth {
    /// Resolves `[auth]`.
    pub(super) fn resolve(raw: &Raw<'_>, scope: &Scope<'_>) -> Self {
        let mut names: Vec<(&str, Span)> = Vec::new();
        for text in raw.issuers.iter().filter_map(|issuer| issuer.issuer) {
            if let Some((_, first)) = names.iter().find(|(name, _)| *name == text.value) {
                let message = format!("issuer `{}` stands here twice", text.value);
                let finding = Diagnostic::error(codes::SAME_ISSUER, message)
                    .primary(text.span, "again")
                    .secondary(*first, "first")
                    .help("list its audiences and algorithms in one `[[auth.jwt]]`");
                scope.problems.push(finding);
            }
            names.push((text.value, text.span));
        }
        if let Some(required) = raw.required.filter(|r| r.value && raw.issuers.is_empty()) {
            let finding = Diagnostic::error(codes::NOBODY_PASSES, "no caller could ever pass")
                .primary(required.span, "asks for a credential, and no kind of it is configured")
                .help("name an issuer in `[[auth.jwt]]`");
            scope.problems.push(finding);
        }
        let jwt: Vec<Issuer> =
            raw.issuers.iter().filter_map(|i| Issuer::resolve(i, scope)).collect();
        Self { required: raw.required.map_or(!jwt.is_empty(), |required| required.value), jwt }
    }
}

impl Issuer {
    fn resolve(raw: &RawIssuer<'_>, scope: &Scope<'_>) -> Option<Self> {
        let table = "auth.jwt";
        let issuer = match raw.issuer {
            Some(text) => claim(text, "issuer", scope),
            None => scope.missing("issuer", raw.place, table),
        };
        let audience = match &raw.audience {
            Some(written) => {
                let audience: Vec<_> =
                    written.iter().filter_map(|text| claim(*text, "audience", scope)).collect();
                (audience.len() == written.len() && !audience.is_empty()).then_some(audience)
            }
            None => scope.missing("audience", raw.place, table),
        };
        let jwks = match raw.jwks {
            Some(text) => jwks(text, scope),
            None => scope.missing("jwks", raw.place, table),
        };
        let algorithms = match &raw.algorithms {
            Some(written) => written.iter().filter_map(|text| algorithm(*text, scope)).collect(),
            None => Self::ALGORITHMS.to_vec(),
        };
        let typ = raw.typ.map(|text| typ(text, scope));
        Some(Self {
            issuer: issuer?,
            audience: audience?,
            jwks: jwks?,
            allow_private: raw.allow_private.unwrap_or(false),
            algorithms,
            typ: match typ {
                Some(typ) => Some(typ?),
                None => None,
            },
            leeway: raw.leeway.unwrap_or(Self::LEEWAY),
        })
    }
}

/// A claim that tokens carry as it stands here.
fn claim(text: Text<'_>, what: &str, scope: &Scope<'_>) -> Option<Box<str>> {
    // Longer than any URL in use; a challenge quotes it.
    const MOST: usize = 2_048;
    let is_plain = text.value.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if is_plain && (1..=MOST).contains(&text.value.len()) {
        return Some(text.value.into());
    }
    let expected =
        format!("what `{}` of its tokens says", if what == "issuer" { "iss" } else { "aud" });
    scope.error(codes::CLAIM, text, what, &expected, None::<&str>)
}

fn typ(text: Text<'_>, scope: &Scope<'_>) -> Option<Box<str>> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&b);
    if !text.value.is_empty() && text.value.bytes().all(is_token) {
        // RFC 7515 §4.1.9: "application/" is left out where nothing else has a slash.
        let short = text.value.strip_prefix("application/").unwrap_or(text.value);
        return Some(short.to_ascii_lowercase().into());
    }
    scope.error(codes::CLAIM, text, "token type", "a media type such as `at+jwt`", None::<&str>)
}

fn jwks(text: Text<'_>, scope: &Scope<'_>) -> Option<Jwks> {
    let what = "address of a key set";
    let wrong = |help: Option<String>| {
        let expected = "`https://`, `http://` on loopback, or `file:` and a path";
        scope.error(codes::JWKS, text, what, expected, help)
    };
    if let Some(path) = text.value.strip_prefix("file:") {
        if path.is_empty() || path.starts_with("//") {
            return wrong(Some("write a path behind `file:`, as in `file:jwks.json`".to_owned()));
        }
        return Some(Jwks::File(scope.path(path, text.span)));
    }
    let url = match target::url(text.value) {
        Ok(url) => url,
        Err(Fault::Shape) if !text.value.is_empty() && !text.value.contains("://") => {
            return wrong(Some(format!("did you mean `file:{}`?", text.value)));
        }
        Err(Fault::Credentials) => {
            let help = "leave it out of the URL: public keys need none";
            return scope.password(codes::JWKS, text, what, help);
        }
        Err(fault) => return wrong(fault.help().map(str::to_owned)),
    };
    match url.scheme() {
        "https" => Some(Jwks::Url(url)),
        "http" if target::is_loopback(&url) => Some(Jwks::Url(url)),
        "http" => {
            let help = "use https: who can change the keys on their way can sign any token";
            wrong(Some(help.to_owned()))
        }
        _ => wrong(None),
    }
}

fn algorithm(text: Text<'_>, scope: &Scope<'_>) -> Option<Algorithm> {
    let help = match text.value {
        "HS256" | "HS384" | "HS512" => {
            "a key that verifies it could also sign: use an asymmetric one"
        }
        "none" => "a token without a signature proves nothing",
        _ => return scope.choose(codes::ALGORITHM, text, "algorithm", &WORDS),
    };
    scope.error(codes::ALGORITHM, text, "algorithm to trust", "an asymmetric algorithm", Some(help))
}
