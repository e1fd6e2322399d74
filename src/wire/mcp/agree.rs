//! Whether the mirrored headers say what the body says.
//!
//! A modern request must mirror its method and, for some methods, its target. On legacy traffic nobody
//! asks for these headers, but a router in front may still have acted on them: where they contradict the body the
//! request is refused as well.

use super::headers::{Header, HeaderError, HeaderFault, Mirror};
use super::method::{Method, Mirrored, Target};
use super::revision::{self, BodyVersion, Inputs, Revision, RevisionError, RevisionSet};

/// The members of one JSON-RPC message that headers and revision depend on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Body<'a> {
    /// `method`
    pub method: &'a str,
    /// Whether there is an `id`.
    pub is_request: bool,
    /// `params.name`, where it is a string.
    pub name: Option<&'a str>,
    /// `params.uri`, where it is a string.
    pub uri: Option<&'a str>,
    /// `params.taskId`, where it is a string.
    pub task_id: Option<&'a str>,
    /// `params.protocolVersion`, where it is a string.
    pub requested: Option<&'a str>,
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]`
    pub version: BodyVersion<'a>,
    /// Whether `params._meta["io.modelcontextprotocol/clientCapabilities"]` is an object.
    pub has_capabilities: bool,
}

/// Why headers and body do not make one request. HTTP 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// No revision.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// `Mcp-Method` or `Mcp-Name` contradicts the body, or is missing from a modern request.
    #[error("{error}")]
    Header {
        /// Which one, and how.
        error: HeaderError,
        /// Whether the request is modern, which decides the code.
        modern: bool,
    },
}

impl EnvelopeError {
    /// The JSON-RPC code of the refusal.
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self {
            Self::Revision(error) => error.code(),
            Self::Header { error, modern } => error.code(*modern),
        }
    }

    /// The word for logs and for `data.reason`.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Revision(error) => error.slug(),
            Self::Header { error, .. } => error.slug(),
        }
    }
}

/// The revision of a POST whose headers agree with its body. `session` and `announced` as in [`Inputs`].
///
/// # Errors
/// In the order of the modern specification: envelope, headers, then whether the version is served, so that a
/// request that contradicts itself gets the precise answer.
pub fn judge(
    mirror: &Mirror,
    body: &Body<'_>,
    session: Option<Revision>,
    announced: bool,
    route: RevisionSet,
) -> Result<Revision, EnvelopeError> {
    let decided = revision::decide(&Inputs {
        method: body.method,
        is_request: body.is_request,
        body_version: body.version,
        has_capabilities: body.has_capabilities,
        requested: body.requested,
        header: mirror.protocol_version(),
        session,
        announced,
        route,
    });
    let modern = match &decided {
        Ok(revision) => revision.is_modern(),
        Err(RevisionError::Unsupported { .. }) => body.version != BodyVersion::Absent,
        Err(error) => return Err(error.clone().into()),
    };
    check(mirror, body, modern).map_err(|error| EnvelopeError::Header { error, modern })?;
    Ok(decided?)
}

/// Compares `Mcp-Method` and `Mcp-Name` with the body.
///
/// # Errors
/// The header that is missing (modern requests only) or differs.
pub fn check(mirror: &Mirror, body: &Body<'_>, modern: bool) -> Result<(), HeaderError> {
    // The rules for notifications are left open: nothing is required, contradictions are refused.
    let required = modern && body.is_request;
    method(mirror, body.method, required)?;
    name(mirror, body, required)
}

/// `Mcp-Method` against `method`, byte for byte.
fn method(mirror: &Mirror, method: &str, required: bool) -> Result<(), HeaderError> {
    compare(Header::Method, mirror.method(), Some(method), required)
}

/// `Mcp-Name` against the member of `params` that it mirrors.
fn name(mirror: &Mirror, body: &Body<'_>, required: bool) -> Result<(), HeaderError> {
    let info = Method::from_wire(body.method).info();
    let source = match info.target {
        Target::Name(_) => body.name,
        Target::Uri => body.uri,
        Target::Task => body.task_id,
        // The TypeScript SDK mirrors `name`, else `uri`, of any method that has one.
        Target::None | Target::Ref | Target::Filter => body.name.or(body.uri),
    };
    compare(Header::Name, mirror.name(), source, required && info.mirrored == Mirrored::Required)
}

fn compare(
    header: Header,
    claim: Option<&str>,
    truth: Option<&str>,
    required: bool,
) -> Result<(), HeaderError> {
    match (claim, truth) {
        (Some(claim), Some(truth)) if claim == truth => Ok(()),
        // A claim about something that the body does not have is a contradiction, too.
        (Some(_), _) => Err(HeaderError { header, fault: HeaderFault::Differs }),
        // Where the body lacks the member there is nothing to mirror; the call fails on its own.
        (None, Some(_)) if required => Err(HeaderError { header, fault: HeaderFault::Missing }),
        (None, _) => Ok(()),
    }
}
