//! What is remembered of an exchange for its line in the access log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{HeaderValue, Method, Response, StatusCode, Version};
use smallvec::SmallVec;

use super::audit::Audit;
use super::authenticate::Caller;
use super::batch::Logged;
use super::body::Body;
use super::clock::micros;
use super::elements::Findings;
use super::judge::ReplyJudge;
use super::peer::Peer;
use super::state::{Route, Shared};
use crate::observe::{AuditLine, Decision, Line, LoggedCall, Outcome, wall_clock_ms};
use crate::policy::{Basis, Call, Permitted, Policy, Reason, RuleId, Shadowed, UnixTime};
use crate::wire::mcp::Revision;

/// What came of a request body; kept by whoever reads it.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Body bytes that came from the client.
    pub(super) bytes_in: AtomicU64,
    /// Most bytes of it that were held at once.
    pub(super) held: AtomicU64,
}

impl Flow {
    /// `bytes` more came, and `held` wait now.
    pub(super) fn came(&self, bytes: usize, held: usize) {
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
        self.held.fetch_max(held as u64, Ordering::Relaxed);
    }

    fn so_far(&self) -> (u64, u64) {
        (self.bytes_in.load(Ordering::Relaxed), self.held.load(Ordering::Relaxed))
    }
}

/// What was read of a body that was refused before there was a call.
#[derive(Debug)]
pub(super) struct Glimpse {
    pub(super) method: Option<Box<str>>,
    pub(super) target: Option<Box<str>>,
}

/// An exchange on its way. Logged once, by [`Record::finish`]; one that is dropped before was left by its client.
#[derive(Debug)]
pub(super) struct Record {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    began: Instant,
    request_id: HeaderValue,
    version: Version,
    http: Method,
    /// The client's address, where a trusted proxy named one.
    pub(super) client: Option<Box<str>>,
    pub(super) route: Option<Arc<Route>>,
    pub(super) caller: Option<Caller>,
    pub(super) policy: Option<Arc<Policy>>,
    /// The host asked for.
    pub(super) host: Option<Arc<str>>,
    /// What is asked for. Of a batch that is refused: what the element to blame asks for.
    pub(super) call: Option<Call>,
    pub(super) batch: Option<Box<Logged>>,
    pub(super) revision: Option<Revision>,
    pub(super) glimpse: Option<Box<Glimpse>>,
    pub(super) flow: Flow,
    /// The same for the part of a body that streams while the reply is awaited.
    pub(super) rest: Option<Arc<Flow>>,
    decision: Decision,
    rule: Option<RuleId>,
    rule_name: Option<Arc<str>>,
    reason: Option<&'static str>,
    detail: Option<Box<str>>,
    shadow: SmallVec<[RuleId; 1]>,
    /// When the rules were asked, in seconds since 1970; 0: never.
    pub(super) judged: UnixTime,
    /// Whether the rules permitted it, whatever came after.
    was_permitted: bool,
    pub(super) status: u16,
    pub(super) bytes_out: u64,
    hidden: u64,
    server_refused: u64,
    findings: Option<Box<Findings>>,
    pub(super) upstream_us: Option<u64>,
    /// The last set by which its reply was looked at again.
    pub(super) last_generation: Option<u64>,
    is_logged: bool,
}

impl Record {
    /// An exchange begins.
    pub(super) fn open(
        shared: Arc<Shared>,
        peer: Arc<Peer>,
        head: &http::request::Parts,
        request_id: HeaderValue,
    ) -> Box<Self> {
        peer.begin();
        Box::new(Self {
            shared,
            peer,
            began: Instant::now(),
            request_id,
            version: head.version,
            http: head.method.clone(),
            client: None,
            route: None,
            caller: None,
            policy: None,
            host: None,
            call: None,
            batch: None,
            revision: None,
            glimpse: None,
            flow: Flow::default(),
            rest: None,
            decision: Decision::None,
            rule: None,
            rule_name: None,
            reason: None,
            detail: None,
            shadow: SmallVec::new(),
            judged: 0,
            was_permitted: false,
            status: 0,
            bytes_out: 0,
            hidden: 0,
            server_refused: 0,
            findings: None,
            upstream_us: None,
            last_generation: None,
            is_logged: false,
        })
    }

    /// The id as text. INVARIANT: [`super::request_id`] lets nothing but visible ASCII through.
    pub(super) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// The id as a header value.
    pub(super) fn request_id_value(&self) -> &HeaderValue {
        &self.request_id
    }

    /// Whether the exchange is on HTTP/1, where connection headers have a meaning.
    pub(super) fn is_http1(&self) -> bool {
        self.version <= Version::HTTP_11
    }

    /// The gateway is stopping.
    pub(super) fn is_draining(&self) -> bool {
        self.shared.is_draining()
    }

    /// Logs an exchange that mcpfw answers by itself and that was never to be decided.
    pub(super) fn answer(mut self: Box<Self>, response: Response<Body>) -> Response<Body> {
        self.status = response.status().as_u16();
        self.finish(Outcome::Complete);
        response
    }

    /// Everything that was asked for and allowed: of a batch, by each element.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        let batch = self.batch.iter().flat_map(|batch| &batch.calls).map(|(call, _)| call);
        self.call.iter().chain(batch)
    }

    /// What came of inspecting the reply, in which `hidden` elements of lists were removed.
    pub(super) fn inspected(&mut self, hidden: u64, judge: &ReplyJudge) {
        self.hidden = hidden;
        self.server_refused = judge.refusals();
        self.findings = judge.findings().cloned().map(Box::new);
    }

    /// Policy permits it.
    pub(super) fn permitted(&mut self, permitted: &Permitted) {
        self.decision = Decision::Allow;
        self.was_permitted = true;
        self.rule = match permitted.basis() {
            Basis::Rule(rule) => Some(rule),
            Basis::Lifecycle => None,
        };
        self.shadowed(permitted.shadow());
    }

    /// Rules in shadow mode matched.
    pub(super) fn shadowed(&mut self, shadow: &[Shadowed]) {
        self.shadow = shadow.iter().map(|shadowed| shadowed.rule).collect();
    }

    /// Something refuses it.
    pub(super) fn refused(
        &mut self,
        decision: Decision,
        reason: &'static str,
        rule: Option<Arc<str>>,
        detail: Option<Box<str>>,
    ) {
        self.decision = decision;
        self.reason = Some(reason);
        if rule.is_some() {
            self.rule_name = rule;
        }
        self.detail = detail;
    }

    /// The right to it is gone: `rule` takes it.
    pub(super) fn revoked(&mut self, reason: &'static str, rule: Option<Arc<str>>) {
        self.reason = Some(reason);
        if rule.is_some() {
            self.rule_name = rule;
        }
    }

    /// It was cut off.
    pub(super) fn cut(&mut self, reason: &'static str, detail: String) {
        self.reason = Some(reason);
        self.detail = Some(detail.into());
    }

    /// The upstream answered.
    pub(super) fn answered(&mut self, status: StatusCode, sent: Instant) {
        self.status = status.as_u16();
        self.upstream_us = Some(micros(sent.elapsed()));
    }

    /// Hands what was judged over to the audit log.
    fn audit(&self, audit: &Audit) {
        let (Some(policy), Some(caller), Some(route), Some(host)) =
            (&self.policy, &self.caller, &self.route, &self.host)
        else {
            return;
        };
        // Only what the rules or the limits said: a call that was refused before or cut off after them is not decided by them.
        let decision = match self.decision {
            Decision::Limit => Decision::Limit,
            Decision::Deny if self.reason.is_some_and(Reason::is_slug) => Decision::Deny,
            _ if self.was_permitted => Decision::Allow,
            _ => return,
        };
        let is_refused = decision != Decision::Allow;
        let name = |rule: RuleId| policy.rule(rule).map(|rule| &**rule.name());
        let line = |call, place, rule: Option<RuleId>| {
            audit.write(&AuditLine {
                time_ms: wall_clock_ms(),
                request_id: self.request_id(),
                peer: self.peer(),
                principal: caller.principal(),
                route: &route.name,
                host,
                call,
                place,
                decision,
                rule: match is_refused {
                    true => self.rule_name.as_deref(),
                    false => rule.and_then(name),
                },
                reason: self.reason.filter(|_| is_refused),
                policy,
                judged: self.judged,
                arguments: audit.has_arguments(),
            });
        };
        if let Some(call) = &self.call {
            line(call, None, self.rule);
        }
        let batch = self.batch.iter().flat_map(|batch| &batch.calls);
        (0..).zip(batch).for_each(|(at, (call, rule))| line(call, Some(at), *rule));
    }

    fn peer(&self) -> &str {
        self.client.as_deref().unwrap_or(self.peer.ip_value.to_str().unwrap_or_default())
    }

    /// The exchange is over. Later calls do nothing.
    pub(super) fn finish(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.is_logged, true) {
            return;
        }
        self.peer.end();
        if let Some(audit) = &self.shared.audit {
            self.audit(audit);
        }
        let Some(log) = &self.shared.log else { return };
        let policy = self.policy.as_deref();
        let name =
            |rule: RuleId| policy.and_then(|policy| policy.rule(rule)).map(|rule| &**rule.name());
        let shadow: SmallVec<[&str; 2]> =
            self.shadow.iter().filter_map(|rule| name(*rule)).collect();
        let principal = self.caller.as_ref().map(Caller::principal);
        let object = self.call.as_ref().and_then(|call| call.object.as_ref());
        let glimpse = self.glimpse.as_deref();
        let (mut bytes_in, mut held) = self.flow.so_far();
        if let Some((more, most)) = self.rest.as_ref().map(|rest| rest.so_far()) {
            bytes_in += more;
            held = held.max(most);
        }
        let batch = self.batch.as_deref();
        let calls: SmallVec<[LoggedCall<'_>; 2]> = batch
            .iter()
            .flat_map(|batch| &batch.calls)
            .map(|(call, rule)| LoggedCall {
                method: &call.method,
                kind: call.object.as_ref().map(|object| object.kind.as_str()),
                target: call.object.as_ref().map(|object| &*object.name),
                rule: rule.and_then(name),
            })
            .collect();
        let nothing = Findings::default();
        let found = self.findings.as_deref().unwrap_or(&nothing);
        let kinds = found.flagged_kinds.to_string();
        log.log(&Line {
            time_ms: wall_clock_ms(),
            request_id: self.request_id(),
            peer: self.peer(),
            principal_kind: principal.map(|principal| principal.kind().as_str()),
            principal_id: principal.and_then(|principal| principal.id()),
            principal_issuer: principal.and_then(|principal| principal.issuer()),
            route: self.route.as_ref().map(|route| &*route.name),
            http: self.http.as_str(),
            revision: self.revision.map(Revision::as_str),
            method: match &self.call {
                Some(call) => Some(&call.method),
                None => glimpse.and_then(|glimpse| glimpse.method.as_deref()),
            },
            kind: object.map(|object| object.kind.as_str()),
            target: match object {
                Some(object) => Some(&object.name),
                None => glimpse.and_then(|glimpse| glimpse.target.as_deref()),
            },
            batch: batch.map(|batch| batch.size as u64),
            calls: &calls,
            decision: self.decision,
            // In a batch every call has its own.
            rule: self
                .rule_name
                .as_deref()
                .or_else(|| self.rule.filter(|_| calls.is_empty()).and_then(name)),
            reason: self.reason,
            detail: self.detail.as_deref(),
            shadow: &shadow,
            generation: policy.map(Policy::generation),
            last_generation: self.last_generation,
            digest: policy.map(|policy| policy.digest().as_str()),
            status: self.status,
            bytes_in,
            bytes_out: self.bytes_out,
            held,
            hidden: self.hidden,
            changed: found.changed,
            changed_names: &found.changed_names,
            flagged: found.flagged,
            flagged_kinds: &kinds,
            server_refused: self.server_refused,
            total_us: micros(self.began.elapsed()),
            upstream_us: self.upstream_us,
            outcome,
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // hyper drops what it was sending when the client goes away; nothing else tells us.
        self.finish(Outcome::ClientLeft);
    }
}
