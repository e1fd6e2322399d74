//! `mcpfw lsp`: a scripted client against the real binary, and hostile ones.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and parameters are written where they are sent"
)]

mod attack;
mod session;
mod sets;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::support::process::mcpfw;

pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An editor: what it sends, and what it was told.
pub(super) struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: u64,
    /// The last diagnostics of each URI.
    pub(super) told: BTreeMap<String, Vec<Value>>,
    /// The URI and the version of all diagnostics, in their order.
    pub(super) versions: Vec<(String, Option<i64>)>,
    /// What the server asked.
    pub(super) asked: Vec<Value>,
    /// What it was warned of.
    pub(super) log: Vec<String>,
    pub(super) capabilities: Value,
}

impl Editor {
    /// Started and initialized. `encodings`: what it offers.
    pub(super) fn start(encodings: &[&str]) -> Self {
        let capabilities = json!({ "general": { "positionEncodings": encodings } });
        Self::start_with(
            json!({ "processId": null, "rootUri": null, "capabilities": capabilities }),
        )
    }

    /// Initialized with `params`.
    pub(super) fn start_with(params: Value) -> Self {
        let mut editor = Self::fresh();
        let result = editor.ask("initialize", params).unwrap();
        // An independent reading of the protocol takes it.
        let result: lsp_types::InitializeResult = serde_json::from_value(result).unwrap();
        editor.capabilities = serde_json::to_value(result.capabilities).unwrap();
        editor.tell("initialized", json!({}));
        editor
    }

    pub(super) fn fresh() -> Self {
        let mut command = mcpfw(&["lsp"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (told, log) = (BTreeMap::new(), Vec::new());
        let (versions, asked) = (Vec::new(), Vec::new());
        let capabilities = Value::Null;
        Self { child, input, output, next: 0, told, versions, asked, log, capabilities }
    }

    pub(super) fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub(super) fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let mut message = self.read().unwrap();
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].take()),
                };
            }
        }
    }

    /// The next message; notes what it tells. `None` at the end.
    pub(super) fn read(&mut self) -> Option<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            if let Some(number) = line.strip_prefix("Content-Length: ") {
                length = Some(number.trim().parse().unwrap());
            }
        }
        let mut body = vec![0; length.unwrap()];
        self.output.read_exact(&mut body).unwrap();
        let message: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(message["jsonrpc"], "2.0");
        match message["method"].as_str() {
            Some("textDocument/publishDiagnostics") => {
                let params = message["params"].clone();
                let _: lsp_types::PublishDiagnosticsParams =
                    serde_json::from_value(params.clone()).unwrap();
                let uri = params["uri"].as_str().unwrap().to_owned();
                self.versions.push((uri.clone(), params["version"].as_i64()));
                self.told.insert(uri, params["diagnostics"].as_array().unwrap().clone());
            }
            Some("window/logMessage") => {
                self.log.push(message["params"]["message"].as_str().unwrap().to_owned());
            }
            Some(_) => self.asked.push(message.clone()),
            None => {}
        }
        Some(message)
    }

    /// Opens `text` as the file at `path`, and waits until it was looked at.
    pub(super) fn open(&mut self, path: &Path, text: &str) -> String {
        let uri = uri(path);
        let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.settle();
        uri
    }

    pub(super) fn change(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "version": 2 });
        let changes = json!([{ "text": text }]);
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", params);
        self.settle();
    }

    /// Messages are answered in their order: an answer comes when all before it was done.
    pub(super) fn settle(&mut self) {
        let error = self.ask("$/settle", Value::Null).unwrap_err();
        assert_eq!(error["code"], -32601);
    }

    /// Asks `method` about the place in `text` where `marker` stands, `|` being the place in it.
    pub(super) fn at(&mut self, method: &str, uri: &str, text: &str, marker: &str) -> Value {
        let at = text.find(&marker.replace('|', "")).unwrap();
        let at = at + marker.find('|').unwrap();
        let before = &text[..at];
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap().encode_utf16().count();
        let position = json!({ "line": line, "character": character });
        self.ask(method, json!({ "textDocument": { "uri": uri }, "position": position })).unwrap()
    }

    /// The labels that are offered there.
    pub(super) fn offered(&mut self, uri: &str, text: &str, marker: &str) -> Vec<String> {
        let list = self.at("textDocument/completion", uri, text, marker);
        let list: lsp_types::CompletionList = serde_json::from_value(list).unwrap();
        list.items.into_iter().map(|item| item.label).collect()
    }

    /// Ends the session as the protocol wants it. The exit code.
    pub(super) fn end(mut self) -> Option<i32> {
        self.ask("shutdown", Value::Null).unwrap();
        self.tell("exit", Value::Null);
        assert!(self.read().is_none());
        self.child.wait().unwrap().code()
    }

    /// Closes its standard input, reads to the end, and waits for the exit code.
    pub(super) fn hang_up(mut self) -> (Vec<Value>, Option<i32>) {
        drop(self.input.take());
        let mut rest = Vec::new();
        while let Some(message) = self.read() {
            rest.push(message);
        }
        (rest, self.child.wait().unwrap().code())
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn uri(path: &Path) -> String {
    url::Url::from_file_path(path).unwrap().into()
}

/// The sets of `policies/`.
pub(super) fn sets() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(Path::new(ROOT).join("policies")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.collect()
}
