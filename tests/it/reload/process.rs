//! The built binary: SIGHUP, and files that change under it.

use std::fs;

use crate::support::process::{Mcpfw, mcpfw};

const ALLOW: &str = "[[allow]]\nname = \"a\"\ntools = [\"t\"]\n";
const FLAGS: [&str; 6] =
    ["--upstream", "http://127.0.0.1:9/mcp", "--listen", "127.0.0.1:0", "--log", "off"];

#[test]
fn sighup_reloads_and_does_not_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policies/a.toml");
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(&file, ALLOW).unwrap();
    let mut running = Mcpfw::start(FLAGS.into_iter().chain(["--no-watch"]), folder.path());
    assert!(
        running.said().contains("reload    on SIGHUP; now generation 1, digest "),
        "{}",
        running.said()
    );
    running.poke("HUP");
    running.read_until("mcpfw: policies unchanged; generation 1 stays in force\n");
    fs::write(&file, format!("{ALLOW}\n[[deny]]\nname = \"d\"\ntols = [\"x\"]\n")).unwrap();
    running.poke("HUP");
    running.read_until("mcpfw: policies not reloaded: 1 error; generation 1 stays in force\n");
    running.read_until("mcpfw: policies/a.toml:7:1: error[P002]: ");
    fs::write(&file, format!("{ALLOW}\n[[deny]]\nname = \"d\"\ntools = [\"x\"]\n")).unwrap();
    running.poke("HUP");
    running.read_until("mcpfw: policies reloaded: 2 rules, generation ");
    assert!(running.stop());
}

#[test]
fn a_file_that_changes_is_in_force_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/a.toml"), ALLOW).unwrap();
    let mut running = Mcpfw::start(FLAGS, folder.path());
    assert!(running.said().contains("reload    when a file changes, and on SIGHUP;"));
    fs::write(folder.path().join("policies/b.toml"), ALLOW.replace("\"a\"", "\"b\"")).unwrap();
    running.read_until("mcpfw: policies reloaded: 2 rules, generation 2, digest ");
    assert!(running.stop());
}

/// What a reload refuses does not come in force by a restart.
#[test]
fn a_set_that_fails_its_tests_is_not_begun_with() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    let test = "[[test]]\nname = \"no\"\ncall = { tool = \"t\" }\nexpect = \"deny\"\n";
    fs::write(folder.path().join("policies/a.toml"), format!("{ALLOW}{test}")).unwrap();
    let arguments: Vec<&str> = std::iter::once("run").chain(FLAGS).collect();
    let ended = mcpfw(&arguments).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("policies/a.toml"), "{said}");
}
