//! Where what is named is defined: rules, claims, and what the lock file has.

use std::ops::Range;

use serde_json::{Value, json};
use url::Url;

use super::completion::variable_at;
use super::outline::Outline;
use super::position::{Encoding, Lines};
use super::view::{View, kind};
use super::words::stanza_kind;
use crate::lock::{self, Json, List};
use crate::shape::{File, Form, Named};

/// Where the name at the place of `view` is defined; `null` where that is nowhere.
pub(super) fn definition(
    view: &View<'_>,
    encoding: Encoding,
    uri: &dyn Fn(&str) -> Option<String>,
) -> Value {
    let Some((file, range)) = found(view) else { return Value::Null };
    let Some((_, source)) = view.checked.source(&file) else { return Value::Null };
    let written = uri(&file).or_else(|| Some(Url::from_file_path(&file).ok()?.into()));
    let range = Lines::new(source.text(), encoding).range(range);
    written.map_or(Value::Null, |uri| json!({ "uri": uri, "range": range }))
}

fn found(view: &View<'_>) -> Option<(String, Range<usize>)> {
    let leaf = view.outline.leaf_at(view.offset)?;
    let text = leaf.text.as_deref()?;
    let key = view.key(leaf.stanza, &leaf.path)?;
    let list = match (key.form, key.name) {
        (Form::Rule, _) => return rule_place(view, text),
        (form, _) if form.is_path() || matches!(form, Form::Condition) => {
            let path = variable_at(view.text, view.offset);
            let claim: Vec<&str> = path.strip_prefix("claims.")?.split('.').collect();
            let span = view.checked.claim_place(&claim)?;
            let source = view.checked.sources.source(span.source)?;
            return Some((source.name().to_owned(), span.range()));
        }
        (Form::Names(Named::Tools), _) | (_, "tool") => &[List::Tools][..],
        (Form::Names(Named::Prompts), _) | (_, "prompt") => &[List::Prompts],
        (Form::Names(Named::Resources), _) | (_, "resource") => &[List::Resources, List::Templates],
        _ => return None,
    };
    let is_lock = |name: &str| name.ends_with(lock::FILE_NAME);
    let (_, source) = view.checked.sources.iter().find(|(_, it)| is_lock(it.name()))?;
    let root = Json::parse(source.text().as_bytes(), 0).ok()?;
    let items = list.iter().flat_map(|list| {
        let items = root.member(list.key()).and_then(Json::as_array).unwrap_or_default();
        items.iter().filter_map(|item| item.member(list.id()))
    });
    let mut items = items.filter(|id| id.as_str() == Some(text));
    Some((source.name().to_owned(), items.next()?.range.clone()))
}

/// The rule called `name`: the outline and text of its file, and its stanza.
pub(super) fn rule<'v>(view: &View<'v>, name: &str) -> Option<(Outline, &'v str, usize)> {
    let (_, text, outline, at) = named(view, name)?;
    let stanza = outline.leaves.get(at)?.stanza;
    Some((outline, text, stanza))
}

fn rule_place(view: &View<'_>, name: &str) -> Option<(String, Range<usize>)> {
    let (file, _, outline, at) = named(view, name)?;
    Some((file.to_owned(), outline.leaves.get(at)?.range.clone()))
}

/// The file and text where the rule called `name` stands, the outline of it, and the leaf that is its name.
fn named<'v>(view: &View<'v>, name: &str) -> Option<(&'v str, &'v str, Outline, usize)> {
    let checked = view.checked;
    checked.sources.iter().find_map(|(_, source)| {
        if kind(source.name()) != File::Policy || !source.text().contains(name) {
            return None;
        }
        let outline = Outline::of(source.text());
        let at = outline.leaves.iter().position(|leaf| {
            leaf.path == ["name"]
                && leaf.text.as_deref() == Some(name)
                && matches!(stanza_kind(&outline, leaf.stanza), "allow" | "deny" | "limit" | "pin")
        })?;
        Some((source.name(), source.text(), outline, at))
    })
}
