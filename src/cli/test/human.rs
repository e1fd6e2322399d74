//! What people see: what fails, how to look into it, and what no test has tried.

use crate::diagnostic::visible;
use crate::policy::{Coverage, RuleCoverage};

use super::{Arguments, Case, Output, Report};

/// Prints `reports`.
pub(super) fn tell(reports: &[Report], arguments: &Arguments, output: &Output) {
    let color = output.out_color();
    for report in reports {
        for case in report.cases.iter().filter(|case| arguments.verbose || !case.passes()) {
            output.out(line(case, color));
        }
        if let Some(coverage) = &report.coverage {
            output.out(covered(&report.folder, coverage).trim_end());
        }
    }
    let failed: usize = reports.iter().map(Report::failed).sum();
    let all: usize = reports.iter().map(|report| report.cases.len()).sum();
    if all > 0 {
        let tests = if all == 1 { "1 test".to_owned() } else { format!("{all} tests") };
        let verdict = match failed {
            0 => painted(color, "32", "all pass"),
            _ => painted(color, "31", &format!("{failed} failed, {} passed", all - failed)),
        };
        output.out(format_args!("{tests}: {verdict}"));
    }
}

/// One test.
fn line(case: &Case, color: bool) -> String {
    let test = &case.test;
    let (file, name) = (visible(test.file()), visible(test.name()));
    let place = format!("{file}:{}", test.line());
    if case.passes() {
        return format!("{place}: {} {name}", painted(color, "32", "ok"));
    }
    let fail = painted(color, "31", "FAIL");
    format!("{place}: {fail} {name}: {}\n    {}", case.told(), case.explain)
}

fn painted(color: bool, code: &str, text: &str) -> String {
    if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// What the tests have seen of a set.
fn covered(folder: &str, coverage: &Coverage) -> String {
    let (seen, all) = coverage.seen();
    let percent = coverage.percent();
    let mut out = format!("coverage of {}: {percent}% ({seen} of {all})\n", visible(folder));
    for rule in coverage.rules() {
        let (seen, all) = rule.seen();
        let (effect, name) = (rule.info.effect().as_str(), visible(rule.info.name()));
        let place = format!("{}:{}", visible(rule.info.file()), rule.info.line());
        out.push_str(&format!("  {seen}/{all} {effect} {name} ({place}): {}\n", outcomes(rule)));
        for atom in rule.atoms.iter().filter(|_| rule.is_exercised()) {
            let missing = match (atom.was_true, atom.was_false) {
                (true, true) => continue,
                (true, false) => "never false",
                (false, true) => "never true",
                (false, false) => "always unknown",
            };
            out.push_str(&format!("      {missing}: {}\n", visible(&atom.text)));
        }
    }
    out
}

fn outcomes(rule: &RuleCoverage) -> String {
    let seen = [
        (rule.applied, "applied"),
        (rule.was_false, "condition false"),
        (rule.was_unknown, "condition unknown"),
    ];
    let seen: Vec<_> = seen.into_iter().filter(|(was, _)| *was).map(|(_, what)| what).collect();
    let mut text = if seen.is_empty() { "no test asks it".to_owned() } else { seen.join(", ") };
    if rule.is_exercised() && !rule.applied {
        text.push_str("; never applied");
    }
    text
}
