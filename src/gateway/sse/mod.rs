//! The HTTP+SSE transport of 2024-11-05: a stream on which the server says where to post, and posts to that place
//! (mcp-protocol.md §1.2).
//!
//! It is known by its first event and needs no configuration. What the server announces is replaced by this route's own path with
//! a sealed query, in which stand the stream, the server that opened it and where that takes messages. So nothing is kept of it
//! but the open stream itself, and nobody but the caller who opened it can post (T43).

mod announcer;
mod mailbox;

use http::uri::PathAndQuery;

use super::authenticate::Caller;
use super::reject::Reject;
use super::route::Kind;
use super::state::{Route, Shared};
use crate::seal::{Owner, Purpose};
use crate::wire::mcp::Revision;

pub(super) use self::announcer::Announcer;
pub(super) use self::mailbox::{Mailboxes, StreamId};

/// The one parameter of an announced endpoint.
const PARAMETER: &str = "mcpfw=";

/// Where a stream that this caller opened takes messages.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    /// The server, by its place in the route.
    pub(super) upstream: usize,
    /// The stream.
    pub(super) stream: StreamId,
    /// What is asked of the server.
    pub(super) target: PathAndQuery,
}

impl Announced {
    /// What `query` of a request leads to; `None` where it is no announced endpoint.
    ///
    /// # Errors
    /// 404, one for whatever was not announced to this caller, as for unknown sessions.
    pub(super) fn of(
        shared: &Shared,
        route: &Route,
        caller: &Caller,
        kind: Kind,
        query: Option<&str>,
    ) -> Result<Option<Self>, Box<Reject>> {
        let Some(sealed) = query.and_then(|query| query.strip_prefix(PARAMETER)) else {
            return Ok(None);
        };
        let is_post = kind == Kind::Message && route.has_announcements();
        let announced = is_post.then(|| Self::open(shared, route, caller, sealed)).flatten();
        announced.map(Some).ok_or_else(Reject::session_unknown)
    }

    fn open(shared: &Shared, route: &Route, caller: &Caller, sealed: &str) -> Option<Self> {
        let owner = Owner::new(&route.name, caller.principal());
        let payload = shared.sealer.open(Purpose::Endpoint, &owner, sealed.as_bytes())?;
        let (home, rest) = payload.split_first_chunk()?;
        let (stream, target) = rest.split_first_chunk()?;
        let upstream = route.homes.iter().position(|known| known == home)?;
        Some(Self { upstream, stream: StreamId(*stream), target: target.try_into().ok()? })
    }

    /// A refusal of what was posted here. Clients of this transport wait for the answer on their stream, so that is where a
    /// request is refused; where the stream is gone, or somewhere else, the post itself is.
    pub(super) fn refuse(
        &self,
        shared: &Shared,
        reject: Box<Reject>,
        request_id: &str,
    ) -> Box<Reject> {
        reject.told_by(request_id, |event| shared.mailboxes.deliver(self.stream, event))
    }
}

impl Route {
    /// Whether servers may announce endpoints here.
    pub(super) fn has_announcements(&self) -> bool {
        self.revisions.contains(Revision::V2024_11_05)
    }
}
