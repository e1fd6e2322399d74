//! Properties of the short texts that a decision hangs on: ids, mirrored header values, member names.

#![expect(clippy::panic, reason = "a property panics where it does not hold")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::wire::jsonrpc::{ErrorData, Id, error_reply, tool_error_reply};
use crate::wire::mcp::fold::{Place, near_key};
use crate::wire::mcp::headers::{self, HeaderFault, Mirror};

/// Fuzz target `words`: the input is an id, a header value and a member name, one after the other.
pub fn words(data: &[u8]) {
    header_value_has_one_reading(data);
    if let Ok(text) = std::str::from_utf8(data) {
        id_is_json_and_goes_back_verbatim(text);
        key_is_exact_near_or_neither(text);
    }
}

/// A value of `Mcp-Name` is refused, stands for itself, or is the one encoding of what it stands for.
pub fn header_value_has_one_reading(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let map = HeaderMap::from_iter([(headers::NAME, value)]);
    let is_plain = data.iter().all(|byte| matches!(byte, 0x20..=0x7E | b'\t'));
    let raw = String::from_utf8_lossy(data);
    let raw = raw.trim_matches([' ', '\t']);
    let payload = raw.strip_prefix("=?base64?").filter(|_| raw.ends_with("?="));
    match (Mirror::parse(&map), payload) {
        (Ok(mirror), None) => {
            assert!(is_plain);
            assert_eq!(mirror.name(), Some(raw));
        }
        (Ok(mirror), Some(payload)) => {
            let name = mirror.name().unwrap_or_default();
            assert_eq!(payload.strip_suffix("?="), Some(STANDARD.encode(name).as_str()));
        }
        (Err(error), payload) => match error.fault {
            HeaderFault::IllegalCharacter => assert!(!is_plain),
            HeaderFault::TooLong => assert!(data.len() > 1000),
            HeaderFault::MalformedBase64 => assert!(payload.is_some()),
            other => panic!("{other} of one value"),
        },
    }
}

/// A text is an id only if it is one JSON token, and then it stands in replies as it came.
pub fn id_is_json_and_goes_back_verbatim(text: &str) {
    let parsed = serde_json::from_str::<Value>(text).ok();
    let Some(id) = Id::from_raw(text) else { return };
    assert!(matches!(parsed, Some(Value::String(_) | Value::Number(_))));
    let data = ErrorData { rule: Some(text), ..ErrorData::new("default_deny", text) };
    for reply in [error_reply(Some(&id), 403, text, Some(&data)), tool_error_reply(&id, text, true)]
    {
        let read = serde_json::from_slice::<Value>(&reply).unwrap_or_default();
        assert_eq!(read.get("id"), parsed.as_ref());
        assert!(
            reply
                .strip_prefix(br#"{"jsonrpc":"2.0","id":"#)
                .is_some_and(|rest| rest.starts_with(text.as_bytes()))
        );
    }
}

/// A key is never near itself, and what is near a key stays near it however it is dressed.
pub fn key_is_exact_near_or_neither(name: &str) {
    for place in [
        Place::Root,
        Place::Params,
        Place::Meta,
        Place::Ref,
        Place::Filter,
        Place::Result,
        Place::Item,
    ] {
        let near = near_key(place, name);
        let is_exact = place.keys().contains(&name);
        assert!(!(is_exact && near.is_some()));
        let key = near.or_else(|| place.keys().iter().copied().find(|key| *key == name));
        for dressed in [format!("{name}\0"), format!("\u{200b}{name}"), format!(" {name}_")] {
            assert_eq!(near_key(place, &dressed), key, "{dressed:?}");
        }
    }
}
