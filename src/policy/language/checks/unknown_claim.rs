//! P038, error: unknown claim
//!
//! ## What it does
//! Reports a claim that `schema.toml` does not declare, where there is a `schema.toml`. Claims that the standards
//! name, such as `sub` and `scope`, need no declaration.
//!
//! ## Why is this bad
//! The comparison would be unknown for every caller: an allow that never allows, a deny that refuses everybody.
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
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claims.paln == "pro"'
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
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claims.plan == "pro"'
//! ```
//!
//! ## Fix safety
//! Unsafe: which claim was meant is for the author to say.

use super::uses::Asked;
use crate::diagnostic::Diagnostic;
use crate::policy::language::{Draft, codes};

pub(super) fn check(draft: &Draft<'_>, asked: &Asked<'_>) {
    let Some(claims) = draft.types.claims().filter(|_| asked.is_claim) else { return };
    let Some(at) = asked.undeclared(draft) else { return };
    let name = asked.path.get(at).copied().unwrap_or_default();
    let above = asked.path.get(..at).unwrap_or_default();
    let message = match above {
        [] => format!("`schema.toml` declares no claim `{name}`"),
        above => format!("`claims.{}` has no `{name}` in `schema.toml`", above.join(".")),
    };
    let mut finding = Diagnostic::error(codes::UNKNOWN_CLAIM, message).primary(asked.span, "");
    if let Some(span) = claims.span(above) {
        finding = finding.secondary(span, "declared here");
    }
    let finding = match asked.meant(draft, at) {
        Some(near) => finding
            .help(format!("did you mean `{}`?", near.word))
            .maybe_fix(asked.rename(draft, at, near)),
        None => finding.help("declare it in `schema.toml`, if tokens have it"),
    };
    draft.report(finding);
}
