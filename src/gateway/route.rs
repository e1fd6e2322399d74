//! From a path to a route, and which HTTP methods it has.

use std::sync::Arc;

use http::Method;

use super::reject::Reject;
use super::state::{Route, Shared};

/// The route with exactly this path.
///
/// # Errors
/// 404.
pub(super) fn find(shared: &Shared, path: &str) -> Result<Arc<Route>, Box<Reject>> {
    let found = shared.routes.iter().find(|route| *route.path == *path);
    found.cloned().ok_or_else(Reject::path)
}

/// What a request of this route may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A JSON-RPC message.
    Message,
    /// The stream of a legacy session.
    Stream,
    /// The end of a legacy session.
    End,
}

impl Route {
    /// The methods of this route, for `Allow`.
    pub(super) fn methods(&self) -> &'static str {
        if self.has_legacy() { "POST, GET, DELETE" } else { "POST" }
    }

    /// What `method` asks of this route.
    ///
    /// # Errors
    /// 405.
    pub(super) fn kind(&self, method: &Method) -> Result<Kind, Box<Reject>> {
        match *method {
            Method::POST => Ok(Kind::Message),
            Method::GET if self.has_legacy() => Ok(Kind::Stream),
            Method::DELETE if self.has_legacy() => Ok(Kind::End),
            _ => Err(Reject::method(self.methods())),
        }
    }
}
