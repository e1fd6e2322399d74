//! One JSON-RPC message: read, decide, admit, forward, relay.

use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;

use super::affinity::{self, Session};
use super::clock::unix_seconds;
use super::forward::{self, Facts, Leave};
use super::inbound::{Broken, Inbound};
use super::peer::Peer;
use super::read::{self, Message, Unread};
use super::record::{Glimpse, Record};
use super::reject::{Asked, Reject};
use super::relay::{self, Question};
use super::state::Shared;
use super::uplink::{Cut, Slot, Why};
use super::visible::Viewer;
use super::{Answer, Known, admit};
use crate::inspect::request::RequestInspector;
use crate::limit::Admitted;
use crate::policy::{Call, Context};
use crate::upstream::Failure;
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::Method;

/// An exchange that carries a message.
pub(super) struct Exchange {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Arc<Peer>,
    pub(super) known: Known,
    pub(super) record: Box<Record>,
}

impl Exchange {
    pub(super) async fn run(mut self, mut head: Parts, mut inbound: Inbound) -> Answer {
        let (shared, known) = (&*self.shared, &self.known);
        let policy = Arc::clone(&known.policy);
        let mut inspector = match read::inspector(shared, policy, &known.route, &head.headers) {
            Ok(inspector) => inspector,
            Err(reject) => {
                read::unseen(&head.headers, &mut inbound, &self.record).await;
                return Err((reject, self.record));
            }
        };
        // No further than a decision needs: what comes behind is judged while it streams.
        let read = read::until_decidable(&mut inbound, &mut inspector, &self.record.flow).await;
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
        let session = match self.session(&message, &mut head.headers) {
            Ok(session) => session,
            Err(reject) => {
                if let Message::Call(call) = message {
                    self.record.revision = Some(call.revision);
                    self.record.call = Some(call);
                }
                return self.refuse(reject, inbound, inspector).await;
            }
        };
        let (leave, admitted) = match message {
            Message::Call(call) => match self.judge(call) {
                Ok(admitted) => (Leave::admitted(&admitted, &mut inspector), Some(admitted)),
                Err(reject) => return self.refuse(reject, inbound, inspector).await,
            },
            // It answers what the server asked; nothing is called.
            Message::Response => (Leave::response(&mut inspector), None),
        };
        self.record.revision = self.record.revision.or_else(|| inspector.revision());
        let modern = self.record.revision.is_some_and(|revision| revision.is_modern());
        let id = inspector.id().cloned();
        let (body, slot) = forward::body(inbound, inspector, &mut self.record);
        let facts = Facts {
            shared: &self.shared,
            route: &self.known.route,
            peer: &self.peer,
            caller: self.known.caller.principal(),
            modern,
            session: &session,
        };
        match forward::send(leave, head, body, &facts, &mut self.record).await {
            Ok((mut reply, upstream)) => {
                let sealed = match modern {
                    true => Ok(()),
                    false => {
                        affinity::seal(&self.shared, &self.known, upstream, reply.headers_mut())
                    }
                };
                if let Err(fault) = sealed {
                    return Err((Reject::reply(fault).under(id.as_ref()), self.record));
                }
                let question = self.question(modern, id, slot);
                let credentials = &self.known.route.credentials;
                let mut response =
                    relay::relay(&self.shared, reply, question, credentials, self.record)?;
                if let Some(admitted) = admitted {
                    let (standings, policy) = (admitted.standings(), &self.known.policy);
                    admit::tell_budgets(response.headers_mut(), standings, policy);
                }
                Ok(response)
            }
            Err(failure) => self.failed(&failure, slot, id).await,
        }
    }

    /// The session that a message belongs to: before anything about it is decided, and before it costs a budget.
    fn session(&self, message: &Message, headers: &mut HeaderMap) -> Result<Session, Box<Reject>> {
        let is_modern = match message {
            Message::Call(call) => call.revision.is_modern(),
            Message::Response => false,
        };
        if is_modern {
            return Ok(Session::none());
        }
        Session::open(&self.shared, &self.known, headers)
    }

    /// Decides and charges. Everything before this only read; everything after it only moves bytes.
    fn judge(&mut self, call: Call) -> Result<Admitted, Box<Reject>> {
        let known = &self.known;
        let context =
            Context { route: &known.route.name, host: &known.host, sni: None, ip: known.ip };
        let asked = Asked { call: &call, style: known.route.refusal };
        let record = &mut self.record;
        record.revision = Some(call.revision);
        let decision =
            known.policy.decide(known.caller.principal(), &context, &call, unix_seconds());
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

    /// What the reply will have to be.
    fn question(&mut self, modern: bool, id: Option<Id>, slot: Option<Slot>) -> Question {
        let call = self.record.call.as_ref();
        let lists = call.and_then(|call| Method::from_wire(&call.method).info().lists);
        let known = &self.known;
        let hides = lists.is_some_and(|kind| known.policy.may_hide(kind));
        let viewer = call.filter(|_| hides).map(|call| Viewer::of(known, call.revision));
        let wants_message = call.is_some_and(|call| call.is_request);
        let is_endless = call.is_some_and(|call| &*call.method == "subscriptions/listen");
        let expires = known.caller.expires();
        Question { modern, id, wants_message, viewer, is_endless, expires, late: slot }
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
        let id = inspector.id().filter(|_| self.record.call.is_some() || inspector.is_request());
        Err((reject.under(id), self.record))
    }

    fn broken(&mut self, broken: Broken, inspector: &RequestInspector) -> Box<Reject> {
        self.glimpse(inspector);
        match broken {
            Broken::Idle => Reject::body_timeout(),
            Broken::Lost(error) => Reject::body_broken(error.to_string()),
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
    async fn failed(mut self, failure: &Failure, slot: Option<Slot>, id: Option<Id>) -> Answer {
        let cut = slot.and_then(|slot| slot.lock().take());
        let Some(Cut { why, inbound, inspector }) = cut else {
            return Err((Reject::upstream(failure).under(id.as_ref()), self.record));
        };
        let reject = match why {
            Why::Violation(violation) => Reject::violation(&violation, self.known.route.revisions),
            Why::Broken(broken) => {
                let reject = self.broken(broken, &inspector);
                return Err((reject.under(inspector.id()), self.record));
            }
            Why::Unsent => Reject::upstream(failure),
        };
        self.refuse(reject, inbound, inspector).await
    }
}
