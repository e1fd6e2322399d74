//! What programs read.

use serde_json::{Value as Json, json};

use crate::cli::output::escaped;
use crate::policy::{Counts, Coverage};

use super::{Case, Report};

/// One object on one line: `passed` and `failed` (numbers of tests), and `sets`, each with `folder`, `errors` (messages; with any,
/// nothing was run), `tests` (each with `name`, `file`, `line`, `passed`, `expected` and `found` as numbers of calls, `by`,
/// `decided`, `explain`) and `coverage` (null, or `percent`, `seen`, `all` and `rules`). No character in it is hidden (T57).
pub(super) fn document(reports: &[Report]) -> String {
    let failed: usize = reports.iter().map(Report::failed).sum();
    let all: usize = reports.iter().map(|report| report.cases.len()).sum();
    let sets: Vec<_> = reports
        .iter()
        .map(|report| {
            let errors = report.broken.iter().filter(|found| found.is_error());
            json!({
                "folder": report.folder,
                "errors": errors.map(|found| found.message.to_string()).collect::<Vec<_>>(),
                "tests": report.cases.iter().map(test).collect::<Vec<_>>(),
                "coverage": report.coverage.as_ref().map(coverage),
            })
        })
        .collect();
    escaped(&json!({ "passed": all - failed, "failed": failed, "sets": sets }).to_string())
}

fn test(case: &Case) -> Json {
    let decided = case.decided.iter().map(|(rule, calls)| {
        json!({
            "rule": rule.as_ref().map(|rule| &rule.name),
            "place": rule.as_ref().map(|rule| &rule.place),
            "calls": calls,
        })
    });
    json!({
        "name": case.test.name(),
        "file": case.test.file(),
        "line": case.test.line(),
        "passed": case.passes(),
        "expected": counts(case.test.expected()),
        "found": counts(case.tried.found),
        "by": case.test.by(),
        "decided": decided.collect::<Vec<_>>(),
        "explain": case.explain,
    })
}

fn counts(counts: Counts) -> Json {
    json!({ "allow": counts.allow, "deny": counts.deny, "limit": counts.limit })
}

fn coverage(coverage: &Coverage) -> Json {
    let (seen, all) = coverage.seen();
    let rules = coverage.rules().iter().map(|rule| {
        let (seen, all) = rule.seen();
        let atoms = rule.atoms.iter().map(|atom| {
            json!({
                "text": atom.text,
                "true": atom.was_true,
                "false": atom.was_false,
                "unknown": atom.was_unknown,
            })
        });
        json!({
            "rule": **rule.info.name(),
            "effect": rule.info.effect().as_str(),
            "file": **rule.info.file(),
            "line": rule.info.line(),
            "exercised": rule.is_exercised(),
            "applied": rule.applied,
            "condition_false": rule.was_false,
            "condition_unknown": rule.was_unknown,
            "conditions": atoms.collect::<Vec<_>>(),
            "seen": seen,
            "all": all,
        })
    });
    let rules: Vec<_> = rules.collect();
    json!({ "percent": coverage.percent(), "seen": seen, "all": all, "rules": rules })
}
