//! Every folder of `policies/` is a set that is clean, whose README is true, and whose tests notice when a rule is gone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use mcpfw::diagnostic::{Diagnostic, Problems, Sources};
use mcpfw::gateway::policies::{Reading, Set};
use mcpfw::lock;
use mcpfw::policy::language::codes;
use mcpfw::policy::{Policy, Verdict};

use crate::readme::{commands, words};
use crate::support::process::mcpfw;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// 2026-11-22T00:00:00Z.
const NOW: u64 = 1_795_305_600;

/// The folders of `policies/`, in order.
fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join("policies")).unwrap();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// `path` as somebody at the root of the repository writes it.
fn shown(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap().display().to_string()
}

#[test]
fn every_set_is_clean_as_ci_asks() {
    let folders = folders();
    assert_eq!(folders.len(), 9, "eight to learn from, and the demo's");
    let shown: Vec<String> = folders.iter().map(|folder| shown(folder)).collect();
    let arguments = ["check", "--strict"].into_iter().chain(shown.iter().map(String::as_str));
    let done = mcpfw(&arguments.collect::<Vec<_>>()).current_dir(ROOT).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}");
    assert_eq!(said.matches("nothing wrong").count(), folders.len(), "{said}");
}

#[test]
fn every_lock_file_is_as_mcpfw_writes_it() {
    for folder in folders().iter().filter(|folder| !folder.ends_with("demo")) {
        let text = fs::read_to_string(folder.join(lock::FILE_NAME)).unwrap();
        let (mut sources, problems) = (Sources::new(), Problems::new());
        let id = sources.add(lock::FILE_NAME, text.as_str());
        let read = lock::parse(&sources, id, &problems).unwrap();
        assert_eq!(read.to_json(), text, "{}", folder.display());
    }
}

#[test]
fn every_readme_shows_commands_that_work() {
    for folder in folders() {
        let readme = shown(&folder.join("README.md"));
        let commands = commands(&readme);
        assert!(commands.len() >= 2, "{readme}: {commands:?}");
        for command in commands {
            assert!(command.contains(&shown(&folder)), "{readme} shows another set: {command}");
            let words = words(&command);
            let [name, arguments @ ..] = words.as_slice() else { panic!("{command}") };
            assert_eq!(name, "mcpfw");
            let done = mcpfw(arguments).current_dir(ROOT).output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "`{command}` in {readme}: {said}");
        }
    }
}

/// One rule of a file: its header, and where the stanza begins and ends.
struct Rule {
    lines: std::ops::Range<usize>,
}

fn rules(lines: &[&str]) -> Vec<Rule> {
    let starts: Vec<usize> =
        (0..lines.len()).filter(|at| lines.get(*at).is_some_and(|l| l.starts_with("[["))).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let all = starts.iter().copied().zip(ends);
    all.filter(|(start, _)| {
        lines
            .get(*start)
            .is_some_and(|line| matches!(*line, "[[allow]]" | "[[deny]]" | "[[limit]]"))
    })
    .map(|(start, end)| Rule { lines: start..end })
    .collect()
}

/// What becomes of `rule` when it is taken out of force. One that is in shadow, and so never was, is put in force. `None`
/// for a limit that bounds single calls: no test sees a timeout, only that the limit applies, which P047 asks.
fn mutant(lines: &[&str], rule: &Rule) -> Option<String> {
    let stanza = lines.get(rule.lines.clone()).unwrap();
    let has = |key: &str| stanza.iter().any(|line| line.starts_with(key));
    let (is_shadow, is_limit) = (has("mode "), stanza.first() == Some(&"[[limit]]"));
    if is_limit && !has("rate ") {
        return None;
    }
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let is_here = rule.lines.contains(&at);
        if is_here && (line.starts_with("mode ") || line.starts_with("expires ")) {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        if at == rule.lines.start && !is_shadow {
            text.push_str("expires = 2000-01-01\n");
        }
    }
    Some(text)
}

/// `set` with `text` in the place of the file `name`.
fn with(set: &Set, name: &str, text: &str) -> Sources {
    let mut sources = Sources::new();
    for (_, source) in set.sources.iter() {
        sources.add(source.name(), if source.name() == name { text } else { source.text() });
    }
    sources
}

/// A test that holds without the rule it is there for says nothing of it.
#[test]
fn no_rule_goes_without_a_test_that_notices() {
    let reading = Reading::new(None);
    let (mut seen, mut unnoticed) = (0, Vec::new());
    for folder in folders() {
        let set = reading.read(&folder);
        for (_, source) in set.sources.iter().filter(|(_, source)| source.name().ends_with(".toml"))
        {
            let lines: Vec<&str> = source.text().lines().collect();
            for rule in rules(&lines) {
                let Some(text) = mutant(&lines, &rule) else { continue };
                seen += 1;
                let mutated = reading.again(with(&set, source.name(), &text));
                assert!(mutated.policy.is_some(), "{:?}\n{text}", mutated.findings);
                let is_failure = |found: &Diagnostic| found.code == codes::FAILED_TEST;
                if !mutated.tried().findings.iter().any(is_failure) {
                    let place = format!("{}:{}", source.name(), rule.lines.start + 1);
                    unnoticed.push(place);
                }
            }
        }
    }
    assert!(seen >= 40, "only {seen} rules were found");
    assert!(unnoticed.is_empty(), "no test notices that these are gone: {unnoticed:#?}");
}

/// Something to look for, and what to put in its first place.
type Edit = (&'static str, &'static str);

/// By set, the assert, and edits of `policy.toml` that loosen, or tighten, what it guards.
const LOOSENED: &[(&str, &str, &[Edit])] = &[
    (
        "01-deny-by-default",
        "nobody sends mail",
        &[("\"read_*\"", "\"*\""), ("message = \"Mail", "mode = \"shadow\"\nmessage = \"Mail")],
    ),
    ("01-deny-by-default", "nothing changes anything", &[("\"read_*\"", "\"*\"")]),
    (
        "01-deny-by-default",
        "everybody can search",
        &[("tools = [\"search\"]", "tools = [\"search\"]\nroutes = [\"inside\"]")],
    ),
    (
        "02-plans-and-claims",
        "free never exports",
        &[
            (r#"claims.plan in ["pro", "team"]"#, "has(claims.plan)"),
            (r#"when    = 'claims.plan == "free"'"#, "mode = \"shadow\""),
        ],
    ),
    (
        "02-plans-and-claims",
        "only admins rebuild",
        &[(r#""admin" in claims.roles"#, "has(claims.roles)")],
    ),
    (
        "02-plans-and-claims",
        "the suspended use no tool",
        &[("&& claims.suspended'", "&& claims.suspended && claims.plan == \"free\"'")],
    ),
    ("03-arguments", "no path climbs out", &[(r#"args.path.contains("..") || "#, "")]),
    (
        "03-arguments",
        "nobody overwrites",
        &[(r#"args.mode == "overwrite""#, r#"args.mode == "append""#)],
    ),
    (
        "04-limits",
        "no plan, no tool",
        &[(r#"'claims.plan in"#, r#"'!has(claims.plan) || claims.plan in"#)],
    ),
    ("04-limits", "pro can delete", &[(r#"["free", "pro"]"#, r#"["free"]"#)]),
    (
        "05-resources-and-side-doors",
        "salaries stay with HR, whatever the door",
        &[
            (r#"'!has(claims.roles) || !("hr" in claims.roles)'"#, "'!has(claims.roles)'"),
            (r#"'"hr" in claims.roles'"#, "'has(claims.roles)'"),
        ],
    ),
    (
        "05-resources-and-side-doors",
        "nobody reads the notes of somebody else",
        &[(r#"claims.sub + "/")'"#, "claims.sub)'")],
    ),
    (
        "06-server-requests",
        "free clients are never asked for their model",
        &[
            (r#"'claims.plan == "pro"'"#, "'has(claims.plan)'"),
            (r#"when            = 'claims.plan == "free"'"#, "mode = \"shadow\""),
        ],
    ),
    (
        "06-server-requests",
        "nobody's folders are told to the server",
        &[(r#"["elicitation/create"]"#, r#"["elicitation/create", "roots/list"]"#)],
    ),
    (
        "07-pins-and-hidden-text",
        "only pro deletes",
        &[(r#"'claims.plan == "pro"'"#, "'has(claims.plan)'")],
    ),
    (
        "08-responses-and-rollout",
        "only pro imports",
        &[(r#"'claims.plan == "pro"'"#, "'has(claims.plan)'")],
    ),
    ("08-responses-and-rollout", "customers export", &[("mode    = \"shadow\"\n", "")]),
];

/// What is proved of a set is refuted by a call, once the rule behind it is another one.
#[test]
fn every_assert_is_proved_and_notices_a_loosened_rule() {
    let reading = Reading::new(None);
    let mut tried: Vec<(String, String)> = Vec::new();
    for (folder, name, edits) in LOOSENED {
        let set = reading.read(&Path::new(ROOT).join("policies").join(folder));
        let (_, file) =
            set.sources.iter().find(|(_, it)| it.name().ends_with("policy.toml")).unwrap();
        let mut text = file.text().to_owned();
        for (from, to) in *edits {
            assert!(text.contains(from), "{folder}: {from}");
            text = text.replacen(from, to, 1);
        }
        let loosened = reading.again(with(&set, file.name(), &text));
        let Some(policy) = loosened.policy else { panic!("{folder}: {:?}", loosened.findings) };
        let verdict = policy.asserts(NOW).into_iter().find(|(it, _)| it == name).unwrap().1;
        let Verdict::Refuted(example) = verdict else { panic!("{folder}, {name}: {verdict:?}") };
        let is_allowed = |policy: &Policy| example.decide(policy).is_ok();
        assert_ne!(is_allowed(&policy), is_allowed(&set.policy.unwrap()), "{folder}, {name}");
        tried.push(((*folder).to_owned(), (*name).to_owned()));
    }
    let mut all = Vec::new();
    for folder in folders().iter().filter(|folder| !folder.ends_with("demo")) {
        let policy = reading.read(folder).policy.unwrap();
        for (name, verdict) in policy.asserts(NOW) {
            assert!(matches!(verdict, Verdict::Proved), "{}, {name}", folder.display());
            let folder = folder.file_name().unwrap().to_str().unwrap();
            all.push((folder.to_owned(), name.to_owned()));
        }
    }
    all.sort();
    tried.sort();
    assert_eq!(all, tried, "the asserts there are, and those that an edit was tried on");
}
