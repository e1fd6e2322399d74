//! Every command and every file that the README shows is run, so that it cannot rot.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use crate::support::process::{Mcpfw, mcpfw};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The fenced blocks of `file` in the language `language`.
fn blocks(file: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(tag)) => open = Some((tag.trim() == language, String::new())),
            (Some(_), Some(_)) => {
                let (is_wanted, block) = open.take().unwrap();
                if is_wanted {
                    blocks.push(block);
                }
            }
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{file} has a fence that is not closed");
    blocks
}

/// One command a line, continued lines joined, comments left out.
pub(crate) fn commands(file: &str) -> Vec<String> {
    let text = blocks(file, "sh").join("\n").replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Splits as a shell would: blanks, single quotes, no expansion.
pub(crate) fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for c in command.chars() {
        match c {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    assert!(!quoted, "an open quote in `{command}`");
    if begun {
        words.push(word);
    }
    words
}

#[test]
fn every_command_works() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let ci = fs::read_to_string(Path::new(ROOT).join(".ci/run")).unwrap();
    let mut seen = 0;
    let locked = Locked::start();
    for file in ["README.md", "CONTRIBUTING.md", "policies/README.md"] {
        // The README speaks to somebody who has just written the policy that it shows.
        let at = if file == "README.md" { locked.folder.path() } else { Path::new(ROOT) };
        for command in commands(file) {
            seen += 1;
            let words = words(&command);
            match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                // The tests that are running now, and CI calls the same line.
                ["cargo", "test"] => assert!(ci.contains("\ncargo test\n")),
                // The demo has a test of its own, `cli::the_demo_does_what_it_prints`.
                ["cargo", "run", "--release", "--", "demo"] | ["mcpfw", "demo"] => {}
                ["cargo", "install", "--path", "."] => {
                    assert!(manifest.contains("default-run = \"mcpfw\""));
                }
                ["cargo", "bench", "--bench", name] => {
                    assert!(
                        manifest.contains(&format!("[[bench]]\nname = \"{name}\"")),
                        "{command}"
                    );
                }
                ["mkdir", "-p", "policies"] => {}
                ["echo", text, ">", name] => fs::write(at.join(name), text).unwrap(),
                ["mcpfw", "run", flags @ ..] => runs(flags, &command, at),
                ["mcpfw", "lock", flags @ ..] => locked.runs(flags, &command),
                ["mcpfw", arguments @ ..] => {
                    let done = mcpfw(&expanded(arguments)).current_dir(at).output().unwrap();
                    let said = String::from_utf8_lossy(&done.stderr);
                    assert!(done.status.success(), "`{command}` in {file}: {said}");
                }
                _ => panic!("{file} shows a command that no test knows: `{command}`"),
            }
        }
    }
    assert!(seen >= 8, "only {seen} commands were found");
}

/// `arguments` with `policies/*/` as a shell at the root of the repository has it.
fn expanded(arguments: &[&str]) -> Vec<String> {
    let mut expanded = Vec::new();
    for argument in arguments {
        if *argument != "policies/*/" {
            expanded.push((*argument).to_owned());
            continue;
        }
        let folders = fs::read_dir(Path::new(ROOT).join("policies")).unwrap();
        let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        expanded.extend(folders.map(|path| path.display().to_string()));
    }
    expanded
}

/// Starts and ends cleanly, on a free port, with nothing outside this machine asked for.
fn runs(flags: &[&str], command: &str, at: &Path) {
    let flags: Vec<String> = flags
        .iter()
        .map(|flag| {
            flag.replace("127.0.0.1:8080", "127.0.0.1:0")
                .replace("https://id.example.com/jwks.json", "http://127.0.0.1:9/jwks.json")
        })
        .collect();
    let mut running = Mcpfw::start(flags.iter().map(String::as_str), at);
    assert!(running.stop(), "`{command}` did not end cleanly: {}", running.said());
}

/// A server that can be locked, and the folder that its lock file goes to.
struct Locked {
    _runtime: tokio::runtime::Runtime,
    url: String,
    folder: tempfile::TempDir,
}

impl Locked {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let url = runtime.block_on(crate::lock::some_server());
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("policies")).unwrap();
        let first = blocks("README.md", "toml").into_iter().next().unwrap();
        assert!(first.starts_with("# policies/first.toml"));
        fs::write(folder.path().join("policies/first.toml"), first).unwrap();
        let mut blocks = blocks("README.md", "toml").into_iter();
        let rules = blocks.find(|block| block.contains("[[test]]")).unwrap();
        fs::write(folder.path().join("policies/rules.toml"), rules).unwrap();
        let log = include_str!("../data/replay/audit.jsonl");
        fs::write(folder.path().join("audit.jsonl"), log).unwrap();
        Self { _runtime: runtime, url, folder }
    }

    /// Ends with 0, with this server in the place of the one that is shown.
    fn runs(&self, flags: &[&str], command: &str) {
        let flags = flags.iter().map(|flag| flag.replace("http://127.0.0.1:3000/mcp", &self.url));
        let flags: Vec<String> = std::iter::once("lock".to_owned()).chain(flags).collect();
        let done = mcpfw(&flags).current_dir(self.folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "`{command}`: {said}");
    }
}

#[test]
fn every_toml_block_is_accepted() {
    let blocks = blocks("README.md", "toml");
    assert!(blocks.len() >= 3);
    for block in blocks {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let done = if block.contains("[[route]]") {
            fs::create_dir(folder.path().join("policies")).unwrap();
            fs::write(at("policies/any.toml"), "[[allow]]\nname = \"any\"\neverything = true\n")
                .unwrap();
            fs::write(at("mcpfw.toml"), &block).unwrap();
            mcpfw(&["check", "--config", &at("mcpfw.toml")]).current_dir(folder.path()).output()
        } else {
            let is_schema = block.contains("[claims]");
            let name = if is_schema { "schema.toml" } else { "policy.toml" };
            fs::write(at(name), &block).unwrap();
            if block.contains("[[pin]]") {
                fs::write(at("mcp.lock.json"), include_str!("../data/lock/example.json")).unwrap();
            }
            mcpfw(&["check", &folder.path().display().to_string()]).output()
        };
        let done = done.unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success(),
            "{said}\n{}\n{block}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    for file in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "THREATS.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            if !target.starts_with("http") && !target.starts_with('#') {
                assert!(Path::new(ROOT).join(target).exists(), "{file} links to {target}");
            }
        }
    }
}

#[test]
fn words_are_split_as_a_shell_splits_them() {
    let table: &[(&str, &[&str])] = &[
        ("a b", &["a", "b"]),
        (r#"a 'b c' d"#, &["a", "b c", "d"]),
        (r#"--claims '{"plan":"free"}'"#, &["--claims", r#"{"plan":"free"}"#]),
    ];
    for (command, expected) in table {
        assert_eq!(words(command), *expected);
    }
}
