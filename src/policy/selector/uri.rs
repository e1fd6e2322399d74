//! Whether a resource URI can be read in one way only (T12).
//!
//! A pattern is compared with the bytes of a URI. That means something only where no server could take the URI for
//! another one, so whatever some resolver would rewrite (dot segments, escapes, user info, case of scheme and host)
//! is no canonical URI: no pattern of an allow matches it, and every deny and limit on resources does.

/// Longest resource URI that is compared with patterns, in bytes. A longer one counts as not canonical. Servers'
/// own limits start at 8 KiB (Apache, Node), and matching cost grows with length.
pub(in crate::policy) const MAX_URI: usize = 8 * 1024;

/// Whether `uri` is its own canonical form. `{` and `}` pass: they are of templates ([`is_template`]).
pub(in crate::policy) fn is_canonical(uri: &str) -> bool {
    if uri.len() > MAX_URI || !uri.bytes().all(is_plain) || !has_canonical_escapes(uri) {
        return false;
    }
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    let is_scheme = letters.next().is_some_and(|b| b.is_ascii_lowercase())
        && letters.all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.')
        });
    let before_query = rest.split('?').next().unwrap_or("");
    let (authority, path) = match before_query.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", before_query),
    };
    // A user name can look like a host; upper case hosts and default ports have a shorter form.
    let has_other_form = authority.bytes().any(|b| b == b'@' || b.is_ascii_uppercase())
        || authority.ends_with([':', '.'])
        || scheme == "http" && authority.ends_with(":80")
        || scheme == "https" && authority.ends_with(":443");
    is_scheme && !has_other_form && has_canonical_segments(path)
}

/// Whether `uri` is a template (RFC 6570) that stands for many.
pub(in crate::policy) fn is_template(uri: &str) -> bool {
    uri.contains(['{', '}'])
}

/// `uri` without what servers commonly ignore: query and trailing slashes. For deny and limit.
pub(in crate::policy) fn reduced(uri: &str) -> &str {
    uri.split('?').next().unwrap_or("").trim_end_matches('/')
}

/// Printable ASCII without what RFC 3986 leaves out, and without the fragment, which no server is sent.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'|' | b'#')
}

/// No `.`, `..` or empty segment, but for a slash at the end and the root before an empty authority.
fn has_canonical_segments(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.is_empty() || !path.split('/').any(|segment| matches!(segment, "" | "." | ".."))
}

/// Whether every `%` starts an escape in upper case of a byte that must be escaped and that no resolver gives a
/// meaning after decoding: no unreserved character, no separator, no dot, no second `%`, no control.
fn has_canonical_escapes(uri: &str) -> bool {
    let mut parts = uri.split('%');
    parts.next();
    parts.all(|part| {
        let mut digits = part.bytes().map(upper_hex);
        match (digits.next().flatten(), digits.next().flatten()) {
            (Some(high), Some(low)) => !has_meaning(high * 16 + low),
            _ => false,
        }
    })
}

const fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const fn has_meaning(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte.is_ascii_control()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'\\' | b'%' | b'{' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_and_not() {
        for uri in [
            "file:///a/b.txt",
            "file:///a/",
            "file:///",
            "https://example.com/a?b=c/../d",
            "https://example.com:8443/a",
            "https://example.com",
            "note://inbox/today%20and%20tomorrow",
            "mem:x",
            "urn:isbn:0451450523",
            "file:///docs/{name}",
            "file:///caf%C3%A9",
            "a+b.c-1:x",
        ] {
            assert!(is_canonical(uri), "{uri}");
        }
        for uri in [
            "",
            "file",
            ":x",
            "1a:x",
            "FILE:///a",
            "file:///a/../b",
            "file:///a/./b",
            "file:///a/..",
            "file:///..",
            "file:///a//b",
            "file:////a",
            "file:///a//",
            "file:///a/%2e%2e/b",
            "file:///a/%2E%2E/b",
            "file:///a%2Fb",
            "file:///a%2fb",
            "file:///a%5Cb",
            "file:///a%5cb",
            "file:///a\\b",
            "file:///a%252e",
            "file:///a%00",
            "file:///a%",
            "file:///a%4",
            "file:///a%zz",
            "file:///%61",
            "file:///caf%c3%a9",
            "file:///café",
            "file:///a b",
            "file:///a#b",
            "https://user@example.com/a",
            "https://Example.com/a",
            "https://example.com:443/a",
            "http://example.com:80/a",
            "http://example.com:/a",
            "http://example.com./a",
            "file:///a\nb",
            "file:///a\u{0}",
            "mem:..",
            "mem:a/../b",
        ] {
            assert!(!is_canonical(uri), "{uri}");
        }
        assert!(is_canonical(&format!("mem:{}", "x".repeat(MAX_URI - 4))));
        assert!(!is_canonical(&format!("mem:{}", "x".repeat(MAX_URI - 3))));
    }

    #[test]
    fn reduced_forms() {
        for (uri, want) in [
            ("file:///secret/", "file:///secret"),
            ("file:///secret?x=/y", "file:///secret"),
            ("file:///a//", "file:///a"),
        ] {
            assert_eq!(reduced(uri), want);
        }
    }
}
