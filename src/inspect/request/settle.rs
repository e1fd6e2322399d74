//! From what is known of a message to the call that policy decides, as early as it is known.

use super::super::text::Text;
use super::envelope::{Envelope, Progress, Version};
use super::{Exchange, Violation};
use crate::policy::{Args, Call, Needs, Object};
use crate::wire::mcp::agree::{self, Body};
use crate::wire::mcp::revision::{self, BodyVersion, Inputs};
use crate::wire::mcp::uri::{self, Form};
use crate::wire::mcp::{EnvelopeError, Method, ObjectKind, Revision, Target};

/// What a method acts on, as far as the body has come.
enum Found {
    /// It may still come.
    NotYet,
    /// It is this, or the method acts on nothing that policy names.
    Is(Option<Object>),
}

impl Envelope {
    /// Draws every conclusion that the entries allow.
    pub(super) fn settle(&mut self) {
        let Some(method) = self.method else { return };
        if self.is_quiet {
            return;
        }
        if self.params == Progress::Closed && self.revision.is_none() {
            match self.judge(method) {
                Ok(revision) => self.revision = Some(revision),
                Err(error) => return self.refuse(error.into()),
            }
        }
        if let Err(violation) = self.check_mirrored(method) {
            return self.refuse(violation);
        }
        if !self.is_decided
            && let Err(violation) = self.try_decide(method)
        {
            self.refuse(violation);
        }
    }

    /// Checks that the headers that mirror arguments say what they say, as far as they have come.
    fn check_mirrored(&mut self, method: Method) -> Result<(), Violation> {
        let Some(mirrored) = &mut self.mirrored else { return Ok(()) };
        if method != Method::ToolsCall {
            return Ok(());
        }
        if self.params == Progress::Closed || self.arguments == Progress::Closed {
            mirrored.close();
        }
        if mirrored.is_folded() {
            return Err(Violation::FoldedKey);
        }
        // Looked for only where it matters: most calls agree.
        if mirrored.fault(true).is_none() {
            return Ok(());
        }
        let Some(revision) = self.revision.or_else(|| self.foresee(method)) else { return Ok(()) };
        let modern = revision.is_modern();
        match self.mirrored.as_ref().and_then(|mirrored| mirrored.fault(modern)) {
            Some(error) => Err(EnvelopeError::Header { error: error.clone(), modern }.into()),
            None => Ok(()),
        }
    }

    /// A name among the arguments led nowhere: it may still fold to the path of an argument that the
    /// decision rests on.
    pub(super) fn check_arguments(&mut self) {
        if let Some(needs) = self.needs
            && self.capture.is_ambiguous(needs.slots)
        {
            self.refuse(Violation::FoldedKey);
        }
    }

    /// `result` or `error` stands in the root: this is a response, or nothing.
    pub(super) fn outcome(&mut self) {
        if self.has_outcome || self.method.is_some() || self.params != Progress::Ahead {
            return self.refuse(Violation::RequestAndResponse);
        }
        self.has_outcome = true;
        match self.judge_response() {
            Ok(revision) if revision.has_server_requests() => {
                self.revision = Some(revision);
                self.is_decided = true;
            }
            Ok(_) => self.refuse(Violation::ResponseUnsupported),
            Err(error) => self.refuse(error.into()),
        }
    }

    /// The root has ended: everything is known, and what is missing never comes.
    pub(super) fn end_root(&mut self) {
        if !self.has_jsonrpc {
            return self.refuse(Violation::JsonRpcVersion);
        }
        let wants_id = match self.method {
            Some(_) => self.is_request,
            None if self.has_outcome => true,
            None => return self.refuse(Violation::MethodMissing),
        };
        if wants_id && self.id.id().is_none() {
            return self.refuse(Violation::IdMissing);
        }
        self.settle();
    }

    fn try_decide(&mut self, method: Method) -> Result<(), Violation> {
        // The revision of an `initialize` is among its parameters, which are few.
        if method == Method::Initialize && self.params != Progress::Closed {
            return Ok(());
        }
        let needs = match self.needs {
            Some(needs) => needs,
            None => {
                let found = self.find_object(method).map_err(|violation| {
                    if violation == Violation::TargetMissing && self.is_removed(method) {
                        Violation::MethodRemoved
                    } else {
                        violation
                    }
                })?;
                let Found::Is(object) = found else { return Ok(()) };
                // Kept before it is looked at, for the log of a refusal.
                self.object = object;
                self.check_uris(method)?;
                let needs = self.needs(method, self.object.as_ref());
                self.capture.want(needs.slots);
                self.needs = Some(needs);
                needs
            }
        };
        let is_closed = self.params == Progress::Closed;
        let has_arguments = is_closed || self.arguments == Progress::Closed;
        if !(has_arguments || self.capture.knows(needs.slots))
            || needs.is_retry && !(is_closed || self.is_retry)
        {
            return Ok(());
        }
        let Some(revision) = self.revision.or_else(|| self.foresee(method)) else { return Ok(()) };
        agree::check(&self.exchange.mirror, &self.body(method), revision.is_modern())
            .map_err(|error| EnvelopeError::Header { error, modern: revision.is_modern() })?;
        if self.capture.is_ambiguous(needs.slots) {
            return Err(Violation::FoldedKey);
        }
        self.is_decided = true;
        self.call = Some(self.make_call(method, revision, needs.slots.is_empty()));
        Ok(())
    }

    /// Checks that every resource that the method acts on has a URI with one reading (T12).
    fn check_uris(&self, method: Method) -> Result<(), Violation> {
        match (method.info().target, &self.object) {
            (Target::Filter, _) => match self.bad_subscription {
                Some(fault) => Err(fault.into()),
                None => Ok(()),
            },
            (target, Some(Object { kind: ObjectKind::Resource, name })) => {
                let form = if target == Target::Ref { Form::Template } else { Form::Uri };
                Ok(uri::check(name, form)?)
            }
            _ => Ok(()),
        }
    }

    /// What must be known before the call can be decided. One that acts on a list of resources is decided for each of them.
    fn needs(&self, method: Method, object: Option<&Object>) -> Needs {
        let needs = self.policy.needs(&self.method_name, object);
        let uris = match method {
            Method::SubscriptionsListen => self.subscriptions.as_deref().unwrap_or_default(),
            _ => &[],
        };
        uris.iter().fold(needs, |needs, uri| {
            let each = Object { kind: ObjectKind::Resource, name: uri.clone() };
            needs.union(self.policy.needs(&self.method_name, Some(&each)))
        })
    }

    fn make_call(&mut self, method: Method, revision: Revision, is_bare: bool) -> Call {
        let subscriptions =
            if method == Method::SubscriptionsListen { self.subscriptions.take() } else { None };
        Call {
            method: std::mem::take(&mut self.method_name),
            object: self.object.take(),
            revision,
            is_request: self.is_request,
            is_retry: self.is_retry,
            args: if is_bare { Args::default() } else { self.capture.take() },
            subscriptions: subscriptions.map(Vec::into_boxed_slice),
        }
    }

    /// Whether a modern revision has `method` no more.
    fn is_removed(&self, method: Method) -> bool {
        let has = |revision: Revision| method.info().is_sent_to_server(revision);
        self.revision.is_some_and(|revision| revision.is_modern() && !has(revision))
    }

    /// What `method` acts on. A name that is found moves out of the entries.
    fn find_object(&mut self, method: Method) -> Result<Found, Violation> {
        let is_closed = self.params == Progress::Closed;
        let found = match method.info().target {
            Target::Name(kind) => take(&mut self.name, kind, is_closed)?,
            Target::Uri => take(&mut self.uri, ObjectKind::Resource, is_closed)?,
            Target::Ref if is_closed || self.reference == Progress::Closed => {
                match self.ref_type.as_str() {
                    Some("ref/prompt") => take(&mut self.ref_name, ObjectKind::Prompt, true)?,
                    Some("ref/resource") => take(&mut self.ref_uri, ObjectKind::Resource, true)?,
                    _ => return Err(Violation::TargetMissing),
                }
            }
            // A header may name it, opened or not.
            Target::Task => match self.task {
                Text::NotString => return Err(Violation::TargetNotString),
                Text::TooLong => return Err(Violation::TargetTooLong),
                Text::Absent if !is_closed => Found::NotYet,
                Text::Absent => Found::Is(None),
                Text::Is(_) => match self.task_object(method)? {
                    Some(object) => Found::Is(object),
                    None => Found::NotYet,
                },
            },
            Target::Filter if is_closed || self.filter == Progress::Closed => Found::Is(None),
            Target::Ref | Target::Filter => Found::NotYet,
            // A header names something: the body must be read until it does, or cannot any more.
            Target::None if !is_closed && self.exchange.mirror.name().is_some() => Found::NotYet,
            Target::None => Found::Is(None),
        };
        Ok(found)
    }

    /// The revision, where the rest of the body can only confirm it or break the rules. `None` where
    /// it must be read first, if only for the right refusal.
    fn foresee(&self, method: Method) -> Option<Revision> {
        let header = self.exchange.mirror.protocol_version();
        let modern = header.filter(|text| text.parse().is_ok_and(Revision::is_modern));
        let version = match (&self.version, modern) {
            (Version::Absent | Version::AsHeader, Some(text)) => BodyVersion::Text(text),
            // A notification may turn out modern without any header to say so.
            (Version::Absent, None) if !self.is_request && self.params != Progress::Closed => {
                return None;
            }
            (Version::Absent, None) => BodyVersion::Absent,
            _ => return None,
        };
        revision::decide(&Inputs { has_capabilities: true, ..self.inputs(method, version) }).ok()
    }

    /// The revision of the whole message, and whether the headers agree with it.
    fn judge(&self, method: Method) -> Result<Revision, EnvelopeError> {
        if self.is_decided {
            // The other headers have been compared, with members that are not kept any longer.
            return Ok(revision::decide(&self.inputs(method, self.body_version()))?);
        }
        let Exchange { mirror, session, announced, route } = &self.exchange;
        agree::judge(mirror, &self.body(method), *session, *announced, *route)
    }

    /// The revision of a response, which depends on the headers alone, and whether they name what a response does not
    /// have.
    fn judge_response(&self) -> Result<Revision, EnvelopeError> {
        let Exchange { mirror, session, announced, route } = &self.exchange;
        agree::judge(mirror, &Body::default(), *session, *announced, *route)
    }

    fn inputs<'a>(&'a self, method: Method, version: BodyVersion<'a>) -> Inputs<'a> {
        Inputs {
            // Of the names only `initialize` matters.
            method: method.info().name,
            is_request: self.is_request,
            body_version: version,
            has_capabilities: self.has_capabilities,
            requested: self.requested.as_str(),
            header: self.exchange.mirror.protocol_version(),
            session: self.exchange.session,
            announced: self.exchange.announced,
            route: self.exchange.route,
        }
    }

    fn body(&self, method: Method) -> Body<'_> {
        let moved = self.object.as_ref().map(|object| &*object.name);
        let target = method.info().target;
        let moved_name = if matches!(target, Target::Name(_)) { moved } else { None };
        let moved_uri = if target == Target::Uri { moved } else { None };
        Body {
            method: &self.method_name,
            is_request: self.is_request,
            name: self.name.as_str().or(moved_name),
            uri: self.uri.as_str().or(moved_uri),
            task_id: self.task.as_str(),
            requested: self.requested.as_str(),
            version: self.body_version(),
            has_capabilities: self.has_capabilities,
        }
    }

    fn body_version(&self) -> BodyVersion<'_> {
        match &self.version {
            Version::Absent => BodyVersion::Absent,
            Version::AsHeader => {
                BodyVersion::Text(self.exchange.mirror.protocol_version().unwrap_or_default())
            }
            Version::Other(text) => BodyVersion::Text(text),
            Version::NotString => BodyVersion::Malformed,
        }
    }
}

/// Moves the name of an object of `kind` out of `text`; `is_final`: it cannot come any more.
fn take(text: &mut Text, kind: ObjectKind, is_final: bool) -> Result<Found, Violation> {
    match std::mem::take(text) {
        Text::Is(name) => Ok(Found::Is(Some(Object { kind, name }))),
        Text::NotString => Err(Violation::TargetNotString),
        Text::TooLong => Err(Violation::TargetTooLong),
        Text::Absent if is_final => Err(Violation::TargetMissing),
        Text::Absent => Ok(Found::NotYet),
    }
}
