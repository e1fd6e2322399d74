//! `mcpfw learn`: a least-privilege policy proposed from traffic, from a lock file, or from both.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Sources, visible};
use crate::lock::{self, Json, List, Lock};
use crate::replay::{Fault, Line, Listed, Place, Proposal, Traffic, Wish, propose, propose_listed};

use super::exit::Exit;
use super::output::Output;
use super::{findings, logs, policies};

/// Propose a policy from logged traffic: what was called, by whom, how often
///
/// The proposal allows exactly the names that were called and allowed, to the callers that a recorded claim tells from the others, with a
/// limit and a test for each. It is a start to read and to cut down, not an answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Logs are the JSON lines that `run` writes, plain or zstd. The audit log says
more than the access log: claims (those that rules read or that `schema.toml`
declares), and with arguments = \"read\" arguments. What a log does not hold, no
proposal can speak of.

What was refused is not proposed, though the same was allowed at other times:
where nothing recorded tells the two apart, it is left out and named.
--include-denied takes such in. What was never asked for is not in it at all.

Examples:
  mcpfw learn audit.jsonl                              show a proposal
  mcpfw learn audit.jsonl --out proposed/              write proposed/learned.toml
  mcpfw learn audit.jsonl --from-lock mcp.lock.json    and name what nobody called
  mcpfw learn --from-lock mcp.lock.json                without traffic: what only reads
  mcpfw replay audit.jsonl --policies proposed/        what it would have made of the same traffic

Exit codes: 0 there is a proposal; 1 something that was allowed is left out; 2 a
log could not be read, there was nothing to learn from, or the directory is in
use.")]
pub(super) struct Arguments {
    /// Logs, as JSON lines, plain or zstd
    #[arg(value_name = "LOG", required_unless_present = "from_lock")]
    logs: Vec<PathBuf>,

    /// A lock file: without logs, what only reads is proposed (tools that say so, prompts, resources, templates of one
    /// segment); with logs, what nobody called is named
    #[arg(long, value_name = "FILE")]
    from_lock: Option<PathBuf>,

    /// Write `learned.toml` into this directory, which must be empty or not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Allow also what was refused at other times
    #[arg(long)]
    include_denied: bool,

    /// Conditions on arguments, from those that were recorded: few values, or one folder
    #[arg(long)]
    arguments: bool,

    /// Only records from this time on, in UTC: 2026-11-21 or 2026-11-21T08:30
    #[arg(long, value_name = "TIME", value_parser = super::replay::time)]
    since: Option<u64>,

    /// Only records before this time
    #[arg(long, value_name = "TIME", value_parser = super::replay::time)]
    until: Option<u64>,
}

/// The file of a proposal.
const FILE: &str = "learned.toml";

const HEAD: &str = "\
# Proposed by `mcpfw learn` from what was seen. It allows what was allowed then, and says nothing of what was never asked for.
# Read each rule: what was called is not always what should be.

";

const HEAD_OF_LOCK: &str = "\
# Proposed by `mcpfw learn` from a lock file: what says of itself that it only reads, or by the protocol does nothing else.
# Read each rule: whoever reaches mcpfw may read this, until a `when` says who.

";

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    match learn(arguments, output) {
        Ok(exit) => exit,
        Err(problem) => {
            output.err(format_args!("error: {problem}"));
            Exit::CouldNotRun
        }
    }
}

fn learn(arguments: &Arguments, output: &Output) -> Result<Exit, String> {
    if let Some(folder) = &arguments.out {
        vacant(folder)?;
    }
    let lock = arguments.from_lock.as_deref().map(read_lock).transpose()?;
    let proposal = match (&lock, arguments.logs.is_empty()) {
        (Some(lock), true) => propose_listed(&listed(lock)),
        _ => from_logs(arguments, output)?,
    };
    for what in &proposal.left_out {
        output.err(format_args!("left out: {what}"));
    }
    let head = if arguments.logs.is_empty() { HEAD_OF_LOCK } else { HEAD };
    let mut text = format!("{head}{}", proposal.text);
    if let Some(lock) = lock.filter(|_| !arguments.logs.is_empty()) {
        for item in listed(&lock).iter().filter(|item| !matches!(item, Listed::Template(_))) {
            let (kind, name) = item.called();
            if !proposal.names.contains(&(kind, name.into())) {
                let name = shown(name);
                text.push_str(&format!("# In the lock, and not allowed here: {kind} {name}\n"));
            }
        }
    }
    let text = text.trim_end();
    if proposal.rules == 0 {
        return Err("there is nothing to propose a rule for".into());
    }
    accepted(text)?;
    match &arguments.out {
        None => output.out(text),
        Some(folder) => {
            let path = folder.join(FILE);
            std::fs::create_dir_all(folder)
                .and_then(|()| super::write::write(&path, &format!("{text}\n")))
                .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
            let rules = proposal.rules;
            output.err(format_args!(
                "wrote {} with {rules} allows",
                visible(&path.display().to_string())
            ));
        }
    }
    Ok(if proposal.left_out.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// A name as it stands in a comment.
fn shown(name: &str) -> String {
    visible(name).into_owned()
}

/// Refuses to write where something is.
fn vacant(folder: &Path) -> Result<(), String> {
    let name = folder.display();
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(format!("`{name}` is not empty\n  help: a proposal is for a directory of its own"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot use `{name}`: {error}")),
    }
}

/// A last look at the text that names of strangers went into: what is proposed is a policy set whose tests hold.
fn accepted(text: &str) -> Result<(), String> {
    let mut sources = Sources::new();
    sources.add(FILE, text.to_owned());
    let set = policies::compile(sources).tried();
    if set.policy.is_some() {
        return Ok(());
    }
    let text = findings::render(findings::Format::Human, false, &set.sources, &set.findings);
    Err(format!("the proposal is not accepted by `mcpfw check`; this is a fault of mcpfw\n{text}"))
}

fn from_logs(arguments: &Arguments, output: &Output) -> Result<Proposal, String> {
    #[derive(Default)]
    struct State {
        traffic: Traffic,
        faulty: Vec<(Place, Fault)>,
        faults: std::collections::BTreeMap<Fault, u64>,
    }
    /// Most faults that are kept of one thread.
    const KEPT: usize = 64;
    let range = arguments.since.unwrap_or(0)..arguments.until.unwrap_or(u64::MAX);
    let states = logs::read(&arguments.logs, State::default, |state, reader, chunk| {
        chunk.each(reader, |place, line| match line {
            Err(fault) => {
                *state.faults.entry(fault).or_default() += 1;
                if state.faulty.len() < KEPT {
                    state.faulty.push((place, fault));
                }
            }
            Ok(Line::Record(record)) if range.contains(&record.time_ms) => {
                record.calls.iter().for_each(|asked| state.traffic.add(record, asked));
            }
            Ok(_) => {}
        });
    })?;
    let mut all = State::default();
    for state in states {
        all.traffic.merge(state.traffic);
        all.faulty.extend(state.faulty);
        state.faults.into_iter().for_each(|(why, n)| *all.faults.entry(why).or_default() += n);
    }
    all.faulty.sort_unstable();
    logs::complain(&all.faults, &all.faulty, &arguments.logs, output);
    let wish = Wish { include_denied: arguments.include_denied, arguments: arguments.arguments };
    let mut proposal = propose(&all.traffic, wish);
    let beyond = all.traffic.beyond;
    if beyond > 0 {
        let all = all.traffic.allowed.len();
        proposal.left_out.push(format!(
            "{beyond} calls of more than {all} names: those that come first in their order are proposed"
        ));
    }
    Ok(proposal)
}

fn read_lock(path: &Path) -> Result<Lock, String> {
    // The directory that it is in, as `lock` takes it.
    let path = &if path.is_dir() { path.join(lock::FILE_NAME) } else { path.to_path_buf() };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}", visible(&name)))?;
    let mut sources = Sources::new();
    let file = sources.add(name.as_str(), text);
    let problems = crate::diagnostic::Problems::new();
    let lock = lock::parse(&sources, file, &problems);
    lock.ok_or_else(|| {
        findings::render(findings::Format::Human, false, &sources, &problems.into_sorted())
    })
}

/// What `lock` lists.
fn listed(lock: &Lock) -> Vec<Listed> {
    let reads = |item: &lock::Item| match item.member("annotations").map(|json| &json.value) {
        Some(lock::Value::Object(hints)) => hints
            .get("readOnlyHint")
            .is_some_and(|Json { value, .. }| matches!(value, lock::Value::Bool(true))),
        _ => false,
    };
    let items = List::ALL.into_iter().flat_map(|list| lock.items(list).map(move |it| (list, it)));
    let listed = items.map(|(list, item)| match list {
        List::Tools => Listed::Tool(item.id().into(), reads(item)),
        List::Prompts => Listed::Prompt(item.id().into()),
        List::Resources => Listed::Resource(item.id().into()),
        List::Templates => Listed::Template(item.id().into()),
    });
    listed.collect()
}
