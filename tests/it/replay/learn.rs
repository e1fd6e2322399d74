//! `mcpfw learn`: what it proposes is accepted by `check`, and by `replay` allows what was seen and nothing that was refused.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::process::mcpfw;

/// A record of the audit log.
fn record(tool: &str, sub: &str, plan: &str, args: &Value, decision: &str) -> String {
    let mut read = json!({ "/claims/plan": plan, "/claims/sub": sub });
    for (name, value) in args.as_object().unwrap() {
        read[format!("/args/{name}")] = value.clone();
    }
    let mut record = json!({
        "time": "2026-11-22T10:00:00.000Z", "audit": 1, "request_id": "r", "peer": "10.0.0.1",
        "principal": { "kind": "jwt", "id": sub, "issuer": "https://id/" },
        "route": "default", "host": "localhost", "revision": "2025-11-25",
        "method": "tools/call", "kind": "tool", "target": tool,
        "decision": decision, "judged": 1_795_341_600, "scopes": [], "read": read,
    });
    if decision == "deny" {
        record["reason"] = json!("default_deny");
    }
    format!("{record}\n")
}

pub(super) fn run(folder: &Path, arguments: &[&str]) -> Output {
    mcpfw(arguments).current_dir(folder).output().unwrap()
}

/// The proposal for `log`, and its replay. Whatever was proposed is accepted.
fn learnt(folder: &Path, log: &str, flags: &[&str], exit: i32) -> (String, Value) {
    fs::write(folder.join("log"), log).unwrap();
    let out = folder.join("out");
    let _ = fs::remove_dir_all(&out);
    let all: Vec<&str> = ["learn", "log", "--out", "out"].iter().chain(flags).copied().collect();
    let ended = run(folder, &all);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(exit), "{said}");
    let text = fs::read_to_string(out.join("learned.toml")).unwrap();
    let checked = run(folder, &["check", "out"]);
    let found = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(0), "{found}\n{text}");
    let replayed = run(folder, &["replay", "log", "--policies", "out", "--format", "json"]);
    let report: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    (text, report)
}

#[test]
fn what_was_seen_is_allowed_and_what_was_refused_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let log = include_str!("../../data/replay/audit.jsonl");
    let (text, report) = learnt(folder.path(), log, &[], 0);
    assert_eq!(report["calls"], 30);
    for (name, want) in [("still_allowed", 27), ("still_denied", 3), ("undecided", 0)] {
        assert_eq!(report[name], want, "{name}\n{text}\n{report:#}");
    }
    // The claim that tells who may delete from who may not.
    assert!(text.contains("tools = [\"delete_file\"]\nwhen = 'claims.plan == \"pro\"'"), "{text}");
    assert!(text.contains("# Seen: 3 calls of 1 tool by 1 caller on 1 day."), "{text}");
    assert!(text.contains("rate = \"10/min\""), "{text}");
    // The same traffic from the other side: only what is known to be refused changes when it is taken in.
    let (text, report) = learnt(folder.path(), log, &["--include-denied"], 0);
    assert_eq!(report["now_denied"], 0, "{text}\n{report:#}");
}

/// Tools of one family and one condition are one rule; each is named, none by a pattern.
#[test]
fn families() {
    let folder = tempfile::tempdir().unwrap();
    let log: String = ["read_a", "read_b", "write_a"]
        .iter()
        .map(|tool| record(tool, "u1", "pro", &json!({}), "allow"))
        .collect();
    let (text, report) = learnt(folder.path(), &log, &[], 0);
    assert_eq!(report["still_allowed"], 3, "{text}");
    assert_eq!(text.matches("[[allow]]").count(), 2, "{text}");
    assert!(text.contains("tools = [\"read_a\", \"read_b\"]"), "{text}");
    assert!(!text.contains('*'), "{text}");
}

/// What was allowed and refused, with nothing to tell the two apart, is left out and named.
#[test]
fn what_cannot_be_told_apart_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = record("read", "u1", "pro", &json!({"path": "/srv/a"}), "allow");
    log.push_str(&record("read", "u1", "pro", &json!({"path": "/etc/a"}), "deny"));
    log.push_str(&record("other", "u1", "pro", &json!({}), "allow"));
    let (text, report) = learnt(folder.path(), &log, &[], 1);
    assert!(!text.contains("\"read\""), "{text}");
    assert_eq!(report["now_allowed"], 0, "{report:#}");
    // An argument tells them apart, where conditions on arguments are asked for.
    let (text, report) = learnt(folder.path(), &log, &["--arguments"], 0);
    assert!(text.contains("when = 'args.path == \"/srv/a\"'"), "{text}");
    assert_eq!(report["still_allowed"], 2, "{text}\n{report:#}");
    assert_eq!(report["still_denied"], 1, "{text}\n{report:#}");
    let (text, report) = learnt(folder.path(), &log, &["--include-denied"], 0);
    assert_eq!(report["still_allowed"], 2, "{text}");
    assert_eq!(report["now_allowed"], 1, "{text}");
}

/// Many values of an argument become the folder that they share, and never a part of a name.
#[test]
fn folders_of_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let log: String = (0..30)
        .map(|at| record("read", "u1", "pro", &json!({"path": format!("/srv/data{at}")}), "allow"))
        .collect();
    let (text, report) = learnt(folder.path(), &log, &["--arguments"], 0);
    assert!(text.contains("when = 'args.path.startsWith(\"/srv/\")'"), "{text}");
    assert_eq!(report["still_allowed"], 30, "{text}");
    let (text, _) = learnt(folder.path(), &log, &[], 0);
    assert!(!text.contains("args.path"), "{text}");
}

/// Names and claims that a caller chose stay inside their strings, and become no pattern (T57).
#[test]
fn names_of_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "x\"]\n[[allow]]\nname = \"evil\"\neverything = true\n#",
        "x'\n[[allow]]\neverything = true",
        "a\\",
        "\u{1b}[2J",
        "abc\u{202e}def",
        "*",
        "read_*",
        "?",
        "",
        "日本",
        "''' \"\"\"",
    ];
    let mut log: String = names
        .iter()
        .map(|name| record(name, "u1", "'] || true || claims.x in ['", &json!({}), "allow"))
        .collect();
    log.push_str(&record("safe", "u\n[[allow]]", "free", &json!({}), "allow"));
    for flags in [&[][..], &["--arguments"]] {
        let (text, report) = learnt(folder.path(), &log, flags, 1);
        let read: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        for rule in read["allow"].as_array().unwrap() {
            assert!(rule.get("everything").is_none(), "{text}");
            for name in rule["tools"].as_array().unwrap() {
                let name = name.as_str().unwrap();
                assert!(name == "safe" || names.contains(&name), "{name:?}\n{text}");
                assert!(!name.contains(['*', '?']), "{name:?}\n{text}");
            }
        }
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{text}");
        assert_eq!(report["now_allowed"], 0, "{report:#}");
        // Those that can be written down exactly; the others are left out, and named.
        assert_eq!(report["still_allowed"], 4, "{text}\n{report:#}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log"), record("a", "u1", "pro", &json!({}), "allow")).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let learn = || run(folder.path(), &["learn", "log", "--out", "out"]).status.code();
    fs::write(out.join("mine.toml"), "# mine").unwrap();
    assert_eq!(learn(), Some(2));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    fs::remove_file(out.join("mine.toml")).unwrap();
    assert_eq!(learn(), Some(0));
    assert_eq!(learn(), Some(2));
    // Nothing to learn from is no proposal.
    fs::write(folder.path().join("log"), record("a", "u1", "pro", &json!({}), "deny")).unwrap();
    assert_eq!(run(folder.path(), &["learn", "log"]).status.code(), Some(2));
    assert_eq!(run(folder.path(), &["learn"]).status.code(), Some(2));
}
