//! Making hidden characters visible before a terminal sees them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal would obey or hide `c` instead of showing it: controls other than tab and line feed (a CSI
/// sequence can repaint what was printed before), bidirectional formatting (the text would read in another order than
/// it has), zero-width and tag characters (two different names would look the same). Threats T51, T57.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        '\u{ad}' | '\u{61c}' | '\u{180e}' => true,
        // Zero width space to right-to-left mark; line and paragraph separator, embeddings, overrides.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        // Word joiner, invisible operators, isolates, deprecated formatting.
        '\u{2060}'..='\u{206f}' => true,
        // Byte order mark, interlinear annotation, tags.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// Whether the `[` at byte `at` of `text` ends what a GitHub runner takes for the beginning of a command, wherever in a line
/// it stands (`##[stop-commands]…`; its `ActionCommand.TryParse`). Threat T65.
#[must_use]
pub fn is_command(text: &str, at: usize) -> bool {
    text.get(..=at).is_some_and(|text| text.ends_with("##["))
}

/// `text` as one line in which nothing is hidden: hidden characters, tabs and line feeds are written as `\u{…}`, and so is
/// the bracket of a command to a CI server ([`is_command`]).
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| is_hidden(c) || matches!(c, '\t' | '\n');
    if !text.contains(is_bad) && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if is_bad(c) || c == '[' && is_command(text, at) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_named_and_others_left() {
        for (text, want) in [
            ("tools = [\"é 日本\"]", "tools = [\"é 日本\"]"),
            ("a\tb\nc", "a\\u{9}b\\u{a}c"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\u{9b}2Jb", "a\\u{9b}2Jb"),
            ("read\u{202e}etirw", "read\\u{202e}etirw"),
            ("a\u{200b}b\u{e0061}", "a\\u{200b}b\\u{e0061}"),
            ("a\rb\0", "a\\u{d}b\\u{0}"),
            ("é##[error]x ###[y #[z", "é##\\u{5b}error]x ###\\u{5b}y #[z"),
        ] {
            assert_eq!(visible(text), want);
        }
    }
}
