//! The JSON tokenizer, against files, `serde_json` and itself with other cuts.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use mcpfw::fuzz::json::{
    Event, Interest, Outcome, Recorder, SNUG, TIGHT, agrees_with_serde, any_cut_is_the_same, scan,
};
use mcpfw::wire::json::{
    Error, Ignore, Kind, Limits, Node, SyntaxError, SyntaxErrorKind, Tokenizer, Visit,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a whole text ends, with the default limits.
fn verdict(text: &[u8]) -> Result<(), SyntaxError> {
    verdict_within(text, Limits::default())
}

fn verdict_within(text: &[u8], limits: Limits) -> Result<(), SyntaxError> {
    let mut tokenizer = Tokenizer::new(limits, 3);
    let outcome = scan(&mut tokenizer, [text], Recorder::new(Interest::All, usize::MAX));
    let mut ignored = Tokenizer::new(limits, 4);
    let quiet = ignored.feed(text, &mut Ignore).and_then(|()| ignored.finish(&mut Ignore));
    match (outcome.verdict, quiet) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(Error::Syntax(a)), Err(Error::Syntax(b))) if a == b => Err(a),
        (seen, quiet) => panic!("a reader changes the verdict: {seen:?}, {quiet:?}"),
    }
}

fn every_cut(text: &[u8], limits: Limits) {
    any_cut_is_the_same(text, limits, Interest::All, usize::MAX);
    any_cut_is_the_same(text, limits, Interest::Some(1), usize::MAX);
    any_cut_is_the_same(text, limits, Interest::Some(3), usize::MAX);
}

/// The files of a directory with their texts, in order.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| name.ends_with(".json"))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn own_files() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json");
    let files = files(&directory);
    assert!(files.len() >= 80, "{} files", files.len());
    for (name, text) in files {
        let verdict = verdict(&text);
        // n_<kind>-<what>.json names the kind of error that it must give.
        match (name.split('_').next(), verdict) {
            (Some("y"), Ok(())) => {}
            (Some("n"), Err(error)) => {
                let kind = name[2..].split('-').next().unwrap();
                assert_eq!(format!("{:?}", error.kind), kind, "{name}");
            }
            _ => panic!("{name}: {verdict:?}"),
        }
        for limits in [Limits::default(), TIGHT, SNUG] {
            agrees_with_serde(&text, limits);
            // Long texts are long for the sake of the default limits.
            if limits == Limits::default() || text.len() < 512 {
                every_cut(&text, limits);
            }
        }
    }
}

/// Texts of JSONTestSuite that the suite accepts and we refuse on purpose.
const REFUSED_ON_PURPOSE: &[(&str, SyntaxErrorKind)] = &[
    ("y_number_double_close_to_zero.json", SyntaxErrorKind::NumberTooLong),
    ("y_object_duplicated_key.json", SyntaxErrorKind::DuplicateKey),
    ("y_object_duplicated_key_and_value.json", SyntaxErrorKind::DuplicateKey),
];

/// What the suite leaves open and we accept. All other `i_` files are refused: bytes that are not
/// UTF-8, lone surrogates, byte-order marks, 500 containers inside one another, and a number
/// of more than 64 bytes.
const ACCEPTED_BY_CHOICE: &[&str] = &[
    // Numbers are kept as tokens: none is too large or too precise.
    "i_number_double_huge_neg_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];

#[test]
fn json_test_suite() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let candidates: [PathBuf; 2] = ["../shared/corpus", "../../shared/corpus"]
        .map(|shared| root.join(shared).join("JSONTestSuite/test_parsing"));
    let Some(directory) = candidates.iter().find(|directory| directory.is_dir()) else {
        println!("skipped: no JSONTestSuite beside the repository");
        return;
    };
    let files = files(directory);
    assert!(files.len() > 300, "{} files", files.len());
    for (name, text) in files {
        let seen = verdict(&text).map_err(|error| error.kind);
        let purpose = REFUSED_ON_PURPOSE.iter().find(|(refused, _)| *refused == name);
        let expected = match purpose {
            Some((_, kind)) => seen == Err(*kind),
            None if name.starts_with("y_") => seen.is_ok(),
            None if name.starts_with("n_") => seen.is_err(),
            None => seen.is_ok() == ACCEPTED_BY_CHOICE.contains(&name.as_str()),
        };
        assert!(expected, "{name}: {seen:?}");
        agrees_with_serde(&text, Limits::default());
        if text.len() <= 4096 {
            every_cut(&text, Limits::default());
        }
    }
}

/// Each limit passes at its edge and refuses one beyond, at a known offset.
#[test]
fn limits_at_the_edge() {
    use SyntaxErrorKind::{KeyTooLong, NumberTooLong, TooDeep, TooManyKeys, TooManyValues};
    let cases: &[(&str, &str, SyntaxErrorKind, u64)] = &[
        ("[[[[]]]]", "[[[[[]]]]]", TooDeep, 4),
        (r#"{"a":[{"b":[]}]}"#, r#"{"a":[{"b":[{}]}]}"#, TooDeep, 12),
        (r#"{"sixsix":1}"#, r#"{"sevense":1}"#, KeyTooLong, 1),
        (r#"{"six\u0073ix":1}"#, r#"{"six\u0073ixx":1}"#, KeyTooLong, 1),
        (r#"{"漢字":1}"#, r#"{"漢字a":1}"#, KeyTooLong, 1),
        ("12345", "123456", NumberTooLong, 5),
        ("[-1e+5]", "[-1e+55]", NumberTooLong, 6),
        ("[1,2,3,4,5,6,7,8,9,0,1]", "[1,2,3,4,5,6,7,8,9,0,1,2]", TooManyValues, 23),
        (
            r#"{"a":1,"b":2,"c":3,"d":4,"e":5}"#,
            r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#,
            TooManyKeys,
            31,
        ),
        (
            r#"{"a":{"a":1,"b":2,"c":3},"b":{"a":1,"b":2,"c":3}}"#,
            r#"{"a":{"a":1,"b":2,"c":3},"b":{"a":1,"b":2,"c":3,"d":4}}"#,
            TooManyKeys,
            48,
        ),
    ];
    for (within, beyond, kind, offset) in cases {
        assert_eq!(verdict_within(within.as_bytes(), TIGHT), Ok(()), "{within}");
        let refused = Err(SyntaxError { kind: *kind, offset: *offset });
        assert_eq!(verdict_within(beyond.as_bytes(), TIGHT), refused, "{beyond}");
        for limits in [TIGHT, SNUG] {
            for text in [within, beyond] {
                every_cut(text.as_bytes(), limits);
                agrees_with_serde(text.as_bytes(), limits);
            }
        }
    }
    let none = Limits { depth: 0, key_bytes: 0, number_bytes: 0, values: 0, open_keys: 0 };
    let one = Limits { values: 9, depth: 9, ..none };
    for (text, kind) in [
        ("null", TooManyValues),
        ("", SyntaxErrorKind::UnexpectedEnd),
        ("x", SyntaxErrorKind::UnexpectedByte),
    ] {
        assert_eq!(verdict_within(text.as_bytes(), none).unwrap_err().kind, kind);
    }
    for (text, kind) in [("0", NumberTooLong), (r#"{"a":"#, KeyTooLong), (r#"{"":1"#, TooManyKeys)]
    {
        assert_eq!(verdict_within(text.as_bytes(), one).unwrap_err().kind, kind);
    }
    assert_eq!(verdict_within(b"[{},[],true]", one), Ok(()));
}

/// The default limits at their edges.
#[test]
fn default_limits_at_the_edge() {
    use SyntaxErrorKind::{KeyTooLong, NumberTooLong, TooDeep, TooManyKeys, TooManyValues};
    type Text = fn(usize) -> String;
    let text: [(Text, usize, SyntaxErrorKind); 5] = [
        (|n| "[".repeat(n) + &"]".repeat(n), 64, TooDeep),
        (|n| format!("{{\"{}\":0}}", "k".repeat(n)), 1024, KeyTooLong),
        (|n| "1".repeat(n), 64, NumberTooLong),
        (|n| format!("[0{}]", ",0".repeat(n - 2)), 1 << 20, TooManyValues),
        (many_names, 4096, TooManyKeys),
    ];
    for (text, edge, kind) in text {
        assert_eq!(verdict(text(edge).as_bytes()), Ok(()));
        assert_eq!(verdict(text(edge + 1).as_bytes()).unwrap_err().kind, kind);
    }
}

fn many_names(count: usize) -> String {
    let names: Vec<_> = (0..count).map(|name| format!("\"{name}\":0")).collect();
    format!("{{{}}}", names.join(","))
}

/// Where errors point.
#[test]
fn offsets_of_errors() {
    use SyntaxErrorKind as K;
    let cases: &[(&[u8], K, u64)] = &[
        (b"", K::UnexpectedEnd, 0),
        (b" \n", K::UnexpectedEnd, 2),
        (b"[1,", K::UnexpectedEnd, 3),
        (b"-", K::UnexpectedEnd, 1),
        (b"\"a", K::UnexpectedEnd, 2),
        (b"\xEF\xBB\xBF{}", K::ByteOrderMark, 0),
        (b"\xFF\xFE{\0}\0", K::ByteOrderMark, 0),
        (b" \xEF\xBB\xBF{}", K::UnexpectedByte, 1),
        (b"{}\xEF", K::TrailingBytes, 2),
        (b"{} {}", K::TrailingBytes, 3),
        (b"1 2", K::TrailingBytes, 2),
        (b"{\"a\":1,\"\\u0061\":2}", K::DuplicateKey, 7),
        (b"[\"\xE6\xBC\"]", K::InvalidUtf8, 4),
        (b"[\"\xE6\xBC\xA2\xC0\xAF\"]", K::InvalidUtf8, 5),
        (b"\"\xED\xA0\x80\"", K::InvalidUtf8, 2),
        (b"\"a\nb\"", K::ControlCharacter, 2),
        (b"\"\\x\"", K::InvalidEscape, 2),
        (b"\"\\u00g0\"", K::InvalidEscape, 5),
        (b"\"\\uD800\"", K::LoneSurrogate, 7),
        (b"\"\\uD800\\n\"", K::LoneSurrogate, 8),
        (b"\"\\uD800\\uD800\"", K::LoneSurrogate, 12),
        (b"\"\\uDC00\"", K::LoneSurrogate, 6),
        (b"01", K::InvalidNumber, 1),
        (b"[1.]", K::InvalidNumber, 3),
        (b"1e5x", K::TrailingBytes, 3),
        (b"nul!", K::UnexpectedByte, 3),
        (b"{\"a\" 1}", K::UnexpectedByte, 5),
        (b"[1,]", K::UnexpectedByte, 3),
        (b"{\"a\":1,}", K::UnexpectedByte, 7),
        (b"[1}", K::UnexpectedByte, 2),
    ];
    for &(text, kind, offset) in cases {
        let expected = Err(SyntaxError { kind, offset });
        assert_eq!(verdict(text), expected, "{:?}", String::from_utf8_lossy(text));
        every_cut(text, Limits::default());
        agrees_with_serde(text, Limits::default());
    }
}

/// One text with all that a visitor can be told.
#[test]
fn events() {
    struct Places(Vec<Event>);
    const ROOT: Node = Node::new(1);
    const LIST: Node = Node::new(2);
    const ITEM: Node = Node::new(3);
    const NAME: Node = Node::new(4).with_text();
    impl Visit for Places {
        type Stop = std::convert::Infallible;
        fn root(&mut self) -> Node {
            ROOT
        }
        fn key(&mut self, object: Node, name: &str) -> Result<Node, Self::Stop> {
            self.0.push(Event::Key(object, name.into()));
            Ok(match (object, name) {
                (ROOT, "list") => LIST,
                (ITEM, "name") => NAME,
                _ => Node::IGNORE,
            })
        }
        fn element(&mut self, array: Node, index: u32) -> Result<Node, Self::Stop> {
            self.0.push(Event::Element(array, index));
            Ok(ITEM)
        }
        fn comma(&mut self, array: Node, at: u64) -> Result<(), Self::Stop> {
            self.0.push(Event::Comma(array, at));
            Ok(())
        }
        fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Self::Stop> {
            self.0.push(Event::Begin(node, kind, at));
            Ok(())
        }
        fn text(&mut self, node: Node, piece: &str) -> Result<(), Self::Stop> {
            self.0.push(Event::Text(node, piece.into()));
            Ok(())
        }
        fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Self::Stop> {
            self.0.push(Event::End(node, kind, at));
            Ok(())
        }
    }
    let text = br#" {"list": [{"name":"a","x":[{"name":1}]} , -2.5],"name":{}} "#;
    let mut places = Places(Vec::new());
    let mut tokenizer = Tokenizer::new(Limits::default(), 0);
    tokenizer.feed(text, &mut places).unwrap();
    assert!(tokenizer.is_complete());
    tokenizer.finish(&mut places).unwrap();
    let key = |node, name: &str| Event::Key(node, name.into());
    assert_eq!(
        places.0,
        [
            Event::Begin(ROOT, Kind::Object, 1),
            key(ROOT, "list"),
            Event::Begin(LIST, Kind::Array, 10),
            Event::Element(LIST, 0),
            Event::Begin(ITEM, Kind::Object, 11),
            key(ITEM, "name"),
            Event::Begin(NAME, Kind::String, 19),
            Event::Text(NAME, "a".into()),
            Event::End(NAME, Kind::String, 22),
            key(ITEM, "x"),
            Event::End(ITEM, Kind::Object, 40),
            Event::Comma(LIST, 41),
            Event::Element(LIST, 1),
            Event::Begin(ITEM, Kind::Number, 43),
            Event::End(ITEM, Kind::Number, 47),
            Event::End(LIST, Kind::Array, 48),
            key(ROOT, "name"),
            Event::End(ROOT, Kind::Object, 59),
        ]
    );
}

/// A visitor that stops is asked nothing more, wherever it stops.
#[test]
fn a_stop_ends_the_scan() {
    let text = br#"{"a":[1,"x\u00e9",{"b":null}],"c":true}"#;
    for patience in 0..30 {
        any_cut_is_the_same(text, Limits::default(), Interest::All, patience);
    }
    let mut tokenizer = Tokenizer::new(Limits::default(), 0);
    let Outcome { events, verdict } =
        scan(&mut tokenizer, [&text[..]], Recorder::new(Interest::All, 2));
    assert_eq!((events.len(), verdict), (3, Err(Error::Stop(3))));
}

/// Memory does not grow with the text (design promise 3).
#[test]
fn memory_stays_flat() {
    let mut tokenizer = Tokenizer::new(Limits::default(), 9);
    assert_eq!(tokenizer.heap(), 0, "new allocates nothing");
    let limits = Limits { values: u32::MAX, ..Limits::default() };
    let chunk = format!("[{{\"name\":\"{}\",\"n\":[1,2.5e3,true]}},\"é\\n\"],", "x".repeat(900));
    let mut tokenizer_long = Tokenizer::new(limits, 9);
    for tokenizer in [&mut tokenizer, &mut tokenizer_long] {
        tokenizer.feed(b"{\"a\":[", &mut Ignore).unwrap();
        tokenizer.feed(chunk.as_bytes(), &mut Ignore).unwrap();
    }
    let before = tokenizer_long.heap();
    for _ in 0..(16 << 20) / chunk.len() {
        tokenizer_long.feed(chunk.as_bytes(), &mut Ignore).unwrap();
    }
    assert_eq!(tokenizer_long.heap(), before);
    assert!(before <= 1024, "{before}");
    tokenizer.reset();
    assert!(tokenizer.heap() > 0, "reset keeps the buffers");
}

/// The most that the default limits allow.
#[test]
fn memory_is_bounded() {
    let mut tokenizer = Tokenizer::new(Limits::default(), 9);
    let key = format!("\\u0061{}", "k".repeat(1023));
    let mut text = many_names(4096 - 32);
    text.pop();
    let last = text.rfind(':').unwrap();
    text.truncate(last + 1);
    for depth in 0..31 {
        text += &format!("[{{\"{}\":", if depth == 0 { &key } else { "k" });
    }
    tokenizer.feed(text.as_bytes(), &mut Ignore).unwrap();
    assert!(tokenizer.heap() <= 72 << 10, "{}", tokenizer.heap());
}

/// Objects of an array are checked against the names of the one before: every second object here
/// is one that must not be taken for a repetition, or is one.
#[test]
fn records_that_resemble_one_another() {
    let first = r#"{"a":1,"bc":"x","":[1,"y"],"long name":{"a":[{"a":1}]},"z":null}"#;
    let cases: &[(&str, bool)] = &[
        (r#"{"a":1,"bc":"x","":[1,"y"],"long name":{"a":[{"a":1}]},"z":null}"#, true),
        (r#"{"a":2,"bc":[],"":{},"long name":-1.5e3,"z":"a string of some length"}"#, true),
        (r#"{"a":2,"bc":[]}"#, true),
        ("{}", true),
        (r#"{"bc":2,"a":[]}"#, true),
        (r#"{"a":1,"bc":2,"":3,"long name":4,"z":5,"more":6,"and more":7}"#, true),
        (r#"{"a":1,"a":2}"#, false),
        (r#"{"a":1,"bc":2,"a":2}"#, false),
        (r#"{"a":1,"bc":2,"bc":2}"#, false),
        (r#"{"a":1,"bc":2,"":3,"long name":4,"z":5,"z":6}"#, false),
        (r#"{"a":1,"bc":2,"":3,"long name":4,"z":5,"":6}"#, false),
        (r#"{"a":1,"bc":2,"":3,"long name":4,"z":5,"y":6,"bc":7}"#, false),
        (r#"{"a":1,"\u0061":2}"#, false),
        (r#"{"\u0061":1,"a":2}"#, false),
        (r#"{"\u0061":1,"bc":2}"#, true),
        (r#"{"a":1,"b\u0063":2,"":3,"bc":2}"#, false),
        (r#"{"a":1 , "bc" : 2, "":3,"a":2}"#, false),
        (r#"{"a":{"a":1,"bc":2,"bc":3}}"#, false),
        (r#"{"a":[{"a":1,"bc":2},{"a":1,"bc":3}],"bc":1}"#, true),
        (r#"{"a":[{"a":1,"bc":2},{"a":1,"a":3}],"bc":1}"#, false),
        (r#"{"a":[{"a":1,"bc":2},{"a":1,"bc":3}],"a":1}"#, false),
        (r#"{"a":1,"a name that is longer than any that is kept":1,"bc":2,"a":3}"#, false),
    ];
    for &(second, is_good) in cases {
        let texts = [
            format!("[{first},{second}]"),
            format!("[{second},{first}]"),
            format!("[{first},{first}, {second},{first}]"),
            format!(r#"{{"list":[{first},[{second}],{second},{first}]}}"#),
        ];
        for text in texts {
            let expected = if is_good { Ok(()) } else { Err(SyntaxErrorKind::DuplicateKey) };
            assert_eq!(verdict(text.as_bytes()).map_err(|error| error.kind), expected, "{text}");
            every_cut(text.as_bytes(), Limits::default());
            agrees_with_serde(text.as_bytes(), Limits::default());
            agrees_with_serde(text.as_bytes(), SNUG);
        }
    }
}

/// What a name is after its escapes is not what stands in the text.
#[test]
fn names_that_cannot_stand_as_they_are() {
    let cases: &[(&str, &[u8])] = &[
        (r#"{"a\"b":1}"#, br#"{"a"b":1}"#),
        (r#"{"a\\n":1}"#, br#"{"a\n":1,"a\u000a":2}"#),
        (r#"{"a\\":1}"#, br#"{"a\":1}"#),
        (r#"{"a\n":1}"#, b"{\"a\n\":1}"),
        (r#"{"\u0000":1}"#, b"{\"\0\":1}"),
        (r#"{"":1}"#, b"{\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:1}"),
    ];
    for (first, second) in cases {
        let text = [b"[", first.as_bytes(), b",", second, b",", second, b"]"].concat();
        assert!(verdict(&text).is_err(), "{}", String::from_utf8_lossy(&text));
        every_cut(&text, Limits::default());
        agrees_with_serde(&text, Limits::default());
        let good = format!("[{first},{first},{first}]");
        assert_eq!(verdict(good.as_bytes()), Ok(()), "{good}");
        every_cut(good.as_bytes(), Limits::default());
    }
}

/// Limits hold in records that repeat the one before.
#[test]
fn limits_in_repeated_records() {
    let limits = Limits { depth: 3, values: 40, open_keys: 20, ..Limits::default() };
    for names in [1, 3, 9, 15, 16, 17, 19, 20, 21] {
        let record = many_names(names);
        for records in 1..6 {
            let text = format!("[{}]", vec![record.clone(); records].join(","));
            every_cut(text.as_bytes(), limits);
            agrees_with_serde(text.as_bytes(), limits);
            let inner = format!(r#"{{"x":[{}]}}"#, vec![record.clone(); records].join(","));
            agrees_with_serde(inner.as_bytes(), limits);
        }
    }
    for text in ["[[[1,2],[3]]]", "[[[[1]]]]", r#"[{"a":[1]},{"a":[1]},{"a":[[1]]}]"#] {
        every_cut(text.as_bytes(), limits);
        agrees_with_serde(text.as_bytes(), limits);
    }
}

/// Any JSON value, as text, with odd spacing and escapes.
fn json_text() -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", "", "", " ", "\n\t", "\r\n"]);
    let string = || {
        prop::collection::vec(
            prop_oneof![
                4 => any::<char>().prop_map(|c| match c {
                    '"' | '\\' | '\0'..='\x1f' => format!("\\u{:04x}", c as u32),
                    _ => c.to_string(),
                }),
                2 => "[a-c]{1,20}".prop_map(|s| s),
                1 => prop::sample::select(vec!["\\n", "\\\"", "\\\\", "\\/", "\\u00E9", "\\ud83e\\udd80", "\\u0061"])
                    .prop_map(str::to_owned),
            ],
            0..6,
        )
        .prop_map(|parts| format!("\"{}\"", parts.concat()))
    };
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?",
        string(),
    ];
    scalar.prop_recursive(5, 40, 6, move |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, v, b)| format!("{a}{v}{b}"));
        let member = (space(), string(), space(), item.clone())
            .prop_map(|(a, k, b, v)| format!("{a}{k}{b}:{v}"));
        prop_oneof![
            prop::collection::vec(item, 0..6).prop_map(|v| format!("[{}]", v.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|v| format!("{{{}}}", v.join(","))),
        ]
    })
}

/// A JSON text with a few bytes changed, cut or copied.
fn damaged_text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(b"\"\\{}[]:,u0eE+-.tnf \x7f\x80\xc3\xe6\xf0\xed\x1f".to_vec()),
    ];
    let change = (any::<prop::sample::Index>(), 0..4_u8, byte);
    (json_text(), prop::collection::vec(change, 1..4)).prop_map(|(text, changes)| {
        let mut text = text.into_bytes();
        for (index, what, byte) in changes {
            let at = index.index(text.len() + 1);
            match what {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                2 if at < text.len() => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn good_texts(text in json_text()) {
        agrees_with_serde(text.as_bytes(), Limits::default());
        agrees_with_serde(text.as_bytes(), SNUG);
        any_cut_is_the_same(text.as_bytes(), Limits::default(), Interest::Some(2), usize::MAX);
    }

    #[test]
    fn damaged_texts(text in damaged_text()) {
        agrees_with_serde(&text, Limits::default());
        agrees_with_serde(&text, SNUG);
        any_cut_is_the_same(&text, Limits::default(), Interest::All, usize::MAX);
        any_cut_is_the_same(&text, SNUG, Interest::Some(0), usize::MAX);
    }

    /// A text is refused for a duplicate if and only if some object has one, at any depth and
    /// however it is spelt.
    #[test]
    fn duplicates(
        objects in prop::collection::vec(prop::collection::vec(("[ab]{0,2}", any::<bool>()), 0..40), 1..5),
    ) {
        let mut unique = true;
        let mut text = "0".to_owned();
        for (index, names) in objects.iter().enumerate() {
            let mut seen = BTreeSet::new();
            let mut members = Vec::new();
            for (position, (name, escaped)) in names.iter().enumerate() {
                // Most names are made unique, so that both verdicts are common.
                let name = if position % 8 == 7 { name.clone() } else { format!("{name}{position}") };
                unique &= seen.insert(name.clone());
                let spelt = match (escaped, name.chars().next()) {
                    (true, Some(c)) => format!("\\u{:04X}{}", c as u32, &name[1..]),
                    _ => name,
                };
                let value = if position == names.len() / 2 { text.as_str() } else { "0" };
                members.push(format!("\"{spelt}\":{value}"));
            }
            text = match index % 2 {
                0 => format!("{{{}}}", members.join(",")),
                _ => format!("[{text},{{{}}}]", members.join(",")),
            };
        }
        // An empty object swallows what was inside it: the text decides, not the plan.
        let plan_holds = objects.iter().all(|names| !names.is_empty());
        let seen = verdict(text.as_bytes()).map_err(|error| error.kind);
        if plan_holds {
            let expected = if unique { Ok(()) } else { Err(SyntaxErrorKind::DuplicateKey) };
            prop_assert_eq!(seen, expected, "{}", text);
        }
        agrees_with_serde(text.as_bytes(), Limits::default());
    }
}
