//! One JSON-RPC message: read, decide, admit, forward, relay.

use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::affinity::{self, Session};
use super::answers::Way;
use super::batch::Logged;
use super::clock::unix_seconds;
use super::forward::{self, Facts, Leave};
use super::framing;
use super::handles::{Grants, Opener, StateOpener};
use super::inbound::{Broken, Inbound};
use super::judge::ReplyJudge;
use super::looks::{self, Kinds, Looks};
use super::notices::Audience;
use super::outstanding::{self, Answers};
use super::peer::Peer;
use super::read::{self, Message, Unread};
use super::record::{Glimpse, Record};
use super::reject::{Asked, Reject};
use super::relay::{self, Bounded, Question};
use super::state::Shared;
use super::uplink::{Cut, Slot, Why};
use super::{Answer, Known, admit};
use crate::inspect::request::{Batch, RequestInspector};
use crate::inspect::response::Watch;
use crate::limit::Admitted;
use crate::policy::{Args, Bound, Call};
use crate::upstream::Failure;
use crate::upstream::headers::MCP_SESSION_ID;
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::{Method, Revision};

/// An exchange that carries a message.
pub(super) struct Exchange {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Arc<Peer>,
    pub(super) known: Known,
    pub(super) record: Box<Record>,
}

/// What is left to know of a message that went upstream.
struct Sent {
    modern: bool,
    id: Option<Id>,
    batch: Box<[Id]>,
    /// Where a body that still streams leaves the reason if it is cut off.
    slot: Option<Slot>,
    /// Of a subscription: the lists of whose changes it wants to hear.
    listens: Kinds,
}

impl Exchange {
    pub(super) async fn run(mut self, mut head: Parts, mut inbound: Inbound) -> Answer {
        let (shared, known) = (&*self.shared, &self.known);
        let policy = Arc::clone(&known.policy);
        let mut inspector = match read::inspector(shared, policy, known, &head.headers) {
            Ok(inspector) => inspector,
            Err(reject) if framing::expects_continue(&head.headers) => {
                return Err((reject, self.record));
            }
            Err(reject) => {
                // The headers alone are enough to refuse it, but it is told under its id.
                let blind = read::blind(&self.shared, &self.known);
                return self.refuse(reject, inbound, blind).await;
            }
        };
        if looks::judges_requests(&self.known.policy, &self.known.route) {
            inspector.await_response_id();
        }
        // No further than a decision needs: what comes behind is judged while it streams.
        let mut opener = Opener::default();
        let open = |inspector: &mut _| opener.open(&self.shared, &self.known, inspector);
        let read =
            read::until_decidable(&mut inbound, &mut inspector, &self.record.flow, open).await;
        let message = match read {
            Ok(message) => message,
            Err(Unread::Violation(violation)) => {
                let reject = Reject::violation(&violation, self.known.route.revisions);
                return self.refuse(reject, inbound, inspector).await;
            }
            Err(Unread::Broken(broken)) => {
                return Err((self.broken(broken, &inspector), self.record));
            }
        };
        let entered = self.session(&message, &mut head.headers).and_then(|session| {
            self.hand_back(session, &message, &opener, &mut inspector, &mut head.headers)
        });
        let (mut session, states) = match entered {
            Ok(entered) => entered,
            Err(reject) => {
                if let Message::Call(call) = message {
                    self.record.revision = Some(call.revision);
                    self.record.call = Some(call);
                }
                return self.refuse(reject, inbound, inspector).await;
            }
        };
        let (leave, admitted, answered) = match message {
            Message::Call(call) => match self.judge_all(call, &opener) {
                Ok(admitted) => (Leave::admitted(&admitted, &mut inspector), Some(admitted), None),
                Err(reject) => return self.refuse(reject, inbound, inspector).await,
            },
            Message::Batch(calls) => match self.judge_batch(calls) {
                Ok(admitted) => (Leave::admitted(&admitted, &mut inspector), Some(admitted), None),
                Err(reject) => return self.refuse(reject, inbound, inspector).await,
            },
            // It answers what the server asked; nothing is called.
            Message::Response => match self.attribute(&session, &inspector) {
                Ok(answers) => (Leave::response(&answers, &mut inspector), None, Some(answers)),
                Err(reject) => return self.refuse(reject, inbound, inspector).await,
            },
        };
        let bounds = admitted.as_ref().map(|admitted| *admitted.permitted().bounds());
        let bounds = bounds.unwrap_or_default();
        if let Some(Bound { most, rule }) = bounds.max_args
            && let Err(violation) = inspector.bound_arguments(most)
        {
            let rule = self.known.rule(rule);
            let reject = Reject::violation(&violation, self.known.route.revisions).by(rule);
            return self.refuse(reject, inbound, inspector).await;
        }
        let deadline = bounds.timeout.map(|bound| tokio::time::Instant::now() + bound.most);
        self.record.revision = self.record.revision.or_else(|| inspector.revision());
        let modern = self.record.revision.is_some_and(|revision| revision.is_modern());
        let id = inspector.id().cloned();
        let batch = batch_ids(&inspector);
        let listens = inspector.listens().collect();
        let (body, slot) = forward::body(inbound, inspector, states, &mut self.record);
        let facts = Facts {
            shared: &self.shared,
            route: &self.known.route,
            peer: &self.peer,
            caller: self.known.caller.principal(),
            modern,
            session: &session,
            target: self.known.announced.as_ref().map(|announced| &announced.target),
        };
        let way = Way::of(&head.headers);
        let sending = forward::send(leave, head, body, &facts, &mut self.record);
        let sent = match deadline {
            None => sending.await,
            Some(deadline) => tokio::time::timeout_at(deadline, sending)
                .await
                .unwrap_or(Err(Failure::CallTimeout)),
        };
        match sent {
            Ok((mut reply, upstream)) => {
                if let Some(answers) = answered {
                    answers.went_out();
                }
                if !modern
                    && let (known, headers) = (&self.known, reply.headers_mut())
                    && let Err(fault) =
                        affinity::seal(&self.shared, known, &mut session, upstream, headers)
                {
                    let reject = Reject::reply(fault).under(id.as_ref()).under_batch(&batch);
                    return Err((reject, self.record));
                }
                let way = way.within(session.id());
                let bounded = Bounded {
                    deadline,
                    result: bounds.max_result.map(|bound| bound.most),
                    rule: bounds.max_result.and_then(|bound| self.known.rule(bound.rule)),
                };
                let sent = Sent { modern, id, batch, slot, listens };
                let call = self.record.call.as_ref();
                let grants = call.and_then(|call| Grants::new(&self.known, call, opener, upstream));
                let question = self.question(sent, way, session.id().cloned(), bounded, grants);
                let credentials = &self.known.route.credentials;
                let mut response =
                    relay::relay(&self.shared, reply, question, credentials, self.record).await?;
                if let Some(admitted) = admitted {
                    let (standings, policy) = (admitted.standings(), &self.known.policy);
                    admit::tell_budgets(response.headers_mut(), standings, policy);
                }
                Ok(response)
            }
            Err(failure) => self.failed(&failure, slot, id, &batch).await,
        }
    }

    /// The session that a message belongs to: before anything about it is decided, and before it costs a budget.
    fn session(&self, message: &Message, headers: &mut HeaderMap) -> Result<Session, Box<Reject>> {
        if let Some(announced) = &self.known.announced {
            headers.remove(MCP_SESSION_ID);
            return Ok(Session::announced(announced));
        }
        let is_modern = match message {
            Message::Call(call) => call.revision.is_modern(),
            Message::Batch(_) | Message::Response => false,
        };
        if is_modern {
            return Ok(Session::none());
        }
        Session::open(&self.shared, &self.known, headers)
    }

    /// Opens what the client hands back, and leads the request to the server that knows it. Returns what opens a state that has
    /// not come yet.
    fn hand_back(
        &mut self,
        mut session: Session,
        message: &Message,
        opener: &Opener,
        inspector: &mut RequestInspector,
        headers: &mut HeaderMap,
    ) -> Result<(Session, Option<Box<StateOpener>>), Box<Reject>> {
        let Message::Call(call) = message else { return Ok((session, None)) };
        let route = &self.known.route;
        let states = StateOpener::new(&self.shared, &self.known, call);
        let opened = match &states {
            Some(states) => states.open(inspector),
            None => Ok(()),
        };
        opened
            .and_then(|()| opener.lead(route, &mut session, headers))
            .map_err(|violation| Reject::violation(&violation, route.revisions))?;
        Ok((session, states))
    }

    /// Decides `call`, and each task that it listens to, and charges for the call.
    fn judge_all(&mut self, call: Call, opener: &Opener) -> Result<Admitted, Box<Reject>> {
        let (context, now) = (self.known.context(), unix_seconds());
        self.record.judged = now;
        let (policy, principal) = (&self.known.policy, self.known.caller.principal());
        let mut polls = opener.polls(&call);
        let refused = polls.find_map(|poll| policy.decide(principal, &context, &poll, now).err());
        drop(polls);
        if let Some(refusal) = refused {
            let asked = Asked::single(&call, self.known.route.refusal);
            let reject = Reject::refused(&refusal, &asked, policy);
            self.record.revision = Some(call.revision);
            self.record.call = Some(call);
            return Err(reject);
        }
        self.judge(call)
    }

    /// Decides and charges. Everything before this only read; everything after it only moves bytes.
    fn judge(&mut self, call: Call) -> Result<Admitted, Box<Reject>> {
        let known = &self.known;
        let context = known.context();
        let asked = Asked::single(&call, known.route.refusal);
        let record = &mut self.record;
        record.revision = Some(call.revision);
        let now = unix_seconds();
        record.judged = now;
        let decision = known
            .policy
            .decide(known.caller.principal(), &context, &call, now)
            .and_then(|permitted| known.hold_to_pins(permitted, &call, now));
        let verdict = match decision {
            Ok(permitted) => {
                record.permitted(&permitted);
                // Charged last, so that a call that is refused anyway costs no budget.
                admit::admit(&self.shared, permitted, &asked, &known.policy)
            }
            Err(refusal) => {
                record.shadowed(refusal.shadow());
                Err(Reject::refused(&refusal, &asked, &known.policy))
            }
        };
        record.call = Some(call);
        verdict
    }

    /// Finds what a posted response answers, or each of a batch of them, and whether policy still lets the server ask that
    /// (T16).
    fn attribute(
        &mut self,
        session: &Session,
        inspector: &RequestInspector,
    ) -> Result<Answers, Box<Reject>> {
        self.note_batch(inspector);
        let shared = Arc::clone(&self.shared);
        if !looks::judges_requests(&self.known.policy, &self.known.route) {
            return Ok(Answers::unknown());
        }
        let now = shared.clock.micros(Instant::now());
        let key = session.key(&self.known);
        let revision = inspector.revision().unwrap_or(Revision::V2025_03_26);
        let batch = inspector.batch().into_iter().flat_map(Batch::responses);
        let mut answers = Answers::none();
        for id in inspector.id().into_iter().chain(batch) {
            let taken = shared.outstanding.take(key, id, now);
            let taken = taken.ok_or_else(Reject::response_unasked)?;
            for asked in taken.asked() {
                self.judge_server_request(asked, revision)?;
            }
            answers.add(taken);
        }
        Ok(answers)
    }

    fn judge_server_request(
        &mut self,
        asked: &outstanding::Asked,
        revision: Revision,
    ) -> Result<(), Box<Reject>> {
        let call = Call::of_server(&asked.method, revision, false, Args::default());
        // What this very policy permitted, it did with the arguments at hand; by another one they are unknown, and count
        // against the caller.
        let verdict = match asked.generation == self.known.policy.generation() {
            true => Ok(()),
            false => self.permits_server_request(&call),
        };
        self.record.call = Some(call);
        verdict
    }

    fn permits_server_request(&self, call: &Call) -> Result<(), Box<Reject>> {
        let known = &self.known;
        let context = known.context();
        let principal = known.caller.principal();
        match known.policy.decide_server_request(principal, &context, call, unix_seconds()) {
            Ok(_) => Ok(()),
            Err(refusal) => {
                let asked = Asked::single(call, known.route.refusal);
                Err(Reject::refused(&refusal, &asked, &known.policy))
            }
        }
    }

    /// What the reply will have to be.
    fn question(
        &mut self,
        sent: Sent,
        way: Way,
        session: Option<HeaderValue>,
        bounded: Bounded,
        grants: Option<Box<Grants>>,
    ) -> Question {
        let known = &self.known;
        let Sent { modern, id, batch, slot: late, listens } = sent;
        // One call, or those of a batch: whatever lists they ask for may be in the reply.
        let calls = || self.record.calls();
        let lists = calls().filter_map(|call| Method::from_wire(&call.method).info().lists);
        let lists: Kinds = lists.collect();
        let is_bounded = bounded.result.is_some();
        let sealed = match (&grants, &self.record.call) {
            (Some(_), Some(call)) => Grants::watch(call, Watch::NOTHING),
            _ => Watch::NOTHING,
        };
        let carries = calls().any(|call| carries(Method::from_wire(&call.method)));
        let looks = Looks { lists, is_light: false, is_bounded, carries, sealed };
        // On an announced endpoint the answers come on the stream.
        let wants_message = known.announced.is_none() && calls().any(|call| call.is_request);
        let is_endless = calls().any(|call| &*call.method == "subscriptions/listen");
        let expires = known.caller.expires();
        let revision = self.record.revision.unwrap_or(Revision::V2025_03_26);
        let request_id = self.record.request_id_value().clone();
        let judge =
            ReplyJudge::new(&self.shared, known, revision, id.clone(), request_id, session, looks)
                .granting(grants);
        let audience = match (&id, is_endless && modern) {
            (Some(id), true) => Audience::Listen(id.clone(), listens),
            _ => Audience::Nobody,
        };
        Question {
            modern,
            id,
            batch,
            wants_message,
            judge,
            audience,
            way,
            is_endless,
            expires,
            late,
            bounded,
        }
    }

    /// Refuses a body that has been looked at: under its id, wherever in the body that stands.
    async fn refuse(
        mut self,
        reject: Box<Reject>,
        mut inbound: Inbound,
        mut inspector: Box<RequestInspector>,
    ) -> Answer {
        self.glimpse(&inspector);
        read::for_id(&self.shared, &mut inbound, &mut inspector, &self.record.flow).await;
        self.note_batch(&inspector);
        let reject = match inspector.batch() {
            Some(batch) => reject.under_each(batch),
            None => {
                let is_awaited = self.record.call.is_some() || inspector.is_request();
                reject.under(inspector.id().filter(|_| is_awaited))
            }
        };
        Err((reject, self.record))
    }

    fn broken(&mut self, broken: Broken, inspector: &RequestInspector) -> Box<Reject> {
        self.glimpse(inspector);
        match broken {
            Broken::Idle => Reject::body_timeout(),
            Broken::Lost(error) => Reject::body_broken(error.to_string()),
        }
    }

    /// Remembers how many messages there were, where they are a batch of which nothing else is known.
    fn note_batch(&mut self, inspector: &RequestInspector) {
        if let (None, Some(batch)) = (&self.record.batch, inspector.batch()) {
            self.record.batch = Some(Box::new(Logged::of_size(batch.len())));
        }
    }

    /// Remembers what was asked, as far as it was read.
    fn glimpse(&mut self, inspector: &RequestInspector) {
        self.record.revision = self.record.revision.or_else(|| inspector.revision());
        if self.record.call.is_none() {
            self.record.glimpse = Some(Box::new(Glimpse {
                method: inspector.method().map(Into::into),
                target: inspector.target().map(Into::into),
            }));
        }
    }

    /// There is no reply: because of the upstream, or because the rest of the body turned out bad.
    async fn failed(
        mut self,
        failure: &Failure,
        slot: Option<Slot>,
        id: Option<Id>,
        batch: &[Id],
    ) -> Answer {
        let cut = slot.and_then(|slot| slot.lock().take());
        let Some(Cut { why, inbound, inspector }) = cut else {
            let reject = Reject::upstream(failure).under(id.as_ref()).under_batch(batch);
            return Err((reject, self.record));
        };
        let reject = match why {
            Why::Violation(violation) => Reject::violation(&violation, self.known.route.revisions),
            Why::Broken(broken) => {
                let reject = self.broken(broken, &inspector);
                return Err((reject.under(inspector.id()).under_batch(batch), self.record));
            }
            Why::Unsent => Reject::upstream(failure),
        };
        self.refuse(reject, inbound, inspector).await
    }
}

/// Whether a result of `method` may have resources in it.
fn carries(method: Method) -> bool {
    use Method as M;
    let reads = matches!(method, M::ToolsCall | M::PromptsGet | M::ResourcesRead);
    reads || matches!(method, M::TasksGet | M::TasksResult | M::SubscriptionsListen)
}

/// The ids that wait for an answer, where there are several.
fn batch_ids(inspector: &RequestInspector) -> Box<[Id]> {
    let batch = inspector.batch();
    batch.into_iter().flat_map(Batch::requests).map(|(_, id)| id.clone()).collect()
}
