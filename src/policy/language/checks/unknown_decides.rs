//! P046, warning: unknown decides
//!
//! ## What it does
//! Reports a deny whose condition reads a claim or argument that need not be there, and does not ask whether it is.
//!
//! ## Why is this bad
//! Where it is not there the condition is unknown, unknown counts against the caller, and the deny applies: also to
//! those for whom it was not written.
//!
//! ## Example
//! ```json
//! { "tools": [{ "name": "write_file", "inputSchema": {
//!   "type": "object",
//!   "properties": { "path": { "type": "string" }, "mode": { "enum": ["new", "append"] } },
//!   "required": ["path"], "additionalProperties": false } }] }
//! ```
//!
//! ```toml
//! [[deny]]
//! name = "no-appending"
//! tools = ["write_file"]
//! when = 'args.mode == "append"'
//! ```
//!
//! ## Use instead
//! ```json
//! { "tools": [{ "name": "write_file", "inputSchema": {
//!   "type": "object",
//!   "properties": { "path": { "type": "string" }, "mode": { "enum": ["new", "append"] } },
//!   "required": ["path"], "additionalProperties": false } }] }
//! ```
//!
//! ```toml
//! [[deny]]
//! name = "no-appending"
//! tools = ["write_file"]
//! when = 'has(args.mode) && args.mode == "append"'
//! ```

use super::uses::Asked;
use crate::diagnostic::Diagnostic;
use crate::policy::expr::Question;
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::types::Presence;
use crate::policy::{Effect, Mode};

pub(super) fn check(draft: &Draft<'_>, rule: &DraftRule, all: &[Asked<'_>]) {
    if rule.info.effect != Effect::Deny || rule.info.mode != Mode::Enforce {
        return;
    }
    let mut told: Vec<&[&str]> = Vec::new();
    for asked in all.iter().filter(|asked| asked.question != Question::There) {
        let path = asked.path.as_slice();
        // Of a claim that only the standards name, nobody has said whether it is there.
        let claims = draft.types.claims().filter(|_| asked.is_claim);
        let declared = claims.and_then(|claims| claims.span(path));
        let is_optional = asked.kind.presence == Presence::Optional && !asked.of_element;
        if !is_optional || asked.is_claim && declared.is_none() || told.contains(&path) {
            continue;
        }
        let is_asked = all.iter().any(|other| {
            other.question == Question::There
                && other.is_claim == asked.is_claim
                && path.starts_with(&other.path)
        });
        if is_asked {
            continue;
        }
        told.push(path);
        let name = asked.name();
        let message = format!("`{}` also refuses where `{name}` is not there", rule.info.name);
        let mut finding = Diagnostic::warning(codes::UNKNOWN_DECIDES, message)
            .primary(asked.span, format!("need not be there by {}", asked.by()));
        if let Some(span) = declared {
            finding = finding.secondary(span, "declared here, and not required");
        }
        draft.report(finding.help(format!(
            "write `has({name}) && …` to let it pass, or `!has({name}) || …` to say that it is refused"
        )));
    }
}
