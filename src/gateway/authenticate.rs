//! Who is calling.

use std::sync::Arc;

use http::request::Parts;

use super::peer::Peer;
use super::reject::Reject;
use super::state::Shared;
use crate::identity::{AuthError, Verified};
use crate::policy::{Principal, UnixTime};

/// A caller, as sure as the config wants to be of it.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Its credential has been verified.
    Verified(Arc<Verified>),
    /// It has none, and none is asked for.
    Anonymous(Arc<Principal>),
}

impl Caller {
    /// Who it is.
    pub(super) fn principal(&self) -> &Principal {
        match self {
            Self::Verified(verified) => &verified.principal,
            Self::Anonymous(principal) => principal,
        }
    }

    /// When its credential expires.
    pub(super) fn expires(&self) -> Option<UnixTime> {
        match self {
            Self::Verified(verified) => verified.expires,
            Self::Anonymous(_) => None,
        }
    }
}

/// The caller.
///
/// # Errors
/// 401, 400 or 503 with the challenge that fits (mcp-protocol.md §4.2). A credential that is presented must hold, even where none
/// is asked for: it was meant to.
pub(super) async fn caller(
    shared: &Shared,
    peer: &Peer,
    head: &Parts,
) -> Result<Caller, Box<Reject>> {
    let Some(authenticator) = &shared.authenticator else {
        return Ok(Caller::Anonymous(Arc::clone(&shared.nobody)));
    };
    // The streams of an HTTP/2 connection run side by side: one at a time has the memory, the others do without.
    let mut last = peer.last_token.lock().take().unwrap_or_default();
    let known = authenticator.authenticate(&head.headers, head.uri.query(), &mut last).await;
    *peer.last_token.lock() = Some(last);
    match known {
        // Asked first all the same: a token in the query is refused also where none is needed (T38).
        Err(AuthError::Missing) if !shared.auth_required => {
            Ok(Caller::Anonymous(Arc::clone(&shared.nobody)))
        }
        known => known.map(Caller::Verified).map_err(Reject::credential),
    }
}
