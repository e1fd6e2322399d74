//! Random expressions of the language, well-typed over the worlds of [`worlds`].

use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::World;

/// Strings that are often equal, prefixes and parts of one another.
const TEXTS: &[&str] = &["", "a", "ab", "b", "ba", "é", "aé", "/a/", "/a/b"];

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn text_leaf() -> BoxedStrategy<String> {
    let variables: &'static [&str] = &[
        "claims.s",
        "claims.t",
        "claims.m.s",
        "claims[\"x.y\"]",
        "args.s",
        "args.t",
        "args.m.s",
        "client.id",
        "mcp.method",
        "mcp.target",
        "request.route",
    ];
    prop_oneof![select(variables).prop_map(str::to_owned), select(TEXTS).prop_map(quoted)].boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => text_leaf(),
        1 => prop::collection::vec(text_leaf(), 2..4).prop_map(|parts| format!("({})", parts.join(" + "))),
        1 => (comparison(), text_leaf(), text_leaf()).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
    ]
    .boxed()
}

fn number() -> BoxedStrategy<String> {
    let variables: &'static [&str] = &["claims.n", "claims.m.n", "args.n", "args.o"];
    let literals: &'static [&str] =
        &["0", "1", "2", "-1", "1.0", "1.5", "2.5", "-0.5", "1e1", "0x2", "2u"];
    prop_oneof![
        3 => select(variables).prop_map(str::to_owned),
        2 => select(literals).prop_map(str::to_owned),
        1 => text_leaf().prop_map(|text| format!("size({text})")),
        1 => select(&["claims.ls", "args.ls", "args.ln", "client.scopes"][..]).prop_map(|list| format!("{list}.size()")),
    ]
    .boxed()
}

fn text_list() -> BoxedStrategy<String> {
    prop_oneof![
        select(&["claims.ls", "args.ls", "client.scopes"][..]).prop_map(str::to_owned),
        prop::collection::vec(select(TEXTS).prop_map(quoted), 0..4)
            .prop_map(|items| format!("[{}]", items.join(", "))),
        prop::collection::vec(text_leaf(), 1..3)
            .prop_map(|items| format!("[{}]", items.join(", "))),
    ]
    .boxed()
}

fn number_list() -> BoxedStrategy<String> {
    prop_oneof![
        select(&["claims.ln", "args.ln"][..]).prop_map(str::to_owned),
        prop::collection::vec(number(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
    ]
    .boxed()
}

fn comparison() -> BoxedStrategy<String> {
    let orders = select(&["==", "!=", "<", "<=", ">", ">="][..]);
    let equals = select(&["==", "!="][..]);
    prop_oneof![
        (number(), orders.clone(), number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text_leaf(), orders, text_leaf()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text_list(), equals, text_list()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
    ]
    .boxed()
}

fn atom() -> BoxedStrategy<String> {
    let whole: &'static [&str] = &[
        "claims.m == args.m",
        "claims.ls != args.ls",
        "args.ln == [args.n, 1.5]",
        "claims.b == args.b",
        "args.b != mcp.is_retry",
        "args.s == null",
        "null != claims.m",
        "(args.b ? args.s : args.t) == null",
        "[args.s, claims.s].exists(v, v in args.ls)",
        "args.s in [claims.s, args.t + \"b\", args.b ? \"a\" : args.m.s]",
        "size([args.s, args.t]) == 2",
        "client.ip == args.ip",
    ];
    let patterns: &'static [&str] = &["^a", "b$", "^(a|b)*$", "é", "", "^/a/[a-z]+$", "x"];
    let nets: &'static [&str] =
        &["10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/16", "0.0.0.0/0", "2001:db8::/32"];
    let loops: &'static [&str] = &["all", "exists"];
    let has: &'static [&str] = &[
        "claims.s",
        "claims.absent",
        "claims.m.s",
        "claims.m.absent",
        "args.s",
        "args.absent",
        "args.m.absent",
        "client.id",
        "mcp.target",
    ];
    prop_oneof![
        3 => select(whole).prop_map(str::to_owned),
        6 => comparison(),
        2 => (text(), select(&["==", "<", ">="][..]), text()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (text(), text_list()).prop_map(|(a, list)| format!("{a} in {list}")),
        1 => (number(), number_list()).prop_map(|(a, list)| format!("{a} in {list}")),
        1 => select(TEXTS).prop_map(|name| format!("\"{name}\" in claims.m")),
        4 => (text(), select(&["startsWith", "endsWith", "contains"][..]), text())
            .prop_map(|(a, name, b)| format!("{a}.{name}({b})")),
        1 => (text(), select(patterns)).prop_map(|(a, pattern)| format!("{a}.matches(\"{pattern}\")")),
        1 => (select(nets), select(&["client.ip", "claims.ip", "args.ip"][..]))
            .prop_map(|(net, ip)| format!("cidr(\"{net}\").containsIP({ip})")),
        2 => select(has).prop_map(|path| format!("has({path})")),
        2 => select(&["claims.b", "args.b", "mcp.is_retry", "true", "false"][..]).prop_map(str::to_owned),
        2 => (text_list(), select(loops), select(&["==", "!=", "<"][..]), text_leaf())
            .prop_map(|(list, name, op, text)| format!("{list}.{name}(v, v {op} {text})")),
        1 => (text_list(), select(loops), text_list(), select(loops))
            .prop_map(|(outer, a, inner, b)| format!("{outer}.{a}(v, {inner}.{b}(w, w.startsWith(v)))")),
        1 => (number_list(), select(loops), number())
            .prop_map(|(list, name, n)| format!("{list}.{name}(v, v > {n} || v in claims.ln)")),
    ]
    .boxed()
}

/// A condition: atoms under up to three levels of logic.
pub(super) fn condition() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|terms| format!("({})", terms.join(" && "))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|terms| format!("({})", terms.join(" || "))),
            inner.clone().prop_map(|term| format!("!({term})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("(({a}) == ({b}))")),
        ]
    })
}

fn any_text() -> impl Strategy<Value = Json> {
    select(TEXTS).prop_map(|text| json!(text))
}

fn any_number() -> impl Strategy<Value = Json> {
    select(&[0.0, 1.0, 2.0, -1.0, 1.5, 2.5, -0.5, 10.0][..]).prop_map(|number: f64| match number {
        // Integers as such: the oracle tells them from doubles where it prints, not where it compares.
        number if number.fract() == 0.0 => json!(number.to_string().parse::<i64>().unwrap()),
        number => json!(number),
    })
}

fn any_ip() -> impl Strategy<Value = Json> {
    select(&["10.1.2.3", "10.2.0.1", "192.168.0.1", "2001:db8::1", "172.16.0.1"][..])
        .prop_map(|ip| json!(ip))
}

prop_compose! {
    /// An object that has every path that the grammar names.
    fn object()(
        s in any_text(), t in any_text(), ms in any_text(), xy in any_text(), ls in prop::collection::vec(any_text(), 0..4),
        ln in prop::collection::vec(any_number(), 0..4), n in any_number(), o in any_number(), mn in any_number(), b: bool, ip in any_ip(),
    ) -> Json {
        json!({"s": s, "t": t, "m": {"s": ms, "n": mn, "a": 1}, "x.y": xy, "ls": ls, "ln": ln, "n": n, "o": o, "b": b, "ip": ip})
    }
}

prop_compose! {
    /// Worlds in which every path is present and of the type that the grammar takes it for.
    pub(super) fn worlds()(mut claims in object(), args in object(), ip in any_ip(), is_retry: bool) -> World {
        claims["sub"] = claims["t"].clone();
        claims["scope"] = json!("a ab");
        let ip: IpAddr = ip.as_str().unwrap().parse().unwrap();
        World { ip, is_retry, ..World::new(claims, args) }
    }
}

/// Anything at all where the grammar expects something.
fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        any_text(),
        any_number(),
        any_ip(),
        any::<bool>().prop_map(|b| json!(b)),
        Just(Json::Null),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map(select(&["s", "n", "a"][..]), inner, 0..3).prop_map(
                |members| members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            ),
        ]
    })
}

prop_compose! {
    /// Arguments of which any may be missing, too large, or of another type.
    pub(super) fn wild_args()(
        mut args in object(), changed in prop::collection::btree_map(select(&["s", "t", "m", "ls", "ln", "n", "o", "b", "ip"][..]), prop::option::of(anything()), 0..6),
        too_large in select(&[&[] as &[&str], &["s"], &["ls", "n"], &["m", "b"]][..]),
    ) -> (Json, &'static [&'static str]) {
        for (name, value) in changed {
            match (value, args.as_object_mut().unwrap()) {
                (Some(value), members) => { members.insert(name.to_owned(), value); }
                (None, members) => { members.remove(name); }
            }
        }
        (args, too_large)
    }
}
