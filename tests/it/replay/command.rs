//! `mcpfw replay` on logs that are written here: what changes, what stays open, what hostile lines come to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::process::mcpfw;

const POLICY: &str = r#"
[[allow]]
name = "read"
tools = ["read"]

[[allow]]
name = "own"
tools = ["write"]
when = 'args.path.startsWith("/home/")'

[[deny]]
name = "no-drop"
tools = ["drop"]

[[allow]]
name = "scoped"
tools = ["admin"]
scopes = ["admin"]

[[allow]]
name = "by-sub"
tools = ["mine"]
when = 'claims.sub == "u1"'
"#;

/// A line of the access log.
fn line(id: &str, tool: &str, decision: &str) -> String {
    let reason = if decision == "deny" { r#","reason":"default_deny""# } else { "" };
    format!(
        "{{\"time\":\"2026-11-22T10:00:00.000Z\",\"request_id\":\"{id}\",\"peer\":\"10.0.0.1\",\
         \"principal\":{{\"kind\":\"jwt\",\"id\":\"u1\",\"issuer\":\"https://id/\"}},\"route\":\"default\",\"http\":\"POST\",\
         \"revision\":\"2025-11-25\",\"method\":\"tools/call\",\"kind\":\"tool\",\"target\":{},\
         \"decision\":\"{decision}\"{reason},\"total_us\":900}}\n",
        serde_json::to_string(tool).unwrap()
    )
}

fn set(folder: &Path, policy: &str) {
    fs::create_dir_all(folder.join("policies")).unwrap();
    fs::write(folder.join("policies/a.toml"), policy).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let all: Vec<&str> = std::iter::once("replay").chain(arguments.iter().copied()).collect();
    mcpfw(&all).current_dir(folder).output().unwrap()
}

fn report(folder: &Path, arguments: &[&str]) -> Value {
    let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    let ended = run(folder, &all);
    serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ended.stderr)))
}

/// Each record alone: what is said of it.
#[test]
fn verdicts() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    for (tool, then, field, needs) in [
        ("read", "allow", "still_allowed", None),
        ("read", "limit", "still_allowed", None),
        ("read", "deny", "now_allowed", None),
        ("drop", "allow", "now_denied", None),
        ("drop", "deny", "still_denied", None),
        ("other", "deny", "still_denied", None),
        ("other", "allow", "now_denied", None),
        ("write", "allow", "undecided", Some("args.path")),
        ("write", "deny", "undecided", Some("args.path")),
        ("admin", "allow", "undecided", Some("client.scopes")),
        // The subject of a token is in every log.
        ("mine", "allow", "still_allowed", None),
    ] {
        fs::write(folder.path().join("log"), line("r1", tool, then)).unwrap();
        let report = report(folder.path(), &["log"]);
        let fields = ["still_allowed", "still_denied", "now_allowed", "now_denied", "undecided"];
        let found: Vec<&str> = fields.into_iter().filter(|field| report[*field] == 1).collect();
        assert_eq!(found, [field], "{tool} {then} {report:#}");
        if let Some(needs) = needs {
            assert_eq!(report["groups"][0]["needs"], json!([needs]), "{tool}");
        }
    }
}

/// What is no call that rules were asked about is counted apart.
#[test]
fn what_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    let plain = line("r1", "read", "allow");
    let long = "x".repeat(1024) + "…";
    for (text, why) in [
        (plain.replace("\"allow\"", "\"none\""), "refused or ended before the rules were asked"),
        (
            line("r", "read", "deny").replace("default_deny", "body_too_large"),
            "refused or ended before the rules were asked",
        ),
        (
            line("r", "read", "deny").replace("default_deny", "pin_changed"),
            "a pin refused it, and what the server showed is not recorded",
        ),
        (line("r", &long, "deny"), "the name of what it acts on is cut off in the log"),
        (
            plain.replace("tools/call", "subscriptions/listen"),
            "the resources of a subscription are not recorded",
        ),
        (
            plain.replace("tools/call", "sampling/createMessage"),
            "it is an answer to what the server asked",
        ),
        (plain.replace("10.0.0.1", "nowhere"), "the record has no route, address or revision"),
    ] {
        fs::write(folder.path().join("log"), format!("{plain}{text}")).unwrap();
        let report = report(folder.path(), &["log"]);
        assert_eq!(report["not_judged"], json!({ why: 1 }), "{text}");
        assert_eq!(report["still_allowed"], 1, "{text}");
    }
}

/// What a batch asks for is judged call by call.
#[test]
fn the_calls_of_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    let call = |tool: &str| format!(r#"{{"method":"tools/call","kind":"tool","target":"{tool}"}}"#);
    let calls = format!(r#""batch":2,"calls":[{},{}],"decision""#, call("read"), call("drop"));
    let batch = line("r1", "x", "allow")
        .replace(r#""method":"tools/call","kind":"tool","target":"x","#, "")
        .replace(r#""decision""#, &calls);
    fs::write(folder.path().join("log"), batch).unwrap();
    let report = report(folder.path(), &["log"]);
    assert_eq!(report["records"], 1);
    assert_eq!((&report["still_allowed"], &report["now_denied"]), (&json!(1), &json!(1)));
}

/// Groups, exit codes, and what people read.
#[test]
fn changes_are_told_and_can_fail_a_build() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    let mut log = line("same", "read", "allow");
    log.push_str(&line("first", "drop", "allow"));
    log.push_str(&line("second", "drop", "allow"));
    log.push_str(&line("open", "write", "allow"));
    fs::write(folder.path().join("log"), &log).unwrap();
    let human = run(folder.path(), &["log", "--fail-on-change"]);
    let text = String::from_utf8(human.stdout).unwrap();
    assert_eq!(human.status.code(), Some(1), "{text}");
    for part in [
        "replayed 4 calls of 4 records against policies (5 rules)",
        "2  allowed then, refused now",
        "allowed then, refused now by `no-drop` (policies/a.toml:11): 2 calls",
        "  tool drop: 2\n    jwt u1: 2\n    first: log:2 request first\n",
        "undecided by `own` (policies/a.toml:6), needs args.path: 1 call",
    ] {
        assert!(text.contains(part), "{part:?}\n{text}");
    }
    let code = |arguments: &[&str]| run(folder.path(), arguments).status.code();
    assert_eq!(code(&["log"]), Some(0));
    fs::write(folder.path().join("good"), line("same", "read", "allow")).unwrap();
    assert_eq!(code(&["good", "--fail-on-change", "--fail-on-undecided"]), Some(0));
    fs::write(folder.path().join("open"), line("open", "write", "allow")).unwrap();
    assert_eq!(code(&["open", "--fail-on-change"]), Some(0));
    assert_eq!(code(&["open", "--fail-on-undecided"]), Some(1));
    assert_eq!(code(&["nowhere"]), Some(2));
    fs::write(folder.path().join("empty"), "").unwrap();
    assert_eq!(code(&["empty"]), Some(2));
    assert_eq!(code(&["log", "--since", "yesterday"]), Some(2));
    assert_eq!(code(&["log", "--policies", "nowhere"]), Some(2));
    set(folder.path(), "[[alow]]\n");
    assert_eq!(code(&["log"]), Some(1));
}

/// Time: which records, and when rules are asked.
#[test]
fn times() {
    let folder = tempfile::tempdir().unwrap();
    set(
        folder.path(),
        "[[allow]]\nname = 'a'\ntools = ['read']\nexpires = 2026-11-22\n\
         [[allow]]\nname = 'b'\ntools = ['other']\n",
    );
    let log = line("r", "read", "allow");
    let later = log.replace("2026-11-22T10", "2026-11-23T10");
    fs::write(folder.path().join("log"), format!("{log}{later}")).unwrap();
    let told = |arguments: &[&str]| {
        let report = report(folder.path(), arguments);
        ["still_allowed", "now_denied", "outside"].map(|name| report[name].as_u64().unwrap())
    };
    // `expires` is the last day on which the rule holds.
    assert_eq!(told(&["log"]), [1, 1, 0]);
    assert_eq!(told(&["log", "--until", "2026-11-23"]), [1, 0, 1]);
    assert_eq!(told(&["log", "--since", "2026-11-23"]), [0, 1, 1]);
    assert_eq!(told(&["log", "--at", "2026-11-21"]), [2, 0, 0]);
    assert_eq!(told(&["log", "--at", "2027-01-01"]), [0, 2, 0]);
}

/// Lines that mcpfw did not write, or that somebody cut: counted, located, never a panic, and the rest is read.
#[test]
fn hostile_lines() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    let good = line("good", "read", "allow");
    let deep = format!("{}{}\n", "[".repeat(200_000), "]".repeat(200_000));
    let invalid = b"{\"time\":\"\xff\xfe\"}\n".to_vec();
    let cut = good.get(..good.len() / 2).unwrap();
    for (bad, why) in [
        (b"not json\n".to_vec(), "not a JSON object"),
        (b"[]\n".to_vec(), "not a JSON object"),
        (b"{}\n".to_vec(), "`time`"),
        (b"{\"time\":\"2026-11-22T10:00:00Z\"}\n".to_vec(), "`decision`"),
        (good.replace("\"jwt\"", "\"root\"").into_bytes(), "`principal`"),
        (good.replace("2026-11-22T", "2026-99-99T").into_bytes(), "`time`"),
        (deep.clone().into_bytes(), "not a JSON object"),
        (invalid, "not a JSON object"),
        (format!("{cut}\n").into_bytes(), "not a JSON object"),
        (format!("{}\n", "x".repeat(3 << 20)).into_bytes(), "longer than 1048576 bytes"),
        (vec![0; 100], "not a JSON object"),
    ] {
        let mut log = good.clone().into_bytes();
        log.extend_from_slice(b"\n");
        log.extend_from_slice(&bad);
        if !bad.ends_with(b"\n") {
            log.push(b'\n');
        }
        log.extend_from_slice(good.as_bytes());
        fs::write(folder.path().join("log"), &log).unwrap();
        let ended = run(folder.path(), &["log", "--format", "json"]);
        let said = String::from_utf8(ended.stderr).unwrap();
        let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(report["still_allowed"], 2, "{why} {said}");
        assert!(said.contains("warning: 1 line left out") && said.contains(why), "{why}: {said}");
        assert!(said.contains("--> log:3\n"), "{why}: {said}");
        assert_eq!(ended.status.code(), Some(0), "{said}");
    }
    // What is deep and not asked for is passed over, or left out with its line.
    for (depth, read) in [(500, 1), (200_000, 0)] {
        let deep = format!("\"x\":{}{},\"http\"", "[".repeat(depth), "]".repeat(depth));
        let text = format!("{}{good}", good.replace("\"http\"", &deep));
        fs::write(folder.path().join("log"), text).unwrap();
        assert_eq!(report(folder.path(), &["log"])["still_allowed"], read + 1, "{depth}");
    }
    // Lines that were lost are told.
    let lost = "\n{\"time\":\"2026-11-22T10:00:00.000Z\",\"event\":\"lines_lost\",\"count\":7}\n";
    fs::write(folder.path().join("log"), format!("{good}{lost}")).unwrap();
    assert_eq!(report(folder.path(), &["log"])["lost"], 7);
    // As many as can be said, and more.
    let most = lost.replace(":7", &format!(":{}", u64::MAX));
    fs::write(folder.path().join("log"), format!("{good}{most}{lost}")).unwrap();
    let told = report(folder.path(), &["log"]);
    assert_eq!((&told["lost"], &told["still_allowed"]), (&u64::MAX.into(), &1.into()));
}

/// What is lacking is named, as far as somebody reads it.
#[test]
fn long_lists_of_what_is_lacking() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log"), line("r", "t", "allow")).unwrap();
    for (claims, told, last) in [(32, 32, "claims.c31"), (33, 33, "and 1 more")] {
        let when: Vec<String> = (0..claims).map(|at| format!("claims.c{at:02} == 1")).collect();
        let when = when.join(" && ");
        set(folder.path(), &format!("[[allow]]\nname = \"a\"\ntools = [\"t\"]\nwhen = '{when}'\n"));
        let report = report(folder.path(), &["log"]);
        let needs = report["groups"][0]["needs"].as_array().expect("it is open");
        assert_eq!((needs.len(), needs.last()), (told, Some(&last.into())), "{report}");
    }
}

/// Of two principals in one record the last one counts, whole: one without an id is not the first one.
#[test]
fn two_principals_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let when = "when = 'client.id == \"u1\"'";
    set(folder.path(), &format!("[[allow]]\nname = \"a\"\ntools = [\"t\"]\n{when}\n"));
    for (last, allowed) in [
        (r#"{"kind":"api_key","id":"u1"}"#, 1),
        (r#"{"kind":"api_key"}"#, 0),
        (r#"{"kind":"jwt","id":"u2"}"#, 0),
    ] {
        let text =
            line("r", "t", "deny").replace("\"route\"", &format!("\"principal\":{last},\"route\""));
        fs::write(folder.path().join("log"), text).unwrap();
        let told = report(folder.path(), &["log"]);
        assert_eq!(
            (&told["records"], &told["now_allowed"]),
            (&1.into(), &allowed.into()),
            "{last}: {told}"
        );
    }
}

/// Names that a caller chose say nothing to the terminal.
#[test]
fn names_are_shown_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    let name = "a\u{1b}[2J\nfake: 7\u{202e}";
    fs::write(folder.path().join("log"), line("r", name, "allow")).unwrap();
    for format in ["human", "json"] {
        let out = run(folder.path(), &["log", "--format", format]).stdout;
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
        assert!(!out.lines().any(|line| line.starts_with("fake")), "{out}");
    }
}

/// A compressed log, of several frames as rotation leaves them, says what the plain one says; one that is cut says how far it
/// came.
#[test]
fn compressed_logs() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), POLICY);
    let frame = |text: &str| {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
    };
    // Over more than one chunk, so that lines and numbers go on across them.
    let many: String = (0..9000).map(|at| line(&at.to_string(), "read", "allow")).collect();
    let last = line("last", "drop", "allow");
    let mut packed = frame(&many);
    packed.extend(frame(&last));
    fs::write(folder.path().join("log.zst"), &packed).unwrap();
    fs::write(folder.path().join("log"), format!("{many}{last}")).unwrap();
    for log in ["log", "log.zst"] {
        let report = report(folder.path(), &[log]);
        assert_eq!(report["still_allowed"], 9000, "{log}");
        assert_eq!(report["groups"][0]["example"]["line"], 9001, "{log}");
    }
    let cut = packed.get(..packed.len() / 2).unwrap();
    fs::write(folder.path().join("cut.zst"), cut).unwrap();
    let ended = run(folder.path(), &["cut.zst", "log"]);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("damaged or cut off from here on\n  --> cut.zst:"), "{said}");
    assert_eq!(ended.status.code(), Some(0), "{said}");
}
