//! Patterns over resources that no canonical URI matches: such a URI is refused before any rule is asked (T12), so the
//! rule never applies.
//!
//! What stands behind the first wildcard may be in a query, where segments mean nothing, so only characters and escapes
//! count there: a pattern that is reported can never match, while one that is not may still not.

use std::fmt::Write as _;

use crate::policy::Effect;
use crate::wire::mcp::uri::{Form, UriFault, check, is_template};

/// Why no canonical URI matches `pattern` in a rule of `effect`; `None` where one may.
pub(in crate::policy) fn fault(pattern: &str, effect: Effect) -> Option<UriFault> {
    if effect == Effect::Allow {
        return could_match(pattern).err();
    }
    // Denies and limits disregard case, and slashes at the end.
    let folded = with_upper_escapes(&pattern.to_ascii_lowercase());
    let bare = folded.trim_end_matches('/');
    let found = could_match(&folded).err()?;
    let is_matched = could_match(bare).is_ok() || could_match(&format!("{bare}/")).is_ok();
    (!is_matched).then_some(found)
}

/// How `pattern` is written so that it can match, where that is easily said.
pub(super) fn suggestion(pattern: &str, effect: Effect) -> Option<String> {
    let written = respelt(pattern);
    (written != pattern && fault(&written, effect).is_none()).then_some(written)
}

/// Ends that make some canonical URI of the beginning of one.
const ENDS: [&str; 13] =
    ["a", "", "1", "/", "/a", "//a/", "///a", ":a", ":///a", "a/", ".a/", "1/", ":1/"];

fn could_match(pattern: &str) -> Result<(), UriFault> {
    let mut runs = pattern.split(['*', '?']);
    let prefix = runs.next().unwrap_or_default();
    if prefix.len() == pattern.len() {
        let form = if is_template(pattern) { Form::Template } else { Form::Uri };
        return check(pattern, form);
    }
    for run in pattern.split(['*', '?']) {
        check_run(run)?;
    }
    let prefix = before_open_escape(prefix);
    // Addresses and expressions in the making have too many ends.
    if prefix.is_empty() || prefix.contains('[') || is_template(prefix) {
        return Ok(());
    }
    let mut tried = ENDS.iter().map(|end| check(&format!("{prefix}{end}"), Form::Uri));
    match tried.next() {
        Some(Err(fault)) if !tried.any(|end| end.is_ok()) => Err(fault),
        _ => Ok(()),
    }
}

/// Checks characters and escapes of the literal text `run`.
fn check_run(run: &str) -> Result<(), UriFault> {
    let is_plain = |c: char| check(&format!("mem:{c}"), Form::Uri) != Err(UriFault::Character);
    if run.chars().any(|c| !matches!(c, '{' | '}' | '[' | ']') && !is_plain(c)) {
        return Err(UriFault::Character);
    }
    for part in run.split('%').skip(1) {
        let mut chars = part.chars();
        let (Some(high), Some(low)) = (chars.next(), chars.next()) else {
            // A wildcard stands for the rest.
            if part.chars().all(|c| c.is_ascii_hexdigit()) {
                continue;
            }
            return Err(UriFault::Escape);
        };
        let next = chars.next().filter(char::is_ascii_alphanumeric).unwrap_or('-');
        match check(&format!("mem:a%{high}{low}{next}"), Form::Uri) {
            // The other bytes of a character stand in other escapes.
            Ok(()) | Err(UriFault::NotUtf8) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// `prefix` up to an escape, or the escapes of one character, that a wildcard behind it completes.
fn before_open_escape(prefix: &str) -> &str {
    let mut rest = prefix;
    if let Some(at) = rest.rfind('%')
        && rest.len() - at < 3
    {
        rest = rest.get(..at).unwrap_or_default();
    }
    while let Some((head, [b'%', b'8'..=b'9' | b'A'..=b'F', _])) =
        rest.len().checked_sub(3).and_then(|at| Some((rest.get(..at)?, rest.as_bytes().get(at..)?)))
    {
        rest = head;
    }
    rest
}

/// `text` with its escapes in upper case.
fn with_upper_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut upper = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        upper.push('%');
        upper.push_str(&hex.to_ascii_uppercase());
        upper.push_str(rest);
    }
    upper
}

/// `text` with scheme and host in lower case and with the escapes that it needs.
fn respelt(text: &str) -> String {
    let mut written = String::new();
    for c in text.chars() {
        match c {
            ' ' | '"' | '<' | '>' | '^' | '`' | '|' => push_escapes(&mut written, c),
            c if !c.is_ascii() => push_escapes(&mut written, c),
            c => written.push(c),
        }
    }
    let escaped = with_upper_escapes(&written);
    let mut parts = escaped.split('%');
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        match u8::from_str_radix(hex, 16) {
            Ok(byte @ (b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~')) => {
                written.push(char::from(byte));
            }
            _ => {
                written.push('%');
                written.push_str(hex);
            }
        }
        written.push_str(rest);
    }
    let Some((scheme, rest)) = written.split_once(':') else { return written };
    let scheme = scheme.to_ascii_lowercase();
    let Some(rest) = rest.strip_prefix("//") else { return format!("{scheme}:{rest}") };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (authority, slash) = match &*scheme {
        "http" | "https" | "ws" | "wss" | "ftp" | "file" => {
            let lower = authority.to_ascii_lowercase();
            (lower, if path.is_empty() && !authority.contains(['*', '?']) { "/" } else { "" })
        }
        _ => (authority.to_owned(), ""),
    };
    format!("{scheme}://{authority}{path}{slash}")
}

fn push_escapes(written: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // A string takes all.
        let _ = write!(written, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_that_can_match_and_that_cannot() {
        use Effect::{Allow, Deny};
        for (pattern, effect, want) in [
            ("**", Allow, None),
            ("*", Allow, None),
            ("f*", Allow, None),
            ("file:*", Allow, None),
            ("file:**", Allow, None),
            ("file:///docs/**", Allow, None),
            ("file:///docs/*.md", Allow, None),
            ("file:///docs/..*", Allow, None),
            ("file:///docs/{name}", Allow, None),
            ("file:///{dir}/*", Allow, None),
            ("greeting://*", Allow, None),
            ("greeting://World/*", Allow, None),
            ("https://h", Deny, None),
            ("https://h*", Allow, None),
            ("https://h:80*", Allow, None),
            ("https://*/a", Allow, None),
            ("https://[::1]/*", Allow, None),
            ("https://h/**/../a", Allow, None),
            ("file:///caf%C3*", Allow, None),
            ("file:///caf%*", Allow, None),
            ("file:///a%2*", Allow, None),
            ("*%C3%A9", Allow, None),
            ("FILE:///Docs/**", Deny, None),
            ("file:///caf%c3%a9/**", Deny, None),
            ("file:///docs/", Deny, None),
            ("docs/**", Allow, Some(UriFault::Scheme)),
            ("/docs/*", Deny, Some(UriFault::Scheme)),
            ("file:/docs/**", Allow, Some(UriFault::Scheme)),
            ("FILE:///docs/**", Allow, Some(UriFault::SchemeCase)),
            ("file:///my docs/*", Allow, Some(UriFault::Character)),
            ("file:///*/my docs", Deny, Some(UriFault::Character)),
            ("file:///café/*", Allow, Some(UriFault::Character)),
            ("C:\\docs\\*", Allow, Some(UriFault::Character)),
            ("file:///docs/../**", Allow, Some(UriFault::DotSegment)),
            ("file:///docs/../a", Deny, Some(UriFault::DotSegment)),
            ("file:///docs//**", Deny, Some(UriFault::EmptySegment)),
            ("file:///*/a%2Fb", Allow, Some(UriFault::EncodedSeparator)),
            ("file:///*/%41", Allow, Some(UriFault::NeedlessEscape)),
            ("file:///*/a%c3%a9", Allow, Some(UriFault::EscapeCase)),
            ("file:///*/a%zz", Allow, Some(UriFault::Escape)),
            ("https://h", Allow, Some(UriFault::NoPath)),
            ("https://Host/**", Allow, Some(UriFault::Host)),
            ("https://h:443/**", Deny, Some(UriFault::Port)),
            ("https://u@h/**", Deny, Some(UriFault::UserInfo)),
        ] {
            assert_eq!(fault(pattern, effect), want, "{pattern} {effect:?}");
        }
    }

    #[test]
    fn suggestions() {
        for (pattern, want) in [
            ("FILE:///docs/**", Some("file:///docs/**")),
            ("file:///my docs/*", Some("file:///my%20docs/*")),
            ("file:///café/*", Some("file:///caf%C3%A9/*")),
            ("file:///caf%c3%a9", Some("file:///caf%C3%A9")),
            ("https://Host.example/%7Ea", Some("https://host.example/~a")),
            ("https://h", Some("https://h/")),
            ("file:///docs/../a", None),
            ("docs/**", None),
            ("file:///a%2Fb", None),
        ] {
            assert_eq!(suggestion(pattern, Effect::Allow).as_deref(), want, "{pattern}");
        }
    }

    /// Literal text, and what a wildcard (where there is one) stands for in its place.
    const PIECES: &[(&str, &str)] = &[
        ("http:", ""),
        ("file:", ""),
        ("Doc:", ""),
        ("//", ""),
        ("/", ""),
        ("a", ""),
        ("H", ""),
        (".", ""),
        ("..", ""),
        ("%25", ""),
        ("%C3", ""),
        ("%A9", ""),
        ("%2", ""),
        ("%", ""),
        ("E", ""),
        ("0", ""),
        (":", ""),
        ("80", ""),
        ("@", ""),
        ("[", ""),
        ("::1]", ""),
        ("*", "a"),
        ("*", "x:"),
        ("*", "?b"),
        ("*", "0"),
        ("*", ""),
        ("*", "1]"),
        ("?", "?"),
        ("?", "C"),
        ("?", ":"),
        ("**", "://h/"),
        ("**", "//h/"),
        ("**", "//"),
        ("**", "/"),
        ("**", "doc:x/"),
        ("**", ".a/"),
        ("**", "%A9"),
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8192, ..ProptestConfig::default() })]

        /// What a canonical URI matches is never reported.
        #[test]
        fn what_is_reported_never_matches(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 1..8),
        ) {
            let mut pattern = String::new();
            let mut uri = String::new();
            for (text, stands_for) in pieces {
                pattern += text;
                uri += if text.contains(['*', '?']) { stands_for } else { text };
            }
            if check(&uri, Form::Uri).is_ok() {
                prop_assert_eq!(fault(&pattern, Effect::Allow), None, "{} of {}", uri, pattern);
                prop_assert_eq!(fault(&pattern, Effect::Deny), None, "{} of {}", uri, pattern);
                let upper = pattern.to_ascii_uppercase();
                prop_assert_eq!(fault(&upper, Effect::Deny), None, "{} of {}", uri, upper);
            }
        }
    }
}
