//! From a config to a gateway that listens.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;

use super::affinity;
use super::audit::Audit;
use super::clock::Clock;
use super::drift::Drift;
use super::listener::Listener;
use super::outstanding::Outstanding;
use super::reload::Policies;
use super::state::{self, Shared};
use super::views::Seen;
use crate::config::{self, Config, Limits};
use crate::identity::{self, Authenticator, KeyEvent, Trust};
use crate::inspect::annotation::{Annotated, Annotations};
use crate::limit::Limiter;
use crate::lock::{Item, Json, List};
use crate::observe::{LineLog, Sink, notice};
use crate::policy::{Policy, Principal};
use crate::seal::{Key, Sealer};
use crate::upstream::headers::Identity;
use crate::upstream::{Endpoint, EndpointError, Timeouts, Upstream};

/// How long running exchanges may take to end once the gateway stops (P2).
const DRAIN: Duration = Duration::from_secs(25);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The issuers cannot be trusted as configured.
    #[error(transparent)]
    Identity(#[from] identity::StartError),
    /// The access log cannot be written.
    #[error("cannot open the access log: {0}")]
    AccessLog(#[source] io::Error),
    /// The audit log cannot be written.
    #[error("cannot open the audit log: {0}")]
    AuditLog(#[source] io::Error),
    /// An upstream's address cannot be used.
    #[error("route `{route}`: {error}")]
    Upstream {
        /// The route.
        route: Box<str>,
        /// What is wrong.
        error: EndpointError,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a session key")]
    Random,
}

/// A firewall that listens and does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    listener: Listener,
    pub(super) shared: Arc<Shared>,
    drain: Duration,
}

impl Gateway {
    /// Listens as `config` says, with `policy` in force. Inside a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]. Nothing is left behind.
    pub fn bind(config: Config, policy: Arc<Policy>) -> Result<Self, StartError> {
        let trusted: Vec<Trust> = config.auth.jwt.iter().map(Trust::from).collect();
        let authenticator = match trusted.is_empty() {
            true => None,
            false => Some(Authenticator::new(trusted, tell)?),
        };
        let sink = sink(config.access_log);
        let config = Config { access_log: config::AccessLog::Off, ..config };
        Self::bind_with(config, policy, authenticator, sink)
    }

    /// As [`Gateway::bind`], with callers known by `authenticator` (`None`: everybody is anonymous) and the access log going to
    /// `sink`, whatever the config says of both. The audit log goes where the config says.
    ///
    /// # Errors
    /// As [`Gateway::bind`].
    pub fn bind_with(
        config: Config,
        policy: Arc<Policy>,
        authenticator: Option<Authenticator>,
        sink: Option<Sink>,
    ) -> Result<Self, StartError> {
        let address = config.listen.address;
        let routes = config.routes.into_iter().map(|route| resolve(route, &config.limits));
        let routes: Vec<_> = routes.collect::<Result<_, _>>()?;
        if let Some(lock) = policy.lock() {
            for route in &routes {
                lock.items(List::Tools).for_each(|tool| annotate(route, tool));
            }
        }
        let socket = listen(address).map_err(|error| StartError::Listen { address, error })?;
        let log = sink.map(LineLog::start).transpose().map_err(StartError::AccessLog)?;
        let audit = Audit::start(self::sink(config.audit_log), config.audited)
            .map_err(StartError::AuditLog)?;
        let key = match config.session_key {
            Some(key) => key,
            None => random_key().ok_or(StartError::Random)?,
        };
        let names = config.identity_headers.iter().map(|header| header.header.clone());
        let shared = Arc::new(Shared {
            routes: routes.into(),
            identity: Identity::new(names.collect()),
            identity_headers: config.identity_headers.into(),
            authenticator,
            // An authenticator that the config does not speak of is meant to be asked.
            auth_required: config.auth.required || config.auth.jwt.is_empty(),
            nobody: Arc::new(Principal::anonymous()),
            policy: ArcSwap::new(policy),
            limiter: Limiter::new(config.limits.max_limit_keys),
            connections: Arc::default(),
            sealer: Sealer::new(&key),
            outstanding: Outstanding::new(&config.limits),
            mailboxes: Arc::default(),
            listeners: Arc::default(),
            log,
            audit,
            clock: Clock::start(),
            seed: RandomState::new().hash_one(0),
            draining: AtomicBool::new(false),
            listen: config.listen,
            limits: config.limits,
        });
        Ok(Self { listener: Listener::new(socket, Arc::clone(&shared)), shared, drain: DRAIN })
    }

    /// How long running exchanges may take to end once the gateway stops. Default 25 s (P2).
    #[must_use]
    pub fn drain_within(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Where it listens: the port that was found, where the config says 0.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The policy set in force, which can be swapped.
    #[must_use]
    pub fn policies(&self) -> Policies {
        Policies::new(Arc::clone(&self.shared))
    }

    /// Serves until `shutdown` is ready; then lets running exchanges end for as long as the drain window lasts, and ends
    /// what is left. Streams that never end are ended at once. The access log is written when it returns.
    ///
    /// # Cancel safety
    /// Dropping the future ends every connection at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        self.listener.serve(shutdown, self.drain).await;
        let shared = self.shared;
        // Blocks for as long as the sink takes: not on a worker.
        let closed = tokio::task::spawn_blocking(move || {
            if let Some(log) = &shared.log {
                log.close();
            }
            if let Some(audit) = &shared.audit {
                audit.close();
            }
        });
        let _ = closed.await;
    }
}

/// Where a log is written; `None` where it is not.
fn sink(to: config::AccessLog) -> Option<Sink> {
    match to {
        config::AccessLog::Stdout => Some(Sink::Stdout),
        config::AccessLog::Stderr => Some(Sink::Stderr),
        config::AccessLog::File(path) => Some(Sink::File(path)),
        config::AccessLog::Off => None,
    }
}

/// What the lock file knows of the headers that mirror arguments of `tool` (mcp-protocol.md §3.2): so they are compared from the
/// first call on, and not only once a list went by.
pub(super) fn annotate(route: &state::Route, tool: &Item) {
    let schema = tool.member("inputSchema").map(Json::to_text);
    let found = schema.and_then(|schema| Annotations::of_schema(schema.as_bytes()).ok());
    route.annotated.learn(tool.id(), found);
}

/// What an operator should know of an issuer's keys. Good news is not.
fn tell(issuer: &str, event: KeyEvent) {
    match event {
        KeyEvent::Fetched { skipped, .. } => {
            for (at, fault) in skipped {
                notice(&format!("issuer {issuer}: key {at} is left out: {fault}"));
            }
        }
        KeyEvent::Failed(error) => notice(&format!("issuer {issuer}: no keys fetched: {error}")),
    }
}

/// A key that lasts as long as the process.
fn random_key() -> Option<Key> {
    let mut bytes = [0; Key::LEN];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(Key::new(bytes))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn resolve(route: config::Route, limits: &Limits) -> Result<Arc<state::Route>, StartError> {
    let timeouts = Timeouts {
        connect: limits.connect_timeout,
        first_byte: limits.first_byte,
        stream_idle: limits.stream_idle,
    };
    let upstream = |url| Endpoint::from_url(url).map(|endpoint| Upstream::new(endpoint, timeouts));
    let upstreams: Result<Box<[_]>, _> = route.upstream.iter().map(upstream).collect();
    let upstreams = match upstreams {
        Ok(upstreams) => upstreams,
        Err(error) => return Err(StartError::Upstream { route: route.name, error }),
    };
    let homes = upstreams.iter().map(|upstream| affinity::home(upstream.endpoint())).collect();
    Ok(Arc::new(state::Route {
        name: route.name,
        path: route.path,
        upstreams,
        credentials: route.credentials,
        refusal: route.refusal,
        elicitation_hosts: route.elicitation_hosts,
        hidden_characters: route.hidden_characters,
        drift: Drift::default(),
        seen: Seen::default(),
        revisions: route.revisions,
        sessions: route.sessions,
        handles: route.handles,
        homes,
        annotated: Arc::new(Annotated::new(limits.max_mirrored_tools)),
        urls: route.upstream.into(),
    }))
}
