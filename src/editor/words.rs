//! What a rule does, in words, and what it matches.

use super::outline::Outline;
use super::view::Checked;
use crate::diagnostic::visible;
use crate::lock::List;
use crate::policy::{Effect, matched};

/// Selectors, in the order in which they are told.
pub(super) const SELECTORS: [&str; 5] =
    ["tools", "prompts", "resources", "methods", "server_requests"];

/// Most names that are listed.
const MOST: usize = 30;

/// What the rules of a stanza called `kind` do to what they match.
pub(super) fn effect(kind: &str) -> Option<Effect> {
    match kind {
        "allow" => Some(Effect::Allow),
        "deny" | "pin" | "assert" => Some(Effect::Deny),
        "limit" => Some(Effect::Limit),
        _ => None,
    }
}

/// The kind of `stanza`: `allow`, `test` and so on.
pub(super) fn stanza_kind(outline: &Outline, stanza: usize) -> &str {
    outline.path(stanza).first().map_or("", String::as_str)
}

/// `stanza` in words, as Markdown.
pub(super) fn describe(outline: &Outline, text: &str, stanza: usize) -> Option<String> {
    let kind = stanza_kind(outline, stanza);
    let name = outline.text(stanza, "name").unwrap_or("");
    let about = objects(outline, stanza);
    let when = outline.text(stanza, "when");
    // One that is broken over lines is a part of the sentence all the same.
    let when = when.map(|when| when.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let when = when.map(|when| format!(" when `{}`", when.trim())).unwrap_or_default();
    let sentence = match kind {
        "allow" => format!("Allows {about}{when}."),
        "deny" => format!("Refuses {about}{when}, whatever allows it."),
        "limit" => limit(outline, stanza, &about, &when),
        "pin" => {
            let change = outline.text(stanza, "on_change").unwrap_or("alert");
            let follows = match change {
                "hide" => "is left out of lists",
                "deny" => "is left out of lists and may not be called",
                _ => "is told in the access log",
            };
            format!("Holds {about} to the lock file: what is not as it was reviewed {follows}.")
        }
        "assert" => match outline.text(stanza, "never") {
            Some(_) => format!("No request for {about}{when} may ever pass."),
            None => format!("Every request for {about}{when} must pass."),
        },
        "test" => "An example: `mcpfw test` runs it.".to_owned(),
        _ => return None,
    };
    let mut words = format!("**{kind}** `{name}`\n\n{sentence}");
    let scopes = listed(outline.strings(stanza, "scopes").into_iter());
    if !scopes.is_empty() {
        words.push_str(&format!(" Callers need the scopes {scopes}."));
    }
    let routes = listed(outline.strings(stanza, "routes").into_iter());
    if !routes.is_empty() {
        words.push_str(&format!(" Only on the routes {routes}."));
    }
    let expires = outline.leaves.iter().find(|it| it.stanza == stanza && it.path == ["expires"]);
    if let Some(date) = expires.and_then(|it| text.get(it.range.clone())) {
        words.push_str(&format!(" Its last day is {date}."));
    }
    if outline.text(stanza, "mode") == Some("shadow") {
        words.push_str(" Only tried (`shadow`): it is logged and counted, and changes nothing.");
    }
    Some(words)
}

fn limit(outline: &Outline, stanza: usize, about: &str, when: &str) -> String {
    let mut parts = Vec::new();
    let rates: Vec<String> = outline
        .leaves
        .iter()
        .filter(|it| it.stanza == stanza && it.path.first().is_some_and(|key| key == "rate"))
        .filter_map(|it| {
            let rate = it.text.as_deref()?;
            Some(match it.path.get(1) {
                Some(tier) => format!("{tier}: `{rate}`"),
                None => format!("`{rate}`"),
            })
        })
        .collect();
    if !rates.is_empty() {
        let tier = outline.text(stanza, "tier");
        let tier = tier.map(|tier| format!(" by `{tier}`")).unwrap_or_default();
        let per = listed(outline.strings(stanza, "per").into_iter());
        let each = if per.is_empty() {
            " for all callers together".to_owned()
        } else {
            format!(" for each {per}")
        };
        parts.push(format!("to {}{tier}{each}", rates.join(", ")));
    }
    for (key, what) in [
        ("timeout", "a call takes"),
        ("max_args", "its arguments are"),
        ("max_result", "its result is"),
    ] {
        if let Some(most) = outline.text(stanza, key) {
            parts.push(format!("so that {what} at most `{most}`"));
        }
    }
    format!("Limits {about}{when} {}.", parts.join(", "))
}

/// What the selectors of `stanza` name.
fn objects(outline: &Outline, stanza: usize) -> String {
    let each = SELECTORS.iter().filter_map(|key| {
        let names = listed(outline.strings(stanza, key).into_iter());
        let noun = key.replace('_', " ");
        (!names.is_empty()).then(|| format!("the {noun} {names}"))
    });
    let all: Vec<String> = each.collect();
    if all.is_empty() { "everything".to_owned() } else { all.join(" and ") }
}

/// What `stanza` matches in the lock file, as Markdown.
pub(super) fn matches(checked: &Checked, outline: &Outline, stanza: usize) -> Option<String> {
    let lock = checked.lock.as_deref()?;
    let effect = effect(stanza_kind(outline, stanza))?;
    let mut words = String::new();
    for key in SELECTORS.iter().take(3) {
        let patterns = outline.strings(stanza, key).into_iter();
        let mut names: Vec<&str> =
            patterns.flat_map(|pattern| matched(lock, key, pattern, effect)).collect();
        names.sort_unstable();
        names.dedup();
        let is_named = !outline.strings(stanza, key).is_empty();
        if is_named {
            let of = match *key {
                "tools" => lock.items(List::Tools).len(),
                "prompts" => lock.items(List::Prompts).len(),
                _ => lock.items(List::Resources).len() + lock.items(List::Templates).len(),
            };
            let some = names.len();
            words.push_str(&format!("\n\nIn `mcp.lock.json`: {some} of {of} {key}"));
            if some > 0 {
                words.push_str(&format!(": {}", listed(names.into_iter())));
            }
        }
    }
    (!words.is_empty()).then_some(words)
}

/// The names of tools or prompts that `stanza` speaks of, from the lock file where patterns are.
pub(super) fn selected(
    checked: &Checked,
    outline: &Outline,
    stanza: usize,
    key: &str,
) -> Vec<String> {
    let effect = effect(stanza_kind(outline, stanza)).unwrap_or(Effect::Allow);
    let patterns = outline.strings(stanza, key).into_iter();
    let mut names: Vec<String> = match checked.lock.as_deref() {
        None => Vec::new(),
        Some(lock) => patterns
            .flat_map(|pattern| matched(lock, key, pattern, effect))
            .map(str::to_owned)
            .collect(),
    };
    names.sort_unstable();
    names.dedup();
    names
}

/// `text`, which may be a server's, as it can stand between backticks and hides nothing (T51, T57).
pub(super) fn quoted(text: &str) -> String {
    visible(text).replace('`', "'")
}

/// Names in backticks, cut to [`MOST`].
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut all: Vec<String> = names.map(|name| format!("`{}`", quoted(name))).collect();
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_stay_in_their_backticks() {
        let names = ["a", "b` **x**", "c\u{200b}\n# d"];
        assert_eq!(listed(names.into_iter()), "`a`, `b' **x**`, `c\\u{200b}\\u{a}# d`");
        let many = ["x"; MOST + 2];
        assert!(listed(many.into_iter()).ends_with("and 2 more"));
    }
}
