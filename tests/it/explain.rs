//! `mcpfw explain`: calls from flags, messages and tokens; what would turn a verdict; and commands that reproduce a call.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfw::gateway::policies::Reading;
use serde_json::{Value, json};

use crate::support::process::mcpfw;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// 2026-11-22T00:00:00Z.
const NOW: u64 = 1_795_305_600;

const RULES: &str = r#"
[[deny]]
name = "no-deletes-on-free"
tools = ["delete_*"]
when = 'claims.plan == "free"'

[[allow]]
name = "delete-own"
tools = ["delete_file"]
when = 'args.path.startsWith("/sandbox/" + claims.sub + "/")'

[[allow]]
name = "search"
tools = ["search"]
scopes = ["search:read"]

[[allow]]
name = "forms"
server_requests = ["elicitation/create"]
when = 'args.mode == "form"'

[[allow]]
name = "notes"
resources = ["notes://**"]

[[allow]]
name = "prompts"
prompts = ["p"]
when = 'client.id == "u1"'

[[limit]]
name = "deletes"
tools = ["delete_*"]
per = ["claims.sub"]
rate = "10/min"
cost = "args.count"

[[limit]]
name = "small"
tools = ["delete_*"]
timeout = "30s"
max_result = "1MiB"
"#;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/a.toml"), RULES).unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// What `mcpfw explain` with `flags` says, fed with `input`.
fn say(flags: &[&str], at: &Path, input: &[u8]) -> (Option<i32>, String, String) {
    let arguments: Vec<&str> = ["explain"].into_iter().chain(flags.iter().copied()).collect();
    let mut child = mcpfw(&arguments)
        .current_dir(at)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

fn explained(flags: &[&str], at: &Path, input: &[u8]) -> Value {
    let flags: Vec<&str> = flags.iter().copied().chain(["--format", "json"]).collect();
    let (code, out, err) = say(&flags, at, input);
    assert_eq!(code, Some(0), "{flags:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

fn token(claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.AAAA", part(&json!({"alg": "EdDSA"})), part(claims))
}

/// A name that the lock file does not have is told, and what was probably meant; one that it has is not, nor a resource.
#[test]
fn slips_in_a_name_are_told() {
    let set = "policies/01-deny-by-default";
    let at = Path::new(ROOT);
    for (flag, name, note) in [
        (
            "--tool",
            "serach",
            Some("note: the lock file has no tool `serach`; did you mean `search`?"),
        ),
        ("--tool", "xyz", Some("note: the lock file has no tool `xyz`\n")),
        ("--prompt", "xyz", Some("note: the lock file has no prompt `xyz`\n")),
        ("--tool", "search", None),
        ("--resource", "file:///xyz", None),
    ] {
        let (code, out, _) = say(&["--policies", set, flag, name], at, b"");
        let is_told = note.map_or(!out.contains("note: "), |note| out.contains(note));
        assert_eq!((code, is_told), (Some(0), true), "{name}: {out}");
    }
    // Without a lock file nothing is known.
    let (_, out, _) = say(&["--tool", "serach"], folder(&[]).path(), b"");
    assert!(!out.contains("note: "), "{out}");
}

#[test]
fn people_read_each_rule_and_what_would_turn_the_verdict() {
    let at = folder(&[]);
    let (_, out, _) = say(
        &[
            "--tool",
            "delete_file",
            "--claims",
            r#"{"sub":"u1","plan":"free"}"#,
            "--args",
            r#"{"path":"/x"}"#,
        ],
        at.path(),
        b"",
    );
    insta::with_settings!({snapshot_path => "../data/explain", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("refused", out);
    });
    let (_, out, _) = say(
        &[
            "--tool",
            "delete_file",
            "--claims",
            r#"{"sub":"u1","plan":"pro"}"#,
            "--args",
            r#"{"path":"/sandbox/u1/x","count":20}"#,
        ],
        at.path(),
        b"",
    );
    insta::with_settings!({snapshot_path => "../data/explain", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("limited", out);
    });
}

/// A message is read as `run` reads it, in every revision.
#[test]
fn messages_are_asked_about() {
    let modern = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let call = |name: &str, meta: Option<&Value>| {
        let mut params = json!({"name": name, "arguments": {"path": "/sandbox/u1/x", "count": 1}});
        if let Some(meta) = meta {
            params["_meta"] = meta.clone();
        }
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    };
    let claims = r#"{"sub":"u1","plan":"pro"}"#;
    // The message, flags, verdict, reason, rule.
    let table = [
        (call("delete_file", None), &[][..], "allow", "allowed", Some("delete-own")),
        (call("delete_file", Some(&modern)), &[], "allow", "allowed", Some("delete-own")),
        (call("dеlete_file", Some(&modern)), &[], "deny", "default_deny", None),
        (
            call("delete_file", None),
            &["--revision", "2024-11-05"],
            "allow",
            "allowed",
            Some("delete-own"),
        ),
        (call("delete_file", None), &["--revision", "2026-07-28"], "deny", "header_missing", None),
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}),
            &[],
            "deny",
            "target_missing",
            None,
        ),
        (json!({"jsonrpc": "2.0", "id": 1, "result": {}}), &[], "allow", "response", None),
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "notes://a/../b"}}),
            &[],
            "deny",
            "uri_dot_segment",
            None,
        ),
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"mode": "form"}}),
            &["--from-server"],
            "allow",
            "allowed",
            Some("forms"),
        ),
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"mode": "url"}}),
            &["--from-server"],
            "deny",
            "default_deny",
            None,
        ),
        // The same from a client is another thing.
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"mode": "form"}}),
            &[],
            "deny",
            "default_deny",
            None,
        ),
        (
            json!({"jsonrpc": "2.0", "id": 1, "result": {"inputRequests": {"a": {"method": "elicitation/create", "params": {"mode": "form"}}}}}),
            &["--from-server"],
            "allow",
            "allowed",
            Some("forms"),
        ),
    ];
    let at = folder(&[]);
    for (message, flags, verdict, reason, rule) in &table {
        let flags = [&["--request", "-", "--claims", claims], *flags].concat();
        let found = explained(&flags, at.path(), message.to_string().as_bytes());
        assert_eq!(
            (found["verdict"].as_str(), found["reason"].as_str()),
            (Some(*verdict), Some(*reason)),
            "{message}"
        );
        assert_eq!(found["rule"].as_str(), *rule, "{message}");
    }
    // Of a batch each is asked, and one that is refused keeps all from going.
    let mut second = call("search", None);
    second["id"] = json!(2);
    let batch = json!([call("delete_file", None), second]);
    let found =
        explained(&["--request", "-", "--claims", claims], at.path(), batch.to_string().as_bytes());
    assert_eq!(found["verdict"], "deny");
    assert_eq!(found["calls"][0]["verdict"], "allow");
    assert_eq!(found["calls"][1]["reason"], "insufficient_scope");
    let (_, out, _) =
        say(&["--request", "-", "--claims", claims], at.path(), batch.to_string().as_bytes());
    assert!(out.contains("[1 of 2] tools/call delete_file: allowed"), "{out}");
    assert!(out.ends_with("the batch: refused, for 1 of its 2\n"), "{out}");
}

#[test]
fn tokens_are_supposed_to_be_good() {
    let claims = json!({"iss": "https://i/", "sub": "u1", "scp": ["search:read"], "exp": 1});
    let at = folder(&[
        ("token", format!("Bearer {}\n", token(&claims)).as_bytes()),
        ("claims.json", br#"{"sub": "u1", "scope": "search:read"}"#),
        ("broken", b"abc.def"),
        ("unsigned", token(&claims).replace("AAAA", "").as_bytes()),
    ]);
    for file in ["token", "claims.json", "unsigned"] {
        let found = explained(&["--tool", "search", "--token", file], at.path(), b"");
        assert_eq!(found["verdict"], "allow", "{file}: {found}");
    }
    let (code, _, err) = say(&["--tool", "search", "--token", "broken"], at.path(), b"");
    assert_eq!(code, Some(2));
    assert!(err.contains("`broken` holds neither a JWT nor claims"), "{err}");
    let (code, _, err) =
        say(&["--tool", "search", "--token", "token", "--claims", "{}"], at.path(), b"");
    assert_eq!(code, Some(2), "{err}");
}

/// What is said to turn a verdict, as data.
#[test]
fn what_would_turn_the_verdict_is_the_least_that_does() {
    let at = folder(&[]);
    let turned = |flags: &[&str]| {
        let found = explained(flags, at.path(), b"");
        let turned = found["opposite"]["turned"].as_array().unwrap().iter().map(|turn| {
            let told = turn.as_array().unwrap().iter().map(|change| {
                format!(
                    "{} {} -> {}",
                    change["what"].as_str().unwrap(),
                    change["before"],
                    change["after"]
                )
            });
            told.collect::<Vec<_>>().join("; ")
        });
        (turned.collect::<Vec<_>>(), found["opposite"]["fixed"] == true)
    };
    for (flags, want, fixed) in [
        (
            &["--tool", "search", "--claims", r#"{"sub":"u1"}"#][..],
            &["client.scopes [] -> [\"search:read\"]"][..],
            false,
        ),
        (
            &[
                "--tool",
                "delete_file",
                "--claims",
                r#"{"sub":"u1","plan":"pro"}"#,
                "--args",
                r#"{"path":"/sandbox/u2/x"}"#,
            ],
            &["args.path \"/sandbox/u2/x\" -> \"/sandbox/u1/u2/x\"", "claims.sub \"u1\" -> \"u2\""],
            false,
        ),
        // Two at once, since neither is enough.
        (
            &[
                "--tool",
                "delete_file",
                "--claims",
                r#"{"sub":"u1","plan":"free"}"#,
                "--args",
                r#"{"path":"/x"}"#,
            ],
            &["claims.plan \"free\" -> \"other\"; args.path \"/x\" -> \"/sandbox/u1/x\""],
            false,
        ),
        (&["--server-request", "elicitation/create"], &["args.mode null -> \"form\""], false),
        // No allow speaks of it, and of no other tool anonymous callers may do anything.
        (&["--tool", "drop"], &[], true),
        (
            &["--tool", "drop", "--claims", r#"{"scope":"search:read"}"#],
            &["the tool \"drop\" -> \"search\""],
            false,
        ),
        // Whom the id comes from is a claim, which no rule reads.
        (&["--prompt", "p", "--claims", r#"{"sub":"u2"}"#], &["client.id \"u2\" -> \"u1\""], false),
        (&["--resource", "notes://a"], &[], true),
        (&["--method", "initialize"], &[], true),
    ] {
        let (found, is_fixed) = turned(flags);
        let want: Vec<String> = want.iter().map(|text| (*text).to_owned()).collect();
        assert!(want.iter().all(|want| found.contains(want)), "{flags:?}: {found:?}");
        assert_eq!((is_fixed, found.is_empty()), (fixed, want.is_empty()), "{flags:?}");
    }
}

/// The command that `mcpfw test` prints for a test asks about the test's own call.
#[test]
fn every_example_is_reproduced_by_its_command() {
    let reading = Reading::new(None);
    let mut seen = 0;
    for folder in fs::read_dir(Path::new(ROOT).join("policies")).unwrap() {
        let folder = folder.unwrap().path();
        let Some(policy) = reading.read(&folder).policy else { continue };
        for test in policy.tests() {
            let flags = test.explain_flags(folder.to_str().unwrap());
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let found = explained(&flags, Path::new(ROOT), b"");
            let explanation = test.explain(&policy, NOW);
            let verdict = if explanation.verdict().is_ok() { "allow" } else { "deny" };
            let want = explanation.to_json();
            assert_eq!(found["verdict"], verdict, "{}: {flags:?}", test.name());
            assert_eq!(found["rule"], want["rule"], "{}: {flags:?}", test.name());
            assert_eq!(found["rules"], want["rules"], "{}: {flags:?}", test.name());
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} tests");
}
