//! What people see of a replay: the counts, and what changes, by rule, by what was called and by caller.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diagnostic::visible;
use crate::replay::{By, Example, Group, Key, Verdict};

use super::Report;

/// Callers that are named of each thing that was called.
const CALLERS: usize = 3;
/// Things that were called that are named of each rule.
const TARGETS: usize = 10;
/// Rules that are named of each kind of change.
const RULES: usize = 20;

/// The report.
pub(super) fn text(report: &Report<'_>, color: bool) -> String {
    let tally = &report.tally;
    let (folder, rules) = (report.arguments.policies.display().to_string(), report.policy.rules());
    let mut out = String::new();
    // Writing to a String cannot fail.
    let calls = counted(tally.calls, "call");
    let rules = counted(rules.len() as u64, "rule");
    let records = counted(tally.records, "record");
    let _ = writeln!(out, "replayed {calls} of {records} against {} ({rules})", visible(&folder));
    let lines = [
        (tally.still_allowed, "allowed then and now", None),
        (tally.still_denied, "refused then and now", None),
        (tally.now_denied, "allowed then, refused now", Some("31")),
        (tally.now_allowed, "refused then, allowed now", Some("33")),
        (tally.open, "undecided: the records lack what decides", Some("36")),
    ];
    let width = lines.iter().map(|(count, ..)| count.to_string().len()).max().unwrap_or_default();
    for (count, what, code) in lines {
        let line = format!("  {count:>width$}  {what}");
        match code.filter(|_| color && count > 0) {
            Some(code) => writeln!(out, "\u{1b}[{code}m{line}\u{1b}[0m"),
            None => writeln!(out, "{line}"),
        }
        .unwrap_or_default();
    }
    let unjudged = tally.unjudged.iter().map(|(why, count)| (*count, why.to_string()));
    let outside = (tally.outside > 0).then(|| (tally.outside, "outside of that time".to_owned()));
    for (count, why) in unjudged.chain(outside) {
        let _ = writeln!(out, "  {count:>width$}  not judged: {why}");
    }
    for (to, title) in [
        (Some(Verdict::Deny), "allowed then, refused now"),
        (Some(Verdict::Allow), "refused then, allowed now"),
        (None, "undecided"),
    ] {
        section(&mut out, report, to, title);
    }
    if tally.ungrouped() > 0 {
        let _ = writeln!(out, "\n{} more are counted, and not listed", tally.ungrouped());
    }
    if tally.limited > 0 {
        let _ = writeln!(
            out,
            "\nnote: limits are not replayed: {} that a limit refused count as allowed by the rules",
            counted(tally.limited, "call")
        );
    }
    out
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What is told of some calls.
struct Told<'a> {
    calls: u64,
    example: &'a Example,
}

impl<'a> Told<'a> {
    fn add(known: &mut Option<Self>, group: &'a Group) {
        match known {
            None => *known = Some(Self { calls: group.calls, example: &group.example }),
            Some(known) => {
                known.calls += group.calls;
                known.example = known.example.min(&group.example);
            }
        }
    }
}

type Groups<'a> = Vec<(&'a Key, &'a Group)>;
/// Groups that have something in common, and what is told of them.
type Row<'a, K> = (K, Told<'a>, Groups<'a>);

/// Groups by what `of` says of them, the largest first.
fn grouped<'a, K: Ord>(groups: &Groups<'a>, of: impl Fn(&'a Key) -> K) -> Vec<Row<'a, K>> {
    let mut found: BTreeMap<K, (Option<Told<'a>>, Groups<'a>)> = BTreeMap::new();
    for (key, group) in groups {
        let known = found.entry(of(key)).or_insert((None, Vec::new()));
        Told::add(&mut known.0, group);
        known.1.push((key, group));
    }
    let mut found: Vec<_> =
        found.into_iter().filter_map(|(key, (told, groups))| Some((key, told?, groups))).collect();
    found.sort_by_key(|(_, told, _)| std::cmp::Reverse(told.calls)); // stable
    found
}

fn section(out: &mut String, report: &Report<'_>, to: Option<Verdict>, title: &str) {
    let groups: Groups<'_> = report.tally.groups().iter().filter(|(key, _)| key.to == to).collect();
    let rules = grouped(&groups, |key| (key.by, &key.needs));
    let more = rules.len().saturating_sub(RULES);
    for ((by, needs), told, groups) in rules.into_iter().take(RULES) {
        let by = deciding(report, by, to);
        let needs = match needs.is_empty() {
            true => String::new(),
            false => format!(", needs {}", visible(&needs.join(", "))),
        };
        let _ = writeln!(out, "\n{title} {by}{needs}: {}", counted(told.calls, "call"));
        let targets = grouped(&groups, |key| (key.target.0, &*key.target.1));
        let more = targets.len().saturating_sub(TARGETS);
        for ((kind, name), told, groups) in targets.into_iter().take(TARGETS) {
            let _ = writeln!(out, "  {kind} {}: {}", visible(name), told.calls);
            let callers = grouped(&groups, |key| (key.caller.0, &*key.caller.1));
            let more = callers.len().saturating_sub(CALLERS);
            let callers = callers.into_iter().take(CALLERS).map(|((kind, id), told, _)| {
                let id = if id.is_empty() { String::new() } else { format!(" {}", visible(id)) };
                format!("{kind}{id}: {}", told.calls)
            });
            let callers = callers.collect::<Vec<_>>().join(", ");
            let more = and_more(more, "caller");
            let _ = writeln!(out, "    {callers}{more}");
            let example = told.example;
            let place = format!("{}:{}", report.file(example.place.file), example.place.line);
            let then = example
                .then_rule
                .as_deref()
                .map_or(String::new(), |rule| format!(", decided by `{}` then", visible(rule)));
            let _ = writeln!(
                out,
                "    first: {} request {}{then}",
                visible(&place),
                visible(&example.request_id)
            );
        }
        if more > 0 {
            let _ = writeln!(out, "  {}", and_more(more, "name").trim_start_matches(", "));
        }
    }
    if more > 0 {
        let _ = writeln!(out, "\n{title}: {}", and_more(more, "rule").trim_start_matches(", "));
    }
}

fn and_more(count: usize, what: &str) -> String {
    match count {
        0 => String::new(),
        count => format!(", and {}", counted(count as u64, &format!("more {what}"))),
    }
}

/// Who decides now, as it reads behind the verdict.
fn deciding(report: &Report<'_>, by: By, to: Option<Verdict>) -> String {
    match by {
        By::Rule(id) => report.policy.rule(id).map_or_else(String::new, |rule| {
            let place = format!("{}:{}", rule.file(), rule.line());
            format!("by `{}` ({})", visible(rule.name()), visible(&place))
        }),
        By::NoRule(Some(reason)) => format!("({reason})"),
        By::NoRule(None) if to.is_none() => String::new(),
        By::NoRule(None) => "(part of the protocol's lifecycle)".into(),
    }
}
