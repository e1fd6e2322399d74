//! A test's call as the words of an `mcpfw explain` that asks about the same call.

use super::{PolicyTest, Value};
use crate::diagnostic::is_hidden;
use crate::wire::mcp::ObjectKind;

impl PolicyTest {
    /// The command line, word for word and not quoted, that explains its first call by the policies in `folder`.
    #[must_use]
    pub fn explain_words(&self, folder: &str) -> Vec<String> {
        let mut words = vec!["mcpfw".to_owned(), "explain".to_owned()];
        let mut flag = |name: &str, value: &str| {
            // A value that begins with a dash would be read as a flag.
            if value.starts_with('-') {
                words.push(format!("{name}={value}"));
            } else {
                words.extend([name.to_owned(), value.to_owned()]);
            }
        };
        flag("--policies", folder);
        let call = &self.call;
        if let Some(object) = &call.object {
            let name = match object.kind {
                ObjectKind::Tool => "--tool",
                ObjectKind::Prompt => "--prompt",
                ObjectKind::Resource => "--resource",
            };
            flag(name, &object.name);
        }
        if let Some(method) = &call.method {
            flag("--method", method);
        }
        for (name, value) in [("--claims", &self.claims), ("--args", &call.args)] {
            if let Some(value) = value {
                flag(name, &json(value));
            }
        }
        if let Some(ip) = call.ip {
            flag("--ip", &ip.to_string());
        }
        for (name, value) in [("--route", &call.route), ("--host", &call.host)] {
            if let Some(value) = value {
                flag(name, value);
            }
        }
        if let Some(revision) = call.revision {
            flag("--revision", revision.as_str());
        }
        if call.is_retry {
            words.push("--retry".to_owned());
        }
        words
    }
}

/// `value` as JSON on one line in which no character is hidden.
fn json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

/// Recurses as deep as the reader of tests let values be.
fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(out, text),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, item);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write(out, value);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_hidden(c) || c.is_control() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
