//! The command line as a user meets it: what is said, where, and the exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::process::{Mcpfw, mcpfw};

const ALLOW: &str = "[[allow]]\nname = \"search\"\ntools = [\"search\"]\n";

/// A folder with the files `files` (path, text).
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn say(arguments: &[&str], at: &Path) -> Said {
    let done = mcpfw(arguments).current_dir(at).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
}

/// Each kind of bad input: one clear message that says what to do, the documented exit code, no panic.
#[test]
fn bad_input_is_told_and_ends_with_its_code() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let upstream = "http://127.0.0.1:9/mcp";
    let at = folder(&[
        ("good/search.toml", ALLOW),
        ("empty/.keep", ""),
        ("broken/a.toml", "[[allow]]\nname = \"x\"\ntools = [\"search\"\n"),
        ("wrong/a.toml", "[[allow]]\nname = \"x\"\ntool = [\"search\"]\n"),
        ("broken.toml", "[[route]\n"),
        ("wrong.toml", "[[route]]\nupstrem = \"http://127.0.0.1:9/mcp\"\n"),
        (
            "unsupported.toml",
            "[tls]\ncertificate = \"a\"\n[[route]]\nupstream = \"http://127.0.0.1:9/mcp\"\n",
        ),
    ]);
    // Arguments, exit code, and what the message must hold.
    let table: &[(&[&str], i32, &[&str])] = &[
        (&["check", "good"], 0, &["1 rule", "nothing wrong"]),
        (&["check", "empty"], 2, &["no policy file in `empty`", "[[allow]]"]),
        (&["check", "missing"], 2, &["cannot read policy directory `missing`", "does not exist"]),
        (&["check", "broken"], 1, &["broken/a.toml:"]),
        (&["check", "wrong"], 1, &["wrong/a.toml:3", "`tool`", "tools"]),
        (&["check", "--config", "broken.toml", "good"], 1, &["broken.toml:1"]),
        (
            &["check", "--config", "wrong.toml", "good"],
            1,
            &["wrong.toml:2", "`upstrem`", "upstream"],
        ),
        (&["check", "--config", "unsupported.toml", "good"], 1, &["unsupported.toml:1", "tls"]),
        (&["check", "--config", "nowhere.toml", "good"], 2, &["nowhere.toml", "does not exist"]),
        (&["run", "--policies", "good"], 2, &["--upstream"]),
        (
            &["run", "--upstream", upstream, "--policies", "empty"],
            2,
            &["no policy file in `empty`"],
        ),
        (&["run", "--upstream", upstream, "--policies", "missing"], 2, &["does not exist"]),
        (&["run", "--upstream", upstream, "--policies", "wrong"], 1, &["wrong/a.toml:3"]),
        (&["run", "--upstream", "not a url", "--policies", "good"], 1, &["--upstream"]),
        (&["run", "--config", "wrong.toml", "--policies", "good"], 1, &["`upstrem`"]),
        (
            &["run", "--upstream", upstream, "--policies", "good", "--listen", &taken],
            2,
            &["cannot listen on", "--listen"],
        ),
        (&["run", "--listen"], 2, &["--listen"]),
        (&["chekc", "good"], 2, &["check"]),
        (&["explain", "--policies", "good"], 2, &["--tool"]),
        (&["explain", "--policies", "good", "--tool", "x", "--claims", "{"], 2, &["`--claims`"]),
        (&["explain", "--policies", "good", "--tool", "x", "--args", "[1]"], 2, &["`--args`"]),
        (
            &["explain", "--policies", "good", "--tool", "x", "--claims", "@no.json"],
            2,
            &["no.json"],
        ),
        (&["explain", "--policies", "wrong", "--tool", "x"], 1, &["wrong/a.toml:3"]),
    ];
    for (arguments, code, parts) in table {
        let said = say(arguments, at.path());
        let all = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, Some(*code), "{arguments:?}\n{all}");
        for part in *parts {
            assert!(all.contains(part), "{arguments:?} does not say {part:?}:\n{all}");
        }
        assert!(!all.contains("panicked"), "{arguments:?}\n{all}");
        assert!(!all.contains('\u{1b}'), "colour in a pipe: {arguments:?}\n{all}");
    }
}

/// All mistakes of a set at once, each with its file, line and column.
#[test]
fn check_tells_everything_at_once() {
    let at = folder(&[
        ("p/a.toml", "[[allow]]\nname = \"a\"\ntools = [\"x\"]\nwhen = 'claim.plan == \"pro\"'\n"),
        (
            "p/b.toml",
            "[[limit]]\nname = \"b\"\ntools = [\"x\"]\nper = [\"claims.sub\"]\nrate = \"10/fortnight\"\n",
        ),
    ]);
    let said = say(&["check", "p", "--format", "json"], at.path());
    assert_eq!(said.code, Some(1));
    let found: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.out));
    let text = found.to_string();
    for part in ["p/a.toml", "p/b.toml", "claims", "P013"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let human = say(&["check", "p"], at.path());
    for part in ["p/a.toml:4:", "p/b.toml:5:", "^"] {
        assert!(human.out.contains(part), "{part} is missing in\n{}", human.out);
    }
}

/// A lock file beside the policies: broken, it is told like a broken policy; whole, it knows the names of tools.
#[test]
fn check_reads_the_lock_file() {
    const LOCK: &str = include_str!("../data/lock/example.json");
    let mut broken = LOCK.replace("Writes", "Reads");
    broken.truncate(broken.len() - 2);
    let edited = LOCK.replace("Writes", "Reads");
    let at = folder(&[
        ("good/a.toml", &format!("{ALLOW}\n[[deny]]\nname = \"no\"\ntools = [\"write_*\"]\n")),
        ("good/mcp.lock.json", LOCK),
        ("typo/a.toml", &ALLOW.replace("[\"search\"]", "[\"saerch\"]")),
        ("typo/mcp.lock.json", LOCK),
        ("broken/a.toml", ALLOW),
        ("broken/mcp.lock.json", &broken),
        ("edited/a.toml", &format!("{ALLOW}tolls = []\n")),
        ("edited/mcp.lock.json", &edited),
        ("only/mcp.lock.json", LOCK),
        // A lock file below is none of this set.
        ("below/a.toml", ALLOW),
        ("below/more/mcp.lock.json", &broken),
    ]);
    fs::create_dir_all(at.path().join("folder/mcp.lock.json")).unwrap();
    fs::write(at.path().join("folder/a.toml"), ALLOW).unwrap();
    let table: &[(&[&str], i32, &[&str])] = &[
        (&["good"], 0, &["2 files", "nothing wrong"]),
        (&["typo"], 0, &["P030", "typo/a.toml:3", "did you mean `search`?"]),
        (&["typo", "--strict"], 1, &["P030"]),
        (&["broken"], 1, &["L001", "broken/mcp.lock.json:"]),
        // Both at once.
        (&["edited"], 1, &["L004", "edited/mcp.lock.json:", "P002", "`tolls`"]),
        (&["only"], 2, &["no policy file in `only`"]),
        (&["below"], 0, &["nothing wrong"]),
        (&["folder"], 2, &["C010", "folder/mcp.lock.json", "not a file"]),
    ];
    for (arguments, code, parts) in table {
        let said = say(&[&["check"], *arguments].concat(), at.path());
        assert_eq!(said.code, Some(*code), "{arguments:?}\n{}{}", said.out, said.err);
        for part in *parts {
            assert!(said.out.contains(part), "{part} is missing in\n{}", said.out);
        }
    }
    let run = ["run", "--upstream", "http://127.0.0.1:9/mcp", "--policies", "broken"];
    let said = say(&run, at.path());
    assert!(said.code == Some(1) && said.err.contains("L001"), "{}", said.err);
}

/// A failing test of a policy is a finding; one that passes is none.
#[test]
fn check_runs_the_tests_beside_the_rules() {
    let test = |expect: &str| {
        format!(
            "{ALLOW}[[test]]\nname = \"t\"\ncall = {{ tool = \"search\" }}\nexpect = \"{expect}\"\n"
        )
    };
    let at = folder(&[("good/a.toml", &test("allow")), ("bad/a.toml", &test("deny"))]);
    assert_eq!(say(&["check", "good"], at.path()).code, Some(0));
    let said = say(&["check", "bad"], at.path());
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("bad/a.toml:5"), "{}", said.out);
}

/// The example of the issue that asked for it: each rule considered, and why it did or did not apply.
#[test]
fn explain_says_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let call = |claims: &str, path: &str| {
        let args = format!("{{\"path\":\"{path}\"}}");
        let asked = ["--tool", "delete_file", "--claims", claims, "--args", &args];
        say(&[&["explain", "--policies", "policies/demo"], asked.as_slice()].concat(), root)
    };
    let said = call(r#"{"plan":"free","sub":"u1"}"#, "/x");
    assert_eq!(said.code, Some(0));
    for part in ["refused by `no-deletes-on-free`", "delete-on-pro", "search-by-plan", "\"free\""] {
        assert!(said.out.contains(part), "{part} is missing in\n{}", said.out);
    }
    let said = call(r#"{"plan":"pro","sub":"u1"}"#, "/sandbox/u1/x");
    assert!(said.out.contains("allowed by `delete-on-pro`"), "{}", said.out);
    let said = say(
        &[
            "explain",
            "--policies",
            "policies/demo",
            "--tool",
            "search",
            "--claims",
            r#"{"plan":"pro","sub":"u"}"#,
            "--format",
            "json",
        ],
        root,
    );
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["verdict"], "allow");
    assert_eq!(json["rule"], "search-for-customers");
}

#[test]
fn help_teaches() {
    let at = folder(&[]);
    let table: &[(&[&str], &[&str])] = &[
        (&["--help"], &["mcpfw demo", "mcpfw check policies/", "--upstream", "Exit codes"]),
        (&["run", "--help"], &["sidecar", "--policies", "--jwks", "SIGTERM"]),
        (&["check", "--help"], &["--strict", "In CI"]),
        (&["explain", "--help"], &["--claims", "Examples"]),
        (&["test", "--help"], &["--coverage-min", "[[test]]", "Exit codes"]),
        (&["demo", "--help"], &["--listen", "--policies"]),
    ];
    for (arguments, parts) in table {
        let said = say(arguments, at.path());
        assert_eq!(said.code, Some(0), "{arguments:?}");
        for part in *parts {
            assert!(said.out.contains(part), "{arguments:?} does not say {part:?}:\n{}", said.out);
        }
    }
}

/// `run` says what it enforces, warns of what is open, answers 503 where the server is not there, and ends cleanly.
#[test]
fn run_says_what_it_enforces() {
    let at = folder(&[("policies/search.toml", ALLOW)]);
    let flags = [
        "--upstream",
        "http://127.0.0.1:9/mcp",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "access.jsonl",
    ];
    let mut running = Mcpfw::start(flags, at.path());
    for part in ["allow search", "policies/search.toml:1", "anonymous", "http://127.0.0.1:9/mcp"] {
        assert!(running.said().contains(part), "{part} is missing in\n{}", running.said());
    }
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}"#;
    let reply = post(&running.url, body);
    assert!(reply.starts_with("HTTP/1.1 503"), "{reply}");
    assert!(reply.contains("\"id\":7"), "{reply}");
    assert!(post(&running.url, &body.replace("search", "other")).contains("\"code\":403"));
    assert!(running.stop(), "{}", running.said());
    let log = fs::read_to_string(at.path().join("access.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

/// Pins are told of at the start, and by `explain`.
#[test]
fn run_and_explain_tell_of_pins() {
    const LOCK: &str = include_str!("../data/lock/example.json");
    let pin =
        format!("{ALLOW}[[pin]]\nname = \"reviewed\"\ntools = [\"*\"]\non_change = \"deny\"\n");
    let at = folder(&[("policies/a.toml", &pin), ("policies/mcp.lock.json", LOCK)]);
    let flags = ["--upstream", "http://127.0.0.1:9/mcp", "--listen", "127.0.0.1:0", "--log", "off"];
    let mut running = Mcpfw::start(flags, at.path());
    let want = "pin   reviewed  each element of a list and each call; what changed is refused";
    assert!(running.said().contains(want), "{}", running.said());
    let call = |tool: &str| {
        let params = format!("{{\"name\":\"{tool}\"}}");
        post(
            &running.url,
            &format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#),
        )
    };
    // In the lock, and so on its way to a server that is not there.
    assert!(call("search").starts_with("HTTP/1.1 503"));
    assert!(running.stop(), "{}", running.said());
    let explain = |tool: &str| say(&["explain", "--tool", tool], at.path()).out;
    assert!(explain("search").contains("must show it with sha256:5c18"), "{}", explain("search"));
    assert!(explain("rm").contains("the lock file does not have it"), "{}", explain("rm"));
}

/// Keys that cannot be fetched: it starts, says so, and answers 503 until they come.
#[test]
fn run_without_reachable_keys_is_not_ready() {
    let at = folder(&[("policies/search.toml", ALLOW)]);
    let flags = [
        "--upstream",
        "http://127.0.0.1:9/mcp",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "off",
        "--issuer",
        "https://issuer.test/",
        "--audience",
        "https://mcp.test/mcp",
        "--jwks",
        "http://127.0.0.1:9/jwks.json",
    ];
    let mut running = Mcpfw::start(flags, at.path());
    let ready = request(&running.url, "GET", "/readyz", "", "");
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(request(&running.url, "GET", "/healthz", "", "").starts_with("HTTP/1.1 200"));
    let bearer = "Authorization: Bearer eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.e30.AAAA\r\n";
    let reply = request(&running.url, "POST", "/mcp", bearer, "{}");
    assert!(reply.starts_with("HTTP/1.1 503") || reply.starts_with("HTTP/1.1 401"), "{reply}");
    assert!(running.stop());
    assert!(
        running.said().contains("issuer https://issuer.test/: no keys fetched"),
        "{}",
        running.said()
    );
}

fn post(url: &str, body: &str) -> String {
    request(url, "POST", "/mcp", "Content-Type: application/json\r\nAccept: */*\r\n", body)
}

/// One request on a connection of its own, and the whole reply.
fn request(url: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
    let authority = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// Every call that the demo prints is pasted into a shell, and does what its heading says.
#[test]
fn the_demo_does_what_it_prints() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: the demo's calls are for curl, which is not here");
        return;
    }
    let mut running = Mcpfw::spawn(&mut mcpfw(&["demo", "--listen", "127.0.0.1:0"]), "export MCP=");
    let exports = |said: &str, name: &str| {
        let marker = format!("export {name}=");
        said.lines().find_map(|line| line.strip_prefix(&marker)).map(str::to_owned)
    };
    // The text is written at once, but read line by line: what follows the URL is still to come.
    let text = running.read_until("Ctrl-C ends the demo.");
    let (free, pro) = (exports(&text, "FREE").unwrap(), exports(&text, "PRO").unwrap());
    let mut outcomes = Vec::new();
    for call in text.lines().filter(|line| line.contains("curl -sN")) {
        let done = Command::new("sh")
            .args(["-c", call])
            .envs([("MCP", &running.url), ("FREE", &free), ("PRO", &pro)])
            .output()
            .unwrap();
        outcomes.push(String::from_utf8(done.stdout).unwrap());
    }
    let expected: &[&[&str]] = &[
        &["3 results", "\"id\":1"],
        &["\"code\":403", "Deleting needs the pro plan", "\"id\":2"],
        &["\"code\":403", "\"id\":3"],
        &["wrote 2 bytes to /sandbox/ann/a.txt"],
        &["3 results", "\"code\":429", "retry"],
        &["notifications/progress", "chapter 5 of 5", "the report"],
        &["\"search\"", "\"write_file\"", "\"report\""],
    ];
    assert_eq!(outcomes.len(), expected.len());
    for (outcome, parts) in outcomes.iter().zip(expected) {
        for part in *parts {
            assert!(outcome.contains(part), "{part} is missing in\n{outcome}");
        }
    }
    // Deleting is only for pro, so the free plan does not see it.
    assert!(!outcomes.last().unwrap().contains("delete_file"));
    assert!(running.signal("INT").success(), "{}", running.said());
}
