//! `mcpfw test`: what it says of examples that hold and that do not, to people and to programs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::support::process::mcpfw;

const RULES: &str = r#"[[allow]]
name = "search"
tools = ["search"]
when = 'claims.plan in ["free", "pro"] && args.q != "<&>"'

[[deny]]
name = "no-deletes"
tools = ["delete_*"]

[[limit]]
name = "two-a-minute"
tools = ["search"]
per = ["claims.sub"]
rate = "2/min"
"#;

const GOOD: &str = r#"
[[test]]
name = "the third waits"
as = { sub = "u1", plan = "free" }
call = { tool = "search", args = { q = "it's" } }
repeat = 3
expect = { allow = 2, limit = 1 }
by = "two-a-minute"

[[test]]
name = "slow enough"
as = { sub = "u1", plan = "free" }
call = { tool = "search", args = { q = "x" } }
repeat = 20
every = "30s"
expect = "allow"
"#;

const BAD: &str = r#"
[[test]]
name = "<wrong> & \"so\""
as = { sub = "u1", plan = "free" }
call = { tool = "search", args = { q = "it's\u001b" } }
repeat = 3
expect = "allow"

[[test]]
name = "another rule"
call = { tool = "delete_x" }
expect = "deny"
by = "search"

[[test]]
name = "nobody allows it"
call = { method = "completion/complete", prompt = "p", route = "a b" }
expect = "allow"
"#;

fn folder(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("p")).unwrap();
    fs::write(folder.path().join("p/a.toml"), format!("{RULES}{tests}")).unwrap();
    folder
}

fn say(arguments: &[&str], at: &Path) -> (Option<i32>, String, String) {
    let done = mcpfw(arguments).current_dir(at).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// Time passes between calls as `every` says, and none while the tests run.
#[test]
fn what_holds_is_told_in_a_line() {
    let at = folder(GOOD);
    let (code, out, err) = say(&["test", "p"], at.path());
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "2 tests: all pass\n", ""));
    let (_, out, _) = say(&["test", "p", "-v", "--filter", "third"], at.path());
    assert_eq!(out, "p/a.toml:16: ok the third waits\n1 test: all pass\n");
}

const FAILED: &str = r#"p/a.toml:16: FAIL <wrong> & "so": expected 3 allow, found 2 allow, 1 limit; decided by search (p/a.toml:1) 2×, two-a-minute (p/a.toml:10) 1×
    mcpfw explain --policies p --tool search --claims '{"plan":"free","sub":"u1"}' --args '{"q":"it'\''s\u001b"}'
p/a.toml:23: FAIL another rule: expected 1 deny, found 1 deny; expected by search; decided by no-deletes (p/a.toml:6)
    mcpfw explain --policies p --tool delete_x
p/a.toml:29: FAIL nobody allows it: expected 1 allow, found 1 deny; decided by no rule
    mcpfw explain --policies p --prompt p --method completion/complete --route 'a b'
3 tests: 3 failed, 0 passed
"#;

#[test]
fn what_fails_is_told_with_the_line_that_explains_it() {
    let at = folder(BAD);
    let (code, out, err) = say(&["test", "p"], at.path());
    assert_eq!((code, out.as_str(), err.as_str()), (Some(1), FAILED, ""));
    // The lines do what they say, read by a shell.
    for (line, want) in out.lines().filter(|line| line.contains("mcpfw explain")).zip([
        "search: allowed by `search`",
        "delete_x: refused by `no-deletes`",
        "p: refused: default_deny",
    ]) {
        let line = line.trim().replacen("mcpfw", env!("CARGO_BIN_EXE_mcpfw"), 1);
        let done = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(at.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(said.contains(want), "{line}: {said}{}", String::from_utf8_lossy(&done.stderr));
    }
}

const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="mcpfw" tests="4" failures="4" errors="0">
  <testsuite name="p" tests="4" failures="4" errors="0">
    <testcase classname="p/a.toml" name="&lt;wrong&gt; &amp; &quot;so&quot;" file="p/a.toml" line="16">
      <failure type="P026" message="expected 3 allow, found 2 allow, 1 limit; decided by search (p/a.toml:1) 2×, two-a-minute (p/a.toml:10) 1×">mcpfw explain --policies p --tool search --claims &apos;{&quot;plan&quot;:&quot;free&quot;,&quot;sub&quot;:&quot;u1&quot;}&apos; --args &apos;{&quot;q&quot;:&quot;it&apos;\&apos;&apos;s\u001b&quot;}&apos;</failure>
    </testcase>
    <testcase classname="p/a.toml" name="another rule" file="p/a.toml" line="23">
      <failure type="P026" message="expected 1 deny, found 1 deny; expected by search; decided by no-deletes (p/a.toml:6)">mcpfw explain --policies p --tool delete_x</failure>
    </testcase>
    <testcase classname="p/a.toml" name="nobody allows it" file="p/a.toml" line="29">
      <failure type="P026" message="expected 1 allow, found 1 deny; decided by no rule">mcpfw explain --policies p --prompt p --method completion/complete --route &apos;a b&apos;</failure>
    </testcase>
    <testcase classname="coverage" name="coverage"><failure message="62% is covered, less than 90%"/></testcase>
  </testsuite>
</testsuites>
"#;

#[test]
fn programs_read_the_same() {
    let at = folder(BAD);
    let (code, out, _) =
        say(&["test", "p", "--format", "junit", "--coverage-min", "90"], at.path());
    assert_eq!((code, out.as_str()), (Some(1), JUNIT));
    let (_, out, _) = say(&["test", "p", "--format", "json", "--coverage"], at.path());
    assert!(!out.contains('\u{1b}'));
    let read: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((read["failed"].as_u64(), read["passed"].as_u64()), (Some(3), Some(0)));
    let tests = &read["sets"][0]["tests"];
    assert_eq!(tests[0]["name"], "<wrong> & \"so\"");
    assert_eq!(tests[0]["found"], serde_json::json!({ "allow": 2, "deny": 0, "limit": 1 }));
    assert_eq!(tests[1]["decided"][0]["rule"], "no-deletes");
    assert_eq!(read["sets"][0]["coverage"]["percent"], 62);
    let (code, out, _) = say(&["test", "p", "--format", "github"], at.path());
    assert_eq!((code, out.lines().count()), (Some(1), 3), "{out}");
    assert!(out.lines().all(|line| line.starts_with("::error file=p/a.toml,line=")), "{out}");
}

const COVERED: &str = "\
2 tests: all pass
";

/// A rule that no test asks, a comparison that was never false, and one that has been everything.
#[test]
fn coverage_tells_what_was_not_tried() {
    let at = folder(GOOD);
    let (code, out, err) = say(&["test", "p", "--coverage-min", "50"], at.path());
    let want = format!(
        "coverage of p: 50% (4 of 8)\n  \
         0/1 deny no-deletes (p/a.toml:6): no test asks it\n  \
         3/6 allow search (p/a.toml:1): applied\n      \
         never false: claims.plan in [\"free\", \"pro\"]\n      \
         never false: args.q != \"<&>\"\n  \
         1/1 limit two-a-minute (p/a.toml:10): applied\n{COVERED}"
    );
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), want.as_str(), ""));
    let (code, _, err) = say(&["test", "p", "--coverage-min", "51"], at.path());
    assert_eq!((code, err.as_str()), (Some(1), "error: 50% of `p` is covered, less than 51%\n"));
    // All there is to see, the unknown included.
    let at = folder(
        "[[test]]\nname = \"a\"\nas = { plan = \"pro\" }\ncall = { tool = \"search\", args = { q = \"x\" } }\nexpect = \"allow\"\n\
         [[test]]\nname = \"b\"\nas = { plan = \"no\" }\ncall = { tool = \"search\", args = { q = \"<&>\" } }\nexpect = \"deny\"\n\
         [[test]]\nname = \"c\"\ncall = { tool = \"search\" }\nexpect = \"deny\"\n\
         [[test]]\nname = \"d\"\ncall = { tool = \"delete_x\" }\nexpect = \"deny\"\n",
    );
    let (code, out, _) = say(&["test", "p", "--coverage-min", "100"], at.path());
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.contains(
            "6/6 allow search (p/a.toml:1): applied, condition false, condition unknown\n"
        ),
        "{out}"
    );
}

#[test]
fn what_cannot_be_run_is_no_success() {
    let at = folder(GOOD);
    fs::create_dir(at.path().join("none")).unwrap();
    fs::write(at.path().join("none/a.toml"), RULES).unwrap();
    fs::create_dir(at.path().join("broken")).unwrap();
    fs::write(at.path().join("broken/a.toml"), "[[allow]]\nname = \"x\"\ntool = 1\n").unwrap();
    for (arguments, want, part) in [
        (&["test", "missing"][..], 2, "does not exist"),
        (&["test", "none"], 2, "there is no [[test]]"),
        (&["test", "p", "none"], 0, ""),
        (&["test", "p", "--filter", "nowhere"], 2, "no test has `nowhere` in its name"),
        (&["test", "broken"], 1, "broken/a.toml:3"),
        (&["test", "p", "broken"], 1, "broken/a.toml:3"),
        (&["test", "p", "--coverage-min", "101"], 2, "101"),
    ] {
        let (code, out, err) = say(arguments, at.path());
        assert_eq!(code, Some(want), "{arguments:?}: {out}{err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
    let (_, out, _) = say(&["test", "broken", "--format", "junit"], at.path());
    assert!(out.contains("errors=\"1\"") || out.contains("errors=\"2\""), "{out}");
    assert!(out.contains("<error message="), "{out}");
}

/// How long a watching process may be silent, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A change is seen, and the tests run again.
#[test]
fn watching_runs_them_again() {
    let at = folder(GOOD);
    let mut child = mcpfw(&["test", "p", "--watch"])
        .current_dir(at.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let (tell, told) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines.for_each(|line| drop(tell.send(line)));
    });
    let first = told.recv_timeout(PATIENCE);
    fs::write(at.path().join("p/b.toml"), BAD).unwrap();
    let second = told.recv_timeout(PATIENCE);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    assert_eq!(first.as_deref(), Ok("2 tests: all pass"));
    assert!(
        second.as_ref().is_ok_and(|line| line.starts_with("p/b.toml:2: FAIL <wrong>")),
        "{second:?}"
    );
}
