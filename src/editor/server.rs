//! The state of a session: which documents are open, and what is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use super::position::{Encoding, Lines};
use super::protocol::{
    self, At, Changed, Fault, INVALID_PARAMS, INVALID_REQUEST, Incoming, METHOD_NOT_FOUND,
    NOT_INITIALIZED, Opened, Over, PARSE, Whole, params,
};
use super::view::{Checked, View, kind};
use super::{
    FrameError, MAX_DOCUMENTS, MAX_TEXT, actions, completion, definition, diagnostics, hover,
};
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

/// How a path is checked: `check(path, texts)` is the folder of the document at `path` (or the config file itself) with `texts`,
/// by path, in the place of what is on disk.
pub type Check<'c> = &'c mut dyn FnMut(&Path, &BTreeMap<String, String>) -> Checked;

/// A session with one client.
#[derive(Debug, Default)]
pub struct Server {
    state: State,
    encoding: Encoding,
    /// By URI.
    documents: BTreeMap<String, Document>,
    /// What the folders of open documents came to.
    folders: BTreeMap<PathBuf, Folder>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Fresh,
    Running,
    ShutDown,
}

#[derive(Debug)]
struct Document {
    /// Its path.
    name: String,
    text: String,
}

#[derive(Debug, Default)]
struct Folder {
    checked: Checked,
    /// URIs of files that the client was told something about.
    told: BTreeSet<String>,
}

impl Server {
    /// Takes a message and returns what goes out.
    pub fn handle(&mut self, message: &[u8], check: Check<'_>) -> (Vec<String>, After) {
        let mut out = Vec::new();
        let after = match protocol::parse(message) {
            Err((id, fault)) => {
                out.push(protocol::error(&id, &fault));
                After::Continue
            }
            Ok(Incoming::Response) => After::Continue,
            Ok(Incoming::Request { id, method, params }) => {
                out.push(match self.answer(&method, params) {
                    Ok(result) => protocol::response(&id, &result),
                    Err(fault) => protocol::error(&id, &fault),
                });
                After::Continue
            }
            Ok(Incoming::Notification { method, params }) => {
                if method == "exit" {
                    return (out, After::Exit { was_asked: self.state == State::ShutDown });
                }
                if self.state == State::Running
                    && let Err(fault) = self.note(&method, params, check, &mut out)
                {
                    out.push(protocol::warning(&format!("{method}: {}", fault.message)));
                }
                After::Continue
            }
        };
        (out, after)
    }

    /// What is said of a message that cannot be read.
    #[must_use]
    pub fn unreadable(error: FrameError) -> String {
        protocol::error(&Value::Null, &Fault::new(PARSE, error.to_string()))
    }

    fn answer(&mut self, method: &str, given: Value) -> Result<Value, Fault> {
        match (self.state, method) {
            (State::Fresh, "initialize") => Ok(self.initialize(&given)),
            (State::Fresh, _) => Err(Fault::new(NOT_INITIALIZED, "`initialize` comes first")),
            (_, "initialize") => Err(Fault::new(INVALID_REQUEST, "`initialize` comes once")),
            (State::ShutDown, _) => Err(Fault::new(INVALID_REQUEST, "it was shut down")),
            (State::Running, "shutdown") => {
                self.state = State::ShutDown;
                Ok(Value::Null)
            }
            (State::Running, "textDocument/hover") => {
                let at: At = params(given)?;
                self.view(&at).map(|view| hover::hover(&view))
            }
            (State::Running, "textDocument/completion") => {
                let at: At = params(given)?;
                self.view(&at).map(|view| completion::completion(&view))
            }
            (State::Running, "textDocument/definition") => {
                let at: At = params(given)?;
                let view = self.view(&at)?;
                Ok(definition::definition(&view, self.encoding, &|name| self.uri(name)))
            }
            (State::Running, "textDocument/codeAction") => self.actions(given),
            (State::Running, "textDocument/formatting") => self.format(given),
            (State::Running, _) => {
                Err(Fault::new(METHOD_NOT_FOUND, format!("no method `{method}`")))
            }
        }
    }

    fn initialize(&mut self, given: &Value) -> Value {
        let offered = given.pointer("/capabilities/general/positionEncodings");
        let offered = offered.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let has_utf8 = offered.iter().any(|it| it == "utf-8");
        self.encoding = if has_utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
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
            },
        })
    }

    fn note(
        &mut self,
        method: &str,
        given: Value,
        check: Check<'_>,
        out: &mut Vec<String>,
    ) -> Result<(), Fault> {
        match method {
            "textDocument/didOpen" => {
                let opened: Opened = params(given)?;
                let document = opened.text_document;
                let is_known = self.documents.contains_key(&document.uri);
                if !is_known && self.documents.len() >= MAX_DOCUMENTS {
                    let message = format!("more than {MAX_DOCUMENTS} documents are open");
                    return Err(Fault::new(INVALID_REQUEST, message));
                }
                self.put(document.uri, document.text, check, out)
            }
            "textDocument/didChange" => {
                let changed: Changed = params(given)?;
                let uri = changed.text_document.uri;
                self.document(&uri)?;
                if changed.content_changes.iter().any(|it| it.range.is_some()) {
                    let message = "a change of a part: whole texts were agreed on";
                    return Err(Fault::new(INVALID_PARAMS, message));
                }
                let Some(last) = changed.content_changes.into_iter().next_back() else {
                    return Ok(());
                };
                self.put(uri, last.text, check, out)
            }
            "textDocument/didSave" => {
                let saved: Whole = params(given)?;
                let name = self.document(&saved.text_document.uri)?.name.clone();
                self.check(&name, check, out);
                Ok(())
            }
            "textDocument/didClose" => {
                let closed: Whole = params(given)?;
                let uri = closed.text_document.uri;
                let Some(document) = self.documents.remove(&uri) else {
                    return Err(not_open(&uri));
                };
                self.close(&document.name, check, out);
                Ok(())
            }
            "workspace/didChangeWatchedFiles" => {
                let names: BTreeMap<PathBuf, String> =
                    self.documents.values().map(|it| (place(&it.name), it.name.clone())).collect();
                for name in names.values() {
                    self.check(name, check, out);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes `text` as that of `uri`, and tells what is found.
    fn put(
        &mut self,
        uri: String,
        text: String,
        check: Check<'_>,
        out: &mut Vec<String>,
    ) -> Result<(), Fault> {
        if text.len() > MAX_TEXT {
            let message = format!("a text of more than {MAX_TEXT} bytes");
            return Err(Fault::new(INVALID_PARAMS, message));
        }
        let path = Url::parse(&uri).ok().and_then(|url| url.to_file_path().ok());
        let name = path.and_then(|path| path.to_str().map(str::to_owned));
        let Some(name) = name else {
            return Err(Fault::new(INVALID_PARAMS, "only files on disk can be checked"));
        };
        self.documents.insert(uri, Document { name: name.clone(), text });
        self.check(&name, check, out);
        Ok(())
    }

    /// Checks the folder of the document `name`, and tells what is found.
    fn check(&mut self, name: &str, check: Check<'_>, out: &mut Vec<String>) {
        let texts = self.documents.values().map(|it| (it.name.clone(), it.text.clone()));
        let checked = check(Path::new(name), &texts.collect());
        let about = self.uri(name).unwrap_or_default();
        let found = diagnostics::by_file(&checked, self.encoding, &|name| self.uri(name), &about);
        let folder = self.folders.entry(place(name)).or_default();
        folder.checked = checked;
        let before = std::mem::take(&mut folder.told);
        folder.told = found.keys().cloned().collect();
        // What is open is told even if nothing is wrong with it; what was told before is taken back.
        let gone = before.into_iter().chain([about]).filter(|uri| !found.contains_key(uri));
        let gone: BTreeSet<String> = gone.collect();
        for uri in gone {
            out.push(published(&uri, &[]));
        }
        for (uri, found) in &found {
            out.push(published(uri, found));
        }
    }

    /// Forgets the document `name`: its folder is checked as it is on disk, or forgotten with its last document.
    fn close(&mut self, name: &str, check: Check<'_>, out: &mut Vec<String>) {
        let folder = place(name);
        let other = self.documents.values().find(|it| place(&it.name) == folder);
        if let Some(other) = other.map(|it| it.name.clone()) {
            return self.check(&other, check, out);
        }
        for uri in self.folders.remove(&folder).unwrap_or_default().told {
            out.push(published(&uri, &[]));
        }
    }

    fn document(&self, uri: &str) -> Result<&Document, Fault> {
        self.documents.get(uri).ok_or_else(|| not_open(uri))
    }

    fn checked(&self, document: &Document) -> Result<&Checked, Fault> {
        let folder = self.folders.get(&place(&document.name));
        folder.map(|it| &it.checked).ok_or_else(|| not_open(&document.name))
    }

    fn view(&self, at: &At) -> Result<View<'_>, Fault> {
        let document = self.document(&at.text_document.uri)?;
        let checked = self.checked(document)?;
        Ok(View::new(checked, &document.name, &document.text, self.encoding, at.position))
    }

    fn actions(&self, given: Value) -> Result<Value, Fault> {
        let over: Over = params(given)?;
        let document = self.document(&over.text_document.uri)?;
        let checked = self.checked(document)?;
        let lines = Lines::new(&document.text, self.encoding);
        let range = lines.offset(over.range.start)..lines.offset(over.range.end);
        let uri = |name: &str| self.uri(name);
        Ok(actions::actions(checked, &document.name, &range, self.encoding, &uri))
    }

    fn format(&self, given: Value) -> Result<Value, Fault> {
        let whole: Whole = params(given)?;
        let document = self.document(&whole.text_document.uri)?;
        if kind(&document.name) == File::Lock {
            return Ok(Value::Null);
        }
        // What is wrong with a text that has no layout has been told.
        let Some(text) = lay_out(&document.text) else { return Ok(Value::Null) };
        if text == document.text {
            return Ok(json!([]));
        }
        let range = Lines::new(&document.text, self.encoding).whole();
        Ok(json!([{ "range": range, "newText": text }]))
    }

    /// The URI under which the client has opened the file `name`.
    fn uri(&self, name: &str) -> Option<String> {
        self.documents.iter().find(|(_, it)| it.name == name).map(|(uri, _)| uri.clone())
    }
}

/// What is checked for the document `name`: its folder, or a config file alone.
fn place(name: &str) -> PathBuf {
    let path = Path::new(name);
    match (kind(name), path.parent()) {
        (File::Config, _) | (_, None) => path.to_path_buf(),
        (_, Some(folder)) => folder.to_path_buf(),
    }
}

fn not_open(uri: &str) -> Fault {
    Fault::new(INVALID_PARAMS, format!("`{}` is not open", crate::diagnostic::visible(uri)))
}

fn published(uri: &str, found: &[Value]) -> String {
    let params = json!({ "uri": uri, "diagnostics": found });
    protocol::notification("textDocument/publishDiagnostics", &params)
}
