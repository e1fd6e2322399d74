//! P040, error: type clash
//!
//! ## What it does
//! Reports an operation on a claim or argument that, by `schema.toml` or by the input schemas in the lock file,
//! never is of a type that it is for.
//!
//! ## Why is this bad
//! What does not fit is unknown, always. The condition cannot tell any two callers or calls apart.
//!
//! ## Example
//! ```toml
//! # schema.toml
//! [claims]
//! level = "number"
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claims.level == "3"'
//! ```
//!
//! ## Use instead
//! ```toml
//! # schema.toml
//! [claims]
//! level = "number"
//! ```
//!
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claims.level == 3'
//! ```

use super::uses::Asked;
use crate::diagnostic::Diagnostic;
use crate::policy::expr::Question;
use crate::policy::language::{Draft, codes};
use crate::policy::types::{Kind, Kinds, Presence};

pub(super) fn check(draft: &Draft<'_>, asked: &Asked<'_>) {
    if matches!(asked.kind.presence, Presence::Never | Presence::Unnamed) {
        return;
    }
    let Some(wanted) = wanted(&asked.question) else { return };
    if asked.kind.kinds.and(wanted) != Kinds::NONE {
        return;
    }
    let what = if asked.of_element { "an element of " } else { "" };
    let message = format!(
        "{what}`{}` is {} by {}, and is used as {wanted}",
        asked.name(),
        asked.kind.kinds,
        asked.by()
    );
    let mut finding =
        Diagnostic::error(codes::TYPE_CLASH, message).primary(asked.whole, "always unknown");
    let declared = draft.types.claims().filter(|_| asked.is_claim);
    if let Some(span) = declared.and_then(|claims| claims.span(&asked.path)) {
        finding = finding.secondary(span, "declared here");
    }
    draft.report(finding.help(instead(asked, wanted)));
}

/// How what is declared is asked, where it was asked as `wanted`.
fn instead(asked: &Asked<'_>, wanted: Kinds) -> String {
    let (is, name) = (asked.kind.kinds, asked.name());
    let of = |kind| Kinds::only(kind);
    let in_lists = [Kind::List, Kind::Table].into_iter().collect();
    if asked.of_element {
        return "correct the rule, or what is declared".into();
    }
    if !matches!(
        asked.question,
        Question::Compared(_) | Question::Among(_) | Question::Contains(_) | Question::Holds
    ) {
        return "correct the rule, or what is declared".into();
    }
    if is == of(Kind::List) && wanted == of(Kind::String) {
        return format!(
            "ask a list with `\"a\" in {name}`, or `{name}.exists(v, v in [\"a\", \"b\"])`"
        );
    }
    if is == of(Kind::String) && wanted == in_lists {
        return format!(
            "ask a text with `{name} == \"a\"`, `{name} in [\"a\", \"b\"]` or `{name}.contains(\"a\")`"
        );
    }
    if is == of(Kind::Number) && wanted == of(Kind::String) {
        return format!("write a number without quotes: `{name} == 3`");
    }
    if is == of(Kind::Bool) && (wanted == of(Kind::String) || wanted == of(Kind::Number)) {
        return format!("ask `{name}`, or `!{name}`");
    }
    "correct the rule, or what is declared".into()
}

/// The kinds of value that `question` can be answered for; `None` for all.
fn wanted(question: &Question<'_>) -> Option<Kinds> {
    Some(match question {
        Question::There | Question::Other => return None,
        Question::Holds => Kinds::only(Kind::Bool),
        Question::Compared(values) if values.is_empty() => Kinds::only(Kind::Number),
        Question::Compared(values) => values.iter().map(|value| Kind::of(value)).collect(),
        Question::Among(values) => values.iter().map(Kind::of).collect(),
        Question::Text => Kinds::only(Kind::String),
        Question::Size => [Kind::String, Kind::List, Kind::Table].into_iter().collect(),
        Question::Contains(_) | Question::Elements => {
            [Kind::List, Kind::Table].into_iter().collect()
        }
    })
}
