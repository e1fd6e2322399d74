//! TOML of what came from a log: whatever a caller named its tools, it stays inside its string.

use std::fmt::Write as _;

use crate::policy::Value;

/// `text` as a basic string (TOML 1.0). All that is not a plain character is written as an escape.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            _ if is_plain(c) => out.write_char(c),
            c if u32::from(c) > 0xffff => write!(out, "\\U{:08x}", u32::from(c)),
            c => write!(out, "\\u{:04x}", u32::from(c)),
        };
    }
    out.push('"');
    out
}

/// Whether a reader sees `c` as what it is: letters and signs of ASCII, and letters and digits of any script.
fn is_plain(c: char) -> bool {
    (' '..='~').contains(&c) || (c.is_alphanumeric() && !c.is_control())
}

/// `text` inside of a comment: one line, in which nothing is hidden.
pub(super) fn comment(text: &str) -> String {
    let quoted = string(text);
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// `text` as a string of an expression, which itself stands in a literal string (`'…'`); `None` where it cannot.
pub(super) fn quoted(text: &str) -> Option<String> {
    let is_easy = |c: char| is_plain(c) && !matches!(c, '"' | '\\' | '\'');
    text.chars().all(is_easy).then(|| format!("\"{text}\""))
}

/// A list of strings, one line.
pub(super) fn strings<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(string).collect::<Vec<_>>().join(", "))
}

/// `value` as an inline value; `None` where a test cannot say it. Recurses as deep as the names of a claim go.
pub(super) fn inline(value: &Value, depth: usize) -> Option<String> {
    const DEEP: usize = 16;
    if depth > DEEP {
        return None;
    }
    match value {
        Value::Null => None,
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => number.as_u64().map(|int| int.to_string()),
        Value::String(text) => Some(string(text)),
        Value::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| inline(item, depth + 1)).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::Map(members) => {
            let members: Option<Vec<String>> = members
                .iter()
                .map(|(name, value)| Some(format!("{} = {}", key(name), inline(value, depth + 1)?)))
                .collect();
            Some(format!("{{ {} }}", members?.join(", ")))
        }
    }
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => string(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_back_and_hide_nothing() {
        for text in [
            "read_file",
            "größe 日本",
            "a\"b\\c",
            "x\n[[allow]]",
            "\u{1b}[2J",
            "\u{202e}e",
            "\u{e0041}",
            "\0",
        ] {
            let written = string(text);
            assert!(!written.contains(|c: char| c.is_control() || c == '\u{202e}'), "{written}");
            let table: ::toml::Table = format!("a = {written}").parse().unwrap();
            assert_eq!(table["a"].as_str(), Some(text));
        }
        assert_eq!(comment("a\nb"), "a\\u000ab");
        assert_eq!(quoted("it's"), None);
        assert_eq!(quoted("a\"b"), None);
        assert_eq!(quoted("/sandbox/"), Some("\"/sandbox/\"".to_owned()));
    }

    #[test]
    fn values() {
        let map = Value::map([("a b", Value::from("x")), ("n", 3.into())]);
        assert_eq!(inline(&map, 0).as_deref(), Some("{ \"a b\" = \"x\", n = 3 }"));
        assert_eq!(inline(&Value::Null, 0), None);
        assert_eq!(inline(&Value::List(vec![true.into()]), 0).as_deref(), Some("[true]"));
    }
}
