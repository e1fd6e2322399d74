//! Flags of `run`, written over what the file says.

use crate::diagnostic::{Diagnostic, Problems, SourceId, Sources, Span, Spanned};

use super::codes;
use super::raw::{Place, Raw, RawIssuer, RawRoute, Text};

/// What flags say; each goes before the key of the file that it stands for.
///
/// Flags alone make a sidecar: without a file, `upstream` makes one route named `default`.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`, for `listen.address`.
    pub listen: Option<String>,
    /// `--upstream`, any number, for `upstream` of the only route.
    pub upstream: Vec<String>,
    /// `--policies`, for `policies`.
    pub policies: Option<String>,
    /// `--jwks`, for `jwks` of the only issuer.
    pub jwks: Option<String>,
    /// `--issuer`, for `issuer` of the only issuer.
    pub issuer: Option<String>,
    /// `--audience`, for `audience` of the only issuer.
    pub audience: Option<String>,
    /// `--log`, for `log.access`.
    pub log: Option<String>,
    /// `--no-watch`, for `reload.watch`.
    pub no_watch: bool,
}

/// The flags as texts to point into.
pub(super) struct Flags {
    listen: Option<Span>,
    upstream: Vec<Span>,
    policies: Option<Span>,
    jwks: Option<Span>,
    issuer: Option<Span>,
    audience: Option<Span>,
    log: Option<Span>,
    no_watch: bool,
}

impl Flags {
    /// Adds each flag that was given to `sources`, as a text that is called like the flag.
    pub(super) fn add(overrides: &Overrides, sources: &mut Sources) -> Self {
        let mut add = |name: &str, value: &String| {
            let id: SourceId = sources.add(name, value.as_str());
            Span::new(id, 0..value.len())
        };
        Self {
            listen: overrides.listen.as_ref().map(|v| add("--listen", v)),
            upstream: overrides.upstream.iter().map(|v| add("--upstream", v)).collect(),
            policies: overrides.policies.as_ref().map(|v| add("--policies", v)),
            jwks: overrides.jwks.as_ref().map(|v| add("--jwks", v)),
            issuer: overrides.issuer.as_ref().map(|v| add("--issuer", v)),
            audience: overrides.audience.as_ref().map(|v| add("--audience", v)),
            log: overrides.log.as_ref().map(|v| add("--log", v)),
            no_watch: overrides.no_watch,
        }
    }

    /// Writes them over `raw`.
    pub(super) fn apply<'d>(&self, raw: &mut Raw<'d>, sources: &'d Sources, problems: &Problems) {
        let text = |span: Span| Spanned::new(sources.slice(span), span);
        let over = |key: &mut Option<Text<'d>>, flag: Option<Span>| {
            if let Some(span) = flag {
                *key = Some(text(span));
            }
        };
        over(&mut raw.address, self.listen);
        over(&mut raw.policies, self.policies);
        over(&mut raw.access, self.log);
        raw.reload.watch &= !self.no_watch;

        if let Some(first) = self.upstream.first() {
            if raw.routes.is_empty() {
                raw.routes.push(RawRoute::of_flag(*first));
            }
            match raw.routes.as_mut_slice() {
                [only] => only.upstream = Some(self.upstream.iter().map(|s| text(*s)).collect()),
                several => {
                    let places = several.iter().map(|route| route.place);
                    problems.push(ambiguous("--upstream", *first, "[[route]]", places));
                }
            }
        }

        let of_issuer =
            [("--issuer", self.issuer), ("--audience", self.audience), ("--jwks", self.jwks)];
        let given = of_issuer.iter().find_map(|(name, span)| Some((*name, (*span)?)));
        if let Some((name, first)) = given {
            if raw.issuers.is_empty() {
                raw.issuers.push(RawIssuer::of_flag(first));
            }
            match raw.issuers.as_mut_slice() {
                [only] => {
                    over(&mut only.issuer, self.issuer);
                    over(&mut only.jwks, self.jwks);
                    if let Some(span) = self.audience {
                        only.audience = Some(vec![text(span)]);
                    }
                }
                several => {
                    let places = several.iter().map(|issuer| issuer.place);
                    problems.push(ambiguous(name, first, "[[auth.jwt]]", places));
                }
            }
        }
    }
}

fn ambiguous(
    flag: &str,
    span: Span,
    table: &str,
    places: impl Iterator<Item = Place>,
) -> Diagnostic {
    let message = format!("`{flag}` does not say which `{table}` it means");
    let mut finding = Diagnostic::error(codes::AMBIGUOUS_FLAG, message)
        .primary(span, "replaces a key of the only one")
        .help("leave the flag out, and change the file");
    for place in places {
        let (Place::Table(span) | Place::Flag(span)) = place;
        finding = finding.secondary(span, "");
    }
    finding
}

impl RawRoute<'_> {
    fn of_flag(flag: Span) -> Self {
        Self {
            place: Place::Flag(flag),
            name: None,
            path: None,
            upstream: None,
            credentials: None,
            refusal: None,
            revisions: None,
            sessions: None,
            handles: None,
            elicitation_hosts: Vec::new(),
            hidden_characters: None,
        }
    }
}

impl RawIssuer<'_> {
    fn of_flag(flag: Span) -> Self {
        Self {
            place: Place::Flag(flag),
            issuer: None,
            audience: None,
            jwks: None,
            allow_private: None,
            algorithms: None,
            typ: None,
            leeway: None,
        }
    }
}
