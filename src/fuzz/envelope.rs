//! Properties of the request inspector: chunk boundaries have no meaning, a reader of the parsed body comes to the same
//! verdict, and of a refused body no complete message leaves.

#![expect(clippy::panic, reason = "a property panics where it does not hold")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::diagnostic::Sources;
use crate::inspect::annotation::Annotated;
use crate::inspect::request::{Exchange, RequestInspector, RequestLimits, Violation};
use crate::policy::{
    Arg, Args, Call, Captures, CompileOptions, Context, Number, Object, Permitted, Policy,
    Principal, SlotSet, Value,
};
use crate::wire::json::{Ignore, Limits, Tokenizer};
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::fold::folds_to;
use crate::wire::mcp::revision::BodyVersion;
use crate::wire::mcp::uri::{self, Form};
use crate::wire::mcp::{
    Body, Method, Mirror, ObjectKind, Place, RevisionSet, Target, folds_to_protocol_key, judge,
};

/// A policy that reads arguments of every shape: a string, one inside an object, a list.
const POLICY: &str = r#"
[[allow]]
name = "search"
tools = ["search"]

[[deny]]
name = "shell"
tools = ["shell"]

[[allow]]
name = "write"
tools = ["write_file"]
when = 'args.path.startsWith("/sandbox/")'

[[deny]]
name = "force"
tools = ["write_file"]
when = 'has(args.options) && args.options.force == true'

[[allow]]
name = "tag"
tools = ["tag"]
when = 'size(args.tags) > 0 && args.tags.all(t, t != "secret")'

[[allow]]
name = "docs"
resources = ["doc://public/**"]

[[allow]]
name = "greet"
prompts = ["greet"]
when = '!mcp.is_retry'

[[allow]]
name = "ours"
methods = ["x/ours"]
"#;

/// The policy of the properties.
pub static POLICIES: LazyLock<Arc<Policy>> = LazyLock::new(|| compile(POLICY));

/// The policy that `text` says.
#[must_use]
pub fn compile(text: &str) -> Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    let compiled = Policy::compile(&sources, &CompileOptions::new(NOW));
    compiled.policy.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

/// The headers of an exchange, as the properties choose them.
pub const HEADERS: [&[(&str, &str)]; 8] = [
    &[],
    &[("mcp-protocol-version", "2025-06-18")],
    &[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "search")],
    &[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")],
    &[("mcp-protocol-version", "2026-07-28")],
    &[("mcp-protocol-version", "2099-01-01")],
    &[("mcp-method", "tools/call"), ("mcp-name", "shell")],
    &[("mcp-name", "=?base64?c2VhcmNo?=")],
];

/// The time of every decision: the policy has no rule that ends.
const NOW: u64 = 1_800_000_000;

/// An exchange with `headers` on a route that serves every revision, or `None` where the headers alone are refused.
#[must_use]
pub fn exchange(headers: &[(&str, &str)]) -> Option<Exchange> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    let mirror = Mirror::parse(&map).ok()?;
    Some(Exchange { mirror, session: None, announced: false, route: RevisionSet::ALL })
}

/// How a body ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it goes upstream.
    Passed,
    /// By policy, with [`crate::policy::Reason::slug`].
    Denied(&'static str),
    /// By the inspector.
    Refused(Violation),
}

impl Verdict {
    /// Why not; `None` where it passed.
    #[must_use]
    pub fn slug(&self) -> Option<&'static str> {
        match self {
            Self::Passed => None,
            Self::Denied(slug) => Some(slug),
            Self::Refused(violation) => Some(violation.slug()),
        }
    }
}

/// What became of a body.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// The call that policy was asked about.
    pub call: Option<Call>,
    /// The calls of a batch that it was asked about.
    pub batch: Vec<Call>,
    /// The id, after reading on for it.
    pub id: Option<Id>,
    /// The requests of a batch, each with its place, after reading on for them.
    pub requests: Vec<(usize, Id)>,
    /// The element of a batch that breaks a rule.
    pub blamed: Option<usize>,
    /// What left for the upstream.
    pub left: Vec<u8>,
    /// The most bytes that waited.
    pub max_held: usize,
    /// Bytes fed when the first byte left.
    pub released_at: Option<usize>,
}

/// What policy says of `call`.
///
/// # Errors
/// Why not.
pub fn decide(policy: &Policy, call: &Call) -> Result<Permitted, &'static str> {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context { route: "r", host: "localhost", sni: None, ip };
    policy
        .decide(&Principal::anonymous(), &context, call, NOW)
        .map_err(|refusal| refusal.reason().slug())
}

/// Feeds a body as a gateway does: asks policy as soon as there is a call, and reads on for the id after a refusal.
pub fn run<'a>(
    policy: &Arc<Policy>,
    exchange: &Exchange,
    limits: RequestLimits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    run_annotated(policy, exchange, limits, None, chunks)
}

/// As [`run`], where the lists that passed have told the inspector of annotated tools.
pub fn run_annotated<'a>(
    policy: &Arc<Policy>,
    exchange: &Exchange,
    limits: RequestLimits,
    annotated: Option<&Arc<Annotated>>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut inspector = RequestInspector::new(Arc::clone(policy), exchange.clone(), limits, 0x5EED);
    if let Some(annotated) = annotated {
        inspector = inspector.with_annotated(annotated);
    }
    let mut outcome = Outcome {
        verdict: Verdict::Passed,
        call: None,
        batch: Vec::new(),
        id: None,
        requests: Vec::new(),
        blamed: None,
        left: Vec::new(),
        max_held: 0,
        released_at: None,
    };
    let mut chunks = chunks.into_iter();
    let mut fed = 0;
    loop {
        let chunk = chunks.next();
        let step = match chunk {
            Some(chunk) => inspector.feed(Bytes::copy_from_slice(chunk)),
            None => inspector.finish(),
        };
        fed += chunk.map_or(0, <[u8]>::len);
        if let Err(violation) = step {
            outcome.verdict = Verdict::Refused(violation);
        } else if let Some(call) = inspector.take_call() {
            match decide(policy, &call) {
                Ok(permitted) => inspector.release(&permitted),
                Err(slug) => outcome.verdict = Verdict::Denied(slug),
            }
            assert!(outcome.call.is_none(), "a call is told once");
            outcome.call = Some(call);
        } else if let Some(calls) = inspector.take_batch() {
            let each: Result<Vec<_>, _> = calls.iter().map(|call| decide(policy, call)).collect();
            match each.map(|each| Permitted::of_all(&each)) {
                Ok(Some(permitted)) => inspector.release(&permitted),
                Ok(None) => panic!("a batch of nothing"),
                Err(slug) => outcome.verdict = Verdict::Denied(slug),
            }
            assert!(outcome.batch.is_empty(), "a batch is told once");
            outcome.batch = calls;
        }
        inspector.release_response();
        if outcome.verdict != Verdict::Passed {
            break;
        }
        outcome.max_held = outcome.max_held.max(inspector.held());
        while let Some(chunk) = inspector.next_chunk() {
            assert!(!chunk.is_empty(), "no empty chunks");
            outcome.released_at.get_or_insert(fed);
            outcome.left.extend_from_slice(&chunk);
        }
        if chunk.is_none() {
            break;
        }
    }
    if outcome.verdict != Verdict::Passed {
        let _ = inspector.drain(&[]);
        let _ = chunks.try_for_each(|chunk| inspector.drain(chunk));
        assert!(inspector.next_chunk().is_none(), "nothing leaves after a refusal");
    }
    outcome.id = inspector.id().cloned();
    if let Some(batch) = inspector.batch() {
        outcome.requests = batch.requests().map(|(index, id)| (index, id.clone())).collect();
        outcome.blamed = batch.refused();
    }
    outcome
}

/// Checks that `body` ends in `chunks` as it did in `whole`, and returns how.
pub fn same_in<'a>(
    policy: &Arc<Policy>,
    exchange: &Exchange,
    limits: RequestLimits,
    (body, whole): (&[u8], &Outcome),
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let cut = run(policy, exchange, limits, chunks);
    // A policy that refuses is asked before later bytes are seen, a violation among them comes first in a whole body.
    let is_overtaken =
        matches!((&cut.verdict, &whole.verdict), (Verdict::Denied(_), Verdict::Refused(_)));
    if !is_overtaken {
        assert_eq!(cut.verdict, whole.verdict);
        assert_eq!(cut.id, whole.id);
        assert_eq!(cut.requests, whole.requests);
        assert_eq!(cut.blamed, whole.blamed);
    }
    match cut.verdict {
        Verdict::Passed => assert!(cut.left == body, "every byte leaves"),
        _ => {
            assert!(body.starts_with(&cut.left), "what left is the beginning of what came");
            let complete = serde_json::from_slice::<Json>(&cut.left);
            assert!(complete.is_err(), "no complete message leaves of a refused body");
        }
    }
    cut
}

/// Target `envelope`: the first byte chooses headers, the second limits and chunks, the rest is the body.
pub fn envelope(data: &[u8]) {
    let [choice, size, body @ ..] = data else { return };
    let Some(headers) = HEADERS.get(usize::from(*choice) % HEADERS.len()) else { return };
    let Some(exchange) = exchange(headers) else { panic!("the headers are good") };
    let limits = if size & 1 == 0 {
        RequestLimits::default()
    } else {
        RequestLimits {
            body: 300,
            hold: 120,
            capture: 100,
            elements: 3,
            target: 20,
            trailing: 2,
            ..RequestLimits::default()
        }
    };
    let policy = &*POLICIES;
    let whole = run(policy, &exchange, limits, [body]);
    let steps = [1, 2, usize::from(size >> 1) + 3, body.len().max(1)];
    for step in steps {
        same_in(policy, &exchange, limits, (body, &whole), body.chunks(step));
    }
    if limits == RequestLimits::default() {
        agrees_with_the_reader(policy, &exchange, body, &whole);
    }
}

/// Compares a verdict with the one of a reader who sees the whole body parsed.
pub fn agrees_with_the_reader(
    policy: &Policy,
    exchange: &Exchange,
    body: &[u8],
    outcome: &Outcome,
) {
    let mut strict = Tokenizer::new(Limits::default(), 1);
    if strict.feed(body, &mut Ignore).and_then(|()| strict.finish(&mut Ignore)).is_err() {
        // Where a body says two things, the reader sees only one of them.
        return assert_ne!(
            outcome.verdict,
            Verdict::Passed,
            "what is not strict JSON does not pass"
        );
    }
    let read = read(policy, exchange, body);
    match (&outcome.verdict, read) {
        // Numbers like 1e999 are beyond the reader.
        (_, None) => {}
        (Verdict::Passed, Some(read)) => {
            assert_eq!(read.broken, [""; 0], "the reader finds nothing wrong");
            let ours: Vec<&Call> = outcome.call.iter().chain(&outcome.batch).collect();
            let facts_of =
                |calls: &[&Call]| calls.iter().map(|call| facts(call)).collect::<Vec<_>>();
            let theirs: Vec<&Call> = read.calls.iter().collect();
            assert_eq!(facts_of(&ours), facts_of(&theirs), "both see the same calls");
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                assert!(decide(policy, theirs).is_ok(), "the reader's call is permitted");
                let slots = policy.needs(&ours.method, ours.object.as_ref()).slots;
                for slot in slots.iter() {
                    assert_eq!(ours.args.slot(slot), theirs.args.slot(slot), "slot {slot}");
                }
            }
        }
        (Verdict::Denied(slug), Some(read)) => {
            let theirs = read.calls.iter().find_map(|call| decide(policy, call).err());
            assert!(theirs == Some(*slug) || !read.broken.is_empty(), "{slug}: {theirs:?}");
        }
        // The reader knows no limits.
        (
            Verdict::Refused(
                Violation::Syntax(_)
                | Violation::BodyTooLarge
                | Violation::HoldExceeded
                | Violation::ArgumentsTooLarge
                | Violation::TrailingSpace,
            ),
            Some(_),
        ) => {}
        (Verdict::Refused(violation), Some(read)) => {
            let slug = violation.slug();
            assert!(read.broken.contains(&slug), "{slug}: {:?}", read.broken);
        }
    }
}

/// What two readers of one call must agree on, arguments aside.
pub(super) fn facts(call: &Call) -> impl PartialEq + std::fmt::Debug + use<> {
    let object = call.object.as_ref().map(|object| (object.kind, object.name.to_string()));
    let subscriptions = call.subscriptions.as_ref().map(|all| all.to_vec());
    (call.method.to_string(), object, call.revision, call.is_request, call.is_retry, subscriptions)
}

/// What a reader of a whole body finds.
#[derive(Debug, Default)]
pub struct Read {
    /// Slugs of the rules that it breaks.
    pub broken: Vec<&'static str>,
    /// What is asked for, where it breaks no rule: by one call, or by those of a batch.
    pub calls: Vec<Call>,
}

/// Reads a whole body with `serde_json`, which knows neither duplicate keys nor our limits.
#[must_use]
pub fn read(policy: &Policy, exchange: &Exchange, body: &[u8]) -> Option<Read> {
    let root: Json = serde_json::from_slice(body).ok()?;
    let mut read = Read::default();
    let raw: BTreeMap<String, Box<RawValue>> = match root {
        Json::Object(_) => serde_json::from_slice(body).ok()?,
        Json::Array(_) => return super::batch::read(policy, exchange, body),
        _ => {
            read.broken.push("not_an_object");
            return Some(read);
        }
    };
    let id = raw.get("id").map(|raw| raw.get());
    Reader { policy, exchange, root: &root, id, read: &mut read }.run();
    if !read.broken.is_empty() {
        read.calls.clear();
    }
    Some(read)
}

struct Reader<'a> {
    policy: &'a Policy,
    exchange: &'a Exchange,
    root: &'a Json,
    id: Option<&'a str>,
    read: &'a mut Read,
}

impl Reader<'_> {
    fn broken(&mut self, slug: &'static str, is_broken: bool) {
        if is_broken {
            self.read.broken.push(slug);
        }
    }

    fn uri(&mut self, text: &str, form: Form) {
        if let Err(fault) = uri::check(text, form) {
            self.broken(fault.slug(), true);
        }
    }

    fn run(mut self) {
        let root = self.root;
        let params = root.get("params");
        let places = [
            (Place::Root, Some(root)),
            (Place::Params, params),
            (Place::Meta, params.and_then(|params| params.get("_meta"))),
            (Place::Ref, params.and_then(|params| params.get("ref"))),
            (Place::Filter, params.and_then(|params| params.get("notifications"))),
        ];
        for (place, object) in places {
            let members = object.and_then(Json::as_object);
            let folds = members
                .into_iter()
                .flatten()
                .any(|(key, _)| key == "__proto__" || folds_to_protocol_key(place, key));
            self.broken("folded_key", folds);
        }
        self.broken("jsonrpc_version", root.get("jsonrpc") != Some(&"2.0".into()));
        self.broken("bad_id", self.id.is_some_and(|raw| Id::from_raw(raw).is_none()));
        let outcomes =
            ["result", "error"].into_iter().filter(|key| root.get(key).is_some()).count();
        self.broken("params_not_object", params.is_some_and(|params| !params.is_object()));
        let method = root.get("method");
        if outcomes > 0 {
            let is_both = outcomes == 2 || method.is_some() || params.is_some();
            self.broken("request_and_response", is_both);
            self.broken("id_missing", self.id.is_none());
            let Exchange { mirror, session, announced, route } = self.exchange;
            match judge(mirror, &Body::default(), *session, *announced, *route) {
                Ok(revision) => {
                    self.broken("response_unsupported", !revision.has_server_requests());
                }
                Err(error) => self.broken(error.slug(), true),
            }
        }
        match method.map(Json::as_str) {
            None => self.broken("method_missing", outcomes == 0),
            Some(None) => self.broken("method_not_string", true),
            Some(Some(method)) => self.request(method, params.unwrap_or(&Json::Null)),
        }
    }

    fn request(&mut self, name: &str, params: &Json) {
        let method = Method::from_wire(name);
        self.broken("method_too_long", name.len() > RequestLimits::default().method);
        let is_request = match method {
            Method::Other => !name.starts_with("notifications/"),
            _ => !method.info().is_notification,
        };
        self.broken("id_missing", is_request && self.id.is_none());
        self.broken("notification_with_id", !is_request && self.id.is_some());
        let meta = params.get("_meta");
        self.broken(
            "meta_not_object",
            meta.is_some_and(|meta| !meta.is_object() && !meta.is_null()),
        );
        let arguments = params.get("arguments");
        self.broken("arguments_not_object", arguments.is_some_and(|all| !all.is_object()));
        let text = |value: Option<&'_ Json>| value.and_then(Json::as_str).map(str::to_owned);
        let (prompt, resource) = (ObjectKind::Prompt, ObjectKind::Resource);
        let reference = |key: &str| params.get("ref").and_then(|reference| reference.get(key));
        let target = match method.info().target {
            Target::Name(kind) => Some((kind, params.get("name"))),
            Target::Uri => Some((resource, params.get("uri"))),
            Target::Ref => match text(reference("type")).as_deref() {
                Some("ref/prompt") => Some((prompt, reference("name"))),
                Some("ref/resource") => Some((resource, reference("uri"))),
                _ => Some((prompt, None)),
            },
            Target::Task => {
                let is_text = params.get("taskId").is_none_or(Json::is_string);
                self.broken("target_not_string", !is_text);
                None
            }
            Target::None | Target::Filter => None,
        };
        let object = target.and_then(|(kind, value)| {
            self.broken("target_missing", value.is_none());
            self.broken("method_removed", value.is_none());
            self.broken("target_not_string", value.is_some_and(|value| !value.is_string()));
            let name = text(value)?;
            self.broken("target_too_long", name.len() > RequestLimits::default().target);
            if kind == resource {
                let is_ref = method.info().target == Target::Ref;
                self.uri(&name, if is_ref { Form::Template } else { Form::Uri });
            }
            Some(Object { kind, name: name.into() })
        });
        if method.info().target == Target::Filter {
            let filter = params.get("notifications");
            let uris = filter.and_then(|filter| filter.get("resourceSubscriptions"));
            let texts =
                uris.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
            for uri in texts.filter(|uri| uri.len() <= RequestLimits::default().target) {
                self.uri(uri, Form::Uri);
            }
        }
        let key = |name| meta.and_then(|meta| meta.get(format!("io.modelcontextprotocol/{name}")));
        let version = key("protocolVersion");
        let body = Body {
            method: name,
            is_request,
            name: params.get("name").and_then(Json::as_str),
            uri: params.get("uri").and_then(Json::as_str),
            task_id: params.get("taskId").and_then(Json::as_str),
            requested: params.get("protocolVersion").and_then(Json::as_str),
            version: match version {
                None => BodyVersion::Absent,
                Some(version) => version.as_str().map_or(BodyVersion::Malformed, BodyVersion::Text),
            },
            has_capabilities: key("clientCapabilities").is_some_and(Json::is_object),
        };
        let slots = self.policy.needs(name, object.as_ref()).slots;
        let plan = self.policy.captures();
        if let Some(arguments) = arguments {
            self.broken("folded_key", is_ambiguous(plan, arguments, slots));
        }
        let Exchange { mirror, session, announced, route } = self.exchange;
        // What is wrong with a request may show in another order than the reader looks for it.
        let heard = mirror.protocol_version().map(str::parse);
        let is_modern =
            matches!(heard, Some(Ok(revision)) if crate::wire::mcp::Revision::is_modern(revision));
        if let Err(error) = crate::wire::mcp::agree::check(mirror, &body, is_modern) {
            self.broken(error.slug(), true);
        }
        let revision = match judge(mirror, &body, *session, *announced, *route) {
            Ok(revision) => revision,
            Err(error) => return self.broken(error.slug(), true),
        };
        self.read.calls.push(Call {
            method: name.into(),
            object,
            revision,
            is_request,
            is_retry: ["inputResponses", "requestState"]
                .iter()
                .any(|key| params.get(key).is_some()),
            args: capture(plan, arguments),
            subscriptions: (method == Method::SubscriptionsListen)
                .then(|| subscriptions(params.get("notifications")))
                .flatten(),
        });
    }
}

/// Every URI that a listen request names; `None` where one is no short string, or they are many.
fn subscriptions(filter: Option<&Json>) -> Option<Box<[Box<str>]>> {
    let limits = RequestLimits::default();
    let Some(uris) = filter.and_then(|filter| filter.get("resourceSubscriptions")) else {
        return Some(Box::default());
    };
    let uris = uris.as_array().filter(|uris| uris.len() <= limits.elements)?;
    let short = |uri: &Json| Some(uri.as_str().filter(|uri| uri.len() <= limits.target)?.into());
    uris.iter().map(short).collect()
}

/// Whether some name in `arguments` folds to the path of one of `slots`.
fn is_ambiguous(plan: &Captures, arguments: &Json, slots: SlotSet) -> bool {
    let mut open = vec![(0, arguments)];
    while let Some((node, value)) = open.pop() {
        for (name, member) in value.as_object().into_iter().flatten() {
            for (key, child) in plan.children(node) {
                let is_alike = name == "__proto__" || folds_to(name, key);
                if is_alike && plan.within(child).intersects(slots) {
                    return true;
                }
                if name == key {
                    open.push((child, member));
                }
            }
        }
    }
    false
}

fn capture(plan: &Captures, arguments: Option<&Json>) -> Args {
    let mut args = Args::new(plan);
    let mut open: Vec<(u16, &Json)> = arguments.map(|all| (0, all)).into_iter().collect();
    while let Some((node, value)) = open.pop() {
        if let Some(slot) = plan.slot(node) {
            args.set(slot, convert(value).map_or(Arg::TooLarge, Arg::Value));
        }
        for (name, child) in plan.children(node) {
            open.extend(value.get(name).map(|member| (child, member)));
        }
    }
    args
}

/// `None` where a list has more elements than are kept.
fn convert(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(Number::from_token(&number.to_string())?),
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(values) if values.len() > RequestLimits::default().elements => return None,
        Json::Array(values) => Value::List(values.iter().map(convert).collect::<Option<_>>()?),
        Json::Object(members) => {
            let member =
                |(name, value): (&String, &Json)| Some((name.as_str().into(), convert(value)?));
            let mut members = members.iter().map(member).collect::<Option<Vec<_>>>()?;
            members.sort_by(|(a, _), (b, _): &(Box<str>, Value)| a.cmp(b));
            Value::Map(members)
        }
    })
}
