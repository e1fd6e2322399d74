//! Tests of: mirrored arguments. `Mcp-Param-*` and the arguments that they mirror are one thing, or the call goes nowhere (T9).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use mcpfw::fuzz::envelope::{Outcome, Verdict, compile, exchange, run_annotated};
use mcpfw::fuzz::header_base64::header_base64;
use mcpfw::inspect::annotation::{Annotated, Annotations};
use mcpfw::inspect::request::RequestLimits;
use mcpfw::lock::{Item, Json, List, Lock, Server};
use mcpfw::policy::Policy;
use mcpfw::wire::mcp::Revision;
use proptest::prelude::*;

use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{Upstream, Wire, json_reply, post};

const SCHEMA: &str = r#"{"type":"object","properties":{
    "region":{"type":"string","x-mcp-header":"Region"},
    "shard":{"type":"integer","x-mcp-header":"Shard"},
    "dry":{"type":"boolean","x-mcp-header":"Dry-Run"},
    "rate":{"type":"number","x-mcp-header":"Rate"},
    "to":{"type":"object","properties":{"tenant":{"type":"string","x-mcp-header":"Tenant"}}}}}"#;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A route whose lists told of tool `post`.
fn annotated() -> Arc<Annotated> {
    let annotated = Annotated::default();
    annotated.learn("post", Some(Annotations::of_schema(SCHEMA.as_bytes()).unwrap()));
    Arc::new(annotated)
}

const MODERN: [(&str, &str); 3] =
    [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "post")];

/// How `body` ends, whole and in every way to cut it.
fn verdict(policy: &Arc<Policy>, headers: &[(&str, &str)], body: &str) -> Outcome {
    let (annotated, exchange) = (annotated(), exchange(headers).unwrap());
    let limits = RequestLimits::default();
    let run =
        |chunks: Vec<&[u8]>| run_annotated(policy, &exchange, limits, Some(&annotated), chunks);
    let whole = run(vec![body.as_bytes()]);
    let cuts = (1..body.len()).map(|at| {
        let (a, b) = body.as_bytes().split_at(at);
        vec![a, b]
    });
    for chunks in cuts.chain([body.as_bytes().chunks(1).collect()]) {
        let cut = run(chunks);
        assert_eq!(cut.verdict, whole.verdict, "{body}");
        assert_eq!(cut.id, whole.id, "{body}");
        let complete = serde_json::from_slice::<serde_json::Value>(&cut.left).is_ok();
        assert_eq!(complete, cut.verdict == Verdict::Passed, "{body}");
    }
    whole
}

/// The slug of a modern call of `post` with `arguments` beside `params`.
fn modern(params: &[(&str, &str)], arguments: &str) -> Option<&'static str> {
    let headers: Vec<_> = MODERN.iter().chain(params).copied().collect();
    let policy = compile(OPEN);
    let bodies = [
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"post","arguments":{arguments},{META}}}}}"#
        ),
        // Everything that decides stands behind the arguments.
        format!(
            r#"{{"params":{{"arguments":{arguments},{META},"name":"post"}},"method":"tools/call","jsonrpc":"2.0","id":1}}"#
        ),
    ];
    let [ahead, behind] = bodies.map(|body| {
        let outcome = verdict(&policy, &headers, &body);
        assert_eq!(outcome.id.unwrap().as_raw(), "1");
        outcome.verdict.slug()
    });
    assert_eq!(ahead, behind, "{params:?} {arguments}");
    ahead
}

const DIFFERS: Option<&str> = Some("header_mismatch");
const MISSING: Option<&str> = Some("header_missing");
const MALFORMED: Option<&str> = Some("header_malformed");

#[test]
fn strings() {
    let cases = [
        (Some("eu"), r#""eu""#, None),
        (Some(" eu\t"), r#""eu""#, None),
        (Some("eu"), r#""\u0065u""#, None),
        (Some("=?base64?ZXU=?="), r#""eu""#, None),
        (Some("=?base64?Z3LDtsOfZQ==?="), r#""größe""#, None),
        (Some("=?base64??="), r#""""#, None),
        (Some(""), r#""""#, None),
        (Some("a\tb"), r#""a\tb""#, None),
        (Some("12"), r#""12""#, None),
        (Some("true"), r#""true""#, None),
        (None, "null", None),
        (Some("EU"), r#""eu""#, DIFFERS),
        (Some("eu"), r#""eu1""#, DIFFERS),
        (Some("eu1"), r#""eu""#, DIFFERS),
        (Some("eu"), r#"" eu""#, DIFFERS),
        (Some(""), r#""eu""#, DIFFERS),
        (Some("eu"), r#""""#, DIFFERS),
        (Some("%65u"), r#""eu""#, DIFFERS),
        (Some("=?BASE64?ZXU=?="), r#""eu""#, DIFFERS),
        (Some("=?base64?ZXU="), r#""eu""#, DIFFERS),
        (Some("=?base64?PT9iYXNlNjQ/WlhVPT89?="), r#""eu""#, DIFFERS),
        (Some("eu"), "null", DIFFERS),
        (Some("12"), "12", DIFFERS),
        (Some("true"), "true", DIFFERS),
        (Some("eu"), r#"["eu"]"#, DIFFERS),
        (Some("eu"), r#"{"eu":"eu"}"#, DIFFERS),
        (None, r#""eu""#, MISSING),
        (None, r#""""#, MISSING),
        (None, "[]", MISSING),
        (Some("=?base64?ZXU?="), r#""eu""#, MALFORMED),
        (Some("=?base64?ZXV=?="), r#""eu""#, MALFORMED),
        (Some("=?base64?/w==?="), r#""eu""#, MALFORMED),
        (Some("=?base64?="), r#""eu""#, MALFORMED),
        (Some("größe"), r#""größe""#, MALFORMED),
    ];
    for (header, value, expected) in cases {
        let params: Vec<_> = header.map(|value| ("mcp-param-region", value)).into_iter().collect();
        let found = modern(&params, &format!(r#"{{"region":{value}}}"#));
        assert_eq!(found, expected, "{header:?} {value}");
        // And deeper, among others.
        let params: Vec<_> = header.map(|value| ("mcp-param-tenant", value)).into_iter().collect();
        let found = modern(&params, &format!(r#"{{"x":[1],"to":{{"y":{{}},"tenant":{value}}}}}"#));
        assert_eq!(found, expected, "{header:?} {value}");
    }
}

#[test]
fn numbers_and_booleans() {
    let cases = [
        ("shard", "mcp-param-shard", Some("12"), "12", None),
        ("shard", "mcp-param-shard", Some("12.0"), "12", None),
        ("shard", "mcp-param-shard", Some("12"), "12.00", None),
        ("shard", "mcp-param-shard", Some("12"), "1.2e1", None),
        ("shard", "mcp-param-shard", Some("-12"), "-12", None),
        ("shard", "mcp-param-shard", Some("0012"), "12", None),
        ("shard", "mcp-param-shard", Some("0"), "-0", None),
        ("shard", "mcp-param-shard", Some("=?base64?MTI=?="), "12", None),
        ("shard", "mcp-param-shard", Some("9007199254740993"), "9007199254740993", None),
        ("shard", "mcp-param-shard", Some("9007199254740993"), "9007199254740992", DIFFERS),
        ("shard", "mcp-param-shard", Some("12.000000000000000001"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some("13"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some("0x0C"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some("1.2e1"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some("+12"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some("12."), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some(".5"), "0.5", DIFFERS),
        ("shard", "mcp-param-shard", Some("1 2"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some("١٢"), "12", MALFORMED),
        ("shard", "mcp-param-shard", Some("--12"), "12", DIFFERS),
        ("shard", "mcp-param-shard", Some(""), "0", DIFFERS),
        ("shard", "mcp-param-shard", Some("12"), r#""12""#, DIFFERS),
        ("shard", "mcp-param-shard", Some("12"), "null", DIFFERS),
        ("shard", "mcp-param-shard", Some("1"), "true", DIFFERS),
        ("shard", "mcp-param-shard", None, "12", MISSING),
        ("shard", "mcp-param-shard", None, "null", None),
        ("rate", "mcp-param-rate", Some("0.10"), "0.1", None),
        ("rate", "mcp-param-rate", Some("0.1"), "0.10000000000000001", DIFFERS),
        // Not a type of the specification: nobody need mirror it.
        ("rate", "mcp-param-rate", None, "0.1", None),
        ("dry", "mcp-param-dry-run", Some("true"), "true", None),
        ("dry", "mcp-param-dry-run", Some("false"), "false", None),
        ("dry", "mcp-param-dry-run", Some("true"), "false", DIFFERS),
        ("dry", "mcp-param-dry-run", Some("True"), "true", DIFFERS),
        ("dry", "mcp-param-dry-run", Some("1"), "true", DIFFERS),
        ("dry", "mcp-param-dry-run", Some("1"), "1", DIFFERS),
        ("dry", "mcp-param-dry-run", Some("true"), r#""true""#, DIFFERS),
        ("dry", "mcp-param-dry-run", Some("false"), "null", DIFFERS),
        ("dry", "mcp-param-dry-run", None, "false", MISSING),
    ];
    for (member, name, header, value, expected) in cases {
        let params: Vec<_> = header.map(|value| (name, value)).into_iter().collect();
        let found = modern(&params, &format!(r#"{{"{member}":{value}}}"#));
        assert_eq!(found, expected, "{member} {header:?} {value}");
    }
}

#[test]
fn what_is_absent_is_not_mirrored() {
    for arguments in
        ["{}", r#"{"x":"eu"}"#, r#"{"x":{"region":"eu"}}"#, r#"{"to":{"region":"eu"}}"#]
    {
        assert_eq!(modern(&[], arguments), None, "{arguments}");
        assert_eq!(modern(&[("mcp-param-region", "eu")], arguments), DIFFERS, "{arguments}");
        // Nobody knows what this mirrors, if anything: it is not ours to judge.
        assert_eq!(modern(&[("mcp-param-other", "=?base64?!?=")], arguments), None);
    }
    for arguments in
        [r#"{"to":"t"}"#, r#"{"to":["t"]}"#, r#"{"to":{"tenant":null}}"#, r#"{"to":null}"#]
    {
        assert_eq!(modern(&[], arguments), None, "{arguments}");
        assert_eq!(modern(&[("mcp-param-tenant", "t")], arguments), DIFFERS, "{arguments}");
    }
    let none = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"post",{META}}}}}"#
    );
    let policy = compile(OPEN);
    assert_eq!(verdict(&policy, &MODERN, &none).verdict, Verdict::Passed);
    let headers: Vec<_> = MODERN.iter().chain(&[("mcp-param-shard", "1")]).copied().collect();
    assert_eq!(verdict(&policy, &headers, &none).verdict.slug(), DIFFERS);
}

/// What a parser could take for a mirrored argument is none (T2).
#[test]
fn names_that_fold_to_a_mirrored_one() {
    let region = [("mcp-param-region", "eu")];
    for evil in [
        r#""Region":"us""#,
        r#""region\u0000":"us""#,
        r#""re\u200bgion":1"#,
        r#""__proto__":{"region":"us"}"#,
    ] {
        assert_eq!(
            modern(&region, &format!(r#"{{"region":"eu",{evil}}}"#)),
            Some("folded_key"),
            "{evil}"
        );
        assert_eq!(modern(&[], &format!("{{{evil}}}")), Some("folded_key"), "{evil}");
    }
    assert_eq!(modern(&region, r#"{"region":"eu","x":{"Region":"us"}}"#), None);
    let twice: Vec<_> = MODERN.iter().chain(&[region[0], region[0]]).copied().collect();
    assert!(exchange(&twice).is_none(), "twice, even the same");
}

/// The rules see what they always saw, whatever is mirrored beside it, above it and inside of it.
#[test]
fn rules_and_headers_look_at_the_same_arguments() {
    let policy = compile(
        r#"
[[allow]]
name = "own"
tools = ["post"]
when = 'args.region == "eu" && args.to.tenant == "t" && args.to.list.exists(x, x == "y") && args.shard < 20'

[[deny]]
name = "whole"
tools = ["post"]
when = 'has(args.to) && size(args.to) > 3'
"#,
    );
    let headers: Vec<_> = MODERN
        .iter()
        .chain(&[("mcp-param-region", "eu"), ("mcp-param-tenant", "t"), ("mcp-param-shard", "12")])
        .copied()
        .collect();
    let slug = |arguments: &str| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"post","arguments":{arguments},{META}}}}}"#
        );
        verdict(&policy, &headers, &body).verdict.slug()
    };
    let good = r#"{"region":"eu","shard":12,"to":{"list":["x","y"],"tenant":"t"}}"#;
    assert_eq!(slug(good), None);
    assert_eq!(slug(&good.replace("\"y\"", "\"z\"")), Some("default_deny"));
    assert_eq!(slug(&good.replace("\"t\"", "\"t\",\"a\":1,\"b\":{\"tenant\":3}")), Some("denied"));
    assert_eq!(slug(&good.replace("\"t\"", "\"u\"")), DIFFERS);
    assert_eq!(slug(&good.replace("12", "13")), DIFFERS);
    assert_eq!(slug(&good.replace("eu", "us")), DIFFERS);
}

#[test]
fn legacy_requests_need_no_headers_and_may_not_contradict_them() {
    let policy = compile(OPEN);
    let call = |arguments: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"post","arguments":{arguments}}}}}"#
        )
    };
    let eu = ("mcp-param-region", "eu");
    let slug =
        |headers: &[(&str, &str)], body: &str| verdict(&policy, headers, body).verdict.slug();
    let (same, other) = (call(r#"{"region":"eu","shard":1}"#), call(r#"{"region":"us"}"#));
    for named in [vec![], vec![("mcp-name", "post")], vec![("mcp-protocol-version", "2025-06-18")]]
    {
        let with = |extra: &[(&'static str, &'static str)]| [&named[..], extra].concat();
        assert_eq!(slug(&with(&[]), &same), None);
        assert_eq!(slug(&with(&[eu]), &same), None);
        assert_eq!(slug(&with(&[eu]), &other), DIFFERS);
        assert_eq!(slug(&with(&[eu]), &call("{}")), DIFFERS);
    }
    let error = verdict(&policy, &[eu], &other).verdict;
    let code = match error {
        Verdict::Refused(violation) => violation.code(),
        _ => 0,
    };
    assert_eq!(code, -32600, "-32020 is not theirs");
    // Where the name comes too late to compare, what cannot be compared is not believed.
    let late = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"region":"eu"},"name":"post"}}"#;
    assert_eq!(slug(&[eu], late), DIFFERS);
    assert_eq!(slug(&[eu, ("mcp-name", "post")], late), None);
    assert_eq!(slug(&[("mcp-param-other", "eu")], late), None);
    assert_eq!(slug(&[], late), None);
    // Other tools, and what is no tool.
    assert_eq!(slug(&[eu], &other.replace("post", "get")), None);
    let prompt = other.replace("tools/call", "prompts/get");
    assert_eq!(slug(&[eu, ("mcp-name", "post")], &prompt), None);
    // Beside a batch every header is a contradiction.
    let annotated = annotated();
    let exchange = exchange(&[("mcp-param-other", "1")]).unwrap();
    let batch = format!("[{same}]");
    let outcome = run_annotated(
        &policy,
        &exchange,
        RequestLimits::default(),
        Some(&annotated),
        [batch.as_bytes()],
    );
    assert_eq!(outcome.verdict.slug(), DIFFERS);
}

/// A contradiction behind a long value: the body had begun to go up, and never becomes complete (T8).
#[test]
fn a_late_contradiction_cuts_the_body_off() {
    let policy = compile(OPEN);
    let body = |region: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"post","arguments":{{"blob":"{}","region":"{region}"}},{META}}}}}"#,
            "b".repeat(200_000)
        )
    };
    let headers: Vec<_> = MODERN.iter().chain(&[("mcp-param-region", "eu")]).copied().collect();
    let (annotated, exchange) = (annotated(), exchange(&headers).unwrap());
    let run = |body: &str| {
        let chunks = body.as_bytes().chunks(4096);
        run_annotated(&policy, &exchange, RequestLimits::default(), Some(&annotated), chunks)
    };
    let good = run(&body("eu"));
    assert_eq!(good.verdict, Verdict::Passed);
    assert!(good.max_held <= 2 * 4096, "nothing is held for it");
    let bad = run(&body("us"));
    assert_eq!(bad.verdict.slug(), DIFFERS);
    assert!(bad.left.len() > 150_000, "it streamed");
    assert!(!bad.left.ends_with(b"}"));
}

/// What a list says counts from then on, for whoever calls.
#[tokio::test]
async fn annotations_are_learnt_from_lists() {
    let tools = |schema: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{{"inputSchema":{schema},"name":"post"}},{{"name":"get","inputSchema":{{}}}}]}}}}"#
        )
    };
    let listed = |version: &str| {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        post(&format!("MCP-Protocol-Version: {version}\r\n"), body)
    };
    let body = |region: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{{"name":"post","arguments":{{"region":{region}}},{META}}}}}"#
        )
    };
    let call = |region: &str, more: &str| {
        let headers =
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: post\r\n";
        post(&format!("{headers}{more}"), &body(region))
    };
    for policy in [OPEN, "[[allow]]\nname = \"post\"\ntools = [\"post\"]\n"] {
        let reply = tools(SCHEMA);
        let mut upstream = Upstream::start().await.answering(json_reply(&reply));
        let gateway = Setup::new(policy, upstream.address).start();
        let mut client = Wire::connect(gateway.address).await;
        // Not known yet: the server checks it.
        client.send(call("\"eu\"", "Mcp-Param-Region: us\r\n")).await;
        assert_eq!(client.reply().await.status(), 200);
        client.send(listed("2025-06-18")).await;
        assert_eq!(client.reply().await.status(), 200);
        assert_eq!(upstream.unseen().len(), 2);
        for (region, more, reason) in [
            ("\"eu\"", "Mcp-Param-Region: us\r\n", "header_mismatch"),
            ("\"eu\"", "", "header_missing"),
            ("null", "Mcp-Param-Region: eu\r\n", "header_mismatch"),
            ("\"eu\"", "Mcp-Param-Region: eu\r\nMcp-Param-Region: eu\r\n", "header_repeated"),
            ("\"eu\"", "Mcp-Param-Region: =?base64?ZXU?=\r\n", "header_malformed"),
        ] {
            client.send(call(region, more)).await;
            let reply = client.reply().await;
            let error = reply.json();
            assert_eq!(reply.status(), 400, "{error}");
            assert_eq!(error["error"]["code"], -32020);
            assert_eq!(error["error"]["data"]["reason"], reason);
            assert_eq!(error["id"], "c");
        }
        assert_eq!(upstream.unseen().len(), 0);
        let more = "Mcp-Param-Region: =?base64?ZXU=?=\r\nMcp-Param-Other: =?base64?!?=\r\n";
        client.send(call("\"eu\"", more)).await;
        assert_eq!(client.reply().await.status(), 200);
        let sent = upstream.request().await;
        assert_eq!(sent.text(), body("\"eu\""));
        assert_eq!(sent.header("mcp-param-region"), Some("=?base64?ZXU=?="));
        assert_eq!(sent.header("mcp-param-other"), Some("=?base64?!?="));
    }
}

proptest! {
    #[test]
    fn a_header_that_passes_says_what_the_argument_says(
        choice in any::<u8>(),
        header in prop_oneof![
            "[ -~\t]{0,12}", "-?[0-9]{1,20}(\\.[0-9]{1,3})?", "=\\?base64\\?[A-Za-z0-9+/]{0,8}={0,2}\\?=", "true|false", ".{0,6}",
        ],
        argument in prop_oneof![
            "\"[ -!#-\\[\\]-~]{0,12}\"", "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?(e-?[0-9]{1,2})?", "true|false|null", ".{0,12}",
        ],
        same in any::<bool>(),
    ) {
        let argument = match (same, choice & 3) {
            (true, 0) => serde_json::to_string(&header).unwrap(),
            (true, _) => header.clone(),
            (false, _) => argument,
        };
        header_base64(&[&[choice], header.as_bytes(), b"\n", argument.as_bytes()].concat());
    }
}

/// What the lock file has of a tool is compared from the first call on.
#[tokio::test]
async fn the_lock_file_tells_before_any_list_does() {
    let mut lock = Lock::new(Server::default(), Revision::V2026_07_28);
    let tool = format!(r#"{{"name":"post","inputSchema":{SCHEMA}}}"#);
    let json = Json::parse(tool.as_bytes(), 0).unwrap();
    assert!(lock.add(Item::new(List::Tools, json).unwrap()));
    let mut upstream = Upstream::start().await.answering(json_reply("{}"));
    let gateway = Setup::new(OPEN, upstream.address).lock(lock).start();
    let mut client = Wire::connect(gateway.address).await;
    for (shard, status) in [("12", 200), ("13", 400)] {
        let headers = format!(
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: post\r\nMcp-Param-Shard: {shard}\r\n"
        );
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"post","arguments":{{"shard":12}},{META}}}}}"#
        );
        client.send(post(&headers, &body)).await;
        assert_eq!(client.reply().await.status(), status, "{shard}");
    }
    assert_eq!(upstream.unseen().len(), 1);
}
