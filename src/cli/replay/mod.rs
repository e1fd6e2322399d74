//! `mcpfw replay`: yesterday's traffic against today's policies.

mod human;
mod json;

use std::path::PathBuf;

use crate::observe::parse_rfc3339;
use crate::policy::Policy;
use crate::replay::{Judge, Line, Tally};

use super::exit::Exit;
use super::output::Output;
use super::{findings, logs, policies};

/// Show what policies would have made of traffic that was logged
///
/// Every call in the logs is decided again, by the engine of `run`. What changes is told by rule, by what was called and by caller,
/// each with a record to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Logs are the JSON lines that `run` writes, as they are or compressed with zstd;
`-` is standard input.
  The audit log ([log] audit = \"audit.jsonl\") holds the claims that rules read,
  and with arguments = \"read\" also the arguments: what was decided is decided
  again exactly. The access log holds neither. A verdict that depends on what a
  record lacks is undecided, and the report says what would have to be known,
  such as `args.path`. \"Changes\" are certain.

Not replayed: limits (a call that a limit refused counts as allowed by the
rules), pins (what the server showed is in no log), max_args, and what servers
ask of clients. A rule with `expires` is asked at the time of each record; --at
asks at another.

Examples:
  mcpfw replay access.jsonl --policies policies/
  mcpfw replay /var/log/mcpfw/audit.jsonl* --policies policies/ --since 2026-11-21 --fail-on-change

Exit codes: 0 it was replayed; 1 with --fail-on-change a verdict changes, with
--fail-on-undecided one may, or the policies have errors; 2 a log could not be
read, or there was no call in them to judge.")]
pub(super) struct Arguments {
    /// Logs, as JSON lines, plain or zstd
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,

    /// Directory of policy files
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,

    /// Only records from this time on, in UTC: 2026-11-21 or 2026-11-21T08:30
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<u64>,

    /// Only records before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<u64>,

    /// Decide as if every call came at this time, for rules that expire
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<u64>,

    /// Exit with 1 where a verdict changes
    #[arg(long)]
    fail_on_change: bool,

    /// Exit with 1 where a verdict may change, because a record lacks what decides
    #[arg(long)]
    fail_on_undecided: bool,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// People: what changes, by rule.
    #[default]
    Human,
    /// Programs: one JSON document.
    Json,
}

/// Milliseconds since 1970.
pub(super) fn time(text: &str) -> Result<u64, String> {
    parse_rfc3339(text).ok_or_else(|| "expected UTC such as 2026-11-21 or 2026-11-21T08:30".into())
}

/// What a replay came to.
struct Report<'a> {
    tally: Tally,
    policy: &'a Policy,
    arguments: &'a Arguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let set = policies::read(&arguments.policies, None);
    findings::complain(output, &set.sources, &set.findings);
    let Some(policy) = set.policy else {
        return if set.was_read { Exit::Findings } else { Exit::CouldNotRun };
    };
    let tally = match replay(&arguments.logs, &policy, arguments) {
        Ok(tally) => tally,
        Err(problem) => {
            output.err(format_args!("error: {problem}"));
            return Exit::CouldNotRun;
        }
    };
    let report = Report { tally, policy: &policy, arguments };
    report.complain(output);
    match arguments.format {
        Format::Human => output.out(human::text(&report, output.out_color()).trim_end()),
        Format::Json => output.out(json::document(&report)),
    }
    if report.tally.calls == 0 {
        output.err("error: there is no call in the logs that rules were asked about");
        return Exit::CouldNotRun;
    }
    let changes = arguments.fail_on_change && report.tally.changes() > 0;
    let may = arguments.fail_on_undecided && report.tally.open > 0;
    if changes || may { Exit::Findings } else { Exit::Clean }
}

/// Judges every call of `files` by `policy`.
fn replay(files: &[PathBuf], policy: &Policy, arguments: &Arguments) -> Result<Tally, String> {
    let range = arguments.since.unwrap_or(0)..arguments.until.unwrap_or(u64::MAX);
    let at = arguments.at.map(|at| at / 1000);
    let make = || (Judge::new(policy, at), Tally::default());
    let states = logs::read(files, make, |(judge, tally), reader, chunk| {
        chunk.each(reader, |place, line| match line {
            Err(fault) => tally.fault(place, fault),
            Ok(Line::Lost(lines)) => tally.lost = tally.lost.saturating_add(lines),
            Ok(Line::Other) => {}
            Ok(Line::Record(record)) if !range.contains(&record.time_ms) => tally.outside += 1,
            Ok(Line::Record(record)) => {
                tally.records += 1;
                for asked in &record.calls {
                    let judged = judge.judge(record, asked);
                    tally.add(place, record, asked, judged);
                }
            }
        });
    })?;
    let mut all = Tally::default();
    states.into_iter().for_each(|(_, tally)| all.merge(tally));
    Ok(all)
}

impl Report<'_> {
    /// The log called `file`.
    fn file(&self, file: usize) -> String {
        self.arguments.logs.get(file).map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Says on standard error which lines are no records.
    fn complain(&self, output: &Output) {
        logs::complain(&self.tally.faults, &self.tally.faulty, &self.arguments.logs, output);
        if self.tally.lost > 0 {
            let lost = self.tally.lost;
            output.err(format_args!("warning: {lost} lines were lost when the logs were written"));
        }
    }
}
