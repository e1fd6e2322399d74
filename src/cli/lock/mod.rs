//! `mcpfw lock`: what a live server offers, written down for review.
//!
//! ```text
//! Arguments ─ session (discover or initialize, then every page of every list) ─► Lock
//!   file (what was reviewed) ─────────────────────────────────────── lock::diff ─┴─► report, and the file
//! ```

mod events;
mod fault;
mod file;
mod http;
mod report;
mod session;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::http::HeaderValue;
use clap::ValueEnum;
use url::Url;

use crate::lock::{FILE_NAME, Lock, diff};
use crate::wire::mcp::Revision;

use super::exit::Exit;
use super::output::Output;
use fault::{Fault, Problem};
use report::Report;

/// Write down what a server offers, and tell what has changed since
///
/// Asks a live server for its tools, prompts and resources, and writes them with their digests into a lock file. Put it into
/// the directory of your policies: `[[pin]]` holds the server to it, and `check` knows the names in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw lock http://127.0.0.1:3000/mcp --output policies/mcp.lock.json
  mcpfw lock http://127.0.0.1:3000/mcp --output policies/mcp.lock.json --diff
  mcpfw lock https://mcp.example.com/mcp --token-file token --output policies/mcp.lock.json --check

Exit codes: 0 written, or nothing changed; 1 with --diff or --check: the server
is no longer what the file says; 2 it could not run: no such server, a reply
that is not MCP, a lock file that cannot be read.
A changed version number of the server is told, and is no change.")]
pub(super) struct Arguments {
    /// The server's MCP endpoint
    #[arg(value_name = "URL")]
    url: String,

    /// The lock file, or the directory that it is in
    #[arg(long, short, value_name = "FILE", default_value = FILE_NAME)]
    output: PathBuf,

    /// Write nothing: tell what has changed since, with what was there and what is there now
    #[arg(long, conflicts_with = "check")]
    diff: bool,

    /// Write nothing: tell what has changed since, a line each (for CI)
    #[arg(long)]
    check: bool,

    /// Bearer token; other users of this machine can see it here, so better the environment or a file
    #[arg(long, value_name = "TOKEN", env = "MCPFW_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// File with the bearer token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,

    /// Revision of the protocol: auto, or the date of one
    #[arg(long, value_name = "DATE", default_value = "auto", value_parser = revision)]
    revision: Wanted,

    /// How long all of it may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    timeout: Duration,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// People: a line a change.
    #[default]
    Human,
    /// Programs: one JSON document.
    Json,
}

/// The revision that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The newest that the server has.
    Auto,
    /// This one.
    Only(Revision),
}

fn revision(text: &str) -> Result<Wanted, String> {
    if text == "auto" {
        return Ok(Wanted::Auto);
    }
    text.parse().map(Wanted::Only).map_err(|_| {
        format!("the revisions are {}", Revision::ALL.map(Revision::as_str).join(", "))
    })
}

/// Shortest and longest `--timeout`: below, no server answers; beyond, a pipeline has long given up.
const TIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(3600);

fn time(text: &str) -> Result<Duration, String> {
    match crate::diagnostic::document::parse_duration(text)? {
        Some(time) if TIMES.contains(&time) => Ok(time),
        _ => Err("between 10ms and 1h".to_owned()),
    }
}

/// Whom to ask, and as whom.
#[derive(Debug)]
struct Target {
    url: Url,
    /// The value of `Authorization`.
    credential: Option<HeaderValue>,
    wanted: Wanted,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let path = file::place(&arguments.output);
    // First what costs nothing: a mistake here needs no server.
    let target = match target(arguments, output) {
        Ok(target) => target,
        Err(problem) => return complain(output, &problem),
    };
    let reviewed = match file::read(&path, output) {
        Ok(None) if arguments.diff || arguments.check => {
            output.err(format_args!(
                "error: there is no lock file `{}`\n  help: write it first: `mcpfw lock {} --output {}`",
                path.display(),
                target.url,
                path.display()
            ));
            return Exit::CouldNotRun;
        }
        Ok(reviewed) => reviewed,
        Err(exit) => return exit,
    };
    let live = match ask(&target, arguments.timeout) {
        Ok(live) => live,
        Err(Problem { fault: fault @ Fault::Connect(_), .. }) => {
            return complain(output, &Problem::at(target.url.as_str(), fault));
        }
        Err(problem) => return complain(output, &problem),
    };
    let changes = reviewed.as_ref().map(|(_, before)| diff(before, &live));
    let report = Report { path: &path, live: &live, changes: changes.as_deref() };
    if arguments.diff || arguments.check {
        report.tell(arguments.format, arguments.diff, None, output);
        return if report.is_drift() { Exit::Findings } else { Exit::Clean };
    }
    let text = live.to_json();
    let is_same = reviewed.is_some_and(|(before, _)| *before == *text);
    if !is_same && let Err(problem) = file::write(&path, &arguments.output, &text) {
        output.err(problem);
        return Exit::CouldNotRun;
    }
    report.tell(arguments.format, false, Some(!is_same), output);
    Exit::Clean
}

/// Asks the server for everything within `time`.
fn ask(target: &Target, time: Duration) -> Result<Lock, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::at("the runtime", Fault::Runtime(error)))?;
    let is_watched = std::io::stderr().is_terminal();
    let progress = move |line: &str| {
        if is_watched {
            Output::note(line);
        }
    };
    runtime.block_on(async {
        let asked = session::ask(target, &progress);
        tokio::time::timeout(time, asked)
            .await
            .unwrap_or_else(|_| Err(Problem::at("all of it", Fault::Timeout(time))))
    })
}

fn complain(output: &Output, problem: &Problem) -> Exit {
    output.err(format_args!("error: {}", crate::diagnostic::visible(&problem.to_string())));
    if let Some(help) = problem.fault.help() {
        output.err(format_args!("  help: {help}"));
    }
    Exit::CouldNotRun
}

/// Most bytes of a bearer token: no server takes a header beyond.
const MAX_TOKEN: u64 = 16 << 10;

fn target(arguments: &Arguments, output: &Output) -> Result<Target, Problem> {
    let url = Url::parse(&arguments.url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| Problem::at(&arguments.url, Fault::Url))?;
    let token = match (&arguments.token, &arguments.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(path)) => Some(
            token_file(path)
                .map_err(|error| Problem::at(&path.display().to_string(), Fault::Token(error)))?,
        ),
        (None, None) => None,
    };
    let credential = match token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value.map_err(|_| Problem::at("the token", Fault::TokenForm))?;
            value.set_sensitive(true);
            Some(value)
        }
    };
    if credential.is_some() && url.scheme() == "http" && !is_loopback(&url) {
        output.err("warning: the token goes to another machine without encryption");
    }
    Ok(Target { url, credential, wanted: arguments.revision })
}

fn token_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_TOKEN).read_to_string(&mut text)?;
    Ok(text)
}

/// Whether `url` names this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
