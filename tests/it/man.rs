//! `mcpfw man`: a page for every command, with what `--help` says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;

use crate::support::process::mcpfw;

/// The names of the commands, as `--help` lists them.
fn commands() -> BTreeSet<String> {
    let help = mcpfw(&["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let names = list.lines().take_while(|line| !line.is_empty());
    // A line that goes on is indented further.
    let names = names.filter_map(|line| line.strip_prefix("  ").filter(|it| !it.starts_with(' ')));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|it| it != "help")
        .collect()
}

#[test]
fn every_command_has_a_page() {
    let commands = commands();
    assert!(commands.len() >= 10 && commands.contains("check"), "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    assert!(mcpfw(&["man", "--output", &at]).output().unwrap().status.success());
    let written: BTreeSet<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted = commands.iter().map(|name| format!("mcpfw-{name}.1")).chain(["mcpfw.1".into()]);
    assert_eq!(written, wanted.collect());
    for name in &commands {
        let done = mcpfw(&["man", name]).output().unwrap();
        assert!(done.status.success());
        let page = String::from_utf8(done.stdout).unwrap();
        let file = fs::read_to_string(folder.path().join(format!("mcpfw-{name}.1"))).unwrap();
        assert_eq!(page.trim_end(), file.trim_end());
        assert!(page.contains(&format!(".TH mcpfw-{name} 1")), "{page}");
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS"] {
            assert!(page.contains(section), "{name} has no {section}");
        }
    }
    let page = mcpfw(&["man", "check"]).output().unwrap().stdout;
    assert!(String::from_utf8(page).unwrap().contains("\\-\\-fail\\-on\\-change"));
}

#[test]
fn what_cannot_be_written_is_told() {
    let done = mcpfw(&["man", "nothing"]).output().unwrap();
    assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0));
    let done = mcpfw(&["man", "--output", "/nowhere/at/all"]).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
}
