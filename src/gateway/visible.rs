//! What a caller sees in a list.

use std::sync::Arc;

use super::Known;
use super::authenticate::Caller;
use super::clock::unix_seconds;
use super::state::{Route, Shared};
use crate::inspect::response::{FilterOptions, Framing, ListFilter, Visibility};
use crate::policy::{Context, Policy};
use crate::wire::mcp::{ObjectKind, Revision};

/// A caller who reads a list: whatever it may not call is hidden (promise 5).
#[derive(Debug)]
pub(super) struct Viewer {
    policy: Arc<Policy>,
    caller: Caller,
    route: Arc<Route>,
    host: Arc<str>,
    ip: std::net::IpAddr,
    revision: Revision,
}

impl Visibility for Viewer {
    fn listed(&mut self, kind: ObjectKind, name: &str) -> bool {
        let context = Context { route: &self.route.name, host: &self.host, sni: None, ip: self.ip };
        let now = unix_seconds();
        self.policy.lists(self.caller.principal(), &context, self.revision, kind, name, now)
    }
}

impl Viewer {
    /// The caller of an exchange.
    pub(super) fn of(known: &Known, revision: Revision) -> Self {
        Self {
            policy: Arc::clone(&known.policy),
            caller: known.caller.clone(),
            route: Arc::clone(&known.route),
            host: Arc::clone(&known.host),
            ip: known.ip,
            revision,
        }
    }

    /// The filter of a reply.
    pub(super) fn filter(self, framing: Framing, shared: &Shared) -> ListFilter<Self> {
        let options = FilterOptions {
            is_modern: self.revision.is_modern(),
            hold: shared.limits.max_element,
            json: shared.limits.request.json,
            seed: shared.seed,
        };
        ListFilter::new(framing, self, options)
    }
}
