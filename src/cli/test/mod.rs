//! `mcpfw test`: the examples that stand beside the rules.

mod human;
mod json;
mod junit;
mod watch;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Sources, visible};
use crate::policy::{Coverage, Policy, PolicyTest, RuleId, Tried};

use super::exit::Exit;
use super::findings;
use super::output::Output;
use super::policies;

/// Run the examples that stand beside the rules, and show what they leave untried
///
/// Each `[[test]]` of a set is a call, a caller, and what must come of it. It is decided by the same engine and counted by the
/// same budgets as traffic, with empty budgets and a clock of its own: a test over a day takes no day.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A test, in any policy file:
  [[test]]
  name   = \"five searches pass, the sixth waits\"
  as     = { sub = \"ann\", plan = \"free\" }             # claims; without it: anonymous
  call   = { tool = \"search\", args = { q = \"rust\" } } # or prompt, resource, method
  repeat = 6                                          # every = \"1s\": time between two calls
  expect = { allow = 5, limit = 1 }                   # or \"allow\", \"deny\", \"limit\"
  by     = \"search-by-plan\"                           # the rule that must decide

Coverage counts, of each rule, that it applied; where it has a `when`, also that
it did not, and that each comparison in it was true and was false. Rules that
have expired do not count.

Exit codes: 0 all tests pass; 1 a test fails, the coverage is below
--coverage-min, or the policies have errors; 2 a directory could not be read, or
there was no test to run.

In CI:  mcpfw test policies/ --coverage-min 80 --format junit > mcpfw.xml")]
pub(super) struct Arguments {
    /// Directories of policy files, each a set of its own [default: policies]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// The same as DIR, as the other commands have it
    #[arg(long, value_name = "DIR")]
    policies: Vec<PathBuf>,

    /// Run only tests whose name contains TEXT
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// List the tests that pass, too
    #[arg(short, long)]
    verbose: bool,

    /// Show what the tests that were run have seen of each rule, and what not
    #[arg(long)]
    coverage: bool,

    /// Fail where less than N percent of a set is covered
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_min: Option<u8>,

    /// Run them again whenever a file of a set changes, until interrupted
    #[arg(long)]
    watch: bool,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Arguments {
    /// The directories of all sets.
    fn sets(&self) -> Vec<PathBuf> {
        let named = [&*self.folders, &*self.policies].concat();
        if named.is_empty() { vec![PathBuf::from("policies")] } else { named }
    }
}

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// People: a line for each test that fails, and how to look into it.
    #[default]
    Human,
    /// Programs: one JSON document.
    Json,
    /// CI servers: one JUnit XML document.
    Junit,
    /// GitHub Actions: annotations on the files of a change.
    Github,
}

/// What one set came to.
struct Report {
    /// As it was named.
    folder: String,
    sources: Sources,
    /// Why there is nothing to run: the set is broken.
    broken: Vec<Diagnostic>,
    was_read: bool,
    cases: Vec<Case>,
    coverage: Option<Coverage>,
}

/// One test that was run.
struct Case {
    test: PolicyTest,
    tried: Tried,
    /// The rules that decided, as people read them, and how many calls each.
    decided: Vec<(Option<Decider>, u32)>,
    /// The command line that explains its call, quoted for a shell.
    explain: String,
}

/// A rule that decided.
struct Decider {
    name: String,
    place: String,
}

impl Case {
    fn run(policy: &Policy, test: &PolicyTest, folder: &str) -> Self {
        let tried = policies::try_out(policy, test, policies::now());
        let decider = |id: RuleId| {
            let info = policy.rule(id)?;
            let place = format!("{}:{}", info.file(), info.line());
            Some(Decider { name: info.name().to_string(), place })
        };
        let decided =
            tried.decided.iter().map(|(rule, calls)| (rule.and_then(decider), *calls)).collect();
        let explain = test.explain_command(folder);
        Self { test: test.clone(), tried, decided, explain }
    }

    fn passes(&self) -> bool {
        self.tried.failure.is_none()
    }

    /// What was expected and what came, on one line.
    fn told(&self) -> String {
        let counts = format!("expected {}, found {}", self.test.expected(), self.tried.found);
        let by = match self.test.by() {
            Some(by) if self.tried.found == self.test.expected() => format!("expected by {by}; "),
            _ => String::new(),
        };
        let decided = self.decided.iter().map(|(rule, calls)| {
            let rule = match rule {
                Some(rule) => format!("{} ({})", rule.name, rule.place),
                None => "no rule".to_owned(),
            };
            if self.decided.len() > 1 { format!("{rule} {calls}×") } else { rule }
        });
        let decided = decided.collect::<Vec<_>>().join(", ");
        visible(&format!("{counts}; {by}decided by {decided}")).into_owned()
    }
}

impl Report {
    fn new(folder: &Path, arguments: &Arguments) -> Self {
        let name = folder.display().to_string();
        let set = policies::read(folder, None);
        let mut report = Self {
            folder: name,
            sources: set.sources,
            broken: Vec::new(),
            was_read: set.was_read,
            cases: Vec::new(),
            coverage: None,
        };
        let Some(policy) = set.policy else {
            report.broken = set.findings;
            return report;
        };
        let is_wanted = |test: &&PolicyTest| {
            arguments.filter.as_ref().is_none_or(|text| test.name().contains(text.as_str()))
        };
        let tests: Vec<_> = policy.tests().iter().filter(is_wanted).collect();
        report.cases = tests.iter().map(|test| Case::run(&policy, test, &report.folder)).collect();
        if arguments.coverage || arguments.coverage_min.is_some() {
            report.coverage = Some(policy.coverage(tests, policies::now()));
        }
        report
    }

    fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.passes()).count()
    }

    /// The coverage in percent, where it is less than what is asked for.
    fn lacks(&self, least: Option<u8>) -> Option<usize> {
        let percent = self.coverage.as_ref()?.percent();
        (percent < usize::from(least?)).then_some(percent)
    }

    fn exit(&self, arguments: &Arguments) -> Exit {
        let is_short = self.lacks(arguments.coverage_min).is_some();
        match (self.was_read, self.broken.is_empty()) {
            (false, _) => Exit::CouldNotRun,
            (true, true) if self.failed() == 0 && !is_short => Exit::Clean,
            _ => Exit::Findings,
        }
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if !arguments.watch {
        return once(arguments, output);
    }
    let sets = arguments.sets();
    let mut watch = watch::Watch::new(&sets);
    loop {
        let _ = once(arguments, output);
        output.err("waiting for a change; Ctrl-C ends");
        watch.wait();
    }
}

/// Reads the sets, runs their tests and tells what came of them.
fn once(arguments: &Arguments, output: &Output) -> Exit {
    let reports: Vec<_> =
        arguments.sets().iter().map(|folder| Report::new(folder, arguments)).collect();
    for report in &reports {
        findings::complain(output, &report.sources, &report.broken);
    }
    match arguments.format {
        Format::Human => human::tell(&reports, arguments, output),
        Format::Json => output.out(json::document(&reports)),
        Format::Junit => output.out(junit::document(&reports, arguments.coverage_min).trim_end()),
        Format::Github => annotate(&reports, output),
    }
    let mut exit = reports.iter().map(|it| it.exit(arguments)).max().unwrap_or(Exit::CouldNotRun);
    for report in &reports {
        if let (Some(percent), Some(least)) =
            (report.lacks(arguments.coverage_min), arguments.coverage_min)
        {
            let folder = visible(&report.folder);
            output.err(format_args!(
                "error: {percent}% of `{folder}` is covered, less than {least}%"
            ));
        }
    }
    let is_broken = reports.iter().any(|report| !report.broken.is_empty());
    if !is_broken && reports.iter().all(|report| report.cases.is_empty()) {
        match &arguments.filter {
            Some(text) => {
                output.err(format_args!("error: no test has `{}` in its name", visible(text)));
            }
            None => {
                output.err("error: there is no [[test]]\n  help: `mcpfw test --help` shows one");
            }
        }
        exit = Exit::CouldNotRun;
    }
    exit
}

/// Annotates what fails.
fn annotate(reports: &[Report], output: &Output) {
    for report in reports {
        let failures = report.cases.iter().filter_map(|case| {
            let failure = case.tried.failure.clone()?;
            Some(failure.help(format!("{}: {}", case.told(), case.explain)))
        });
        let all: Vec<_> = report.broken.iter().cloned().chain(failures).collect();
        let text = findings::render(findings::Format::Github, false, &report.sources, &all);
        if !text.is_empty() {
            output.out(text.trim_end());
        }
    }
}
