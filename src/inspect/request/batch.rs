//! Batches: an array of messages as one body, which 2025-03-26 has and no other revision (T6).
//!
//! The tokenizer goes through the array once, and one [`Envelope`] after the other reads an element as if it were the whole
//! body. Nothing of a batch leaves before its closing bracket: what its last element asks for is part of the verdict.

use std::sync::Arc;

use super::Violation;
use super::envelope::{Envelope, Progress};
use crate::policy::Call;
use crate::wire::json::Kind;
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::agree::{self, Body};
use crate::wire::mcp::revision::{self, Inputs};
use crate::wire::mcp::{EnvelopeError, Method, Revision};

/// The only revision that has batches.
pub(super) const REVISION: Revision = Revision::V2025_03_26;

/// What has been read of a batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// Of the elements that ended.
    elements: Vec<Element>,
    /// What they ask for. Empty once taken, and in a batch of responses.
    calls: Vec<Call>,
    /// Elements that began.
    begun: usize,
    /// The last of them has not ended.
    is_inside: bool,
    is_closed: bool,
    /// Whether the first element is a response, and so all are.
    has_responses: bool,
    refused: Option<Refused>,
}

/// One message of a batch.
#[derive(Debug)]
struct Element {
    id: Option<Id>,
    wants_reply: bool,
}

/// The element that broke a rule.
#[derive(Debug)]
struct Refused {
    index: usize,
    method: Option<Box<str>>,
    target: Option<Box<str>>,
}

impl Batch {
    /// Elements that have been read to their end.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether no element has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements that want a reply under an id, each with its place among all of them.
    pub fn requests(&self) -> impl Iterator<Item = (usize, &Id)> {
        self.elements
            .iter()
            .enumerate()
            .filter(|(_, element)| element.wants_reply)
            .filter_map(|(index, element)| Some((index, element.id.as_ref()?)))
    }

    /// The ids of a batch of responses, in order.
    pub fn responses(&self) -> impl Iterator<Item = &Id> {
        let is_of = self.has_responses;
        self.elements.iter().filter(move |_| is_of).filter_map(|element| element.id.as_ref())
    }

    /// The element that broke a rule; `None` where none did, or where it is the body as a whole.
    #[must_use]
    pub fn refused(&self) -> Option<usize> {
        self.refused.as_ref().map(|refused| refused.index)
    }

    /// Its method, as far as it was read.
    pub(super) fn refused_method(&self) -> Option<&str> {
        self.refused.as_ref()?.method.as_deref()
    }

    /// Its target, as far as it was read.
    pub(super) fn refused_target(&self) -> Option<&str> {
        self.refused.as_ref()?.target.as_deref()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn is_inside(&self) -> bool {
        self.is_inside
    }

    pub(super) fn is_of_responses(&self) -> bool {
        self.is_closed && self.has_responses
    }

    /// What all elements ask for, once: `None` before the closing bracket, and for responses.
    pub(super) fn take_calls(&mut self) -> Option<Vec<Call>> {
        let is_known = self.is_closed && !self.calls.is_empty();
        is_known.then(|| std::mem::take(&mut self.calls))
    }

    /// Nothing of it will be permitted.
    pub(super) fn forget_calls(&mut self) {
        self.calls = Vec::new();
    }

    /// Remembers which element is refused: the one that is being read.
    pub(super) fn blame(&mut self, method: Option<&str>, target: Option<&str>) {
        if self.refused.is_none() && self.is_inside {
            let index = self.begun.saturating_sub(1);
            self.refused = Some(Refused {
                index,
                method: method.map(Into::into),
                target: target.map(Into::into),
            });
        }
    }
}

impl Envelope {
    /// The root, or an element of a batch, begins.
    pub(super) fn begin_root(&mut self, kind: Kind) {
        let most = self.limits.batch;
        match &mut self.batch {
            None if kind == Kind::Object => {}
            None if kind == Kind::Array => self.open_batch(most),
            // It may be no JSON at all: what it is, is told when it ends.
            None => {}
            Some(batch) if batch.begun == most => {
                batch.is_inside = false;
                self.refuse(Violation::BatchTooLong);
            }
            Some(batch) => {
                batch.begun += 1;
                batch.is_inside = true;
                self.renew();
                if kind == Kind::Array {
                    self.refuse(Violation::NotAnObject);
                }
            }
        }
    }

    /// The batch, or an element of it that is a `kind`, ended before offset `at`.
    pub(super) fn end_in_batch(&mut self, kind: Kind, at: u64) {
        let Some(batch) = &mut self.batch else { return };
        if batch.is_inside {
            return self.end_element(kind);
        }
        batch.is_closed = true;
        let is_empty = batch.begun == 0;
        self.brace = Some(at.saturating_sub(1));
        if is_empty {
            self.refuse(Violation::BatchEmpty);
        }
    }

    /// Begins a batch, where the headers speak of a revision that has them. An element that says otherwise is refused when
    /// it ends.
    fn open_batch(&mut self, most: usize) {
        let exchange = &self.exchange;
        let decided = revision::decide(&Inputs {
            header: exchange.mirror.protocol_version(),
            session: exchange.session,
            announced: exchange.announced,
            route: exchange.route,
            ..Inputs::default()
        });
        if most == 0 || decided != Ok(REVISION) {
            return self.refuse(Violation::BatchUnsupported);
        }
        // What a header says of a batch it can say of one element at most (T9).
        let named = agree::check(&exchange.mirror, &Body::default(), false);
        match named.and(exchange.mirror.no_params()) {
            Ok(()) => self.batch = Some(Box::default()),
            Err(error) => self.refuse(EnvelopeError::Header { error, modern: false }.into()),
        }
    }

    /// Makes room for the next element. What has been found out about the whole body stays.
    fn renew(&mut self) {
        let next = Self::new(Arc::clone(&self.policy), self.exchange.clone(), self.limits);
        let last = std::mem::replace(self, next);
        self.violation = last.violation;
        self.is_quiet = last.is_quiet;
        self.batch = last.batch;
        self.arguments_len = last.arguments_len;
        self.handles.is_on = last.handles.is_on;
    }

    fn end_element(&mut self, kind: Kind) {
        if kind != Kind::Object {
            self.refuse(Violation::NotAnObject);
        }
        if !self.is_quiet {
            self.params = Progress::Closed;
            self.end_root();
        }
        if !self.is_quiet
            && let Err(violation) = self.check_element()
        {
            self.refuse(violation);
        }
        let element = Element { id: self.id.id().cloned(), wants_reply: self.wants_reply() };
        let call = self.call.take();
        if let Some(batch) = &mut self.batch {
            batch.is_inside = false;
            batch.elements.push(element);
            batch.calls.extend(call.filter(|_| !self.is_quiet));
        }
    }

    /// What a message may be alone, but not here.
    fn check_element(&mut self) -> Result<(), Violation> {
        let is_response = self.has_outcome;
        let Some(batch) = &mut self.batch else { return Ok(()) };
        if batch.elements.is_empty() {
            batch.has_responses = is_response;
        }
        if batch.has_responses != is_response {
            return Err(Violation::BatchMixed);
        }
        // Two answers under one id: whoever asked could not tell which is which, and neither could we.
        let mut ids = batch.elements.iter().filter_map(|element| element.id.as_ref());
        if let Some(id) = self.id.id()
            && ids.any(|known| known.is_same(id))
        {
            return Err(Violation::BatchDuplicateId);
        }
        let is_alone = matches!(
            self.method,
            // 2025-03-26: "The initialize request MUST NOT be part of a JSON-RPC batch". A listen is answered by a stream
            // that does not end.
            Some(Method::Initialize | Method::SubscriptionsListen)
        );
        // A modern envelope in a legacy batch: one server would run it as modern, another as legacy (T10).
        let is_foreign = self.revision.is_some_and(|revision| revision != REVISION);
        if is_alone || is_foreign { Err(Violation::BatchMember) } else { Ok(()) }
    }
}
