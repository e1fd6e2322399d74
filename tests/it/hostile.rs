//! The tools of authors over names that are commands of a CI server, codes of a terminal, or markup of a report: in every format
//! they stay names (T65).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use mcpfw::diagnostic::is_hidden;
use serde_json::{Value, json};

use crate::support::process::mcpfw;

/// What a hostile server calls its tools, or somebody who sends a change his rules.
const NAMES: [&str; 8] = [
    "a\n::error::forged",
    "b\r\n  ::stop-commands::forged",
    "c##[stop-commands]forged",
    "d\u{1b}[2J\u{1b}]0;forged\u{7}",
    "e\u{9b}31m\u{202e}\u{200b}",
    "f%0A::error::forged",
    "g<b>&\"'`|]]></failure><testcase>",
    "h\n</testsuite>\n[forged](https://example.com)",
];

/// A set that has something wrong with each of the names: with tools, rules, messages, tests, and in its lock file.
fn hostile(folder: &Path) {
    use mcpfw::lock::{Item, Json, List, Lock, Server};
    use mcpfw::wire::mcp::Revision;
    let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
    let mut rules = String::new();
    for name in NAMES {
        let tool =
            json!({ "name": name, "description": name, "inputSchema": { "type": "object" } });
        let json = Json::parse(tool.to_string().as_bytes(), 1).unwrap();
        assert!(lock.add(Item::new(List::Tools, json).unwrap()));
        let text = toml::Value::from(name);
        let nearly = toml::Value::from(format!("{name}s"));
        rules.push_str(&format!(
            "[[deny]]\nname = {text}\ntools = [{nearly}]\nmessage = {text}\n\n\
             [[limit]]\nname = {nearly}\ntools = [{text}]\nper = [\"client.ip\"]\nrate = \"1/min\"\n\n\
             [[test]]\nname = {text}\ncall = {{ tool = {text} }}\nexpect = \"allow\"\nby = {text}\n\n"
        ));
    }
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("mcp.lock.json"), lock.to_json()).unwrap();
    fs::write(folder.join("a.toml"), rules).unwrap();
    // A name of a file is a name too.
    let odd = "z\n::error::forged ##[error]\u{1b}[2J.toml";
    fs::write(folder.join(odd), "[[allow]]\nname = 'z'\ntools = ['never']\n#  ##[error]x\n")
        .unwrap();
}

/// A set in which all is right but its tests, with the names that a set may have.
fn accepted(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut rules = String::new();
    for name in NAMES.iter().filter(|name| !name.contains(is_hidden) && !name.contains('\n')) {
        let text = toml::Value::from(*name);
        rules.push_str(&format!(
            "[[deny]]\nname = {text}\ntools = [{text}]\nwhen = 'args.q != \"##[error]x\"'\nmessage = {text}\n\n"
        ));
        let test = toml::Value::from(format!("{name} test"));
        rules.push_str(&format!(
            "[[test]]\nname = {test}\ncall = {{ tool = {text}, args = {{ q = {text} }} }}\nexpect = \"allow\"\n\n"
        ));
    }
    fs::write(folder.join("a.toml"), rules).unwrap();
    fs::write(folder.join("##[error]\n::error::y.toml"), "[[allow]]\nname = 'z'\ntools = ['z']\n")
        .unwrap();
}

/// Whether a GitHub runner, a terminal or a reader line by line would take part of `text` for something that was not said.
fn forged(text: &str, is_github: bool) -> Option<String> {
    if let Some(c) = text.chars().find(|c| is_hidden(*c)) {
        return Some(format!("{c:?}"));
    }
    let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
    let mut commands = text.lines().filter(is_command);
    commands
        .find(|line| {
            let own = ["::error file=", "::warning file=", "::error title=", "::warning title="];
            !is_github || !own.iter().any(|own| line.starts_with(own)) || line.contains("##[")
        })
        .map(str::to_owned)
}

fn say(folder: &Path, arguments: &[&str]) -> (String, String) {
    let done = mcpfw(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr))
}

#[test]
fn names_stay_names_in_every_format() {
    let root = tempfile::tempdir().unwrap();
    hostile(&root.path().join("p"));
    accepted(&root.path().join("q"));
    fs::create_dir(root.path().join("old")).unwrap();
    fs::write(root.path().join("old/a.toml"), "[[allow]]\nname = 'all'\neverything = true\n")
        .unwrap();
    for arguments in [
        &["check", "p", "--format", "human"][..],
        &["check", "p", "--format", "human", "--color", "never"],
        &["check", "p", "--format", "json"],
        &["check", "p", "--format", "sarif"],
        &["check", "p", "--format", "github"],
        &["test", "p"],
        &["test", "p", "--format", "json"],
        &["test", "p", "--format", "junit"],
        &["test", "p", "--format", "github"],
        &["check", "q"],
        &["check", "q", "--against", "old"],
        &["check", "q", "--against", "old", "--format", "json"],
        &["test", "q", "-v", "--coverage"],
        &["test", "q", "--format", "json", "--coverage"],
        &["test", "q", "--format", "junit", "--coverage-min", "100"],
        &["test", "q", "--format", "github"],
        &["fmt", "--check", "p"],
        &["learn", "--from-lock", "p/mcp.lock.json"],
        &["explain", "--policies", "q", "--tool", "c##[stop-commands]forged"],
        &["explain", "--policies", "q", "--tool", "d\u{1b}[2J\n::error::x\u{202e}"],
        &[
            "explain",
            "--policies",
            "q",
            "--tool",
            "d\u{9b}2J\n::error::x\u{202e}",
            "--format",
            "json",
        ],
        &["replay", "c##[error]\n::error::x", "--policies", "q"],
    ] {
        let (out, err) = say(root.path(), arguments);
        assert!(!out.is_empty() || !err.is_empty(), "{arguments:?} says nothing");
        let is_github = arguments.contains(&"github");
        for text in [&out, &err] {
            assert_eq!(forged(text, is_github), None, "{arguments:?}\n{text}");
        }
        if arguments.contains(&"json") || arguments.contains(&"sarif") {
            let _: Value = serde_json::from_str(&out).unwrap();
        }
        if arguments.contains(&"junit") {
            // What is not mcpfw's own markup is escaped.
            assert!(!out.contains("<b>") && !out.contains("]]>"), "{out}");
            let count = |of: &str| out.matches(of).count();
            assert_eq!(count("</testsuite>"), 1, "{out}");
            assert!(count("<testcase ") > 3, "{out}");
        }
    }
}

/// As many annotations as findings, and each at its place.
#[test]
fn an_annotation_is_one_line() {
    let root = tempfile::tempdir().unwrap();
    hostile(&root.path().join("p"));
    let (out, _) = say(root.path(), &["check", "p", "--format", "json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    let count = found.as_array().unwrap().len();
    assert!(count >= NAMES.len(), "{out}");
    let (out, _) = say(root.path(), &["check", "p", "--format", "github"]);
    assert_eq!(out.lines().filter(|line| line.starts_with("::")).count(), count, "{out}");
    // A per cent sign of a name is not an escape of the runner's.
    assert!(out.contains("f%250A::error::forged"), "{out}");
}

/// The check can fail.
#[test]
fn forgeries_are_seen() {
    for text in ["a\n  ::error::x", "x ##[error]y", "a\u{1b}[2J", "a\u{202e}b", "a\rb"] {
        assert!(forged(text, false).is_some(), "{text:?}");
    }
    assert!(forged("::error file=a,line=1::x", false).is_some());
    assert!(forged("::error file=a,line=1::x", true).is_none());
    assert!(forged("::stop-commands::x", true).is_some());
    assert!(forged("a\n\tb :: c ## [d]", false).is_none());
}
