//! `mcpfw lsp`: the language server, over standard input and output. A driver: it reads bytes and folders, and
//! `editor` does the rest.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use crate::config::{Overrides, load};
use crate::diagnostic::{Problems, SourceId, Sources, sort};
use crate::editor::{After, Checked, Disk, Due, Frames, MAX_TEXT, Server, frame};
use crate::gateway::policies::Reading;
use crate::lock;
use crate::policy::{CompileOptions, Policy};

use super::exit::Exit;
use super::output::Output;
use super::policies;

/// Speak the Language Server Protocol over standard input and output, for editors
///
/// The findings of `mcpfw check` while you type, with fixes; what a rule does in words and what it matches in mcp.lock.json;
/// completion of tools, claims, arguments and keys; go to definition; formatting as `mcpfw fmt`. A document belongs to the
/// policy set of the nearest folder that has mcp.lock.json or schema.toml, up to the one that is open in the editor, else
/// to that of its own folder; a file called mcpfw.toml is a config.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Your editor starts it. Helix, in languages.toml:
  [language-server.mcpfw]
  command = \"mcpfw\"
  args = [\"lsp\"]
Neovim:
  vim.lsp.config.mcpfw = {
    cmd = { \"mcpfw\", \"lsp\" }, filetypes = { \"toml\" },
    root_markers = { \"mcp.lock.json\" },
  }
  vim.lsp.enable(\"mcpfw\")

Exit codes: 0 it was shut down, 1 it ended without being asked to, 2 what came
in was no LSP.")]
pub(super) struct Arguments {
    /// Leave out what only all requests together show, where it takes too long: asserts, and rules that can never matter
    #[arg(long)]
    quick: bool,

    /// Over standard input and output: the only way there is, said aloud as some editors do
    #[arg(long)]
    stdio: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let mut session = Session {
        server: Server::default(),
        frames: Frames::default(),
        files: Files { reading: Reading::new(None), is_quick: arguments.quick },
        end: None,
    };
    let chunks = chunks();
    let mut done: Option<(Due, Checked)> = None;
    loop {
        // What waits is taken in before anything is checked, and once more before anything is told: of many changes
        // the last is compiled, and what it has overtaken is not told.
        loop {
            let is_idle = done.is_none() && !session.server.is_due();
            let chunk = match (is_idle, chunks.try_recv()) {
                (false, Err(TryRecvError::Empty)) => break,
                (true, Err(TryRecvError::Empty)) => chunks.recv().ok(),
                (_, chunk) => chunk.ok(),
            };
            match chunk {
                Some(Ok(bytes)) => session.take(&bytes),
                Some(Err(error)) => {
                    output.err(format_args!("error: cannot read standard input: {error}"));
                    return Exit::CouldNotRun;
                }
                None => return Exit::Findings,
            }
            if let Some(exit) = session.end {
                return exit;
            }
        }
        if let Some((due, checked)) = done.take() {
            if write(&session.server.publish(&due, checked)).is_err() {
                return Exit::CouldNotRun;
            }
        } else if let Some(due) = session.server.due() {
            let checked = session.files.check(&due);
            done = Some((due, checked));
        }
    }
}

/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;

/// Standard input, read by a thread, so that one can look whether anything is waiting. It reads one chunk ahead.
fn chunks() -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = vec![0; CHUNK];
        loop {
            let chunk = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => Ok(buffer.get(..read).unwrap_or_default().to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = chunk.is_err();
            if sender.send(chunk).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

struct Session {
    server: Server,
    frames: Frames,
    files: Files,
    end: Option<Exit>,
}

impl Session {
    /// Takes what came in, and writes what is answered at once.
    fn take(&mut self, bytes: &[u8]) {
        let Self { server, frames, files, end } = self;
        frames.feed(bytes, |message| {
            if end.is_some() {
                return;
            }
            let (out, after) = match message {
                Ok(message) => server.handle(message, files),
                Err(error) => {
                    if error.is_final() {
                        *end = Some(Exit::CouldNotRun);
                    }
                    (vec![Server::unreadable(error)], After::Continue)
                }
            };
            if write(&out).is_err() {
                *end = Some(Exit::CouldNotRun);
            }
            if let After::Exit { was_asked } = after {
                *end = Some(if was_asked { Exit::Clean } else { Exit::Findings });
            }
        });
    }
}

fn write(messages: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for message in messages {
        out.write_all(&frame(message))?;
    }
    out.flush()
}

/// How policy sets and config files are read.
struct Files {
    reading: Reading,
    is_quick: bool,
}

impl Disk for Files {
    /// The nearest folder that has a lock file or a schema, up to that which the editor has opened; else the file's own.
    fn set(&mut self, path: &Path, workspace: &[PathBuf]) -> PathBuf {
        let own = path.parent().unwrap_or(Path::new(""));
        let opened = workspace.iter().filter(|it| own.starts_with(it));
        let top = opened.max_by_key(|it| it.components().count()).map_or(own, PathBuf::as_path);
        let is_top_of_set =
            |it: &&Path| it.join(lock::FILE_NAME).exists() || it.join("schema.toml").exists();
        let mut up = own.ancestors().take_while(|it| it.starts_with(top)).take(MAX_UP);
        up.find(is_top_of_set).unwrap_or(own).to_path_buf()
    }

    fn check(&mut self, due: &Due) -> Checked {
        let Due { set, texts, .. } = due;
        if set.file_name().is_some_and(|name| name == "mcpfw.toml") {
            let text = texts.get(&*set.to_string_lossy());
            let loaded = match text {
                Some(text) => load::load_text(set, text, &Overrides::default()),
                None => load::load(Some(set), &Overrides::default()),
            };
            let (sources, findings) = (loaded.sources, loaded.findings);
            return Checked { sources, findings, ..Checked::default() };
        }
        if !is_set(set, texts) {
            return Checked::default();
        }
        let (sources, mut findings) = read(set, texts);
        let compiled = self.reading.again(sources);
        findings.extend(compiled.findings);
        if let Some(policy) = &compiled.policy {
            let folder = set.display().to_string();
            findings.extend(policies::shown(policy, &folder, self.is_quick));
        }
        sort(&mut findings);
        let lock = lock_of(&compiled.sources);
        let declared = declared(&compiled.sources, lock.clone());
        Checked { sources: compiled.sources, findings, lock, declared }
    }
}

/// Folders that are looked at above a file: as deep as sets are read.
const MAX_UP: usize = 16;

/// Headers that no file of another program has. `[[test]]` is in many a `Cargo.toml`.
const RULES: [&str; 5] = ["[[allow]]", "[[deny]]", "[[limit]]", "[[pin]]", "[[assert]]"];

/// Whether `folder` is a policy set, and not one of the many in which some TOML stands: editors start one server for all
/// of them, and reading a set means reading all below its folder.
fn is_set(folder: &Path, texts: &BTreeMap<String, String>) -> bool {
    let has_rule =
        |text: &str| text.lines().any(|line| RULES.iter().any(|it| line.trim().starts_with(it)));
    let is_named = folder.file_name().is_some_and(|name| name == "policies");
    let has = |name: &str| folder.join(name).exists();
    is_named
        || has(lock::FILE_NAME)
        || has("schema.toml")
        || texts.values().any(|text| has_rule(text))
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
        let is_lock = path == folder.join(lock::FILE_NAME);
        let is_policy = path.extension().is_some_and(|it| it == "toml");
        if !is_read && (is_lock || is_policy && !is_hidden(path, folder)) {
            // Not on disk yet, or not readable there: what is on the screen counts.
            findings.retain(|found| found.span().is_some());
            sources.add(name.as_str(), text.as_str());
        }
    }
    (sources, findings)
}

/// Whether `check` passes `path` over for its name or that of a folder on the way to it.
fn is_hidden(path: &Path, folder: &Path) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.iter().any(|name| name.as_encoded_bytes().starts_with(b"."))
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
