//! What was written, with its places: every key read once, nothing concluded yet.

use crate::diagnostic::document::{Document, Shape, Table, Value};
use crate::diagnostic::{Diagnostic, Problems, Span, Spanned};

use super::{Limits, Reload, codes};

/// Text and where it stands.
pub(super) type Text<'d> = Spanned<&'d str>;

/// A config file as it was written, flags included once [`super::flags`] has been over it.
#[derive(Debug, Default)]
pub(super) struct Raw<'d> {
    pub(super) policies: Option<Text<'d>>,
    pub(super) address: Option<Text<'d>>,
    pub(super) trusted_proxies: Vec<Text<'d>>,
    /// `None` where nothing is said: not the same as an empty list.
    pub(super) hosts: Option<Vec<Text<'d>>>,
    pub(super) origins: Vec<Text<'d>>,
    pub(super) issuers: Vec<RawIssuer<'d>>,
    pub(super) required: Option<Spanned<bool>>,
    pub(super) identity_headers: Vec<RawHeader<'d>>,
    pub(super) routes: Vec<RawRoute<'d>>,
    /// Whether `route` is there at all, even if nothing could be read from it.
    pub(super) has_routes: bool,
    pub(super) limits: Limits,
    pub(super) session_key: Option<Text<'d>>,
    pub(super) access: Option<Text<'d>>,
    pub(super) audit: Option<Text<'d>>,
    pub(super) arguments: Option<Text<'d>>,
    pub(super) reload: Reload,
}

/// `[[auth.jwt]]`, or what flags say of an issuer.
#[derive(Debug)]
pub(super) struct RawIssuer<'d> {
    pub(super) place: Place,
    pub(super) issuer: Option<Text<'d>>,
    pub(super) audience: Option<Vec<Text<'d>>>,
    pub(super) jwks: Option<Text<'d>>,
    pub(super) allow_private: Option<bool>,
    pub(super) algorithms: Option<Vec<Text<'d>>>,
    pub(super) typ: Option<Text<'d>>,
    pub(super) leeway: Option<std::time::Duration>,
}

/// Where an issuer or a route comes from, for keys that it lacks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A table of the file, by its header.
    Table(Span),
    /// Flags alone; the first of them.
    Flag(Span),
}

/// An entry of `[identity_headers]`.
#[derive(Debug)]
pub(super) struct RawHeader<'d> {
    pub(super) claim: Vec<Text<'d>>,
    pub(super) header: Text<'d>,
}

/// `[[route]]`.
#[derive(Debug)]
pub(super) struct RawRoute<'d> {
    pub(super) place: Place,
    pub(super) name: Option<Text<'d>>,
    pub(super) path: Option<Text<'d>>,
    pub(super) upstream: Option<Vec<Text<'d>>>,
    pub(super) credentials: Option<RawCredentials<'d>>,
    pub(super) refusal: Option<Text<'d>>,
    pub(super) revisions: Option<Vec<Text<'d>>>,
    pub(super) sessions: Option<Text<'d>>,
    pub(super) handles: Option<Text<'d>>,
    pub(super) elicitation_hosts: Vec<Text<'d>>,
    pub(super) hidden_characters: Option<Text<'d>>,
}

/// `route.credentials`.
#[derive(Debug)]
pub(super) enum RawCredentials<'d> {
    /// `"strip"`, `"forward"`.
    Word(Text<'d>),
    /// `{ header, value }`.
    Header { header: Option<Text<'d>>, value: Option<Text<'d>> },
}

/// A key that a later version reads: refused, so that nobody believes it to be in force. The last word is what to do
/// until then.
fn not_yet(table: &mut Table<'_>, key: &'static str, instead: &str, problems: &Problems) {
    // Asked for only where it is there: it must not be offered as a key that could be written.
    let (true, Some(span)) = (table.has(key), table.key_span(key)) else { return };
    let shown = match table.value(key).and_then(Value::shape) {
        Some(Shape::Table(inner)) => inner.name().to_owned(),
        _ => format!("`{key}`"),
    };
    let finding = Diagnostic::error(codes::NOT_YET, format!("{shown} is not supported yet"))
        .primary(span, "this version would ignore it")
        .help(instead);
    problems.push(finding);
}

/// A list that says something only if something is in it.
fn some<'d>(
    table: &mut Table<'d>,
    key: &'static str,
    problems: &Problems,
) -> Option<Vec<Text<'d>>> {
    let value = table.value(key)?;
    let found = value.string_or_list();
    if matches!(value.shape(), Some(Shape::Array(elements)) if elements.is_empty()) {
        let finding = Diagnostic::error(codes::WRONG_TYPE, format!("`{key}` is empty"))
            .primary(value.span(), "expected at least one")
            .help("leave it out for its default, where it has one");
        problems.push(finding);
    }
    found
}

impl<'d> Raw<'d> {
    /// Reads all of `document`.
    pub(super) fn read(document: &'d Document<'d>, problems: &Problems) -> Self {
        let mut root = document.root("the config file");
        let mut raw = Self { policies: root.string("policies"), ..Self::default() };
        if let Some(table) = root.table("listen") {
            raw.listen(table, problems);
        }
        if let Some(table) = root.table("auth") {
            raw.auth(table, problems);
        }
        if let Some(table) = root.table("identity_headers") {
            raw.identity_headers = headers(table);
        }
        raw.has_routes = root.has("route");
        raw.routes = root.tables("route").into_iter().map(|table| route(table, problems)).collect();
        if let Some(table) = root.table("limits") {
            raw.limits = Limits::read(table);
        }
        if let Some(table) = root.table("reload") {
            raw.reload = Reload::read(table);
        }
        if let Some(mut table) = root.table("session") {
            raw.session_key = table.string("key");
            table.finish();
        }
        if let Some(mut table) = root.table("log") {
            raw.access = table.string("access");
            raw.audit = table.string("audit");
            raw.arguments = table.string("arguments");
            table.finish();
        }
        for (key, instead) in [
            ("tls", "leave it out, and let something that terminates TLS stand in front"),
            ("store", "leave it out; limits are counted in this process"),
            ("admin", "leave it out; `GET /healthz` and `GET /readyz` are on the listener"),
        ] {
            not_yet(&mut root, key, instead, problems);
        }
        root.finish();
        raw
    }

    fn listen(&mut self, mut table: Table<'d>, problems: &Problems) {
        self.address = table.string("address");
        self.trusted_proxies = table.strings("trusted_proxies").unwrap_or_default();
        self.hosts = some(&mut table, "hosts", problems);
        self.origins = table.strings("origins").unwrap_or_default();
        table.finish();
    }

    fn auth(&mut self, mut table: Table<'d>, problems: &Problems) {
        self.issuers =
            table.tables("jwt").into_iter().map(|table| issuer(table, problems)).collect();
        self.required = table.bool("required");
        not_yet(
            &mut table,
            "api_keys",
            "leave it out; callers prove who they are with a JWT",
            problems,
        );
        table.finish();
    }
}

fn issuer<'d>(mut table: Table<'d>, problems: &Problems) -> RawIssuer<'d> {
    let issuer = RawIssuer {
        place: Place::Table(table.span()),
        issuer: table.string("issuer"),
        audience: some(&mut table, "audience", problems),
        jwks: table.string("jwks"),
        allow_private: table.bool("allow_private").map(|allow| allow.value),
        algorithms: some(&mut table, "algorithms", problems),
        typ: table.string("typ"),
        // More than five minutes is not a clock that is a little off.
        leeway: table
            .duration("leeway", ..=std::time::Duration::from_secs(300))
            .map(|leeway| leeway.value),
    };
    table.finish();
    issuer
}

fn route<'d>(mut table: Table<'d>, problems: &Problems) -> RawRoute<'d> {
    let route = RawRoute {
        place: Place::Table(table.span()),
        name: table.string("name"),
        path: table.string("path"),
        upstream: some(&mut table, "upstream", problems),
        credentials: table.value("credentials").and_then(credentials),
        refusal: table.string("refusal"),
        revisions: some(&mut table, "revisions", problems),
        sessions: table.string("sessions"),
        handles: table.string("handles"),
        elicitation_hosts: table.strings("elicitation_hosts").unwrap_or_default(),
        hidden_characters: table.string("hidden_characters"),
    };
    for (key, instead) in [
        ("balance", "leave it out; name one address, of a balancer where there are replicas"),
        ("affinity", "leave it out; a session goes to the server that began it: see `sessions`"),
        ("health", "leave it out; the server is asked when a call is made"),
    ] {
        not_yet(&mut table, key, instead, problems);
    }
    table.finish();
    route
}

fn credentials(value: Value<'_>) -> Option<RawCredentials<'_>> {
    match value.shape()? {
        Shape::String(word) => Some(RawCredentials::Word(Spanned::new(word, value.span()))),
        Shape::Table(mut table) => {
            table.required("value");
            let header = table.string("header");
            let value = table.string("value");
            table.finish();
            Some(RawCredentials::Header { header, value })
        }
        _ => value.wrong("`\"strip\"`, `\"forward\"` or `{ header = …, value = … }`"),
    }
}

/// Dotted keys are tables in TOML, so that `realm_access.roles = "X-Roles"` names a claim within a claim, and a quoted
/// key is one name whatever it contains.
fn headers(table: Table<'_>) -> Vec<RawHeader<'_>> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), table)];
    while let Some((path, mut table)) = open.pop() {
        for (key, value) in table.entries() {
            let mut claim = path.clone();
            claim.push(key);
            match value.shape() {
                Some(Shape::Table(inner)) => open.push((claim, inner)),
                Some(Shape::String(header)) => {
                    found.push(RawHeader { claim, header: Spanned::new(header, value.span()) });
                }
                Some(_) => {
                    let _: Option<()> = value.wrong("the name of a header such as \"X-User-Id\"");
                }
                None => {}
            }
        }
        table.finish();
    }
    found.sort_by_key(|entry| entry.header.span);
    found
}
