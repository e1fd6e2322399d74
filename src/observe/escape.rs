//! JSON text for logs: what would fool a reader of the log is escaped, not only what would break a parser (T57). Pure.

/// Most bytes of one field, before escaping. A log line stays a line that tools accept, whatever a client calls its tools.
const FIELD: usize = 1024;

/// Appends `text` as a JSON string of ASCII-safe or harmless characters, cut off with `…` after [`FIELD`] bytes.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let (text, cut) = clip(text);
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|char| escaped(out, char));
    }
    if cut {
        out.extend_from_slice("…".as_bytes());
    }
    out.push(b'"');
}

/// Appends a word of our own, in which nothing needs escaping.
pub(super) fn word(out: &mut Vec<u8>, word: &'static str) {
    debug_assert!(is_plain(word.as_bytes()), "{word}");
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// Whether all of it can stand in a JSON string as it is. Looks at every byte whatever it finds, so that it looks at many at once.
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |plain, &byte| {
        plain & (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\')
    })
}

fn clip(text: &str) -> (&str, bool) {
    if text.len() <= FIELD {
        return (text, false);
    }
    (text.get(..text.floor_char_boundary(FIELD)).unwrap_or_default(), true)
}

fn escaped(out: &mut Vec<u8>, char: char) {
    match char {
        '"' => out.extend_from_slice(br#"\""#),
        '\\' => out.extend_from_slice(br"\\"),
        _ if misleads(char) => {
            for unit in char.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(br"\u");
                for shift in [12, 8, 4, 0] {
                    let nibble = *unit >> shift & 15;
                    out.push(b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'0'));
                }
            }
        }
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Controls, line separators, bidirectional and zero-width marks, tag characters.
fn misleads(char: char) -> bool {
    matches!(char,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Appends `value` in decimal.
pub(super) fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts() {
        let cases = [
            ("read_note", r#""read_note""#),
            ("größe 📁", r#""größe 📁""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\r\n{\"fake\":1}", r#""a\u000d\u000a{\"fake\":1}""#),
            ("\x1b[31mred", r#""\u001b[31mred""#),
            ("\u{202e}txt.exe", r#""\u202etxt.exe""#),
            ("z\u{200b}w\u{feff}", r#""z\u200bw\ufeff""#),
            ("\u{e0041}", r#""\udb40\udc41""#),
            ("\u{2028}\u{85}", r#""\u2028\u0085""#),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text), expected);
            assert_eq!(serde_json::from_str::<String>(&json(text)).unwrap(), text);
        }
    }

    #[test]
    fn long_fields_are_cut_between_characters() {
        assert_eq!(json(&"x".repeat(FIELD)).len(), FIELD + 2);
        let cut = json(&format!("{}é", "x".repeat(FIELD - 1)));
        assert_eq!(cut, format!("\"{}…\"", "x".repeat(FIELD - 1)));
    }

    #[test]
    fn numbers() {
        for value in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
