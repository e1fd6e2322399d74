//! `mcpfw schema`: what it prints and what the parsers take are the same, key by key and file by file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mcpfw::config::{Config, Outside, Overrides};
use mcpfw::diagnostic::{Diagnostic, Sources};
use mcpfw::lock::List;
use mcpfw::policy::{CompileOptions, Policy};
use mcpfw::shape::{File, Form, Table, json_schema};
use serde_json::{Value, json};

use crate::support::process::mcpfw;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The validator of a kind of file. Compiling looks at the schema with the metaschema.
struct Validator {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Validator {
    fn new(file: File) -> Self {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("mcpfw.json", json_schema(file)).unwrap();
        let index = compiler.compile("mcpfw.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn accepts(&self, value: &Value) -> Result<(), String> {
        self.schemas.validate(value, self.index).map_err(|error| format!("{error:#}"))
    }
}

/// As an editor hands TOML to a validator: a date is a string.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(truth) => json!(truth),
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(all) => all.iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            table.iter().map(|(key, value)| (key.clone(), as_json(value))).collect()
        }
    }
}

/// What the parser of `file` finds in `text`: errors.
fn found(file: File, text: &str) -> Vec<Diagnostic> {
    let mut sources = Sources::new();
    let mut findings = if file == File::Config {
        let id = sources.add("mcpfw.toml", text);
        let outside = Outside {
            folder: Path::new("/etc/mcpfw"),
            variable: &|_| Some("x".repeat(32)),
            file: &|_| Ok("x".repeat(32)),
        };
        Config::parse(&mut sources, Some(id), &Overrides::default(), &outside).1
    } else {
        sources.add(if file == File::Schema { "schema.toml" } else { "policy.toml" }, text);
        let routes = Some(vec!["files".into(), "search".into()]);
        let options = CompileOptions { routes, ..CompileOptions::new(1_763_800_000) };
        Policy::compile(&sources, &options).diagnostics
    };
    findings.retain(Diagnostic::is_error);
    findings
}

/// Every TOML text of the repository that is for mcpfw, with its kind.
fn texts() -> Vec<(String, File, String)> {
    let mut all = Vec::new();
    let mut open: Vec<PathBuf> =
        ["policies", "tests/data", "README.md", "docs"].map(|it| Path::new(ROOT).join(it)).into();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path.strip_prefix(ROOT).unwrap().display().to_string();
        let texts: Vec<String> = match path.extension().and_then(|it| it.to_str()) {
            Some("toml") => vec![fs::read_to_string(&path).unwrap()],
            Some("md") => {
                let page = fs::read_to_string(&path).unwrap();
                let blocks = page.split("```toml\n").skip(1);
                blocks.map(|it| it.split("```").next().unwrap().to_owned()).collect()
            }
            _ => continue,
        };
        for text in texts {
            let is_config = name.contains("data/config/") || text.contains("[[route]]");
            let file = match () {
                () if is_config => File::Config,
                () if name.ends_with("schema.toml") || text.contains("[claims]") => File::Schema,
                () if text.starts_with("# schema.toml") => File::Schema,
                () => File::Policy,
            };
            all.push((name.clone(), file, text));
        }
    }
    all
}

/// Codes of what is wrong with the shape of a file. For some of them a schema knows only part of what the parser does.
const SHAPE: [&str; 11] =
    ["P002", "P003", "P004", "P008", "P009", "P010", "P014", "P016", "C002", "C003", "C004"];

/// Of those, what no schema can say: the first words of findings.
const BEYOND: [&str; 3] = ["a name that cannot be shown", "`a b` is no scope", "`rate` cannot be"];

#[test]
fn parser_and_schema_agree_on_every_text() {
    let validators: Vec<_> =
        File::ALL.into_iter().map(|file| (file, Validator::new(file))).collect();
    let (mut refused, mut accepted, mut wrong) = (0, 0, Vec::new());
    for (name, file, text) in texts() {
        let Ok(table) = text.parse::<toml::Table>() else { continue };
        let value = as_json(&toml::Value::Table(table));
        let validator = &validators.iter().find(|(it, _)| *it == file).unwrap().1;
        let verdict = validator.accepts(&value);
        let findings = found(file, &text);
        let is_shape = |found: &Diagnostic| {
            SHAPE.contains(&found.code.0) && !BEYOND.iter().any(|it| found.message.starts_with(it))
        };
        match (findings.is_empty(), findings.iter().any(is_shape), verdict) {
            (true, _, Ok(())) => accepted += 1,
            (false, true, Err(_)) => refused += 1,
            // Something else is wrong with it.
            (false, false, _) => {}
            (true, _, Err(why)) => {
                wrong.push(format!("{name}: only the schema refuses\n{text}\n{why}"));
            }
            (false, true, Ok(())) => {
                let why: Vec<_> =
                    findings.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
                wrong.push(format!("{name}: only the parser refuses: {}\n{text}", why.join("; ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(accepted > 100 && refused > 25, "{accepted} accepted, {refused} refused");
}

/// The words in backticks of `text`.
fn words(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

const UNKNOWN: &str = "zzzzzzzzzz";

/// A text with `line` in each table that a policy or config file can have.
fn places(line: &str) -> Vec<(File, &'static [&'static str], String)> {
    let header = |header: &str| format!("{header}\n{line}\n");
    vec![
        (File::Policy, &[], format!("{line}\n")),
        (File::Policy, &["allow"], header("[[allow]]")),
        (File::Policy, &["deny"], header("[[deny]]")),
        (File::Policy, &["limit"], header("[[limit]]\nrate = \"1/s\"")),
        (File::Policy, &["pin"], header("[[pin]]")),
        (File::Policy, &["assert"], header("[[assert]]")),
        (File::Policy, &["test"], header("[[test]]")),
        (File::Policy, &["test", "call"], header("[[test]]\n[test.call]")),
        (File::Policy, &["test", "expect"], header("[[test]]\n[test.expect]")),
        (File::Schema, &[], format!("{line}\n")),
        (File::Schema, &["claims", "x"], header("[claims.x]")),
        (
            File::Schema,
            &["claims", "x", "members", "y"],
            header("[claims.x]\ntype = \"table\"\n[claims.x.members.y]"),
        ),
        (File::Config, &[], format!("{line}\n")),
        (File::Config, &["listen"], header("[listen]")),
        (File::Config, &["auth"], header("[auth]")),
        (File::Config, &["auth", "jwt"], header("[[auth.jwt]]")),
        (File::Config, &["route"], header("[[route]]")),
        (File::Config, &["route", "credentials"], header("[[route]]\n[route.credentials]")),
        (File::Config, &["limits"], header("[limits]")),
        (File::Config, &["reload"], header("[reload]")),
        (File::Config, &["session"], header("[session]")),
        (File::Config, &["log"], header("[log]")),
    ]
}

/// Keys that parsers know only to tell what is wrong with them.
const KNOWN_TO_BE_WRONG: [(&str, &str); 5] = [
    ("limit", "concurrent"),
    ("limit", "on_store_failure"),
    ("limit", "everything"),
    ("deny", "everything"),
    ("pin", "everything"),
];

#[test]
fn every_key_of_the_parsers_is_in_the_schema() {
    let mut tables = BTreeSet::new();
    for (file, path, text) in places(&format!("{UNKNOWN} = 1")) {
        let table = file.table(path.iter().copied()).unwrap_or_else(|| panic!("no table {path:?}"));
        tables.insert(table.name);
        let findings = found(file, &text);
        let unknown = findings
            .iter()
            .find(|found| found.message.contains(UNKNOWN))
            .unwrap_or_else(|| panic!("{text}"));
        let help = unknown.help.as_deref().unwrap_or_else(|| panic!("{text}"));
        let (_, known) = help.split_once(" knows ").unwrap();
        let known: BTreeSet<String> = words(known)
            .into_iter()
            .filter(|key| !KNOWN_TO_BE_WRONG.contains(&(table.name, key)))
            .collect();
        let ours: BTreeSet<String> = table.keys.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(known, ours, "{path:?}");
        // And the schema refuses it as well.
        let value = as_json(&toml::Value::Table(text.parse().unwrap()));
        assert!(Validator::new(file).accepts(&value).is_err(), "{text}");
    }
    // No table of the schema is left out.
    for file in [File::Policy, File::Schema, File::Config] {
        for name in named(file.root()) {
            assert!(tables.contains(name), "{name}");
        }
    }
    for (table, key) in KNOWN_TO_BE_WRONG {
        let text = format!("[[{table}]]\nname = \"n\"\nrate = \"1/s\"\n{key} = 1\n");
        let findings = found(File::Policy, &text);
        assert!(!findings.is_empty() && findings.iter().all(|it| it.code.0 != "P003"), "{text}");
    }
}

/// The names of a table and of all below it.
fn named(table: &'static Table) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    let mut open = vec![table];
    while let Some(table) = open.pop() {
        if table.name.is_empty() || !names.insert(table.name) {
            continue;
        }
        for key in table.keys {
            match &key.form {
                Form::Table(inner) | Form::Tables(inner) | Form::Either(_, Form::Table(inner)) => {
                    open.push(inner);
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn every_word_of_the_parsers_is_in_the_schema() {
    let mut seen = 0;
    for (file, path, _) in places("") {
        for key in file.table(path.iter().copied()).unwrap().keys {
            let (Form::Words(ours)
            | Form::OneOrSome(Form::Words(ours))
            | Form::Either(Form::Words(ours), _)) = &key.form
            else {
                continue;
            };
            let line = format!("{} = \"{UNKNOWN}\"", key.name);
            let (_, _, text) =
                places(&line).into_iter().find(|(of, at, _)| *of == file && *at == path).unwrap();
            let text = format!("{text}repeat = 1\n");
            let findings = found(file, &text);
            let said: Vec<&str> = findings
                .iter()
                .flat_map(|it| it.labels.iter())
                .filter(|label| label.text.starts_with("expected ") && label.text.contains(ours[0]))
                .map(|label| &*label.text)
                .collect();
            assert_eq!(said.len(), 1, "{text}{findings:?}");
            // A label may say what else there could be, as `{ header = …, value = … }`.
            let known: BTreeSet<String> =
                words(said[0]).into_iter().filter(|word| !word.contains('{')).collect();
            assert_eq!(
                known,
                ours.iter().map(|word| (*word).to_owned()).collect(),
                "{path:?} {}",
                key.name
            );
            seen += 1;
        }
    }
    assert!(seen >= 14, "{seen}");
}

#[test]
fn lock_files_agree() {
    let validator = Validator::new(File::Lock);
    let mut open = vec![Path::new(ROOT).join("policies"), Path::new(ROOT).join("tests/data/lock")];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|it| it == "json") {
            let value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            validator.accepts(&value).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            // A key more, and a key less.
            for list in List::ALL {
                let mut more = value.clone();
                more[list.key()] =
                    json!([{ list.id(): "x", "digest": format!("sha256:{}", "0".repeat(64)) }]);
                assert!(validator.accepts(&more).is_ok());
                more[list.key()][0]["icons"] = json!([]);
                assert!(validator.accepts(&more).is_err());
                let mut less = value.clone();
                less.as_object_mut().unwrap().remove(list.key());
                assert!(validator.accepts(&less).is_err());
            }
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
    for list in List::ALL {
        let table = File::Lock.table([list.key()]).unwrap();
        let ours: BTreeSet<&str> = table.keys.iter().map(|key| key.name).collect();
        assert_eq!(ours, list.members().iter().copied().chain(["digest"]).collect());
    }
}

#[test]
fn tests_alone_are_a_kind_of_policy_file() {
    let (tests, policy) = (Validator::new(File::Test), Validator::new(File::Policy));
    let of = |text: &str| as_json(&toml::Value::Table(text.parse().unwrap()));
    let test = "[[test]]\nname = \"t\"\ncall = { tool = \"x\" }\nexpect = \"deny\"\n";
    assert!(tests.accepts(&of(test)).is_ok() && policy.accepts(&of(test)).is_ok());
    let rule = "[[deny]]\nname = \"d\"\n";
    assert!(tests.accepts(&of(rule)).is_err() && policy.accepts(&of(rule)).is_ok());
}

#[test]
fn the_command_prints_it() {
    for file in File::ALL {
        let done = mcpfw(&["schema", file.word()]).output().unwrap();
        assert!(done.status.success());
        let printed: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(printed, json_schema(file));
        assert_eq!(printed["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
    let done = mcpfw(&["schema"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&done.stdout).unwrap(), json_schema(File::Policy));
    assert_eq!(mcpfw(&["schema", "polic"]).output().unwrap().status.code(), Some(2));
}

/// The line that editors read is a comment to mcpfw.
#[test]
fn the_line_for_editors_changes_nothing() {
    let text = "#:schema ./policy.schema.json\n\n[[deny]]\nname = \"d\"\n";
    assert!(found(File::Policy, text).is_empty());
    assert_eq!(mcpfw::layout::lay_out(text).as_deref(), Some(text));
}
