//! When rules and pins end: what the checks of `expires` look at.

use crate::diagnostic::Span;
use crate::policy::language::Draft;
use crate::policy::{Effect, UnixTime};

/// The end of a stanza.
pub(super) struct End<'d> {
    pub(super) name: &'d str,
    /// What it does until then: `allows`, `pins`.
    pub(super) does: &'static str,
    /// The first second without it.
    pub(super) at: UnixTime,
    pub(super) span: Span,
}

/// All of them: rules, then pins.
pub(super) fn of<'d>(draft: &'d Draft<'_>) -> impl Iterator<Item = End<'d>> {
    let rules = draft.rules.iter().filter_map(|rule| {
        let does = match rule.info.effect {
            Effect::Allow => "allows",
            Effect::Deny => "denies",
            Effect::Limit => "limits",
        };
        Some(End { name: &rule.info.name, does, at: rule.stanza.expires?, span: rule.expires? })
    });
    let pins = draft.pins.iter().filter_map(|pin| {
        Some(End { name: &pin.info.name, does: "pins", at: pin.info.expires?, span: pin.expires? })
    });
    rules.chain(pins)
}
