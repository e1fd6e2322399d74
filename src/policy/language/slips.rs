//! Patterns written in another language: regular expressions, lists and braces of a shell for names, paths for URIs.
//!
//! Nothing here is proved: a pattern that looks so may yet be meant. What is told is a warning, never for what the
//! specification lets a tool be called (letters, digits, `_`, `-`, `.`, and `/` of older servers), and what is offered in its
//! place is no safe fix.

use std::borrow::Cow;

use super::uris;
use crate::policy::Effect;
use crate::policy::selector::is_name_character;

/// Most names that are offered for one.
const MAX_NAMES: usize = 16;

/// Whether `text` is written as no name of a tool is, and as regular expressions, braces of a shell and, where
/// `may_be_list`, lists are. A `.*` behind a word is left alone: `files.*` is a pattern of this language.
pub(super) fn is_foreign(text: &str, may_be_list: bool) -> bool {
    let has = |open: &str, close: &str| {
        text.split_once(open).is_some_and(|(_, rest)| rest.contains(close))
    };
    let in_braces = text.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let any = [".*", ".+"].iter().any(|any| {
        text.match_indices(any).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            matches!(before, None | Some('_' | '-' | '^' | '(' | '*'))
        })
    });
    text.starts_with('^')
        || text.ends_with('$')
        || text.contains(['\\', '|'])
        || has("[", "]")
        || has("(?", ")")
        || in_braces.is_some_and(|(inside, _)| inside.contains(','))
        || may_be_list && text.contains(',')
        || any
}

/// The names and patterns of this language that `text` probably stands for; none where that is not plain.
pub(super) fn names(text: &str) -> Vec<String> {
    let (from_start, rest) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (to_end, rest) = match rest.strip_suffix('$') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let Some(all) = alternatives(rest) else { return Vec::new() };
    let all: Vec<String> = all
        .into_iter()
        .map(|one| {
            let mut one = one.trim().to_owned();
            for (theirs, ours) in [
                (".*", "*"),
                (".+", "*"),
                ("\\w+", "*"),
                ("\\w*", "*"),
                ("\\S+", "*"),
                ("\\.", "."),
                ("\\-", "-"),
            ] {
                one = one.replace(theirs, ours);
            }
            // One end is anchored: the other is open.
            if from_start && !to_end && !one.ends_with('*') {
                one.push('*');
            }
            if to_end && !from_start && !one.starts_with('*') {
                one.insert(0, '*');
            }
            one
        })
        .collect();
    let is_plain = |one: &String| {
        !one.is_empty()
            && !one.contains("**")
            && one.chars().all(|c| c == '*' || is_name_character(c))
    };
    if all.len() > MAX_NAMES || !all.iter().all(is_plain) || all == [text] {
        return Vec::new();
    }
    all
}

/// What `text`, a list or something with one group of alternatives, stands for.
fn alternatives(text: &str) -> Option<Vec<String>> {
    for (open, close, between) in [("(?:", ")", '|'), ("(", ")", '|'), ("{", "}", ',')] {
        let Some((before, rest)) = text.split_once(open) else { continue };
        let (inside, after) = rest.split_once(close)?;
        let all = inside.split(between).map(|one| format!("{before}{one}{after}"));
        return Some(all.collect());
    }
    let between = if text.contains('|') { '|' } else { ',' };
    Some(text.split(between).map(str::to_owned).collect())
}

/// The URI pattern that `path`, which matches no URI, probably stands for in a rule of `effect`.
pub(super) fn uri(path: &str, effect: Effect) -> Option<String> {
    let slashed: Cow<'_, str> = match path.contains('\\') {
        true => path.replace('\\', "/").into(),
        false => path.into(),
    };
    let file = |rest: &str| format!("file:///{}", rest.trim_start_matches('/'));
    let meant = if let Some(rest) = slashed.strip_prefix("file:") {
        let rest = rest.trim_start_matches('/');
        file(rest.strip_prefix("localhost/").unwrap_or(rest))
    } else if is_drive(&slashed) || slashed.starts_with('/') && !slashed.starts_with("//") {
        file(&slashed)
    } else if let Some((scheme @ ("http" | "https"), rest)) = slashed.split_once(":/") {
        format!("{scheme}://{rest}")
    } else if is_host(slashed.split_once('/')?.0) {
        format!("https://{slashed}")
    } else {
        return None;
    };
    let meant = uris::suggestion(&meant, effect).unwrap_or(meant);
    (meant != path && uris::fault(&meant, effect).is_none()).then_some(meant)
}

/// Why `pattern`, which some URI may match, misses those that it seems to be for, and what probably was meant.
pub(super) fn falls_short(pattern: &str) -> Option<(String, String)> {
    if is_drive(pattern) {
        let why = "a letter and a colon are a scheme here, and no drive";
        return Some((why.into(), format!("file:///{pattern}")));
    }
    if let Some(rest) = pattern.strip_prefix("file://") {
        let host = rest.split('/').next().unwrap_or_default();
        if !rest.contains('/') && rest.starts_with('*') && !rest.starts_with("**") {
            let why = "`*` does not reach over a slash, and each file has one";
            let inside = if rest == "*" { "**".to_owned() } else { format!("**/{rest}") };
            return Some((why.into(), format!("file:///{inside}")));
        }
        // A name with a dot, an address or a variable may well be the host that is meant.
        let is_folder = !host.is_empty()
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        return is_folder.then(|| {
            let why = format!("`{host}` is a host here: the path begins behind the third slash");
            (why, format!("file:///{rest}"))
        });
    }
    let is_one_star = pattern.starts_with('*') && !pattern.starts_with("**");
    if !is_one_star || pattern.contains(':') || pattern.contains("**") || pattern.contains("//") {
        return None;
    }
    let why = "`*` does not reach over a slash: nothing that begins with `scheme://` fits";
    let meant = match pattern {
        "*" => "**".to_owned(),
        _ if pattern.contains('/') => format!("*{pattern}"),
        _ => format!("**/{pattern}"),
    };
    Some((why.into(), meant))
}

/// `C:` and a slash or backslash, the path of a disk.
fn is_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

/// `docs.example`, as no folder is called.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.')
        && name.split('.').all(is_label)
        && last.len() >= 2
        && last.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_languages() {
        for (text, want) in [
            ("^get_.*$", &["get_*"][..]),
            ("^get_", &["get_*"]),
            ("_list$", &["*_list"]),
            ("^get_me$", &["get_me"]),
            ("get_.*", &["get_*"]),
            (".*", &["*"]),
            (".+_issue", &["*_issue"]),
            ("get_\\w+", &["get_*"]),
            ("^admin\\.users$", &["admin.users"]),
            ("get_(a|b)", &["get_a", "get_b"]),
            ("(?:get|list)_issue", &["get_issue", "list_issue"]),
            ("{get,list}_issue", &["get_issue", "list_issue"]),
            ("get_a|get_b", &["get_a", "get_b"]),
            ("get_a, get_b", &["get_a", "get_b"]),
            // Plainly not of this language, and not plainly something else.
            ("get_[ab]", &[]),
            ("get_\\d{2}", &[]),
            ("(a|b)(c|d)", &[]),
            ("(?i)get", &[]),
            ("a|", &[]),
            ("^", &["*"]),
        ] {
            assert!(is_foreign(text, true), "{text}");
            assert_eq!(names(text), want, "{text}");
        }
    }

    #[test]
    fn names_of_this_language() {
        for text in [
            "*",
            "get_*",
            "*_issue",
            "get_?",
            "files.*",
            "admin.tools.*",
            "a.b",
            "a.*.b",
            "files/*",
            "v1.*_all",
            "über",
            "Search Docs",
            "c++",
            "a{b}",
            "price$x",
            "get_issue(s)",
            "x:y",
            "@me",
        ] {
            assert!(!is_foreign(text, true), "{text}");
        }
        // The name of a prompt may be a sentence.
        assert!(!is_foreign("Hello, world", false) && is_foreign("Hello, world", true));
    }

    #[test]
    fn paths_that_were_meant_for_uris() {
        for (path, want) in [
            ("/etc/*", Some("file:///etc/*")),
            ("/etc/../x", None),
            ("C:\\docs\\*", Some("file:///C:/docs/*")),
            ("C:\\My docs\\*", Some("file:///C:/My%20docs/*")),
            ("file:/etc/*", Some("file:///etc/*")),
            ("file:etc/*", Some("file:///etc/*")),
            ("file://localhost/etc/*", Some("file:///etc/*")),
            ("file://C:/docs/*", Some("file:///C:/docs/*")),
            ("file:\\\\\\C:\\docs", Some("file:///C:/docs")),
            ("http:/h.example/*", Some("http://h.example/*")),
            ("docs.example.com/*", Some("https://docs.example.com/*")),
            // From where?
            ("docs/*.md", None),
            ("./a", None),
            ("../a", None),
            ("~/a", None),
            ("README.md", None),
            ("v1.2/x", None),
            ("//server/share", None),
            ("\\\\server\\share", None),
        ] {
            assert_eq!(uri(path, Effect::Allow).as_deref(), want, "{path}");
        }
    }

    #[test]
    fn patterns_that_fall_short() {
        for (pattern, want) in [
            ("*", Some("**")),
            ("*.md", Some("**/*.md")),
            ("*/secret", Some("**/secret")),
            ("file://etc/*", Some("file:///etc/*")),
            ("file://docs", Some("file:///docs")),
            ("file://*", Some("file:///**")),
            ("file://*.md", Some("file:///**/*.md")),
            ("c:/docs/*", Some("file:///c:/docs/*")),
            ("**", None),
            ("**.md", None),
            ("**/*.md", None),
            ("file:///etc/*", None),
            ("file:///*", None),
            ("file:///*.md", None),
            ("file://*/etc/*", None),
            ("file://**", None),
            ("file://nas.example/share/*", None),
            ("file://10.0.0.1/share/*", None),
            ("file://{host}/*", None),
            ("note:*", None),
            ("*:*", None),
            ("*://host/*", None),
            ("*//host/*", None),
            ("db://users/*", None),
            ("https://docs/*", None),
            ("greeting://World", None),
            ("urn:isbn:*", None),
        ] {
            let found = falls_short(pattern);
            assert_eq!(found.as_ref().map(|(_, meant)| &**meant), want, "{pattern}");
            // What is offered can match, and is not told again.
            if let Some((_, meant)) = found {
                assert_eq!(uris::fault(&meant, Effect::Allow), None, "{meant}");
                assert_eq!(falls_short(&meant), None, "{meant}");
            }
        }
    }
}
