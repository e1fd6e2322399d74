//! `[[route]]`: which path leads to which server.

use std::fmt;

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::diagnostic::{Diagnostic, Span};
use crate::policy::RefusalStyle;
use crate::wire::mcp::{ElicitationHosts, Revision, RevisionSet};

use super::raw::{Place, Raw, RawCredentials, RawRoute, Text};
use super::resolve::Scope;
use super::target::{self, Fault};
use super::{codes, headers, secret};

/// A path and the server behind it.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in logs and in policies (`routes`, `request.route`): letters, digits, `_`, `-`, `.`; at most 64 bytes.
    pub name: Box<str>,
    /// The path of requests, matched as a whole, byte for byte.
    pub path: Box<str>,
    /// Addresses of the server in the order in which they are tried, at least one: `http`, no credentials, no query, no
    /// fragment.
    pub upstream: Vec<Url>,
    /// What becomes of `Authorization`. Default: stripped (T37).
    pub credentials: Credentials,
    /// How a refusal by policy looks where its rule does not say.
    pub refusal: RefusalStyle,
    /// Revisions spoken here; never empty. Default all.
    pub revisions: RevisionSet,
    /// What clients see of the server's session ids. Default: sealed.
    pub sessions: Sealing,
    /// What clients see of its task ids and `requestState`s. Default: sealed.
    pub handles: Sealing,
    /// Where the server may send users by URL-mode elicitation. Default nowhere (T16).
    pub elicitation_hosts: ElicitationHosts,
    /// What becomes of elements of lists with characters that only models see. Default: told (T51).
    pub hidden_characters: HiddenCharacters,
}

/// What becomes of an element of a list that has characters which a model reads and its user does not see (T51).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HiddenCharacters {
    /// It passes, and the access log says so. The default, because texts in some scripts have such characters for honest
    /// reasons, and a tool that is gone without a word costs an operator more than a line in the log.
    #[default]
    Flag,
    /// No list shows it.
    Hide,
    /// Nobody looks.
    Allow,
}

/// What clients see of what the server has them hand back: session ids (T43, T44), task ids and `requestState`s (T14, T15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sealing {
    /// A sealed one, which opens for its owner, for what it was made for, and for nobody else.
    #[default]
    Sealed,
    /// The server's own: whoever has it may use it as far as the server minds.
    Plain,
}

/// What the server learns of credentials (T37).
#[derive(Clone, Default)]
pub enum Credentials {
    /// `Authorization` of the client is removed: it was meant for us.
    #[default]
    Strip,
    /// `Authorization` of the client goes on. For servers that check it themselves.
    Forward,
    /// `Authorization` of the client is removed, and this header is set.
    Set {
        /// Which; `authorization` as a rule.
        header: HeaderName,
        /// Its value, marked as sensitive.
        value: HeaderValue,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strip => f.write_str("Strip"),
            Self::Forward => f.write_str("Forward"),
            Self::Set { header, .. } => {
                f.debug_struct("Set").field("header", header).finish_non_exhaustive()
            }
        }
    }
}

/// Resolves all routes, and what they must not have in common.
pub(super) fn resolve(raw: &Raw<'_>, scope: &Scope<'_>) -> Vec<Route> {
    if raw.routes.is_empty() && !raw.has_routes {
        let finding = Diagnostic::error(codes::NO_UPSTREAM, "no server to stand in front of").help(
            "give `--upstream http://…`, or write `[[route]]` with `upstream = \"http://…\"`",
        );
        scope.problems.push(finding);
    }
    let several = raw.routes.len() > 1;
    for route in raw.routes.iter().filter(|route| several && route.name.is_none()) {
        let _: Option<()> = scope.missing("name", route.place, "route");
    }
    let resolved: Vec<(&RawRoute<'_>, Route)> =
        raw.routes.iter().filter_map(|raw| Some((raw, Route::resolve(raw, scope)?))).collect();
    let names = resolved.iter().filter_map(|(raw, route)| Some((&*route.name, raw.name?.span)));
    unique(names, "name", scope);
    let paths = resolved.iter().map(|(raw, route)| {
        let (Place::Table(place) | Place::Flag(place)) = raw.place;
        (&*route.path, raw.path.map_or(place, |text| text.span))
    });
    unique(paths, "path", scope);
    resolved.into_iter().map(|(_, route)| route).collect()
}

fn unique<'a>(all: impl Iterator<Item = (&'a str, Span)>, what: &str, scope: &Scope<'_>) {
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for (word, span) in all {
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == word) {
            let message = format!("two routes have the {what} `{word}`");
            let finding = Diagnostic::error(codes::SAME_ROUTE, message)
                .primary(span, "again")
                .secondary(*first, "first");
            scope.problems.push(finding);
        }
        seen.push((word, span));
    }
}

impl Route {
    fn resolve(raw: &RawRoute<'_>, scope: &Scope<'_>) -> Option<Self> {
        let name = raw.name.map_or(Some("default".into()), |text| name(text, scope));
        let upstream = match &raw.upstream {
            Some(written) => upstreams(written, scope),
            None => scope.missing("upstream", raw.place, "route"),
        };
        let path = match raw.path {
            Some(text) => path(text, scope),
            None => upstream.as_deref().map(path_of),
        };
        let credentials = match &raw.credentials {
            Some(written) => credentials(written, scope),
            None => Some(Credentials::Strip),
        };
        let refusal = match raw.refusal {
            Some(text) => scope.choose(codes::WORD, text, "refusal style", &REFUSALS),
            None => Some(RefusalStyle::JsonRpc),
        };
        let revisions = match &raw.revisions {
            Some(written) => revisions(written, scope),
            None => Some(RevisionSet::ALL),
        };
        let hidden_characters = match raw.hidden_characters {
            Some(text) => {
                scope.choose(codes::WORD, text, "value of `hidden_characters`", &HIDDEN_CHARACTERS)
            }
            None => Some(HiddenCharacters::Flag),
        };
        let sessions = match raw.sessions {
            Some(text) => scope.choose(codes::WORD, text, "value of `sessions`", &SEALING),
            None => Some(Sealing::default()),
        };
        let handles = match raw.handles {
            Some(text) => scope.choose(codes::WORD, text, "value of `handles`", &SEALING),
            None => Some(Sealing::default()),
        };
        Some(Self {
            name: name?,
            path: path?,
            upstream: upstream?,
            credentials: credentials?,
            refusal: refusal?,
            revisions: revisions?,
            sessions: sessions?,
            handles: handles?,
            elicitation_hosts: elicitation_hosts(&raw.elicitation_hosts, scope),
            hidden_characters: hidden_characters?,
        })
    }
}

const REFUSALS: [(&str, RefusalStyle); 3] = [
    ("jsonrpc", RefusalStyle::JsonRpc),
    ("http", RefusalStyle::Http),
    ("tool_error", RefusalStyle::ToolError),
];

const HIDDEN_CHARACTERS: [(&str, HiddenCharacters); 3] = [
    ("flag", HiddenCharacters::Flag),
    ("hide", HiddenCharacters::Hide),
    ("allow", HiddenCharacters::Allow),
];
const SEALING: [(&str, Sealing); 2] = [("sealed", Sealing::Sealed), ("plain", Sealing::Plain)];

fn name(text: Text<'_>, scope: &Scope<'_>) -> Option<Box<str>> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    if (1..=64).contains(&text.value.len()) && text.value.bytes().all(is_plain) {
        return Some(text.value.into());
    }
    let expected = "1 to 64 letters, digits, `_`, `-` or `.`";
    scope.error(codes::ROUTE_NAME, text, "name for a route", expected, None::<&str>)
}

/// A path that every parser reads alike: RFC 3986 `pchar` without percent-encoding, no empty and no dot segments.
fn path(text: Text<'_>, scope: &Scope<'_>) -> Option<Box<str>> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b);
    let expected = "a path such as `/mcp`";
    let Some(below) = text.value.strip_prefix('/') else {
        let help = format!("write `/{}`", text.value);
        return scope.error(codes::ROUTE_PATH, text, "path", expected, Some(help));
    };
    let inner = below.strip_suffix('/').unwrap_or(below);
    let is_segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(is_plain);
    if !(below.is_empty() || inner.split('/').all(is_segment)) {
        let help = "without query, percent-encoding, `//`, `.` or `..`";
        return scope.error(codes::ROUTE_PATH, text, "path", expected, Some(help));
    }
    if matches!(text.value, "/healthz" | "/readyz") || below.starts_with(".well-known/") {
        let help = "mcpfw answers there itself";
        return scope.error(codes::ROUTE_PATH, text, "path for a route", expected, Some(help));
    }
    Some(text.value.into())
}

/// The path of the server, so that a sidecar is reached where the server was; `/mcp` for a server at the root.
fn path_of(upstream: &[Url]) -> Box<str> {
    let path = upstream.first().map_or("/", Url::path);
    if path == "/" { "/mcp".into() } else { path.into() }
}

fn upstreams(written: &[Text<'_>], scope: &Scope<'_>) -> Option<Vec<Url>> {
    let urls: Vec<Url> = written.iter().filter_map(|text| upstream(*text, scope)).collect();
    if let [first, second, ..] = written {
        let message = "only one of these addresses is used at a time";
        let finding = Diagnostic::warning(codes::ONE_UPSTREAM, message)
            .primary(second.span, "used while those before it cannot be reached")
            .secondary(first.span, "used")
            .help("to share the load, name the address of a balancer: this version has none");
        scope.problems.push(finding);
    }
    (urls.len() == written.len() && !urls.is_empty()).then_some(urls)
}

fn upstream(text: Text<'_>, scope: &Scope<'_>) -> Option<Url> {
    let wrong = |help: Option<String>| {
        let expected = "a URL such as `http://127.0.0.1:3000/mcp`";
        scope.error(codes::UPSTREAM, text, "address of a server", expected, help)
    };
    let url = match target::url(text.value) {
        Ok(url) => url,
        Err(Fault::Shape) if !text.value.contains("://") => {
            return wrong(Some(format!("did you mean `http://{}`?", text.value)));
        }
        Err(Fault::Credentials) => {
            let help = "leave it out of the URL, and set a header with `credentials`";
            return scope.password(codes::UPSTREAM, text, "address of a server", help);
        }
        Err(fault) => return wrong(fault.help().map(str::to_owned)),
    };
    match url.scheme() {
        "http" => Some(url),
        "https" => {
            let finding =
                Diagnostic::error(codes::NOT_YET, "`https` to a server is not supported yet")
                    .primary(text.span, "expected `http://`")
                    .help("use `http://` on loopback or in a network that is private");
            scope.problems.push(finding);
            None
        }
        _ => wrong(None),
    }
}

fn credentials(raw: &RawCredentials<'_>, scope: &Scope<'_>) -> Option<Credentials> {
    match raw {
        RawCredentials::Word(text) => match text.value {
            "strip" => Some(Credentials::Strip),
            "forward" => Some(Credentials::Forward),
            _ => {
                let words = [("strip", ()), ("forward", ())];
                scope.choose(codes::WORD, *text, "value of `credentials`", &words)?;
                None
            }
        },
        RawCredentials::Header { header, value } => {
            let header = match header {
                Some(text) => headers::name(*text, headers::Use::Credential, scope),
                None => Some(http::header::AUTHORIZATION),
            };
            let value = value.and_then(|text| secret::header_value(text, scope));
            Some(Credentials::Set { header: header?, value: value? })
        }
    }
}

fn elicitation_hosts(written: &[Text<'_>], scope: &Scope<'_>) -> ElicitationHosts {
    let mut hosts = ElicitationHosts::default();
    for text in written {
        if hosts.insert(text.value).is_err() {
            let host =
                Url::parse(text.value).ok().and_then(|url| url.host_str().map(str::to_owned));
            let help = host.map(|host| format!("write `{host}`, without scheme, port and path"));
            let expected = "a name such as `pay.example.com`, `*.example.com`, or `*`";
            let _: Option<()> = scope.error(codes::HOST, *text, "host", expected, help);
        }
    }
    hosts
}

fn revisions(written: &[Text<'_>], scope: &Scope<'_>) -> Option<RevisionSet> {
    let words = Revision::ALL.map(|revision| (revision.as_str(), revision));
    let mut set = RevisionSet::EMPTY;
    let mut is_right = true;
    for text in written {
        match scope.choose(codes::WORD, *text, "revision of MCP", &words) {
            Some(revision) => set = set.union(RevisionSet::only(revision)),
            None => is_right = false,
        }
    }
    (is_right && !set.is_empty()).then_some(set)
}
