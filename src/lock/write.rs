//! A lock as text: the same for the same lock, so that git shows what changed and nothing else.
//!
//! Two spaces a level, one value a line, names of members sorted, a line feed at the end. What a terminal or a review
//! tool would hide is written as an escape: a reviewer has to see it (T51).

use std::fmt::Write as _;

use super::json::{Json, Step, Steps, Value};
use super::{List, Lock};
use crate::diagnostic::is_hidden;

/// The version of the file that this program reads and writes.
pub(super) const VERSION: &str = "1";

impl Lock {
    /// The text of the file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        out.push_str("{\n  \"version\": ");
        out.push_str(VERSION);
        out.push_str(",\n  \"server\": {\n    \"name\": ");
        string(&mut out, &self.server.name);
        out.push_str(",\n    \"version\": ");
        string(&mut out, &self.server.version);
        if let Some(instructions) = &self.server.instructions {
            out.push_str(",\n    \"instructions\": ");
            string(&mut out, instructions);
        }
        out.push_str("\n  },\n  \"revision\": ");
        string(&mut out, self.revision.as_str());
        for list in List::ALL {
            out.push_str(",\n  ");
            string(&mut out, list.key());
            out.push_str(": [");
            let mut mark = "";
            for item in self.items(list) {
                out.push_str(mark);
                mark = ",";
                out.push_str("\n    {");
                for (name, member) in item.members() {
                    out.push_str("\n      ");
                    string(&mut out, name);
                    out.push_str(": ");
                    value(&mut out, &member.value, Some(3));
                    out.push(',');
                }
                out.push_str("\n      \"digest\": ");
                string(&mut out, &item.digest().to_string());
                out.push_str("\n    }");
            }
            out.push_str(if mark.is_empty() { "]" } else { "\n  ]" });
        }
        out.push_str("\n}\n");
        out
    }
}

/// `json` on one line.
pub(super) fn compact(json: &Json) -> String {
    let mut out = String::new();
    value(&mut out, &json.value, None);
    out
}

/// Writes `json`, which stands at `level`; without one, on one line.
fn value(out: &mut String, json: &Value, level: Option<usize>) {
    // For each open container: whether something stands in it.
    let mut open: Vec<bool> = Vec::new();
    let mut is_named = false;
    let line = |out: &mut String, depth: usize| {
        if let Some(level) = level {
            out.push('\n');
            (0..level + depth).for_each(|_| out.push_str("  "));
        }
    };
    let begin = |out: &mut String, open: &mut Vec<bool>| {
        let depth = open.len();
        if let Some(has_more) = open.last_mut() {
            if std::mem::replace(has_more, true) {
                out.push(',');
            }
            line(out, depth);
        }
    };
    for step in Steps::new(json) {
        match step {
            Step::Key(name) => {
                begin(out, &mut open);
                string(out, name);
                out.push_str(if level.is_some() { ": " } else { ":" });
                is_named = true;
            }
            Step::Begin(value) => {
                if !std::mem::take(&mut is_named) {
                    begin(out, &mut open);
                }
                match value {
                    Value::Null => out.push_str("null"),
                    Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
                    Value::Number(token) => out.push_str(token),
                    Value::String(text) => string(out, text),
                    Value::Array(_) => out.push('['),
                    Value::Object(_) => out.push('{'),
                }
                if matches!(value, Value::Array(_) | Value::Object(_)) {
                    open.push(false);
                }
            }
            Step::End(value) => {
                let mark = match value {
                    Value::Array(_) => ']',
                    Value::Object(_) => '}',
                    _ => continue,
                };
                if open.pop() == Some(true) {
                    line(out, open.len());
                }
                out.push(mark);
            }
        }
    }
}

/// Writes `text` as a JSON string.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // The supplementary variation selectors carry bytes that nobody sees, too.
            c if is_hidden(c) || ('\u{e0100}'..='\u{e01ef}').contains(&c) => {
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
