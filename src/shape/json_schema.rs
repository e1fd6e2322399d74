//! The tables as JSON Schema 2020-12.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{File, Form, Presence, Table, policy};
use crate::wire::mcp::Revision;

/// The schema of files of this kind. TOML dates count as strings.
///
/// What it refuses the parser refuses; the parser knows more: what a condition means, which names there are, what
/// durations and sizes are out of range.
#[must_use]
pub fn json_schema(file: File) -> Value {
    let mut definitions = Definitions::default();
    let mut root = definitions.table(file.root());
    if let Value::Object(root) = &mut root {
        root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".into(), json!(format!("mcpfw: {}", file.root().name)));
        let all = definitions.all.into_iter().map(|(name, schema)| (name.to_owned(), schema));
        let all: Map<String, Value> = all.collect();
        if !all.is_empty() {
            root.insert("$defs".into(), Value::Object(all));
        }
    }
    root
}

/// Schemas that others refer to, by name.
#[derive(Default)]
struct Definitions {
    all: BTreeMap<&'static str, Value>,
}

impl Definitions {
    /// A reference to the schema `name`, which is made where there is none yet.
    fn reference(&mut self, name: &'static str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.all.contains_key(name) {
            // Its own members may refer to it.
            self.all.insert(name, Value::Null);
            let made = make(self);
            self.all.insert(name, made);
        }
        json!({ "$ref": format!("#/$defs/{}", name.replace(' ', "%20")) })
    }

    fn refer(&mut self, table: &'static Table) -> Value {
        if table.name.is_empty() {
            return json!({ "type": "object" });
        }
        self.reference(table.name, |all| all.table(table))
    }

    fn table(&mut self, table: &'static Table) -> Value {
        let mut properties = Map::new();
        for key in table.keys {
            let mut schema = self.form(&key.form);
            if let Value::Object(schema) = &mut schema {
                schema.insert("description".into(), json!(key.about));
            }
            properties.insert(key.name.into(), schema);
        }
        let required: Vec<&str> =
            table.keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
        let mut schema = json!({
            "type": "object",
            "description": table.about,
            "properties": properties,
            "additionalProperties": false,
        });
        if let Value::Object(schema) = &mut schema {
            if !required.is_empty() {
                schema.insert("required".into(), json!(required));
            }
            if !table.rules.is_empty() {
                let rules: Vec<Value> = table.rules.iter().filter_map(presence).collect();
                schema.insert("allOf".into(), json!(rules));
            }
            if table.rules.iter().any(|rule| matches!(rule, Presence::LookAlikes)) {
                let alike = table.keys.iter().map(|key| (look_alike(key.name), json!({})));
                let alike: Map<String, Value> =
                    alike.chain([(NOT_ASCII.into(), json!({}))]).collect();
                schema.remove("allOf");
                schema.insert("patternProperties".into(), Value::Object(alike));
            }
        }
        schema
    }

    fn form(&mut self, form: &'static Form) -> Value {
        let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
        match form {
            Form::Text | Form::Rule => json!({ "type": "string" }),
            Form::Name => json!({ "type": "string", "minLength": 1, "maxLength": 128 }),
            Form::Like(pattern) => text(pattern),
            Form::Words(words) => json!({ "enum": words }),
            Form::Revision => json!({ "enum": Revision::ALL.map(Revision::as_str) }),
            Form::Bool => json!({ "type": "boolean" }),
            Form::Yes => json!({ "const": true }),
            Form::Count(least, most) => {
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
            Form::Duration => text("^[0-9]+(ms|s|m|h|d)$"),
            Form::Size => text("^[0-9]+(B|KiB|MiB|GiB)$"),
            Form::Date => json!({ "type": "string", "format": "date" }),
            Form::Rate => text(
                "^[0-9]+\\s*/\\s*[0-9]*\\s*(s|sec|second|m|min|minute|h|hour|d|day)$",
            ),
            Form::Condition | Form::Path => json!({ "type": "string", "minLength": 1 }),
            Form::Names(_) => {
                json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } })
            }
            Form::Routes => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
            Form::List(of) => json!({ "type": "array", "items": self.form(of) }),
            Form::Some(of) => json!({ "type": "array", "minItems": 1, "items": self.form(of) }),
            Form::OneOrSome(of) => {
                let one = self.form(of);
                let some = json!({ "type": "array", "minItems": 1, "items": one });
                json!({ "anyOf": [one, some] })
            }
            Form::Table(table) => self.refer(table),
            Form::Tables(table) => json!({ "type": "array", "items": self.refer(table) }),
            Form::Map(of) => {
                let least = usize::from(matches!(of, Form::Rate));
                json!({ "type": "object", "minProperties": least, "additionalProperties": self.form(of) })
            }
            Form::Either(one, other) => json!({ "anyOf": [self.form(one), self.form(other)] }),
            Form::Claim => self.reference("claim", |all| {
                json!({ "anyOf": [{ "enum": policy::TYPES }, all.table(&policy::CLAIM)] })
            }),
            Form::Headers => self.reference("headers", |all| {
                let inner = all.form(&Form::Headers);
                json!({ "type": "object", "additionalProperties": { "anyOf": [{ "type": "string" }, inner] } })
            }),
            Form::Json => json!({}),
        }
    }
}

/// Names that may look like any other.
const NOT_ASCII: &str = "[^\\u0000-\\u007f]";

/// The ASCII names that are like `name` but for case and what stands between words.
fn look_alike(name: &str) -> String {
    let letters =
        name.chars().map(|c| format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()));
    format!("^{}$", letters.collect::<Vec<_>>().join("[-_ .]*"))
}

fn presence(rule: &Presence) -> Option<Value> {
    let has = |keys: &[&str]| json!({ "required": keys });
    let each = |keys: &[&str]| -> Vec<Value> { keys.iter().map(|key| has(&[key])).collect() };
    Some(match rule {
        Presence::LookAlikes => return None,
        Presence::AnyOf(keys) => json!({ "anyOf": each(keys) }),
        Presence::OneOf(keys) => json!({ "oneOf": each(keys) }),
        Presence::AtMostOne(keys) => {
            let pairs = keys.iter().enumerate().flat_map(|(at, a)| {
                keys.iter().skip(at + 1).map(move |b| json!({ "required": [a, b] }))
            });
            json!({ "not": { "anyOf": pairs.collect::<Vec<_>>() } })
        }
        Presence::Needs(key, other) => json!({ "dependentRequired": { *key: [other] } }),
        Presence::Excludes(key, other) => json!({ "not": has(&[key, other]) }),
        Presence::NeedsAnyOf(key, others) => {
            json!({ "if": has(&[key]), "then": { "anyOf": each(others) } })
        }
        Presence::TableNeeds(key, other) => json!({
            "if": { "required": [key], "properties": { *key: { "type": "object" } } },
            "then": has(&[other]),
            "else": { "not": has(&[other]) },
        }),
    })
}
