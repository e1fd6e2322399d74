//! `mcpfw learn --from-lock`: what is proposed of a lock file passes `check` and `test`, and allows what only reads, by its name,
//! and nothing else.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::learn::run;

/// The folder `out` with a proposal for `lock` and the lock itself, and the proposal.
fn learnt(folder: &Path, lock: &str) -> String {
    fs::write(folder.join("mcp.lock.json"), lock).unwrap();
    let ended = run(folder, &["learn", "--from-lock", "mcp.lock.json", "--out", "out"]);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    fs::copy(folder.join("mcp.lock.json"), folder.join("out/mcp.lock.json")).unwrap();
    let text = fs::read_to_string(folder.join("out/learned.toml")).unwrap();
    for command in [&["check", "out"][..], &["test", "out"]] {
        let ended = run(folder, command);
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert_eq!(ended.status.code(), Some(0), "{command:?}\n{said}\n{text}");
    }
    text
}

/// Whether the proposal allows `call`.
fn is_allowed(folder: &Path, kind: &str, name: &str) -> bool {
    let (method, params) = match kind {
        "tool" => ("tools/call", json!({ "name": name })),
        "prompt" => ("prompts/get", json!({ "name": name })),
        _ => ("resources/read", json!({ "uri": name })),
    };
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    fs::write(folder.join("call.json"), call.to_string()).unwrap();
    let ended = run(
        folder,
        &["explain", "--policies", "out", "--request", "call.json", "--format", "json"],
    );
    let said: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let verdict = said["verdict"].as_str().unwrap();
    assert!(matches!(verdict, "allow" | "deny"), "{name}: {said}");
    verdict == "allow"
}

/// A lock with these items, digests and all.
fn lock(lists: &[(&str, Vec<Value>)]) -> String {
    use mcpfw::lock::{Item, Json, List, Lock, Server};
    use mcpfw::wire::mcp::Revision;
    let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
    for (key, items) in lists {
        let list = List::ALL.into_iter().find(|list| list.key() == *key).unwrap();
        for item in items {
            let json = Json::parse(item.to_string().as_bytes(), 1).unwrap();
            assert!(lock.add(Item::new(list, json).unwrap()));
        }
    }
    lock.to_json()
}

#[test]
fn what_only_reads_is_allowed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let tool = |name: &str, reads: bool| json!({ "name": name, "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": reads } });
    let lock = lock(&[
        (
            "tools",
            vec![tool("read_page", true), tool("read_raw*", true), tool("write_page", false)],
        ),
        ("prompts", vec![json!({ "name": "review" }), json!({ "name": "résumé's" })]),
        (
            "resources",
            vec![
                json!({ "uri": "file:///handbook/index.md", "name": "i" }),
                json!({ "uri": "file:///handbook/../etc", "name": "d" }),
                json!({ "uri": "note:a'b", "name": "n" }),
            ],
        ),
        (
            "templates",
            vec![
                json!({ "uriTemplate": "file:///logs/{day}.log", "name": "l" }),
                json!({ "uriTemplate": "file:///all/{+path}", "name": "a" }),
                json!({ "uriTemplate": "notes://{owner}/{note}", "name": "n" }),
                json!({ "uriTemplate": "db://main/{table}/{row}", "name": "r" }),
                json!({ "uriTemplate": "file:///q/{a}{?b}", "name": "q" }),
            ],
        ),
    ]);
    let text = learnt(folder.path(), &lock);
    for (kind, name, want) in [
        ("tool", "read_page", true),
        ("tool", "READ_PAGE", false),
        ("tool", "read_page2", false),
        ("tool", "read_raw", false),
        ("tool", "read_raw*", false),
        ("tool", "write_page", false),
        ("tool", "review", false),
        ("prompt", "review", true),
        ("prompt", "résumé's", true),
        ("prompt", "read_page", false),
        ("prompt", "audit", false),
        ("resource", "file:///handbook/index.md", true),
        ("resource", "file:///handbook/index.md?x", false),
        ("resource", "file:///handbook/other.md", false),
        ("resource", "file:///handbook/", false),
        ("resource", "file:///etc", false),
        ("resource", "note:a'b", true),
        ("resource", "file:///logs/2026-11-22.log", true),
        ("resource", "file:///logs/a%C3%A9.log", true),
        ("resource", "file:///logs/.log", false),
        ("resource", "file:///logs/a/b.log", false),
        ("resource", "file:///logs/a?b.log", false),
        ("resource", "file:///logs/a.log?x", false),
        ("resource", "file:///logs/axlog", false),
        ("resource", "file:///logs/a.logs", false),
        ("resource", "file:///all/x", false),
        ("resource", "notes://o/n", false),
        ("resource", "db://main/t/1", true),
        ("resource", "db://main/t", false),
        ("resource", "db://main/t/1/2", false),
        ("resource", "db://other/t/1", false),
        ("resource", "file:///q/a", false),
    ] {
        assert_eq!(is_allowed(folder.path(), kind, name), want, "{kind} {name}\n{text}");
    }
    // What is not allowed is named, with why.
    for why in [
        "# Not allowed: tool write_page: it does not say that it only reads.",
        "# Not allowed: tool read_raw*: no pattern stands for exactly this name.",
        "# Not allowed: resource template file:///all/{+path}: a variable of it is more than",
        "# Not allowed: resource template notes://{owner}/{note}: a variable stands for its host.",
    ] {
        assert!(text.contains(why), "{why}\n{text}");
    }
}

fn has_what_reads(lock: &Value) -> bool {
    let has = |list: &str| lock[list].as_array().is_some_and(|items| !items.is_empty());
    let reads = |tool: &Value| tool["annotations"]["readOnlyHint"] == true;
    has("prompts") || has("resources") || lock["tools"].as_array().unwrap().iter().any(reads)
}

/// The lock files of the repository.
#[test]
fn every_lock_of_the_sets_is_learnt() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut sets = 0;
    for set in fs::read_dir(root).unwrap() {
        let Ok(lock) = fs::read_to_string(set.unwrap().path().join("mcp.lock.json")) else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let whole: Value = serde_json::from_str(&lock).unwrap();
        if !has_what_reads(&whole) {
            fs::write(folder.path().join("mcp.lock.json"), &lock).unwrap();
            let ended = run(folder.path(), &["learn", "--from-lock", "mcp.lock.json"]);
            assert_eq!(ended.status.code(), Some(2));
            continue;
        }
        let text = learnt(folder.path(), &lock);
        for (list, id) in [("tools", "name"), ("prompts", "name"), ("resources", "uri")] {
            for item in whole[list].as_array().into_iter().flatten() {
                let name = item[id].as_str().unwrap();
                let want = list != "tools" || item["annotations"]["readOnlyHint"] == true;
                let kind = list.trim_end_matches('s');
                assert_eq!(text.contains(&format!("{kind} = \"{name}\"")), want, "{name}\n{text}");
            }
        }
        sets += 1;
    }
    assert!(sets >= 7);
}

/// Names of a hostile server stay in their strings and comments, whatever they say.
#[test]
fn names_stay_names() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "a\"]\n[[allow]]\neverything = true",
        "x\n::error::y",
        "\u{1b}[2J",
        "é😀\u{202e}",
        "a' || true || '",
    ];
    let prompts = names.iter().map(|name| json!({ "name": name })).collect();
    let templates = vec![
        json!({ "uriTemplate": "file:///a'%20||%20true||'/{x}", "name": "n" }),
        json!({ "uriTemplate": "file:///(.)+|x/{x}", "name": "n" }),
        json!({ "uriTemplate": "file:///$/{x}.$", "name": "m" }),
    ];
    let text = learnt(folder.path(), &lock(&[("prompts", prompts), ("templates", templates)]));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("::")));
    let table: toml::Table = text.parse().unwrap();
    assert!(table["allow"].as_array().unwrap().iter().all(|it| it.get("everything").is_none()));
    for (kind, name, want) in [
        ("prompt", names[4], true),
        // No rule can name it: it is no name that a model could be shown as it is.
        ("prompt", names[0], false),
        ("prompt", "other", false),
        ("tool", "a", false),
        ("resource", "file:///$/a.$", true),
        ("resource", "file:///$/a.b", false),
        ("resource", "file:///x", false),
        ("resource", "file:///b/x", false),
    ] {
        assert_eq!(is_allowed(folder.path(), kind, name), want, "{kind} {name:?}\n{text}");
    }
}
