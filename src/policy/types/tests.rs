//! Tables of schemas, paths, and what is known.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::Sources;
use crate::lock::{Item, Json, Lock, Server};
use crate::policy::{CompileOptions, Policy};
use crate::wire::mcp::Revision;

fn lock(list: List, element: &serde_json::Value) -> Arc<Lock> {
    let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
    let json = Json::parse(element.to_string().as_bytes(), 1).unwrap();
    assert!(lock.add(Item::new(list, json).unwrap()));
    Arc::new(lock)
}

fn of_schema(schema: &serde_json::Value) -> Types {
    let tool = json!({"name": "t", "inputSchema": schema});
    Types::new(None, Some(lock(List::Tools, &tool)))
}

/// `kinds; values; elements; presence`, each where there is something to say.
fn shown(found: &Type) -> String {
    let mut text = found.kinds.to_string();
    if let Some(values) = &found.values {
        let values: Vec<String> = values
            .iter()
            .map(|value| match value {
                Value::String(text) => text.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                _ => "null".into(),
            })
            .collect();
        text += &format!(" {values:?}");
    }
    if let Some(elements) = &found.elements {
        text += &format!(" of ({})", shown(elements));
    }
    format!("{text} {:?}", found.presence)
}

#[test]
fn arguments() {
    let table = [
        (json!({"type": "string"}), "string Optional"),
        (json!({"type": "integer"}), "number Optional"),
        (json!({"type": ["string", "null"]}), "string or null Optional"),
        (json!({"type": "string", "nullable": true}), "string or null Optional"),
        (
            json!({"enum": ["a", 1, null]}),
            "number or string or null [\"a\", \"1\", \"null\"] Optional",
        ),
        (json!({"type": "string", "enum": ["a", 1]}), "string [\"a\"] Optional"),
        (json!({"const": true}), "boolean [\"true\"] Optional"),
        // An object in the list: the values are not all scalars, so that none are told.
        (json!({"enum": ["a", {}]}), "anything Optional"),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), "string or null Optional"),
        (json!({"oneOf": [{"const": "a"}, {"const": "b"}]}), "string [\"a\", \"b\"] Optional"),
        (json!({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}), "string [\"b\"] Optional"),
        (json!({"type": "string", "not": {"const": "a"}}), "string Optional"),
        (json!({"$ref": "#/$defs/plan"}), "string [\"free\"] Optional"),
        // Draft 7 does not read what stands beside a reference.
        (json!({"$ref": "#/$defs/any", "type": "string"}), "anything Optional"),
        (json!({"$ref": "#/$defs/circle"}), "anything Unknown"),
        (json!({"$ref": "https://example.com/x"}), "anything Optional"),
        (json!({"$ref": "#/$defs/none"}), "anything Optional"),
        (json!({"$ref": "#/$defs/named"}), "anything Optional"),
        (json!({"$id": "x", "$ref": "#/$defs/plan"}), "anything Optional"),
        (
            json!({"type": "array", "items": {"type": "number"}}),
            "list of (number Unknown) Optional",
        ),
        (
            json!({"type": "array", "items": {"enum": ["a"]}}),
            "list of (string [\"a\"] Unknown) Optional",
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
            "list Optional",
        ),
        (
            json!({"type": "array", "items": [{"type": "string"}]}),
            "list of (anything Unknown) Optional",
        ),
        (json!(true), "anything Optional"),
        (json!({}), "anything Optional"),
        (json!({"type": "strnig"}), "anything Optional"),
        (json!({"type": 7, "enum": 7, "anyOf": 7}), "anything Optional"),
        // Nothing fits: the schema is broken and says nothing.
        (json!({"allOf": [{"type": "string"}, {"type": "null"}]}), "anything Unknown"),
        (json!(false), "nothing Never"),
    ];
    for (schema, want) in table {
        let defs = json!({
            "plan": {"enum": ["free"]},
            "any": {},
            "circle": {"$ref": "#/$defs/circle"},
            "named": {"$id": "https://example.com/named", "$ref": "#/$defs/plan"},
        });
        let types =
            of_schema(&json!({"type": "object", "properties": {"x": schema}, "$defs": defs}));
        let want = want.replace("string", "a string").replace("number", "a number");
        let want = want.replace("boolean", "a boolean").replace("list", "a list");
        assert_eq!(shown(&types.arg("t", &["x"])), want, "{schema}");
    }
}

#[test]
fn presence() {
    let table = [
        (json!({"type": "object", "properties": {"x": {}}, "required": ["x"]}), Presence::Required),
        // What need not be an object need not have members.
        (json!({"properties": {"x": {}}, "required": ["x"]}), Presence::Optional),
        (json!({"type": "object", "required": ["x"]}), Presence::Required),
        (json!({"type": "object", "properties": {"x": {}}}), Presence::Optional),
        (json!({"type": "object", "properties": {"y": {}}}), Presence::Unnamed),
        (
            json!({"type": "object", "properties": {"y": {}}, "additionalProperties": true}),
            Presence::Unknown,
        ),
        (
            json!({"type": "object", "properties": {"y": {}}, "additionalProperties": false}),
            Presence::Never,
        ),
        (
            json!({"type": "object", "properties": {"y": {}}, "additionalProperties": {"type": "string"}}),
            Presence::Optional,
        ),
        (
            json!({"type": "object", "patternProperties": {".": {}}, "additionalProperties": false}),
            Presence::Unknown,
        ),
        (json!({"type": "object", "additionalProperties": false}), Presence::Never),
        (json!({"type": "object"}), Presence::Unknown),
        (json!({"type": "string"}), Presence::Never),
        (
            json!({"type": "object", "anyOf": [{"properties": {"x": {}}}, {"required": ["y"]}]}),
            Presence::Unknown,
        ),
        (
            json!({"type": "object", "anyOf": [{"properties": {"x": {}}}, {"properties": {"y": {}}, "additionalProperties": false}]}),
            Presence::Optional,
        ),
        (
            json!({"type": "object", "anyOf": [{"properties": {"x": {}}, "required": ["x"]}, {"required": ["x"]}]}),
            Presence::Required,
        ),
        (json!(true), Presence::Unknown),
    ];
    for (schema, want) in table {
        assert_eq!(of_schema(&schema).arg("t", &["x"]).presence, want, "{schema}");
    }
    let none: [&str; 0] = [];
    assert_eq!(of_schema(&json!({"type": "object"})).arg("u", &["x"]), Type::ANY);
    assert_eq!(Types::default().arg("t", &["x"]), Type::ANY);
    assert_eq!(of_schema(&json!({})).arg("t", &none), Type::ANY);
}

#[test]
fn members_of_members_and_names() {
    let schema = json!({
        "type": "object",
        "properties": {
            "file": {"$ref": "#/$defs/file"},
            "tree": {"$ref": "#/$defs/tree"},
        },
        "required": ["file"],
        "$defs": {
            "file": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "mode": {"type": "number"}},
                "required": ["path"],
                "additionalProperties": false,
            },
            "tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "at": {"type": "number"}}},
        },
    });
    let types = of_schema(&schema);
    let at = |path: &[&str]| shown(&types.arg("t", path));
    assert_eq!(at(&["file", "path"]), "a string Required");
    assert_eq!(at(&["file", "mode"]), "a number Optional");
    assert_eq!(at(&["file", "paht"]), "nothing Never");
    assert_eq!(at(&["file", "path", "x"]), "nothing Never");
    assert_eq!(at(&["tree", "left", "left", "left", "at"]), "a number Optional");
    assert_eq!(types.arg_names::<&str>("t", &[]), ["file", "tree"]);
    assert_eq!(types.arg_names("t", &["file"]), ["mode", "path"]);
    assert_eq!(types.arg_names("t", &["file", "path"]), [""; 0]);
}

#[test]
fn alternatives_that_multiply_end_in_the_unknown() {
    let way = json!({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]});
    let all: Vec<_> = (0..12).map(|_| way.clone()).collect();
    let types = of_schema(&json!({"type": "object", "properties": {"x": {"allOf": all}}}));
    assert_eq!(types.arg("t", &["x"]), Type::ANY);
    let circle = json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"});
    assert_eq!(of_schema(&circle).arg("t", &["x"]), Type::ANY);
}

#[test]
fn arguments_of_prompts() {
    let prompt =
        json!({"name": "p", "arguments": [{"name": "who", "required": true}, {"name": "how"}]});
    let types = Types::new(None, Some(lock(List::Prompts, &prompt)));
    assert_eq!(shown(&types.prompt_arg("p", &["who"])), "a string Required");
    assert_eq!(shown(&types.prompt_arg("p", &["how"])), "a string Optional");
    assert_eq!(types.prompt_arg("p", &["x"]).presence, Presence::Unnamed);
    assert_eq!(types.prompt_arg("p", &["who", "x"]).presence, Presence::Never);
    assert_eq!(types.prompt_arg("q", &["who"]), Type::ANY);
    assert_eq!(types.prompt_arg_names("p"), ["who", "how"]);
    assert_eq!(types.prompt_arg_names("q"), [""; 0]);
}

fn of_claims(text: &str) -> Result<Arc<Policy>, Vec<String>> {
    let mut sources = Sources::new();
    sources.add("policies/schema.toml", text);
    let compiled = Policy::compile(&sources, &CompileOptions::new(0));
    let told = compiled.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message));
    compiled.policy.ok_or_else(|| told.collect())
}

#[test]
fn claims() {
    let policy = of_claims(
        "[claims]\nteam = \"string\"\naud = \"list\"\n\
         [claims.plan]\ntype = \"string\"\nvalues = [\"free\", \"pro\"]\nrequired = true\n\
         [claims.roles]\ntype = \"list\"\nof = \"string\"\nvalues = [\"admin\"]\n\
         [claims.level]\ntype = [\"number\", \"bool\"]\nvalues = [1, 2.5, true]\n\
         [claims.free]\ntype = \"table\"\n\
         [claims.org]\ntype = \"table\"\nrequired = true\nmembers = { id = { type = \"string\", required = true }, seats = \"number\" }\n",
    );
    let policy = policy.unwrap();
    let types = policy.types();
    for (path, want) in [
        (&["team"][..], "a string Optional"),
        (&["plan"], "a string [\"free\", \"pro\"] Required"),
        (&["roles"], "a list of (a string [\"admin\"] Unknown) Optional"),
        (&["level"], "a boolean or a number [\"1\", \"2.5\", \"true\"] Optional"),
        (&["org"], "a table Required"),
        (&["org", "id"], "a string Required"),
        (&["org", "seats"], "a number Optional"),
        (&["org", "sits"], "anything Unnamed"),
        (&["plan", "x"], "nothing Never"),
        (&["free", "x"], "anything Unknown"),
        // What the standards name needs no declaration, and may have one.
        (&["sub"], "a string Optional"),
        (&["exp"], "a number Optional"),
        (&["sub", "x"], "nothing Never"),
        (&["aud"], "a list of (anything Unknown) Optional"),
        (&["paln"], "anything Unnamed"),
    ] {
        assert_eq!(shown(&types.claim(path)), want, "{path:?}");
    }
    let claims = types.claims().unwrap();
    assert_eq!(claims.names(&["org"]), ["id", "seats"]);
    assert!(claims.names::<&str>(&[]).contains(&"plan"));
    assert!(claims.span(&["org", "sits"]).is_some() && claims.span(&["paln"]).is_none());
    assert_eq!(Types::default().claim(&["plan"]), Type::ANY);
}

#[test]
fn a_schema_that_is_wrong_is_told() {
    for (text, want) in [
        ("[claim]\nsub = \"string\"\n", "P002 unknown table `claim`"),
        ("[claims]\nsub = \"text\"\n", "P016 no type is called `text`"),
        ("[claims]\nsub = 7\n", "P004 wrong type for `sub`"),
        ("[claims.a]\nvalues = [\"x\"]\n", "P003 missing key `type`"),
        ("[claims.a]\ntype = \"string\"\nvalues = [1]\n", "P004 wrong type for `values`"),
        ("[claims.a]\ntype = \"string\"\nvalues = []\n", "P008 `values` is empty"),
        ("[claims.a]\ntype = \"string\"\nof = \"string\"\n", "P004 wrong type for `of`"),
        ("[claims.a]\ntype = \"string\"\nmembers = {}\n", "P004 wrong type for `members`"),
        ("[claims.a]\ntype = \"string\"\nrequierd = true\n", "P002 unknown key `requierd`"),
        ("[claims.a]\ntype = []\n", "P008 `type` is empty"),
        ("[[allow]]\nname = \"a\"\n", "P002 unknown table `allow`"),
    ] {
        assert_eq!(of_claims(text).unwrap_err(), [want], "{text}");
    }
    let deep = format!(
        "[claims]\na = {}\"string\"{}",
        "{ type = \"table\", members = { a = ".repeat(17),
        "} }".repeat(17)
    );
    assert_eq!(of_claims(&deep).unwrap_err(), ["P004 wrong type for `a`"]);
}

/// A schema of few words, and whether `value` fits it, told in the plainest way.
fn fits(schema: &serde_json::Value, value: &serde_json::Value) -> bool {
    let Some(members) = schema.as_object() else { return schema.as_bool().unwrap_or(true) };
    members.iter().all(|(key, word)| match key.as_str() {
        "type" => match word.as_str().unwrap_or_default() {
            "string" => value.is_string(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            "object" => value.is_object(),
            _ => value.is_array(),
        },
        "enum" => word.as_array().unwrap().contains(value),
        "anyOf" => word.as_array().unwrap().iter().any(|it| fits(it, value)),
        "allOf" => word.as_array().unwrap().iter().all(|it| fits(it, value)),
        "not" => !fits(word, value),
        "required" => value.as_object().is_none_or(|all| {
            word.as_array().unwrap().iter().all(|name| all.contains_key(name.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|all| {
            word.as_object()
                .unwrap()
                .iter()
                .all(|(name, it)| all.get(name).is_none_or(|value| fits(it, value)))
        }),
        "items" => value.as_array().is_none_or(|all| all.iter().all(|value| fits(word, value))),
        "additionalProperties" => value.as_object().is_none_or(|all| {
            let named = members.get("properties").and_then(|all| all.as_object());
            all.iter().all(|(name, value)| {
                named.is_some_and(|all| all.contains_key(name)) || fits(word, value)
            })
        }),
        _ => true,
    })
}

fn schemas() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["string", "number", "null", "object", "array"])
            .prop_map(|word| json!({"type": word})),
        Just(json!({"enum": ["a", 1, null]})),
        Just(json!({"enum": ["a"]})),
        Just(json!(true)),
        Just(json!(false)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list.clone().prop_map(|ways| json!({"anyOf": ways})),
            list.prop_map(|ways| json!({"allOf": ways})),
            inner.clone().prop_map(|it| json!({"not": it})),
            inner.clone().prop_map(|it| json!({"type": "array", "items": it})),
            (inner.clone(), inner.clone(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
                |(x, y, required, closed, typed)| {
                    let mut schema = json!({"properties": {"x": x, "y": y}});
                    if required {
                        schema["required"] = json!(["x"]);
                    }
                    if closed {
                        schema["additionalProperties"] = json!(false);
                    }
                    if typed {
                        schema["type"] = json!("object");
                    }
                    schema
                }
            ),
        ]
    })
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop::sample::select(vec![json!("a"), json!("b"), json!(1), json!(null)]);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[xyz]", inner, 0..3).prop_map(|all| json!(all)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    /// Whatever fits the schema is of the type, and as present as it says.
    #[test]
    fn a_type_is_never_narrower_than_its_schema(
        schema in schemas(),
        value in prop::collection::btree_map("[xyz]", values(), 0..4),
        path in prop::collection::vec("[xyz]", 1..3),
    ) {
        let value = json!(value);
        if !fits(&schema, &value) {
            return Ok(());
        }
        let found = of_schema(&schema).arg("t", &path);
        let there = path.iter().try_fold(&value, |at, name| at.as_object()?.get(name));
        match there {
            None => prop_assert_ne!(found.presence, Presence::Required, "{}", schema),
            Some(there) => {
                prop_assert_ne!(found.presence, Presence::Never, "{}", schema);
                prop_assert!(found.admits(&Value::from(there)), "{} {:?}", schema, found);
                if let (Some(all), Some(elements)) = (there.as_array(), &found.elements) {
                    for element in all {
                        prop_assert!(elements.admits(&Value::from(element)), "{} {:?}", schema, found);
                    }
                }
            }
        }
    }
}
