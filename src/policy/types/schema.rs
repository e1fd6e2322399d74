//! What a JSON Schema says of the value at a path.
//!
//! Read are `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`, `anyOf`, `oneOf`, `allOf`
//! and `$ref` inside the document (JSON Schema 2020-12). Every keyword of a schema narrows it, so that leaving one out
//! makes the answer wider and never wrong; where an earlier draft reads a keyword in another way, the wider reading is
//! taken: beside `$ref` nothing else is read (draft 7 ignores it), and `nullable` (OpenAPI) adds `null`.
//!
//! References may lead in a circle and alternatives multiply, so that the work is counted: beyond [`MAX_STEPS`] nothing is
//! known.

use super::{Kind, Kinds, Presence, Type};
use crate::lock::{Json, Value as JsonValue};
use crate::policy::{Number, Value};

/// Most schemas that are looked at for one answer. Input schemas in the field have a few dozen in all.
const MAX_STEPS: usize = 1_024;

/// Most alternatives that a value may have at one place.
const MAX_ALTERNATIVES: usize = 64;

/// The schemas that one value must fit, all of them.
type Together<'s> = Vec<&'s Json>;

/// Ways in which a value may fit; one is enough.
type Alternatives<'s> = Vec<Together<'s>>;

/// What `schema` says of the value at `path`.
pub(super) fn at<S: AsRef<str>>(schema: &Json, path: &[S]) -> Type {
    Reader { root: schema, steps: 0 }.at(path).unwrap_or(Type::ANY)
}

/// The names that `schema` knows beside one another at `path`, sorted.
pub(super) fn names<'s, S: AsRef<str>>(schema: &'s Json, path: &[S]) -> Vec<&'s str> {
    let mut reader = Reader { root: schema, steps: 0 };
    let Some((here, _)) = reader.walk(path) else { return Vec::new() };
    let properties = here.iter().flatten().filter_map(|schema| schema.member("properties"));
    let names = properties.filter_map(Json::as_object).flat_map(|all| all.keys());
    let mut names: Vec<&str> = names.map(|name| &**name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

struct Reader<'s> {
    root: &'s Json,
    steps: usize,
}

/// What one alternative says of a member.
enum Member<'s> {
    /// It is of these schemas.
    Of(Together<'s>, bool),
    /// It is not there.
    Never,
    /// It is not named, and may be there.
    Unnamed,
    /// Nothing is said.
    Unknown,
}

impl<'s> Reader<'s> {
    fn at<S: AsRef<str>>(&mut self, path: &[S]) -> Option<Type> {
        let (here, presence) = self.walk(path)?;
        match presence {
            Presence::Never | Presence::Unnamed => return Some(Type::absent(presence)),
            Presence::Unknown if !path.is_empty() => return Some(Type::ANY),
            _ => {}
        }
        let (kinds, values) = describe(&here);
        // A schema that nothing fits is broken; it says nothing of what calls there are.
        if kinds == Kinds::NONE {
            return None;
        }
        let elements = self.elements(&here);
        Some(Type { kinds, values, elements, presence })
    }

    /// The alternatives for the value at `path`, and whether it is there.
    fn walk<S: AsRef<str>>(&mut self, path: &[S]) -> Option<(Alternatives<'s>, Presence)> {
        let mut here = self.expand(vec![self.root])?;
        let mut presence = Presence::Required;
        for name in path {
            let (next, is_there) = self.member(&here, name.as_ref())?;
            presence = match (presence, is_there) {
                (Presence::Required, is_there) => is_there,
                (_, Presence::Required) => Presence::Optional,
                (_, is_there) => is_there,
            };
            if !matches!(presence, Presence::Required | Presence::Optional) {
                return Some((next, presence));
            }
            here = next;
        }
        Some((here, if path.is_empty() { Presence::Unknown } else { presence }))
    }

    /// The alternatives for member `name` of what fits one of `all`, and whether it is there.
    fn member(
        &mut self,
        all: &Alternatives<'s>,
        name: &str,
    ) -> Option<(Alternatives<'s>, Presence)> {
        let mut next = Vec::new();
        let (mut is_required, mut is_unnamed, mut is_unknown) = (true, false, false);
        for together in all {
            match member_of(together, name) {
                Member::Of(schemas, required) => {
                    is_required &= required;
                    next.extend(self.expand(schemas)?);
                }
                Member::Never => is_required = false,
                Member::Unnamed => (is_required, is_unnamed) = (false, true),
                Member::Unknown => is_unknown = true,
            }
        }
        if next.len() > MAX_ALTERNATIVES {
            return None;
        }
        let presence = match next.is_empty() {
            _ if is_unknown => Presence::Unknown,
            // It is named in one alternative and may be anything in another.
            false if is_unnamed => Presence::Unknown,
            false if is_required => Presence::Required,
            false => Presence::Optional,
            true if is_unnamed => Presence::Unnamed,
            true => Presence::Never,
        };
        Some((next, presence))
    }

    /// Every way to fit all of `start`: references followed, alternatives taken apart. `None` beyond the bounds.
    fn expand(&mut self, start: Together<'s>) -> Option<Alternatives<'s>> {
        let mut found = Vec::new();
        let mut open: Vec<(Together<'s>, Together<'s>)> = vec![(Vec::new(), start)];
        while let Some((mut done, mut todo)) = open.pop() {
            let Some(schema) = todo.pop() else {
                found.push(done);
                continue;
            };
            self.steps += 1;
            if self.steps > MAX_STEPS || open.len() + found.len() > MAX_ALTERNATIVES {
                return None;
            }
            if schema.value == JsonValue::Bool(false) {
                // Nothing fits.
                continue;
            }
            // A schema with a name of its own has references of its own.
            let is_foreign = schema.member("$id").is_some() && !std::ptr::eq(schema, self.root);
            if is_foreign || schema.as_object().is_none() {
                open.push((done, todo));
                continue;
            }
            if let Some(reference) = schema.member("$ref") {
                todo.extend(reference.as_str().and_then(|text| self.target(text)));
                open.push((done, todo));
                continue;
            }
            done.push(schema);
            todo.extend(schema.member("allOf").and_then(Json::as_array).into_iter().flatten());
            let ways = ["anyOf", "oneOf"].iter().find_map(|key| schema.member(key)?.as_array());
            match ways {
                Some(ways) => {
                    for way in ways.iter().rev() {
                        let mut todo = todo.clone();
                        todo.push(way);
                        open.push((done.clone(), todo));
                    }
                }
                None => open.push((done, todo)),
            }
        }
        Some(found)
    }

    /// What the reference `text` leads to: `#`, or a JSON pointer (RFC 6901) after it.
    fn target(&self, text: &str) -> Option<&'s Json> {
        let pointer = text.strip_prefix('#')?;
        let mut here = self.root;
        if pointer.is_empty() {
            return Some(here);
        }
        for part in pointer.strip_prefix('/')?.split('/') {
            // Percent-encoding of names is rare; a name that needs it is not found, and so says nothing.
            let name = part.replace("~1", "/").replace("~0", "~");
            here = match &here.value {
                JsonValue::Object(members) => members.get(&*name)?,
                JsonValue::Array(elements) => elements.get(name.parse::<usize>().ok()?)?,
                _ => return None,
            };
            // What stands below a schema with a name of its own is not this document's.
            if here.member("$id").is_some_and(|id| id.as_str().is_some()) {
                return None;
            }
        }
        Some(here)
    }

    /// What the elements of a list are.
    fn elements(&mut self, all: &Alternatives<'s>) -> Option<Box<Type>> {
        let mut found: Option<Type> = None;
        for together in all {
            if !kinds_of(together).has(Kind::List) {
                continue;
            }
            // Tuples: the first few elements are of other schemas (`prefixItems`; before 2020-12 a list in `items`).
            let is_tuple = together.iter().any(|schema| schema.member("prefixItems").is_some());
            let items: Together<'s> =
                together.iter().filter_map(|schema| schema.member("items")).collect();
            if is_tuple || items.is_empty() {
                return None;
            }
            let ways = self.expand(items)?;
            let (kinds, values) = describe(&ways);
            let one = Type { kinds, values, ..Type::ANY };
            found = Some(match found {
                Some(others) => others.or(one),
                None => one,
            });
        }
        found.filter(|elements| elements.kinds != Kinds::NONE).map(Box::new)
    }
}

/// What the schemas `together` say of member `name`.
fn member_of<'s>(together: &Together<'s>, name: &str) -> Member<'s> {
    let kinds = kinds_of(together);
    if !kinds.has(Kind::Table) {
        return Member::Never;
    }
    let named = |schema: &&'s Json| schema.member("properties").and_then(|all| all.member(name));
    let mut schemas: Together<'s> = together.iter().filter_map(named).collect();
    let has_patterns = together.iter().any(|schema| schema.member("patternProperties").is_some());
    let is_required = kinds == Kinds::only(Kind::Table)
        && together.iter().any(|schema| {
            let names = schema.member("required").and_then(Json::as_array);
            names.is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)))
        });
    if schemas.is_empty() {
        for schema in together {
            match schema.member("additionalProperties") {
                _ if has_patterns => return Member::Unknown,
                Some(Json { value: JsonValue::Bool(false), .. }) => return Member::Never,
                Some(other) if other.as_object().is_some() => schemas.push(other),
                _ => {}
            }
        }
    }
    if schemas.iter().any(|schema| schema.value == JsonValue::Bool(false)) {
        return Member::Never;
    }
    if !schemas.is_empty() || is_required {
        return Member::Of(schemas, is_required);
    }
    // A schema that names nothing says nothing of what else there may be.
    let names_some = together.iter().any(|schema| {
        schema.member("properties").and_then(Json::as_object).is_some_and(|all| !all.is_empty())
    });
    let is_open = |schema: &&Json| matches!(schema.member("additionalProperties"), Some(json) if json.value == JsonValue::Bool(true));
    if names_some && !together.iter().any(is_open) { Member::Unnamed } else { Member::Unknown }
}

/// What can fit one of `all`.
fn describe(all: &Alternatives<'_>) -> (Kinds, Option<Vec<Value>>) {
    let mut kinds = Kinds::NONE;
    let mut values: Option<Vec<Value>> = Some(Vec::new());
    for together in all {
        let of = kinds_of(together);
        if of == Kinds::NONE {
            continue;
        }
        kinds = kinds.or(of);
        match (values_of(together), &mut values) {
            (Some(here), Some(values)) => {
                for value in here.into_iter().filter(|value| of.has(Kind::of(value))) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
            // `null` and nothing else is one value.
            (None, Some(values)) if of == Kinds::only(Kind::Null) => values.push(Value::Null),
            (None, _) => values = None,
            (_, None) => {}
        }
    }
    (kinds, values)
}

/// The kinds of what fits all of `together`.
fn kinds_of(together: &Together<'_>) -> Kinds {
    let types = together.iter().map(|schema| {
        let kinds = match schema.member("type") {
            None => Kinds::ALL,
            Some(json) => match &json.value {
                JsonValue::String(name) => kind_of(name),
                JsonValue::Array(names) => names
                    .iter()
                    .map(|name| name.as_str().map_or(Kinds::ALL, kind_of))
                    .fold(Kinds::NONE, Kinds::or),
                _ => Kinds::ALL,
            },
        };
        let is_nullable =
            schema.member("nullable").is_some_and(|it| it.value == JsonValue::Bool(true));
        if is_nullable { kinds.or(Kinds::only(Kind::Null)) } else { kinds }
    });
    let kinds = types.fold(Kinds::ALL, Kinds::and);
    match values_of(together) {
        Some(values) => kinds.and(values.iter().map(Kind::of).collect()),
        None => kinds,
    }
}

fn kind_of(name: &str) -> Kinds {
    match name {
        "null" => Kinds::only(Kind::Null),
        "boolean" => Kinds::only(Kind::Bool),
        "number" | "integer" => Kinds::only(Kind::Number),
        "string" => Kinds::only(Kind::String),
        "array" => Kinds::only(Kind::List),
        "object" => Kinds::only(Kind::Table),
        // No type of JSON Schema: nothing is said.
        _ => Kinds::ALL,
    }
}

/// The values that fit all of `together`, where some schema lists them and all listed are scalars.
fn values_of(together: &Together<'_>) -> Option<Vec<Value>> {
    let listed = together.iter().filter_map(|schema| {
        let values: Option<Vec<Value>> = match (schema.member("const"), schema.member("enum")) {
            (Some(one), _) => scalar(one).map(|one| vec![one]),
            (None, Some(all)) => all.as_array()?.iter().map(scalar).collect(),
            (None, None) => None,
        };
        let mut values = values?;
        if schema.member("nullable").is_some_and(|it| it.value == JsonValue::Bool(true)) {
            values.push(Value::Null);
        }
        Some(values)
    });
    listed.reduce(|mut all, more| {
        all.retain(|value| more.contains(value));
        all
    })
}

fn scalar(json: &Json) -> Option<Value> {
    Some(match &json.value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(truth) => Value::Bool(*truth),
        JsonValue::Number(token) => Value::Number(Number::from_token(token)?),
        JsonValue::String(text) => Value::String(text.clone()),
        JsonValue::Array(_) | JsonValue::Object(_) => return None,
    })
}
