//! Clients that send what they should not.

use std::path::{Path, PathBuf};

use mcpfw::editor::{After, Checked, Disk, Due, MAX_DOCUMENTS, MAX_TEXT, Server};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Editor;

#[test]
fn what_is_not_open_is_an_error() {
    let mut editor = Editor::start(&[]);
    let document = json!({ "uri": "file:///nowhere/p.toml" });
    let at = json!({ "textDocument": document, "position": { "line": 0, "character": 0 } });
    for method in ["hover", "completion", "definition", "formatting"] {
        let error = editor.ask(&format!("textDocument/{method}"), at.clone()).unwrap_err();
        assert_eq!(error["code"], -32602, "{method}");
        assert!(error["message"].as_str().unwrap().contains("is not open"), "{error}");
    }
    let change = json!({ "textDocument": document, "contentChanges": [{ "text": "x" }] });
    editor.tell("textDocument/didChange", change);
    editor.tell("textDocument/didClose", json!({ "textDocument": document }));
    for uri in ["untitled:1", "no uri", "http://example.com/p.toml"] {
        let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": "" });
        editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }
    editor.settle();
    assert_eq!(editor.log.len(), 5, "{:?}", editor.log);
    assert!(editor.told.is_empty());
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn messages_that_are_none() {
    let mut editor = Editor::start(&[]);
    for (body, code) in [
        ("{", -32700),
        ("\u{fffd}", -32700),
        ("", -32700),
        ("[]", -32600),
        ("1", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#, -32600),
        (&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), -32700),
    ] {
        editor.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let answer = editor.read().unwrap();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &Value::Null));
    }
    // An answer to nothing is no message to answer.
    editor.send(&json!({ "jsonrpc": "2.0", "id": 7, "result": null }));
    let error = editor.ask("textDocument/hover", json!({ "position": 1 })).unwrap_err();
    assert_eq!(error["code"], -32602);
    assert_eq!(editor.ask("initialize", json!({})).unwrap_err()["code"], -32600);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn a_message_that_is_too_large_is_passed_over() {
    let mut editor = Editor::start(&[]);
    let size = 9 << 20;
    editor.raw(format!("Content-Length: {size}\r\n\r\n").as_bytes());
    let answer = editor.read().unwrap();
    assert_eq!(answer["error"]["code"], -32700);
    editor.raw(&vec![b'x'; size]);
    editor.settle();
    // A text that is too large is not taken; one that just is not, is.
    let folder = tempfile::tempdir().unwrap();
    let most = format!("#{}", "x".repeat(MAX_TEXT - 1));
    let uri = editor.open(&folder.path().join("p.toml"), &most);
    assert!(editor.log.is_empty() && editor.told.contains_key(&uri));
    editor.change(&uri, &format!("{most}x"));
    assert_eq!(editor.log.len(), 1);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn a_header_that_is_none_ends_it() {
    for header in [
        "Content-Length: x\r\n\r\n".to_owned(),
        "Content-Length: -2\r\n\r\n{}".to_owned(),
        "Content-Length: 99999999999999999999\r\n\r\n".to_owned(),
        "\r\n\r\n".to_owned(),
        "x".repeat(5 << 10),
    ] {
        let mut editor = Editor::start(&[]);
        editor.raw(header.as_bytes());
        let answer = editor.read().unwrap();
        assert_eq!(answer["error"]["code"], -32700);
        assert_eq!(editor.hang_up().1, Some(2));
    }
}

#[test]
fn the_order_of_a_session_is_kept() {
    let mut editor = Editor::fresh();
    assert_eq!(editor.ask("textDocument/hover", json!({})).unwrap_err()["code"], -32002);
    assert_eq!(editor.hang_up(), (Vec::new(), Some(1)));
    let mut editor = Editor::start(&[]);
    editor.ask("shutdown", Value::Null).unwrap();
    assert_eq!(editor.ask("shutdown", Value::Null).unwrap_err()["code"], -32600);
    let mut editor = Editor::start(&[]);
    editor.tell("exit", Value::Null);
    assert_eq!(editor.hang_up(), (Vec::new(), Some(1)));
}

/// A session within this process, whose folders are empty.
pub(super) struct Inside(pub(super) Server);

/// A disk with nothing on it.
pub(super) struct Empty;

impl Disk for Empty {
    fn set(&mut self, path: &Path, _: &[PathBuf]) -> PathBuf {
        path.parent().unwrap().to_owned()
    }

    fn check(&mut self, due: &Due) -> Checked {
        let mut checked = Checked::default();
        for (name, text) in &due.texts {
            checked.sources.add(name.as_str(), text.as_str());
        }
        checked
    }
}

impl Inside {
    pub(super) fn start() -> Self {
        let mut inside = Self(Server::default());
        inside.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {} }));
        inside
    }

    /// What is said of `message`, once all is checked.
    pub(super) fn send(&mut self, message: &Value) -> Vec<Value> {
        let (mut out, after) = self.0.handle(message.to_string().as_bytes(), &mut Empty);
        assert_eq!(after, After::Continue);
        while let Some(due) = self.0.due() {
            out.extend(self.0.publish(&due, Empty.check(&due)));
        }
        out.iter().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    pub(super) fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": text });
        let params = json!({ "textDocument": document });
        self.send(&json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": params }))
    }
}

/// Both sides of the bound.
#[test]
fn documents_are_bounded() {
    let mut inside = Inside::start();
    let is_told =
        |out: &[Value]| out.iter().any(|it| it["method"] == "textDocument/publishDiagnostics");
    for n in 0..MAX_DOCUMENTS {
        assert!(is_told(&inside.open(&format!("file:///{n}/p.toml"), "")), "{n}");
    }
    let out = inside.open("file:///more/p.toml", "");
    assert!(!is_told(&out) && out[0]["method"] == "window/logMessage");
    assert!(is_told(&inside.open("file:///0/p.toml", "")), "one that is open may be opened anew");
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[[allow]]\n"),
        Just("[[test]]\n"),
        Just("[claims.x]\n"),
        Just("["),
        Just("]"),
        Just("{ "),
        Just(" }"),
        Just("name = "),
        Just("tools = "),
        Just("when = "),
        Just("call = "),
        Just("as = "),
        Just("args"),
        Just("."),
        Just("\""),
        Just("'"),
        Just("'''"),
        Just("\"\"\""),
        Just("\n"),
        Just("\r\n"),
        Just("é😀"),
        Just(", "),
        Just("="),
        Just("claims.plan"),
        Just("#"),
        Just("\\"),
        Just("1979-05-27"),
        Just("mode"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever stands on the screen, and wherever the pointer is: an answer, and nothing else.
    #[test]
    fn any_text_any_place(
        text in pieces(),
        line in prop_oneof![0..6_u32, Just(u32::MAX)],
        character in prop_oneof![0..40_u32, Just(u32::MAX)],
        name in prop_oneof![Just("p.toml"), Just("schema.toml"), Just("mcpfw.toml"), Just("mcp.lock.json")],
    ) {
        let mut inside = Inside::start();
        let uri = format!("file:///x/{name}");
        inside.open(&uri, &text);
        let place = json!({ "line": line, "character": character });
        for method in ["hover", "completion", "definition", "formatting", "codeAction"] {
            let params = json!({
                "textDocument": { "uri": uri }, "position": place, "range": { "start": place, "end": place },
            });
            let method = format!("textDocument/{method}");
            let out = inside.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }));
            prop_assert_eq!(out.len(), 1);
            prop_assert!(out[0].get("result").is_some(), "{:?}", out);
        }
    }

    /// Parameters of any form.
    #[test]
    fn any_parameters(params in "[\\[\\]{}:,\"a-z0-9]{0,30}", at in 0..8_usize) {
        let methods = ["textDocument/didOpen", "textDocument/didChange", "textDocument/hover", "textDocument/codeAction",
            "textDocument/didClose", "workspace/didChangeWatchedFiles", "initialized", "textDocument/formatting"];
        let params: Value = serde_json::from_str(&params).unwrap_or(json!({ "textDocument": params }));
        let mut inside = Inside::start();
        inside.send(&json!({ "jsonrpc": "2.0", "method": methods[at], "params": params }));
        inside.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": methods[at], "params": params }));
    }
}
