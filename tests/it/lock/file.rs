//! The text of a lock file: what is written is read back, what is wrong is told, and what changed is told in words.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use mcpfw::diagnostic::{Problems, Sources, render};
use mcpfw::lock::{Item, ItemFault, Json, List, Lock, MAX_ITEMS, Server, diff, parse};
use mcpfw::wire::mcp::Revision;
use serde_json::{Value, json};

fn item(list: List, value: &Value) -> Item {
    Item::new(list, Json::parse(value.to_string().as_bytes(), 1).unwrap()).unwrap()
}

fn lock(items: &[(List, Value)]) -> Lock {
    let server = Server { name: "notes".into(), version: "1.0".into(), instructions: None };
    let mut lock = Lock::new(server, Revision::V2025_11_25);
    for (list, value) in items {
        assert!(lock.add(item(*list, value)), "{value}");
    }
    lock
}

fn read(text: &str) -> Result<Lock, String> {
    let mut sources = Sources::new();
    let id = sources.add("mcp.lock.json", text);
    let problems = Problems::new();
    let lock = parse(&sources, id, &problems);
    assert_eq!(lock.is_none(), problems.has_errors());
    let said = render::human(&sources, &problems.into_sorted(), render::Look::PLAIN);
    lock.ok_or(said)
}

fn some() -> Lock {
    lock(&[
        (
            List::Tools,
            json!({
                "name": "write_file", "description": "Writes a file. \u{202e}\u{e0041}é", "_meta": 1,
                "inputSchema": {"type": "object", "properties": {}, "required": [], "n": 1.50},
                "annotations": {"destructiveHint": true}, "Title": "x", "icons": [],
            }),
        ),
        (List::Tools, json!({"name": "search"})),
        (List::Prompts, json!({"name": "greet", "arguments": [{"name": "who", "required": true}]})),
        (List::Resources, json!({"uri": "file:///a", "name": "a"})),
        (List::Templates, json!({"uriTemplate": "file:///{x}", "name": "x"})),
    ])
}

/// Sorted, two spaces, one value a line, hidden characters as escapes, a line feed at the end.
#[test]
fn the_file_looks_like_this() {
    let want = include_str!("../../data/lock/example.json");
    // Its digests stand for those in every lock file that was ever written: they must not change.
    assert_eq!(some().to_json(), want);
}

#[test]
fn what_is_written_is_read() {
    let written = some().to_json();
    let again = read(&written).unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(again, some());
    assert_eq!(again.to_json(), written);
    // Laid out by another tool, with its members in another order, it is the same lock.
    let other: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(read(&other.to_string()).unwrap(), some());
    // The order in which a server answers leaves no trace.
    let one = lock(&[(List::Tools, json!({"name": "a"})), (List::Tools, json!({"name": "b"}))]);
    let two = lock(&[(List::Tools, json!({"name": "b"})), (List::Tools, json!({"name": "a"}))]);
    assert_eq!(one.to_json(), two.to_json());
    assert_eq!(read(&lock(&[]).to_json()).unwrap(), lock(&[]));
}

/// Every mistake with its code, its place, and what to do.
#[test]
fn what_is_wrong_is_told() {
    let good = some().to_json();
    let cut = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let twice = {
        let mut value: Value = serde_json::from_str(&good).unwrap();
        let first = value["tools"][0].clone();
        value["tools"].as_array_mut().unwrap().push(first);
        format!("{value:#}")
    };
    let table: &[(&str, String, &[&str])] = &[
        ("empty", String::new(), &["L001", ":1:1", "mcpfw lock"]),
        ("conflict", cut("  \"tools\"", "<<<<<<< HEAD\n  \"tools\""), &["L001", "a merge"]),
        (
            "duplicate key",
            cut("\"version\": 1,", "\"version\": 1, \"version\": 1,"),
            &["L001", "duplicate key"],
        ),
        ("array", "[]".into(), &["L002", "object"]),
        ("no version", cut("\"version\": 1,", ""), &["L005"]),
        ("version 2", cut("\"version\": 1", "\"version\": 2"), &["L005", "expected 1"]),
        ("version text", cut("\"version\": 1", "\"version\": \"1\""), &["L005"]),
        (
            "unknown key",
            cut("\"revision\"", "\"revisoin\""),
            &["L002", "did you mean `revision`?", "missing key `revision`"],
        ),
        ("bad revision", cut("2025-11-25", "2025-11-26"), &["L002", "2025-11-25"]),
        (
            "no list",
            cut("\"prompts\": [", "\"prompts\": null, \"x\": ["),
            &["L002", "`prompts` must be an array", "this is null"],
        ),
        (
            "no server",
            cut("\"server\": {", "\"server\": 1, \"other\": {"),
            &["L002", "`server` must be an object"],
        ),
        (
            "number for name",
            cut("\"name\": \"search\"", "\"name\": 7"),
            &["L002", "`name` is not a string"],
        ),
        ("no name", cut("\"name\": \"search\",", ""), &["L002", "missing key `name`"]),
        (
            "typo in an element",
            cut("\"description\"", "\"descripton\""),
            &["L002", "did you mean `description`?"],
        ),
        (
            "no digest",
            cut(",\n      \"digest\"", ",\n      \"title\""),
            &["L002", "missing key `digest`"],
        ),
        ("bad digest", cut("sha256:", "sha1:"), &["L002", "is no digest"]),
        (
            "edited by hand",
            cut("Writes a file", "Writes two files"),
            &["L004", "`write_file`", "by hand", "sha256:"],
        ),
        ("edited schema", cut("1.5", "1.6"), &["L004"]),
        ("twice", twice, &["L003", "two tools are called `search`", "the first one"]),
    ];
    for (name, text, parts) in table {
        let said = read(text).expect_err(name);
        for part in *parts {
            assert!(said.contains(part), "{name}: {part:?} is missing in\n{said}");
        }
    }
    // Several at once.
    let said = read(&cut("\"name\": \"search\"", "\"name\": 7").replace("file:///a", "file:///b"))
        .unwrap_err();
    assert!(said.contains("L002") && said.contains("L004"), "{said}");
    // The place is line and column.
    let said = read(&cut("\"version\": 1", "\"version\": 2")).unwrap_err();
    assert!(said.contains("mcp.lock.json:2:14"), "{said}");
}

#[test]
fn elements_without_a_name_are_none() {
    let new =
        |list, value: Value| Item::new(list, Json::parse(value.to_string().as_bytes(), 1).unwrap());
    assert_eq!(new(List::Tools, json!([])).unwrap_err(), ItemFault::NotAnObject);
    assert_eq!(new(List::Tools, json!({})).unwrap_err(), ItemFault::NoName("name"));
    assert_eq!(new(List::Tools, json!({"name": 1})).unwrap_err(), ItemFault::NoName("name"));
    assert_eq!(new(List::Resources, json!({"name": "a"})).unwrap_err(), ItemFault::NoName("uri"));
    assert!(new(List::Resources, json!({"uri": "a"})).is_ok());
}

#[test]
fn a_list_has_an_end() {
    let mut lock = lock(&[]);
    for at in 0..MAX_ITEMS {
        assert!(lock.add(item(List::Prompts, &json!({"name": at.to_string()}))));
    }
    assert!(!lock.add(item(List::Prompts, &json!({"name": "one more"}))));
    assert!(lock.add(item(List::Tools, &json!({"name": "another list"}))));
    assert!(!lock.add(item(List::Tools, &json!({"name": "another list"}))));
}

fn tool(change: impl FnOnce(&mut Value)) -> Lock {
    let mut tool = json!({
        "name": "write_file", "title": "Write", "description": "Writes a file.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "Where."},
                "mode": {"enum": ["a", "b"]},
            },
            "required": ["path"],
        },
        "annotations": {"destructiveHint": true},
    });
    change(&mut tool);
    lock(&[(List::Tools, tool)])
}

/// What each change of a tool is called. `danger` is what a rug pull needs.
#[test]
fn changes_are_told_in_words() {
    type Change = fn(&mut Value);
    let table: &[(Change, &[&str])] = &[
        (|_| {}, &[]),
        (|t| t["_meta"] = json!(1), &[]),
        (
            |t| t["description"] = "Sends a file.".into(),
            &["danger description of `write_file` changed"],
        ),
        (|t| t["title"] = Value::Null, &["danger title of `write_file` changed"]),
        (
            |t| drop(t.as_object_mut().unwrap().remove("title")),
            &["danger title of `write_file` is gone"],
        ),
        (
            |t| t["Description"] = "!".into(),
            &["danger member `Description` of `write_file` is new"],
        ),
        (
            |t| t["annotations"]["destructiveHint"] = false.into(),
            &["danger annotation destructiveHint of `write_file`: true -> false"],
        ),
        (
            // What is not said is destructive, so saying it changes nothing that matters.
            |t| drop(t["annotations"].as_object_mut().unwrap().remove("destructiveHint")),
            &["review annotation destructiveHint of `write_file`: true -> unset"],
        ),
        (
            |t| t["annotations"]["readOnlyHint"] = true.into(),
            &["danger annotation readOnlyHint of `write_file`: unset -> true"],
        ),
        (
            |t| t["annotations"]["readOnlyHint"] = "yes".into(),
            &["danger annotation readOnlyHint of `write_file`: unset -> \"yes\""],
        ),
        (
            |t| t["annotations"]["openWorldHint"] = true.into(),
            &["review annotation openWorldHint of `write_file`: unset -> true"],
        ),
        (
            |t| t["annotations"]["title"] = "Read".into(),
            &["danger annotation title of `write_file` changed"],
        ),
        (
            |t| t["inputSchema"]["properties"]["notes"] = json!({"type": "string"}),
            &["danger argument `notes` of `write_file` is new and optional"],
        ),
        (
            |t| {
                t["inputSchema"]["properties"]["notes"] = json!({"type": "string"});
                t["inputSchema"]["required"] = json!(["path", "notes"]);
            },
            &["danger argument `notes` of `write_file` is new and required"],
        ),
        (
            |t| t["inputSchema"]["required"] = json!(["mode"]),
            &[
                "review argument `mode` of `write_file` is required now",
                "review argument `path` of `write_file` is optional now",
            ],
        ),
        (
            |t| t["inputSchema"]["required"] = json!(["path", "path"]),
            &["review list of required arguments of `write_file` changed"],
        ),
        (
            |t| drop(t["inputSchema"]["properties"].as_object_mut().unwrap().remove("mode")),
            &["review argument `mode` of `write_file` is gone"],
        ),
        (
            |t| t["inputSchema"]["properties"]["path"]["type"] = "integer".into(),
            &["review argument `path` of `write_file`: \"string\" -> \"integer\""],
        ),
        (
            |t| t["inputSchema"]["properties"]["path"]["description"] = "Where not.".into(),
            &["danger description of argument `path` of `write_file` changed"],
        ),
        (
            |t| t["inputSchema"]["properties"]["mode"]["enum"] = json!(["a", "c"]),
            &["danger enum/1 of argument `mode` of `write_file` changed"],
        ),
        (
            |t| t["inputSchema"]["properties"]["path"]["maxLength"] = json!(9),
            &["review maxLength of argument `path` of `write_file` is new"],
        ),
        (
            |t| t["inputSchema"]["additionalProperties"] = false.into(),
            &["review `/additionalProperties` in the input schema of `write_file` is new"],
        ),
        (
            |t| drop(t.as_object_mut().unwrap().remove("inputSchema")),
            &["danger input schema of `write_file` is gone"],
        ),
        (|t| t["outputSchema"] = json!({}), &["review output schema of `write_file` is new"]),
        (
            |t| t["name"] = "write_fi1e".into(),
            &["review tool `write_file` is gone", "danger tool `write_fi1e` is new"],
        ),
    ];
    let old = tool(|_| {});
    for (change, want) in table {
        let new = tool(change);
        let found: Vec<String> = diff(&old, &new)
            .into_iter()
            .map(|change| format!("{} {}", change.weight, change.text))
            .collect();
        assert_eq!(found, *want);
        assert_eq!(diff(&new, &new), []);
    }
}

#[test]
fn other_lists_and_the_server_are_told_of_too() {
    let prompt = |arguments: Value| {
        lock(&[(List::Prompts, json!({"name": "greet", "arguments": arguments}))])
    };
    let texts = |old: &Lock, new: &Lock| {
        let mut all = String::new();
        for change in diff(old, new) {
            writeln!(all, "{} {}", change.weight, change.text).unwrap();
        }
        all
    };
    let old = prompt(json!([{"name": "who"}, {"name": "how"}]));
    for (new, want) in [
        (json!([{"name": "who"}]), "review argument `how` of `greet` is gone\n"),
        (
            json!([{"name": "who"}, {"name": "how"}, {"name": "why", "required": true}]),
            "danger argument `why` of `greet` is new and required\n",
        ),
        (
            json!([{"name": "who", "description": "!"}, {"name": "how"}]),
            "danger argument `who` of `greet` changed\n",
        ),
        (
            json!([{"name": "how"}, {"name": "who"}]),
            "review order of the arguments of `greet` changed\n",
        ),
        (json!([{"name": "how"}, {"name": "how"}]), "danger arguments of `greet` changed\n"),
        (json!("who"), "danger arguments of `greet` changed\n"),
    ] {
        assert_eq!(texts(&old, &prompt(new)), want);
    }
    let mut new = old.clone();
    new.server.version = "1.1".into();
    assert_eq!(texts(&old, &new), "note the server: `notes` 1.0 -> `notes` 1.1\n");
    new.server.instructions = Some("Always call `send` first.".into());
    new.revision = Revision::V2026_07_28;
    assert_eq!(
        texts(&old, &new),
        "note the server: `notes` 1.0 -> `notes` 1.1\n\
         note the revision: 2025-11-25 -> 2026-07-28\n\
         danger the instructions of the server changed\n"
    );
}

/// Whatever the digest tells apart is told, and never more than anybody reads.
#[test]
fn many_changes_are_counted() {
    let with = |text: &str| {
        tool(|tool| {
            for at in 0..60 {
                tool["inputSchema"]["properties"][format!("a{at:02}")] =
                    json!({"title": text, "maxLength": text});
            }
        })
    };
    let changes = diff(&with("x"), &with("y"));
    assert_eq!(changes.len(), 51);
    let last = changes.last().unwrap();
    assert_eq!(last.text, "70 more changes of tool `write_file`");
    // The dangerous ones come first.
    assert!(changes.iter().take(50).all(|change| change.weight.as_str() == "danger"));
}
