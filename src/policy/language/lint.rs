//! What only the whole set shows.

use std::collections::HashMap;

use super::{Draft, DraftRule, MAX_RULES, codes};
use crate::diagnostic::{Applicability, Diagnostic, Span, Spanned, near};
use crate::policy::selector::{Form, Pattern, Space, Subject, forms};
use crate::policy::{Effect, UnixTime};

/// How long before its end a rule is warned of: two weeks, a sprint.
const SOON: UnixTime = 14 * 86_400;

/// Reports what is wrong or odd about the rules of `draft` together.
pub(super) fn lint(draft: &Draft<'_>) {
    if let Some(first) = draft.rules.get(MAX_RULES) {
        let message = format!("more than {MAX_RULES} rules");
        draft.report(Diagnostic::error(codes::TOO_MANY, message).primary(first.name, ""));
    }
    for rule in &draft.rules {
        let what = match rule.info.effect {
            Effect::Allow => "allows",
            Effect::Deny => "denies",
            Effect::Limit => "limits",
        };
        check_end(draft, &rule.info.name, what, rule.stanza.expires, rule.expires);
        for ((space, pattern), span) in rule.stanza.patterns.iter().zip(&rule.patterns) {
            draft.check_known(*space, pattern, *span);
        }
    }
    for pin in &draft.pins {
        check_end(draft, &pin.info.name, "pins", pin.info.expires, pin.expires);
    }
    check_look_alikes(draft);
    for test in &draft.tests {
        if let Some((by, span)) = &test.by
            && !draft.rules.iter().any(|rule| rule.info.name == *by)
        {
            let names = draft.rules.iter().map(|rule| &*rule.info.name);
            let meant = near(by, names);
            let message = format!("no rule is called `{by}`");
            let finding = Diagnostic::error(codes::UNKNOWN_RULE, message).primary(*span, "");
            let text = Spanned::new(&**by, *span);
            draft.report(draft.meant(finding, text, meant, Applicability::Safe));
        }
    }
}

/// Warns of a stanza that `does` something and whose end is past or near.
fn check_end(draft: &Draft<'_>, name: &str, does: &str, end: Option<UnixTime>, span: Option<Span>) {
    let (Some(end), Some(span)) = (end, span) else { return };
    let now = draft.options.now;
    if end <= now {
        draft.report(
            Diagnostic::warning(codes::EXPIRED, format!("`{name}` has expired"))
                .primary(span, format!("since then it {does} nothing any more"))
                .help("remove the rule, or give it a later date"),
        );
    } else if end - now <= SOON {
        let days = (end - now).div_ceil(86_400);
        let left = if days == 1 {
            "today is its last day".into()
        } else {
            format!("{days} days are left")
        };
        draft.report(
            Diagnostic::warning(codes::EXPIRES_SOON, format!("`{name}` expires soon"))
                .primary(span, left),
        );
    }
}

/// Warns of a deny or limit that reaches a name which an allow spells out only because the two look alike.
fn check_look_alikes(draft: &Draft<'_>) {
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
