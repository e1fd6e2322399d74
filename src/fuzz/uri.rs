//! Properties of resource URIs: what is canonical reads the same to a parser of the WHATWG standard, and stays so however
//! often it is parsed; what a template expands to is canonical where the template is.

use url::Url;

use crate::wire::mcp::uri::{Form, check, is_template};

/// Fuzz target `uri_canonical`: the input is a URI.
pub fn canonical(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_uri = check(text, Form::Uri).is_ok();
    if is_uri {
        assert!(parsers_agree(text), "{text} is canonical, and {:?}", Url::parse(text));
        assert!(!text.is_empty() && text.is_ascii() && !is_template(text));
        decoded_once_is_decoded(text);
    }
    if check(text, Form::Template).is_ok() {
        // Without expressions a template is a URI.
        assert!(is_uri || is_template(text), "{text}");
        let expanded = expand(text);
        assert_eq!(check(&expanded, Form::Uri), Ok(()), "{expanded} of {text}");
    }
}

/// Whether a WHATWG parser writes `uri` as it is, or does not parse it.
#[must_use]
pub fn parsers_agree(uri: &str) -> bool {
    Url::parse(uri).map_or(true, |url| url.as_str() == uri)
}

/// Whoever decodes the path makes no segment, and whoever decodes it twice finds what who decodes it once does.
fn decoded_once_is_decoded(uri: &str) {
    let once = decode(uri);
    assert_eq!(decode(&once), once, "{uri}");
    let count = |text: &str, c: char| text.matches(c).count();
    for separator in ['/', '\\'] {
        assert_eq!(count(uri, separator), count(&once, separator), "{uri}");
    }
    let path = once.split('?').next().unwrap_or_default();
    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{uri}");
}

/// Decodes every escape that is one, as lenient servers do.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = match behind {
            [high, low, ..] if *first == b'%' => {
                let digits = [char::from(*high).to_digit(16), char::from(*low).to_digit(16)];
                match digits {
                    [Some(high), Some(low)] => u8::try_from(high * 16 + low).ok(),
                    _ => None,
                }
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The template with a value of one letter for every variable, or of one digit where a port may stand.
fn expand(template: &str) -> String {
    let mut uri = String::new();
    for part in template.split('{') {
        let Some((expression, literal)) = part.split_once('}') else {
            uri.push_str(part);
            continue;
        };
        match expression.chars().next() {
            Some('#') => {}
            Some(prefix @ ('.' | '/' | ';' | '?' | '&')) => uri.extend([prefix, 'a']),
            _ if uri.ends_with(':') => uri.push('1'),
            _ => uri.push('a'),
        }
        uri.push_str(literal);
    }
    uri
}
