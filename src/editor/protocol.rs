//! JSON-RPC as LSP uses it: what comes in, and what goes out.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::position::Position;

/// Codes of errors (JSON-RPC 2.0 §5.1, LSP 3.17 "ErrorCodes").
pub(super) const PARSE: i32 = -32700;
pub(super) const INVALID_REQUEST: i32 = -32600;
pub(super) const METHOD_NOT_FOUND: i32 = -32601;
pub(super) const INVALID_PARAMS: i32 = -32602;
pub(super) const NOT_INITIALIZED: i32 = -32002;

/// A message of the client.
#[derive(Debug)]
pub(super) enum Incoming {
    Request {
        id: Value,
        method: String,
        params: Value,
    },
    Notification {
        method: String,
        params: Value,
    },
    /// An answer to something that was asked; nothing is.
    Response,
}

/// What is wrong with a message: the error that says so.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: i32,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Reads a message; a fault comes with the id that it is told under.
pub(super) fn parse(message: &[u8]) -> Result<Incoming, (Value, Fault)> {
    let fault = |code, message: &str| (Value::Null, Fault::new(code, message));
    let value: Value =
        serde_json::from_slice(message).map_err(|_| fault(PARSE, "this is no JSON"))?;
    let Value::Object(mut members) = value else {
        return Err(fault(INVALID_REQUEST, "a message is an object"));
    };
    let params = members.remove("params").unwrap_or(Value::Null);
    let id = members.remove("id");
    match (id, members.remove("method")) {
        (Some(id @ (Value::String(_) | Value::Number(_))), Some(Value::String(method))) => {
            Ok(Incoming::Request { id, method, params })
        }
        (None, Some(Value::String(method))) => Ok(Incoming::Notification { method, params }),
        (Some(_), None) if members.contains_key("result") || members.contains_key("error") => {
            Ok(Incoming::Response)
        }
        _ => Err(fault(INVALID_REQUEST, "neither a request nor a notification")),
    }
}

/// The parameters of a message.
pub(super) fn params<T: DeserializeOwned>(params: Value) -> Result<T, Fault> {
    serde_json::from_value(params).map_err(|error| Fault::new(INVALID_PARAMS, error.to_string()))
}

pub(super) fn response(id: &Value, result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
}

pub(super) fn error(id: &Value, fault: &Fault) -> String {
    let error = json!({ "code": fault.code, "message": fault.message });
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
}

pub(super) fn notification(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()
}

/// A line for the log of the editor.
pub(super) fn warning(text: &str) -> String {
    notification("window/logMessage", &json!({ "type": 2, "message": text }))
}

/// Asks the client to tell what changes on disk, open or not.
pub(super) fn watch() -> String {
    let watchers = json!([{ "globPattern": "**/*.toml" }, { "globPattern": "**/mcp.lock.json" }]);
    let method = "workspace/didChangeWatchedFiles";
    let options = json!({ "watchers": watchers });
    let registrations = json!([{ "id": "files", "method": method, "registerOptions": options }]);
    let params = json!({ "registrations": registrations });
    json!({ "jsonrpc": "2.0", "id": "files", "method": "client/registerCapability", "params": params })
        .to_string()
}

/// What a client says of the folders that it has opened. LSP 3.6 and later send `workspaceFolders`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Folders {
    workspace_folders: Option<Vec<Folder>>,
    root_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Folder {
    uri: String,
}

impl Folders {
    pub(super) fn uris(&self) -> impl Iterator<Item = &str> {
        let folders = self.workspace_folders.iter().flatten().map(|it| &*it.uri);
        let has_folders = self.workspace_folders.is_some();
        folders.chain(self.root_uri.as_deref().filter(|_| !has_folders))
    }
}

/// Folders are opened and closed.
#[derive(Debug, Deserialize)]
pub(super) struct Regrouped {
    pub(super) event: Regrouping,
}

#[derive(Debug, Deserialize)]
pub(super) struct Regrouping {
    added: Vec<Folder>,
    removed: Vec<Folder>,
}

impl Regrouping {
    pub(super) fn added(&self) -> impl Iterator<Item = &str> {
        self.added.iter().map(|it| &*it.uri)
    }

    pub(super) fn removed(&self) -> impl Iterator<Item = &str> {
        self.removed.iter().map(|it| &*it.uri)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) uri: String,
    /// Which text it is, as the client counts.
    #[serde(default)]
    pub(super) version: Option<i64>,
    /// Where it is opened.
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opened {
    pub(super) text_document: Document,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    pub(super) text_document: Document,
    pub(super) content_changes: Vec<Change>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) text: String,
    /// There for a part of the text: not what was agreed on.
    #[serde(default)]
    pub(super) range: Option<Value>,
}

/// A question about a place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct At {
    pub(super) text_document: Document,
    pub(super) position: Position,
}

/// A question about a range.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Over {
    pub(super) text_document: Document,
    pub(super) range: Range,
}

#[derive(Debug, Deserialize)]
pub(super) struct Range {
    pub(super) start: Position,
    pub(super) end: Position,
}

/// A document as a whole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whole {
    pub(super) text_document: Document,
}
