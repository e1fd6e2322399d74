//! `mcpfw check` as a command: fixes, pages, formats.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::process::mcpfw;

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

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/a.toml"), text).unwrap();
    folder
}

fn after(folder: &Path) -> String {
    fs::read_to_string(folder.join("policies/a.toml")).unwrap()
}

/// Before; after safe fixes; after unsafe ones. `=` stands for: as before.
const FIXES: &[(&str, &str, &str)] = &[
    // A key, with everything around it kept.
    (
        "# why\n[[deny]]\nname = \"a\" # a\ntool  = [ \"x\" ]\n",
        "# why\n[[deny]]\nname = \"a\" # a\ntools  = [ \"x\" ]\n",
        "=",
    ),
    (
        "[[deny]]\r\nname = \"a\"\r\ntool = [\"x\"]\r\n",
        "[[deny]]\r\nname = \"a\"\r\ntools = [\"x\"]\r\n",
        "=",
    ),
    // Several at once; a fix that uncovers another.
    (
        "[[dney]]\nnme = \"a\"\ntool = \"x\"\n[[dney]]\nname = \"b\"\n",
        "[[deny]]\nname = \"a\"\ntools = [\"x\"]\n[[deny]]\nname = \"b\"\n",
        "=",
    ),
    // A stanza that opens something is not made of a slip.
    (
        "[[alow]]\nname = \"a\"\ntools = [\"x\"]\n",
        "=",
        "[[allow]]\nname = \"a\"\ntools = [\"x\"]\n",
    ),
    ("[allow]\nname = \"a\"\ntools = [\"x\"]\n", "[[allow]]\nname = \"a\"\ntools = [\"x\"]\n", "="),
    // Two letters are wrong; two keys are near.
    ("[[deny]]\nname = \"a\"\nmesge = \"x\"\n", "=", "[[deny]]\nname = \"a\"\nmessage = \"x\"\n"),
    // Out of force, or only said in another way.
    (
        "[[deny]]\nname = \"a\"\nmode = \"shadw\"\n",
        "=",
        "[[deny]]\nname = \"a\"\nmode = \"shadow\"\n",
    ),
    (
        "[[deny]]\nname = \"a\"\nmode = 'enforc'\n",
        "[[deny]]\nname = \"a\"\nmode = 'enforce'\n",
        "=",
    ),
    // Conditions, in every kind of string.
    (
        "[[deny]]\nname = \"a\"\nwhen = 'claim.plan = \"free\" and arg.n == 1'\n",
        "[[deny]]\nname = \"a\"\nwhen = 'claims.plan == \"free\" && args.n == 1'\n",
        "=",
    ),
    (
        "[[deny]]\nname = \"a\"\nwhen = \"claims.a == \\\"\\u00e9\\\" | claim.b == 1\"\n",
        "[[deny]]\nname = \"a\"\nwhen = \"claims.a == \\\"\\u00e9\\\" || claims.b == 1\"\n",
        "=",
    ),
    (
        "[[deny]]\nname = \"a\"\nwhen = \"\"\"\nclaims.a == 1 \\\n  && args.p.startWith('x')\"\"\"\n",
        "[[deny]]\nname = \"a\"\nwhen = \"\"\"\nclaims.a == 1 \\\n  && args.p.startsWith('x')\"\"\"\n",
        "=",
    ),
    (
        "[[deny]]\nname = \"a\"\nwhen = 'client.kind == \"annonymous\" && client[\"scope\"].size() > 1'\n",
        "[[deny]]\nname = \"a\"\nwhen = 'client.kind == \"anonymous\" && client[\"scopes\"].size() > 1'\n",
        "=",
    ),
    // Which claim is meant by a bare word is not for us to say, nor what `not` reaches over.
    ("[[deny]]\nname = \"a\"\nwhen = 'plan == \"free\"'\n", "=", "="),
    ("[[deny]]\nname = \"a\"\nwhen = 'not claims.a == 1'\n", "=", "="),
    (
        "[[limit]]\nname = \"a\"\nrate = \"10 per minute\"\n",
        "[[limit]]\nname = \"a\"\nrate = \"10/minute\"\n",
        "=",
    ),
    (
        "[[limit]]\nname = \"a\"\nper = [\"claim.sub\"]\nrate = \"1/s\"\n",
        "[[limit]]\nname = \"a\"\nper = [\"claims.sub\"]\nrate = \"1/s\"\n",
        "=",
    ),
    (
        "[[deny]]\nname = \"a\"\nexpires = \"2099-01-31\"\n",
        "[[deny]]\nname = \"a\"\nexpires = 2099-01-31\n",
        "=",
    ),
    ("[[deny]]\nname = \"a\"\nexpires = \"soon\"\n", "=", "="),
    // The canonical form closes in a deny and opens in an allow.
    (
        "[[deny]]\nname = \"a\"\nresources = [\"file:///my docs/*\"]\n",
        "[[deny]]\nname = \"a\"\nresources = [\"file:///my%20docs/*\"]\n",
        "=",
    ),
    (
        "[[allow]]\nname = \"a\"\nresources = [\"file:///my docs/*\"]\n",
        "=",
        "[[allow]]\nname = \"a\"\nresources = [\"file:///my%20docs/*\"]\n",
    ),
    (
        "[[deny]]\nname = \"a\"\nmethods = [\"tools/lst\"]\n",
        "=",
        "[[deny]]\nname = \"a\"\nmethods = [\"tools/list\"]\n",
    ),
    // Not TOML: nothing is known.
    ("[[deny]\nname = \"a\"\ntool = [\"x\"]\n", "=", "="),
];

#[test]
fn fixes_change_what_they_are_for_and_nothing_else() {
    for (before, safe, any) in FIXES {
        let of = |want: &str, other: &str| (if want == "=" { other } else { want }).to_owned();
        let safe = of(safe, before);
        let any = of(any, &safe);
        let at = folder(before);
        // First what would be: the file stays.
        let shown = say(&["check", "--fix", "--dry-run"], at.path());
        assert_eq!(after(at.path()), *before, "{before}");
        assert_eq!(shown.out.is_empty(), safe == *before, "{before}\n{}", shown.out);
        let said = say(&["check", "--fix"], at.path());
        assert_eq!(after(at.path()), safe, "{before}\n{}{}", said.out, said.err);
        // What is fixed is fixed.
        say(&["check", "--fix"], at.path());
        assert_eq!(after(at.path()), safe, "{before}");
        say(&["check", "--fix", "--unsafe-fixes"], at.path());
        assert_eq!(after(at.path()), any, "{before}");
        assert_eq!(
            fs::read_dir(at.path().join("policies")).unwrap().count(),
            1,
            "nothing is left over"
        );
    }
}

#[test]
fn a_dry_run_shows_a_diff_that_patch_understands() {
    let at = folder(
        "[[deny]]\nname = \"a\"\ntool = [\"x\"]\n\n# \u{202e}\n[[limit]]\nname = \"b\"\nrate = \"1/mins\"",
    );
    let said = say(&["check", "--fix", "--dry-run"], at.path());
    assert_eq!(said.code, Some(1));
    let diff = "--- policies/a.toml\n+++ policies/a.toml\n@@ -1,8 +1,8 @@\n [[deny]]\n name = \"a\"\n-tool = [\"x\"]\n\
        +tools = [\"x\"]\n \n # \\u{202e}\n [[limit]]\n name = \"b\"\n-rate = \"1/mins\"\n\\ No newline at end of file\n\
        +rate = \"1/min\"\n\\ No newline at end of file\n";
    assert_eq!(said.out, diff);
    let said = say(&["check", "--dry-run"], at.path());
    assert_eq!(said.code, Some(2), "{}", said.err);
}

#[test]
fn what_was_fixed_and_what_is_left_is_told() {
    let at = folder("[[deny]]\nname = \"a\"\ntool = [\"x\"]\nmethods = [\"tools/lst\"]\n");
    let said = say(&["check"], at.path());
    assert!(said.out.contains("1 fixable with --fix, 1 more with --unsafe-fixes"), "{}", said.out);
    let said = say(&["check", "--fix"], at.path());
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("made 1 fix in 1 file"), "{}", said.out);
    assert!(said.out.contains("warning[P024]"), "{}", said.out);
    let said = say(&["check", "--fix", "--unsafe-fixes", "--strict"], at.path());
    assert_eq!((said.code, said.out.contains("nothing wrong")), (Some(0), true), "{}", said.out);
}

#[cfg(unix)]
#[test]
fn a_fixed_file_keeps_its_permissions_and_its_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let at = folder("");
    let real = at.path().join("real.toml");
    fs::write(&real, "[[deny]]\nname = \"a\"\ntool = [\"x\"]\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = at.path().join("policies/link.toml");
    symlink(&real, &link).unwrap();
    let said = say(&["check", "--fix"], at.path());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("tools"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

/// Every command takes the directory as the one before it did.
#[test]
fn a_directory_may_be_named_as_elsewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let set = "policies/01-deny-by-default";
    let lock = format!("{set}/mcp.lock.json");
    for (one, other) in [
        (&["check", set][..], &["check", "--policies", set][..]),
        (&["test", set], &["test", "--policies", set]),
        (&["learn", "--from-lock", &lock], &["learn", "--from-lock", set]),
    ] {
        let (one, other) = (say(one, root), say(other, root));
        assert_eq!((one.code, &one.out), (other.code, &other.out), "{}", other.err);
        assert!(!one.out.is_empty(), "{}", one.err);
    }
}

#[test]
fn codes_are_explained() {
    let at = folder("");
    let said = say(&["check", "--explain", "p013"], at.path());
    assert_eq!(said.code, Some(0));
    assert!(said.out.starts_with("# P013 (error): bad rate\n\n## What it does\n"), "{}", said.out);
    let said = say(&["check", "--explain", "P13"], at.path());
    assert_eq!(said.code, Some(2));
    assert_eq!(
        said.err,
        "error: no check has the code `P13`\n  did you mean P013, bad rate?\n  help: `mcpfw check --explain all` prints every code\n"
    );
    let said = say(&["check", "--explain", "all"], at.path());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks.md");
    assert_eq!(said.out, fs::read_to_string(page).unwrap());
}

/// The official schema takes what is printed, and does not take everything.
#[test]
fn sarif_is_as_its_schema_says() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sarif/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("https://example.com/sarif.json", schema).unwrap();
    let schema = compiler.compile("https://example.com/sarif.json", &mut schemas).unwrap();

    let at = folder(
        "[[allow]]\nname = \"a\"\ntool = [\"x\"]\n\n[[deny]]\nname = \"a\"\ntools = \"y\"\nwhen = 'claim.a = {}[\"\u{202e}\"]'\n",
    );
    fs::create_dir(at.path().join("more é")).unwrap();
    fs::write(at.path().join("more é/b.toml"), "[[deny]]\nname = \"b\"\nmode = \"shadwo\"\n")
        .unwrap();
    let said = say(&["check", "policies", "more é", "missing", "--format", "sarif"], at.path());
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(!said.out.contains("\u{202e}"));
    let mut log: Value = serde_json::from_str(&said.out).unwrap();
    if let Err(error) = schemas.validate(&log, schema) {
        assert!(error.to_string().is_empty(), "{error:#}");
    }
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    for result in results {
        let Some(index) = result["ruleIndex"].as_u64() else { continue };
        let index = usize::try_from(index).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let of = |code: &str| {
        results.iter().find(|it| it["ruleId"] == code).ok_or_else(|| said.out.clone()).unwrap()
    };
    let key = of("P002");
    assert_eq!(
        key["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "policies/a.toml"
    );
    assert_eq!(
        key["fixes"][0]["artifactChanges"][0]["replacements"][0],
        serde_json::json!({
            "deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 5},
            "insertedContent": {"text": "tools"},
        })
    );
    assert_eq!(of("P006")["relatedLocations"][0]["message"]["text"], "the first one");
    assert_eq!(
        of("P016")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "more%20%C3%A9/b.toml"
    );
    assert_eq!(of("C010")["locations"], serde_json::json!([]));

    // The validator sees what is wrong.
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(schemas.validate(&log, schema).is_err());
}

#[test]
fn shells_are_told_every_command() {
    let at = folder("");
    for shell in ["bash", "zsh", "fish"] {
        let said = say(&["completions", shell], at.path());
        assert_eq!(said.code, Some(0), "{}", said.err);
        for word in ["mcpfw", "explain", "unsafe-fixes", "completions"] {
            assert!(said.out.contains(word), "{word} is missing for {shell}");
        }
    }
    assert_eq!(say(&["completions", "csh"], at.path()).code, Some(2));
}
