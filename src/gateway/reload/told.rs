//! What an operator is told of a reload: lines of which no file of a policy set can forge one (T57).

use super::Policies;
use crate::diagnostic::{Diagnostic, Sources, visible};

/// Most findings that are told, and most bytes of one. `mcpfw check` tells all.
const MOST: usize = 20;
const BYTES: usize = 500;

/// What came of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadEvent {
    /// The set that is in force now.
    pub generation: u64,
    /// Whether it is a new one.
    pub is_new: bool,
    /// One line for what happened, and one for each finding. In none of them is a character hidden, a line end included.
    pub lines: Vec<String>,
}

impl ReloadEvent {
    pub(super) fn reloaded(
        policies: &Policies,
        sources: &Sources,
        findings: &[Diagnostic],
    ) -> Self {
        let policy = policies.current();
        let rules = match policy.rules().len() {
            1 => "1 rule".to_owned(),
            count => format!("{count} rules"),
        };
        let head = format!(
            "policies reloaded: {rules}, generation {}, digest {}",
            policy.generation(),
            policy.digest()
        );
        Self::new(policies, true, head, sources, findings)
    }

    pub(super) fn refused(policies: &Policies, sources: &Sources, findings: &[Diagnostic]) -> Self {
        let count = match findings.iter().filter(|found| found.is_error()).count() {
            1 => "1 error".to_owned(),
            count => format!("{count} errors"),
        };
        let head = format!("policies not reloaded: {count}; {}", stays(policies));
        Self::new(policies, false, head, sources, findings)
    }

    pub(super) fn unchanged(policies: &Policies) -> Self {
        let head = format!("policies unchanged; {}", stays(policies));
        Self::new(policies, false, head, &Sources::new(), &[])
    }

    pub(super) fn restless(policies: &Policies, is_watched: bool) -> Self {
        let then =
            if is_watched { "they are read when they rest" } else { "ask again when they rest" };
        let head =
            format!("policies not reloaded: the files keep changing, {then}; {}", stays(policies));
        Self::new(policies, false, head, &Sources::new(), &[])
    }

    pub(super) fn failed(policies: &Policies) -> Self {
        let head = format!("policies not reloaded: reading them failed; {}", stays(policies));
        Self::new(policies, false, head, &Sources::new(), &[])
    }

    fn new(
        policies: &Policies,
        is_new: bool,
        head: String,
        sources: &Sources,
        findings: &[Diagnostic],
    ) -> Self {
        let mut lines = vec![head];
        // The errors first: they are what is to be mended.
        let (errors, others): (Vec<_>, Vec<_>) =
            findings.iter().partition(|found| found.is_error());
        lines.extend(errors.iter().chain(&others).take(MOST).map(|found| line(sources, found)));
        if findings.len() > MOST {
            lines.push(format!("{} more findings: see `mcpfw check`", findings.len() - MOST));
        }
        Self { generation: policies.current().generation(), is_new, lines }
    }
}

fn stays(policies: &Policies) -> String {
    format!("generation {} stays in force", policies.current().generation())
}

/// A finding as one line, as compilers write it: `file:line:column: error[P001]: message`.
fn line(sources: &Sources, found: &Diagnostic) -> String {
    let place = found.span().and_then(|span| Some((sources.source(span.source)?, span)));
    let place = place.map_or_else(String::new, |(source, span)| {
        let position = source.position(span.start);
        format!("{}:{}:{}: ", source.name(), position.line, position.column)
    });
    let help = found.help.as_deref().map_or_else(String::new, |help| format!("; {help}"));
    let text = format!("{place}{}[{}]: {}{help}", found.severity, found.code, found.message);
    let mut shown = visible(&text).into_owned();
    shown.truncate(shown.floor_char_boundary(BYTES));
    shown
}
