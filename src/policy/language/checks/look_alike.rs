//! P023, warning: reaches a look-alike
//!
//! ## What it does
//! Reports a deny or limit that reaches a name which an allow spells out, only because the two look alike.
//!
//! ## Why is this bad
//! A deny and a limit apply to names that look like theirs, too, so that nobody passes with a letter of another
//! script. Here that hits a name which is meant to be there.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "mall"
//! tools = ["send_mall"]
//!
//! [[deny]]
//! name = "no-mail"
//! tools = ["send_mail"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "mall"
//! tools = ["send_to_mall"]
//!
//! [[deny]]
//! name = "no-mail"
//! tools = ["send_mail"]
//! ```

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::policy::Effect;
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::selector::{Form, Pattern, Space, Subject, forms};

pub(super) fn check(draft: &Draft<'_>) {
    let mut allowed: HashMap<(Space, Form), (&str, Span)> = HashMap::new();
    let rules = |allows: bool| {
        draft.rules.iter().filter(move |rule| (rule.info.effect == Effect::Allow) == allows)
    };
    for (space, pattern, span) in rules(true).flat_map(DraftRule::spelled) {
        let Some(name) = pattern.plain.exact() else { continue };
        for form in forms(&Subject::new(*space, name)) {
            allowed.insert((*space, form), (name, span));
        }
    }
    for rule in rules(false) {
        for (space, pattern, span) in rule.spelled() {
            let Some(folded) = pattern.folded.as_ref().and_then(|glob| glob.exact()) else {
                continue;
            };
            let form = [folded].into_iter().collect();
            match allowed.get(&(*space, form)) {
                Some((name, at)) if !pattern.plain.matches(name) => {
                    let message = format!(
                        "`{}` is for `{name}`, too, because the two look alike",
                        rule.info.name
                    );
                    draft.report(
                        Diagnostic::warning(codes::LOOK_ALIKE, message)
                            .primary(span, "")
                            .secondary(*at, "allowed here by its own name")
                            .help("rename one of the two on the server, or allow neither"),
                    );
                }
                _ => {}
            }
        }
    }
}

impl DraftRule {
    /// The patterns without wildcards, with their places.
    fn spelled(&self) -> impl Iterator<Item = (&Space, &Pattern, Span)> {
        let patterns = self.stanza.patterns.iter().zip(&self.patterns);
        patterns
            .filter(|((_, pattern), _)| pattern.plain.exact().is_some())
            .map(|((space, pattern), span)| (space, pattern, *span))
    }
}
