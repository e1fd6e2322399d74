//! The interpreter of the `cel` crate is the oracle: where every path is present and well-typed, both agree.

use std::sync::Arc;

use cel::extractors::This;
use mcpfw::policy::expr::Truth;
use proptest::prelude::*;
use serde_json::json;

use super::{World, grammar, parse};

/// What the `cel` crate says of `program`, in the same world.
fn oracle(program: &cel::Program, world: &World) -> cel::Value {
    let mut context = cel::Context::default();
    let scopes: Vec<&str> = world.claims["scope"].as_str().unwrap().split(' ').collect();
    let variables = [
        ("claims", world.claims.clone()),
        ("args", world.args.clone()),
        (
            "client",
            json!({"kind": "jwt", "id": world.claims["sub"], "ip": world.ip, "scopes": scopes}),
        ),
        (
            "mcp",
            json!({"method": "tools/call", "kind": "tool", "target": "search", "revision": "2025-06-18", "is_retry": world.is_retry}),
        ),
        ("request", json!({"route": "files", "host": "mcp.example.com"})),
    ];
    for (name, value) in variables {
        context.add_variable_from_value(name, cel::to_value(value).unwrap());
    }
    // What CEL leaves to its host, or `cel` to a feature.
    let add = "declared once";
    context
        .add_function("matches", |This(text): This<Arc<String>>, pattern: Arc<String>| {
            regex::Regex::new(&pattern).unwrap().is_match(&text)
        })
        .expect(add);
    context.add_function("cidr", |net: Arc<String>| net).expect(add);
    context
        .add_function("containsIP", |This(net): This<Arc<String>>, ip: Arc<String>| {
            net.parse::<ipnet::IpNet>().unwrap().contains(&ip.parse::<std::net::IpAddr>().unwrap())
        })
        .expect(add);
    program.execute(&context).unwrap_or_else(|error| panic!("the oracle fails: {error}"))
}

proptest! {
    // An expression takes some ms to parse twice in a debug build, an evaluation microseconds: 150 × 14 cases.
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn agrees(text in grammar::condition(), worlds in prop::collection::vec(grammar::worlds(), 14)) {
        let (expr, captures) = parse(&text);
        let program = cel::Program::compile(&text).unwrap();
        for world in worlds {
            let ours = world.with_scope(&captures, |scope| expr.eval(scope));
            let theirs = match oracle(&program, &world) {
                cel::Value::Bool(truth) => Truth::from(truth),
                other => panic!("{text}: {other:?}"),
            };
            prop_assert_eq!(ours, theirs, "{} in {:?}", text, world);
        }
    }
}
