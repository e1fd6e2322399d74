//! Mirrored headers: what they claim, and what is refused because it could be read in two ways (T9).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{HeaderMap, HeaderName, HeaderValue};
use mcpfw::wire::mcp::headers::{Header, HeaderError, HeaderFault, Mirror};
use mcpfw::wire::mcp::sentinel::{self, MAX_VALUE, SentinelError};
use proptest::prelude::*;

fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    map
}

fn name_of(value: &[u8]) -> Result<Option<String>, HeaderFault> {
    match Mirror::parse(&headers(&[("mcp-name", value)])) {
        Ok(mirror) => Ok(mirror.name().map(str::to_owned)),
        Err(HeaderError { header: Header::Name, fault }) => Err(fault),
        Err(other) => unreachable_error(&other),
    }
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn unreachable_error(error: &HeaderError) -> ! {
    panic!("the fault is in Mcp-Name, not: {error}")
}

#[test]
fn names_by_table() {
    use HeaderFault::{IllegalCharacter, MalformedBase64};
    let pass: &[(&[u8], &str)] = &[
        (b"ledger.post", "ledger.post"),
        (b"", ""),
        (b"  ledger.post\t ", "ledger.post"),
        (b"\t", ""),
        (b"two words", "two words"),
        (b"tab\tinside", "tab\tinside"),
        (b"file:///a%20b?c=d&e#f", "file:///a%20b?c=d&e#f"),
        (b"a, b", "a, b"),
        // The sentinel.
        (b"=?base64?Z3LDtsOfZQ==?=", "gr\u{f6}\u{df}e"),
        (b" =?base64?Z3LDtsOfZQ==?=\t", "gr\u{f6}\u{df}e"),
        (b"=?base64??=", ""),
        (b"=?base64?IA==?=", " "),
        (b"=?base64?8J+YgA==?=", "\u{1f600}"),
        (b"=?base64?Pz8/?=", "???"),
        // Decoded once: a name that looks like a sentinel arrives encoded.
        (b"=?base64?PT9iYXNlNjQ/WVE9PT89?=", "=?base64?YQ==?="),
        // One mark, or another spelling: a literal.
        (b"=?base64?YQ==", "=?base64?YQ=="),
        (b"YQ==?=", "YQ==?="),
        (b"?=", "?="),
        (b"=?base64?", "=?base64?"),
        (b"=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
        (b"=?Base64?YQ==?=", "=?Base64?YQ==?="),
        (b"=?utf-8?B?YQ==?=", "=?utf-8?B?YQ==?="),
        (b"x=?base64?YQ==?=", "x=?base64?YQ==?="),
        (b"=?base64?YQ==?=x", "=?base64?YQ==?=x"),
        (b"=?base64_?YQ==?=", "=?base64_?YQ==?="),
    ];
    for (value, expected) in pass {
        assert_eq!(name_of(value), Ok(Some((*expected).to_owned())), "{}", value.escape_ascii());
    }
    let refused: &[(&[u8], HeaderFault)] = &[
        // No padding, too much of it, or in the middle.
        (b"=?base64?Z3LDtsOfZQ?=", MalformedBase64),
        (b"=?base64?Z3LDtsOfZQ=?=", MalformedBase64),
        (b"=?base64?YWJj=?=", MalformedBase64),
        (b"=?base64?YWJj====?=", MalformedBase64),
        (b"=?base64?YQ==YQ==?=", MalformedBase64),
        (b"=?base64?=?=", MalformedBase64),
        (b"=?base64?====?=", MalformedBase64),
        // Unused bits that are not zero: a second spelling of `a`.
        (b"=?base64?YR==?=", MalformedBase64),
        (b"=?base64?YWK=?=", MalformedBase64),
        // Another alphabet, white space, control characters.
        (b"=?base64?8J-YgA==?=", MalformedBase64),
        (b"=?base64?Pz8_?=", MalformedBase64),
        (b"=?base64?YQ= =?=", MalformedBase64),
        (b"=?base64? YQ==?=", MalformedBase64),
        (b"=?base64?YQ==\t?=", MalformedBase64),
        (b"=?base64?YQ,,?=", MalformedBase64),
        (b"=?base64?Y?=", MalformedBase64),
        // Not UTF-8: a lone byte, an overlong slash, a surrogate.
        (b"=?base64?/w==?=", MalformedBase64),
        (b"=?base64?wK8=?=", MalformedBase64),
        (b"=?base64?7aCA?=", MalformedBase64),
        // The marks share a character: empty to one decoder, a literal to another.
        (b"=?base64?=", MalformedBase64),
        // Raw bytes that a header must not have.
        ("gr\u{f6}\u{df}e".as_bytes(), IllegalCharacter),
        (b"a\xA0", IllegalCharacter),
        (b"\xFF", IllegalCharacter),
    ];
    for (value, fault) in refused {
        assert_eq!(name_of(value), Err(*fault), "{}", value.escape_ascii());
    }
}

#[test]
fn other_control_characters_never_become_a_header() {
    // `http` itself refuses them; the check in `Mirror` is for values built in other ways.
    for byte in (0..0x20_u8).filter(|byte| *byte != b'\t').chain([0x7f]) {
        assert!(HeaderValue::from_bytes(&[b'a', byte]).is_err(), "{byte}");
    }
}

#[test]
fn a_value_may_be_as_long_as_the_limit() {
    assert!(name_of(&vec![b'x'; MAX_VALUE]).is_ok());
    assert_eq!(name_of(&vec![b'x'; MAX_VALUE + 1]), Err(HeaderFault::TooLong));
}

#[test]
fn each_header_may_stand_once() {
    let table: &[(&'static str, Header)] = &[
        ("mcp-protocol-version", Header::ProtocolVersion),
        ("mcp-method", Header::Method),
        ("mcp-name", Header::Name),
        ("mcp-param-shard", Header::Param(HeaderName::from_static("mcp-param-shard"))),
    ];
    for (name, header) in table {
        // Also twice the same: some recipients take the first, some join with a comma.
        let error = Mirror::parse(&headers(&[(name, b"a"), (name, b"a")])).unwrap_err();
        assert_eq!(error, HeaderError { header: header.clone(), fault: HeaderFault::Repeated });
        assert!(Mirror::parse(&headers(&[(name, b"a"), ("mcp-param-other", b"a")])).is_ok());
    }
}

#[test]
fn version_and_method_are_never_base64() {
    let mirror = Mirror::parse(&headers(&[
        ("mcp-protocol-version", b" =?base64?MjAyNi0wNy0yOA==?= "),
        ("mcp-method", b"=?base64?cGluZw==?="),
    ]))
    .unwrap();
    assert_eq!(mirror.protocol_version(), Some("=?base64?MjAyNi0wNy0yOA==?="));
    assert_eq!(mirror.method(), Some("=?base64?cGluZw==?="));
    for name in ["mcp-protocol-version", "mcp-method"] {
        let error = Mirror::parse(&headers(&[(name, b"\xe9")])).unwrap_err();
        assert_eq!(error.fault, HeaderFault::IllegalCharacter);
    }
}

#[test]
fn absent_is_not_empty() {
    let mirror = Mirror::parse(&HeaderMap::new()).unwrap();
    assert_eq!((mirror.protocol_version(), mirror.method(), mirror.name()), (None, None, None));
    let empty = headers(&[("mcp-protocol-version", b""), ("mcp-method", b""), ("mcp-name", b"")]);
    let mirror = Mirror::parse(&empty).unwrap();
    assert_eq!(
        (mirror.protocol_version(), mirror.method(), mirror.name()),
        (Some(""), Some(""), Some(""))
    );
}

#[test]
fn unknown_parameters_go_untouched() {
    // Their meaning is in a schema that may not be known: not even base64 is looked at.
    assert!(
        Mirror::parse(&headers(&[("mcp-param-x", b"=?base64?!?="), ("mcp-param-y", b"\xff")]))
            .is_ok()
    );
}

#[test]
fn the_sentinel_says_why() {
    assert_eq!(sentinel::decode("=?base64?/w==?="), Err(SentinelError::Utf8));
    assert_eq!(sentinel::decode("=?base64?/w?="), Err(SentinelError::Base64));
    assert_eq!(sentinel::decode("=?base64?="), Err(SentinelError::Overlap));
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(text in any::<String>()) {
        use base64::Engine as _;
        let encoded = format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(&text));
        prop_assert_eq!(sentinel::decode(&encoded).unwrap(), text);
    }

    /// Two different values never stand for the same text, but for one: a plain text and its own encoding.
    #[test]
    fn the_encoding_is_canonical(payload in "[A-Za-z0-9+/=]{0,12}") {
        use base64::Engine as _;
        let value = format!("=?base64?{payload}?=");
        if let Ok(text) = sentinel::decode(&value) {
            prop_assert_eq!(base64::engine::general_purpose::STANDARD.encode(text.as_bytes()), payload);
        }
    }
}
