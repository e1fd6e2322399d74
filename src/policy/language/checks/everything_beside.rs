//! P044, warning: everything is allowed beside what is named
//!
//! ## What it does
//! Reports an allow of every tool, without a condition, beside allows that name tools.
//!
//! ## Why is this bad
//! The others decide nothing: their conditions and scopes hold nobody back any more.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "writes-of-admins"
//! tools = ["write_file"]
//! when = '"admin" in claims.roles'
//!
//! [[allow]]
//! name = "tools"
//! tools = ["*"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "writes-of-admins"
//! tools = ["write_file"]
//! when = '"admin" in claims.roles'
//!
//! [[allow]]
//! name = "reads"
//! tools = ["read_*"]
//! ```

use crate::diagnostic::{Diagnostic, Span};
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::selector::Space;
use crate::policy::{Effect, Mode};

pub(super) fn check(draft: &Draft<'_>) {
    let allows = || {
        draft
            .rules
            .iter()
            .filter(|rule| rule.info.effect == Effect::Allow && rule.info.mode == Mode::Enforce)
    };
    for open in allows().filter(|rule| rule.stanza.is_unconditional_allow()) {
        let Some(span) = everything(draft, open) else { continue };
        let named = allows().find_map(|rule| {
            let is_other = everything(draft, rule).is_none();
            let patterns = rule.stanza.patterns.iter().zip(&rule.patterns);
            let mut tools = patterns.filter(|((space, _), _)| *space == Space::Tools);
            tools.next().filter(|_| is_other).map(|(_, span)| *span)
        });
        let Some(named) = named else { continue };
        let message = format!("`{}` allows every tool, whatever other rules say", open.info.name);
        draft.report(
            Diagnostic::warning(codes::EVERYTHING_BESIDE, message)
                .primary(span, "everything")
                .secondary(named, "this decides nothing any more")
                .help("name the tools that all may call, or remove the other allows"),
        );
    }
}

/// Where `rule` selects every tool.
fn everything(draft: &Draft<'_>, rule: &DraftRule) -> Option<Span> {
    if rule.stanza.is_everything {
        return Some(rule.name);
    }
    let patterns = rule.stanza.patterns.iter().zip(&rule.patterns);
    let stars = |span: Span| {
        let text = draft.sources.slice(span).trim_matches(['"', '\'']);
        !text.is_empty() && text.chars().all(|c| c == '*')
    };
    let mut all = patterns.filter(|((space, _), span)| *space == Space::Tools && stars(**span));
    all.next().map(|(_, span)| *span)
}
