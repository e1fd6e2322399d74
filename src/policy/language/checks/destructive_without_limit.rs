//! P043, warning: a destructive tool without a limit
//!
//! ## What it does
//! Reports an allow that reaches a tool which the lock file says is destructive, where no limit counts the calls of
//! that tool.
//!
//! ## Why is this bad
//! A model that has gone astray repeats itself quickly. A limit is the difference between one file that is gone and
//! all of them.
//!
//! ## Example
//! ```json
//! { "tools": [{ "name": "delete_file", "annotations": { "destructiveHint": true } }] }
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "deletes"
//! tools = ["delete_file"]
//! ```
//!
//! ## Use instead
//! ```json
//! { "tools": [{ "name": "delete_file", "annotations": { "destructiveHint": true } }] }
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "deletes"
//! tools = ["delete_file"]
//!
//! [[limit]]
//! name = "ten-deletes"
//! tools = ["delete_*"]
//! per = ["claims.sub"]
//! rate = "10/min"
//! ```

use super::uses::Work;
use crate::diagnostic::{Diagnostic, Span};
use crate::lock::{Item, List, Value};
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::selector::{Question, Space, Subject};
use crate::policy::stanza::Body;
use crate::policy::{Effect, Mode};

pub(super) fn check(draft: &Draft<'_>, work: &Work) {
    let Some(lock) = &draft.options.lock else { return };
    for tool in lock.items(List::Tools).filter(|tool| is_destructive(tool)) {
        if !work.take(draft.rules.len()) {
            return;
        }
        let subject = Subject::new(Space::Tools, tool.id());
        let in_force = || draft.rules.iter().filter(|rule| rule.info.mode == Mode::Enforce);
        let counts = |rule: &DraftRule| match &rule.stanza.body {
            Body::Limit(limit) => limit.budget.is_some(),
            _ => false,
        };
        if in_force().any(|rule| counts(rule) && place(rule, &subject).is_some()) {
            continue;
        }
        let allows = in_force().filter(|rule| rule.info.effect == Effect::Allow);
        let Some(span) = allows.into_iter().find_map(|rule| place(rule, &subject)) else {
            continue;
        };
        let message = format!("`{}` is destructive, and no limit counts its calls", tool.id());
        draft.report(
            Diagnostic::warning(codes::DESTRUCTIVE_WITHOUT_LIMIT, message)
                .primary(span, "allowed here")
                .help(format!(
                    "add a `[[limit]]` with `tools = [{:?}]`, `per` and `rate`",
                    tool.id()
                )),
        );
    }
}

/// Where `rule` selects `subject`.
fn place(rule: &DraftRule, subject: &Subject<'_>) -> Option<Span> {
    if rule.stanza.is_everything {
        return Some(rule.name);
    }
    let patterns = rule.stanza.patterns.iter().zip(&rule.patterns);
    let selects = |(space, pattern): &(Space, _)| {
        let pattern: &crate::policy::selector::Pattern = pattern;
        *space == Space::Tools && pattern.matches(subject, Question::Use)
    };
    patterns.into_iter().find(|(pattern, _)| selects(pattern)).map(|(_, span)| *span)
}

/// Whether the lock says so. A tool that says nothing would count as destructive by the specification; to warn of each
/// such tool would be to warn of all.
fn is_destructive(tool: &Item) -> bool {
    let says = |hint: &str| {
        tool.member("annotations")
            .and_then(|annotations| annotations.member(hint))
            .is_some_and(|value| value.value == Value::Bool(true))
    };
    says("destructiveHint") && !says("readOnlyHint")
}
