//! `mcpfw explain`: why one call is allowed or refused.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use crate::lock::{self, Json, List};
use crate::policy::{Args, Call, ClientKind, Context, Number, Object, Policy, Principal, Value};
use crate::wire::mcp::{Method, ObjectKind, Revision};

use super::exit::Exit;
use super::findings::{self, Format};
use super::output::Output;
use super::policies;

/// Show why one call is allowed or refused: every rule that was looked at, and what it saw
///
/// Asks the same engine as `run`, with a caller and a call made of words.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw explain --tool delete_file --claims '{\"plan\":\"free\",\"sub\":\"u1\"}' --args '{\"path\":\"/x\"}'
  mcpfw explain --policies policies/ --method tools/list --claims @claims.json

Exit codes: 0 it was decided, whatever the verdict; 1 the policies have errors; 2 it could not run.")]
pub(super) struct Arguments {
    /// Directory of policy files
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,

    #[command(flatten)]
    asked: Asked,

    /// The method acts on a list of resources, and the list is empty
    #[arg(long, requires = "method")]
    no_subscriptions: bool,

    /// Claims of the caller's token, as JSON or @FILE; without it the caller is anonymous
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,

    /// Arguments of the call, as JSON or @FILE
    #[arg(long, value_name = "JSON")]
    args: Option<String>,

    /// How the caller proved who it is [default: jwt with claims, anonymous without]. With it, id, issuer and scopes are
    /// those of the flags alone
    #[arg(long, value_name = "KIND", value_enum)]
    client: Option<Kind>,

    /// The caller's id, where it is not the `sub` of the claims
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The token's issuer, where it is not the `iss` of the claims
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,

    /// A scope of the caller, where they are not the `scope` of the claims; once for each
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,

    /// Path of an argument that is larger than what is kept of it, as a JSON list of names; once for each
    #[arg(long, value_name = "PATH")]
    oversized: Vec<String>,

    /// The caller's address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    ip: IpAddr,

    /// Name of the route
    #[arg(long, value_name = "NAME", default_value = "default")]
    route: String,

    /// The host that was asked for
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    host: String,

    /// The TLS server name that was asked for
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,

    /// Decide as at this time, in seconds since 1970 [default: now]
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,

    /// Revision of the protocol
    #[arg(long, value_name = "DATE", default_value_t = Revision::V2025_11_25)]
    revision: Revision,

    /// The call is a leg of a multi-round-trip request
    #[arg(long)]
    retry: bool,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is asked for: one thing, a method that acts on none, or another method than the usual one on a thing.
#[derive(Debug, clap::Args)]
#[group(id = "asked", required = true, multiple = true)]
struct Asked {
    /// Call this tool
    #[arg(long, value_name = "NAME", conflicts_with_all = ["prompt", "resource"])]
    tool: Option<String>,

    /// Get this prompt
    #[arg(long, value_name = "NAME", conflicts_with = "resource")]
    prompt: Option<String>,

    /// Read this resource
    #[arg(long, value_name = "URI")]
    resource: Option<String>,

    /// Use this method, such as `tools/list`; with a tool, prompt or resource, on that
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// The server asks this of the client, such as `sampling/createMessage`; --args are its parameters
    #[arg(long, value_name = "NAME", conflicts_with_all = ["method", "tool", "prompt", "resource"])]
    server_request: Option<String>,
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    Jwt,
    ApiKey,
    Mtls,
    Anonymous,
}

impl Asked {
    fn method_and_object(self) -> (Box<str>, Option<Object>) {
        let object = |kind, name: String| Some(Object { kind, name: name.into() });
        let Self { tool, prompt, resource, method, server_request } = self;
        let (usual, object) = match (tool, prompt, resource) {
            (Some(name), ..) => (Method::ToolsCall, object(ObjectKind::Tool, name)),
            (_, Some(name), _) => (Method::PromptsGet, object(ObjectKind::Prompt, name)),
            (.., Some(uri)) => (Method::ResourcesRead, object(ObjectKind::Resource, uri)),
            _ => return (method.or(server_request).unwrap_or_default().into(), None),
        };
        (method.map_or_else(|| usual.info().name.into(), Into::into), object)
    }
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Exit {
    let json = |flag: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => value(flag, text).map(Some),
    };
    let (claims, args) =
        match (json("--claims", &arguments.claims), json("--args", &arguments.args)) {
            (Ok(claims), Ok(args)) => (claims, args),
            (claims, args) => {
                for problem in [claims.err(), args.err()].into_iter().flatten() {
                    output.err(problem);
                }
                return Exit::CouldNotRun;
            }
        };
    let set = policies::read(&arguments.policies, None);
    findings::complain(output, &set.sources, &set.findings);
    let Some(policy) = set.policy else {
        return if set.was_read { Exit::Findings } else { Exit::CouldNotRun };
    };
    let is_server = arguments.asked.server_request.is_some();
    let is_empty = arguments.no_subscriptions;
    let (method, object) = arguments.asked.method_and_object();
    let mut captured = Args::capture(policy.captures(), args.as_ref());
    for path in &arguments.oversized {
        match names(path) {
            Ok(names) => captured.enlarge(policy.captures(), &names),
            Err(problem) => {
                output.err(problem);
                return Exit::CouldNotRun;
            }
        }
    }
    let call = Call {
        method,
        object,
        revision: arguments.revision,
        is_request: true,
        is_retry: arguments.retry,
        args: captured,
        subscriptions: is_empty.then(Default::default),
    };
    let principal = claims.map_or_else(Principal::anonymous, Principal::supposed);
    let principal = principal.changed(
        arguments.client.map(|kind| match kind {
            Kind::Jwt => ClientKind::Jwt,
            Kind::ApiKey => ClientKind::ApiKey,
            Kind::Mtls => ClientKind::Mtls,
            Kind::Anonymous => ClientKind::Anonymous,
        }),
        arguments.client_id.as_deref(),
        arguments.issuer.as_deref(),
        &arguments.scope,
    );
    let sni = arguments.sni.as_deref();
    let context = Context { route: &arguments.route, host: &arguments.host, sni, ip: arguments.ip };
    let at = arguments.at.unwrap_or_else(policies::now);
    let explanation = if is_server {
        policy.explain_server_request(&principal, &context, &call, at)
    } else {
        policy.explain(&principal, &context, &call, at)
    };
    match arguments.format {
        Format::Json => output.out(explanation.to_json()),
        Format::Human | Format::Github | Format::Sarif => {
            output.out(explanation.to_string().trim_end());
            if let Some(object) = &call.object {
                tell_pins(&policy, &arguments.route, object, output);
            }
        }
    }
    Exit::Clean
}

/// Says what pins say of `object`: they hold in `run`, where it is known what the server shows.
fn tell_pins(policy: &Policy, route: &str, object: &Object, output: &Output) {
    let lists = List::ALL.into_iter().filter(|list| list.kind() == object.kind);
    for list in lists {
        let Some(pin) = policy.pin(route, list, &object.name, policies::now()) else { continue };
        let (name, on_change) = (pin.name, pin.on_change.as_str());
        match pin.digest {
            Some(digest) => output.out(format_args!(
                "pinned by `{name}`, on_change {on_change}: the server must show it with {digest}"
            )),
            None => output.out(format_args!(
                "pinned by `{name}`, on_change {on_change}: the lock file does not have it, which counts as changed"
            )),
        }
    }
}

/// The JSON object that `text` is, or that the file behind its `@` holds.
fn value(flag: &str, text: &str) -> Result<Value, String> {
    let read;
    let json = match text.strip_prefix('@') {
        None => text,
        Some(path) => {
            read = std::fs::read_to_string(Path::new(path))
                .map_err(|error| format!("error: cannot read `{path}` for `{flag}`: {error}"))?;
            &read
        }
    };
    // Read as bodies are: numbers exactly, and no name twice.
    match Json::parse(json.as_bytes(), 0) {
        Ok(Json { value: lock::Value::Object(members), .. }) => {
            Ok(Value::map(members.iter().map(|(name, value)| (name.clone(), read_value(value)))))
        }
        Ok(_) => Err(format!("error: `{flag}` takes a JSON object, such as '{{\"sub\":\"u1\"}}'")),
        Err(error) => Err(format!("error: `{flag}` is not JSON: {error}")),
    }
}

/// Depth is bounded by the tokenizer.
fn read_value(json: &Json) -> Value {
    match &json.value {
        lock::Value::Null => Value::Null,
        lock::Value::Bool(truth) => Value::Bool(*truth),
        lock::Value::Number(token) => Number::from_token(token).map_or(Value::Null, Value::Number),
        lock::Value::String(text) => Value::String(text.clone()),
        lock::Value::Array(items) => Value::List(items.iter().map(read_value).collect()),
        lock::Value::Object(members) => {
            Value::map(members.iter().map(|(name, value)| (name.clone(), read_value(value))))
        }
    }
}

/// The names of a path, from a JSON list.
fn names(text: &str) -> Result<Vec<Box<str>>, String> {
    let names = match Json::parse(text.as_bytes(), 0) {
        Ok(Json { value: lock::Value::Array(items), .. }) => {
            items.iter().map(|item| item.as_str().map(Box::from)).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    names.ok_or_else(|| {
        "error: `--oversized` takes a JSON list of names, such as '[\"path\"]'".into()
    })
}
