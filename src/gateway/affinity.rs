//! Sealed session ids (T43, T44): whose a session is and which server keeps it stands in its id, so that no table is kept.
//!
//! The server's own id never goes downstream, and what a client sends goes upstream only when it opens for this caller: then to
//! the server that made it and to no other, since no other knows it.

use aws_lc_rs::digest::{SHA256, digest};
use http::header::{HeaderMap, HeaderValue};

use super::Known;
use super::authenticate::Caller;
use super::outstanding::SessionKey;
use super::reject::{Reject, ReplyFault};
use super::sse::Announced;
use super::state::{Route, Shared};
use crate::config::Sealing;
use crate::seal::{Owner, Purpose};
use crate::upstream::Endpoint;
use crate::upstream::headers::MCP_SESSION_ID;

/// Bytes of [`Home`].
const HOME_LEN: usize = 8;

/// The server that keeps a session, by its address: the order of a config may change while a session lasts. 64 bits tell the
/// servers of one route apart; they are inside the seal and prove nothing by themselves.
pub(super) type Home = [u8; HOME_LEN];

/// The server at `endpoint`.
pub(super) fn home(endpoint: &Endpoint) -> Home {
    let mut name = endpoint.host().to_owned();
    name.push_str(&format!(" {} {}", endpoint.port(), endpoint.target(None)));
    let hash = digest(&SHA256, name.as_bytes());
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

/// The session of an exchange, after it was found to be the caller's own. Only a request that has one of these goes upstream.
#[derive(Debug)]
pub(super) struct Session {
    /// The only server that knows it, by its place in the route; `None`: any will do.
    pub(super) upstream: Option<usize>,
    /// The server's own id for it, as far as there is one.
    id: Option<HeaderValue>,
}

impl Session {
    /// A request of a revision without sessions: its headers go no further (mcp-protocol.md §3.1).
    pub(super) const fn none() -> Self {
        Self { upstream: None, id: None }
    }

    /// The server's own id for it.
    pub(super) fn id(&self) -> Option<&HeaderValue> {
        self.id.as_ref()
    }

    /// The stream that announced where to post: the server knows it by what is asked for.
    pub(super) fn announced(announced: &Announced) -> Self {
        Self { upstream: Some(announced.upstream), id: Some(announced.stream.name()) }
    }

    /// The key under which requests of its server are noted. Where a reply begins a session, to be asked after [`seal`].
    pub(super) fn key(&self, known: &Known) -> SessionKey {
        session_key(&known.route, &known.caller, self.id.as_ref())
    }

    /// Turns the session id that a client sends into the server's own.
    ///
    /// # Errors
    /// 404, one for whatever is not this caller's: nobody learns from it which ids exist.
    pub(super) fn open(
        shared: &Shared,
        known: &Known,
        headers: &mut HeaderMap,
    ) -> Result<Self, Box<Reject>> {
        let (route, caller) = (&known.route, &known.caller);
        let mut ids = headers.get_all(MCP_SESSION_ID).iter();
        let (first, second) = (ids.next(), ids.next());
        let Some(id) = first else { return Ok(Self::none()) };
        if route.sessions == Sealing::Plain {
            return match second {
                Some(_) => Err(Reject::repeated(&MCP_SESSION_ID)),
                None => Ok(Self { upstream: None, id: Some(id.clone()) }),
            };
        }
        let opened = match second {
            Some(_) => None,
            None => opened(shared, route, caller, id),
        };
        let (upstream, id) = opened.ok_or_else(Reject::session_unknown)?;
        headers.insert(MCP_SESSION_ID, id.clone());
        Ok(Self { upstream: Some(upstream), id: Some(id) })
    }
}

/// The key of the session that the server calls `id`.
pub(super) fn session_key(route: &Route, caller: &Caller, id: Option<&HeaderValue>) -> SessionKey {
    let owner = Owner::new(&route.name, caller.principal());
    SessionKey(owner.with(id.map(HeaderValue::as_bytes)).digest())
}

fn opened(
    shared: &Shared,
    route: &Route,
    caller: &Caller,
    id: &HeaderValue,
) -> Option<(usize, HeaderValue)> {
    let owner = Owner::new(&route.name, caller.principal());
    let payload = shared.sealer.open(Purpose::Session, &owner, id.as_bytes())?;
    let (home, id) = payload.split_first_chunk()?;
    let upstream = route.homes.iter().position(|known| known == home)?;
    Some((upstream, HeaderValue::from_bytes(id).ok()?))
}

/// Seals the session id that the server at place `upstream` of the route gives to this caller, if it gives one; `session` is
/// then that one.
///
/// # Errors
/// An id that no client could send back, or more than one.
pub(super) fn seal(
    shared: &Shared,
    known: &Known,
    session: &mut Session,
    upstream: usize,
    headers: &mut HeaderMap,
) -> Result<(), ReplyFault> {
    let route = &known.route;
    let mut ids = headers.get_all(MCP_SESSION_ID).iter();
    let (first, second) = (ids.next(), ids.next());
    let Some(id) = first else { return Ok(()) };
    session.id = Some(id.clone());
    if route.sessions == Sealing::Plain {
        return Ok(());
    }
    let is_visible = id.as_bytes().iter().all(u8::is_ascii_graphic);
    let fits = (1..=shared.limits.max_session_id).contains(&id.len());
    if second.is_some() || !is_visible || !fits {
        return Err(ReplyFault::SessionId);
    }
    let home = route.homes.get(upstream).ok_or(ReplyFault::SessionId)?;
    let owner = Owner::new(&route.name, known.caller.principal());
    let payload = [home, id.as_bytes()].concat();
    let sealed = shared.sealer.seal(Purpose::Session, &owner, &payload);
    let sealed = sealed.and_then(|text| HeaderValue::try_from(text).ok());
    headers.insert(MCP_SESSION_ID, sealed.ok_or(ReplyFault::SessionId)?);
    Ok(())
}
