//! What a caller sees in a reply, and what the server may ask of it there.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;

use super::Known;
use super::affinity::session_key;
use super::authenticate::Caller;
use super::clock::unix_seconds;
use super::elements::{Elements, Findings};
use super::handles::Grants;
use super::looks::Looks;
use super::outstanding::SessionKey;
use super::reject;
use super::state::{Route, Shared};
use crate::config::Credentials;
use crate::inspect::annotation::ToolReader;
use crate::inspect::response::{
    ElementPart, Elicitation, Judge, Listing, SealedKind, ServerRequest, Watch,
};
use crate::lock::List;
use crate::policy::{Call, Captures, Context, Policy, Principal, SlotSet};
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::Revision;

/// Refused requests of one reply that are remembered for their answers. A chunk of the smallest requests has some two thousand;
/// what is not read on because answers wait has less. A batch as JSON is answered by nobody, and may be long.
const MOST_REFUSED: usize = 4_096;

/// Judges a reply for one caller: whatever it may not call is hidden (promise 5), and the server asks of it what policy lets it
/// ask (T16).
#[derive(Debug)]
pub(super) struct ReplyJudge {
    shared: Arc<Shared>,
    policy: Arc<Policy>,
    caller: Caller,
    route: Arc<Route>,
    host: Arc<str>,
    ip: IpAddr,
    revision: Revision,
    /// Under which a refusal that takes the place of a result is told, where the result has no id of its own.
    id: Option<Id>,
    request_id: HeaderValue,
    /// The session, by the server's own id for it: where answers of the client look for what they answer.
    session: Option<HeaderValue>,
    looks: Looks,
    /// Requests of the server that were refused, and that it waits for an answer to.
    refused: VecDeque<Id>,
    /// How many were refused in all.
    refusals: u64,
    /// Seals what the reply hands out, where that may be something.
    grants: Option<Box<Grants>>,
    /// Made for the first element of a list that is looked at.
    elements: Option<Box<Elements>>,
    /// The same for the first tool, where its mirrored arguments are learnt.
    tools: Option<Box<ToolReader>>,
}

impl ReplyJudge {
    /// The judge of a reply in the exchange `known`, which is answered under `id`.
    pub(super) fn new(
        shared: &Arc<Shared>,
        known: &Known,
        revision: Revision,
        id: Option<Id>,
        request_id: HeaderValue,
        session: Option<HeaderValue>,
        looks: Looks,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            policy: Arc::clone(&known.policy),
            caller: known.caller.clone(),
            route: Arc::clone(&known.route),
            host: Arc::clone(&known.host),
            ip: known.ip,
            revision,
            id,
            request_id,
            session,
            looks,
            refused: VecDeque::new(),
            refusals: 0,
            grants: None,
            elements: None,
            tools: None,
        }
    }

    /// With what seals what the reply hands out.
    pub(super) fn granting(self, grants: Option<Box<Grants>>) -> Self {
        Self { grants, ..self }
    }

    /// Whether the revision is modern: its servers ask in results, and are answered in requests.
    pub(super) fn is_modern(&self) -> bool {
        self.revision.is_modern()
    }

    /// The stream announces where to post: the requests on it belong to `session`.
    pub(super) fn begins(&mut self, session: HeaderValue) {
        (self.session, self.revision) = (Some(session), Revision::V2024_11_05);
    }

    /// What is looked for. Lists that pass unseen are noted.
    pub(super) fn watch(&self) -> Watch {
        let watch = self.looks.watch(&self.policy, &self.route);
        if !watch.lists && !self.looks.is_light {
            self.looks.lists.iter().for_each(|kind| self.route.seen.miss(kind));
        }
        watch
    }

    /// The set that judges.
    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The revision that is spoken.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// The session, where there is one.
    pub(super) fn session_key(&self) -> Option<SessionKey> {
        let id = self.session.as_ref()?;
        Some(session_key(&self.route, &self.caller, Some(id)))
    }

    /// Whether a reply may be a batch.
    pub(super) fn allows_batch(&self) -> bool {
        self.revision == Revision::V2025_03_26
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn principal(&self) -> &Principal {
        self.caller.principal()
    }

    /// The id of the exchange.
    pub(super) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// Whether the server gets the client's own credentials.
    pub(super) fn forwards_credentials(&self) -> bool {
        matches!(self.route.credentials, Credentials::Forward)
    }

    /// A refused request of the server that has not been answered.
    pub(super) fn take_refused(&mut self) -> Option<Id> {
        self.refused.pop_front()
    }

    /// How many wait for their answer.
    pub(super) fn waiting(&self) -> usize {
        self.refused.len()
    }

    /// Requests of the server refused so far.
    pub(super) fn refusals(&self) -> u64 {
        self.refusals
    }

    /// What was found in lists so far.
    pub(super) fn findings(&self) -> Option<&Findings> {
        self.elements.as_ref().map(|elements| &elements.findings)
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context { route: &self.route.name, host: &self.host, sni: None, ip: self.ip }
    }
}

impl Judge for ReplyJudge {
    /// Each event is judged by the set that is in force when it begins (T59).
    fn renew(&mut self) -> Option<Watch> {
        if self.shared.policy.load().generation() == self.policy.generation() {
            return None;
        }
        self.policy = self.shared.policy.load_full();
        // What it looks for in an element is another set's. What it found is to be told all the same.
        if let Some(elements) = self.elements.take() {
            let found = elements.findings;
            let fresh = Elements::new(&self.policy, &self.route);
            self.elements =
                Some(Box::new(fresh.unwrap_or_else(Elements::nothing))).map(|mut fresh| {
                    fresh.findings = found;
                    fresh
                });
        }
        Some(self.watch())
    }

    fn listed(&mut self, list: List, name: &str) -> Listing {
        let (principal, now) = (self.caller.principal(), unix_seconds());
        let context = self.context();
        self.route.seen.note(list, name);
        let kind = list.kind();
        let is_visible = self.policy.lists(principal, &context, self.revision, kind, name, now);
        match &mut self.elements {
            None => is_visible.into(),
            Some(elements) => {
                elements.named(&self.policy, &self.route, list, name, is_visible, now)
            }
        }
    }

    fn element(&mut self, list: List, part: ElementPart<'_>) {
        if self.elements.is_none() {
            self.elements = Elements::new(&self.policy, &self.route).map(Box::new);
        }
        if let Some(elements) = &mut self.elements {
            elements.part(&self.policy, &self.route, list, part);
        }
        if list == List::Tools && self.route.mirrors() {
            self.tools.get_or_insert_default().part(part, &self.route.annotated);
        }
    }

    fn element_passes(&mut self) -> bool {
        self.elements.as_ref().is_some_and(|elements| elements.passes())
    }

    fn delivers(&mut self, uri: &str) -> bool {
        let (principal, now) = (self.caller.principal(), unix_seconds());
        self.policy.delivers(principal, &self.context(), self.revision, uri, now)
    }

    fn captures(&self) -> Option<&Captures> {
        Some(self.policy.captures()).filter(|captures| !captures.is_empty())
    }

    fn needs(&self, method: &str) -> SlotSet {
        self.policy.needs_of_server_request(method).slots
    }

    fn permits(&mut self, request: &ServerRequest<'_>) -> bool {
        if let Some(Elicitation::Url(url)) = request.elicitation
            && !self.route.elicitation_hosts.allows(url)
        {
            return false;
        }
        let call = Call::of_server(request.method, self.revision, true, request.args.clone());
        let (principal, now) = (self.caller.principal(), unix_seconds());
        match self.policy.decide_server_request(principal, &self.context(), &call, now) {
            Ok(permitted) => {
                let now = self.shared.clock.micros(Instant::now());
                self.shared.limiter.admit(permitted, now).is_ok()
            }
            Err(_) => false,
        }
    }

    fn asked(&mut self, method: &str, id: Option<&Id>, passes: bool) -> bool {
        if passes {
            // What answers it is judged by this.
            let Some(id) = id else { return true };
            let now = self.shared.clock.micros(Instant::now());
            let generation = self.policy.generation();
            // Made for the few replies in which a server asks: it costs a hash.
            let session = session_key(&self.route, &self.caller, self.session.as_ref());
            return self.shared.outstanding.note(session, id, method, generation, now).is_ok();
        }
        self.refusals += 1;
        // A modern server gets no answers: it had no business to ask.
        if let Some(id) = id.filter(|_| !self.is_modern()) {
            // Beyond it nobody reads the answers that there are.
            if self.refused.len() == MOST_REFUSED {
                return false;
            }
            self.refused.push_back(id.clone());
        }
        true
    }

    fn seal(&mut self, kind: SealedKind, text: &str) -> Option<String> {
        self.grants.as_ref()?.seal(&self.shared, kind, text)
    }

    fn refusal(&mut self, id: Option<&Id>) -> Vec<u8> {
        self.refusals += 1;
        reject::input_refused(id.or(self.id.as_ref()), self.request_id())
    }
}
