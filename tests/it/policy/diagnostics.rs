//! `tests/data/policy/diagnostics.md` and `tests/data/checks/*.md`: every code with what it must find, where, and what it must
//! not find.

#![expect(
    clippy::expect_used,
    clippy::string_slice,
    reason = "a test fails by panicking, and its page is ASCII"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcpfw::diagnostic::{Diagnostic, Sources, render};
use mcpfw::lock::{Item, Json, List, Lock, Server};
use mcpfw::policy::language::codes;
use mcpfw::policy::{CompileOptions, Policy};
use mcpfw::wire::mcp::Revision;

use super::decisions::{NOW, options};

/// The pages: name and text.
fn pages() -> Vec<(String, String)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths = vec![data.join("policy/diagnostics.md")];
    let folder = std::fs::read_dir(data.join("checks")).expect("the folder is there");
    paths.extend(folder.map(|entry| entry.expect("an entry").path()));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        (name.unwrap_or_default(), std::fs::read_to_string(&path).expect("the page is there"))
    };
    paths.into_iter().map(read).collect()
}

/// A ```` ```toml ```` block of a page.
struct Block {
    page: String,
    section: String,
    /// Whether it stands after "not".
    is_clean: bool,
    line: usize,
    text: String,
    /// The `schema.toml` and the lock file before it in its section.
    schema: Option<String>,
    lock: Option<String>,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (page, text) in pages() {
        let (mut section, mut is_clean) = (String::new(), false);
        let (mut schema, mut lock) = (None, None);
        let mut open: Option<(bool, usize, String)> = None;
        for (at, line) in text.lines().enumerate() {
            match (line, &mut open) {
                ("```toml", None) => open = Some((true, at + 1, String::new())),
                ("```json", None) => open = Some((false, at + 1, String::new())),
                ("```", Some((is_toml, line, text))) => {
                    let text = std::mem::take(text);
                    if !*is_toml {
                        lock = Some(text);
                    } else if text.starts_with("# schema.toml") {
                        schema = Some(text);
                    } else {
                        let (page, section) = (page.clone(), section.clone());
                        let (schema, lock) = (schema.clone(), lock.clone());
                        let line = *line;
                        blocks.push(Block { page, section, is_clean, line, text, schema, lock });
                    }
                    open = None;
                }
                (line, Some((_, _, text))) => {
                    text.push_str(line);
                    text.push('\n');
                }
                ("not", None) => is_clean = true,
                (line, None) => {
                    if let Some(code) = line.strip_prefix("## ") {
                        section = code.into();
                        (is_clean, schema, lock) = (false, None, None);
                    }
                }
            }
        }
        assert!(open.is_none(), "{page} has a block without end");
    }
    blocks
}

/// The findings that the carets of `text` ask for: line, columns, code. A `#` in the first column that stands
/// directly before a caret is one of the carets.
fn asked(text: &str) -> Vec<(usize, usize, usize, String)> {
    let mut asked = Vec::new();
    let mut line = 0;
    for (at, written) in text.lines().enumerate() {
        let Some(comment) = written.strip_prefix('#').filter(|_| written.contains('^')) else {
            line = at + 1;
            continue;
        };
        let caret = written.find('^').expect("there is one");
        let end = written.rfind('^').expect("there is one") + 1;
        let start = if comment.starts_with('^') { 0 } else { caret };
        let code = written[end..].split_whitespace().next().unwrap_or_default().to_owned();
        asked.push((line, start + 1, end + 1, code));
    }
    asked.sort();
    asked
}

/// What the carets of `text` ask to be said beside their code, as it stands in JSON.
fn told(text: &str) -> Vec<String> {
    let carets = text.lines().filter(|line| line.starts_with('#') && line.contains('^'));
    let told = carets.filter_map(|line| line.rsplit('^').next()?.trim().split_once(' '));
    told.map(|(_, help)| {
        let json = serde_json::to_string(help.trim()).expect("a text is JSON");
        json.trim_matches('"').to_owned()
    })
    .collect()
}

/// A lock of the tools `names`.
fn lock(names: &str) -> Arc<Lock> {
    let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
    for name in names.split(", ") {
        let text = format!("{{\"name\":\"{name}\"}}");
        let json = Json::parse(text.as_bytes(), 1).expect("it is JSON");
        assert!(lock.add(Item::new(List::Tools, json).expect("it is a tool")));
    }
    Arc::new(lock)
}

fn found(block: &Block) -> (Vec<(usize, usize, usize, String)>, String) {
    let text = &*block.text;
    let mut sources = Sources::new();
    let id = sources.add("policy.toml", text);
    if let Some(schema) = &block.schema {
        sources.add("schema.toml", schema.as_str());
    }
    let routes = Some(vec!["files".into(), "search".into()]);
    let named = text.lines().next().and_then(|line| line.strip_prefix("# lock: ")).map(lock);
    let lock = block.lock.as_deref().map(super::pages::lock).or(named);
    let compiled = Policy::compile(&sources, &CompileOptions { routes, lock, ..options() });
    let source = sources.source(id).expect("just added");
    let mut findings = compiled.diagnostics;
    let has_errors = findings.iter().any(Diagnostic::is_error);
    assert_eq!(compiled.policy.is_none(), has_errors, "{text}");
    findings.extend(compiled.policy.iter().flat_map(|policy| policy.untested(NOW)));
    let place = |found: &Diagnostic| {
        let span = found.span().expect("every finding of a file has a place");
        let (from, to) = (source.position(span.start), source.position(span.end));
        // An empty place is shown as one caret.
        let end = if from == to { from.column + 1 } else { to.column };
        let end = if from.line == to.line { end } else { from.column + 1 };
        (from.line, from.column, end, found.code.to_string())
    };
    let mut places: Vec<_> = findings.iter().map(place).collect();
    places.sort();
    (places, render::json(&sources, &findings))
}

fn block(text: &str) -> Block {
    let none = String::new;
    Block {
        page: none(),
        section: none(),
        is_clean: true,
        line: 0,
        text: text.into(),
        schema: None,
        lock: None,
    }
}

#[test]
fn the_page_is_right() {
    let mut wrong = String::new();
    for block in blocks() {
        let asked = asked(&block.text);
        let (found, shown) = found(&block);
        let Block { page, section, is_clean, line, text, .. } = block;
        let is_silent = told(&text).iter().any(|help| !shown.contains(help));
        let finds_section = asked.iter().any(|(.., code)| *code == section);
        if found != asked || finds_section == is_clean || is_silent {
            wrong += &format!(
                "{page}:{line} ({section})\n{text}\nasked {asked:?}\nfound {found:?}\n{shown}\n\n"
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_is_on_the_page() {
    let of = |is_clean: bool| -> BTreeSet<String> {
        blocks().into_iter().filter(|b| b.is_clean == is_clean).map(|b| b.section).collect()
    };
    let (dirty, clean) = (of(false), of(true));
    for info in codes::ALL {
        let code = info.code.to_string();
        // What only running the set shows has its examples on the page of the check.
        if info.code == codes::FAILED_TEST
            || (codes::NEVER_APPLIES..=codes::LIMIT_WITHIN_LIMIT).contains(&info.code)
        {
            continue;
        }
        assert!(dirty.contains(&code) && clean.contains(&code), "{code} {}", info.title());
    }
}

#[test]
fn codes_are_numbered_and_explained() {
    assert!(codes::ALL.is_sorted_by(|a, b| a.code < b.code));
    for info in codes::ALL {
        assert!(info.code.0.len() == 4 && info.code.0.starts_with('P'), "{}", info.code);
        assert!(!info.title().is_empty(), "{}", info.code);
    }
}

#[test]
fn the_files_of_a_set_share_their_names_and_not_their_order() {
    let files = [
        ("b.toml", "[[allow]]\nname = \"x\"\ntools = [\"a\"]\n"),
        ("a.toml", "[[deny]]\nname = \"x\"\ntools = [\"b\"]\n"),
        ("c.toml", "[[deny]]\nname = \"y\"\ntools = [\"a\"]\n"),
    ];
    let mut sources = Sources::new();
    let ids = files.map(|(name, text)| sources.add(name, text));
    let compiled = Policy::compile(&sources, &options());
    assert!(compiled.policy.is_none());
    let findings: Vec<_> = compiled.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(findings, [codes::DUPLICATE_NAME]);
    assert_eq!(compiled.diagnostics[0].labels.len(), 2);

    let names = |order: [usize; 2]| -> Vec<String> {
        let files = order.map(|at| ids[at]);
        let policy = Policy::compile_files(&sources, files, &options()).policy.expect("no error");
        policy.rules().iter().map(|rule| rule.name().to_string()).collect()
    };
    assert_eq!(names([0, 2]), ["y", "x"]);
    assert_eq!(names([2, 0]), ["y", "x"]);
}

#[test]
fn suggestions_are_made() {
    for (text, help) in [
        ("[[alow]]\nname = \"a\"", "did you mean `allow`?"),
        ("[[deny]]\nname = \"a\"\nmode = \"shadwo\"", "did you mean `shadow`?"),
        ("[[deny]]\nname = \"a\"\nroutes = [\"serch\"]", "did you mean `search`?"),
        ("[[deny]]\nname = \"a\"\nmethods = [\"tools/lst\"]", "did you mean `tools/list`?"),
        ("[[deny]]\nname = \"a\"\nresources = [\"file:///a b\"]", "write `file:///a%20b`"),
        ("[[deny]]\nname = \"a\"\nwhen = 'claim.x == 1'", "did you mean `claims`?"),
        (
            "[[deny]]\nname = \"free\"\n[[test]]\nname = \"t\"\ncall = { tool = \"x\" }\nexpect = \"deny\"\nby = \"fre\"",
            "did you mean `free`?",
        ),
    ] {
        let (_, shown) = found(&block(text));
        assert!(shown.contains(help), "{text}\n{shown}");
    }
    // What others call the keys of `schema.toml`; nothing is said of its own.
    for (schema, help) in [
        ("[claims.plan]\ntype = \"string\"\nenum = [\"a\"]", Some("did you mean `values`?")),
        ("[claims.roles]\ntype = \"list\"\nitems = \"string\"", Some("did you mean `of`?")),
        ("[claims.plan]\ntype = \"string\"\noptional = true", Some("unless it says `required")),
        ("[claims.plan]\nvalues = [\"a\"]", Some("such as `type = \\\"string\\\"`")),
        ("plan = \"string\"", Some("it stands below `[claims]`")),
        ("[claims]\nenum = \"string\"\nitems = { type = \"list\", of = \"string\" }", None),
    ] {
        let text = "[[deny]]\nname = \"a\"\n";
        let (_, shown) = found(&Block { schema: Some(schema.into()), ..block(text) });
        assert!(
            help.map_or(shown.trim() == "[]", |help| shown.contains(help)),
            "{schema}\n{shown}"
        );
    }
}
