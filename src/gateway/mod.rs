//! The data path: a socket on one side, an upstream on the other, and every part of mcpfw between them, in order.
//!
//! `exchange` below is the recipe; each step is a file. A step takes what only the step before it can make, so that none can
//! be left out: `Reject` is made in one place, `Admitted` owns its `Permitted`, and nothing goes upstream without a
//! `forward::Leave`.
//!
//! Nothing here is spawned per request. An exchange runs on the task of its downstream connection, upstream socket included:
//! back-pressure is the absence of a poll, and a client that leaves takes the upstream connection with it.

mod admit;
mod affinity;
mod answers;
mod audit;
mod authenticate;
mod batch;
mod body;
mod clock;
mod connection;
mod drift;
mod elements;
mod forward;
mod framing;
mod handles;
mod head;
mod health;
mod inbound;
mod io;
mod judge;
mod listener;
mod listeners;
mod looks;
mod media;
mod message;
mod notices;
mod outstanding;
mod peer;
pub mod policies;
mod provenance;
mod read;
mod record;
mod reject;
mod relay;
mod reload;
mod request_id;
mod review;
mod revise;
mod route;
mod session;
mod sse;
mod start;
mod state;
mod streams;
mod tail;
mod uplink;
mod views;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;

use self::authenticate::Caller;
use self::body::Body;
use self::inbound::Inbound;
use self::peer::Peer;
use self::provenance::Provenance;
use self::record::Record;
use self::reject::Reject;
pub use self::reload::{Policies, ReloadEvent, Reloader, Rest};
use self::route::Kind;
use self::sse::Announced;
pub use self::start::{Gateway, StartError};
use self::state::{Route, Shared};
use crate::policy::{Call, Context, Permitted, Policy, Refusal, RuleId, UnixTime};
use crate::upstream::headers::X_REQUEST_ID;

/// What a step ends in: a reply, or a refusal together with what is needed to answer it.
type Answer = Result<Response<Body>, (Box<Reject>, Box<Record>)>;

/// One request and its reply.
async fn exchange(
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut head, body) = request.into_parts();
    // Forged identity headers go first: no later step can see one (T23).
    shared.identity.scrub(&mut head.headers);
    let request_id = request_id::of(&head.headers);
    let record = Record::open(Arc::clone(&shared), Arc::clone(&peer), &head, request_id.clone());
    let inbound = Inbound::new(body, head.version, Arc::clone(&peer), shared.limits.body_idle);
    let mut provenance = Provenance::unknown();
    let answer = arrive(shared, peer, &mut provenance, head, inbound, record).await;
    let mut response = answer.unwrap_or_else(|(reject, record)| reject.into_response(record));
    // On every reply, errors included: a page must be able to read why it was refused (T26).
    provenance.expose(&mut response);
    response.headers_mut().insert(X_REQUEST_ID, request_id);
    Ok(response)
}

/// From the head to a message, or to all that a request without one wants.
async fn arrive(
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    provenance: &mut Provenance,
    head: Parts,
    mut inbound: Inbound,
    mut record: Box<Record>,
) -> Answer {
    match introduce(&shared, &peer, provenance, &head, &mut record).await {
        Ok(Arrived::Answered(response)) => Ok(record.answer(response)),
        Ok(Arrived::Message(known)) => {
            let announced = known.announced.clone();
            let exchange = message::Exchange { shared: Arc::clone(&shared), peer, known, record };
            let answer = exchange.run(head, inbound).await;
            let Some(announced) = announced else { return answer };
            answer.map_err(|(reject, record)| {
                (announced.refuse(&shared, reject, record.request_id()), record)
            })
        }
        Ok(Arrived::Session(known, kind)) => {
            session::run(&shared, &peer, &known, kind, head, record).await
        }
        Err(reject) => {
            // Where the framing itself is in doubt, nobody knows what the body is.
            if !reject.is_closing() {
                read::unseen(&head.headers, &mut inbound, &record).await;
            }
            Err((reject, record))
        }
    }
}

/// A request whose head has been read.
enum Arrived {
    /// That was all of it.
    Answered(Response<Body>),
    /// A JSON-RPC message follows.
    Message(Known),
    /// It is about a legacy session.
    Session(Known, Kind),
}

/// What is known of an exchange besides its body.
struct Known {
    route: Arc<Route>,
    caller: Caller,
    policy: Arc<Policy>,
    /// The host asked for, lower case, without port.
    host: Arc<str>,
    /// The client's address, after trusted proxies.
    ip: IpAddr,
    /// Where a stream takes messages that said so.
    announced: Option<Announced>,
}

impl Known {
    /// The name of a rule of the policy in force.
    fn rule(&self, id: RuleId) -> Option<Arc<str>> {
        self.policy.rule(id).map(|rule| Arc::clone(rule.name()))
    }

    /// What rules read of it besides the caller and the call.
    fn context(&self) -> Context<'_> {
        Context { route: &self.route.name, host: &self.host, sni: None, ip: self.ip }
    }

    /// `permitted`, unless `call` would use what a pin holds back (T52).
    fn hold_to_pins(
        &self,
        permitted: Permitted,
        call: &Call,
        now: UnixTime,
    ) -> Result<Permitted, Refusal> {
        let drift = &self.route.drift;
        self.policy.hold_to_pins(permitted, &self.route.name, call, now, |list, id, pinned| {
            drift.is_changed(list, id, pinned)
        })
    }
}

/// Everything that can be known without the body.
async fn introduce(
    shared: &Shared,
    peer: &Peer,
    provenance: &mut Provenance,
    head: &Parts,
    record: &mut Record,
) -> Result<Arrived, Box<Reject>> {
    // A head that says two things has no meaning that could be checked below.
    framing::unambiguous(head, &mut peer.head.lock())?;
    // Host and Origin before anything that a foreign web page could learn from (T25).
    *provenance = provenance::check(head, peer, &shared.listen)?;
    // Probes have no route and no credential.
    if let Some(response) = health::answer(shared, &head.method, head.uri.path()) {
        return Ok(Arrived::Answered(response));
    }
    let route = route::find(shared, head.uri.path())?;
    record.route = Some(Arc::clone(&route));
    // A preflight carries no credential by design of the browsers.
    if let Some(response) = provenance.preflight(head, route.methods()) {
        return Ok(Arrived::Answered(response));
    }
    let kind = route.kind(&head.method)?;
    let ip = provenance::client(shared, peer, head, record);
    // Before anything about the message: a caller without a credential learns nothing but how to get one.
    let caller = authenticate::caller(shared, peer, head).await?;
    record.caller = Some(caller.clone());
    media::check(&head.headers, kind)?;
    // One policy from here to the end of the exchange, whatever is loaded meanwhile (T59).
    let policy = shared.policy.load_full();
    record.policy = Some(Arc::clone(&policy));
    let announced = Announced::of(shared, &route, &caller, kind, head.uri.query())?;
    let host = Arc::clone(&provenance.host);
    record.host = shared.audit.as_ref().map(|_| Arc::clone(&host));
    let known = Known { route, caller, policy, host, ip, announced };
    Ok(match kind {
        Kind::Message => Arrived::Message(known),
        Kind::Stream | Kind::End => Arrived::Session(known, kind),
    })
}
