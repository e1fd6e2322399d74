//! Ids go back as they came, and nothing that is not an id gets into a reply (T4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mcpfw::wire::jsonrpc::{ErrorData, Id, error_reply, tool_error_reply};
use proptest::prelude::*;
use serde_json::Value;

/// Texts that are nearly JSON strings or numbers.
fn near_token() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("\""),
        Just("\\"),
        Just("\\u00"),
        Just("\\ud83d"),
        Just("\\ude00"),
        Just("\\n"),
        Just("0"),
        Just("1"),
        Just("9"),
        Just("-"),
        Just("."),
        Just("e"),
        Just("+"),
        Just(" "),
        Just("a"),
        Just("é"),
        Just("\n"),
        Just("\0"),
        Just(","),
        Just("{"),
        Just("}"),
        Just("null"),
        Just("41"),
        Just("9007199254740991"),
    ];
    proptest::collection::vec(token, 0..8).prop_map(|tokens| tokens.concat())
}

fn check(raw: &str) {
    let parsed = serde_json::from_str::<Value>(raw).ok();
    let Some(id) = Id::from_raw(raw) else {
        // What is refused is no JSON at all, or not what an id may be.
        match parsed {
            Some(Value::String(_)) => {
                assert!(raw.trim().len() > 258 || raw.trim() != raw, "{raw:?}");
            }
            Some(Value::Number(number)) => {
                let plain = raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
                let small = number.as_i64().is_some_and(|n| n.unsigned_abs() <= Id::MAX_INTEGER);
                assert!(!plain || !small || raw == "-0", "{raw:?}");
            }
            _ => {}
        }
        return;
    };
    assert_eq!(id.as_raw(), raw);
    let data = ErrorData::new("default_deny", raw);
    for reply in [
        error_reply(Some(&id), 403, raw, Some(&data)),
        tool_error_reply(&id, raw, true),
        tool_error_reply(&id, raw, false),
    ] {
        let read: Value = serde_json::from_slice(&reply).unwrap();
        assert_eq!(read.get("id"), parsed.as_ref());
        let spliced = format!("{{\"jsonrpc\":\"2.0\",\"id\":{raw},");
        assert!(reply.starts_with(spliced.as_bytes()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn ids_are_json_or_refused(raw in near_token()) {
        check(&raw);
    }

    #[test]
    fn any_string_is_an_id_or_too_long(text in any::<String>()) {
        let raw = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(Id::from_raw(&raw).is_some(), raw.len() <= 258);
        check(&raw);
    }

    #[test]
    fn any_integer_is_an_id_or_too_large(number in any::<i64>()) {
        let raw = number.to_string();
        prop_assert_eq!(Id::from_raw(&raw).is_some(), number.unsigned_abs() <= Id::MAX_INTEGER);
        check(&raw);
    }
}
