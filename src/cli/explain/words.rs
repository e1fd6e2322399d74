//! A call made of flags.

use crate::policy::{Args, Call, Object, Policy};
use crate::wire::mcp::{Method, ObjectKind, Revision};

use super::json;

/// What is asked for: one thing, a method that acts on none, or another method than the usual one on a thing.
#[derive(Debug, clap::Args)]
#[group(id = "asked", required = true, multiple = true)]
pub(super) struct Words {
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

    /// A file with a JSON-RPC message, `-` for standard input: what is in it is asked, of a batch each
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["method", "tool", "prompt", "resource", "server_request", "args", "retry", "oversized"],
    )]
    pub(super) request: Option<String>,
}

/// What is added to those words.
#[derive(Debug, clap::Args)]
pub(super) struct Details {
    /// The method acts on a list of resources, and the list is empty
    #[arg(long, requires = "method")]
    no_subscriptions: bool,

    /// Arguments of the call, as JSON or @FILE
    #[arg(long, value_name = "JSON")]
    args: Option<String>,

    /// Path of an argument that is larger than what is kept of it, as a JSON list of names; once for each
    #[arg(long, value_name = "PATH")]
    oversized: Vec<String>,

    /// The call is a leg of a multi-round-trip request
    #[arg(long)]
    retry: bool,
}

impl Words {
    /// Whether the server asks.
    pub(super) fn is_server(&self) -> bool {
        self.server_request.is_some()
    }

    /// The call that they and `details` make, as `policy` sees it.
    ///
    /// # Errors
    /// Says which flag is not what it should be.
    pub(super) fn call(
        &self,
        details: &Details,
        revision: Revision,
        policy: &Policy,
    ) -> Result<Call, String> {
        let args = details.args.as_deref().map(|text| json::value("--args", text)).transpose()?;
        let mut args = Args::capture(policy.captures(), args.as_ref());
        for path in &details.oversized {
            args.enlarge(policy.captures(), &json::names(path)?);
        }
        let (method, object) = self.method_and_object();
        Ok(Call {
            method,
            object,
            revision,
            is_request: true,
            is_retry: details.retry,
            args,
            subscriptions: details.no_subscriptions.then(Default::default),
        })
    }

    fn method_and_object(&self) -> (Box<str>, Option<Object>) {
        let object = |kind, name: &str| Some(Object { kind, name: name.into() });
        let Self { tool, prompt, resource, method, server_request, request: _ } = self;
        let (usual, object) = match (tool, prompt, resource) {
            (Some(name), ..) => (Method::ToolsCall, object(ObjectKind::Tool, name)),
            (_, Some(name), _) => (Method::PromptsGet, object(ObjectKind::Prompt, name)),
            (.., Some(uri)) => (Method::ResourcesRead, object(ObjectKind::Resource, uri)),
            _ => {
                let named = method.as_ref().or(server_request.as_ref());
                return (named.map_or("", String::as_str).into(), None);
            }
        };
        (method.as_deref().unwrap_or(usual.info().name).into(), object)
    }
}
