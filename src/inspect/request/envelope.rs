//! What is known of a message while its bytes arrive.
//!
//! A [`Reader`] is told of the values by the tokenizer and enters them into the [`Envelope`], which
//! lives as long as the body. `settle.rs` makes the decisions that the entries allow.

use std::sync::Arc;

use super::capture::{Capture, Lead};
use super::id::{IdReader, Run};
use super::place::{self, Member};
use super::text::{Scratch, Text};
use super::{Exchange, RequestLimits, Violation};
use crate::policy::{Call, Needs, Object, Policy};
use crate::wire::json::{Kind, Node, Visit};
use crate::wire::mcp::uri::{self, Form};
use crate::wire::mcp::{Method, Revision, UriFault, folds_to_protocol_key};

/// The scan may end: the message is refused and its id is known, or never will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enough;

/// How far an object of the message has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has not begun.
    #[default]
    Ahead,
    /// It has begun.
    Open,
    /// It has ended, or can no longer come.
    Closed,
}

/// `params._meta["io.modelcontextprotocol/protocolVersion"]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    #[default]
    Absent,
    /// What the header says; kept apart because it is the rule and needs no copy.
    AsHeader,
    Other(Box<str>),
    NotString,
}

/// The entries.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) policy: Arc<Policy>,
    pub(super) exchange: Exchange,
    pub(super) limits: RequestLimits,
    /// The first rule that was broken.
    pub(super) violation: Option<Violation>,
    /// Nothing but the id is wanted any more.
    pub(super) is_quiet: bool,
    pub(super) id: IdReader,
    pub(super) has_jsonrpc: bool,
    /// Whether there is `result` or `error`.
    pub(super) has_outcome: bool,
    pub(super) method: Option<Method>,
    pub(super) method_name: Box<str>,
    /// Whether the method wants a reply: everything but what the specification calls a notification,
    /// or what is named like one.
    pub(super) is_request: bool,
    /// What the method acts on, between being found and going into the call.
    pub(super) object: Option<Object>,
    pub(super) params: Progress,
    pub(super) name: Text,
    pub(super) uri: Text,
    pub(super) task: Text,
    pub(super) requested: Text,
    pub(super) reference: Progress,
    pub(super) ref_type: Text,
    pub(super) ref_name: Text,
    pub(super) ref_uri: Text,
    pub(super) version: Version,
    pub(super) has_capabilities: bool,
    pub(super) is_retry: bool,
    pub(super) filter: Progress,
    /// `None` once they are too many to keep.
    pub(super) subscriptions: Option<Vec<Box<str>>>,
    /// What is wrong with the first of them that is not canonical, kept or not.
    pub(super) bad_subscription: Option<UriFault>,
    pub(super) arguments: Progress,
    pub(super) capture: Capture,
    pub(super) needs: Option<Needs>,
    /// The revision of headers and body together, once both are known.
    pub(super) revision: Option<Revision>,
    pub(super) call: Option<Call>,
    pub(super) is_decided: bool,
    /// Offset of the root's closing brace.
    pub(super) brace: Option<u64>,
    scratch: Scratch,
}

impl Envelope {
    pub(super) fn new(policy: Arc<Policy>, exchange: Exchange, limits: RequestLimits) -> Self {
        Self {
            policy,
            exchange,
            limits,
            violation: None,
            is_quiet: false,
            id: IdReader::default(),
            has_jsonrpc: false,
            has_outcome: false,
            method: None,
            method_name: Box::default(),
            is_request: false,
            object: None,
            params: Progress::Ahead,
            name: Text::Absent,
            uri: Text::Absent,
            task: Text::Absent,
            requested: Text::Absent,
            reference: Progress::Ahead,
            ref_type: Text::Absent,
            ref_name: Text::Absent,
            ref_uri: Text::Absent,
            version: Version::Absent,
            has_capabilities: false,
            is_retry: false,
            filter: Progress::Ahead,
            subscriptions: Some(Vec::new()),
            bad_subscription: None,
            arguments: Progress::Ahead,
            capture: Capture::new(limits.capture, limits.elements),
            needs: None,
            revision: None,
            call: None,
            is_decided: false,
            brace: None,
            scratch: Scratch::default(),
        }
    }

    /// Remembers the first violation; from then on only the id is read.
    pub(super) fn refuse(&mut self, violation: Violation) {
        if !self.is_quiet {
            self.violation = Some(violation);
            self.is_quiet = true;
        }
        self.call = None;
    }

    fn begin(&mut self, place: u16, kind: Kind, at: u64) {
        let is_object = kind == Kind::Object;
        match place {
            place::ROOT if kind == Kind::Array => self.refuse(Violation::BatchUnsupported),
            place::ROOT if !is_object => self.refuse(Violation::NotAnObject),
            place::JSONRPC if kind != Kind::String => self.refuse(Violation::JsonRpcVersion),
            place::ID => {
                self.id.begin(at);
                if self.method.is_some() && !self.is_request {
                    self.refuse(Violation::NotificationWithId);
                }
                if !matches!(kind, Kind::String | Kind::Number) {
                    self.refuse(Violation::BadId);
                }
            }
            place::METHOD if kind != Kind::String => self.refuse(Violation::MethodNotString),
            place::PARAMS if !is_object => self.refuse(Violation::ParamsNotObject),
            place::PARAMS if self.has_outcome => self.refuse(Violation::RequestAndResponse),
            place::PARAMS => self.params = Progress::Open,
            place::ARGUMENTS if !is_object => self.refuse(Violation::ArgumentsNotObject),
            place::ARGUMENTS => self.arguments = Progress::Open,
            place::META if !is_object && kind != Kind::Null => {
                self.refuse(Violation::MetaNotObject);
            }
            place::VERSION if kind != Kind::String => self.version = Version::NotString,
            place::CAPABILITIES => self.has_capabilities = is_object,
            place::RETRY => {
                self.is_retry = true;
                self.settle();
            }
            place::SUBSCRIPTIONS if kind != Kind::Array => self.subscriptions = None,
            place::SUBSCRIPTION if kind != Kind::String => self.subscriptions = None,
            _ => {
                if kind != Kind::String
                    && let Some(text) = self.text_at(place)
                {
                    *text = Text::NotString;
                }
            }
        }
    }

    fn end(&mut self, place: u16, kind: Kind, at: u64) {
        match place {
            place::JSONRPC => {
                self.has_jsonrpc = true;
                if self.scratch.as_str() != Some("2.0") {
                    self.refuse(Violation::JsonRpcVersion);
                }
            }
            place::METHOD => self.end_method(),
            place::REF => self.reference = Progress::Closed,
            place::FILTER => self.filter = Progress::Closed,
            place::ARGUMENTS => self.arguments = Progress::Closed,
            place::PARAMS => self.params = Progress::Closed,
            place::ROOT => {
                self.brace = Some(at.saturating_sub(1));
                self.params = Progress::Closed;
                return self.end_root();
            }
            place::VERSION if kind == Kind::String => {
                let header = self.exchange.mirror.protocol_version();
                self.version = match self.scratch.to_text() {
                    Text::Is(text) if Some(&*text) == header => Version::AsHeader,
                    Text::Is(text) => Version::Other(text),
                    _ => Version::NotString,
                };
            }
            place::SUBSCRIPTION if kind == Kind::String => return self.end_subscription(),
            place::SUBSCRIPTION => return,
            _ => {
                // What comes too late for the decision is not worth its memory.
                if kind != Kind::String || self.is_decided {
                    return;
                }
                let value = self.scratch.to_text();
                let Some(text) = self.text_at(place) else { return };
                *text = value;
            }
        }
        self.settle();
    }

    fn end_method(&mut self) {
        let Some(name) = self.scratch.as_str() else {
            return self.refuse(Violation::MethodTooLong);
        };
        let method = Method::from_wire(name);
        self.is_request = match method {
            Method::Other => !name.starts_with("notifications/"),
            _ => !method.info().is_notification,
        };
        self.method_name = name.into();
        self.method = Some(method);
        if self.has_outcome {
            self.refuse(Violation::RequestAndResponse);
        } else if self.id.is_begun() && !self.is_request {
            self.refuse(Violation::NotificationWithId);
        }
    }

    /// One more URI of `params.notifications.resourceSubscriptions`.
    fn end_subscription(&mut self) {
        if self.is_decided {
            return;
        }
        if let (Some(uri), None) = (self.scratch.as_str(), self.bad_subscription) {
            self.bad_subscription = uri::check(uri, Form::Uri).err();
        }
        let limits = &self.limits;
        if let Some(uris) = &mut self.subscriptions {
            match self.scratch.to_text() {
                Text::Is(uri) if uris.len() < limits.elements => uris.push(uri),
                _ => self.subscriptions = None,
            }
        }
    }

    /// Where the string at `place` is kept.
    fn text_at(&mut self, place: u16) -> Option<&mut Text> {
        match place {
            place::NAME => Some(&mut self.name),
            place::URI => Some(&mut self.uri),
            place::TASK => Some(&mut self.task),
            place::REQUESTED => Some(&mut self.requested),
            place::REF_TYPE => Some(&mut self.ref_type),
            place::REF_NAME => Some(&mut self.ref_name),
            place::REF_URI => Some(&mut self.ref_uri),
            _ => None,
        }
    }

    /// The longest string that is kept of `place`.
    fn limit_at(&self, place: u16) -> usize {
        match place {
            place::NAME
            | place::URI
            | place::TASK
            | place::REF_NAME
            | place::REF_URI
            | place::SUBSCRIPTION => self.limits.target,
            _ => self.limits.method,
        }
    }
}

/// The tokenizer's view of an [`Envelope`] during one run of bytes.
pub(super) struct Reader<'a> {
    pub(super) envelope: &'a mut Envelope,
    pub(super) run: Run<'a>,
}

impl Reader<'_> {
    /// Stops the scan of a refused message as soon as nothing more can be learnt from it.
    fn verdict(&self) -> Result<(), Enough> {
        let envelope = &*self.envelope;
        let is_hopeless = matches!(
            envelope.violation,
            Some(Violation::BatchUnsupported | Violation::NotAnObject | Violation::BadId)
        );
        if envelope.is_quiet && (is_hopeless || envelope.id.id().is_some()) {
            Err(Enough)
        } else {
            Ok(())
        }
    }
}

impl Visit for Reader<'_> {
    type Stop = Enough;

    fn root(&mut self) -> Node {
        place::node(place::ROOT)
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, Enough> {
        let envelope = &mut *self.envelope;
        let at = object.number();
        if envelope.is_quiet {
            let is_id = at == place::ROOT && name == "id";
            return Ok(if is_id { place::node(place::ID) } else { Node::IGNORE });
        }
        if at == place::CAPTURED || at >= place::TRIE {
            return self.argument_key(at, name);
        }
        if at == place::ARGUMENTS {
            return self.argument_key(place::TRIE, name);
        }
        match place::member(at, name) {
            Member::At(to) => return Ok(place::node(to)),
            Member::Outcome => envelope.outcome(),
            Member::Unknown => {
                // JavaScript takes what stands under `__proto__` for members of the object itself, as soon as it copies it.
                let is_alike = |place| name == "__proto__" || folds_to_protocol_key(place, name);
                if place::place(at).is_some_and(is_alike) {
                    envelope.refuse(Violation::FoldedKey);
                }
            }
        }
        self.verdict()?;
        Ok(Node::IGNORE)
    }

    fn element(&mut self, array: Node, _index: u32) -> Result<Node, Enough> {
        let envelope = &*self.envelope;
        if envelope.is_quiet {
            return Ok(Node::IGNORE);
        }
        Ok(match array.number() {
            place::SUBSCRIPTIONS => place::node(place::SUBSCRIPTION),
            at if (at == place::CAPTURED || at >= place::TRIE) && envelope.capture.is_keeping() => {
                place::node(place::CAPTURED)
            }
            _ => Node::IGNORE,
        })
    }

    fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Enough> {
        let envelope = &mut *self.envelope;
        let place = node.number();
        if envelope.is_quiet && place != place::ID {
            return Ok(());
        }
        match place {
            place::CAPTURED => envelope.capture.begin(kind),
            place::TRIE.. => {
                envelope.capture.enter(envelope.policy.captures(), place - place::TRIE, kind);
            }
            _ => {
                if node.wants_text() {
                    envelope.scratch.clear();
                }
                envelope.begin(place, kind, at);
                if place == place::ARGUMENTS && !envelope.is_quiet {
                    envelope.capture.enter(envelope.policy.captures(), 0, kind);
                }
            }
        }
        self.verdict()
    }

    fn text(&mut self, node: Node, piece: &str) -> Result<(), Enough> {
        let envelope = &mut *self.envelope;
        let place = node.number();
        if place == place::CAPTURED || place >= place::TRIE {
            envelope.capture.text(piece);
        } else {
            let limit = envelope.limit_at(place);
            envelope.scratch.push(piece, limit);
        }
        Ok(())
    }

    fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Enough> {
        let envelope = &mut *self.envelope;
        let place = node.number();
        if place == place::ID {
            if !envelope.id.end(at, self.run) {
                envelope.refuse(Violation::BadId);
            }
            return self.verdict();
        }
        if envelope.is_quiet {
            return Ok(());
        }
        match place {
            place::CAPTURED => envelope.capture.end(kind),
            place::TRIE.. => {
                envelope.capture.leave(envelope.policy.captures(), place - place::TRIE, kind);
                envelope.settle();
            }
            _ => {
                if place == place::ARGUMENTS {
                    envelope.capture.leave(envelope.policy.captures(), 0, kind);
                }
                envelope.end(place, kind, at);
            }
        }
        self.verdict()
    }
}

impl Reader<'_> {
    /// A member name inside the arguments: on the trie, or inside a value that is being kept.
    fn argument_key(&mut self, at: u16, name: &str) -> Result<Node, Enough> {
        let envelope = &mut *self.envelope;
        if envelope.capture.is_keeping() {
            envelope.capture.inner_key(name);
            let is_kept = envelope.capture.is_keeping();
            return Ok(if is_kept { place::node(place::CAPTURED) } else { Node::IGNORE });
        }
        if at == place::CAPTURED {
            return Ok(Node::IGNORE);
        }
        let plan = envelope.policy.captures();
        match envelope.capture.key(plan, at - place::TRIE, name) {
            Lead::Node(child) => {
                let node = Node::new(place::TRIE.saturating_add(child));
                Ok(if plan.slot(child).is_some() { node.with_text() } else { node })
            }
            Lead::Nowhere => {
                envelope.check_arguments();
                self.verdict()?;
                Ok(Node::IGNORE)
            }
        }
    }
}
