//! Values that come as JSON on the command line or in a file.

use std::path::Path;

use crate::lock::{self, Json};
use crate::policy::{Number, Value};

/// The JSON object that `text` is, or that the file behind its `@` holds.
pub(super) fn value(flag: &str, text: &str) -> Result<Value, String> {
    let read;
    let json = match text.strip_prefix('@') {
        None => text,
        Some(path) => {
            read = std::fs::read_to_string(Path::new(path))
                .map_err(|error| format!("error: cannot read `{path}` for `{flag}`: {error}"))?;
            &read
        }
    };
    // Read as bodies are: numbers exactly, and no name twice.
    match Json::parse(json.as_bytes(), 0) {
        Ok(Json { value: lock::Value::Object(members), .. }) => {
            Ok(Value::map(members.iter().map(|(name, value)| (name.clone(), read_value(value)))))
        }
        Ok(_) => Err(format!("error: `{flag}` takes a JSON object, such as '{{\"sub\":\"u1\"}}'")),
        Err(error) => Err(format!(
            "error: `{flag}` is not JSON: {error}\n  help: names and texts stand in double quotes, as in '{{\"sub\":\"u1\"}}'; a file is @FILE"
        )),
    }
}

/// Depth is bounded by the tokenizer.
pub(super) fn read_value(json: &Json) -> Value {
    match &json.value {
        lock::Value::Null => Value::Null,
        lock::Value::Bool(truth) => Value::Bool(*truth),
        lock::Value::Number(token) => Number::from_token(token).map_or(Value::Null, Value::Number),
        lock::Value::String(text) => Value::String(text.clone()),
        lock::Value::Array(items) => Value::List(items.iter().map(read_value).collect()),
        lock::Value::Object(members) => {
            Value::map(members.iter().map(|(name, value)| (name.clone(), read_value(value))))
        }
    }
}

/// The names of a path, from a JSON list.
pub(super) fn names(text: &str) -> Result<Vec<Box<str>>, String> {
    let names = match Json::parse(text.as_bytes(), 0) {
        Ok(Json { value: lock::Value::Array(items), .. }) => {
            items.iter().map(|item| item.as_str().map(Box::from)).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    names.ok_or_else(|| {
        "error: `--oversized` takes a JSON list of names, such as '[\"path\"]'".into()
    })
}
