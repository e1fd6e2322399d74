//! `mcpfw lsp`: the language server, over standard input and output. A driver: it reads bytes and folders, and
//! `editor` does the rest.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::config::{Overrides, load};
use crate::diagnostic::{Problems, SourceId, Sources, sort};
use crate::editor::{After, Checked, Frames, MAX_TEXT, Server, frame};
use crate::gateway::policies::Reading;
use crate::lock;
use crate::policy::{CompileOptions, Policy};

use super::exit::Exit;
use super::output::Output;
use super::policies;

/// Speak the Language Server Protocol over standard input and output, for editors
///
/// The findings of `mcpfw check` while you type, with fixes; what a rule does in words and what it matches in mcp.lock.json;
/// completion of tools, claims, arguments and keys; go to definition; formatting as `mcpfw fmt`. The folder of a document is
/// its policy set; a file called mcpfw.toml is a config.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Your editor starts it. Helix, in languages.toml:
  [language-server.mcpfw]
  command = \"mcpfw\"
  args = [\"lsp\"]
Neovim:
  vim.lsp.config.mcpfw = { cmd = { \"mcpfw\", \"lsp\" }, filetypes = { \"toml\" }, root_markers = { \"mcp.lock.json\" } }
  vim.lsp.enable(\"mcpfw\")

Exit codes: 0 it was shut down, 1 it ended without being asked to, 2 what came in was no LSP.")]
pub(super) struct Arguments {
    /// Leave out what only all requests together show, where it takes too long: asserts, and rules that can never matter
    #[arg(long)]
    quick: bool,

    /// Over standard input and output: the only way there is, said aloud as some editors do
    #[arg(long)]
    stdio: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let mut server = Server::default();
    let mut frames = Frames::default();
    let reading = Reading::new(None);
    let mut input = io::stdin().lock();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => return Exit::Findings,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                output.err(format_args!("error: cannot read standard input: {error}"));
                return Exit::CouldNotRun;
            }
        };
        let mut end = None;
        frames.feed(buffer.get(..read).unwrap_or_default(), |message| {
            if end.is_some() {
                return;
            }
            let (out, after) = match message {
                Ok(message) => server.handle(message, &mut |path, texts| {
                    check(path, texts, &reading, arguments.quick)
                }),
                Err(error) => {
                    if error.is_final() {
                        end = Some(Exit::CouldNotRun);
                    }
                    (vec![Server::unreadable(error)], After::Continue)
                }
            };
            if write(&out).is_err() {
                end = Some(Exit::CouldNotRun);
            }
            if let After::Exit { was_asked } = after {
                end = Some(if was_asked { Exit::Clean } else { Exit::Findings });
            }
        });
        if let Some(exit) = end {
            return exit;
        }
    }
}

fn write(messages: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for message in messages {
        out.write_all(&frame(message))?;
    }
    out.flush()
}

/// The folder of the document at `path`, or the config file itself, with `texts` in the place of what is on disk.
fn check(
    path: &Path,
    texts: &BTreeMap<String, String>,
    reading: &Reading,
    is_quick: bool,
) -> Checked {
    if path.file_name().is_some_and(|name| name == "mcpfw.toml") {
        let text = texts.get(&*path.to_string_lossy()).cloned();
        let loaded = match text {
            Some(text) => load::load_text(path, &text, &Overrides::default()),
            None => load::load(Some(path), &Overrides::default()),
        };
        let (sources, findings) = (loaded.sources, loaded.findings);
        return Checked { sources, findings, ..Checked::default() };
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    if !is_set(folder, texts) {
        return Checked::default();
    }
    let (sources, mut findings) = read(folder, texts);
    let set = reading.again(sources);
    findings.extend(set.findings);
    if let Some(policy) = &set.policy {
        let folder = folder.display().to_string();
        findings.extend(policies::shown(policy, &folder, is_quick));
    }
    sort(&mut findings);
    let lock = lock_of(&set.sources);
    let declared = declared(&set.sources, lock.clone());
    Checked { sources: set.sources, findings, lock, declared }
}

/// Headers that no file of another program has. `[[test]]` is in many a `Cargo.toml`.
const RULES: [&str; 5] = ["[[allow]]", "[[deny]]", "[[limit]]", "[[pin]]", "[[assert]]"];

/// Whether `folder` is a policy set, and not one of the many in which some TOML stands: editors start one server for all
/// of them, and reading a set means reading all below its folder.
fn is_set(folder: &Path, texts: &BTreeMap<String, String>) -> bool {
    let has_rule =
        |text: &str| text.lines().any(|line| RULES.iter().any(|it| line.trim().starts_with(it)));
    let is_here = |name: &str| Path::new(name).parent() == Some(folder);
    let is_named = folder.file_name().is_some_and(|name| name == "policies");
    let has = |name: &str| folder.join(name).exists();
    is_named
        || has(lock::FILE_NAME)
        || has("schema.toml")
        || texts.iter().any(|(name, text)| is_here(name) && has_rule(text))
        || load::toml_files_in(folder)
            .iter()
            .any(|file| load::text(file).is_ok_and(|text| has_rule(&text)))
}

/// What stands in `folder`, with `texts` in the place of what is on disk.
fn read(
    folder: &Path,
    texts: &BTreeMap<String, String>,
) -> (Sources, Vec<crate::diagnostic::Diagnostic>) {
    let (mut sources, mut findings) = load::policies(folder);
    let problems = Problems::new();
    let _ = load::add_lock(&mut sources, &folder.join(lock::FILE_NAME), &problems);
    findings.extend(problems.into_sorted());
    let open = |name: &str| texts.get(name).filter(|text| text.len() <= MAX_TEXT);
    let replaced: BTreeMap<SourceId, String> = sources
        .iter()
        .filter_map(|(id, source)| Some((id, open(source.name())?.clone())))
        .collect();
    let mut sources = sources.with(&replaced);
    for (name, text) in texts {
        let path = Path::new(name);
        let is_read = sources.iter().any(|(_, source)| source.name() == name);
        let is_lock = path.file_name().is_some_and(|it| it == lock::FILE_NAME);
        let is_policy = path.extension().is_some_and(|it| it == "toml");
        if !is_read && path.parent() == Some(folder) && (is_lock || is_policy) {
            // Not on disk yet, or not readable there: what is on the screen counts.
            findings.retain(|found| found.span().is_some());
            sources.add(name.as_str(), text.as_str());
        }
    }
    (sources, findings)
}

fn lock_of(sources: &Sources) -> Option<std::sync::Arc<lock::Lock>> {
    let is_lock = |name: &str| Path::new(name).file_name().is_some_and(|it| it == lock::FILE_NAME);
    let (id, _) = sources.iter().find(|(_, source)| is_lock(source.name()))?;
    lock::parse(sources, id, &Problems::new()).map(std::sync::Arc::new)
}

/// What the `schema.toml`s and `lock` declare, without any rule.
fn declared(
    sources: &Sources,
    lock: Option<std::sync::Arc<lock::Lock>>,
) -> Option<std::sync::Arc<Policy>> {
    let is_schema = |name: &str| Path::new(name).file_name().is_some_and(|it| it == "schema.toml");
    let schemas: Vec<SourceId> =
        sources.iter().filter(|(_, it)| is_schema(it.name())).map(|(id, _)| id).collect();
    let options = CompileOptions { lock, ..CompileOptions::new(policies::now()) };
    let compile = |files: Vec<SourceId>| Policy::compile_files(sources, files, &options).policy;
    // A broken schema declares nothing.
    compile(schemas).or_else(|| compile(Vec::new()))
}
