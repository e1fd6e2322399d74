//! `mcpfw explain --log`: the call of one record.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::process::mcpfw;

const POLICY: &str = r#"
[[allow]]
name = "own"
tools = ["delete_file"]
when = 'args.path.startsWith("/sandbox/" + claims.sub + "/") && claims.plan == "pro"'
"#;

fn explain(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let all: Vec<&str> = ["explain", "--log", "log"].iter().chain(more).copied().collect();
    let ended = mcpfw(&all).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

#[test]
fn one_record_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/a.toml"), POLICY).unwrap();
    let whole = include_str!("../../data/replay/audit.jsonl");
    let bare = whole.replace("\"/args/path\":\"/sandbox/bob/a.txt\"", "\"/args/other\":1");
    let id = |at: u32| format!("01a205c5-7bd8-75a2-880d-{at:012}");
    for (log, at, parts) in [
        (
            whole,
            7,
            &[
                "log:8: recorded as allow by `delete-on-pro`",
                "all that decides",
                "allowed by `own`",
            ][..],
        ),
        (
            whole,
            8,
            &["recorded as deny: default_deny", "refused: default_deny", "claims.plan = \"free\""],
        ),
        (&bare, 7, &["undecided: the record lacks args.path; below"]),
        // No path makes this one good.
        (&bare, 8, &["the record has all that decides"]),
    ] {
        fs::write(folder.path().join("log"), log).unwrap();
        let (code, text, said) = explain(folder.path(), &["--request-id", &id(at)]);
        assert_eq!(code, Some(0), "{said}");
        for part in parts {
            assert!(text.contains(part), "{part:?}\n{text}");
        }
        let (_, json, _) = explain(folder.path(), &["--request-id", &id(at), "--format", "json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        let is_open = text.contains("undecided");
        assert_eq!(json.pointer("/0/call/undecided"), Some(&Value::from(is_open)), "{json:#}");
    }
    let (code, _, said) = explain(folder.path(), &["--request-id", "none"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("no call in `log` has the request id `none`"), "{said}");
    for wrong in [&[][..], &["--request-id", "x", "--tool", "y"]] {
        assert_eq!(explain(folder.path(), wrong).0, Some(2), "{wrong:?}");
    }
}
