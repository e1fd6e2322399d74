//! Properties of the language server: any bytes are read the same however they are cut, every request is answered once,
//! what is told is of the text that is open and points into it, and a session can always be shut down.

#![expect(clippy::indexing_slicing, reason = "a member that a JSON value does not have is null")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::diagnostic::Sources;
use crate::editor::{
    After, Checked, Disk, Due, FrameError, Frames, MAX_HEADER, MAX_MESSAGE, Server, frame,
};
use crate::policy::{CompileOptions, Policy};

/// Longest input that is tried: variety, not size.
const MAX_INPUT: usize = 32 * 1024;

/// 2026-11-22T00:00:00Z.
const NOW: u64 = 1_795_305_600;

/// Fuzz target `lsp`: the input is a stream as it comes from an editor, and then again one message a line.
pub fn session(data: &[u8]) {
    if data.len() > MAX_INPUT {
        return;
    }
    stream(data);
    messages(data);
}

/// What a message of a stream is: its bytes, or why it is none.
type Read = Result<Vec<u8>, FrameError>;

/// Reads `data` whole and in two pieces: the same comes out, and a session that has seen it can be shut down.
fn stream(data: &[u8]) {
    let (mut whole, all) = fed(&[data]);
    let at = data.first().map_or(0, |byte| usize::from(*byte)).min(data.len());
    let (head, tail) = data.split_at(at);
    assert_eq!(fed(&[head, tail]).1, all, "cut at {at}");
    assert!(whole.held() <= MAX_HEADER + MAX_MESSAGE, "what is held has a bound");
    let mut client = Client::default();
    for message in &all {
        match message {
            Ok(message) => client.send(message),
            Err(error) => {
                let said: Value = parsed(&Server::unreadable(*error));
                assert_eq!(said.pointer("/error/code"), Some(&json!(-32700)), "{said}");
            }
        }
    }
    if whole.is_between() {
        let mut next = None;
        whole.feed(&frame(SHUTDOWN), |it| next = it.ok().map(<[u8]>::to_vec));
        assert_eq!(next.as_deref(), Some(SHUTDOWN.as_bytes()), "the next message is read");
    }
    client.shut_down();
}

fn fed(chunks: &[&[u8]]) -> (Frames, Vec<Read>) {
    let mut frames = Frames::default();
    let mut all = Vec::new();
    for chunk in chunks {
        frames.feed(chunk, |it| all.push(it.map(<[u8]>::to_vec)));
    }
    (frames, all)
}

/// Takes each line of `data` as a message of a session that has begun.
fn messages(data: &[u8]) {
    let mut client = Client::default();
    client.send(INITIALIZE.as_bytes());
    for line in data.split(|byte| *byte == b'\n') {
        client.send(line);
        // Now and then nothing more is waiting.
        if line.len() % 2 == 0 {
            client.settle();
        }
    }
    client.settle();
    client.shut_down();
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"rootUri":"file:///w","capabilities":{"workspace":{"didChangeWatchedFiles":{"dynamicRegistration":true}}}}}"#;
const SHUTDOWN: &str = r#"{"jsonrpc":"2.0","id":"the end","method":"shutdown"}"#;

/// A client that believes nothing.
#[derive(Default)]
struct Client {
    server: Server,
    has_begun: bool,
    was_shut: bool,
    /// The texts of documents by URI, as this side has them, where the server took them.
    texts: BTreeMap<String, (Option<i64>, String)>,
}

impl Client {
    fn send(&mut self, message: &[u8]) {
        let (out, after) = self.server.handle(message, &mut Memory);
        let sent: Option<Value> = serde_json::from_slice(message).ok();
        let field = |key: &str| sent.as_ref().and_then(|it| it.get(key));
        let method = field("method").and_then(Value::as_str).unwrap_or_default();
        let is_exit = method == "exit" && field("id").is_none();
        assert_eq!(matches!(after, After::Exit { .. }), is_exit, "only `exit` ends it");
        if is_exit {
            return;
        }
        let id = field("id").filter(|id| id.is_string() || id.is_number());
        let is_request = id.is_some() && field("method").is_some_and(Value::is_string);
        if let Some(sent) = sent.as_ref().filter(|_| self.has_begun && !self.was_shut) {
            self.note(sent, method, field("id").is_none(), &out);
        }
        self.look(&out);
        if is_request {
            let answers = out.iter().map(|it| parsed(it)).filter(|it| it.get("method").is_none());
            let answers: Vec<Value> = answers.collect();
            assert_eq!(answers.len(), 1, "one answer to {sent:?}: {answers:?}");
            let answer = answers.first().unwrap_or(&Value::Null);
            assert_eq!(answer.get("id"), id, "an answer has the id of its question");
            let (result, error) = (answer.get("result"), answer.get("error"));
            assert!(result.is_some() != error.is_some(), "{answer}");
            self.has_begun |= method == "initialize" && result.is_some();
            self.was_shut |= method == "shutdown" && result.is_some();
        }
    }

    /// Keeps the texts that the server has taken: it says so where it takes one not.
    fn note(&mut self, sent: &Value, method: &str, is_notification: bool, out: &[String]) {
        let is_refused = out.iter().any(|it| parsed(it)["method"] == "window/logMessage");
        if !is_notification || is_refused {
            return;
        }
        let text = |pointer: &str| sent.pointer(pointer).and_then(Value::as_str);
        // What this side cannot read, it does not judge.
        let Some(uri) = text("/params/textDocument/uri") else { return self.texts.clear() };
        let version = sent.pointer("/params/textDocument/version").and_then(Value::as_i64);
        let changes = sent.pointer("/params/contentChanges").and_then(Value::as_array);
        let new = match method {
            "textDocument/didOpen" => text("/params/textDocument/text"),
            "textDocument/didChange" if changes.is_some_and(Vec::is_empty) => return,
            "textDocument/didChange" => changes.and_then(|it| it.last()?.get("text")?.as_str()),
            "textDocument/didClose" => None,
            _ => return,
        };
        match new {
            Some(new) => self.texts.insert(uri.to_owned(), (version, new.to_owned())),
            None => self.texts.remove(uri),
        };
    }

    /// What goes out are messages; what is told of a text that is open has its version and points into it.
    fn look(&self, out: &[String]) {
        for message in out.iter().map(|it| parsed(it)) {
            assert_eq!(message["jsonrpc"], "2.0");
            if message["method"] != "textDocument/publishDiagnostics" {
                continue;
            }
            let params = &message["params"];
            let Some((version, text)) = params["uri"].as_str().and_then(|it| self.texts.get(it))
            else {
                continue;
            };
            assert_eq!(params["version"].as_i64(), *version, "{message}");
            for found in params["diagnostics"].as_array().into_iter().flatten() {
                let (start, end) = (&found["range"]["start"], &found["range"]["end"]);
                let place = |it: &Value| (it["line"].as_u64(), it["character"].as_u64());
                assert!(place(start) <= place(end), "{found}");
                let ends = text.matches(['\n', '\r']).count() as u64;
                assert!(place(end).0.is_some_and(|line| line <= ends), "{found} of {text:?}");
            }
        }
    }

    /// Checks what is due, as the driver does when nothing is waiting; twice told is once.
    fn settle(&mut self) {
        let mut left = 1_000;
        while let Some(due) = self.server.due() {
            let checked = Memory.check(&due);
            let told = self.server.publish(&due, checked.clone());
            self.look(&told);
            assert!(self.server.publish(&due, checked).is_empty(), "nothing is told again");
            left -= 1;
            assert!(left > 0, "it comes to an end");
        }
    }

    /// Whatever came before, the answer to `shutdown` is what the state of the session makes it.
    fn shut_down(&mut self) {
        let (out, after) = self.server.handle(SHUTDOWN.as_bytes(), &mut Memory);
        assert_eq!(after, After::Continue);
        let [answer] = out.as_slice() else { return assert_eq!(out.len(), 1) };
        let answer = parsed(answer);
        assert_eq!(answer["id"], "the end");
        match (self.has_begun, self.was_shut) {
            (false, _) => assert_eq!(answer["error"]["code"], -32002),
            (true, false) => assert_eq!(answer.get("result"), Some(&Value::Null)),
            (true, true) => assert_eq!(answer["error"]["code"], -32600),
        }
        let exit = br#"{"jsonrpc":"2.0","method":"exit"}"#;
        let after = self.server.handle(exit, &mut Memory).1;
        assert_eq!(after, After::Exit { was_asked: self.has_begun });
    }
}

fn parsed(message: &str) -> Value {
    serde_json::from_str(message).unwrap_or_default()
}

/// A disk with nothing on it.
struct Memory;

impl Disk for Memory {
    fn set(&mut self, path: &Path, workspace: &[PathBuf]) -> PathBuf {
        let own = path.parent().unwrap_or(path);
        workspace.iter().find(|it| own.starts_with(it)).map_or(own, |it| it).to_path_buf()
    }

    fn check(&mut self, due: &Due) -> Checked {
        let mut sources = Sources::new();
        for (name, text) in &due.texts {
            sources.add(name.as_str(), text.as_str());
        }
        let compiled = Policy::compile(&sources, &CompileOptions::new(NOW));
        let (findings, declared) = (compiled.diagnostics, compiled.policy);
        Checked { sources, findings, lock: None, declared }
    }
}
