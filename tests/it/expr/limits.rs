//! The edges of every bound, and texts that want to be expensive.

use std::time::{Duration, Instant};

use mcpfw::policy::Captures;
use mcpfw::policy::expr::{Expr, Path, Truth, limits};
use serde_json::json;

use super::{World, parse};

fn messages(text: &str) -> Vec<String> {
    let problems = Expr::parse(text, &mut Captures::new()).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn every_bound_has_an_edge() {
    let nested = |n: usize| format!("{}true{}", "(".repeat(n), ")".repeat(n));
    let terms = |n: usize| vec!["has(claims.a)"; n].join(" && ");
    let choices = |n: usize| format!("{}true", "claims.a == 1 ? true : ".repeat(n));
    let path = |n: usize| format!("has(claims{})", ".a".repeat(n));
    let long = |n: usize| format!("claims.a == '{}'", "x".repeat(n - "claims.a == ''".len()));
    let equals = |n: usize| format!("true{}", " == true".repeat(n));
    for (fits, over, message) in [
        (
            long(limits::MAX_LENGTH),
            long(limits::MAX_LENGTH + 1),
            "an expression has at most 4096 bytes, this one 4097",
        ),
        (
            nested(limits::MAX_NESTING),
            nested(limits::MAX_NESTING + 1),
            "brackets nest at most 16 deep",
        ),
        // n terms have n points and n - 1 operators.
        (terms(128), terms(129), "an expression has at most 256 operators"),
        (choices(61), choices(65), "an expression has at most 64 of `? :`"),
        (choices(61), choices(64), "an expression nests at most 64 deep"),
        (path(limits::MAX_PATH), path(limits::MAX_PATH + 1), "a path has at most 16 members"),
        (
            equals(limits::MAX_DEPTH - 1),
            equals(limits::MAX_DEPTH),
            "an expression nests at most 64 deep",
        ),
        (
            "claims.a.all(x, x.all(y, y == 1))".into(),
            "claims.a.all(x, x.all(y, y.all(z, z == 1)))".into(),
            "`all` and `exists` nest at most 2 deep",
        ),
    ] {
        assert_eq!(messages(&fits), [""; 0], "{fits}");
        assert!(messages(&over).contains(&message.to_owned()), "{over}: {:?}", messages(&over));
    }
}

#[test]
fn the_arguments_of_a_policy_are_bounded() {
    let mut captures = Captures::new();
    for at in 0..Captures::MAX_SLOTS {
        Expr::parse(&format!("has(args.a{at})"), &mut captures).unwrap();
    }
    Path::parse("args.a5", &mut captures).expect("a path that is read already takes no place");
    let problems = Expr::parse("has(args.one_more)", &mut captures).unwrap_err();
    assert_eq!(problems[0].message, "the policies read more than 64 different arguments");
    assert_eq!(problems[0].span, 4..17);
}

#[test]
fn lists_are_read_to_their_bound() {
    let list = |n: usize| {
        let mut list = vec![json!("x"); n];
        list[n - 1] = json!("last");
        World::new(json!({}), json!({"list": list}))
    };
    for (text, within, beyond) in [
        ("'last' in args.list", Truth::True, Truth::Unknown),
        ("'x' in args.list", Truth::True, Truth::True),
        ("'y' in args.list", Truth::False, Truth::Unknown),
        ("args.list.exists(v, v == 'last')", Truth::True, Truth::Unknown),
        ("args.list.exists(v, v == 'x')", Truth::True, Truth::True),
        ("args.list.all(v, size(v) > 0)", Truth::True, Truth::Unknown),
        ("args.list.all(v, v == 'last')", Truth::False, Truth::False),
        ("args.list.all(v, v == 'x')", Truth::False, Truth::Unknown),
        ("size(args.list) > 1000", Truth::True, Truth::True),
    ] {
        let (expr, captures) = parse(text);
        let eval = |n| list(n).with_scope(&captures, |scope| expr.eval(scope));
        assert_eq!(eval(limits::MAX_LIST), within, "{text} within");
        assert_eq!(eval(limits::MAX_LIST + 1), beyond, "{text} beyond");
    }
}

/// Loops over long lists, in one another or over long texts, end after a bounded number of steps, unknown.
#[test]
fn loops_run_out_of_steps() {
    let args = json!({"a": vec!["x"; 1000], "b": vec!["y"; 1000], "text": "z".repeat(60_000), "deep": vec![vec![1; 30]; 1000]});
    let world = World::new(json!({}), args);
    for (text, truth) in [
        ("args.a.all(v, args.b.all(w, v != w))", Truth::Unknown),
        ("args.a.exists(v, args.b.exists(w, v == w))", Truth::Unknown),
        ("args.a.exists(v, args.text.contains(v))", Truth::Unknown),
        ("args.a.exists(v, args.text.matches('x{1,9}y'))", Truth::Unknown),
        ("args.a.exists(v, v in args.b)", Truth::Unknown),
        ("args.deep.all(v, args.deep == args.deep)", Truth::Unknown),
        ("args.a.exists(v, size(args.text) < 0)", Truth::Unknown),
        ("args.a.all(v, v == 'x' && !v.contains('y'))", Truth::True),
        ("args.a.exists(v, v.matches('^y'))", Truth::False),
        // A loop does not use up the steps of another.
        ("!args.a.exists(v, args.text.contains(v)) || args.a.all(v, v == 'x')", Truth::True),
    ] {
        let (expr, captures) = parse(text);
        world.with_scope(&captures, |scope| {
            let start = Instant::now();
            assert_eq!(expr.eval(scope), truth, "{text}");
            assert!(expr.possible(scope).contains(truth), "{text}");
            // A debug build on a busy machine; unbounded these take seconds to minutes.
            assert!(start.elapsed() < Duration::from_secs(2), "{text}: {:?}", start.elapsed());
        });
    }
}

/// Texts that make recursive or backtracking parsers overflow their stack or take forever.
#[test]
fn hostile_texts_are_read_in_bounded_time_and_stack() {
    let filled = |before: &str, unit: &str, after: &str| {
        let n = (limits::MAX_LENGTH - before.len() - after.len()) / unit.len();
        format!("{before}{}{after}", unit.repeat(n))
    };
    let around = |n: usize, before: &str, inner: &str, after: &str| {
        format!("{}{inner}{}", before.repeat(n), after.repeat(n))
    };
    let nest = limits::MAX_NESTING;
    let mut texts = vec![
        around(nest, "(", "true", ")"),
        around(nest, "[", "1", "]"),
        around(nest, "!(", "true", ")"),
        around(nest, "size(", "claims.a", ")"),
        around(nest, "{'a':", "1", "}"),
        around(nest, "a.b{c:", "1", "}"),
        around(nest, "claims.a.all(x,", "true", ")"),
        around(nest, "(true && false || true == !", "true", ")"),
        around(8, "(a.b{c:[", "1", "]})"),
        around(2000, "(", "true", ")"),
        format!("{}true", "claims.a ? claims.b : ".repeat(60)),
        format!("claims{}", ".a".repeat(250)),
        format!("claims{}", "['a']".repeat(250)),
        filled("claims", "[0]", ""),
        filled("1", "[0]", ""),
        format!("claims.a{}", ".size()".repeat(250)),
        format!("1{}", " < 1".repeat(255)),
        format!("1{}", " * 1".repeat(255)),
        format!("'a'{}", " + claims.b".repeat(100)),
        format!("true{}", " && true".repeat(255)),
        format!("{}{{}}", "a.".repeat(250)),
        "'".repeat(limits::MAX_LENGTH),
        "\u{202e}".repeat(limits::MAX_LENGTH / 3),
        "\0".repeat(100),
    ];
    for unit in [
        "(", ")", "()", "[]", "[", "!", "-", "a ", "'' ", ", ", ". ", "? ", "? : ", "\\", "\"\"\"",
        "r'", "//\n", "1.", "0x", "1e", "é", "in ", "&& ",
    ] {
        texts.push(filled("", unit, ""));
        texts.push(filled("claims.x in [1", unit, "]"));
    }
    for pattern in [
        "(a*)*b",
        "((a{1,30}){1,30}){1,30}",
        "(a|a|a)*{5}",
        "\\\\pL{1,1000}",
        "(?:(?:(?:(?:a?)*)*)*)*",
        "[^a]{500}{500}",
    ] {
        texts.push(format!("claims.x.matches('{pattern}')"));
    }
    texts.push(filled("claims.x.matches('", "(", "')"));
    texts.push(filled("claims.x.matches('", "a?", "')"));
    texts.push(filled("claims.x.matches('", "[a-z]", "')"));
    for text in texts {
        let start = Instant::now();
        let _ = Expr::parse(&text, &mut Captures::new());
        let short: String = text.chars().take(40).collect();
        assert!(start.elapsed() < Duration::from_secs(3), "{short}: {:?}", start.elapsed());
    }
}
