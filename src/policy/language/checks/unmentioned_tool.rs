//! P048, warning: a tool that no rule mentions
//!
//! ## What it does
//! Reports tools of the lock file that no rule selects.
//!
//! ## Why is this bad
//! They are refused to everybody, and nobody has said so. Either they were forgotten, or a deny with a message says
//! it better.
//!
//! ## Example
//! ```json
//! { "tools": [{ "name": "search" }, { "name": "export" }] }
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! ```
//!
//! ## Use instead
//! ```json
//! { "tools": [{ "name": "search" }, { "name": "export" }] }
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[deny]]
//! name = "no-exports"
//! tools = ["export"]
//! message = "Ask the data team."
//! ```

use super::uses::Work;
use crate::diagnostic::Diagnostic;
use crate::lock::List;
use crate::policy::language::{Draft, codes};
use crate::policy::selector::{Question, Space, Subject};

/// Most names that are told.
const SHOWN: usize = 8;

pub(super) fn check(draft: &Draft<'_>, work: &Work) {
    let Some(lock) = &draft.options.lock else { return };
    let mentions = |rule: &crate::policy::language::DraftRule| {
        rule.stanza.patterns.iter().any(|(space, _)| *space == Space::Tools)
    };
    // A set that says nothing of tools is of another kind of server, or only begun.
    let Some(first) = draft.rules.iter().find(|rule| mentions(rule)) else { return };
    let mut missing = Vec::new();
    for tool in lock.items(List::Tools) {
        if !work.take(draft.rules.len()) {
            return;
        }
        let subject = Subject::new(Space::Tools, tool.id());
        let is_mentioned = draft.rules.iter().any(|rule| {
            rule.stanza.is_everything && rule.info.effect == crate::policy::Effect::Allow
                || rule.stanza.patterns.iter().any(|(space, pattern)| {
                    *space == Space::Tools && pattern.matches(&subject, Question::Use)
                })
        });
        if !is_mentioned {
            missing.push(tool.id());
        }
    }
    let Some(one) = missing.first() else { return };
    let mut names: Vec<String> =
        missing.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if missing.len() > SHOWN {
        names.push("…".to_owned());
    }
    let message = match missing.len() {
        1 => format!("no rule mentions `{one}`"),
        n => format!("no rule mentions {n} tools of the server: {}", names.join(", ")),
    };
    draft.report(
        Diagnostic::warning(codes::UNMENTIONED_TOOL, message)
            .primary(first.name, "the first rule about tools")
            .help("it is refused to everybody: allow it, or deny it with a `message`"),
    );
}
