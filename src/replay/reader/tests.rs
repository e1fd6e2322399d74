//! What is read quickly is what is read slowly, whatever was read before.

use proptest::prelude::*;

use super::super::caller;
use super::*;
use crate::policy::ClientKind;

thread_local! {
    /// What was learnt from the lines before must not matter.
    static READER: std::cell::RefCell<Reader> = std::cell::RefCell::default();
}

/// All that anybody learns of a line.
fn told(read: Result<Line<'_, '_, '_>, Fault>) -> String {
    let record = match read {
        Ok(Line::Record(record)) => record,
        other => return format!("{other:?}"),
    };
    let mut key = Vec::new();
    caller::write_key(&mut key, record, record.client.unwrap_or(ClientKind::Anonymous));
    let head = (record.time_ms, record.judged, record.request_id, record.place, record.peer);
    let who = (record.client, record.id, record.issuer, record.scopes(), key);
    let way = (record.route, record.host, record.revision, record.is_audit, record.is_retry);
    let what = (&record.calls, record.decision, record.reason, record.digest);
    let read: Vec<_> = record.values().collect();
    let rest = (&record.absent, &record.cut, &record.too_large);
    format!("{head:?} {who:?} {way:?} {what:?} {read:?} {rest:?}")
}

/// What is read is what `simd_json` reads; whether it is read without that.
fn agrees(text: &str) -> bool {
    READER.with_borrow_mut(|reader| {
        let slow = reader.slow(&mut text.as_bytes().to_vec(), told);
        // The second time, from what was learnt the first time.
        for _ in 0..2 {
            assert_eq!(reader.read(&mut text.as_bytes().to_vec(), told), slow, "{text}");
        }
        reader.quick(text.as_bytes(), |_| ()).is_ok()
    })
}

/// A record that says `text` of what its decision read.
fn record_of(text: &str) -> String {
    format!(
        "{{\"time\":\"2026-11-22T10:00:00.000Z\",\"principal\":{{\"kind\":\"jwt\"}},\"decision\":\"allow\",\"read\":{text}}}"
    )
}

#[test]
fn lines_of_the_audit_log() {
    for line in include_str!("../../../tests/data/replay/audit.jsonl").lines() {
        assert!(agrees(line), "{line}");
        // Names that are known in other places, and nearly.
        for name in ["kind", "time", "audit", "retryx", "id", "", "request_id_", "batch"] {
            for at in ["\"audit\"", "\"id\"", "\"target\"", "\"read\""] {
                assert!(agrees(&line.replace(at, &format!("\"{name}\":1,{at}"))));
                // Not where a list stands in the place of a text.
                let is_read = agrees(&line.replace(at, &format!("\"{name}\"")));
                assert!(is_read || at == "\"read\"", "{at} {name}: {line}");
            }
        }
    }
}

#[test]
fn what_is_read_and_what_is_left() {
    for (text, is_read) in [
        ("{}", false),
        (r#"{"a":{},"b":[],"c":[{}],"":""}"#, true),
        (r#"{"a":1,"a":2,"b":0,"c":999999999999999999}"#, true),
        (r#"{"a":true,"b":false,"c":null}"#, true),
        ("{\"a\":\"größe\u{7f}\u{2028}日本\"}", true),
        (r#"{"long":"0123456789abcdef0123456789"}"#, true),
        (r#"[[[[[[[[1]]]]]]]]"#, false),
        (r#"{"a":[[[[[[[[1]]]]]]]]}"#, true),
        (r#"{"a":[[[[[[[[[1]]]]]]]]]}"#, false),
        // Left to who can read them.
        (r#"{"a":9999999999999999999}"#, false),
        (r#"{"a":18446744073709551616}"#, false),
        (r#"{"a":-1}"#, false),
        (r#"{"a":1.5}"#, false),
        (r#"{"a":1e5}"#, false),
        (r#"{"a":1E5}"#, false),
        (r#"{"a":"\n"}"#, false),
        (r#"{"a": 1}"#, false),
        (r#"{"a":1} "#, false),
        // Nothing that anybody reads.
        ("", false),
        ("{", false),
        (r#"{"a"}"#, false),
        (r#"{"a":}"#, false),
        (r#"{"a":1,}"#, false),
        (r#"{,"a":1}"#, false),
        (r#"{"a":[1,]}"#, false),
        (r#"{"a":[1}"#, false),
        (r#"{"a":[1}]"#, false),
        (r#"{"a":1]"#, false),
        (r#"{"a":{"b"}}"#, false),
        (r#"{"a":01}"#, false),
        (r#"{"a":1x}"#, false),
        (r#"{"a":1"b":2}"#, false),
        (r#"{"a":tru}"#, false),
        (r#"{"a":truex}"#, false),
        (r#"{"a":nul"#, false),
        (r#"{"a":1}}"#, false),
        (r#"{"a":1}{}"#, false),
        (r#"{"a":"b"#, false),
        ("{\"a\":\"0123456\u{1f}\"}", false),
        ("{\"a\":\"\u{0}\"}", false),
        (r#"{1:2}"#, false),
        (r#"{"a":1:2}"#, false),
    ] {
        assert_eq!(agrees(text), is_read, "{text}");
        agrees(&record_of(text));
    }
}

/// One byte of a line changed, left out or cut behind: read as others read it, or not at all.
#[test]
fn damaged_lines() {
    let line = include_str!("../../../tests/data/replay/audit.jsonl").lines().next().unwrap();
    for at in 0..line.len() {
        let (before, rest) = line.split_at(at);
        let behind = rest.get(1..).unwrap();
        agrees(before);
        agrees(&format!("{before}{behind}"));
        for byte in ["\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", "é", "\u{1}", " ", "e"] {
            agrees(&format!("{before}{byte}{behind}"));
            agrees(&format!("{before}{byte}{rest}"));
        }
    }
}

proptest! {
    #[test]
    fn any_text(text in r#"\{("[a-c\\"é]{0,9}"|[\[\]{}:,0-9.e tfn-]|true|null|"[a-z]{0,3}":){0,12}\}"#) {
        agrees(&text);
    }

    #[test]
    fn any_object(members in prop::collection::vec(("[a-zé\\x00-\\x7f]{0,20}", 0..8_u8, any::<u64>()), 0..8)) {
        let mut text = String::from("{");
        for (at, (name, kind, number)) in members.iter().enumerate() {
            let name = serde_json::to_string(name).unwrap();
            let value = match kind {
                0 => number.to_string(),
                1 => format!("[{number},{name}]"),
                2 => format!("{{{name}:{name}}}"),
                3 => "true".into(),
                4 => "[]".into(),
                5 => format!("[{{{name}:[null,{number}]}}]"),
                6 => format!("{}", *number as f64 / 7.0),
                _ => name.clone(),
            };
            text.push_str(if at > 0 { "," } else { "" });
            text.push_str(&format!("{name}:{value}"));
        }
        text.push('}');
        agrees(&text);
    }
}

/// Parts of lines, of which one is the beginning of another, or has in a text what ends another.
fn part(name: &'static str) -> impl Strategy<Value = String> {
    let values: &[&str] = match name {
        "principal" => &[
            r#"{"kind":"jwt","id":"a"}"#,
            r#"{"kind":"jwt","id":"a}"}"#,
            r#"{"kind":"jwt","id":"a","issuer":"b"}"#,
            r#"{"kind":"jwt","id":"a}","issuer":"}"}"#,
            r#"{"kind":"jwt"}"#,
            r#"{"kind":"mtls","id":{"a":"}"}}"#,
            r#"{"id":"a"}"#,
            "7",
        ],
        "scopes" => &["[]", r#"["a"]"#, r#"["a","b"]"#, r#"["a]","b"]"#, r#"["a",["b"]]"#, "1"],
        "read" => &[
            "{}",
            r#"{"/claims/a":1}"#,
            r#"{"/claims/a":12}"#,
            r#"{"/claims/a":"}"}"#,
            r#"{"/claims/a":1,"/claims/b":[1,"x"]}"#,
            r#"{"/claims/a":1,"/args/x":1}"#,
            r#"{"/claims/a":1,"/args/x":1,"/claims/b":[1,"x"]}"#,
            r#"{"/args/x":1,"/claims/a":1}"#,
            r#"{"/args/x":1,"/args/y":"/claims/a"}"#,
            r#"{"/claims/a":1,"":{}}"#,
            r#"{"/claims/a":1,}"#,
            "[]",
        ],
        "absent" => &["[]", r#"["/claims/c"]"#, r#"["/claims/c","/args/x"]"#],
        "cut" => &["[]", r#"["/claims/a"]"#, r#"["/claims/c"]"#, r#"["/args/x"]"#],
        "method" => &[r#""a""#, r#""tools/call""#, r#""a","method":"b""#, "1"],
        _ => &[r#""a""#, r#""default""#, r#""2025-11-25""#, r#""tool""#, "null", "[1]"],
    };
    prop::sample::select(values).prop_map(move |value| format!("\"{name}\":{value}"))
}

/// A line of some parts, mostly in the order of the writer.
fn line_of_parts() -> impl Strategy<Value = String> {
    const ORDER: [&str; 11] = [
        "audit",
        "principal",
        "route",
        "host",
        "revision",
        "method",
        "kind",
        "scopes",
        "read",
        "absent",
        "cut",
    ];
    let order = prop_oneof![
        4 => Just(ORDER.to_vec()),
        // The scopes behind the claims.
        2 => Just(["principal", "read", "scopes", "route", "kind"].to_vec()),
        4 => prop::sample::subsequence(ORDER.to_vec(), 6..=11),
        1 => Just(ORDER.to_vec()).prop_shuffle(),
        // One of them twice.
        1 => (0..11_usize, 0..11_usize).prop_map(|(of, at)| {
            let mut order = ORDER.to_vec();
            order.insert(at, ORDER[of]);
            order
        }),
    ];
    order.prop_flat_map(|order| order.into_iter().map(part).collect::<Vec<_>>()).prop_map(|parts| {
        let parts = parts.join(",");
        format!("{{\"time\":\"2026-11-22T10:00:00.000Z\",{parts},\"decision\":\"allow\"}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever was met before: a line says the same, and what is taken for the same caller is the same.
    #[test]
    fn lines_after_lines(lines in prop::collection::vec(line_of_parts(), 1..24)) {
        let mut reader = Reader::default();
        let mut callers = std::collections::HashMap::new();
        for line in lines.iter().chain(&lines) {
            let slow = reader.slow(&mut line.as_bytes().to_vec(), told);
            reader.read(&mut line.as_bytes().to_vec(), |read| {
                if let Ok(Line::Record(record)) = &read {
                    let (mut short, mut key) = (Vec::new(), Vec::new());
                    caller::write_key(&mut key, record, ClientKind::Jwt);
                    key.push(record.client.map_or(9, |kind| kind as u8));
                    if caller::write_short_key(&mut short, record) {
                        assert_eq!(callers.entry(short).or_insert_with(|| key.clone()), &key, "{line}");
                    }
                }
                assert_eq!(told(read), slow, "{line}");
            });
        }
    }
}
