//! What changed in the parts of an element that have parts: schemas, arguments, hints.

use std::collections::{BTreeMap, BTreeSet};

use super::Weight;
use super::diff::{shown, verb};
use super::json::{Json, Value};
use super::number::canonical;

/// Takes a change: how much it matters, what it is, what was and what is there.
pub(super) type Tell<'t> = dyn FnMut(Weight, String, Option<&Json>, Option<&Json>) + 't;

/// The boolean hints of `annotations`: what a client is told that it need not ask.
pub(super) struct Hint;

impl Hint {
    /// Name, what it is where it is not said, and the value that makes a client ask less.
    const ALL: [(&'static str, bool, bool); 4] = [
        ("readOnlyHint", false, true),
        ("destructiveHint", true, false),
        ("idempotentHint", false, true),
        ("openWorldHint", true, false),
    ];

    pub(super) fn is_known(name: &str) -> bool {
        Self::ALL.iter().any(|(hint, ..)| *hint == name)
    }

    /// How much it matters that the hint `name` changed.
    pub(super) fn weight(name: &str, old: Option<&Json>, new: Option<&Json>) -> Weight {
        let Some((_, default, calm)) = Self::ALL.iter().find(|(hint, ..)| *hint == name) else {
            // A title, or what this program does not know.
            return Weight::Danger;
        };
        let value = |json: Option<&Json>| match json.map(|json| &json.value) {
            None | Some(Value::Null) => Some(*default),
            Some(Value::Bool(value)) => Some(*value),
            Some(_) => None,
        };
        match (value(old), value(new)) {
            (Some(before), Some(now)) if before == now || now != *calm => Weight::Review,
            _ => Weight::Danger,
        }
    }
}

/// The members of two objects that differ: name, old, new. What is no object has no members.
pub(super) fn members<'j>(
    old: Option<&'j Json>,
    new: Option<&'j Json>,
) -> Vec<(&'j str, Option<&'j Json>, Option<&'j Json>)> {
    let of = |json: Option<&'j Json>| json.and_then(Json::as_object);
    let (old, new) = (of(old), of(new));
    let names: BTreeSet<&str> =
        old.into_iter().chain(new).flat_map(BTreeMap::keys).map(|name| &**name).collect();
    names
        .into_iter()
        .map(|name| (name, old.and_then(|it| it.get(name)), new.and_then(|it| it.get(name))))
        .filter(|(_, before, now)| !same(*before, *now))
        .collect()
}

/// Whether two values say the same.
pub(super) fn same(old: Option<&Json>, new: Option<&Json>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old == new || leaves(old, new).is_empty(),
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// The differences between `old` and `new` with their paths, each as deep as it goes.
fn leaves<'j>(old: &'j Json, new: &'j Json) -> Vec<Leaf<'j>> {
    let mut found = Vec::new();
    let mut left: Vec<(Vec<String>, &Json, &Json)> = vec![(Vec::new(), old, new)];
    while let Some((path, old, new)) = left.pop() {
        let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        match (&old.value, &new.value) {
            (Value::Number(a), Value::Number(b)) if canonical(a) == canonical(b) => {}
            (a, b) if a == b => {}
            (Value::Object(before), Value::Object(now)) => {
                let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
                for name in names {
                    match (before.get(name), now.get(name)) {
                        (Some(before), Some(now)) => left.push((below(name), before, now)),
                        (before, now) => found.push((below(name), before, now)),
                    }
                }
            }
            (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
                for (at, (before, now)) in before.iter().zip(now).enumerate() {
                    left.push((below(&at.to_string()), before, now));
                }
            }
            _ => found.push((path, Some(old), Some(new))),
        }
    }
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    found
}

/// A difference: its path, what was there and what is there.
type Leaf<'j> = (Vec<String>, Option<&'j Json>, Option<&'j Json>);

/// What changed in the arguments of the tool `whose`.
pub(super) fn arguments(whose: &str, old: Option<&Json>, new: Option<&Json>, tell: &mut Tell<'_>) {
    let (Some(old), Some(new)) = (old, new) else {
        tell(Weight::Danger, format!("input schema of {whose} {}", verb(old, new)), old, new);
        return;
    };
    let (was_required, is_required) = (required(old), required(new));
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for (path, before, now) in leaves(old, new) {
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["properties", name] if before.is_none() || now.is_none() => {
                let text = match now {
                    Some(_) => {
                        let how = if is_required.contains(name) { "required" } else { "optional" };
                        format!("argument `{name}` of {whose} is new and {how}")
                    }
                    None => format!("argument `{name}` of {whose} is gone"),
                };
                let weight = if now.is_some() { Weight::Danger } else { Weight::Review };
                tell(weight, text, before, now);
            }
            ["required", ..] => {}
            ["properties", name, "type"] => {
                let word = |json: Option<&Json>| json.map_or_else(|| "any type".into(), shown);
                let (from, to) = (word(before), word(now));
                let text = format!("argument `{name}` of {whose}: {from} -> {to}");
                tell(Weight::Review, text, None, None);
            }
            ["properties", name, rest @ ..] if !rest.is_empty() => {
                let what = format!("{} of argument `{name}` of {whose}", rest.join("/"));
                tell(weight(rest), format!("{what} {}", verb(before, now)), before, now);
            }
            path => {
                let what = format!("`/{}` in the input schema of {whose}", path.join("/"));
                tell(weight(path), format!("{what} {}", verb(before, now)), before, now);
            }
        }
    }
    let has = |schema: &Json, name: &str| {
        schema.member("properties").is_some_and(|all| all.member(name).is_some())
    };
    for name in was_required.symmetric_difference(&is_required) {
        // An argument that is new or gone has been told of.
        if has(old, name) == has(new, name) && named.insert(name) {
            let how = if is_required.contains(name) { "required" } else { "optional" };
            let text = format!("argument `{name}` of {whose} is {how} now");
            tell(Weight::Review, text, None, None);
        }
    }
    let (before, now) = (old.member("required"), new.member("required"));
    if was_required == is_required && !same(before, now) {
        // Not a set of names, or in another order: the digest tells them apart, so it is told.
        tell(Weight::Review, format!("list of required arguments of {whose} changed"), before, now);
    }
}

/// What changed in the output schema of the tool `whose`.
pub(super) fn output(whose: &str, old: Option<&Json>, new: Option<&Json>, tell: &mut Tell<'_>) {
    let (Some(old), Some(new)) = (old, new) else {
        tell(Weight::Review, format!("output schema of {whose} {}", verb(old, new)), old, new);
        return;
    };
    for (path, before, now) in leaves(old, new) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let what = format!("`/{}` in the output schema of {whose}", path.join("/"));
        tell(weight(&path), format!("{what} {}", verb(before, now)), before, now);
    }
}

/// What changed in the arguments of the prompt `whose`: a list of objects with names.
pub(super) fn prompt_arguments(
    whose: &str,
    old: Option<&Json>,
    new: Option<&Json>,
    tell: &mut Tell<'_>,
) {
    let named = |list: Option<&Json>| -> Option<BTreeMap<Box<str>, Json>> {
        let mut all = BTreeMap::new();
        for argument in list.map_or(Some(&[][..]), Json::as_array)? {
            let name = argument.member("name")?.as_str()?;
            if all.insert(name.into(), argument.clone()).is_some() {
                return None;
            }
        }
        Some(all)
    };
    let (Some(before), Some(now)) = (named(old), named(new)) else {
        tell(Weight::Danger, format!("arguments of {whose} {}", verb(old, new)), old, new);
        return;
    };
    let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let mut has_told = false;
    for name in names {
        let (before, now) = (before.get(name), now.get(name));
        if same(before, now) {
            continue;
        }
        has_told = true;
        let is_required = now
            .and_then(|it| it.member("required"))
            .is_some_and(|it| it.value == Value::Bool(true));
        let how = if is_required { "required" } else { "optional" };
        let text = match (before, now) {
            (None, _) => format!("argument `{name}` of {whose} is new and {how}"),
            (_, None) => format!("argument `{name}` of {whose} is gone"),
            _ => format!("argument `{name}` of {whose} changed"),
        };
        let weight = if now.is_some() { Weight::Danger } else { Weight::Review };
        tell(weight, text, before, now);
    }
    if !has_told {
        tell(Weight::Review, format!("order of the arguments of {whose} changed"), old, new);
    }
}

/// The names in `required`.
fn required(schema: &Json) -> BTreeSet<&str> {
    let names = schema.member("required").and_then(Json::as_array).unwrap_or_default();
    names.iter().filter_map(Json::as_str).collect()
}

/// How much it matters that what is at `path` of a schema changed: words and values reach the model, bounds do not.
fn weight(path: &[&str]) -> Weight {
    let words =
        ["title", "description", "default", "examples", "enum", "const", "$comment", "$ref"];
    // What is new in whole, such as a property of an object, has words of its own.
    let holders = ["properties", "items", "anyOf", "oneOf", "allOf", "$defs", "definitions"];
    let speaks = path.iter().any(|name| words.contains(name) || holders.contains(name));
    let is_bound = path.last().is_some_and(|name| {
        matches!(*name, "type" | "format" | "minimum" | "maximum" | "minLength" | "maxLength")
    });
    if speaks && !is_bound { Weight::Danger } else { Weight::Review }
}
