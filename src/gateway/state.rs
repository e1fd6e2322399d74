//! What all exchanges share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use url::Url;

use super::affinity::Home;
use super::audit::Audit;
use super::clock::Clock;
use super::drift::Drift;
use super::listener::Connections;
use super::listeners::Listeners;
use super::outstanding::Outstanding;
use super::sse::Mailboxes;
use super::views::Seen;
use crate::config::{Credentials, HiddenCharacters, IdentityHeader, Limits, Listen, Sealing};
use crate::identity::Authenticator;
use crate::inspect::annotation::Annotated;
use crate::limit::Limiter;
use crate::observe::LineLog;
use crate::policy::{Policy, Principal, RefusalStyle};
use crate::seal::Sealer;
use crate::upstream::Upstream;
use crate::upstream::headers::Identity;
use crate::wire::mcp::{ElicitationHosts, RevisionSet};

/// The gateway's state. Nothing in it changes but the policy, which is swapped as a whole (T59), and the drain flag.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) listen: Listen,
    pub(super) limits: Limits,
    pub(super) routes: Box<[Arc<Route>]>,
    pub(super) identity_headers: Box<[IdentityHeader]>,
    /// The names in `identity_headers`, as clients may not send them.
    pub(super) identity: Identity,
    /// `None`: nobody is asked who it is.
    pub(super) authenticator: Option<Authenticator>,
    pub(super) auth_required: bool,
    /// The caller without a credential.
    pub(super) nobody: Arc<Principal>,
    pub(super) policy: ArcSwap<Policy>,
    pub(super) limiter: Limiter,
    pub(super) connections: Arc<Connections>,
    pub(super) sealer: Sealer,
    pub(super) outstanding: Arc<Outstanding>,
    pub(super) mailboxes: Arc<Mailboxes>,
    pub(super) listeners: Arc<Listeners>,
    pub(super) log: Option<LineLog>,
    pub(super) audit: Option<Audit>,
    pub(super) clock: Clock,
    /// Keys the hash tables of the JSON tokenizer, so that nobody can choose colliding names (T5).
    pub(super) seed: u64,
    pub(super) draining: AtomicBool,
}

impl Shared {
    /// Whether the gateway is stopping.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// A path and the server behind it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) name: Box<str>,
    pub(super) path: Box<str>,
    /// In the order in which they are tried.
    pub(super) upstreams: Box<[Arc<Upstream>]>,
    pub(super) credentials: Credentials,
    pub(super) refusal: RefusalStyle,
    pub(super) revisions: RevisionSet,
    pub(super) sessions: Sealing,
    pub(super) handles: Sealing,
    /// Who is who among `upstreams`, in their order.
    pub(super) homes: Box<[Home]>,
    /// Where the server may send users.
    pub(super) elicitation_hosts: ElicitationHosts,
    /// Which arguments of which tools clients mirror as headers, as far as lists have told.
    pub(super) annotated: Arc<Annotated>,
    /// Their addresses.
    pub(super) urls: Box<[Url]>,
    /// What becomes of elements of lists that say what nobody sees.
    pub(super) hidden_characters: HiddenCharacters,
    /// What the server was seen to have changed.
    pub(super) drift: Drift,
    /// What its lists were seen to have.
    pub(super) seen: Seen,
}

impl Route {
    /// Whether clients mirror arguments here: from 2026-07-28 on.
    pub(super) fn mirrors(&self) -> bool {
        !self.revisions.intersection(RevisionSet::MODERN).is_empty()
    }

    /// Whether some revision here has sessions, and so GET and DELETE.
    pub(super) fn has_legacy(&self) -> bool {
        !self.revisions.intersection(RevisionSet::LEGACY).is_empty()
    }
}
