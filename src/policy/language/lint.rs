//! What only the whole set shows and is an error in any case: names that there are not, and too much.

use super::{Draft, MAX_RULES, codes};
use crate::diagnostic::{Applicability, Diagnostic, Spanned, near};

/// Reports what is wrong or odd about the rules of `draft` together.
pub(super) fn lint(draft: &Draft<'_>) {
    if let Some(first) = draft.rules.get(MAX_RULES) {
        let message = format!("more than {MAX_RULES} rules");
        draft.report(Diagnostic::error(codes::TOO_MANY, message).primary(first.name, ""));
    }
    for rule in &draft.rules {
        for ((space, pattern), span) in rule.stanza.patterns.iter().zip(&rule.patterns) {
            draft.check_known(*space, pattern, *span);
        }
    }
    for test in &draft.tests {
        if let Some((by, span)) = &test.by
            && !draft.rules.iter().any(|rule| rule.info.name == *by)
        {
            let names = draft.rules.iter().map(|rule| &*rule.info.name);
            let meant = near(by, names);
            let message = format!("no rule is called `{by}`");
            let finding = Diagnostic::error(codes::UNKNOWN_RULE, message).primary(*span, "").help(
                "`by` is the `name` of the rule that decides; leave it out where no rule does",
            );
            let text = Spanned::new(&**by, *span);
            draft.report(draft.meant(finding, text, meant, Applicability::Safe));
        }
    }
}
