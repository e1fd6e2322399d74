//! P041, error: `per` on a claim that not every caller has
//!
//! ## What it does
//! Reports a limit that counts by a claim which `schema.toml` does not require, and whose condition does not ask
//! whether it is there.
//!
//! ## Why is this bad
//! All callers without it share one budget: a few of them use it up for the rest.
//!
//! ## Example
//! ```toml
//! # schema.toml
//! [claims]
//! team = "string"
//! ```
//!
//! ```toml
//! [[limit]]
//! name = "by-team"
//! tools = ["search"]
//! per = ["claims.team"]
//! rate = "10/min"
//! ```
//!
//! ## Use instead
//! ```toml
//! # schema.toml
//! [claims]
//! team = { type = "string", required = true }
//! ```
//!
//! ```toml
//! [[limit]]
//! name = "by-team"
//! tools = ["search"]
//! per = ["claims.team"]
//! rate = "10/min"
//! ```

use super::uses::Asked;
use crate::diagnostic::Diagnostic;
use crate::policy::expr::Question;
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::types::Presence;

pub(super) fn check(draft: &Draft<'_>, rule: &DraftRule, all: &[Asked<'_>]) {
    for asked in all.iter().filter(|asked| asked.is_key && asked.is_claim) {
        if !rule.places.per.contains(&asked.whole) || asked.kind.presence != Presence::Optional {
            continue;
        }
        let Some(declared) = draft.types.claims().and_then(|claims| claims.span(&asked.path))
        else {
            continue;
        };
        let is_asked = all.iter().any(|other| {
            !other.is_key
                && other.question == Question::There
                && asked.path.starts_with(&other.path)
        });
        if is_asked {
            continue;
        }
        let name = asked.name();
        let message =
            format!("not every caller has `{name}`, by which `{}` counts", rule.info.name);
        draft.report(
            Diagnostic::error(codes::KEY_NOT_THERE, message)
                .primary(asked.span, "callers without it share one budget")
                .secondary(declared, "declared here, and not required")
                .help(format!(
                    "say `required = true` there if all have it; else limit those who have it with `when = 'has({name})'`, and the others in a rule of their own"
                )),
        );
    }
}
