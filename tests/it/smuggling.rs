//! Ways to make the inspector and an upstream read two different requests (threats T1-T12), each beside a neighbour that
//! must pass. Every vector runs whole, byte by byte and cut at every place.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod vectors;

use std::sync::Arc;

use mcpfw::fuzz::envelope::{
    Outcome, Verdict, agrees_with_the_reader, compile, exchange, run, same_in,
};
use mcpfw::inspect::request::{Exchange, RequestLimits};
use mcpfw::policy::Policy;

/// What becomes of a body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expect {
    /// It goes upstream whole.
    Pass,
    /// The inspector refuses it; the upstream may have seen its beginning.
    Refused(&'static str),
    /// The inspector refuses it, and the upstream has seen nothing, however it was cut.
    Unseen(&'static str),
    /// Policy refuses it, and the upstream has seen nothing.
    Denied,
}

struct Vector {
    /// Number of the threat.
    threat: u8,
    expect: Expect,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// One tool for all, one for nobody, one by an argument's prefix.
const POLICY: &str = r#"
[[allow]]
name = "search"
tools = ["search", "größe"]

[[deny]]
name = "shell"
tools = ["shell"]

[[allow]]
name = "write"
tools = ["write_file"]
when = 'args.path.startsWith("/sandbox/")'

[[deny]]
name = "force"
tools = ["write_file"]
when = 'has(args.options) && args.options.force == true'

[[allow]]
name = "docs"
resources = ["doc://public/**"]
"#;

/// Every tool but one: names that only look different must not slip past the deny (T11).
const OPEN: &str = r#"
[[allow]]
name = "any"
tools = ["*"]

[[deny]]
name = "shell"
tools = ["shell", "rm_rf"]
"#;

/// Runs `vector` in every way to cut it, and returns how it ended whole.
fn check(policy: &Arc<Policy>, vector: &Vector) -> Outcome {
    let Vector { threat, expect, headers, body } = vector;
    let shown = format!("T{threat} {headers:?} {}", String::from_utf8_lossy(body));
    let pairs: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
    let Some(exchange) = exchange(&pairs) else { panic!("headers alone: {shown}") };
    let limits = RequestLimits::default();
    let whole = run(policy, &exchange, limits, [&body[..]]);
    let slug = whole.verdict.slug();
    match *expect {
        Expect::Pass => assert_eq!(slug, None, "{shown}"),
        Expect::Refused(expected) | Expect::Unseen(expected) => {
            assert!(matches!(whole.verdict, Verdict::Refused(_)), "{slug:?} {shown}");
            assert_eq!(slug, Some(expected), "{shown}");
        }
        Expect::Denied => {
            assert!(matches!(whole.verdict, Verdict::Denied(_)), "{slug:?} {shown}");
        }
    }
    agrees_with_the_reader(policy, &exchange, body, &whole);
    let see = |outcome: &Outcome| {
        if matches!(expect, Expect::Unseen(_) | Expect::Denied) {
            assert_eq!(outcome.left, b"", "{shown}");
        }
    };
    see(&whole);
    // Long bodies repeat themselves.
    for at in (1..body.len()).step_by(1 + body.len() / 100) {
        let (a, b) = body.split_at(at);
        see(&same_in(policy, &exchange, limits, (body, &whole), [a, b]));
    }
    see(&same_in(policy, &exchange, limits, (body, &whole), body.chunks(1)));
    whole
}

#[test]
fn two_readers_of_one_request() {
    let policy = compile(POLICY);
    let vectors = vectors::all();
    for vector in &vectors {
        check(&policy, vector);
    }
    assert!(vectors.len() >= 150, "{} vectors", vectors.len());
    for threat in 1..=12 {
        let of = |pass: bool| {
            let is_of = |v: &&Vector| v.threat == threat && (v.expect == Expect::Pass) == pass;
            vectors.iter().filter(is_of).count()
        };
        assert!(of(true) > 0 && of(false) > 0, "T{threat} has both");
    }
}

#[test]
fn a_name_that_looks_like_a_denied_one_is_denied() {
    let policy = compile(OPEN);
    for vector in vectors::names() {
        check(&policy, &vector);
    }
}

/// The offset of an evil member does not matter: it is found, and no whole message has left (T8).
#[test]
fn an_evil_key_at_every_4_kib() {
    const SIZE: usize = 256 << 10;
    let policy = compile(POLICY);
    let exchange: Exchange = exchange(&[]).unwrap();
    let head = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"},"a":""#;
    let evils = [
        (r#""method":"tools/call""#, "duplicate_key"),
        (r#""params":{"name":"shell"}"#, "duplicate_key"),
        (r#""p\u0061rams":{"name":"shell"}"#, "duplicate_key"),
        (r#""Params":{"name":"shell"}"#, "folded_key"),
        (r#""result":{}"#, "request_and_response"),
    ];
    for (round, at) in (4096..SIZE).step_by(4096).enumerate() {
        for (evil, slug) in [evils[round % 5], evils[(round + 2) % 5]] {
            let body = [
                head.as_bytes(),
                &vec![b'p'; at - head.len() - 2],
                b"\",",
                evil.as_bytes(),
                b",\"z\":\"",
                &vec![b'q'; SIZE - at],
                b"\"}",
            ]
            .concat();
            assert_eq!(&body[at..at + evil.len()], evil.as_bytes());
            let outcome = run(&policy, &exchange, RequestLimits::default(), body.chunks(4096));
            assert_eq!(outcome.verdict.slug(), Some(slug), "{evil} at {at}");
            assert_eq!(outcome.id.map(|id| id.as_raw().to_owned()).as_deref(), Some("7"));
            assert!(outcome.left.len() <= at + evil.len(), "nothing leaves from there on");
            assert!(!outcome.left.ends_with(b"}"), "the root is never closed");
            assert!(outcome.max_held < 2 * 4096, "it streams");
        }
    }
}
