//! `mcpfw check`: everything that can be known before traffic.

use std::path::{Path, PathBuf};

use crate::config::{Overrides, load};
use crate::diagnostic::{Applicability, Diagnostic, Sources, render, sort, visible};
use crate::gateway::policies::Reading;
use crate::policy::language::checks;

use super::exit::Exit;
use super::findings::{self, Format};
use super::fix::{Fixed, fix};
use super::output::Output;
use super::policies;

/// Find every mistake in policy files before they meet traffic
///
/// Reads all `*.toml` below each DIR as one policy set, tells every syntax and type error at once with its place, and runs
/// the `[[test]]` stanzas that stand beside the rules. Proves or refutes each `[[assert]]` for all requests.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 nothing wrong, 1 errors (with --strict also warnings), 2 a
directory or file could not be read or written. With --fix they speak of what is
left; with --dry-run 1 also says that something would change.

In CI:  mcpfw check policies/ --strict --format github
        mcpfw check policies/ --format sarif > mcpfw.sarif")]
pub(super) struct Arguments {
    /// Directories of policy files, each a set of its own [default: policies, or the one that --config names]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// The same as DIR, as the other commands have it
    #[arg(long, value_name = "DIR")]
    policies: Vec<PathBuf>,

    /// Also check this config file, and the names of routes in the policies against it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Leave out what only all requests together show: asserts, and rules that can never matter
    #[arg(long)]
    quick: bool,

    /// Tell, in place of findings, what DIR allows and refuses otherwise than the set in OLD_DIR
    #[arg(long, value_name = "OLD_DIR", conflicts_with_all = ["config", "quick", "strict"])]
    against: Option<PathBuf>,

    /// With --against: exit 1 where anything is decided otherwise
    #[arg(long, requires = "against")]
    fail_on_change: bool,

    /// Let warnings fail too
    #[arg(long)]
    strict: bool,

    /// Make the changes that are safe: no other meaning is possible, and nothing passes that was refused before
    #[arg(long)]
    fix: bool,

    /// Make also the changes that probably say what was meant; read what they did
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,

    /// Write nothing: print what --fix would change as a unified diff
    #[arg(long, requires = "fix")]
    dry_run: bool,

    /// Print what a code means and how to write it instead, and do nothing else; `all` for every code
    #[arg(long, value_name = "CODE", conflicts_with_all = ["folders", "policies", "config", "fix"])]
    explain: Option<String>,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What one set of texts came to.
#[derive(Default)]
struct Report {
    sources: Sources,
    findings: Vec<Diagnostic>,
    rules: usize,
    tests: usize,
    files: usize,
    was_read: bool,
    fixed: Fixed,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if let Some(code) = &arguments.explain {
        return explain(code, output);
    }
    let mut folders = [&*arguments.folders, &*arguments.policies].concat();
    let mut routes = None;
    let mut reports = Vec::new();
    if let Some(file) = &arguments.config {
        let loaded = load::load(Some(file), &Overrides::default());
        let is_unread = |found: &Diagnostic| found.span().is_none() && found.is_error();
        reports.push(Report {
            was_read: !loaded.findings.iter().any(is_unread),
            sources: loaded.sources,
            findings: loaded.findings,
            files: 1,
            ..Report::default()
        });
        if let Some(config) = loaded.config {
            routes = Some(config.routes.iter().map(|route| route.name.clone()).collect());
            if folders.is_empty() {
                folders.push(config.policies);
            }
        }
    } else if folders.is_empty() {
        folders.push(PathBuf::from("policies"));
    }
    if let Some(old) = &arguments.against {
        let each = folders.iter().map(|new| {
            super::against::run(new, old, arguments.format, arguments.fail_on_change, output)
        });
        return each.fold(Exit::Clean, Exit::max);
    }
    for folder in &folders {
        reports.push(check(folder, routes.as_ref(), arguments));
    }
    let mut exit = Exit::Clean;
    for report in &reports {
        exit = exit.max(act(report, arguments, output));
    }
    if arguments.format == Format::Sarif {
        let sets: Vec<_> =
            reports.iter().map(|report| (&report.sources, report.findings.as_slice())).collect();
        output.out(findings::sarif(&sets).trim_end());
    }
    exit
}

/// Reads `folder`, makes the fixes that were asked for, and finds what is left.
fn check(folder: &Path, routes: Option<&Vec<Box<str>>>, arguments: &Arguments) -> Report {
    let reading = Reading::new(routes.cloned());
    let mut set = reading.read(folder);
    let mut fixed = Fixed::default();
    if arguments.fix && set.was_read {
        let most = if arguments.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        (set, fixed) = fix(set, &reading, most);
    }
    let mut report = Report {
        files: set.sources.iter().count(),
        sources: set.sources,
        findings: set.findings,
        was_read: set.was_read,
        fixed,
        ..Report::default()
    };
    if let Some(policy) = &set.policy {
        report.rules = policy.rules().len();
        report.tests = policy.tests().len();
        let folder = folder.display().to_string();
        report.findings.extend(policies::shown(policy, &folder, arguments.quick));
        sort(&mut report.findings);
    }
    report
}

/// Prints the page of the code `text`.
fn explain(text: &str, output: &Output) -> Exit {
    if text == "all" {
        output.out(checks::manual().trim_end());
        return Exit::Clean;
    }
    if let Some(info) = checks::find(text) {
        output.out(checks::page(info).trim_end());
        return Exit::Clean;
    }
    output.err(format_args!("error: no check has the code `{}`", visible(text)));
    for info in checks::suggest(text) {
        output.err(format_args!("  did you mean {}, {}?", info.code, info.title()));
    }
    output.err("  help: `mcpfw check --explain all` prints every code");
    Exit::CouldNotRun
}

/// Writes or shows the fixes of `report`, and tells what is left.
fn act(report: &Report, arguments: &Arguments, output: &Output) -> Exit {
    let mut exit = Exit::Clean;
    if arguments.dry_run {
        // The diff is what was asked for: findings go elsewhere, so that it can be piped.
        let diff = report.fixed.diff();
        if !diff.is_empty() {
            output.out(diff.trim_end_matches('\n'));
            exit = Exit::Findings;
        }
        let text =
            findings::render(Format::Human, output.err_color(), &report.sources, &report.findings);
        if !text.is_empty() {
            output.err(text.trim_end());
        }
    } else {
        if !report.fixed.write(output) {
            exit = Exit::CouldNotRun;
        }
        tell(report, arguments, output);
    }
    let has_errors = report.findings.iter().any(Diagnostic::is_error);
    let found = match (report.was_read, has_errors, arguments.strict && !report.findings.is_empty())
    {
        (false, ..) => Exit::CouldNotRun,
        (true, false, false) => Exit::Clean,
        _ => Exit::Findings,
    };
    exit.max(found)
}

fn tell(report: &Report, arguments: &Arguments, output: &Output) {
    if arguments.format == Format::Sarif {
        return;
    }
    let color = output.out_color();
    let text = findings::render(arguments.format, color, &report.sources, &report.findings);
    if !text.is_empty() {
        output.out(text.trim_end());
    }
    if arguments.format != Format::Human {
        return;
    }
    let count = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    if report.fixed.made > 0 {
        let many = if report.fixed.made == 1 { "fix" } else { "fixes" };
        let files = count(report.fixed.files.len(), "file");
        output.out(format_args!("made {} {many} in {files}", report.fixed.made));
    } else if !arguments.fix {
        let has = |of| {
            report
                .findings
                .iter()
                .filter_map(|found| found.fix.as_ref())
                .filter(move |fix| fix.applicability == of)
                .count()
        };
        match (has(Applicability::Safe), has(Applicability::Unsafe)) {
            (0, 0) => {}
            (0, more) => output.out(format_args!("{more} fixable with --fix --unsafe-fixes")),
            (safe, 0) => output.out(format_args!("{safe} fixable with --fix")),
            (safe, more) => output
                .out(format_args!("{safe} fixable with --fix, {more} more with --unsafe-fixes")),
        }
    }
    let found = render::summary(&report.findings);
    output.out(format_args!(
        "checked {}, {}, {}: {}",
        count(report.files, "file"),
        count(report.rules, "rule"),
        count(report.tests, "test"),
        found.as_deref().unwrap_or("nothing wrong")
    ));
}
