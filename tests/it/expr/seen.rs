//! What `explain` is told of the conditions.

use super::{World, parse};

fn seen(text: &str) -> Vec<String> {
    let (expr, captures) = parse(text);
    let seen = World::usual().with_scope(&captures, |scope| expr.conditions(scope));
    seen.iter()
        .map(|seen| format!("{} | {} | {}", &text[seen.span.clone()], seen.value, seen.truth))
        .collect()
}

#[test]
fn every_atom_is_told_once_in_order() {
    for (text, told) in [
        (
            "claims.plan == \"free\"",
            &["claims.plan == \"free\" | claims.plan = \"free\" | true"][..],
        ),
        (
            "claims.plan == 'pro' && (args.absent == 1 || !has(args.huge))",
            &[
                "claims.plan == 'pro' | claims.plan = \"free\" | false",
                "args.absent == 1 | args.absent is absent | unknown",
                "has(args.huge) | args.huge is too large | true",
            ],
        ),
        (
            "args.path.startsWith('/x/' + claims.sub + '/')",
            &[
                "args.path.startsWith('/x/' + claims.sub + '/') | args.path = \"/sandbox/u1/a.txt\", claims.sub = \"u1\" | false",
            ],
        ),
        (
            "claims.roles.exists(r, r == claims.plan || r == args.query)",
            &[
                "claims.roles.exists(r, r == claims.plan || r == args.query) | claims.roles = [\"dev\", \"ops\"], claims.plan = \"free\", args.query = \"rust\" | false",
            ],
        ),
        (
            "claims.admin ? claims.level > 2 : claims.level == claims.level",
            &[
                "claims.admin | claims.admin = true | true",
                "claims.level > 2 | claims.level = 3 | true",
                "claims.level == claims.level | claims.level = 3 | true",
            ],
        ),
        ("'plan' in claims", &["'plan' in claims | claims[\"plan\"] = \"free\" | true"]),
        ("client.ip == '10.1.2.3'", &["client.ip == '10.1.2.3' | client.ip = \"10.1.2.3\" | true"]),
        (
            "args.where == claims.org",
            &[
                "args.where == claims.org | args.where = {\"city\": \"Graz\", \"zip\": null}, claims.org = {\"id\": \"acme\", \"tags\": {\"eu\": true}} | false",
            ],
        ),
        ("1 == 1", &["1 == 1 |  | true"]),
        ("true", &[]),
    ] {
        assert_eq!(seen(text), told, "{text}");
    }
}

#[test]
fn values_are_bounded_and_nothing_in_them_is_hidden() {
    let (expr, captures) = parse("args.long == 'x' || args.evil == 'x' || args.list == []");
    let args = serde_json::json!({
        "long": "ö".repeat(100_000), "evil": "a\u{1b}[2J\n\u{202e}\"b\u{200b}", "list": vec!["x".repeat(50); 1000],
    });
    let world = World::new(serde_json::json!({}), args);
    let seen = world.with_scope(&captures, |scope| expr.conditions(scope));
    let values: Vec<&str> = seen.iter().map(|seen| seen.value.as_str()).collect();
    assert_eq!(values[0], format!("args.long = \"{}…", "ö".repeat(79)));
    assert_eq!(values[1], "args.evil = \"a\\u{1b}[2J\\n\\u{202e}\\\"b\\u{200b}\"");
    let x = "x".repeat(50);
    assert_eq!(values[2], format!("args.list = [\"{x}\", \"{}…", &x[..24]));
}
