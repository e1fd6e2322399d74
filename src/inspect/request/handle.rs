//! Handles that were sealed on the way out, and are opened on the way in: the id of a task, and what a server told its client to
//! hand back (T14, T15).
//!
//! A sealed handle is longer than what was sealed. So what goes on in its place leaves room, which white space fills: the
//! length of the body stays what the client said.

use std::ops::Range;

use smallvec::SmallVec;

use super::super::text::Text;
use super::envelope::Envelope;
use super::{RequestInspector, Violation, place};
use crate::policy::Object;
use crate::wire::mcp::{Method, ObjectKind, Target};

/// What a handle stands for, by its place in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandleKind {
    /// `params.requestState`
    State,
    /// `params.taskId` of a request about a task.
    Task,
    /// One of `params.notifications.taskIds`.
    Watched,
}

/// A handle in the body. Its bytes, and all behind them, wait until [`RequestInspector::settle_handle`] says what becomes of it.
#[derive(Debug)]
pub struct Handle {
    /// What it stands for.
    pub kind: HandleKind,
    /// What the client sent. Empty where that is no string, or one that is written or sized as no sealed one is.
    pub text: Box<str>,
    /// Where it stands in the body, quotes and all.
    at: Range<u64>,
}

/// What becomes of a handle.
#[derive(Debug)]
pub enum Opened {
    /// It was not sealed, and is not to be: it goes on as it came.
    AsItCame,
    /// It is this, as the inside of a JSON string.
    Is(Vec<u8>),
    /// A task: the same, and the tool whose call made it.
    Task(Vec<u8>, Box<str>),
}

/// The handles of one message that have not been settled.
#[derive(Debug, Default)]
pub(super) struct Handles {
    /// Whether they are looked for.
    pub(super) is_on: bool,
    /// Where the one begins that is being read, and whether it is a state.
    reading: Option<(u64, bool)>,
    ready: SmallVec<[Handle; 1]>,
    /// One was handed out, and begins here.
    out: Option<u64>,
    /// There were more than are kept.
    is_over: bool,
    /// The tool whose task the message is about.
    tool: Option<Box<str>>,
}

impl Handles {
    /// The offset from which on nothing may leave.
    pub(super) fn first(&self) -> Option<u64> {
        let ready = self.ready.first().map(|handle| handle.at.start);
        [self.reading.map(|(at, _)| at), ready, self.out].into_iter().flatten().min()
    }

    /// The offset at which a state that is being read is too long to be one, which has at most `most` bytes. Others are read
    /// before the decision, within the bounds of that.
    pub(super) fn end_of_state(&self, most: usize) -> Option<u64> {
        let (at, is_state) = self.reading?;
        is_state.then(|| at.saturating_add(most as u64).saturating_add(2))
    }
}

impl Envelope {
    /// A value begins at `at`, where a handle may stand.
    pub(super) fn begin_handle(&mut self, place: u16, is_string: bool, at: u64) {
        let is_state = place == place::STATE;
        // Which task a message is about is known before it is decided.
        if !self.handles.is_on || self.batch.is_some() || self.is_decided && !is_state {
            return;
        }
        if is_string {
            self.handles.reading = Some((at, is_state));
        } else if is_state {
            // What is no string is nothing that a server handed out.
            self.keep_handle(HandleKind::State, Text::Absent, at..at);
        }
    }

    /// The string that began last has ended before `at`.
    pub(super) fn end_handle(&mut self, place: u16, at: u64) {
        let Some((start, _)) = self.handles.reading.take() else { return };
        let kind = match place {
            place::STATE => HandleKind::State,
            place::TASK => HandleKind::Task,
            _ => HandleKind::Watched,
        };
        self.keep_handle(kind, self.scratch.to_text(), start..at);
    }

    fn keep_handle(&mut self, kind: HandleKind, text: Text, at: Range<u64>) {
        let handles = &mut self.handles;
        if handles.ready.len() >= self.limits.elements {
            handles.is_over = true;
            return;
        }
        let text = match text {
            // A sealed one needs no escape in JSON, and whoever writes one with some cannot have it opened: what goes in
            // its place has the length that it has.
            Text::Is(text) if text.len() as u64 + 2 == at.end.saturating_sub(at.start) => text,
            _ => Box::default(),
        };
        handles.ready.push(Handle { kind, text, at });
    }

    /// What the message of `method`, which is about a task, acts on: nothing yet where its handle must be opened first.
    pub(super) fn task_object(&self, method: Method) -> Result<Option<Option<Object>>, Violation> {
        let handles = &self.handles;
        // A client tells of its own tasks under ids of its own.
        if !handles.is_on || method.info().is_notification {
            return Ok(Some(None));
        }
        if self.batch.is_some() {
            return Err(Violation::TaskUnknown);
        }
        let object = |tool: &str| Object { kind: ObjectKind::Tool, name: tool.into() };
        Ok(handles.tool.as_deref().map(|tool| Some(object(tool))))
    }

    /// Whether handles of `kind` are opened, as far as is known.
    fn opens(&self, kind: HandleKind) -> Option<bool> {
        let info = self.method?.info();
        match kind {
            // Which method and which target it was made for is known with the call.
            HandleKind::State => (self.is_decided || self.is_quiet).then_some(true),
            HandleKind::Task => Some(info.target == Target::Task && !info.is_notification),
            HandleKind::Watched => Some(info.target == Target::Filter),
        }
    }
}

impl RequestInspector {
    /// Looks for handles, which the caller of [`RequestInspector::take_handle`] opens. To be said before the body begins.
    #[must_use]
    pub fn with_sealed_handles(mut self) -> Self {
        self.envelope.handles.is_on = true;
        self
    }

    /// The next handle that can be opened with what is known: of a task as soon as it is read, before there is a call; a
    /// state behind the call that it belongs to. To be asked after every [`RequestInspector::feed`], and once a call was taken.
    pub fn take_handle(&mut self) -> Option<Handle> {
        let envelope = &mut self.envelope;
        if envelope.handles.ready.is_empty() || envelope.handles.out.is_some() {
            return None;
        }
        let mut at = 0;
        while let Some(handle) = envelope.handles.ready.get(at) {
            let is_state = handle.kind == HandleKind::State;
            match envelope.opens(handle.kind) {
                Some(true) if !is_state || self.is_taken => {
                    let handle = envelope.handles.ready.remove(at);
                    envelope.handles.out = Some(handle.at.start);
                    return Some(handle);
                }
                // It is none: what is called like one in a message of another kind.
                Some(false) => {
                    envelope.handles.ready.remove(at);
                }
                _ => at += 1,
            }
        }
        self.hold_handles();
        None
    }

    /// Says what becomes of `handle`; `None`: it does not open.
    ///
    /// # Errors
    /// [`Violation::TaskUnknown`] or [`Violation::StateUnknown`] where it does not open; what follows from it otherwise.
    pub fn settle_handle(
        &mut self,
        handle: Handle,
        opened: Option<Opened>,
    ) -> Result<(), Violation> {
        self.envelope.handles.out = None;
        let unknown = match handle.kind {
            HandleKind::State => Violation::StateUnknown,
            HandleKind::Task | HandleKind::Watched => Violation::TaskUnknown,
        };
        let (text, tool) = match opened {
            Some(Opened::AsItCame) => (None, None),
            Some(Opened::Is(text)) => (Some(text), None),
            Some(Opened::Task(text, tool)) => (Some(text), Some(tool)),
            None => {
                self.refuse(unknown);
                return self.verdict();
            }
        };
        if self.envelope.handles.is_over {
            self.refuse(Violation::TaskUnknown);
        }
        if let Some(text) = text
            && !self.is_refused()
            && !self.gate.put(handle.at, &text)
        {
            self.refuse(unknown);
        }
        self.hold_handles();
        if handle.kind == HandleKind::Task && !self.is_refused() {
            self.envelope.handles.tool = Some(tool.unwrap_or_default());
            self.envelope.settle();
        }
        self.verdict()
    }

    /// Keeps back what stands behind a handle that is not settled.
    pub(super) fn hold_handles(&mut self) {
        self.gate.hold_from(self.envelope.handles.first());
    }
}
