//! The pages of the checks: their form, their examples, and what is made of them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use mcpfw::diagnostic::{Diagnostic, Sources};
use mcpfw::limit::Limiter;
use mcpfw::lock::{Item, Json, List, Lock, Server};
use mcpfw::policy::language::{checks, codes};
use mcpfw::policy::{CompileOptions, Policy};
use mcpfw::shape::{self, Form};
use mcpfw::wire::mcp::Revision;

use super::decisions::{NOW, options};

/// The lock file that `text` is a part of: lists of elements by their key.
pub(super) fn lock(text: &str) -> Arc<Lock> {
    let json = Json::parse(text.as_bytes(), 1).expect("the block is JSON");
    let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
    for (key, elements) in json.as_object().expect("the block is an object") {
        let list = List::ALL.into_iter().find(|list| list.key() == &**key).expect("a list");
        for element in elements.as_array().expect("a list has elements") {
            assert!(lock.add(Item::new(list, element.clone()).expect("an element")));
        }
    }
    Arc::new(lock)
}

/// The texts of a case: blocks of Markdown, of which JSON is the lock file, and TOML that begins with `# schema.toml` is that
/// file.
pub(super) struct Case {
    pub(super) sources: Sources,
    pub(super) options: CompileOptions,
}

impl Case {
    pub(super) fn new(markdown: &str) -> Self {
        let mut sources = Sources::new();
        let mut options =
            CompileOptions { routes: Some(vec!["files".into(), "search".into()]), ..options() };
        let mut open: Option<(&str, String)> = None;
        for line in markdown.lines() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => open = Some((language, String::new())),
                (Some(_), Some((language, text))) => {
                    match *language {
                        "json" => options.lock = Some(lock(text)),
                        _ if text.starts_with("# schema.toml") => {
                            sources.add("schema.toml", text.as_str());
                        }
                        _ => {
                            sources.add("policy.toml", text.as_str());
                        }
                    }
                    open = None;
                }
                (None, Some((_, text))) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => {}
            }
        }
        Self { sources, options }
    }

    /// Everything that `check` finds.
    pub(super) fn findings(&self) -> Vec<Diagnostic> {
        let compiled = Policy::compile(&self.sources, &self.options);
        let mut findings = compiled.diagnostics;
        if let Some(policy) = compiled.policy {
            let limiter = || Limiter::new(64);
            for test in policy.tests() {
                let limiter = limiter();
                findings.extend(test.run(&policy, NOW, |permitted, since| {
                    let refused = limiter.admit(permitted, since).err();
                    refused.and_then(|it| it.blame().map(|draw| draw.rule)).map_or(Ok(()), Err)
                }));
            }
            findings.extend(policy.untested(NOW));
            findings.extend(policy.prove("policies", NOW));
        }
        findings
    }
}

#[test]
fn every_page_has_the_same_form() {
    for info in codes::ALL {
        let body = info.body();
        let heads: Vec<&str> = body.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let (fixed, more) = heads.split_at(checks::SECTIONS.len());
        assert_eq!(fixed, checks::SECTIONS, "{}", info.code);
        assert!(matches!(more, [] | ["Fix safety"]), "{}", info.code);
        assert!(
            matches!(info.severity(), "error" | "warning" | "error or warning"),
            "{}",
            info.code
        );
        for head in heads {
            let text = info.section(head).expect("the section is there");
            assert!(text.ends_with(['.', '`']), "{} {head}: {text}", info.code);
        }
    }
}

#[test]
fn examples_are_found_and_what_is_written_instead_is_not() {
    for info in codes::ALL {
        let of = |section| Case::new(&info.section(section).expect("every page has it")).findings();
        let (bad, good) = (of("Example"), of("Use instead"));
        let found: Vec<_> = bad.iter().map(|it| it.code.0).collect();
        assert!(bad.iter().any(|it| it.code == info.code), "{} finds {found:?}", info.code);
        for finding in bad.iter().filter(|it| it.code == info.code) {
            assert!(info.severity().contains(finding.severity.as_str()), "{}", info.code);
            assert!(finding.fix.is_none() || info.has_fix(), "{} has a fix", info.code);
        }
        let left: Vec<_> = good.iter().map(|it| it.code.0).collect();
        assert!(
            good.iter().all(|it| it.code != info.code && !it.is_error()),
            "{} leaves {left:?}",
            info.code
        );
    }
}

/// What a file must hold, between the lines that mark it, or as a whole. `MCPFW_BLESS=1 cargo test` writes it.
fn is_made_of(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if there != wanted {
        if std::env::var_os("MCPFW_BLESS").is_some() {
            std::fs::write(&path, wanted).expect("the file can be written");
            return;
        }
        panic!(
            "{file} is not what the checks say; write it anew: MCPFW_BLESS=1 cargo test --test it pages::"
        );
    }
}

#[test]
fn the_manual_is_up_to_date() {
    is_made_of("docs/checks.md", &checks::manual());
}

#[test]
fn the_readme_is_up_to_date() {
    const BEGIN: &str = "<!-- checks -->\n";
    const END: &str = "<!-- /checks -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let there = std::fs::read_to_string(path).expect("the README is there");
    let (before, rest) = there.split_once(BEGIN).expect("the README has the table");
    let (_, after) = rest.split_once(END).expect("the table ends");
    is_made_of("README.md", &format!("{before}{BEGIN}\n{}\n{END}{after}", checks::table()));
}

/// The tables of `table` and of those inside of it, each once.
fn keys(table: &'static shape::Table, seen: &mut Vec<&'static str>, out: &mut String) {
    let mut inner = Vec::new();
    for key in table.keys {
        match key.form {
            Form::Tables(below) | Form::Table(below) => inner.push(below),
            Form::Either(_, Form::Table(below)) => inner.push(*below),
            _ => {}
        }
    }
    if !matches!(table.name, "a policy file" | "") {
        let header = match table.name {
            "call" | "expect" => format!("`{}` of a `[[test]]`", table.name),
            name => format!("`[[{name}]]`"),
        };
        out.push_str(&format!("### {header}\n\n{}\n\n| key | |\n|---|---|\n", table.about));
        for key in table.keys {
            // What is not in force is no key to learn.
            if key.about.contains("not enforced yet") {
                continue;
            }
            let needed = if key.is_required { ", needed" } else { "" };
            out.push_str(&format!(
                "| `{}`{needed} | {} |\n",
                key.name,
                key.about.replace('|', "\\|")
            ));
        }
        out.push('\n');
    }
    for below in inner {
        if !seen.contains(&below.name) {
            seen.push(below.name);
            keys(below, seen, out);
        }
    }
}

#[test]
fn the_page_of_the_language_is_up_to_date() {
    const BEGIN: &str = "<!-- keys -->\n";
    const END: &str = "<!-- /keys -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.md");
    let there = std::fs::read_to_string(path).expect("the page is there");
    let (before, rest) = there.split_once(BEGIN).expect("the page has the tables");
    let (_, after) = rest.split_once(END).expect("the tables end");
    let mut made = String::new();
    keys(shape::File::Policy.root(), &mut Vec::new(), &mut made);
    is_made_of("docs/policy.md", &format!("{before}{BEGIN}\n{made}{END}{after}"));

    // Each function and variable that there is stands on it.
    let told = |when: &str| {
        let text = format!("[[allow]]\nname = \"a\"\ntools = [\"x\"]\nwhen = '{when}'\n");
        let mut sources = Sources::new();
        sources.add("a.toml", text);
        let found = Policy::compile(&sources, &options()).diagnostics;
        let help = found.iter().find_map(|it| it.help.clone()).expect("it is told what there is");
        let list = help.strip_prefix("there are ").expect("a list").to_owned();
        list.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    for word in told("zzzzzz(claims.a)").into_iter().chain(told("zzzzzz.a == 1")) {
        // `tool` is not in force.
        assert!(before.contains(&word) || word == "tool", "{word}");
    }
    for root in ["client", "mcp", "request"] {
        for field in told(&format!("{root}.zzzzzz == \"a\"")) {
            assert!(before.contains(&format!(".{field}`")), "{root}.{field}");
        }
    }
    // Its example is a set whose tests pass and whose asserts hold.
    let example = before.split_once("```toml\n").expect("an example").1;
    let example = example.split_once("```").expect("its end").0;
    let mut sources = Sources::new();
    sources.add("example.toml", example);
    let compiled = Policy::compile(&sources, &options());
    let policy = compiled.policy.expect("it is a set");
    let mut found = compiled.diagnostics;
    found.extend(mcpfw::gateway::policies::failed_tests(&policy));
    found.extend(policy.prove("p", NOW));
    found.extend(policy.untested(NOW));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn codes_are_found_and_suggested() {
    for (text, want) in
        [("P012", Some("P012")), (" p012 ", Some("P012")), ("P999", None), ("", None)]
    {
        assert_eq!(checks::find(text).map(|info| info.code.0), want, "{text}");
    }
    for (text, want) in [
        ("P12", &["P012"][..]),
        ("12", &["P012"]),
        ("P0012", &["P001"]),
        ("rate", &["P013"]),
        ("expired", &["P020"]),
        ("xyzzy", &[]),
        ("", &[]),
    ] {
        let found: Vec<_> = checks::suggest(text).iter().map(|info| info.code.0).collect();
        assert_eq!(found, want, "{text}");
    }
}
