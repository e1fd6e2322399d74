//! P039, error or warning: unknown argument
//!
//! ## What it does
//! Reports an argument that no selected tool has by the input schemas in the lock file. A warning where some schema
//! does not say that there are no other arguments, else an error.
//!
//! ## Why is this bad
//! The comparison would be unknown for every call that the tool takes: an allow that never allows, a deny that
//! refuses all.
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
//! [[allow]]
//! name = "writes"
//! tools = ["write_file"]
//! when = 'args.paht.startsWith("/tmp/")'
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
//! [[allow]]
//! name = "writes"
//! tools = ["write_file"]
//! when = 'args.path.startsWith("/tmp/")'
//! ```
//!
//! ## Fix safety
//! Unsafe: which argument was meant is for the author to say.

use super::uses::Asked;
use crate::diagnostic::Diagnostic;
use crate::policy::language::{Draft, codes};
use crate::policy::types::Presence;

pub(super) fn check(draft: &Draft<'_>, asked: &Asked<'_>) {
    if asked.is_claim || asked.takers.is_empty() {
        return;
    }
    let Some(at) = asked.undeclared(draft) else { return };
    let name = asked.path.get(at).copied().unwrap_or_default();
    let owner = match asked.takers.as_slice() {
        [one] => format!("`{}` takes", one.name),
        all => format!("none of {} tools takes", all.len()),
    };
    let no = if asked.takers.len() == 1 { "no" } else { "an" };
    let inside = match asked.path.get(..at).unwrap_or_default() {
        [] => String::new(),
        above => format!(" in `{}`", above.join(".")),
    };
    let message = format!("{owner} {no} argument `{name}`{inside}");
    let finding = match asked.kind.presence {
        Presence::Never => Diagnostic::error(codes::UNKNOWN_ARGUMENT, message),
        _ => Diagnostic::warning(codes::UNKNOWN_ARGUMENT, message),
    };
    let finding = finding.primary(asked.span, format!("not in {}", asked.by()));
    let finding = match asked.meant(draft, at) {
        Some(near) => finding
            .help(format!("did you mean `{}`?", near.word))
            .maybe_fix(asked.rename(draft, at, near)),
        None => finding.help("write the lock file anew with `mcpfw lock` if it is old"),
    };
    draft.report(finding);
}
