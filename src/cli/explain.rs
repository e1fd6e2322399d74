//! `mcpfw explain`: why one call is allowed or refused.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use crate::lock::List;
use crate::policy::{Args, Call, Context, Object, Policy, Principal, Value};
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

    /// Claims of the caller's token, as JSON or @FILE; without it the caller is anonymous
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,

    /// Arguments of the call, as JSON or @FILE
    #[arg(long, value_name = "JSON", requires = "object")]
    args: Option<String>,

    /// The caller's address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    ip: IpAddr,

    /// Name of the route
    #[arg(long, value_name = "NAME", default_value = "default")]
    route: String,

    /// The host that was asked for
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    host: String,

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
#[group(id = "object", required = true, multiple = true)]
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

    /// Use this method, such as `tools/list`
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
}

impl Asked {
    fn method_and_object(self) -> (Box<str>, Option<Object>) {
        let (usual, kind, name) = match (self.tool, self.prompt, self.resource) {
            (Some(name), ..) => (Method::ToolsCall, ObjectKind::Tool, name),
            (None, Some(name), _) => (Method::PromptsGet, ObjectKind::Prompt, name),
            (None, None, Some(uri)) => (Method::ResourcesRead, ObjectKind::Resource, uri),
            (None, None, None) => return (self.method.unwrap_or_default().into(), None),
        };
        let method = self.method.map_or_else(|| usual.info().name.into(), Box::from);
        (method, Some(Object { kind, name: name.into() }))
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
    let (method, object) = arguments.asked.method_and_object();
    let call = Call {
        method,
        object,
        revision: arguments.revision,
        is_request: true,
        is_retry: arguments.retry,
        args: Args::capture(policy.captures(), args.as_ref()),
        subscriptions: None,
    };
    let principal = claims.map_or_else(Principal::anonymous, Principal::supposed);
    let context =
        Context { route: &arguments.route, host: &arguments.host, sni: None, ip: arguments.ip };
    let explanation = policy.explain(&principal, &context, &call, policies::now());
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
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(object) if object.is_object() => Ok(Value::from(&object)),
        Ok(_) => Err(format!("error: `{flag}` takes a JSON object, such as '{{\"sub\":\"u1\"}}'")),
        Err(error) => Err(format!("error: `{flag}` is not JSON: {error}")),
    }
}
