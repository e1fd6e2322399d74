//! `mcpfw check`: everything that can be known before traffic.

use std::path::PathBuf;

use crate::config::{Overrides, load};
use crate::diagnostic::{Diagnostic, Sources, render, sort};

use super::exit::Exit;
use super::findings::{self, Format};
use super::output::Output;
use super::policies;

/// Find every mistake in policy files before they meet traffic
///
/// Reads all `*.toml` below each DIR as one policy set, tells every syntax and type error at once with its place, and runs
/// the `[[test]]` stanzas that stand beside the rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 nothing wrong, 1 errors (with --strict also warnings), 2 a directory or file could not be read.

In CI:  mcpfw check policies/ --strict --format github")]
pub(super) struct Arguments {
    /// Directories of policy files, each a set of its own [default: policies, or the one that --config names]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// Also check this config file, and the names of routes in the policies against it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Let warnings fail too
    #[arg(long)]
    strict: bool,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What one text set came to.
#[derive(Default)]
struct Report {
    findings: Vec<Diagnostic>,
    rules: usize,
    tests: usize,
    files: usize,
    was_read: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let mut folders = arguments.folders.clone();
    let mut routes = None;
    let mut exit = Exit::Clean;
    if let Some(file) = &arguments.config {
        let loaded = load::load(Some(file), &Overrides::default());
        let report = Report {
            was_read: !loaded
                .findings
                .iter()
                .any(|found| found.span().is_none() && found.is_error()),
            findings: loaded.findings,
            files: 1,
            ..Report::default()
        };
        exit = exit.max(tell(&report, &loaded.sources, arguments, output));
        if let Some(config) = loaded.config {
            routes = Some(config.routes.iter().map(|route| route.name.clone()).collect());
            if folders.is_empty() {
                folders.push(config.policies);
            }
        }
    } else if folders.is_empty() {
        folders.push(PathBuf::from("policies"));
    }
    for folder in &folders {
        let set = policies::read(folder, routes.clone());
        let mut report = Report {
            findings: set.findings,
            files: set.sources.iter().count(),
            was_read: set.was_read,
            ..Report::default()
        };
        if let Some(policy) = &set.policy {
            report.rules = policy.rules().len();
            report.tests = policy.tests().len();
            report.findings.extend(policies::failed_tests(policy));
            sort(&mut report.findings);
        }
        exit = exit.max(tell(&report, &set.sources, arguments, output));
    }
    exit
}

fn tell(report: &Report, sources: &Sources, arguments: &Arguments, output: &Output) -> Exit {
    let color = output.out_color();
    let text = findings::render(arguments.format, color, sources, &report.findings);
    if !text.is_empty() {
        output.out(text.trim_end());
    }
    if arguments.format == Format::Human {
        let count = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let found = render::summary(&report.findings);
        output.out(format_args!(
            "checked {}, {}, {}: {}",
            count(report.files, "file"),
            count(report.rules, "rule"),
            count(report.tests, "test"),
            found.as_deref().unwrap_or("nothing wrong")
        ));
    }
    let has_errors = report.findings.iter().any(Diagnostic::is_error);
    match (report.was_read, has_errors, arguments.strict && !report.findings.is_empty()) {
        (false, ..) => Exit::CouldNotRun,
        (true, false, false) => Exit::Clean,
        _ => Exit::Findings,
    }
}
