//! Sealed task ids and `requestState`s (T14, T15): whose a handle is, and what it was given for, stands in it, so that no table is
//! kept.
//!
//! A task's id tells which tool made the task, so that whoever follows it up is held to today's policy for that tool, and which
//! server keeps it. A state goes back with the method and the target that it came from, by the caller who got it, for a while.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderValue};

use super::Known;
use super::affinity::{Home, Session};
use super::authenticate::Caller;
use super::clock::unix_seconds;
use super::state::{Route, Shared};
use crate::config::Sealing;
use crate::inspect::request::{Handle, HandleKind, Opened, RequestInspector, Violation};
use crate::inspect::response::{SealedKind, Watch};
use crate::policy::{Args, Call, Object, UnixTime};
use crate::seal::{Owner, Purpose};
use crate::wire::mcp::headers::NAME;
use crate::wire::mcp::{Method, ObjectKind, Revision, Target, sentinel};

/// A task that a client may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// The tool whose call made it.
    pub(super) tool: Box<str>,
    /// The server's id for it, as the inside of a JSON string.
    pub(super) id: Box<[u8]>,
    home: Home,
}

/// Opens what a request names, and remembers the tasks among it.
#[derive(Debug, Default)]
pub(super) struct Opener {
    /// The task that the request is about, or those that it listens to.
    pub(super) tasks: Vec<Task>,
}

impl Opener {
    /// Opens the handles of tasks that `inspector` has come to.
    ///
    /// # Errors
    /// [`Violation::TaskUnknown`], one for whatever is not this caller's.
    pub(super) fn open(
        &mut self,
        shared: &Shared,
        known: &Known,
        inspector: &mut RequestInspector,
    ) -> Result<(), Violation> {
        while let Some(handle) = inspector.take_handle() {
            let task = open_task(shared, &known.route, &known.caller, &handle);
            let opened = task.map(|task| {
                let opened = Opened::Task(task.id.to_vec(), task.tool.clone());
                self.tasks.push(task);
                opened
            });
            inspector.settle_handle(handle, opened)?;
        }
        Ok(())
    }

    /// Leads the request to the server that keeps its task, and gives it the server's own id in its headers.
    ///
    /// # Errors
    /// As [`Opener::open`]: no server of the route keeps it, or not the one that keeps the session.
    pub(super) fn lead(
        &self,
        route: &Route,
        session: &mut Session,
        headers: &mut HeaderMap,
    ) -> Result<(), Violation> {
        // Whoever listens is told by each server of its own tasks.
        let [task] = &*self.tasks else { return Ok(()) };
        let place = route.homes.iter().position(|home| *home == task.home);
        let place = place.ok_or(Violation::TaskUnknown)?;
        if session.upstream.is_some_and(|kept| kept != place) {
            return Err(Violation::TaskUnknown);
        }
        session.upstream = Some(place);
        if headers.contains_key(NAME) {
            let value = unquoted(&task.id)
                .and_then(|id| HeaderValue::try_from(&*sentinel::encode(&id)).ok());
            headers.insert(NAME, value.ok_or(Violation::TaskUnknown)?);
        }
        Ok(())
    }

    /// What `call`, which listens, asks of each task: as much as who polls it.
    pub(super) fn polls(&self, call: &Call) -> impl Iterator<Item = Call> {
        let listens = Method::from_wire(&call.method) == Method::SubscriptionsListen;
        let tasks = if listens { &*self.tasks } else { &[] };
        tasks.iter().map(move |task| Call {
            method: Method::TasksGet.info().name.into(),
            object: Some(Object { kind: ObjectKind::Tool, name: task.tool.clone() }),
            revision: call.revision,
            is_request: true,
            is_retry: false,
            args: Args::default(),
            subscriptions: None,
        })
    }
}

fn open_task(shared: &Shared, route: &Route, caller: &Caller, handle: &Handle) -> Option<Task> {
    let owner = Owner::new(&route.name, caller.principal());
    let payload = shared.sealer.open(Purpose::Task, &owner, handle.text.as_bytes())?;
    let (home, rest) = payload.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let (tool, id) = rest.split_at_checked(len)?;
    let tool = std::str::from_utf8(tool).ok()?;
    Some(Task { tool: tool.into(), id: id.into(), home: *home })
}

/// Opens the state of one call: of its own method and target, for its caller.
pub(super) struct StateOpener {
    shared: Arc<Shared>,
    owner: Owner,
    /// Legacy revisions know no states: what is called so there is the server's own affair.
    is_modern: bool,
}

impl StateOpener {
    /// For `call`. `None` where states are not sealed.
    pub(super) fn new(shared: &Arc<Shared>, known: &Known, call: &Call) -> Option<Box<Self>> {
        (known.route.handles == Sealing::Sealed).then(|| {
            Box::new(Self {
                shared: Arc::clone(shared),
                owner: state_owner(&known.route, &known.caller, &call.method, call.object.as_ref()),
                is_modern: call.revision.is_modern(),
            })
        })
    }

    /// Opens the state, if `inspector` has come to it.
    ///
    /// # Errors
    /// [`Violation::StateUnknown`]
    pub(super) fn open(&self, inspector: &mut RequestInspector) -> Result<(), Violation> {
        while let Some(handle) = inspector.take_handle() {
            let opened = match (handle.kind, self.is_modern) {
                (HandleKind::State, true) => self.opened(&handle.text, unix_seconds()),
                _ => Some(Opened::AsItCame),
            };
            inspector.settle_handle(handle, opened)?;
        }
        Ok(())
    }

    fn opened(&self, text: &str, now: UnixTime) -> Option<Opened> {
        let payload = self.shared.sealer.open(Purpose::State, &self.owner, text.as_bytes())?;
        let (since, state) = payload.split_first_chunk()?;
        let age = now.saturating_sub(UnixTime::from_le_bytes(*since));
        let is_fresh = Duration::from_secs(age) <= self.shared.limits.state_age;
        is_fresh.then(|| Opened::Is(state.to_vec()))
    }
}

/// Seals what the reply to one call hands out.
#[derive(Debug)]
pub(super) struct Grants {
    owner: Owner,
    state_owner: Owner,
    /// The tool whose call the reply answers.
    tool: Option<Box<str>>,
    /// The server that answers.
    home: Home,
    /// The tasks that the request named.
    tasks: Vec<Task>,
}

impl Grants {
    /// For the reply of the server at place `upstream` of the route to `call`, whose handles `opener` opened. `None` where nothing
    /// is sealed, or nothing can be handed out.
    pub(super) fn new(
        known: &Known,
        call: &Call,
        opener: Opener,
        upstream: usize,
    ) -> Option<Box<Self>> {
        let (route, caller) = (&known.route, &known.caller);
        let method = Method::from_wire(&call.method);
        let home = route.homes.get(upstream).filter(|_| route.handles == Sealing::Sealed)?;
        let is_about_tasks = matches!(method.info().target, Target::Task | Target::Filter);
        if !(is_about_tasks || asks(method)) {
            return None;
        }
        let object = call.object.as_ref();
        Some(Box::new(Self {
            owner: Owner::new(&route.name, caller.principal()),
            state_owner: state_owner(route, caller, &call.method, object),
            tool: object.filter(|_| method == Method::ToolsCall).map(|tool| tool.name.clone()),
            home: *home,
            tasks: opener.tasks,
        }))
    }

    /// Whether the reply may hand out a state, and tasks.
    pub(super) fn watch(call: &Call, watch: Watch) -> Watch {
        let method = Method::from_wire(&call.method);
        let is_task = method == Method::ToolsCall
            || matches!(method.info().target, Target::Task | Target::Filter);
        let states = call.revision.is_modern() && asks(method);
        let tasks = call.revision >= Revision::V2025_11_25 && is_task;
        Watch { states, tasks, requests: watch.requests || states || tasks, ..watch }
    }

    /// The handle that a client gets for `text`, the inside of a JSON string; `None` for a task that nobody here has asked for,
    /// under whose name nobody can ask for it.
    pub(super) fn seal(&self, shared: &Shared, kind: SealedKind, text: &str) -> Option<String> {
        match kind {
            SealedKind::State => {
                let payload = [&unix_seconds().to_le_bytes(), text.as_bytes()].concat();
                shared.sealer.seal(Purpose::State, &self.state_owner, &payload)
            }
            SealedKind::Task => {
                let named = self.tasks.iter().find(|task| &*task.id == text.as_bytes());
                let (tool, home) = match (&self.tool, named) {
                    (Some(tool), _) => (tool, self.home),
                    (None, Some(task)) => (&task.tool, task.home),
                    (None, None) => return None,
                };
                let len = u32::try_from(tool.len()).ok()?.to_le_bytes();
                let payload = [&home[..], &len, tool.as_bytes(), text.as_bytes()].concat();
                shared.sealer.seal(Purpose::Task, &self.owner, &payload)
            }
        }
    }
}

/// Whether a modern result of `method` may ask for input, and so hand out a state (2026-07-28).
fn asks(method: Method) -> bool {
    matches!(method, Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead)
}

fn state_owner(route: &Route, caller: &Caller, method: &str, object: Option<&Object>) -> Owner {
    let target = object.map_or("", |object| &*object.name);
    Owner::new(&route.name, caller.principal()).with([method.as_bytes(), target.as_bytes()])
}

/// The text whose JSON has this inside.
fn unquoted(inside: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", inside, b"\""].concat()).ok()
}
