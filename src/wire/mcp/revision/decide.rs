//! Which revision one HTTP request speaks: the body decides, the header is a cross-check.
//!
//! Upstreams differ: some pick the era from the body, some from the header alone. A request whose
//! header and body disagree would be judged here as one era and run there as the other, so it is
//! refused and never forwarded (T9, T10).

use super::error::{RevisionError, cut};
use super::{Revision, RevisionSet};
use crate::wire::mcp::headers::{Header, HeaderError, HeaderFault};

/// `params._meta["io.modelcontextprotocol/protocolVersion"]` as the body has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyVersion<'a> {
    /// Not there.
    #[default]
    Absent,
    /// There, and a string.
    Text(&'a str),
    /// There, but not a string: one upstream would see a modern request, another would not.
    Malformed,
}

/// What the decision is made from. `Default` is a legacy notification without any header, for tests to fill in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// The JSON-RPC method.
    pub method: &'a str,
    /// Whether the message has an id.
    pub is_request: bool,
    /// The version in `params._meta`.
    pub body_version: BodyVersion<'a>,
    /// Whether `params._meta["io.modelcontextprotocol/clientCapabilities"]` is there and an object.
    pub has_capabilities: bool,
    /// `params.protocolVersion`, which only `initialize` has.
    pub requested: Option<&'a str>,
    /// `MCP-Protocol-Version`, without the white space around it.
    pub header: Option<&'a str>,
    /// What the session that the request names has negotiated, where that is known.
    pub session: Option<Revision>,
    /// Whether the path is a message endpoint that an HTTP+SSE stream announced.
    pub announced: bool,
    /// The revisions that the route serves.
    pub route: RevisionSet,
}

/// The revision of a POST.
///
/// # Errors
/// [`RevisionError`], in the order in which a modern server must check: the envelope, then the
/// header, then whether the version is served.
pub fn decide(inputs: &Inputs<'_>) -> Result<Revision, RevisionError> {
    match inputs.body_version {
        BodyVersion::Malformed => {
            Err(RevisionError::Envelope { version: true, capabilities: !inputs.has_capabilities })
        }
        BodyVersion::Text(version) => modern(inputs, version),
        BodyVersion::Absent => legacy(inputs),
    }
}

/// A body that carries a version of its own is modern, whatever the header says.
fn modern(inputs: &Inputs<'_>, version: &str) -> Result<Revision, RevisionError> {
    // A notification has no envelope to complete: the specification asks it of requests.
    if inputs.is_request && !inputs.has_capabilities {
        return Err(RevisionError::Envelope { version: false, capabilities: true });
    }
    match inputs.header {
        Some(header) if header == version => {}
        Some(_) => return Err(header_error(HeaderFault::Differs)),
        None if inputs.is_request => return Err(header_error(HeaderFault::Missing)),
        None => {}
    }
    match version.parse::<Revision>() {
        Ok(revision) if revision.is_modern() && inputs.route.contains(revision) => Ok(revision),
        _ => Err(unsupported(version)),
    }
}

fn legacy(inputs: &Inputs<'_>) -> Result<Revision, RevisionError> {
    let header = match inputs.header.map(str::parse::<Revision>) {
        None => None,
        Some(Ok(revision)) => Some(revision),
        Some(Err(_)) => return Err(unsupported(inputs.header.unwrap_or_default())),
    };
    match header {
        // Some upstreams would run it as modern, though the body has no envelope.
        Some(revision) if revision.is_modern() && inputs.is_request => {
            Err(RevisionError::Envelope { version: true, capabilities: !inputs.has_capabilities })
        }
        Some(revision) if revision.is_modern() => served(revision, inputs.route),
        _ if inputs.method == "initialize" => handshake(inputs),
        Some(revision) if inputs.session.is_some_and(|session| session != revision) => {
            Err(RevisionError::Session)
        }
        Some(revision) => served(revision, inputs.route),
        None => served(unnamed(inputs.session, inputs.announced), inputs.route),
    }
}

/// What a request without a version header speaks.
fn unnamed(session: Option<Revision>, announced: bool) -> Revision {
    match session {
        Some(revision) => revision,
        None if announced => Revision::V2024_11_05,
        // 2025-06-18 and 2025-11-25: "the server SHOULD assume protocol version 2025-03-26".
        None => Revision::V2025_03_26,
    }
}

/// The revision by which an `initialize` is judged. What the session will speak is in the reply.
fn handshake(inputs: &Inputs<'_>) -> Result<Revision, RevisionError> {
    let requested = inputs.requested.unwrap_or_default();
    let legacy = inputs.route.intersection(RevisionSet::LEGACY);
    match (legacy.newest(), requested.parse::<Revision>()) {
        // A modern-only route: name the versions that it has.
        (None, _) => Err(unsupported(requested)),
        (Some(_), Ok(revision)) if legacy.contains(revision) => Ok(revision),
        (Some(_), Ok(revision)) if !revision.is_modern() => {
            Err(RevisionError::Handshake { requested: cut(requested) })
        }
        // Newer than what the route serves, or unknown: the server answers with what it has.
        (Some(newest), _) => Ok(newest),
    }
}

/// The revision of a GET or DELETE, which have no body: always a legacy one.
///
/// # Errors
/// [`RevisionError::NoStream`] where the header names a modern revision, otherwise as [`decide`].
pub fn decide_bodyless(
    header: Option<&str>,
    session: Option<Revision>,
    route: RevisionSet,
) -> Result<Revision, RevisionError> {
    let Some(text) = header else {
        return served(unnamed(session, false), route);
    };
    match text.parse::<Revision>() {
        Ok(revision) if revision.is_modern() => Err(RevisionError::NoStream),
        Ok(revision) if session.is_some_and(|session| session != revision) => {
            Err(RevisionError::Session)
        }
        Ok(revision) => served(revision, route),
        Err(_) => Err(unsupported(text)),
    }
}

fn served(revision: Revision, route: RevisionSet) -> Result<Revision, RevisionError> {
    if route.contains(revision) { Ok(revision) } else { Err(unsupported(revision.as_str())) }
}

fn unsupported(requested: &str) -> RevisionError {
    RevisionError::Unsupported { requested: cut(requested) }
}

fn header_error(fault: HeaderFault) -> RevisionError {
    RevisionError::Header(HeaderError { header: Header::ProtocolVersion, fault })
}
