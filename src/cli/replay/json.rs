//! What programs read of a replay.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::cli::output::escaped;
use crate::replay::{By, Verdict};

use super::Report;

/// One object on one line. Numbers of calls: `calls`, `still_allowed`, `still_denied`, `now_denied`, `now_allowed`, `undecided`,
/// `limited`, `not_judged` (by why); of lines: `records`, `outside`, `lost`, `faults` (by why), `faulty` (the first places); and
/// `groups`, each with `change` (`now_denied`, `now_allowed`, `undecided`), `rule`, `place` and `reason` of what decides now,
/// `needs`, `target`, `caller`, `calls` and `example`. No character in it is hidden (T57).
pub(super) fn document(report: &Report<'_>) -> String {
    let tally = &report.tally;
    let named = |counts: Vec<(String, u64)>| counts.into_iter().collect::<BTreeMap<_, _>>();
    let faulty = tally.faulty.iter().map(|(place, fault)| {
        json!({ "file": report.file(place.file), "line": place.line, "fault": fault.to_string() })
    });
    let document = json!({
        "policies": report.arguments.policies.display().to_string(),
        "digest": report.policy.digest().as_str(),
        "records": tally.records,
        "calls": tally.calls,
        "still_allowed": tally.still_allowed,
        "still_denied": tally.still_denied,
        "now_denied": tally.now_denied,
        "now_allowed": tally.now_allowed,
        "undecided": tally.open,
        "limited": tally.limited,
        "not_judged": named(tally.unjudged.iter().map(|(why, n)| (why.to_string(), *n)).collect()),
        "outside": tally.outside,
        "lost": tally.lost,
        "faults": named(tally.faults.iter().map(|(why, n)| (why.to_string(), *n)).collect()),
        "faulty": faulty.collect::<Vec<_>>(),
        "ungrouped": tally.ungrouped(),
        "groups": groups(report),
    });
    escaped(&document.to_string())
}

fn groups(report: &Report<'_>) -> Vec<Json> {
    let rule = |by| match by {
        By::Rule(id) => report.policy.rule(id),
        By::NoRule(_) => None,
    };
    let one = |(key, group): (&crate::replay::Key, &crate::replay::Group)| {
        let decides = rule(key.by);
        json!({
            "change": match key.to {
                Some(Verdict::Deny) => "now_denied",
                Some(Verdict::Allow) => "now_allowed",
                None => "undecided",
            },
            "rule": decides.map(|rule| &**rule.name()),
            "place": decides.map(|rule| format!("{}:{}", rule.file(), rule.line())),
            "reason": match key.by {
                By::NoRule(reason) => reason,
                By::Rule(_) => None,
            },
            "needs": &*key.needs,
            "target": { "kind": key.target.0, "name": key.target.1 },
            "caller": { "kind": key.caller.0, "id": key.caller.1 },
            "calls": group.calls,
            "example": {
                "file": report.file(group.example.place.file),
                "line": group.example.place.line,
                "request_id": group.example.request_id,
                "then_rule": group.example.then_rule,
            },
        })
    };
    report.tally.groups().iter().map(one).collect()
}
