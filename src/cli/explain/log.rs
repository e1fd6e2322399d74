//! A call that a log tells of.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::cli::logs;
use crate::cli::output::{Output, escaped};
use crate::diagnostic::visible;
use crate::policy::{Certainty, Policy};
use crate::replay::{Asked, Judge, Line, Place, Record};

use super::{Exit, Format};

/// A record of a log, in the place of a call made of words.
#[derive(Debug, clap::Args)]
pub(super) struct Logged {
    /// A log that `run` wrote, plain or zstd: the call that it tells of is asked
    #[arg(
        long,
        value_name = "FILE",
        requires = "request_id",
        group = "asked",
        conflicts_with_all = ["tool", "prompt", "resource", "method", "server_request", "request", "claims", "token", "args"],
    )]
    pub(super) log: Option<PathBuf>,

    /// The request id of that record: `request_id` of its line, which the caller was told as well
    #[arg(long, value_name = "ID", requires = "log")]
    request_id: Option<String>,
}

/// What is said of one call.
struct Told {
    place: Place,
    text: String,
    json: Json,
}

impl Logged {
    /// Explains every call of the request in `log`.
    pub(super) fn tell(
        &self,
        log: &PathBuf,
        policy: &Policy,
        format: Format,
        output: &Output,
    ) -> Exit {
        let wanted = self.request_id.as_deref().unwrap_or_default();
        let make = || (Judge::new(policy, None), Vec::new());
        let read = logs::read(std::slice::from_ref(log), make, |(judge, found), reader, chunk| {
            chunk.each(reader, |place, line| match line {
                Ok(Line::Record(record)) if record.request_id == wanted => {
                    let told =
                        record.calls.iter().map(|call| told(place, judge, record, call, policy));
                    found.extend(told);
                }
                _ => {}
            });
        });
        let mut found: Vec<Told> = match read {
            Ok(states) => states.into_iter().flat_map(|(_, found)| found).collect(),
            Err(problem) => {
                output.err(format_args!("error: {problem}"));
                return Exit::CouldNotRun;
            }
        };
        found.sort_by_key(|told| told.place);
        if found.is_empty() {
            let (name, wanted) = (log.display().to_string(), visible(wanted));
            output.err(format_args!(
                "error: no call in `{}` has the request id `{wanted}`",
                visible(&name)
            ));
            return Exit::CouldNotRun;
        }
        let name = log.display().to_string();
        if format == Format::Json {
            let all = found
                .into_iter()
                .map(|told| json!({ "file": name, "line": told.place.line, "call": told.json }));
            output.out(escaped(&Json::from(all.collect::<Vec<_>>()).to_string()));
            return Exit::Clean;
        }
        for (at, told) in found.iter().enumerate() {
            let gap = if at > 0 { "\n" } else { "" };
            let place = format!("{}:{}", visible(&name), told.place.line);
            output.out(format_args!("{gap}{place}: {}", told.text.trim_end()));
        }
        Exit::Clean
    }
}

/// What `record` says of `call`, and what the rules say now.
fn told<'l>(
    place: Place,
    judge: &mut Judge<'_>,
    record: &Record<'_, 'l>,
    call: &Asked<'l>,
    policy: &Policy,
) -> Told {
    let by = call.rule.map(|rule| format!(" by `{}`", visible(rule))).unwrap_or_default();
    let reason = record.reason.map(|reason| format!(": {}", visible(reason))).unwrap_or_default();
    let then = format!("recorded as {}{by}{reason}", visible(record.decision));
    let asking = match Judge::then(record, call).and_then(|_| judge.ask(record, call)) {
        Ok(asking) => asking,
        Err(why) => {
            let text = format!("{then}\nnot judged: {why}");
            let json = json!({ "then": record.decision, "not_judged": why.to_string() });
            return Told { place, text, json };
        }
    };
    let (principal, context, at) = (asking.principal(), asking.context(), asking.at);
    let (call, missing) = (&asking.call, &asking.missing);
    let certainty = policy.decide_without(principal, &context, call, missing, at);
    let open = match certainty {
        Certainty::Undecided { .. } => policy.open_rules(principal, &context, call, missing, at),
        Certainty::Permitted(_) | Certainty::Refused(_) => Vec::new(),
    };
    let mut lacks: Vec<String> =
        open.iter().flat_map(|rule| policy.lacks(*rule, missing)).collect();
    lacks.sort();
    lacks.dedup();
    let said = match lacks.is_empty() {
        true => "the record has all that decides".to_owned(),
        false => format!(
            "undecided: the record lacks {}; below, what it lacks counts as not there",
            visible(&lacks.join(", "))
        ),
    };
    let explained = policy.explain(principal, &context, call, at);
    let json = json!({
        "then": record.decision,
        "then_rule": record.calls.iter().find_map(|call| call.rule),
        "undecided": !open.is_empty(),
        "lacks": lacks,
        "explanation": explained.to_json(),
    });
    Told { place, text: format!("{then}\n{said}\n\n{explained}"), json }
}
