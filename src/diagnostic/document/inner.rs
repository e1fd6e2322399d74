//! From an offset in a string's value to the place in the file: an expression is checked as text, its findings belong
//! under the characters that the author typed.

use std::ops::Range;

use super::super::{Sources, Span, Spanned};

/// The span of bytes `range` of the value of `string`, as written in its file. Escapes (`\n`, `\u00e9`, a line ending
/// in `\`) are followed, so that the span covers what was typed; where the string is not as TOML writes it, its whole
/// span is returned.
#[must_use]
pub fn inner_span(sources: &Sources, string: Spanned<&str>, range: Range<usize>) -> Span {
    let raw = sources.slice(string.span);
    let place = |range: Range<usize>| {
        let at = string.span.start;
        Span::new(string.span.source, at + range.start..at + range.end)
    };
    locate(raw, string.value, range).map_or(string.span, place)
}

/// The bytes of `raw`, a TOML string with its quotes, that make the bytes `range` of its value.
fn locate(raw: &str, value: &str, range: Range<usize>) -> Option<Range<usize>> {
    let (opening, is_literal) = ["'''", "\"\"\"", "'", "\""]
        .iter()
        .find(|quote| raw.starts_with(**quote))
        .map(|quote| (quote.len(), quote.starts_with('\'')))?;
    let is_multi_line = opening == 3;
    let mut at = opening;
    if is_multi_line {
        // "A newline immediately following the opening delimiter will be trimmed."
        let rest = raw.get(at..)?;
        at += ["\r\n", "\n"].iter().find(|nl| rest.starts_with(**nl)).map_or(0, |nl| nl.len());
    }
    if is_literal {
        let found = at + range.start..at + range.end;
        return (raw.get(at..)?.starts_with(value)).then_some(found);
    }

    let mut start = None;
    let mut after = at;
    for (offset, c) in value.char_indices() {
        if offset >= range.end && start.is_some() {
            return Some(start?..after);
        }
        let (skipped, length) = typed(raw.get(at..)?, c)?;
        if offset >= range.start && start.is_none() {
            start = Some(at + skipped);
            // An empty range is a place, not the character after it.
            if range.is_empty() {
                return Some(at + skipped..at + skipped);
            }
        }
        at += skipped + length;
        after = at;
    }
    Some(start.unwrap_or(after)..after)
}

/// How `c` is typed at the start of `rest`: the length of the line continuations before it, and its own.
fn typed(rest: &str, c: char) -> Option<(usize, usize)> {
    let mut skipped = 0;
    loop {
        let rest = rest.get(skipped..)?;
        let Some(escape) = rest.strip_prefix('\\') else {
            return rest.starts_with(c).then_some((skipped, c.len_utf8()));
        };
        let kind = escape.chars().next()?;
        if kind.is_ascii_whitespace() {
            let blank = escape.find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n'))?;
            skipped += 1 + blank;
            continue;
        }
        let length = match kind {
            'x' => 4,
            'u' => 6,
            'U' => 10,
            _ => 2,
        };
        return Some((skipped, length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_follow_escapes_and_quotes() {
        for (raw, part) in [
            ("'a == b'", "b"),
            ("\"a == b\"", "b"),
            ("'''\na == b'''", "b"),
            ("'''\r\na ==\r\n b'''", "b"),
            ("\"\"\"\na == b\"\"\"", "b"),
            ("\"\"\"a \\\n   == b\"\"\"", "=="),
            ("\"\"\"a \\\n   == b\"\"\"", "b"),
            (r#""\u00e9 == b""#, "b"),
            (r#""\U0001F600\n == b""#, "b"),
            (r#""a \"x\" b""#, "b"),
            ("\"日本 b\"", "b"),
        ] {
            let text = format!("k = {raw}");
            let document = toml::de::DeTable::parse(&text).unwrap();
            let (_, value) = document.get_ref().iter().next().unwrap();
            let value = value.get_ref().as_str().unwrap();
            let from = value.find(part).unwrap();
            let found = locate(raw, value, from..from + part.len()).unwrap();
            assert_eq!(raw.get(found), Some(part), "{raw}");
            // The end of the value is before the closing quotes.
            let end = locate(raw, value, value.len()..value.len()).unwrap();
            let rest = raw.get(end.start..).unwrap();
            assert!(rest.chars().all(|c| c == '"' || c == '\''), "{raw}");
        }
    }

    #[test]
    fn an_escape_is_covered_whole() {
        let raw = r#""a\u00e9b""#;
        let at = |range| raw.get(locate(raw, "aéb", range)?);
        assert_eq!(at(1..3), Some(r"\u00e9"));
        assert_eq!(at(0..4), Some(r"a\u00e9b"));
    }

    #[test]
    fn what_is_not_a_string_has_no_inside() {
        assert_eq!(locate("12", "12", 0..1), None);
        assert_eq!(locate("'ab'", "xy", 0..1), None);
        assert_eq!(locate("\"ab\"", "xy", 0..1), None);
    }
}
