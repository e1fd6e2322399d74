//! What a call is about, in the terms of selectors.

use super::Call;
use super::selector::{Space, Subject};
use crate::wire::mcp::{Method, MethodInfo, ObjectKind, Target as Named};

/// A method and what it acts on.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    pub(super) method: Method,
    /// The method's name.
    pub(super) subject: Subject<'a>,
    pub(super) acts: Acts<'a>,
}

/// What a method acts on.
#[derive(Clone, Debug)]
pub(super) enum Acts<'a> {
    /// On nothing that selectors speak of.
    OnNothing,
    /// On one object.
    On(Subject<'a>),
    /// On some object of one of these kinds, which was not read. It could be any.
    OnUnread(&'static [ObjectKind]),
}

/// What an evaluation asks of a target, beside the rules that speak of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    pub(super) method: Method,
    /// [`Target::is_ambiguous_resource`]
    pub(super) is_ambiguous: bool,
    /// [`Target::is_of_task`]
    pub(super) is_of_task: bool,
    /// [`Target::is_lifecycle`]
    pub(super) is_lifecycle: bool,
}

impl Traits {
    /// The same method, acting on nothing. For one of the specification.
    pub(super) fn of_method_alone(self) -> Target<'static> {
        let Self { method, .. } = self;
        let subject = Subject::method(method.info().name, method);
        Target { method, subject, acts: Acts::OnNothing }
    }
}

const ANY: &[ObjectKind] = &[ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource];

impl<'a> Target<'a> {
    /// What `call`, which downstream sends, is about. The URIs of `subscriptions/listen` are decided one by one.
    pub(super) fn of(call: &'a Call) -> Self {
        let object = call.object.as_ref().map(|object| (object.kind, &*object.name));
        let is_known_empty = call.subscriptions.as_ref().is_some_and(|uris| uris.is_empty());
        Self::new(&call.method, object, is_known_empty)
    }

    /// What a call of `method` on `object` is about; `is_empty` where a method that acts on a list has an empty one.
    pub(super) fn new(
        name: &'a str,
        object: Option<(ObjectKind, &'a str)>,
        is_empty: bool,
    ) -> Self {
        let method = Method::from_wire(name);
        let subject = Subject::method(name, method);
        let acts = if !subject.is_regular {
            Acts::OnUnread(ANY)
        } else {
            match object {
                Some((kind, name)) if kinds(method.info()).contains(&kind) => {
                    Acts::On(Subject::object(kind, name))
                }
                None if is_empty && method.info().target == Named::Filter => Acts::OnNothing,
                _ => match kinds(method.info()) {
                    [] => Acts::OnNothing,
                    kinds => Acts::OnUnread(kinds),
                },
            }
        };
        Self { method, subject, acts }
    }

    /// Whether it is about a task whose tool is known. The arguments of the call that made it are not, and are free: what the
    /// caller could call it may follow up.
    pub(super) fn is_of_task(&self) -> bool {
        self.method.info().target == Named::Task && matches!(self.acts, Acts::On(_))
    }

    /// The same method, acting on nothing.
    pub(super) fn of_method_alone(&self) -> Self {
        Self { acts: Acts::OnNothing, ..self.clone() }
    }

    /// What an evaluation asks of it.
    pub(super) fn traits(&self) -> Traits {
        Traits {
            method: self.method,
            is_ambiguous: self.is_ambiguous_resource(),
            is_of_task: self.is_of_task(),
            is_lifecycle: self.is_lifecycle(),
        }
    }

    /// What a request of the server is about.
    pub(super) fn server_request(name: &'a str) -> Self {
        let method = Method::from_wire(name);
        let subject = Subject::server_request(name, method);
        Self { method, subject, acts: Acts::OnNothing }
    }

    /// Whether it acts on a resource whose URI has no one reading: no allow reaches that, not even one of everything (T12).
    pub(super) fn is_ambiguous_resource(&self) -> bool {
        matches!(&self.acts, Acts::On(subject) if subject.space == Space::Resources && !subject.is_regular)
    }

    pub(super) fn is_server_request(&self) -> bool {
        self.subject.space == Space::ServerRequests
    }

    /// Whether the call belongs to the built-in lifecycle set, which needs no allow.
    pub(super) fn is_lifecycle(&self) -> bool {
        match self.is_server_request() {
            true => self.method == Method::Ping,
            false => self.method.info().is_lifecycle,
        }
    }
}

/// The kinds of object that a method can act on.
pub(super) fn kinds(info: &MethodInfo) -> &'static [ObjectKind] {
    match info.target {
        Named::Name(ObjectKind::Tool) => &[ObjectKind::Tool],
        Named::Name(ObjectKind::Prompt) => &[ObjectKind::Prompt],
        Named::Name(ObjectKind::Resource) | Named::Uri | Named::Filter => &[ObjectKind::Resource],
        Named::Ref => &[ObjectKind::Prompt, ObjectKind::Resource],
        // A task is the call that made it. One that is told of may be the client's own.
        Named::Task if !info.is_notification => &[ObjectKind::Tool],
        Named::None | Named::Task => &[],
    }
}
