//! What an editor is told, beside what `mcpfw check`, `check --fix` and `fmt` say.

#![expect(clippy::cast_possible_truncation, reason = "the lines of its texts are few")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Editor, ROOT, sets, uri};
use crate::support::process::mcpfw;

/// What `mcpfw check` finds in `folder`: code, file, lines and columns from 0.
fn checked(folder: &Path) -> Vec<(String, String, [u64; 4])> {
    let folder = folder.display().to_string();
    let done = mcpfw(&["check", &folder, "--format", "json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    let mut all: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let place = ["line", "column", "end_line", "end_column"];
            let place = place.map(|key| it[key].as_u64().unwrap() - 1);
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            (text("code"), uri(Path::new(&text("file"))), place)
        })
        .collect();
    all.sort();
    all
}

/// What the editor was told, in the same form.
fn told(editor: &Editor) -> Vec<(String, String, [u64; 4])> {
    let mut all = Vec::new();
    for (uri, found) in &editor.told {
        for it in found {
            let range = &it["range"];
            let place = [
                &range["start"]["line"],
                &range["start"]["character"],
                &range["end"]["line"],
                &range["end"]["character"],
            ];
            let place = place.map(|number| number.as_u64().unwrap());
            assert_eq!(it["source"], "mcpfw");
            all.push((it["code"].as_str().unwrap().to_owned(), uri.clone(), place));
        }
    }
    all.sort();
    all
}

const WRONG: &str = "\
[[allow]]
name  = \"a\"
tols  = [\"search\"]
when  = 'claims.plan = \"pro\"'

[[deny]]
name  = \"a\"
tools = [\"x\"]
mode  = \"shdow\"
";

#[test]
fn the_findings_are_those_of_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    fs::write(&file, WRONG).unwrap();
    fs::write(folder.path().join("other.toml"), "[[test]]\nname = \"t\"\n").unwrap();
    let want = checked(folder.path());
    assert!(want.len() >= 5, "{want:?}");
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, WRONG);
    assert_eq!(told(&editor), want);
    // What explains a finding comes with it, and help in the message.
    let twice = editor.told[&uri].iter().find(|it| it["code"] == "P006").unwrap();
    assert_eq!(twice["relatedInformation"][0]["message"], "the first one");
    assert_eq!(twice["relatedInformation"][0]["location"]["uri"], uri);
    assert_eq!(twice["severity"], 1);
    let unknown = editor.told[&uri].iter().find(|it| it["code"] == "P002").unwrap();
    assert!(unknown["message"].as_str().unwrap().contains("help: did you mean `tools`?"));
    assert_eq!(editor.end(), Some(0));
    // Sets in order, with whatever is to be told of them.
    let mut editor = Editor::start(&[]);
    for set in sets() {
        let open = set.join("policy.toml");
        let Ok(text) = fs::read_to_string(&open) else { continue };
        editor.told.clear();
        editor.open(&open, &text);
        assert_eq!(told(&editor), checked(&set), "{}", set.display());
    }
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn what_is_on_the_screen_counts() {
    let folder = tempfile::tempdir().unwrap();
    let right = "[[allow]]\nname  = \"a\"\ntools = [\"search\"]\n";
    let file = folder.path().join("policy.toml");
    fs::write(&file, right).unwrap();
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, &right.replace("tools", "tols"));
    let codes = |editor: &Editor, uri: &str| -> Vec<String> {
        editor.told[uri].iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    assert!(codes(&editor, &uri).contains(&"P002".to_owned()));
    editor.change(&uri, right);
    assert!(codes(&editor, &uri).is_empty());
    // A file that is not on disk yet takes part: its test is for the rule.
    let test = "[[test]]\nname   = \"t\"\ncall   = { tool = \"search\" }\nexpect = \"allow\"\nby     = \"a\"\n";
    let new = editor.open(&folder.path().join("test.toml"), test);
    assert!(
        codes(&editor, &uri).is_empty() && codes(&editor, &new).is_empty(),
        "{:?}",
        editor.told
    );
    editor.change(&new, &test.replace("\"allow\"", "\"deny\""));
    assert_eq!(codes(&editor, &new), ["P026"]);
    // Closed, it is gone.
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": new } }));
    editor.settle();
    assert!(codes(&editor, &uri).is_empty() && codes(&editor, &new).is_empty());
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    editor.settle();
    assert!(codes(&editor, &uri).is_empty());
    assert_eq!(fs::read_to_string(&file).unwrap(), right);
    assert_eq!(editor.end(), Some(0));
}

/// Editors start one server for all TOML files. Those of other programs are none of its business.
#[test]
fn files_of_other_programs_are_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let cargo = "[package]\nname = \"x\"\n\n[[test]]\nname = \"it\"\n";
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&root.path().join("Cargo.toml"), cargo);
    assert_eq!(editor.told[&uri], Vec::<Value>::new());
    // A rule on the screen or on disk, a lock file, a schema, or the name of the folder makes it a policy set.
    let folder = |name: &str| {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let broken = "[[test]]\nnam = 1\n";
    for (name, file, text) in [
        ("rule", "a.toml", "[[deny]]\nname = \"d\"\n"),
        ("schema", "schema.toml", "[claims]\n"),
        ("lock", "mcp.lock.json", "{}"),
        ("policies", "a.txt", ""),
    ] {
        let folder = folder(name);
        fs::write(folder.join(file), text).unwrap();
        let uri = editor.open(&folder.join("t.toml"), broken);
        assert!(!editor.told[&uri].is_empty(), "{name}");
    }
    let uri = editor.open(&folder("screen").join("t.toml"), "[[allow]]\n");
    assert!(!editor.told[&uri].is_empty());
    let uri = editor.open(&folder("none").join("t.toml"), broken);
    assert!(editor.told[&uri].is_empty());
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn a_config_file_is_checked_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = Editor::start(&[]);
    let text = "[[route]]\nupstream = \"http://127.0.0.1:3000/mcp\"\nrefusal  = \"htp\"\n";
    let uri = editor.open(&folder.path().join("mcpfw.toml"), text);
    let codes: Vec<_> = editor.told[&uri].iter().map(|it| it["code"].clone()).collect();
    assert!(codes.contains(&json!("C036")), "{codes:?}");
    let offered = editor.offered(&uri, text, "refusal  = \"h|tp");
    assert_eq!(offered, ["jsonrpc", "http", "tool_error"]);
    assert!(editor.offered(&uri, text, "|upstream").contains(&"[limits]".to_owned()));
    assert_eq!(editor.end(), Some(0));
}

/// Both units, with characters before the place that differ in them.
#[test]
fn columns_are_in_the_units_that_were_agreed_on() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[deny]]\nname = \"d\"\nmessage = \"é😀\"\ntools = [\"é😀\", 1]\n";
    for (offered, agreed, column) in
        [(&["utf-16"][..], "utf-16", 16), (&["utf-32", "utf-8"], "utf-8", 19), (&[], "utf-16", 16)]
    {
        let mut editor = Editor::start(offered);
        assert_eq!(editor.capabilities["positionEncoding"], agreed);
        let uri = editor.open(&folder.path().join("p.toml"), text);
        let wrong = editor.told[&uri].iter().find(|it| it["code"] == "P004").unwrap();
        assert_eq!(wrong["range"]["start"], json!({ "line": 3, "character": column }), "{agreed}");
        assert_eq!(editor.end(), Some(0));
    }
}

/// `text` with the edits of the first change to `uri`, places in UTF-16.
fn edited(text: &str, edits: &Value) -> String {
    let offset = |place: &Value| {
        let line = place["line"].as_u64().unwrap() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = place["character"].as_u64().unwrap() as usize;
        let mut at = start;
        for c in text[start..].chars() {
            if units == 0 {
                break;
            }
            units -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_unstable();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

#[test]
fn fixes_are_code_actions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    let text = "# é😀\n[[deny]]\nname  = \"a\"\ntols  = [\"x\"]\n";
    fs::write(&file, text).unwrap();
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, text);
    let ask = |editor: &mut Editor, line: u32| {
        let range = json!({ "start": { "line": line, "character": 0 }, "end": { "line": line, "character": 2 } });
        let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
        editor.ask("textDocument/codeAction", params).unwrap()
    };
    let actions = ask(&mut editor, 3);
    let _: Vec<lsp_types::CodeAction> = serde_json::from_value(actions.clone()).unwrap();
    assert_eq!(actions.as_array().unwrap().len(), 1);
    assert_eq!(actions[0]["title"], "write `tools`");
    assert_eq!(actions[0]["isPreferred"], true);
    assert_eq!(actions[0]["diagnostics"][0]["code"], "P002");
    let after = edited(text, &actions[0]["edit"]["changes"][&uri]);
    assert_eq!(ask(&mut editor, 1), json!([]));
    // The same as the command makes.
    let done = mcpfw(&["check", "--fix", &folder.path().display().to_string()]).output().unwrap();
    assert!(done.status.success());
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn formatting_is_that_of_fmt() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# é😀\r\n[[deny]]\r\nname='é'\r\n\r\n\r\ntools=[ 'x' ]";
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&folder.path().join("p.toml"), text);
    let params = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = editor.ask("textDocument/formatting", params.clone()).unwrap();
    let _: Vec<lsp_types::TextEdit> = serde_json::from_value(edits.clone()).unwrap();
    let after = edited(text, &edits);
    assert_eq!(Some(after.clone()), mcpfw::layout::lay_out(text));
    editor.change(&uri, &after);
    assert_eq!(editor.ask("textDocument/formatting", params.clone()).unwrap(), json!([]));
    editor.change(&uri, "[[deny");
    assert_eq!(editor.ask("textDocument/formatting", params).unwrap(), Value::Null);
    assert_eq!(editor.end(), Some(0));
}

/// The text of what hovers over a place.
fn hover(editor: &mut Editor, uri: &str, text: &str, marker: &str) -> String {
    let found = editor.at("textDocument/hover", uri, text, marker);
    assert!(!found.is_null(), "{marker}");
    let _: lsp_types::Hover = serde_json::from_value(found.clone()).unwrap();
    found["contents"]["value"].as_str().unwrap().to_owned()
}

#[test]
fn hovering() {
    let file = Path::new(ROOT).join("policies/04-limits/policy.toml");
    let text = fs::read_to_string(&file).unwrap();
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, &text);
    for (marker, wants) in [
        (
            "[[al|low]]",
            &["**allow** `tools-for-customers`", "Allows the tools `search`", "claims.plan in"][..],
        ),
        (
            "\"search-by|-plan\"",
            &[
                "**limit**",
                "`5/min`",
                "by `claims.plan` for each `claims.sub`",
                "In `mcp.lock.json`: 1 of",
            ],
        ),
        ("[\"delete|_*\"]", &["`delete_*` matches 1 in `mcp.lock.json`: `delete_file`"]),
        ("[\"sea|rch\"]", &["`search`, a tool of the server", "`q`"]),
        ("|tier", &["`tier`: What picks the rate"]),
        ("\"claims.p|lan\"", &["`claims.plan`: a string"]),
        ("by     = \"tools-for-|customers\"", &["**allow** `tools-for-customers`"]),
        ("cost  = \"args.p|ages\"", &["`args.pages`"]),
    ] {
        let said = hover(&mut editor, &uri, &text, marker);
        for want in wants {
            assert!(said.contains(want), "{marker}: {want}\n{said}");
        }
    }
    assert!(editor.at("textDocument/hover", &uri, &text, "rate  =| \"2/s\"").is_null());
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn completing() {
    let folder = Path::new(ROOT).join("policies/03-arguments");
    let file = folder.join("policy.toml");
    let text = "\
[[allow]]
name  = \"a\"
tools = [\"read_file\", \"sh\"]
when  = 'claims. && args.p && client.'
mode  = 
ro

[[limit]]
name  = \"l\"
per   = [\"claims.s\"]

[[test]]
name = \"t\"
as   = { s }
call = { tool = \"share_file\", args = { t } }
by   = \"\"

[[
";
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, text);
    for (marker, has, has_not) in [
        ("\"s|h\"]", &["read_file", "share_file"][..], &["search"][..]),
        ("claims.| ", &["sub", "iss"], &["path", "claims"]),
        ("args.p|", &["path"], &["sub", "to"]),
        ("client.|", &["kind", "ip", "scopes"], &["sub"]),
        ("'|claims", &["claims", "args", "has", "startsWith"], &["path"]),
        ("[\"claims.s|\"]", &["sub"], &["has"]),
        ("mode  = |", &["\"enforce\"", "\"shadow\""], &[]),
        ("ro|\n", &["routes", "scopes", "[[deny]]"], &["name", "tools", "rate"]),
        ("by   = \"|\"", &["a", "l"], &["t"]),
        ("{ tool = \"|sh", &["share_file"], &[]),
        ("[[|\n", &["[[allow]]", "[[test]]"], &["routes"]),
        ("as   = { s| }", &["sub"], &["tool"]),
        ("args = { t| }", &["path", "to"], &["sub"]),
    ] {
        let offered = editor.offered(&uri, text, marker);
        for want in has {
            assert!(offered.iter().any(|it| it == want), "{marker}: {want} of {offered:?}");
        }
        for want in has_not {
            assert!(!offered.iter().any(|it| it == want), "{marker}: not {want} of {offered:?}");
        }
    }
    // What is chosen takes the place of what is written of it.
    let list = editor.at("textDocument/completion", &uri, text, "\"s|h\"]");
    let item =
        list["items"].as_array().unwrap().iter().find(|it| it["label"] == "share_file").unwrap();
    let after = edited(text, &json!([item["textEdit"]]));
    assert!(after.contains("\"share_fileh\"]"), "{after}");
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn going_to_definitions() {
    let folder = Path::new(ROOT).join("policies/04-limits");
    let file = folder.join("policy.toml");
    let text = fs::read_to_string(&file).unwrap();
    let mut editor = Editor::start(&[]);
    let uri = editor.open(&file, &text);
    for (marker, target, want) in [
        ("by     = \"tools-for|-customers\"", "policy.toml", "\"tools-for-customers\""),
        ("[\"sea|rch\"]", "mcp.lock.json", "\"search\""),
        ("tool = \"render|_report\"", "mcp.lock.json", "\"render_report\""),
        ("tier  = \"claims.pl|an\"", "schema.toml", "plan"),
        ("when  = 'claims.pl|an", "schema.toml", "plan"),
    ] {
        let found = editor.at("textDocument/definition", &uri, &text, marker);
        let _: lsp_types::Location = serde_json::from_value(found.clone()).unwrap();
        assert_eq!(found["uri"], super::uri(&folder.join(target)), "{marker}");
        let there = fs::read_to_string(folder.join(target)).unwrap();
        let line = found["range"]["start"]["line"].as_u64().unwrap() as usize;
        let (from, to) =
            (&found["range"]["start"]["character"], &found["range"]["end"]["character"]);
        let line = there.lines().nth(line).unwrap();
        let slice = &line[from.as_u64().unwrap() as usize..to.as_u64().unwrap() as usize];
        assert_eq!(slice, want, "{marker}");
    }
    for marker in ["[\"delete|_*\"]", "rate  = \"2|/s\"", "nam|e"] {
        assert!(editor.at("textDocument/definition", &uri, &text, marker).is_null(), "{marker}");
    }
    assert_eq!(editor.end(), Some(0));
}
