//! Variables: their names, what they are, where they come from.

use super::super::{Arg, ClientKind};
use super::program::{Names, Program};
use super::reads::Reads;
use super::view::{List, View};
use super::{Scope, ToolHints};
use crate::wire::mcp::{ObjectKind, Revision};

/// A variable of the scope, or a path from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// `claims`, down the names.
    Claims(Names),
    Arg(u8),
    ClientKind,
    ClientId,
    ClientIp,
    ClientScopes,
    ClientIssuer,
    McpMethod,
    McpKind,
    McpTarget,
    McpRevision,
    McpIsRetry,
    RequestRoute,
    RequestHost,
    RequestSni,
    ToolReadOnly,
    ToolDestructive,
    ToolIdempotent,
    ToolOpenWorld,
}

/// The type of a variable with a fixed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    Bool,
    Text,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// The text of an address.
    Address,
    Texts,
}

/// A variable that is no object of free shape.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) variable: Variable,
    pub(super) fixed: Fixed,
}

const fn field(name: &'static str, variable: Variable, fixed: Fixed) -> Field {
    Field { name, variable, fixed }
}

/// The roots, in the order in which they are explained.
pub(super) const ROOTS: [&str; 6] = ["claims", "args", "client", "mcp", "request", "tool"];

const CLIENT_KINDS: &[&str] = &[
    ClientKind::Jwt.as_str(),
    ClientKind::ApiKey.as_str(),
    ClientKind::Mtls.as_str(),
    ClientKind::Anonymous.as_str(),
];
const OBJECT_KINDS: &[&str] =
    &[ObjectKind::Tool.as_str(), ObjectKind::Prompt.as_str(), ObjectKind::Resource.as_str()];
const REVISIONS: &[&str] = &[
    Revision::V2024_11_05.as_str(),
    Revision::V2025_03_26.as_str(),
    Revision::V2025_06_18.as_str(),
    Revision::V2025_11_25.as_str(),
    Revision::V2026_07_28.as_str(),
];

const CLIENT: &[Field] = &[
    field("kind", Variable::ClientKind, Fixed::Word(CLIENT_KINDS)),
    field("id", Variable::ClientId, Fixed::Text),
    field("ip", Variable::ClientIp, Fixed::Address),
    field("scopes", Variable::ClientScopes, Fixed::Texts),
    field("issuer", Variable::ClientIssuer, Fixed::Text),
];
const MCP: &[Field] = &[
    field("method", Variable::McpMethod, Fixed::Text),
    field("kind", Variable::McpKind, Fixed::Word(OBJECT_KINDS)),
    field("target", Variable::McpTarget, Fixed::Text),
    field("revision", Variable::McpRevision, Fixed::Word(REVISIONS)),
    field("is_retry", Variable::McpIsRetry, Fixed::Bool),
];
const REQUEST: &[Field] = &[
    field("route", Variable::RequestRoute, Fixed::Text),
    field("host", Variable::RequestHost, Fixed::Text),
    field("sni", Variable::RequestSni, Fixed::Text),
];
const TOOL: &[Field] = &[
    field("read_only", Variable::ToolReadOnly, Fixed::Bool),
    field("destructive", Variable::ToolDestructive, Fixed::Bool),
    field("idempotent", Variable::ToolIdempotent, Fixed::Bool),
    field("open_world", Variable::ToolOpenWorld, Fixed::Bool),
];

/// The fields of root `root`, where it has fixed ones.
pub(super) fn fields(root: &str) -> Option<&'static [Field]> {
    match root {
        "client" => Some(CLIENT),
        "mcp" => Some(MCP),
        "request" => Some(REQUEST),
        "tool" => Some(TOOL),
        _ => None,
    }
}

impl Variable {
    /// Which source it is of.
    pub(super) fn reads(self) -> Reads {
        match self {
            Self::Claims(_)
            | Self::ClientKind
            | Self::ClientId
            | Self::ClientScopes
            | Self::ClientIssuer => Reads::PRINCIPAL,
            Self::Arg(_) => Reads::ARGS,
            Self::McpMethod | Self::McpKind | Self::McpTarget | Self::McpRevision => Reads::CALL,
            Self::McpIsRetry => Reads::IS_RETRY,
            Self::ClientIp | Self::RequestRoute | Self::RequestHost | Self::RequestSni => {
                Reads::CONTEXT
            }
            Self::ToolReadOnly
            | Self::ToolDestructive
            | Self::ToolIdempotent
            | Self::ToolOpenWorld => Reads::TOOL,
        }
    }

    /// Its value; that of `client.ip`, which is not kept as text, is made by [`super::eval::Machine`].
    pub(super) fn value<'a>(self, program: &Program, scope: &Scope<'a>) -> View<'a> {
        let Scope { principal, context, call, tool } = *scope;
        match self {
            Self::Claims(names) => View::of(principal.claims()).descend(program.names(names)),
            Self::Arg(slot) => match call.args.slot(slot) {
                Arg::Absent => View::Absent,
                Arg::TooLarge => View::TooLarge,
                Arg::Value(value) => View::of(value),
            },
            Self::ClientKind => View::whole(principal.kind().as_str()),
            Self::ClientId => View::whole_or_absent(principal.id()),
            Self::ClientIp => View::Unfit,
            Self::ClientScopes => View::List(List::Names(principal.scopes())),
            Self::ClientIssuer => View::whole_or_absent(principal.issuer()),
            Self::McpMethod => View::whole(&call.method),
            Self::McpKind => {
                View::whole_or_absent(call.object.as_ref().map(|object| object.kind.as_str()))
            }
            Self::McpTarget => {
                View::whole_or_absent(call.object.as_ref().map(|object| &*object.name))
            }
            Self::McpRevision => View::whole(call.revision.as_str()),
            Self::McpIsRetry => View::Bool(call.is_retry),
            Self::RequestRoute => View::whole(context.route),
            Self::RequestHost => View::whole(context.host),
            Self::RequestSni => View::whole_or_absent(context.sni),
            Self::ToolReadOnly => hint(tool, |tool| tool.read_only),
            Self::ToolDestructive => hint(tool, |tool| tool.destructive),
            Self::ToolIdempotent => hint(tool, |tool| tool.idempotent),
            Self::ToolOpenWorld => hint(tool, |tool| tool.open_world),
        }
    }
}

fn hint<'a>(tool: Option<&ToolHints>, of: fn(&ToolHints) -> Option<bool>) -> View<'a> {
    tool.and_then(of).map_or(View::Absent, View::Bool)
}
