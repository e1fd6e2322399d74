//! From an admitted call to a request of the upstream.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::Uri;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Response};
use smallvec::SmallVec;

use super::affinity::Session;
use super::authenticate::Caller;
use super::handles::StateOpener;
use super::inbound::Inbound;
use super::outstanding::Answers;
use super::peer::Peer;
use super::record::Record;
use super::state::{Route, Shared};
use super::uplink::{Slot, Uplink};
use crate::config::{Credentials, IdentityHeader};
use crate::inspect::request::RequestInspector;
use crate::limit::Admitted;
use crate::policy::{Principal, Value};
use crate::upstream::headers::{Forwarded, encode_claim, encode_claims, towards_upstream};
use crate::upstream::{Failure, Reply, RequestBody};

/// Leave to go upstream. There are three ways to get it, and no other.
pub(super) struct Leave(());

impl Leave {
    /// A call that policy permits and budgets admit.
    pub(super) fn admitted(admitted: &Admitted, inspector: &mut RequestInspector) -> Self {
        inspector.release(admitted.permitted());
        Self(())
    }

    /// A response to a request that the server itself made.
    pub(super) fn response(_answers: &Answers, inspector: &mut RequestInspector) -> Self {
        inspector.release_response();
        Self(())
    }

    /// The stream or the end of a legacy session, neither of which calls anything. The caller is known, and the session is its
    /// own (T43).
    pub(super) fn session(_caller: &Caller, _session: &Session) -> Self {
        Self(())
    }
}

/// The body of a request whose gate is open; `opener` opens what of it has not come. The slot is where a streaming body leaves the reason if it is cut off.
pub(super) fn body(
    inbound: Inbound,
    mut inspector: Box<RequestInspector>,
    opener: Option<Box<StateOpener>>,
    record: &mut Record,
) -> (RequestBody, Option<Slot>) {
    if !inbound.has_ended() {
        let flow = Arc::clone(record.rest.insert(Arc::default()));
        let (uplink, slot) = Uplink::new(inbound, inspector, flow, opener);
        return (RequestBody::Stream(Box::pin(uplink)), Some(slot));
    }
    // All of it was here when it was admitted, as with almost every call: one write, and no chunked coding.
    let mut pieces = SmallVec::new();
    while let Some(chunk) = inspector.next_chunk() {
        pieces.push(chunk);
    }
    (RequestBody::Whole(pieces), None)
}

/// What the headers of the upstream request follow from.
pub(super) struct Facts<'a> {
    pub(super) shared: &'a Shared,
    pub(super) route: &'a Route,
    pub(super) peer: &'a Peer,
    pub(super) caller: &'a Principal,
    /// Whether the request is modern.
    pub(super) modern: bool,
    /// The session that it belongs to.
    pub(super) session: &'a Session,
    /// What is asked of the server, where that is not its MCP endpoint.
    pub(super) target: Option<&'a PathAndQuery>,
}

/// Sends the request to the server that keeps its session, or else to the first of the route that can be reached. Returns
/// the reply and the place of that server in the route.
///
/// # Errors
/// [`Failure`]. Another upstream is tried only where nothing was sent.
///
/// # Cancel safety
/// Dropping the future closes the upstream connection.
pub(super) async fn send(
    _leave: Leave,
    head: Parts,
    body: RequestBody,
    facts: &Facts<'_>,
    record: &mut Record,
) -> Result<(Response<Reply>, usize), Failure> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method;
    *request.headers_mut() = headers(head.headers, &head.uri, facts, record);
    let sent = Instant::now();
    let mut failure = Failure::Closed;
    let home = facts.session.upstream;
    let upstreams = facts.route.upstreams.iter().enumerate();
    for (at, upstream) in upstreams.filter(|(at, _)| home.is_none_or(|home| home == *at)) {
        let endpoint = upstream.endpoint();
        let target = match facts.target {
            Some(target) => target.clone(),
            None => endpoint.target(head.uri.query()),
        };
        *request.uri_mut() = target.into();
        request.headers_mut().insert(header::HOST, endpoint.host_header().clone());
        match upstream.send(request).await {
            Ok(response) => {
                record.answered(response.status(), sent);
                return Ok((response, at));
            }
            Err((error, None)) => return Err(error),
            Err((error, Some(unsent))) => {
                failure = error;
                request = *unsent;
            }
        }
    }
    Err(failure)
}

fn headers(mut headers: HeaderMap, uri: &Uri, facts: &Facts<'_>, record: &Record) -> HeaderMap {
    // HTTP/2 names the host in the request line.
    if let Some(authority) = uri.authority()
        && !headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        headers.insert(header::HOST, host);
    }
    towards_upstream(
        &mut headers,
        &Forwarded {
            request_id: record.request_id_value(),
            peer: &facts.peer.ip_value,
            trusted: facts.peer.trusted,
            proto: "http",
            authorization: matches!(facts.route.credentials, Credentials::Forward),
            modern: facts.modern,
        },
    );
    identify(&mut headers, facts.shared, facts.route, facts.caller);
    headers
}

/// Sets what the server is to know of `caller`, and the credential that it asks of us. The client's own copies went before
/// anything was decided; these are the verified ones.
pub(super) fn identify(
    headers: &mut HeaderMap,
    shared: &Shared,
    route: &Route,
    caller: &Principal,
) {
    if let Credentials::Set { header, value } = &route.credentials {
        headers.insert(header.clone(), value.clone());
    }
    for identity in &shared.identity_headers {
        if let Some(value) = claim(caller, identity) {
            headers.insert(identity.header.clone(), value);
        }
    }
}

/// The claim as a header value. `None` where it is not there, is null, an object, or a list of anything but scalars.
fn claim(principal: &Principal, identity: &IdentityHeader) -> Option<HeaderValue> {
    let mut value = principal.claims();
    for name in &identity.claim {
        value = value.member(name)?;
    }
    match value {
        Value::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(scalar).collect();
            Some(encode_claims(items?.iter().map(|item| &**item)))
        }
        value => scalar(value).map(|text| encode_claim(&text)),
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(true) => Some("true".into()),
        Value::Bool(false) => Some("false".into()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
