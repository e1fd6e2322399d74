//! The state of a session: which documents are open, and what is answered.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::position::{Encoding, Lines};
use super::protocol::{
    self, At, Changed, Fault, Folders, INVALID_PARAMS, INVALID_REQUEST, Incoming, METHOD_NOT_FOUND,
    NOT_INITIALIZED, Opened, Over, PARSE, Regrouped, Whole, params,
};
use super::sets::{Disk, Document, Due, Sets, path};
use super::view::{Checked, View, kind};
use super::{FrameError, MAX_WORKSPACE, actions, completion, definition, hover};
use crate::layout::lay_out;
use crate::shape::File;

/// Whether the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It does.
    Continue,
    /// The client has ended it; `was_asked`: it said so before, as the protocol wants it.
    Exit {
        /// Whether `shutdown` came before.
        was_asked: bool,
    },
}

/// A session with one client.
#[derive(Debug, Default)]
pub struct Server {
    state: State,
    sets: Sets,
    /// Whether the client can be asked to tell what changes on disk.
    can_watch: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Fresh,
    Running,
    ShutDown,
}

impl Server {
    /// Takes a message and returns what goes out. What it changes is due to be checked, and is not checked here, but for a question
    /// that is answered from it.
    pub fn handle(&mut self, message: &[u8], disk: &mut dyn Disk) -> (Vec<String>, After) {
        let mut out = Vec::new();
        match protocol::parse(message) {
            Err((id, fault)) => out.push(protocol::error(&id, &fault)),
            Ok(Incoming::Response) => {}
            Ok(Incoming::Request { id, method, params }) => {
                let answer = self.answer(&method, params, disk, &mut out);
                out.push(match answer {
                    Ok(result) => protocol::response(&id, &result),
                    Err(fault) => protocol::error(&id, &fault),
                });
            }
            Ok(Incoming::Notification { method, params }) => {
                if method == "exit" {
                    return (out, After::Exit { was_asked: self.state == State::ShutDown });
                }
                if self.state == State::Running
                    && let Err(fault) = self.note(&method, params, disk, &mut out)
                {
                    out.push(protocol::warning(&format!("{method}: {}", fault.message)));
                }
            }
        }
        (out, After::Continue)
    }

    /// Whether anything is to be checked once no more messages are waiting.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.state == State::Running && self.sets.is_due()
    }

    /// What is to be checked next.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        if self.is_due() { self.sets.due() } else { None }
    }

    /// Takes what `due` came to, and returns what goes out: nothing, where the set has changed since, or was checked meanwhile
    /// for a question.
    pub fn publish(&mut self, due: &Due, checked: Checked) -> Vec<String> {
        self.sets.take(due, checked)
    }

    /// What is said of a message that cannot be read.
    #[must_use]
    pub fn unreadable(error: FrameError) -> String {
        protocol::error(&Value::Null, &Fault::new(PARSE, error.to_string()))
    }

    fn answer(
        &mut self,
        method: &str,
        given: Value,
        disk: &mut dyn Disk,
        out: &mut Vec<String>,
    ) -> Result<Value, Fault> {
        match (self.state, method) {
            (State::Fresh, "initialize") => Ok(self.initialize(&given)),
            (State::Fresh, _) => Err(Fault::new(NOT_INITIALIZED, "`initialize` comes first")),
            (_, "initialize") => Err(Fault::new(INVALID_REQUEST, "`initialize` comes once")),
            (State::ShutDown, _) => Err(Fault::new(INVALID_REQUEST, "it was shut down")),
            (State::Running, "shutdown") => {
                self.state = State::ShutDown;
                Ok(Value::Null)
            }
            // These two come with every key that is pressed, and take only names from what the set came to: the last one does.
            (State::Running, "textDocument/hover") => {
                self.view(given, disk, out, |_, view| hover::hover(view))
            }
            (State::Running, "textDocument/completion") => {
                self.view(given, disk, out, |_, view| completion::completion(view))
            }
            // It asks nothing of the set, and is asked for before a save.
            (State::Running, "textDocument/formatting") => self.format(given),
            (State::Running, _) => {
                out.extend(self.sets.settle(disk));
                self.answer_settled(method, given, disk, out)
            }
        }
    }

    /// Answers what places in the texts of the set are needed for.
    fn answer_settled(
        &mut self,
        method: &str,
        given: Value,
        disk: &mut dyn Disk,
        out: &mut Vec<String>,
    ) -> Result<Value, Fault> {
        match method {
            "textDocument/definition" => self.view(given, disk, out, |sets, view| {
                definition::definition(view, sets.encoding, &|name| sets.uri(name))
            }),
            "textDocument/codeAction" => self.actions(given),
            _ => Err(Fault::new(METHOD_NOT_FOUND, format!("no method `{method}`"))),
        }
    }

    fn initialize(&mut self, given: &Value) -> Value {
        let offered = given.pointer("/capabilities/general/positionEncodings");
        let offered = offered.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let has_utf8 = offered.iter().any(|it| it == "utf-8");
        self.sets.encoding = if has_utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
        let watched = "/capabilities/workspace/didChangeWatchedFiles/dynamicRegistration";
        self.can_watch = given.pointer(watched) == Some(&Value::Bool(true));
        let folders: Folders = params(given.clone()).unwrap_or_default();
        self.sets.workspace = folders.uris().filter_map(path).take(MAX_WORKSPACE).collect();
        self.state = State::Running;
        json!({
            "serverInfo": { "name": "mcpfw", "version": env!("CARGO_PKG_VERSION") },
            "capabilities": {
                "positionEncoding": if has_utf8 { "utf-8" } else { "utf-16" },
                "textDocumentSync": { "openClose": true, "change": 1, "save": true },
                "hoverProvider": true,
                "completionProvider": { "triggerCharacters": [".", "\"", "'", "["] },
                "definitionProvider": true,
                "documentFormattingProvider": true,
                "codeActionProvider": { "codeActionKinds": ["quickfix"] },
                "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
            },
        })
    }

    fn note(
        &mut self,
        method: &str,
        given: Value,
        disk: &mut dyn Disk,
        out: &mut Vec<String>,
    ) -> Result<(), Fault> {
        match method {
            "initialized" if self.can_watch => out.push(protocol::watch()),
            "textDocument/didOpen" => {
                let opened: Opened = params(given)?;
                self.sets.open(opened.text_document, disk, out)?;
            }
            "textDocument/didChange" => {
                let changed: Changed = params(given)?;
                self.sets.document(&changed.text_document.uri)?;
                if changed.content_changes.iter().any(|it| it.range.is_some()) {
                    let message = "a change of a part: whole texts were agreed on";
                    return Err(Fault::new(INVALID_PARAMS, message));
                }
                if let Some(last) = changed.content_changes.into_iter().next_back() {
                    self.sets.change(&changed.text_document, last.text)?;
                }
            }
            "textDocument/didClose" => {
                let closed: Whole = params(given)?;
                self.sets.close(&closed.text_document.uri, out)?;
            }
            "textDocument/didSave" => {
                let saved: Whole = params(given)?;
                self.sets.document(&saved.text_document.uri)?;
                self.sets.touch_all(disk, out);
            }
            "workspace/didChangeWatchedFiles" => self.sets.touch_all(disk, out),
            "workspace/didChangeWorkspaceFolders" => {
                let Regrouped { event } = params(given)?;
                let gone: Vec<PathBuf> = event.removed().filter_map(path).collect();
                let workspace = &mut self.sets.workspace;
                workspace.retain(|it| !gone.contains(it));
                let room = MAX_WORKSPACE.saturating_sub(workspace.len());
                workspace.extend(event.added().filter_map(path).take(room));
                self.sets.touch_all(disk, out);
            }
            _ => {}
        }
        Ok(())
    }

    /// What `answer` makes of the place that is `given`. A set that was never checked is checked first.
    fn view(
        &mut self,
        given: Value,
        disk: &mut dyn Disk,
        out: &mut Vec<String>,
        answer: impl Fn(&Sets, &View<'_>) -> Value,
    ) -> Result<Value, Fault> {
        let at: At = params(given)?;
        let uri = &at.text_document.uri;
        if self.sets.checked(self.sets.document(uri)?).is_none() {
            out.extend(self.sets.settle(disk));
        }
        let document = self.sets.document(uri)?;
        let checked = self.checked(document)?;
        let (name, text) = (&document.name, &document.text);
        let view = View::new(checked, name, text, self.sets.encoding, at.position);
        Ok(answer(&self.sets, &view))
    }

    fn checked(&self, document: &Document) -> Result<&Checked, Fault> {
        let missing = || Fault::new(INVALID_REQUEST, "its set was not checked yet");
        self.sets.checked(document).ok_or_else(missing)
    }

    fn actions(&self, given: Value) -> Result<Value, Fault> {
        let over: Over = params(given)?;
        let document = self.sets.document(&over.text_document.uri)?;
        let checked = self.checked(document)?;
        let lines = Lines::new(&document.text, self.sets.encoding);
        let range = lines.offset(over.range.start)..lines.offset(over.range.end);
        let uri = |name: &str| self.sets.uri(name);
        Ok(actions::actions(checked, &document.name, &range, self.sets.encoding, &uri))
    }

    fn format(&self, given: Value) -> Result<Value, Fault> {
        let whole: Whole = params(given)?;
        let document = self.sets.document(&whole.text_document.uri)?;
        if kind(&document.name) == File::Lock {
            return Ok(Value::Null);
        }
        // What is wrong with a text that has no layout has been told.
        let Some(text) = lay_out(&document.text) else { return Ok(Value::Null) };
        if text == document.text {
            return Ok(json!([]));
        }
        let range = Lines::new(&document.text, self.sets.encoding).whole();
        Ok(json!([{ "range": range, "newText": text }]))
    }
}
