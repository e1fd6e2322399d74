//! The stream's side: finds the announcement, puts ours in its place, and says what mcpfw has to say.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderValue;
use http::uri::PathAndQuery;

use super::super::Known;
use super::super::affinity::Home;
use super::super::authenticate::Caller;
use super::super::state::{Route, Shared};
use super::PARAMETER;
use super::mailbox::{Mailbox, StreamId};
use crate::inspect::response::{EndpointError, EndpointWatch, Fed, resolve};
use crate::seal::{Owner, Purpose};

/// Watches one stream of a server for endpoints.
#[derive(Debug)]
pub(in crate::gateway) struct Announcer {
    watch: EndpointWatch,
    way: Option<Way>,
    mailbox: Option<Mailbox>,
    place: Option<Place>,
}

/// What a stream announced.
#[derive(Debug)]
pub(in crate::gateway) struct Place {
    /// What is asked of the server.
    pub(in crate::gateway) target: PathAndQuery,
    /// The name of the session that is the stream.
    pub(in crate::gateway) session: HeaderValue,
}

/// What an announced endpoint follows from.
#[derive(Debug)]
struct Way {
    shared: Arc<Shared>,
    route: Arc<Route>,
    caller: Caller,
    upstream: usize,
    home: Home,
    stream: StreamId,
}

impl Announcer {
    /// Watches a stream that the server at place `upstream` may have opened to announce an endpoint.
    pub(in crate::gateway) fn new(shared: &Arc<Shared>, known: &Known, upstream: usize) -> Self {
        let way = known.route.homes.get(upstream).map(|home| Way {
            shared: Arc::clone(shared),
            route: Arc::clone(&known.route),
            caller: known.caller.clone(),
            upstream,
            home: *home,
            stream: StreamId::new(),
        });
        Self {
            watch: EndpointWatch::new(shared.limits.max_endpoint),
            way,
            mailbox: None,
            place: None,
        }
    }

    /// Watches a stream on which no endpoint may be announced.
    pub(in crate::gateway) fn guard() -> Self {
        Self { watch: EndpointWatch::guard(), way: None, mailbox: None, place: None }
    }

    /// Reads the next piece of the stream.
    ///
    /// # Errors
    /// [`EndpointError`]: the stream must be cut off.
    pub(in crate::gateway) fn feed(&mut self, piece: &Bytes) -> Result<Fed, EndpointError> {
        let (way, mailbox, place) = (&self.way, &mut self.mailbox, &mut self.place);
        self.watch.feed(piece, &mut |uri| {
            let way = way.as_ref()?;
            let target = resolve(way.route.urls.get(way.upstream)?, uri)?;
            let announced = way.announce(&target)?;
            // What could not be asked for later is not announced.
            *place = Some(Place { target: target.try_into().ok()?, session: way.stream.name() });
            *mailbox = Some(way.shared.mailboxes.open(way.stream));
            Some(announced)
        })
    }

    /// What has been announced.
    pub(in crate::gateway) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What mcpfw says next on the stream. To be asked between two events.
    pub(in crate::gateway) fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        match &mut self.mailbox {
            Some(mailbox) => mailbox.poll_next(cx),
            None => Poll::Pending,
        }
    }
}

impl Way {
    /// What leads to `target` here: an absolute path, which every client resolves alike.
    fn announce(&self, target: &str) -> Option<String> {
        let owner = Owner::new(&self.route.name, self.caller.principal());
        let payload = [&self.home[..], &self.stream.0, target.as_bytes()].concat();
        let sealed = self.shared.sealer.seal(Purpose::Endpoint, &owner, &payload)?;
        Some(format!("{}?{PARAMETER}{sealed}", self.route.path))
    }
}
