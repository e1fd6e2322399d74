//! Which texts make a set, and which of many changes are compiled and told.

use std::fs;
use std::path::Path;

use mcpfw::editor::{Checked, Disk as _};
use serde_json::{Value, json};

use super::attack::{Empty, Inside};
use super::{Editor, uri};

/// An editor that has opened `folders`.
fn in_folders(folders: &[&Path]) -> Editor {
    let folders = folders.iter().map(|it| json!({ "uri": uri(it), "name": "w" }));
    let folders: Vec<Value> = folders.collect();
    let can = json!({ "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } } });
    Editor::start_with(json!({
        "processId": null, "rootUri": null, "workspaceFolders": folders, "capabilities": can,
    }))
}

fn codes(editor: &Editor, uri: &str) -> Vec<String> {
    let found = editor.told.get(uri).into_iter().flatten();
    found.map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

fn written(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn message(method: &str, params: Value) -> Vec<u8> {
    let text = json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string();
    format!("Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

const RULE: &str = "[[allow]]\nname  = \"a\"\ntools = [\"search\"]\n";

#[test]
fn of_many_changes_that_wait_the_last_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&folder.path().join("p.toml"), RULE);
    assert_eq!(editor.versions, [(uri.clone(), Some(1))]);
    let mut all = Vec::new();
    for version in 2..8 {
        let text = if version < 7 { RULE.replace("tools", "tols") } else { RULE.to_owned() };
        let document = json!({ "uri": uri, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        all.extend(message("textDocument/didChange", params));
    }
    // A pipe takes this in one piece (POSIX: up to `PIPE_BUF`).
    assert!(all.len() <= 4096, "{}", all.len());
    editor.raw(&all);
    // Told without being asked.
    editor.read().unwrap();
    assert_eq!(editor.versions[1..], [(uri.clone(), Some(7))]);
    assert!(codes(&editor, &uri).is_empty());
    editor.settle();
    assert_eq!(editor.versions.len(), 2, "{:?}", editor.versions);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn what_was_overtaken_is_not_told() {
    let mut inside = Inside::start();
    let uri = "file:///w/p.toml";
    inside.open(uri, RULE);
    let change = |inside: &mut Inside, version: i64| {
        let document = json!({ "uri": uri, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": RULE }] });
        let method = "textDocument/didChange";
        let text = json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string();
        assert!(inside.0.handle(text.as_bytes(), &mut Empty).0.is_empty());
    };
    change(&mut inside, 2);
    let second = inside.0.due().unwrap();
    change(&mut inside, 3);
    assert!(inside.0.publish(&second, Checked::default()).is_empty());
    let third = inside.0.due().unwrap();
    let told = inside.0.publish(&third, Empty.check(&third));
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(serde_json::from_str::<Value>(told).unwrap()["params"]["version"], 3);
    assert!(inside.0.due().is_none());
    // A set that is gone.
    change(&mut inside, 4);
    let fourth = inside.0.due().unwrap();
    let close = json!({ "textDocument": { "uri": uri } });
    inside.send(&json!({ "jsonrpc": "2.0", "method": "textDocument/didClose", "params": close }));
    assert!(inside.0.publish(&fourth, Checked::default()).is_empty());
}

const SCHEMA: &str = "[claims]\nplan = \"string\"\n";
const BY_PLAN: &str =
    "[[allow]]\nname  = \"a\"\ntools = [\"search\"]\nwhen  = 'claims.pln == \"pro\"'\n";

#[test]
fn a_set_begins_where_its_schema_is() {
    let root = tempfile::tempdir().unwrap();
    let schema = root.path().join("rules/schema.toml");
    let file = root.path().join("rules/team/a.toml");
    written(&schema, SCHEMA);
    written(&file, BY_PLAN);
    // Nothing above a file is read unless the editor has opened it.
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, BY_PLAN);
    assert!(codes(&editor, &uri).is_empty(), "{:?}", editor.told);
    assert_eq!(editor.end(), Some(0));
    let mut editor = in_folders(&[&root.path().join("other"), root.path()]);
    let uri = editor.open(&file, BY_PLAN);
    let want = codes(&editor, &uri);
    assert_eq!(want, ["P038"], "{:?}", editor.told);
    // The schema as it is on the screen, and not on disk.
    let other = editor.open(&schema, SCHEMA);
    assert_eq!(codes(&editor, &uri), want);
    editor.change(&other, &SCHEMA.replace("plan", "pln"));
    assert!(codes(&editor, &uri).is_empty(), "{:?}", editor.told);
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": other } }));
    editor.settle();
    assert_eq!(codes(&editor, &uri), want);
    // The folder is closed in the editor: the file stands for itself again.
    let gone = json!([{ "uri": super::uri(root.path()), "name": "w" }]);
    let event = json!({ "event": { "added": [], "removed": gone } });
    editor.tell("workspace/didChangeWorkspaceFolders", event);
    editor.settle();
    assert!(codes(&editor, &uri).is_empty(), "{:?}", editor.told);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn sets_below_sets_stand_for_themselves() {
    let root = tempfile::tempdir().unwrap();
    let (above, below) = (root.path().join("a.toml"), root.path().join("below/b.toml"));
    written(&root.path().join("schema.toml"), SCHEMA);
    written(&root.path().join("below/schema.toml"), "[claims]\npln = \"string\"\n");
    written(&above, RULE);
    written(&below, BY_PLAN);
    let mut editor = in_folders(&[root.path()]);
    let first = editor.open(&below, BY_PLAN);
    assert!(codes(&editor, &first).is_empty(), "{:?}", editor.told);
    // The set above reads it too, and finds what is wrong there; what is open is told by its own.
    editor.open(&above, RULE);
    editor.change(&first, BY_PLAN);
    assert!(codes(&editor, &first).is_empty(), "{:?}", editor.told);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn what_is_deleted_is_taken_back() {
    let root = tempfile::tempdir().unwrap();
    let (file, other) = (root.path().join("a.toml"), root.path().join("b.toml"));
    written(&file, RULE);
    written(&other, "[[deny]]\nnme = 1\n");
    let mut editor = in_folders(&[root.path()]);
    let uri = editor.open(&file, RULE);
    // The client is asked to watch.
    assert_eq!(editor.asked[0]["method"], "client/registerCapability");
    let _: lsp_types::RegistrationParams =
        serde_json::from_value(editor.asked[0]["params"].clone()).unwrap();
    editor.send(&json!({ "jsonrpc": "2.0", "id": editor.asked[0]["id"], "result": null }));
    let other_uri = super::uri(&other);
    assert!(!codes(&editor, &other_uri).is_empty());
    let changed = |editor: &mut Editor, kind: u32| {
        let changes = json!([{ "uri": other_uri, "type": kind }]);
        editor.tell("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
        editor.settle();
    };
    fs::remove_file(&other).unwrap();
    changed(&mut editor, 3);
    assert!(codes(&editor, &other_uri).is_empty());
    written(&other, "[[deny]]\nnme = 1\n");
    changed(&mut editor, 1);
    assert!(!codes(&editor, &other_uri).is_empty());
    // With the last document of its set everything is taken back.
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    editor.settle();
    assert!(editor.told.values().all(Vec::is_empty), "{:?}", editor.told);
    assert_eq!(editor.end(), Some(0));
}
