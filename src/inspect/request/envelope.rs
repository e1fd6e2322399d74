//! What is known of a message while its bytes arrive.
//!
//! A reader (`reader.rs`) is told of the values by the tokenizer and enters them into the [`Envelope`], which
//! lives as long as the body. `settle.rs` makes the decisions that the entries allow.

use std::sync::Arc;

use super::super::capture::Capture;
use super::super::id::IdReader;
use super::super::text::{Scratch, Text};
use super::batch::Batch;
use super::handle::Handles;
use super::mirrored::Mirrored;
use super::place;
use super::{Exchange, RequestLimits, Violation};
use crate::inspect::annotation::Annotated;
use crate::policy::{Call, Needs, Object, Policy};
use crate::wire::json::{Kind, Node};
use crate::wire::mcp::uri::{self, Form};
use crate::wire::mcp::{Method, Revision, UriFault};

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
    /// By [`ObjectKind`](crate::wire::mcp::ObjectKind): whether the filter asks for changes of its lists.
    pub(super) listens: [bool; 3],
    /// `None` once they are too many to keep.
    pub(super) subscriptions: Option<Vec<Box<str>>>,
    /// What is wrong with the first of them that is not canonical, kept or not.
    pub(super) bad_subscription: Option<UriFault>,
    pub(super) arguments: Progress,
    /// Where they began.
    arguments_at: u64,
    /// The most bytes that the arguments of a message had: of a batch, of any of its messages.
    pub(super) arguments_len: u64,
    /// The most that they may have, once a limit says so.
    pub(super) arguments_most: Option<u64>,
    pub(super) capture: Capture,
    /// The comparison of arguments with headers, where the tool that the headers name mirrors any.
    pub(super) mirrored: Option<Box<Mirrored>>,
    /// Where a tool that only the body names is looked up; `None` where no header mirrors an argument.
    pub(super) annotated: Option<Arc<Annotated>>,
    pub(super) needs: Option<Needs>,
    /// The revision of headers and body together, once both are known.
    pub(super) revision: Option<Revision>,
    pub(super) call: Option<Call>,
    pub(super) is_decided: bool,
    /// Offset of the root's closing brace, or bracket.
    pub(super) brace: Option<u64>,
    /// The batch of which this message is an element.
    pub(super) batch: Option<Box<Batch>>,
    pub(super) handles: Handles,
    pub(super) scratch: Scratch,
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
            listens: [false; 3],
            subscriptions: Some(Vec::new()),
            bad_subscription: None,
            arguments: Progress::Ahead,
            arguments_at: 0,
            arguments_len: 0,
            arguments_most: None,
            capture: Capture::new(limits.capture, limits.elements),
            mirrored: None,
            annotated: None,
            needs: None,
            revision: None,
            call: None,
            is_decided: false,
            brace: None,
            batch: None,
            handles: Handles::default(),
            scratch: Scratch::default(),
        }
    }

    /// Remembers the first violation; from then on only the id is read.
    pub(super) fn refuse(&mut self, violation: Violation) {
        if !self.is_quiet {
            if let Some(mut batch) = self.batch.take() {
                if !violation.is_of_body() {
                    batch.blame(self.method(), self.target());
                }
                batch.forget_calls();
                self.batch = Some(batch);
            }
            self.violation = Some(violation);
            self.is_quiet = true;
        }
        self.call = None;
    }

    /// The method, between being read and the call being taken.
    pub(super) fn method(&self) -> Option<&str> {
        match &self.call {
            Some(call) => Some(&call.method),
            None => self.method.map(|_| &*self.method_name),
        }
    }

    /// What the method acts on, as [`Envelope::method`].
    pub(super) fn target(&self) -> Option<&str> {
        let object = self.call.as_ref().map_or(&self.object, |call| &call.object);
        object.as_ref().map(|object| &*object.name)
    }

    /// Whether the message wants a reply, as far as is known: it has a method that does, or an id and is no response.
    pub(super) fn wants_reply(&self) -> bool {
        match self.method {
            // Who gives a notification an id waits for its answer, if only to hear that it may not.
            Some(_) => self.is_request || self.id.is_begun(),
            None => !self.has_outcome && self.id.is_begun(),
        }
    }

    pub(super) fn begin(&mut self, place: u16, kind: Kind, at: u64) {
        let is_object = kind == Kind::Object;
        match place {
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
            place::ARGUMENTS => {
                self.arguments = Progress::Open;
                self.arguments_at = at;
            }
            place::META if !is_object && kind != Kind::Null => {
                self.refuse(Violation::MetaNotObject);
            }
            place::VERSION if kind != Kind::String => self.version = Version::NotString,
            place::CAPABILITIES => self.has_capabilities = is_object,
            place::RETRY | place::STATE => {
                self.is_retry = true;
                if place == place::STATE && kind != Kind::Null {
                    self.begin_handle(place, kind == Kind::String, at);
                }
                self.settle();
            }
            place::TASK | place::WATCHED if kind == Kind::String => {
                self.begin_handle(place, true, at);
            }
            place::TOOLS_CHANGED => self.listens[0] = kind == Kind::True,
            place::PROMPTS_CHANGED => self.listens[1] = kind == Kind::True,
            place::RESOURCES_CHANGED => self.listens[2] = kind == Kind::True,
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

    pub(super) fn end(&mut self, place: u16, kind: Kind, at: u64) {
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
            place::ARGUMENTS => {
                self.arguments = Progress::Closed;
                self.check_arguments_end(at);
            }
            place::PARAMS => self.params = Progress::Closed,
            place::ROOT if kind != Kind::Object => return self.refuse(Violation::NotAnObject),
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
            place::STATE | place::WATCHED => self.end_handle(place, at),
            _ => {
                if place == place::TASK {
                    self.end_handle(place, at);
                }
                // What comes too late for the decision is not worth its memory.
                if kind != Kind::String || self.is_decided {
                    return;
                }
                let value = self.scratch.to_text();
                if place == place::NAME {
                    self.look_up(value.as_str());
                }
                let Some(text) = self.text_at(place) else { return };
                *text = value;
            }
        }
        self.settle();
    }

    fn check_arguments_end(&mut self, at: u64) {
        self.arguments_len = self.arguments_len.max(at.saturating_sub(self.arguments_at));
        self.check_arguments_len();
    }

    pub(super) fn check_arguments_len(&mut self) {
        if self.arguments_most.is_some_and(|most| self.arguments_len > most) {
            self.refuse(Violation::ArgumentsTooLarge);
        }
    }

    /// The body has come to offset `at`: arguments that are already too large need not end to be so.
    pub(super) fn check_arguments_so_far(&mut self, at: u64) {
        if self.arguments == Progress::Open && self.arguments_most.is_some() {
            self.check_arguments_end(at);
        }
    }

    fn end_method(&mut self) {
        let Some(name) = self.scratch.as_str() else {
            return self.refuse(Violation::MethodTooLong);
        };
        let method = Method::from_wire(name);
        self.is_request = is_request(method, name);
        self.method_name = name.into();
        self.method = Some(method);
        if self.has_outcome {
            self.refuse(Violation::RequestAndResponse);
        } else if self.id.is_begun() && !self.is_request {
            self.refuse(Violation::NotificationWithId);
        }
    }

    /// The method of an element of a batch that is refused already.
    pub(super) fn end_quiet_method(&mut self) {
        if let Some(name) = self.scratch.as_str() {
            let method = Method::from_wire(name);
            self.is_request = is_request(method, name);
            self.method = Some(method);
        }
    }

    /// Where member `name` of the object at `at` leads once the body is refused: only what its answer needs is read.
    pub(super) fn quiet_key(&mut self, at: u16, name: &str) -> Node {
        let is_in_batch = self.batch.is_some();
        match name {
            _ if at != place::ROOT => Node::IGNORE,
            "id" => place::node(place::ID),
            "method" if is_in_batch => place::node(place::METHOD),
            "result" | "error" if is_in_batch => {
                self.has_outcome = true;
                Node::IGNORE
            }
            _ => Node::IGNORE,
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

    /// Looks for the annotations of `tool`, which the body names. Where the headers name it as well, they are known.
    fn look_up(&mut self, tool: Option<&str>) {
        let (None, Some(annotated), Some(tool)) = (&self.mirrored, &self.annotated, tool) else {
            return;
        };
        let mirror = &self.exchange.mirror;
        let compare = match self.arguments {
            Progress::Ahead => Mirrored::new,
            Progress::Open | Progress::Closed => Mirrored::too_late,
        };
        self.mirrored = annotated.of(tool).map(|plan| Box::new(compare(plan, mirror)));
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
    pub(super) fn limit_at(&self, place: u16) -> usize {
        match place {
            place::NAME
            | place::URI
            | place::TASK
            | place::REF_NAME
            | place::REF_URI
            | place::WATCHED
            | place::SUBSCRIPTION => self.limits.target,
            place::STATE => self.limits.state,
            _ => self.limits.method,
        }
    }
}

/// Whether a message of `method`, which is called `name`, wants a reply.
fn is_request(method: Method, name: &str) -> bool {
    match method {
        Method::Other => !name.starts_with("notifications/"),
        _ => !method.info().is_notification,
    }
}
