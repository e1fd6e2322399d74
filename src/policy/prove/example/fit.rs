//! Values that fit what a way says of several inputs together.

use super::{Given, Values};
use crate::policy::Value;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Input, Relation, RelationKind, Root, Term, Test};
use crate::policy::prove::classes::Words;
use crate::policy::prove::domain::Regions;
use crate::policy::prove::model::Model;

/// Values like `values` in which comparisons of inputs come out as `way` says.
pub(super) fn fit(
    model: &Model,
    way: &[(u32, bool)],
    values: &Values,
    words: &Words,
) -> Vec<Values> {
    let decided = model.decided(way);
    let relations: Vec<(&Relation, bool)> = decided
        .iter()
        .filter_map(|(other, wanted)| Some((other.relation.as_ref()?, *wanted)))
        .collect();
    if relations.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    // First with texts that differ, so that what must not be equal is not.
    for is_spread in [false, true] {
        let mut now = values.clone();
        if is_spread {
            spread(model, &mut now);
        }
        for _ in 0..MAX_ROUNDS {
            for (relation, wanted) in &relations {
                settle(model, &mut now, relation, *wanted, words);
            }
        }
        all.push(now);
    }
    all
}

/// Rounds of fitting: one value may depend on another that depends on a third.
const MAX_ROUNDS: usize = 3;

/// Makes texts differ where nothing asks for a certain one.
fn spread(model: &Model, values: &mut Values) {
    let inputs: Vec<Input> = values.keys().cloned().collect();
    for (at, input) in inputs.iter().enumerate() {
        if let Some(Given::Value(Value::String(text))) = values.get(input) {
            for other in [format!("{text}{at}"), format!("v{at}")] {
                if replace(model, values, input, &Value::from(&*other)) {
                    break;
                }
            }
        }
    }
}

/// Gives `input` the value `value`, where no test tells the two apart.
fn replace(model: &Model, values: &mut Values, input: &Input, value: &Value) -> bool {
    let Some(Given::Value(old)) = values.get(input) else { return false };
    let Some(domain) = model.domain(input) else { return false };
    let is_same = domain
        .regions
        .truths
        .keys()
        .all(|test| test.on(Some(Some(old))) == test.on(Some(Some(value))));
    if is_same {
        values.insert(input.clone(), Given::Value(value.clone()));
    }
    is_same
}

/// Changes `values` so that `relation` comes out as `wanted`, where that is easily done.
fn settle(model: &Model, values: &mut Values, relation: &Relation, wanted: bool, words: &Words) {
    let (Some(left), Some(right)) =
        (value_of(&relation.left, values, words), value_of(&relation.right, values, words))
    else {
        return;
    };
    let holds = match (relation.kind, &right) {
        (RelationKind::Equal, _) => Test::Equals(right.clone()),
        (RelationKind::Less, _) => Test::Less(right.clone()),
        (RelationKind::Greater, _) => Test::Greater(right.clone()),
        (RelationKind::StartsWith, Value::String(text)) => Test::StartsWith(text.clone()),
        (RelationKind::EndsWith, Value::String(text)) => Test::EndsWith(text.clone()),
        (RelationKind::Contains, Value::String(text)) => Test::Contains(text.clone()),
        _ => return,
    };
    let holds = holds.on(Some(Some(&left)));
    if holds == Truth::from(wanted) {
        return;
    }
    for (input, value) in attempts(relation, values, words, wanted) {
        if replace(model, values, input, &value) {
            return;
        }
    }
}

/// Values of one input with which `relation` may come out as `wanted`, where all others stay as they are in `values`.
pub(in crate::policy::prove) fn attempts<'r>(
    relation: &'r Relation,
    values: &Values,
    words: &Words,
    wanted: bool,
) -> Vec<(&'r Input, Value)> {
    let (left, right) =
        (value_of(&relation.left, values, words), value_of(&relation.right, values, words));
    let mut tries: Vec<(&Input, Value)> = Vec::new();
    let text_of = |value: &Option<Value>| {
        value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let texts = (text_of(&left), text_of(&right));
    let text = |text: String| Value::String(text.into());
    if let (Term::Input(input), Some(right)) = (&relation.left, &right) {
        let (old, new) = (&*texts.0, &*texts.1);
        let rest = old.strip_prefix(relation.right.beginning()).unwrap_or(old);
        let rest = if new.ends_with('/') { rest.trim_start_matches('/') } else { rest };
        let head = old.strip_suffix(relation.right.end()).unwrap_or(old);
        if let Value::Number(right) = right {
            let beside = [right.below(), right.above(), Some(right.clone())];
            tries.extend(beside.into_iter().flatten().map(|it| (input, Value::Number(it))));
        }
        match (relation.kind, wanted) {
            (RelationKind::Equal, true) => tries.push((input, right.clone())),
            (RelationKind::StartsWith, true) => tries.extend([
                (input, text(format!("{new}{rest}"))),
                (input, text(new.to_owned())),
                (input, text(format!("{new}x"))),
                (input, text(format!("{new}{old}"))),
            ]),
            (RelationKind::EndsWith, true) => tries.extend([
                (input, text(format!("{head}{new}"))),
                (input, text(new.to_owned())),
                (input, text(format!("{old}{new}"))),
            ]),
            (RelationKind::Contains, true) => tries.extend([
                (input, text(format!("{old}{new}"))),
                (input, text(new.to_owned())),
                (input, text(format!("{new}{old}"))),
            ]),
            (RelationKind::Less, true) => tries.push((input, Value::from(""))),
            (RelationKind::Greater, true) => tries.push((input, text(format!("{new}x")))),
            (_, false) => tries.extend([
                (input, text(format!("{old}x"))),
                (input, text(format!("x{old}"))),
                (input, Value::from("")),
            ]),
        }
    }
    if let (Term::Input(input), Some(left)) = (&relation.right, &left) {
        let (new, old) = (&*texts.0, &*texts.1);
        match (relation.kind, wanted) {
            (_, true) => tries.push((input, left.clone())),
            (_, false) => {
                tries.extend([(input, text(format!("{old}y"))), (input, text(format!("{new}y")))]);
            }
        }
    }
    // Of what is put together, the inputs.
    if let (Term::Concat(parts), false) = (&relation.right, wanted) {
        for part in parts {
            if let Term::Input(input) = part {
                tries.push((input, text(format!("{}y", texts.1))));
            }
        }
    }
    let joins = [(&relation.right, &texts.0), (&relation.left, &texts.1)];
    let sides = if relation.kind == RelationKind::Equal { 2 } else { 1 };
    for (term, whole) in joins.into_iter().take(sides).filter(|_| wanted) {
        let Term::Concat(parts) = term else { continue };
        for (at, part) in parts.iter().enumerate() {
            let Term::Input(input) = part else { continue };
            let joined = |parts: &[Term]| value_of(&Term::Concat(parts.to_vec()), values, words);
            let (before, after) = parts.split_at_checked(at).unwrap_or_default();
            let (Some(before), Some(after)) =
                (joined(before), joined(after.get(1..).unwrap_or_default()))
            else {
                continue;
            };
            let (before, after) = (text_of(&Some(before)), text_of(&Some(after)));
            let found = between(relation.kind, whole, &before, &after);
            tries.extend(found.into_iter().map(|found| (input, text(found))));
        }
    }
    tries
}

/// Texts that `whole` has between `before` and `after`, as a comparison of `kind` asks.
fn between(kind: RelationKind, whole: &str, before: &str, after: &str) -> Vec<String> {
    match kind {
        RelationKind::Equal => {
            let inner = whole.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            inner.map(str::to_owned).into_iter().collect()
        }
        RelationKind::StartsWith => {
            let Some(rest) = whole.strip_prefix(before) else { return Vec::new() };
            // Up to what follows; where nothing does, of any length.
            let first = rest.chars().next().map(String::from).unwrap_or_default();
            match rest.split_once(after) {
                Some((inner, _)) if !after.is_empty() => vec![inner.to_owned()],
                _ if after.is_empty() => vec![first, rest.to_owned()],
                _ => Vec::new(),
            }
        }
        RelationKind::EndsWith => {
            let Some(rest) = whole.strip_suffix(after) else { return Vec::new() };
            let last = rest.chars().next_back().map(String::from).unwrap_or_default();
            match rest.rsplit_once(before) {
                Some((_, inner)) if !before.is_empty() => vec![inner.to_owned()],
                _ if before.is_empty() => vec![last, rest.to_owned()],
                _ => Vec::new(),
            }
        }
        RelationKind::Contains | RelationKind::Less | RelationKind::Greater => Vec::new(),
    }
}

/// The value of `term`; `None` where it has none.
fn value_of(term: &Term, values: &Values, words: &Words) -> Option<Value> {
    match term {
        Term::Text(text) => Some(Value::String(text.clone())),
        Term::Input(input) => match (input.root, values.get(input)) {
            (Root::Target, _) => words.object.as_ref().map(|object| Value::from(&*object.name)),
            (Root::Method, _) => Some(Value::from(&*words.method)),
            (_, Some(Given::Value(value))) => Some(value.clone()),
            (_, Some(Given::Address(ip))) => Some(Value::from(&*ip.to_canonical().to_string())),
            _ => None,
        },
        Term::Concat(parts) => {
            let parts: Option<Vec<Value>> =
                parts.iter().map(|part| value_of(part, values, words)).collect();
            let texts: Option<Vec<String>> =
                parts?.iter().map(|part| part.as_str().map(str::to_owned)).collect();
            Some(Value::String(texts?.concat().into()))
        }
    }
}

/// Lists with the elements of `elements`, of lengths that tests ask for.
pub(super) fn lengthened(regions: Option<&Regions>, elements: &[Value]) -> Vec<Vec<Value>> {
    let mut lists = Vec::new();
    let Some(regions) = regions else { return lists };
    for test in regions.truths.keys() {
        match test {
            Test::Equals(Value::List(list)) => lists.push(list.clone()),
            Test::Size(test) => {
                let (Test::Equals(value) | Test::Less(value) | Test::Greater(value)) = &**test
                else {
                    continue;
                };
                let Value::Number(number) = value else { continue };
                let size = number.as_u64().unwrap_or(0).min(MAX_ELEMENTS);
                let filler = elements.first().cloned().unwrap_or_else(|| Value::from("x"));
                for size in [size.saturating_sub(1), size, size + 1] {
                    let size = usize::try_from(size).unwrap_or(0);
                    if size > elements.len() {
                        let mut list = elements.to_vec();
                        list.resize(size, filler.clone());
                        lists.push(list);
                    }
                }
            }
            _ => {}
        }
    }
    lists
}

/// Longest list of an example.
const MAX_ELEMENTS: u64 = 200;
