//! Resource URIs: what has one reading passes, what has two is refused, by which rule (T12).

use std::collections::BTreeSet;

use mcpfw::fuzz::uri::{canonical, parsers_agree};
use mcpfw::wire::mcp::uri::{Form, MAX_URI, UriFault, check};
use proptest::prelude::*;

/// What is refused, beside what passes: fault, refused, must pass.
const TABLE: &[(UriFault, &[&str], &[&str])] = &[
    (UriFault::Scheme, &["", "file", ":x", "1a:x", "/a/b", "//h/a", "a_b:x"], &["a+b.c-1:x"]),
    (
        UriFault::Scheme,
        &["file:/a", "file:a", "http:h/a", "https:/h/a"],
        &["mem:/a", "mem:a", "note:abc", "memo://x", "urn:isbn:0451450523"],
    ),
    (UriFault::SchemeCase, &["FILE:///a", "File:///a", "Note:x"], &["file:///A", "note:X"]),
    (
        UriFault::Character,
        &[
            "file:///a b",
            " file:///a",
            "file:///a\n",
            "file:///a\0",
            "file:///a\u{7f}",
            "file:///a\\b",
            "file:///..\\..\\etc",
            "https://h\\@evil/",
            "file:///café",
            "file:///a\u{202e}b",
            "file:///．．/b",
            "file:///a#b",
            "file:///a|b",
            "file:///a`b",
            "file:///a<b>",
            "file:///a\"b",
            "file:///a^b",
            "file:///{name}",
            "db://t/rows[0]",
            "https://h/?a[]=1",
            "https://h/?a='b'",
        ],
        &[
            "file:///a%20b",
            "file:///caf%C3%A9",
            "file:///%5Ba%5D",
            "file:///a'b",
            "db://t/?a='b'",
            "file:///a!$&'()*+,;=:@b",
            "file:///%7Bname%7D",
        ],
    ),
    (
        UriFault::Escape,
        &["file:///a%", "file:///a%4", "file:///a%zz", "file:///a%%41", "file:///%u002e"],
        &["file:///100%25", "file:///50%25%20off", "file:///a%25/b"],
    ),
    (UriFault::EscapeCase, &["file:///caf%c3%a9", "file:///a%3fb"], &["file:///a%3Fb"]),
    (
        UriFault::NeedlessEscape,
        &[
            "file:///%61",
            "file:///a%2Db",
            "file:///a%2Eb",
            "file:///a%5F",
            "file:///%7Ea",
            "https://%68/",
        ],
        &["file:///a.b", "file:///~a", "file:///c%3A/a"],
    ),
    (
        UriFault::EncodedSeparator,
        &[
            "file:///a%2Fb",
            "file:///a%2fb",
            "file:///a%5Cb",
            "file:///a%5cb",
            "file:///docs/..%2f..%2fetc",
            "https://h%2Fevil/",
            "https://h/?p=..%2Fetc",
            "file:///a%EF%BC%8Fb",
            "file:///a%EF%BC%BCb",
            "file:///a%EF%B9%A8b",
        ],
        &["file:///a/b", "https://h/?p=a/b", "https://h/?p=../etc", "file:///a%EF%BC%A1b"],
    ),
    (
        UriFault::EncodedControl,
        &[
            "file:///a%00",
            "file:///a%00.md",
            "file:///a%0A",
            "file:///a%0d%0a",
            "file:///%7F",
            "a:%C2%85",
        ],
        &["file:///a%20", "a:%C2%A0"],
    ),
    (
        UriFault::DoubleEncoding,
        &[
            "file:///a%252e",
            "file:///%252E%252E/b",
            "file:///a%25252fb",
            "file:///a%25u002e",
            "file:///%25a",
        ],
        &["file:///a%25-", "file:///100%25?x"],
    ),
    (
        UriFault::NotUtf8,
        &[
            "doc://a/%C0%AE%C0%AE/b",
            "a:%E0%80%AE",
            "a:%FF",
            "a:%C3",
            "a:%C3%20",
            "a:%C3x%A9",
            "a:%A9",
            "a:%ED%A0%80",
            "a:%F4%90%80%80",
        ],
        &["a:%C3%A9%C3%A9", "a:%F0%9F%A6%80x%E2%82%AC"],
    ),
    (
        UriFault::UserInfo,
        &[
            "https://user@h/",
            "https://good.example@evil/",
            "https://u:p@h/",
            "https://@h/",
            "doc://x@public/a",
        ],
        &["https://h/@user", "https://h/?a=b@c", "mailto:a@b.example", "users:/a@b"],
    ),
    (
        UriFault::Host,
        &[
            "https://Example.com/",
            "https://h./",
            "note://h./a",
            "note://h.",
            "https:///a",
            "https://:8443/a",
            "note://:1/a",
            "https://a..b/",
            "https://.a/",
            "https://127.1/",
            "https://127.0.0.01/",
            "https://0x7f.0.0.1/",
            "https://2130706433/",
            "https://1.2.3.256/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::FFFF]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[fe80::1%25-]/",
            "https://a!b/",
            "https://caf%C3%A9/",
            "file://localhost/a",
            "file://server/c:/a",
            "note://a[b/c",
        ],
        &[
            "https://example.com/",
            "https://a-b.c_d.example/",
            "https://xn--caf-dma.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[2001:db8::1]:8443/",
            "https://1.a/",
            "file://server/share/c:",
            "file:///c:/a",
            "greeting://World",
            "db://caf%C3%A9/a",
            "note:///a",
        ],
    ),
    (
        UriFault::Port,
        &[
            "http://h:80/",
            "https://h:443/",
            "ws://h:80/",
            "wss://h:443/",
            "ftp://h:21/",
            "https://h:/",
            "https://h:0443/",
            "https://h:65536/",
            "https://h:x/",
            "https://h:+1/",
            "https://a:1:2/",
            "file://h:1/a",
            "note://a:b/c",
            "db://h:/a",
        ],
        &["http://h:443/", "https://h:80/", "https://h:8443/a", "db://h:5432/t", "https://h/a:80"],
    ),
    (
        UriFault::NoPath,
        &["https://h", "https://h?x", "https://h:8443", "file://", "file://server"],
        &["https://h/", "https://h/?x", "file:///", "note://h", "note://h?x", "note:"],
    ),
    (
        UriFault::DotSegment,
        &[
            "file:///a/../b",
            "file:///..",
            "file:///../",
            "file:///a/..",
            "file:///a/./b",
            "file:///.",
            "doc://public/../secret",
            "doc://..%3F/a",
            "mem:..",
            "mem:a/../b",
            "mem:/./a",
            "file:///a/%2e%2e/b",
            "file:///a/%2E%2E/b",
            "file:///a/.%2e/b",
            "file:///a/%2e./b",
            "file:///a/%2e/b",
            "file:///a/..;/b",
            "file:///a/..;x=1/b",
            "file:///a/..%3B/b",
            "file:///a/..%3fb/c",
            "file:///a/.%23",
            "file:///a/..%20/b",
            "file:///a/%EF%BC%8E%EF%BC%8E/b",
            "file:///a/.%ef%bc%8e/b",
            "file:///a/%E2%80%A5/b",
            "file:///a/%E2%80%A4%E2%80%A4/b",
            "file:///a/%EF%B9%92./b",
        ],
        &[
            "file:///a/.b",
            "file:///a/..b",
            "file:///a/b..",
            "file:///a/...",
            "file:///a/.../b",
            "file:///.git/config",
            "file:///a/b;..",
            "file:///a/..b;x",
            "file:///a/.%20b",
            "https://h/?../a",
            "https://h/a?b=c/../d",
            "note://..a/b",
            "file:///%E2%80%A6",
        ],
    ),
    (
        UriFault::EmptySegment,
        &[
            "file:///a//b",
            "file:////a",
            "file:////",
            "file:///a//",
            "https://h//a",
            "doc://public//a",
            "mem:a//b",
        ],
        &["file:///a/b/", "https://h/?u=https://x//y", "file:///a/"],
    ),
];

/// RFC 6570 templates, which a completion refers to.
const TEMPLATES: &[(&str, Result<(), UriFault>)] = &[
    ("file:///docs/{name}", Ok(())),
    ("greeting://{name}", Ok(())),
    ("db://{schema}/{table}/rows{?limit,offset}", Ok(())),
    ("https://{host}:{port}/{+path}", Ok(())),
    ("https://h{/path*}{?q}{&r}", Ok(())),
    ("file:///{dir}/{name:8}{.ext}", Ok(())),
    ("x://y/{user-id}{;a.b}", Ok(())),
    ("x://y/z{#part}", Ok(())),
    ("note:{id}", Ok(())),
    ("file:///docs/a%20b", Ok(())),
    ("file:///a/../{name}", Err(UriFault::DotSegment)),
    ("file:///{a}/%2e%2e/{b}", Err(UriFault::DotSegment)),
    ("file:///{a}//{b}", Err(UriFault::EmptySegment)),
    ("FILE:///{a}", Err(UriFault::SchemeCase)),
    ("file:///{a}%2F{b}", Err(UriFault::EncodedSeparator)),
    ("file:///%25{a}", Err(UriFault::DoubleEncoding)),
    ("file:///%{a}", Err(UriFault::Escape)),
    ("file:///%7Ba%7D", Err(UriFault::EncodedBrace)),
    ("file:///%7b{a}", Err(UriFault::EncodedBrace)),
    ("doc://{a}@public/b", Err(UriFault::UserInfo)),
    ("file:///{", Err(UriFault::Template)),
    ("file:///}{a}", Err(UriFault::Template)),
    ("file:///{a}}", Err(UriFault::Template)),
    ("file:///{}", Err(UriFault::Template)),
    ("file:///{{a}}", Err(UriFault::Template)),
    ("file:///{a b}", Err(UriFault::Template)),
    ("file:///{|a}", Err(UriFault::Template)),
    ("file:///{é}", Err(UriFault::Template)),
    ("file:///{a:x}", Err(UriFault::Template)),
    ("file:///{a,}", Err(UriFault::Template)),
    ("file:///é{a}", Err(UriFault::Character)),
];

#[test]
fn one_reading_or_a_rule_that_says_why_not() {
    let mut wrong = Vec::new();
    for (fault, refused, passing) in TABLE {
        assert!(!refused.is_empty() && !passing.is_empty(), "{fault}");
        let rows = refused.iter().map(|uri| (uri, Err(*fault)));
        for (uri, want) in rows.chain(passing.iter().map(|uri| (uri, Ok(())))) {
            let found = check(uri, Form::Uri);
            if found != want {
                wrong.push(format!("{uri:?}: {found:?}, not {want:?}"));
            }
            canonical(uri.as_bytes());
        }
    }
    for (template, want) in TEMPLATES {
        let found = check(template, Form::Template);
        if found != *want {
            wrong.push(format!("{template:?}: {found:?}, not {want:?}"));
        }
        canonical(template.as_bytes());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn its_length_is_bounded() {
    let of = |length: usize| format!("mem:{}", "x".repeat(length - 4));
    assert_eq!(check(&of(MAX_URI), Form::Uri), Ok(()));
    assert_eq!(check(&of(MAX_URI + 1), Form::Uri), Err(UriFault::TooLong));
    assert_eq!(check(&of(MAX_URI + 1), Form::Template), Err(UriFault::TooLong));
}

#[test]
fn every_slug_is_its_own() {
    let faults: BTreeSet<_> = TABLE.iter().map(|(fault, ..)| fault.slug()).collect();
    let of_templates = TEMPLATES.iter().filter_map(|(_, want)| want.err()).map(UriFault::slug);
    let slugs: BTreeSet<_> =
        faults.into_iter().chain(of_templates).chain([UriFault::TooLong.slug()]).collect();
    assert_eq!(slugs.len(), 19, "{slugs:?}");
    assert!(slugs.iter().all(|slug| slug.starts_with("uri_")));
}

/// The property can fail: what is not canonical reads differently.
#[test]
fn the_oracle_tells_two_readings() {
    for uri in
        ["https://h/a/../b", "https://H/", "https://h:443/", "file://localhost/a", "https://h"]
    {
        assert!(!parsers_agree(uri), "{uri}");
    }
    assert!(parsers_agree("https://h/a%20b?c"));
}

/// What URIs are made of, and what breaks them.
const PIECES: &[&str] = &[
    "http:",
    "https:",
    "file:",
    "ws:",
    "doc:",
    "n+1:",
    "//",
    "/",
    "/",
    "?",
    "#",
    "@",
    ":",
    ":80",
    ":443",
    ":8080",
    "[",
    "]",
    "::",
    "1",
    "0",
    "127",
    "0x",
    "a",
    "b.c",
    "localhost",
    "xn--",
    "X",
    "-",
    "_",
    "~",
    ".",
    "..",
    "...",
    ";",
    "&",
    "=",
    "'",
    "%",
    "%2e",
    "%2E",
    "%2F",
    "%5C",
    "%25",
    "%20",
    "%C3%A9",
    "%C3",
    "%3F",
    "%EF%BC%8E",
    "%7B",
    " ",
    "\\",
    "|",
    "^",
    "é",
    "\t",
    "{",
    "}",
    "{x}",
    "{/x}",
    "{?x}",
    "{#x}",
    "{+x}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn what_is_canonical_has_one_reading(
        start in prop::sample::select(&["", "http://", "https://h", "file://", "file:///", "doc://", "doc:"][..]),
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..7),
    ) {
        canonical(format!("{start}{}", pieces.concat()).as_bytes());
    }
}
