//! The announced endpoint of the 2024-11-05 transport: taken out of the first event, and nowhere else.

use mcpfw::fuzz::endpoint::{OURS, Outcome, rewrite, run, same_in};
use mcpfw::inspect::response::{EndpointError, EndpointWatch, resolve};
use proptest::prelude::*;

const LIMIT: usize = 200;

/// The outcome of `stream`, the same however it is cut.
fn outcome(watch: fn() -> EndpointWatch, stream: &str) -> Outcome {
    let bytes = stream.as_bytes();
    let whole = run(watch(), LIMIT, [bytes]);
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        same_in(watch(), LIMIT, &whole, [head, tail]);
    }
    for size in [1, 2, 3, 5] {
        same_in(watch(), LIMIT, &whole, bytes.chunks(size));
    }
    for choice in [0, 1, 2, 3] {
        rewrite(&[&[choice], bytes].concat());
    }
    whole
}

fn announcing() -> EndpointWatch {
    EndpointWatch::new(LIMIT)
}

#[test]
fn announcements_are_replaced() {
    let event = format!("event: endpoint\ndata: {OURS}\n\n");
    let after = "event: message\r\ndata: {\"a\":1}\r\n\r\n: ping\n\ndata: 2\n\n";
    let table = [
        "event: endpoint\ndata: /messages/?session_id=ab12\n\n",
        "event: endpoint\r\ndata: /messages/?session_id=ab12\r\n\r\n",
        "event: endpoint\rdata: /messages/?session_id=ab12\r\r",
        "event:endpoint\ndata:/messages/?session_id=ab12\n\n",
        "id: 1\nretry: 5\nevent: endpoint\n: x\ndata: /messages/?session_id=ab12\n\n",
        "event: endpoint\nid: 1\ndata: /messages/?session_id=ab12\nretry: 1\n\n",
    ];
    for text in table {
        for after in ["", after] {
            let outcome = outcome(announcing, &format!("{text}{after}"));
            assert_eq!(outcome.verdict, Ok(()), "{text:?}");
            assert_eq!(outcome.announced.as_deref(), Some("/messages/?session_id=ab12"));
            assert_eq!(
                String::from_utf8(outcome.out).unwrap(),
                format!("{event}{after}"),
                "{text:?}"
            );
        }
    }
    // What comes before it that is no event passes, and is not waited with.
    for before in
        [": hello\n", "\n\n", ": a\r\n: b\r\n", "retry: 3000\n\n", "\u{feff}", "\u{feff}: x\n\n"]
    {
        let outcome = outcome(announcing, &format!("{before}event: endpoint\ndata: /m\n\n{after}"));
        assert_eq!(String::from_utf8(outcome.out).unwrap(), format!("{before}{event}{after}"));
    }
}

#[test]
fn other_streams_pass_as_they_come() {
    for text in [
        "",
        ": ping\n\n: ping\n\n",
        "data: {}\n\ndata: {}\n\n",
        "event: message\ndata: {}\n\n",
        "event\ndata: {}\n\n",
        "event: endpoints\ndata: {}\n\n",
        "event: Endpoint\ndata: {}\n\n",
        "event:  endpoint\ndata: {}\n\n",
        "eventt: endpoint\ndata: {}\n\n",
        "data: event: endpoint\n\n",
        ": event: endpoint\ndata: /m\n\n",
        "id: 1\ndata:\n\nretry: 1\n\n",
        // Cut off before it is whole: no client hears of it.
        "id: 1\neve",
    ] {
        let outcome = outcome(announcing, text);
        assert_eq!((outcome.verdict, outcome.announced), (Ok(()), None), "{text:?}");
        assert_eq!(String::from_utf8(outcome.out).unwrap(), text);
    }
}

#[test]
fn endpoints_where_none_may_be() {
    use EndpointError::{Foreign, Malformed, TooLong, Unexpected};
    let first = "event: endpoint\ndata: /m\n\n";
    let long = "x".repeat(LIMIT);
    let table = [
        (first.repeat(2), Unexpected),
        (
            format!("{first}data: {{}}\n\nevent: endpoint\ndata: http://evil.example/\n\n"),
            Unexpected,
        ),
        (format!("{first}data: /m\nevent: endpoint\n\n"), Unexpected),
        (format!("data: 1\n\n{first}"), Unexpected),
        ("data: /m\nevent: endpoint\n\n".to_owned(), Unexpected),
        ("event: message\nevent: endpoint\ndata: /m\n\n".to_owned(), Unexpected),
        ("event: endpoint\nevent: message\ndata: {}\n\n".to_owned(), Malformed),
        ("event: endpoint\ndata: /a\ndata: /b\n\n".to_owned(), Malformed),
        ("event: endpoint\n\n".to_owned(), Malformed),
        ("event: endpoint\nx: y\ndata: /a\n\n".to_owned(), Malformed),
        ("event: endpoint\ndata:\n\n".to_owned(), Foreign),
        ("event: endpoint\ndata: http://evil.example/m\n\n".to_owned(), Foreign),
        (format!("event: endpoint\ndata: /{long}\n\n"), TooLong),
        (format!("id: {long}\nevent: endpoint\ndata: /m\n\n"), TooLong),
        (format!("id: {long}\n"), TooLong),
    ];
    for (text, error) in table {
        assert_eq!(outcome(announcing, &text).verdict, Err(error), "{text:?}");
    }
    for text in [first, "data: 1\n\nevent: endpoint\r\ndata: /m\n\n"] {
        let outcome = outcome(EndpointWatch::guard, text);
        assert_eq!(outcome.verdict, Err(Unexpected));
    }
    let message = "event: message\ndata: {}\n\n: ping\n\n";
    assert_eq!(outcome(EndpointWatch::guard, message).out, message.as_bytes());
}

#[test]
fn the_limit_is_inclusive() {
    let of = |length: usize| {
        let rest = "event: endpoint\ndata: /\n\n".len();
        format!("event: endpoint\ndata: /{}\n\n", "x".repeat(length - rest))
    };
    assert_eq!(outcome(announcing, &of(LIMIT)).verdict, Ok(()));
    assert_eq!(outcome(announcing, &of(LIMIT + 1)).verdict, Err(EndpointError::TooLong));
}

#[test]
fn endpoints_are_the_servers_own() {
    let stream = "http://10.0.0.5:9000/app/sse".parse().unwrap();
    for (uri, want) in [
        ("/messages/?session_id=ab12", Some("/messages/?session_id=ab12")),
        ("messages?sessionId=ab12", Some("/app/messages?sessionId=ab12")),
        ("?sessionId=ab12", Some("/app/sse?sessionId=ab12")),
        ("http://10.0.0.5:9000/m", Some("/m")),
        ("HTTP://10.0.0.5:9000/m?", Some("/m?")),
        ("//10.0.0.5:9000/m", Some("/m")),
        ("../m", Some("/m")),
        ("/a/../m", Some("/m")),
        ("/m?to=http://evil.example/", Some("/m?to=http://evil.example/")),
        ("http://evil.example/m", None),
        ("//evil.example/m", None),
        ("\\\\evil.example/m", None),
        ("/\\evil.example/m", None),
        ("http:\\\\evil.example/m", None),
        ("http:///evil.example/m", None),
        ("http://10.0.0.5/m", None),
        ("http://10.0.0.5:9001/m", None),
        ("http://10.0.0.5:9000@evil.example/m", None),
        ("http://user@10.0.0.5:9000/m", None),
        ("http://user:pass@10.0.0.5:9000/m", None),
        ("https://10.0.0.5:9000/m", None),
        ("ws://10.0.0.5:9000/m", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("/m#fragment", None),
        ("/m m", None),
        ("/m\tm", None),
        ("/größe", None),
        ("", None),
        ("http://[", None),
    ] {
        assert_eq!(resolve(&stream, uri).as_deref(), want, "{uri:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Names, values, marks and line ends meet in all ways.
    #[test]
    fn any_stream_holds(choice: u8, tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..40)) {
        rewrite(&[&[choice], tokens.concat().as_bytes()].concat());
    }
}

const TOKENS: &[&str] = &[
    "\n",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "event",
    "event: endpoint\n",
    "event: message\n",
    "data",
    "data: /m\n",
    ":",
    ": ",
    " ",
    "endpoint",
    "id",
    "id: 1\n",
    "retry: 1\n",
    "/m",
    "http://evil.example/",
    "x",
    "\u{feff}",
    "\0",
    "é",
];
