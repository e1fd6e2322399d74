//! P045, warning: a value that there is not
//!
//! ## What it does
//! Reports a claim or argument that is compared with a value which it does not have by `schema.toml` or by the
//! input schemas in the lock file, and a tier that `schema.toml` does not know.
//!
//! ## Why is this bad
//! The comparison is never true. A deny for a plan that does not exist denies nobody.
//!
//! ## Example
//! ```toml
//! # schema.toml
//! [claims.plan]
//! type = "string"
//! values = ["free", "pro"]
//! ```
//!
//! ```toml
//! [[deny]]
//! name = "no-deletes-on-free"
//! tools = ["delete_*"]
//! when = 'has(claims.plan) && claims.plan == "fre"'
//! ```
//!
//! ## Use instead
//! ```toml
//! # schema.toml
//! [claims.plan]
//! type = "string"
//! values = ["free", "pro"]
//! ```
//!
//! ```toml
//! [[deny]]
//! name = "no-deletes-on-free"
//! tools = ["delete_*"]
//! when = 'has(claims.plan) && claims.plan == "free"'
//! ```
//!
//! ## Fix safety
//! Unsafe: which value was meant is for the author to say.

use super::uses::{Asked, shown};
use crate::diagnostic::{Applicability, Diagnostic, Span, Spanned, near};
use crate::policy::Value;
use crate::policy::expr::Question;
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::stanza::Body;
use crate::policy::types::{Kind, Type};

pub(super) fn check(draft: &Draft<'_>, rule: &DraftRule, asked: &Asked<'_>) {
    if asked.is_key {
        return tiers(draft, rule, asked);
    }
    let elements = asked.kind.elements.as_deref();
    let (of, wanted): (Option<&Type>, Vec<&Value>) = match &asked.question {
        Question::Compared(values) => (Some(&asked.kind), values.clone()),
        Question::Among(values) => (Some(&asked.kind), values.iter().collect()),
        Question::Contains(value) => (elements, vec![value]),
        _ => return,
    };
    let Some(of) = of else { return };
    for value in wanted {
        let Some(known) = missing(of, value) else { continue };
        let what = match (&asked.question, asked.of_element) {
            (Question::Contains(_), _) => format!("`{}` never has {}", asked.name(), shown(value)),
            (_, true) => format!("an element of `{}` is never {}", asked.name(), shown(value)),
            _ => format!("`{}` is never {}", asked.name(), shown(value)),
        };
        let text = value.as_str().unwrap_or_default();
        let span = asked.literal(draft, text).unwrap_or(asked.whole);
        let mut finding = Diagnostic::warning(codes::NO_SUCH_VALUE, what).primary(span, known);
        let words = of.values.iter().flatten().filter_map(Value::as_str);
        if let Some(near) = near(text, words) {
            finding = finding
                .help(format!("did you mean {:?}?", near.word))
                .maybe_fix(asked.respell(draft, text, near));
        }
        draft.report(declared(draft, asked, finding));
    }
}

/// Reports the tiers of a table that the claim does not name.
fn tiers(draft: &Draft<'_>, rule: &DraftRule, asked: &Asked<'_>) {
    let Body::Limit(limit) = &rule.stanza.body else { return };
    let Some(budget) = limit.budget.as_ref().filter(|_| rule.places.tier == Some(asked.whole))
    else {
        return;
    };
    for ((tier, _), span) in budget.tiers.iter().zip(&rule.places.tiers) {
        let Some(known) = missing(&asked.kind, &Value::from(&**tier)) else { continue };
        let message = format!("`{}` is never {tier:?}", asked.name());
        let finding = Diagnostic::warning(codes::NO_SUCH_VALUE, message).primary(*span, known);
        let words = asked.kind.values.iter().flatten().filter_map(Value::as_str);
        let finding = draft.meant(
            finding,
            Spanned::new(tier, *span),
            near(tier, words),
            Applicability::Unsafe,
        );
        draft.report(declared(draft, asked, finding));
    }
}

fn declared(draft: &Draft<'_>, asked: &Asked<'_>, finding: Diagnostic) -> Diagnostic {
    let claims = draft.types.claims().filter(|_| asked.is_claim);
    let span: Option<Span> = claims.and_then(|claims| claims.span(&asked.path));
    match span {
        Some(span) => finding.secondary(span, "declared here"),
        None => finding,
    }
}

/// What there is, where `of` has a list of values and `value`, which is of its kind, is not in it.
fn missing(of: &Type, value: &Value) -> Option<String> {
    let known = of.values.as_ref()?;
    if !of.kinds.has(Kind::of(value)) || known.contains(value) {
        return None;
    }
    const SHOWN: usize = 8;
    let mut all: Vec<String> = known.iter().take(SHOWN).map(shown).collect();
    if known.len() > SHOWN {
        all.push("…".to_owned());
    }
    Some(format!("there are {}", all.join(", ")))
}
