//! Whom we trust to say who is calling, and how far.

use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use url::Url;

use crate::config;

/// An issuer, the rules for its tokens, and where its keys are.
#[derive(Clone, Debug)]
pub struct Trust {
    /// What `iss` must say, byte for byte.
    pub issuer: Box<str>,
    /// What `aud` must name one of.
    pub audience: Vec<Box<str>>,
    /// Algorithms accepted. Symmetric ones are refused whatever stands here (T35).
    pub algorithms: Vec<Algorithm>,
    /// What `typ` must say, lower case, without `application/`; `None` accepts `JWT`, `at+jwt` and nothing at all.
    pub typ: Option<Box<str>>,
    /// Seconds by which clocks may differ.
    pub leeway: u64,
    /// Where the keys are.
    pub source: Source,
}

/// Where an issuer's JWK set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Fetched, again and again. `https`, or `http` from loopback.
    Url {
        /// From configuration alone, never from a token or a redirect.
        url: Url,
        /// Whether a host name may resolve to a private address (T40). Never to a link-local one.
        allow_private: bool,
    },
    /// Read from a file, again and again.
    File(PathBuf),
    /// This document, for as long as the process lives.
    Fixed(Box<[u8]>),
}

impl From<&config::Issuer> for Trust {
    fn from(issuer: &config::Issuer) -> Self {
        Self {
            issuer: issuer.issuer.clone(),
            audience: issuer.audience.clone(),
            algorithms: issuer.algorithms.clone(),
            typ: issuer.typ.clone(),
            leeway: issuer.leeway.as_secs(),
            source: match &issuer.jwks {
                config::Jwks::Url(url) => {
                    Source::Url { url: url.clone(), allow_private: issuer.allow_private }
                }
                config::Jwks::File(path) => Source::File(path.clone()),
            },
        }
    }
}
