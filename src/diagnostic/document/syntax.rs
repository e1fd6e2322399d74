//! What to do about a text that is not TOML: the parser says what it expected, and this what was probably meant.

use std::ops::Range;

/// `errors` about `text` but for those that only follow from a list that is not closed: the parser takes all that stands behind it
/// for elements.
pub(super) fn without_followers<'e>(
    text: &str,
    errors: &'e [toml::de::Error],
) -> &'e [toml::de::Error] {
    if !errors.iter().any(|error| error.message().contains("unclosed array, ")) {
        return errors;
    }
    // Where an element seems to begin a line that is a key or a header, the list ended before.
    let is_begin_of_line = |error: &toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let is_key = line.starts_with('[') || line.contains('=');
        error.message().contains("missing comma") && before.ends_with('\n') && is_key
    };
    let first = errors.iter().position(is_begin_of_line).map_or(errors.len(), |at| at + 1);
    errors.get(..first).unwrap_or(errors)
}

/// What helps against `message` of the parser about `range` of `text`; `None` where that is not known.
pub(super) fn help(text: &str, range: &Range<usize>, message: &str) -> Option<String> {
    let written = text.get(range.clone()).unwrap_or_default();
    let start = text.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.lines().next().unwrap_or_default().trim_start();
    let says = |what: &str| message.contains(what);
    if text.trim_start().starts_with('{') {
        return Some("this looks like JSON; TOML has a line `key = value` for each key".into());
    }
    if line.starts_with("//") {
        return Some("a comment begins with `#`".into());
    }
    if says("duplicate key") {
        return Some("a key stands once in a table; each rule has a header of its own".into());
    }
    if says("boolean") || says("must be quoted") {
        return value(written);
    }
    if says("basic string, expected") || says("literal string, expected") {
        let quote = message.rsplit('`').nth(1).filter(|quote| !quote.is_empty())?;
        return Some(format!("close the string with {quote}"));
    }
    if says("unclosed array table") {
        return Some("a header of a list of tables ends with `]]`".into());
    }
    if says("unclosed table") {
        return Some("a header of a table ends with `]`".into());
    }
    if says("unclosed array") || says("missing comma between array elements") {
        return Some("a list ends with `]`, and a comma stands between its elements".into());
    }
    let key = line.split(['"', '\'', '=']).next().unwrap_or_default();
    let is_key = says("unquoted key") || says("key with no value");
    (is_key && key.contains(':')).then(|| "TOML writes `key = value`, without a colon".into())
}

/// What helps against `written`, which is no value.
fn value(written: &str) -> Option<String> {
    let lower = written.to_ascii_lowercase();
    if matches!(&*lower, "true" | "false") {
        return Some(format!("write `{lower}`"));
    }
    let is_curly = |c: char| matches!(c, '\u{2018}'..='\u{201f}');
    if written.contains(is_curly) {
        return Some("write straight quotes: \" or '".into());
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '*');
    let is_plain = !written.is_empty() && written.chars().all(is_word);
    is_plain.then(|| format!("write \"{written}\""))
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::{help, without_followers};

    /// By what the parser really says.
    #[test]
    fn slips_of_newcomers() {
        for (text, want) in [
            ("name = \"a\n", "close the string with \""),
            ("name = 'a\n", "close the string with '"),
            ("name = a\n", "write \"a\""),
            ("tools = [read_*]\n", "write \"read_*\""),
            ("everything = True\n", "write `true`"),
            ("name = \u{201c}a\u{201d}\n", "write straight quotes: \" or '"),
            ("// a rule\n", "a comment begins with `#`"),
            ("name: \"a\"\n", "TOML writes `key = value`, without a colon"),
            (
                "{ \"allow\": [] }\n",
                "this looks like JSON; TOML has a line `key = value` for each key",
            ),
            ("a = 1\na = 2\n", "a key stands once in a table; each rule has a header of its own"),
            ("[[allow]\na = 1\n", "a header of a list of tables ends with `]]`"),
            ("[listen\na = 1\n", "a header of a table ends with `]`"),
            ("a = [1\nb = 2\n", "a list ends with `]`, and a comma stands between its elements"),
        ] {
            let (_, errors) = DeTable::parse_recoverable(text);
            let first = errors.first().unwrap();
            let found = help(text, &first.span().unwrap(), first.message());
            assert_eq!(found.as_deref(), Some(want), "{text}: {}", first.message());
        }
        let many = "a = [1\nb = 2\n\n[[c]\nd = e\n";
        let (_, errors) = DeTable::parse_recoverable(many);
        assert!(errors.len() > 3, "{errors:?}");
        assert_eq!(without_followers(many, &errors).len(), 1);
        let two = "a = b\nc = d\n";
        let (_, errors) = DeTable::parse_recoverable(two);
        assert_eq!(without_followers(two, &errors).len(), 2);
        assert_eq!(help("= 1\n", &(0..1), "invalid key-value pair, expected key"), None);
    }
}
