//! From an offset in a string's value to the place in the file: an expression is checked as text, its findings belong
//! under the characters that the author typed.

use std::ops::Range;

use super::super::{Edit, Sources, Span, Spanned};

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

/// The replacement of bytes `range` of the value of `string` by `text`, in its file; `None` where it is not sure to come out
/// as that: where `text` has characters that some string must escape, or the place is not known exactly.
#[must_use]
pub fn inner_edit(
    sources: &Sources,
    string: Spanned<&str>,
    range: Range<usize>,
    text: &str,
) -> Option<Edit> {
    let is_plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\'' | '\\');
    if !text.chars().all(is_plain) || string.value.get(range.clone()).is_none() {
        return None;
    }
    let found = locate(sources.slice(string.span), string.value, range)?;
    let at = string.span.start;
    let span = Span::new(string.span.source, at + found.start..at + found.end);
    Some(Edit { span, replacement: text.into() })
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
        let (meant, length) = meaning(escape, kind)?;
        if meant != c {
            return None;
        }
        return Some((skipped, length));
    }
}

/// What the escape that goes on with `rest`, whose first character is `kind`, stands for, and its length with the backslash.
fn meaning(rest: &str, kind: char) -> Option<(char, usize)> {
    let plain = match kind {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        '"' | '\\' => kind,
        'x' | 'u' | 'U' => {
            let digits = match kind {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let number = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
            return Some((char::from_u32(number)?, 2 + digits));
        }
        _ => return None,
    };
    Some((plain, 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// What may be typed inside of a string, and what it stands for; `true`: on one line, too.
    const PIECES: &[(&str, &str, bool)] = &[
        ("a", "a", true),
        (" ", " ", true),
        ("é", "é", true),
        ("日", "日", true),
        ("'", "'", true),
        ("\\\"", "\"", true),
        ("\\\\", "\\", true),
        ("\\n", "\n", true),
        ("\\t", "\t", true),
        ("\\e", "\u{1b}", true),
        ("\\x41", "A", true),
        ("\\u00e9", "é", true),
        ("\\U0001F600", "😀", true),
        ("\"", "\"", false),
        ("\n", "\n", false),
        ("\r\n", "\r\n", false),
        ("\\\n  ", "", false),
        ("\\  \r\n\n\t", "", false),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Whatever is typed: each character of the value is found where it was typed.
        #[test]
        fn characters_are_found_where_they_were_typed(
            is_multi_line in any::<bool>(),
            picked in prop::collection::vec(0..PIECES.len(), 0..12),
        ) {
            let quote = if is_multi_line { "\"\"\"" } else { "\"" };
            let mut raw = quote.to_owned();
            let mut value = String::new();
            let mut places = Vec::new();
            for at in picked {
                let (typed, means, is_plain) = PIECES[at];
                if !is_multi_line && !is_plain {
                    continue;
                }
                let start = raw.len();
                raw += typed;
                if !means.is_empty() {
                    places.push((value.len()..value.len() + means.len(), start..raw.len()));
                }
                value += means;
            }
            raw += quote;
            let text = format!("k = {raw}");
            let Ok(document) = toml::de::DeTable::parse(&text) else { return Ok(()) };
            let found = document.get_ref().iter().next().and_then(|(_, it)| it.get_ref().as_str());
            // A line end at the start is trimmed; blanks after a line continuation belong to it.
            if found != Some(&*value) {
                return Ok(());
            }
            for (range, typed) in places {
                prop_assert_eq!(locate(&raw, &value, range), Some(typed), "{}", raw);
            }
        }
    }

    #[test]
    fn edits_stay_inside_of_their_string() {
        let mut sources = Sources::new();
        let id = sources.add("a.toml", "k = \"a \\u0062 c\"\nl = '''\nd e'''");
        let at = |range: Range<usize>, value| Spanned::new(value, Span::new(id, range));
        let edit = |string, range, text| inner_edit(&sources, string, range, text);
        let first = at(4..16, "a b c");
        assert_eq!(
            edit(first, 2..3, "xyz"),
            Some(Edit { span: Span::new(id, 7..13), replacement: "xyz".into() })
        );
        for text in ["it's", "\"", "\\", "\n", "é", "\u{202e}"] {
            assert_eq!(edit(first, 2..3, text), None, "{text}");
        }
        assert_eq!(edit(first, 2..30, "x"), None);
        // The value is not what stands there.
        assert_eq!(edit(at(4..16, "a x c"), 2..3, "x"), None);
        let second = at(21..31, "d e");
        assert_eq!(edit(second, 2..3, "&&").map(|edit| edit.span), Some(Span::new(id, 27..28)));
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
