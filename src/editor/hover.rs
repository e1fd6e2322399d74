//! What is told of the place under the pointer.

use std::ops::Range;

use serde_json::{Value, json};

use super::outline::Leaf;
use super::view::View;
use super::words::{describe, effect, listed, matches, quoted, stanza_kind};
use crate::lock::{Item, List};
use crate::policy::matched;
use crate::shape::{Form, Named};

/// The text for the place of `view`; `null` where there is nothing to tell.
pub(super) fn hover(view: &View<'_>) -> Value {
    let Some((text, range)) = found(view) else { return Value::Null };
    json!({ "contents": { "kind": "markdown", "value": text }, "range": view.range(range) })
}

fn found(view: &View<'_>) -> Option<(String, Range<usize>)> {
    let outline = &view.outline;
    if let Some(leaf) = outline.leaf_at(view.offset)
        && let Some(text) = leaf_text(view, leaf)
    {
        return Some((text, leaf.range.clone()));
    }
    if let Some(key) = outline.key_at(view.offset) {
        if key.path == ["name"] {
            return Some((rule(view, key.stanza)?, key.range.clone()));
        }
        let known = view.key(key.stanza, &key.path)?;
        return Some((format!("`{}`: {}", known.name, known.about), key.range.clone()));
    }
    let stanza = outline.stanza_at(view.offset);
    let header = outline.stanzas.get(stanza)?.header.clone();
    if !header.contains(&view.offset) {
        return None;
    }
    let path = outline.path(stanza).iter().map(String::as_str);
    let about = || view.file.table(path).map(|table| table.about.to_owned());
    Some((rule(view, stanza).or_else(about)?, header))
}

/// The rule that `stanza` is, in words, and what it matches.
fn rule(view: &View<'_>, stanza: usize) -> Option<String> {
    let words = describe(&view.outline, view.text, stanza)?;
    let matches = matches(view.checked, &view.outline, stanza).unwrap_or_default();
    Some(format!("{words}{matches}"))
}

fn leaf_text(view: &View<'_>, leaf: &Leaf) -> Option<String> {
    let text = leaf.text.as_deref()?;
    let key = view.key(leaf.stanza, &leaf.path)?;
    let named = match (key.form, key.name) {
        (Form::Name, _) => return rule(view, leaf.stanza),
        (Form::Rule, _) => return by(view, text),
        (form, _) if form.is_path() || matches!(form, Form::Condition) => return variable(view),
        (Form::Names(named), _) => named,
        (_, "tool") => Named::Tools,
        (_, "prompt") => Named::Prompts,
        (_, "resource") => Named::Resources,
        _ => return Some(format!("`{}`: {}", key.name, key.about)),
    };
    let lock = view.checked.lock.as_deref()?;
    let (selector, lists): (_, &[List]) = match named {
        Named::Tools => ("tools", &[List::Tools]),
        Named::Prompts => ("prompts", &[List::Prompts]),
        Named::Resources => ("resources", &[List::Resources, List::Templates]),
        Named::Methods | Named::ServerRequests => return None,
    };
    if let Some(item) = lists.iter().find_map(|list| lock.find(*list, text)) {
        return Some(described(item));
    }
    let effect = effect(stanza_kind(&view.outline, leaf.stanza))?;
    let names = matched(lock, selector, text, effect);
    if names.is_empty() {
        return Some(format!("`{text}` matches nothing in `mcp.lock.json`."));
    }
    let count = names.len();
    Some(format!("`{text}` matches {count} in `mcp.lock.json`: {}", listed(names.into_iter())))
}

/// What the lock file says of `item`. Its words are the server's: they are shown as text, not as Markdown.
fn described(item: &Item) -> String {
    let mut text = format!("`{}`, a {} of the server", quoted(item.id()), item.list().noun());
    if let Some(schema) = item.member("inputSchema").and_then(|it| it.member("properties")) {
        let names = schema.as_object().into_iter().flatten().map(|(name, _)| &**name);
        let names = listed(names);
        if !names.is_empty() {
            text.push_str(&format!(", with the arguments {names}"));
        }
    }
    if let Some(words) = item.member("description").and_then(|it| it.as_str()) {
        let shown = words.lines().map(quoted).collect::<Vec<_>>().join("\n");
        text.push_str(&format!("\n\n```text\n{shown}\n```"));
    }
    text
}

/// The rule called `name`, wherever in the set it is.
fn by(view: &View<'_>, name: &str) -> Option<String> {
    let (outline, text, stanza) = super::definition::rule(view, name)?;
    describe(&outline, text, stanza)
}

/// What the variable under the pointer is.
fn variable(view: &View<'_>) -> Option<String> {
    let path = super::completion::variable_at(view.text, view.offset);
    let parts: Vec<&str> = path.split('.').collect();
    let (first, rest) = parts.split_first()?;
    match (*first, rest) {
        ("claims", []) => Some("`claims`: what the caller's verified token says.".to_owned()),
        ("claims", rest) => {
            let kind = view.checked.claim(rest);
            let kind = kind.unwrap_or_else(|| "not declared in `schema.toml`".to_owned());
            Some(format!("`{path}`: {kind}"))
        }
        ("args", _) => Some(format!("`{path}`: of the arguments of the call")),
        _ => super::completion::about(&path).map(|about| format!("`{path}`: {about}")),
    }
}
