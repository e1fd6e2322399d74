//! The audit log: what it holds, what it does not, and that what was decided is decided again from it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::gateway::Setup;
use crate::support::process::mcpfw;
use crate::support::tokens;
use crate::support::wire::{Upstream, Wire, call, json_reply, post};

/// Every kind of thing that a rule can read.
const POLICY: &str = r#"
[[allow]]
name = "read"
tools = ["read_*"]
when = 'claims.plan in ["free", "pro"] && client.issuer.startsWith("https://")'

[[allow]]
name = "own"
tools = ["write_file"]
when = 'args.path.startsWith("/home/" + claims.sub + "/") && args.opts.mode != "x"'

[[allow]]
name = "staff"
tools = ["admin"]
when = '"staff" in claims.realm.roles && args.n <= 9007199254740993'
scopes = ["admin"]

[[allow]]
name = "hosted"
tools = ["hosted"]
when = 'request.host == "localhost" && client.ip == "127.0.0.1" && !mcp.is_retry'

[[deny]]
name = "no-etc"
tools = ["read_*"]
when = 'args.path.startsWith("/etc/")'

[[limit]]
name = "twice"
tools = ["read_slow"]
per = ["claims.sub"]
rate = "2/h"
"#;

/// Calls: the claims, the tool, the arguments.
fn calls() -> Vec<(Value, &'static str, String)> {
    let free = json!({"plan": "free", "secret": "CANARY-CLAIM"});
    let staff = json!({"realm": {"roles": ["staff", "x"]}, "scope": "admin other"});
    let mut calls = Vec::new();
    for (claims, tool, args) in [
        (&free, "read_a", r#"{"path":"/srv/CANARY-READ","token":"CANARY-UNREAD"}"#),
        (&free, "read_a", r#"{"path":"/etc/passwd"}"#),
        (&free, "read_a", r#"{"path":7}"#),
        (&free, "read_a", "{}"),
        (&free, "write_file", r#"{"path":"/home/u1/x"}"#),
        (&free, "write_file", r#"{"path":"/home/u1/x","opts":{"mode":"r"}}"#),
        (&free, "write_file", r#"{"path":"/home/u2/x","opts":{"mode":"r"}}"#),
        (&free, "write_file", r#"{"path":["/home/u1/x"],"opts":{"mode":"r"}}"#),
        (&staff, "admin", r#"{"n":9007199254740993}"#),
        (&staff, "admin", r#"{"n":9007199254740994}"#),
        (&staff, "admin", r#"{"n":1e2}"#),
        (&staff, "read_a", "{}"),
        (&free, "admin", r#"{"n":1}"#),
        (&free, "hosted", "{}"),
        (&free, "read_slow", r#"{"path":"/x"}"#),
        (&free, "read_slow", r#"{"path":"/x"}"#),
        (&free, "read_slow", r#"{"path":"/x"}"#),
        (&free, "shell\"\n\u{202e}", "{}"),
    ] {
        calls.push((claims.clone(), tool, args.to_owned()));
    }
    calls
}

/// Runs [`calls`] through a gateway that writes its audit log into `folder`.
async fn traffic(folder: &Path, more: &str) -> String {
    let audit = folder.join("audit.jsonl");
    let issuer = tokens::issuer();
    let upstream =
        Upstream::start().await.answering(json_reply(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#));
    let mut gateway = Setup::new(POLICY, upstream.address)
        .authenticator(tokens::authenticator(&issuer))
        .config(&format!("[log]\naudit = {:?}\n{more}", audit.display().to_string()))
        .start();
    let mut client = Wire::connect(gateway.address).await;
    for (claims, tool, args) in calls() {
        let bearer = tokens::bearer(&issuer, "u1", &claims);
        let tool = serde_json::to_string(tool).unwrap();
        let body = call("7", tool.trim_matches('"'), &args);
        client.send(post(&bearer, &body)).await;
        client.reply().await;
        gateway.log().await;
    }
    // A batch, and what is refused before it is judged.
    let bearer = tokens::bearer(&issuer, "u1", &json!({"plan": "pro"}));
    let path = r#"{"path":"/x"}"#;
    let batch = format!("[{},{}]", call("7", "read_a", path), call("8", "read_b", path));
    for body in [batch, "[".to_owned()] {
        let mut client = Wire::connect(gateway.address).await;
        client.send(post(&bearer, &body)).await;
        client.reply().await;
        gateway.log().await;
    }
    gateway.stop();
    gateway.stopped().await;
    fs::create_dir(folder.join("policies")).unwrap();
    fs::write(folder.join("policies/a.toml"), POLICY).unwrap();
    fs::read_to_string(audit).unwrap()
}

fn replay(folder: &Path) -> Value {
    let ended =
        mcpfw(&["replay", "audit.jsonl", "--format", "json"]).current_dir(folder).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[tokio::test]
async fn what_was_decided_is_decided_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic(folder.path(), "arguments = \"read\"").await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The batch is a line for each call, and what was not judged is none.
    assert_eq!(lines.len(), calls().len() + 2, "{log}");
    let places: Vec<_> = lines.iter().filter_map(|line| line["call"].as_u64()).collect();
    assert_eq!(places, [0, 1]);
    let decided = |decision: &str| lines.iter().filter(|it| it["decision"] == decision).count();
    assert_eq!((decided("allow"), decided("deny"), decided("limit")), (9, 10, 1), "{log}");
    assert_eq!(lines[0]["read"]["/args/path"], "/srv/CANARY-READ");
    assert_eq!(lines[0]["read"]["/claims/plan"], "free");
    assert_eq!(lines[3]["absent"], json!(["/claims/realm/roles", "/args/path"]));
    // What no rule reads is in no log, nor are tokens.
    for canary in ["CANARY-UNREAD", "CANARY-CLAIM", "eyJ"] {
        assert!(!log.contains(canary), "{canary}\n{log}");
    }
    let report = replay(folder.path());
    assert_eq!(report["calls"], json!(lines.len()));
    for (name, want) in [
        ("still_allowed", 10),
        ("still_denied", 10),
        ("now_allowed", 0),
        ("now_denied", 0),
        ("limited", 1),
    ] {
        assert_eq!(report[name], want, "{name} {report:#}");
    }
    assert_eq!(report["undecided"], 0, "{report:#}");
}

/// By default no argument is recorded: what depends on one is open, and what does not is not.
#[tokio::test]
async fn no_argument_is_recorded_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic(folder.path(), "").await;
    for canary in ["CANARY", "passwd", "/args/", "/home/", "eyJ"] {
        assert!(!log.contains(canary), "{canary}\n{log}");
    }
    // Claims are for the operator's eyes, and for those of his group.
    #[cfg(unix)]
    {
        let file = fs::metadata(folder.path().join("audit.jsonl")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o137, 0);
    }
    let report = replay(folder.path());
    assert_eq!(report["now_allowed"], 0, "{report:#}");
    assert_eq!(report["now_denied"], 0, "{report:#}");
    assert_eq!(report["still_denied"], 3, "{report:#}");
    assert_eq!(report["still_allowed"], 1, "{report:#}");
    let needs: Vec<_> =
        report["groups"].as_array().unwrap().iter().map(|group| group["needs"].clone()).collect();
    assert!(needs.contains(&json!(["args.path"])), "{report:#}");
    assert!(needs.contains(&json!(["args.n"])), "{report:#}");
}
