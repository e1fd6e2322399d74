//! Types of bodies: what a client sends, and what it takes.

use http::header::{self, HeaderMap, HeaderValue};

use super::reject::Reject;
use super::route::Kind;
use crate::inspect::response::Framing;

/// Whether the headers of a request fit what it asks.
///
/// # Errors
/// 415 for a body that is coded (T32) or not JSON in UTF-8 (T3), 406 for a client that would not take the reply.
pub(super) fn check(headers: &HeaderMap, kind: Kind) -> Result<(), Box<Reject>> {
    let is_coded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(is_coded) {
        return Err(Reject::content_encoding());
    }
    match kind {
        Kind::Message => {
            let mut types = headers.get_all(header::CONTENT_TYPE).iter();
            match (types.next(), types.next()) {
                (Some(media), None) if is_json(media.as_bytes()) => {}
                _ => return Err(Reject::content_type()),
            }
            if takes_both(headers)
                || takes(headers, "application/json") && takes(headers, "text/event-stream")
            {
                Ok(())
            } else {
                Err(Reject::accept("Accept must have application/json and text/event-stream"))
            }
        }
        Kind::Stream if takes(headers, "text/event-stream") => Ok(()),
        Kind::Stream => Err(Reject::accept("Accept must have text/event-stream")),
        Kind::End => Ok(()),
    }
}

/// Essence and parameters of a media type (RFC 9110 §8.3.1).
fn split(media: &[u8]) -> impl Iterator<Item = &[u8]> {
    media.split(|&byte| byte == b';').map(<[u8]>::trim_ascii)
}

fn is_json(media: &[u8]) -> bool {
    if media == b"application/json" {
        return true;
    }
    let mut parts = split(media);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case(b"application/json") && parts.all(is_utf8)
}

/// Whether a parameter leaves the charset at UTF-8. Lenient parsers find a charset under other spellings as well: Python takes
/// `charset =x` (also with a blank that is not ASCII), and `charset*=''x` and `charset*0=x` of RFC 2231.
fn is_utf8(parameter: &[u8]) -> bool {
    const NAME: &[u8] = b"charset";
    if !parameter.windows(NAME.len()).any(|name| name.eq_ignore_ascii_case(NAME)) {
        return true;
    }
    let Some((name, value)) = parameter.split_at_checked(NAME.len()) else { return false };
    let Some(value) = value.strip_prefix(b"=").filter(|_| name.eq_ignore_ascii_case(NAME)) else {
        return false;
    };
    let value = value.trim_ascii();
    let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
    value.eq_ignore_ascii_case(b"utf-8") || value.eq_ignore_ascii_case(b"utf8")
}

/// Whether `Accept` is what the official clients send, so that it need not be taken apart.
fn takes_both(headers: &HeaderMap) -> bool {
    let usual = |value: &HeaderValue| value == "application/json, text/event-stream";
    headers.get(header::ACCEPT).is_some_and(usual)
}

/// Whether `Accept` has `media` with a weight above zero. No `Accept` takes anything (RFC 9110 §12.5.1).
fn takes(headers: &HeaderMap, media: &str) -> bool {
    let mut fields = headers.get_all(header::ACCEPT).iter().peekable();
    if fields.peek().is_none() {
        return true;
    }
    let (kind, _) = media.split_once('/').unwrap_or_default();
    fields.flat_map(|field| field.as_bytes().split(|&byte| byte == b',')).any(|range| {
        let mut parts = split(range);
        let essence = parts.next().unwrap_or_default();
        let fits = essence.eq_ignore_ascii_case(media.as_bytes())
            || essence == b"*/*"
            || essence.strip_suffix(b"/*").is_some_and(|k| k.eq_ignore_ascii_case(kind.as_bytes()));
        fits && !parts.any(is_weightless)
    })
}

/// `q=0`, `q=0.0` and so on.
fn is_weightless(parameter: &[u8]) -> bool {
    let weight = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="));
    weight.is_some_and(|weight| {
        weight.starts_with(b"0") && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
    })
}

/// The framing that the type of a reply announces. `None` for another type, more than one, none at all, or a charset
/// other than UTF-8: the Python SDK decodes an event stream by its charset, and would find events in UTF-7 or UTF-16
/// that nobody has looked at (T3, T17).
pub(super) fn framing(headers: &HeaderMap) -> Option<Framing> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(media), None) = (types.next(), types.next()) else {
        return None;
    };
    let mut parts = split(media.as_bytes());
    let essence = parts.next().unwrap_or_default();
    if !parts.all(is_utf8) {
        None
    } else if essence.eq_ignore_ascii_case(b"application/json") {
        Some(Framing::Json)
    } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
        Some(Framing::EventStream)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        let good = [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; profile=x",
            "application/json; profile=\u{a0}x; charset= utf-8 ",
        ];
        for media in good {
            assert!(is_json(media.as_bytes()), "{media}");
        }
        let bad = [
            "",
            "text/plain",
            "application/json-rpc",
            "application/jsonx",
            "application/json; charset=utf-16",
            "application/json;charset=latin1",
            "application/json; charset =utf-16",
            "application/json; charset\t=utf-16; charset=utf-8",
            "application/json; charset*=utf-8''utf-16",
            "application/json; charset*0=utf-; charset*1=16",
            "application/json; \u{a0}charset=utf-16",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
        ];
        for media in bad {
            assert!(!is_json(media.as_bytes()), "{media}");
        }
    }

    #[test]
    fn accepts() {
        let cases: &[(&[&str], bool, bool)] = &[
            (&[], true, true),
            (&["application/json, text/event-stream"], true, true),
            (&["text/event-stream", "application/json"], true, true),
            (&["*/*"], true, true),
            (&["application/json"], true, false),
            (&["text/*;q=0.5"], false, true),
            (&["application/json;q=0, text/event-stream"], false, true),
            (&["application/json;q=0.000"], false, false),
            (&["application/json;q=0.1"], true, false),
            (&["TEXT/EVENT-STREAM"], false, true),
            (&["image/png"], false, false),
            (&[""], false, false),
        ];
        for (fields, json, events) in cases {
            let mut headers = HeaderMap::new();
            for field in *fields {
                headers.append(header::ACCEPT, HeaderValue::from_str(field).unwrap());
            }
            assert_eq!(takes(&headers, "application/json"), *json, "{fields:?}");
            assert_eq!(takes(&headers, "text/event-stream"), *events, "{fields:?}");
        }
    }
}
