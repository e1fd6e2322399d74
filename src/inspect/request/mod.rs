//! The request inspector: reads a JSON-RPC message as its chunks arrive, says as early as possible
//! what is asked for, and hands the same chunks out once that is permitted.
//!
//! ```text
//! feed ─► tokenizer ─► Envelope ─► Call (take_call) ─► policy, limits ─► release
//!   └───► Gate ─────────────────────────────────────────────────────────► next_chunk
//! ```
//!
//! Invariants: what leaves is what came, byte for byte. Nothing leaves before [`RequestInspector::release`].
//! The root's closing brace (of a batch, its bracket) leaves only after [`RequestInspector::finish`] found the whole body good, so that a late
//! violation leaves the upstream with a body that no parser takes for complete (T8). Neither the chunks' sizes nor their
//! cuts change any verdict.

mod batch;
mod envelope;
mod gate;
mod handle;
mod mirrored;
mod place;
mod reader;
mod settle;
mod violation;

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;

pub use self::batch::Batch;
use self::envelope::Envelope;
use self::gate::Gate;
pub use self::handle::{Handle, HandleKind, Opened};
use self::mirrored::Mirrored;
use self::reader::{Enough, Reader};
pub use self::violation::Violation;
use super::id::Run;
use crate::inspect::annotation::Annotated;
use crate::policy::{Call, Permitted, Policy};
use crate::wire::json::{self, Error, Tokenizer};
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::{Method, Mirror, ObjectKind, Revision, RevisionSet};

/// What is known of an exchange before its body comes.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the mirrored headers claim.
    pub mirror: Mirror,
    /// What the session that the request names has negotiated, where that is known.
    pub session: Option<Revision>,
    /// Whether the path is a message endpoint that an HTTP+SSE stream announced.
    pub announced: bool,
    /// The revisions that the route serves.
    pub route: RevisionSet,
}

/// Bounds of one request body. Each is inclusive: the value itself still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Bytes of the body. Default 4 MiB, what SDK servers take (T5).
    pub body: u64,
    /// Bytes that may come before what a decision needs is known, and so wait in memory. Default 64 KiB (T8).
    pub hold: u64,
    /// As `hold`, of a response to a request of the server, whose id says what it answers and stands last in what the TypeScript
    /// SDK writes. Default 1 MiB: what a client samples may hold an image.
    pub response: u64,
    /// Bytes of arguments that are kept for rules; a larger one is [`crate::policy::Arg::TooLarge`]. Default 16 KiB.
    pub capture: usize,
    /// Elements of a captured list, and URIs of a listen request. Default 64.
    pub elements: usize,
    /// Bytes of the method's name. Default 128: the longest in the specification has 40.
    pub method: usize,
    /// Bytes of a tool or prompt name, a URI or a task handle. Default 8 KiB, what servers take of a URL.
    pub target: usize,
    /// Bytes of a `requestState` as clients hand it back, sealed. Default 43 743: what 32 KiB of a server's are then, and within
    /// `hold` (T14).
    pub state: usize,
    /// Elements of a batch. Default 20 (T6): what one refused element costs its neighbours, and what one request can ask
    /// for. With 0 there are no batches. All of a batch is held until its end, so that `hold` bounds its bytes.
    pub batch: usize,
    /// Bytes of white space behind the message. Default 1 KiB: they wait in memory until the end.
    pub trailing: u64,
    /// Bounds of the JSON itself.
    pub json: json::Limits,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            hold: 64 << 10,
            response: 1 << 20,
            capture: 16 << 10,
            elements: 64,
            method: 128,
            target: 8 << 10,
            state: 43_743,
            batch: 20,
            trailing: 1 << 10,
            json: json::Limits::default(),
        }
    }
}

/// Inspects one request body. It does no input or output of its own.
#[derive(Debug)]
pub struct RequestInspector {
    tokenizer: Tokenizer,
    envelope: Envelope,
    gate: Gate,
    /// Bytes scanned.
    fed: u64,
    /// The tokenizer has said its last word.
    is_spent: bool,
    is_taken: bool,
    /// A response is one only with its id.
    awaits_response_id: bool,
}

impl RequestInspector {
    /// An inspector of a body that has not begun. `seed` keys the tokenizer's hash of member names.
    #[must_use]
    pub fn new(policy: Arc<Policy>, exchange: Exchange, limits: RequestLimits, seed: u64) -> Self {
        Self {
            tokenizer: Tokenizer::new(limits.json, seed),
            envelope: Envelope::new(policy, exchange, limits),
            gate: Gate::default(),
            fed: 0,
            is_spent: false,
            is_taken: false,
            awaits_response_id: false,
        }
    }

    /// From now on a response counts as one when its id is known, which may stand at its end: until then it is held, within
    /// [`RequestLimits::hold`].
    pub fn await_response_id(&mut self) {
        self.awaits_response_id = true;
    }

    /// Compares the arguments of a call with the `Mcp-Param-*` that `annotated` says mirror them. To be said before the
    /// body begins; without it they go on uncompared.
    #[must_use]
    pub fn with_annotated(mut self, annotated: &Arc<Annotated>) -> Self {
        let envelope = &mut self.envelope;
        let mirror = &envelope.exchange.mirror;
        // A modern request names its tool, and is refused if the body names another.
        let may_call = mirror.method().is_none_or(|method| method == Method::ToolsCall.info().name);
        let plan = mirror.name().filter(|_| may_call).and_then(|tool| annotated.of(tool));
        envelope.mirrored = plan.map(|plan| Box::new(Mirrored::new(plan, mirror)));
        if mirror.has_params() {
            envelope.annotated = Some(Arc::clone(annotated));
        }
        self
    }

    /// Reads the next chunk of the body, whole, even where it refuses: afterwards [`RequestInspector::id`]
    /// knows an id that stood anywhere in it.
    ///
    /// # Errors
    /// The first [`Violation`] in the body; the same again once there was one.
    pub fn feed(&mut self, chunk: Bytes) -> Result<(), Violation> {
        let mut rest = &*chunk;
        while !rest.is_empty() && !self.is_refused() {
            let room = usize::try_from(self.room()).unwrap_or(usize::MAX);
            if room == 0 {
                self.refuse(self.excess());
                break;
            }
            // Cutting where a limit lies makes the verdict the same at any chunk size.
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.scan(now);
            rest = later;
        }
        self.bound_trailing();
        if !self.is_refused() {
            if let Some(brace) = self.envelope.brace {
                self.gate.keep_from(brace);
            }
            self.gate.push(chunk);
            self.hold_handles();
        } else if !rest.is_empty() {
            let _ = self.drain(rest);
        }
        self.verdict()
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// As [`RequestInspector::feed`]; also where the message is not complete.
    pub fn finish(&mut self) -> Result<(), Violation> {
        if !self.is_refused() {
            let run = Run { bytes: &[], base: self.fed };
            let mut reader = Reader { envelope: &mut self.envelope, run };
            let end = self.tokenizer.finish(&mut reader);
            if let Err(error) = end {
                self.scan_ended(error);
            }
        }
        self.verdict()?;
        self.gate.complete();
        Ok(())
    }

    /// What is asked for: once, as soon as enough of the body is known to decide it.
    ///
    /// Never for a response ([`RequestInspector::is_response`]) or a batch ([`RequestInspector::take_batch`]).
    pub fn take_call(&mut self) -> Option<Call> {
        if self.envelope.batch.is_some() {
            return None;
        }
        let call = self.envelope.call.take();
        self.is_taken |= call.is_some();
        call
    }

    /// What the elements of a batch ask for, in their order: once, as soon as all of them have been read. Never for a
    /// batch of responses.
    pub fn take_batch(&mut self) -> Option<Vec<Call>> {
        let calls = self.envelope.batch.as_mut()?.take_calls();
        self.is_taken |= calls.is_some();
        calls
    }

    /// From now on the arguments may have `most` bytes; of a batch, those of each message.
    ///
    /// # Errors
    /// [`Violation::ArgumentsTooLarge`], at once or from a later [`RequestInspector::feed`].
    pub fn bound_arguments(&mut self, most: u64) -> Result<(), Violation> {
        self.envelope.arguments_most = Some(most);
        self.envelope.check_arguments_len();
        self.envelope.check_arguments_so_far(self.fed);
        self.verdict()
    }

    /// Opens the way for the body of the call, or calls, that were taken. Asks for the permission so that nobody forgets it.
    pub fn release(&mut self, _permitted: &Permitted) {
        if self.is_taken && !self.is_refused() {
            self.gate.open();
        }
    }

    /// Opens the way for the body of a response to a request of the server, or of several. Does nothing for anything else.
    pub fn release_response(&mut self) {
        if self.is_response() && !self.is_refused() {
            self.gate.open();
        }
    }

    /// The next bytes that may go upstream, slices of what was fed.
    pub fn next_chunk(&mut self) -> Option<Bytes> {
        self.gate.next()
    }

    /// Reads on after a refusal, for nothing but the id (of a batch, the ids), and forgets what was held. Says
    /// [`ControlFlow::Break`] as soon as more bytes cannot tell anything.
    pub fn drain(&mut self, chunk: &[u8]) -> ControlFlow<()> {
        self.envelope.is_quiet = true;
        self.envelope.call = None;
        if let Some(batch) = &mut self.envelope.batch {
            batch.forget_calls();
        }
        self.gate.seal();
        let room = self.envelope.limits.body.saturating_sub(self.fed);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let readable = chunk.get(..room.min(chunk.len())).unwrap_or(chunk);
        if !self.is_spent && !self.knows_ids() {
            self.scan(readable);
        }
        let is_done = self.is_spent || self.knows_ids() || readable.len() < chunk.len();
        if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The id, once it has been read. A batch has several ([`Batch::requests`]) and none of its own.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        self.envelope.id.id().filter(|_| self.envelope.batch.is_none())
    }

    /// The batch, where the body is one; complete once it was taken, refused and drained, or found to be of responses.
    ///
    /// `None` also where it was refused in a way that leaves nothing to answer each request with: JSON-RPC 2.0 §6 has
    /// one error for a batch that cannot be read.
    #[must_use]
    pub fn batch(&self) -> Option<&Batch> {
        let is_readable = !self.envelope.violation.as_ref().is_some_and(Violation::ends_batch);
        self.envelope.batch.as_deref().filter(|_| is_readable)
    }

    /// Whether the message wants a reply, as far as is known: it has a method that does, or an id and is no response.
    #[must_use]
    pub fn is_request(&self) -> bool {
        match &self.envelope.batch {
            Some(batch) => batch.requests().next().is_some(),
            None => self.envelope.wants_reply(),
        }
    }

    /// Whether the message is a response to a request of the server. Of a batch: whether all of it has been read and is
    /// responses.
    #[must_use]
    pub fn is_response(&self) -> bool {
        if let Some(batch) = &self.envelope.batch {
            return batch.is_of_responses();
        }
        let is_outcome = self.envelope.has_outcome && self.envelope.method.is_none();
        is_outcome && (!self.awaits_response_id || self.id().is_some())
    }

    /// The method, for the log of a refusal: known from when it was read until the call is taken. Of a batch: of the
    /// element that is refused.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match &self.envelope.batch {
            Some(batch) => batch.refused_method(),
            None => self.envelope.method(),
        }
    }

    /// What the method acts on, for the log of a refusal: as [`RequestInspector::method`].
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match &self.envelope.batch {
            Some(batch) => batch.refused_target(),
            None => self.envelope.target(),
        }
    }

    /// The revision of headers and body together, once both are known.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        match &self.envelope.batch {
            Some(_) => Some(batch::REVISION),
            None => self.envelope.revision,
        }
    }

    /// The kinds of list of whose changes a `subscriptions/listen` asks to be told; known when the call is.
    pub fn listens(&self) -> impl Iterator<Item = ObjectKind> {
        let kinds = [ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource];
        let listens = self.envelope.listens;
        kinds.into_iter().zip(listens).filter(|(_, listens)| *listens).map(|(kind, _)| kind)
    }

    /// Bytes that were fed and have not been handed out.
    #[must_use]
    pub fn held(&self) -> usize {
        self.gate.held()
    }

    /// Whether nothing more of a refused body can be of use.
    fn knows_ids(&self) -> bool {
        match &self.envelope.batch {
            Some(batch) => batch.is_closed(),
            None => self.envelope.id.id().is_some(),
        }
    }

    fn scan(&mut self, bytes: &[u8]) {
        let run = Run { bytes, base: self.fed };
        let mut reader = Reader { envelope: &mut self.envelope, run };
        let end = self.tokenizer.feed(bytes, &mut reader);
        self.fed += bytes.len() as u64;
        self.envelope.id.carry(run);
        if let Err(error) = end {
            self.scan_ended(error);
        }
    }

    fn scan_ended(&mut self, error: Error<Enough>) {
        self.is_spent = true;
        match error {
            Error::Stop(Enough) => {}
            Error::Syntax(error) => {
                let trailing = self.envelope.brace.map(|brace| error.offset.saturating_sub(brace));
                self.refuse(match trailing {
                    // White space beyond the limit came first.
                    Some(bytes) if bytes > self.envelope.limits.trailing + 1 => {
                        Violation::TrailingSpace
                    }
                    _ => Violation::Syntax(error),
                });
            }
        }
    }

    fn is_refused(&self) -> bool {
        self.envelope.is_quiet
    }

    fn refuse(&mut self, violation: Violation) {
        self.envelope.refuse(violation);
    }

    fn verdict(&mut self) -> Result<(), Violation> {
        match &self.envelope.violation {
            Some(violation) => {
                self.gate.seal();
                Err(violation.clone())
            }
            None => Ok(()),
        }
    }

    /// Bytes until the nearest limit.
    fn room(&self) -> u64 {
        let limits = &self.envelope.limits;
        let is_decided = match &self.envelope.batch {
            Some(batch) => batch.is_closed(),
            None => self.envelope.is_decided && (!self.envelope.has_outcome || self.is_response()),
        };
        let hold = match self.envelope.has_outcome && self.envelope.batch.is_none() {
            // Never less than of anything: it is not known from the first byte on to be a response.
            true => limits.response.max(limits.hold),
            false => limits.hold,
        };
        let limit = if is_decided { limits.body } else { limits.body.min(hold) };
        let limit = self.envelope.handles.end_of_state(limits.state).unwrap_or(limit).min(limit);
        limit.saturating_sub(self.fed)
    }

    /// The limit that [`RequestInspector::room`] ran into.
    fn excess(&self) -> Violation {
        let limits = &self.envelope.limits;
        if self.fed >= self.envelope.limits.body {
            Violation::BodyTooLarge
        } else if self.envelope.handles.end_of_state(limits.state).is_some_and(|at| self.fed >= at)
        {
            Violation::StateUnknown
        } else {
            Violation::HoldExceeded
        }
    }

    fn bound_trailing(&mut self) {
        if let Some(brace) = self.envelope.brace
            && self.fed.saturating_sub(brace + 1) > self.envelope.limits.trailing
        {
            self.refuse(Violation::TrailingSpace);
        }
    }
}

#[cfg(test)]
mod tests;
