//! Tests of the readers: what is expected, what is reported, and where.

use std::time::Duration;

use super::super::{Problems, Sources};
use super::*;

const CODES: Codes = Codes {
    syntax: Code("X1"),
    unknown_key: Code("X2"),
    missing_key: Code("X3"),
    wrong_type: Code("X4"),
    out_of_range: Code("X5"),
};

/// Reads `text` and returns its findings as `line:column..column code message | label | help`.
fn findings(text: &str, read: impl FnOnce(&mut Table<'_>)) -> Vec<String> {
    let mut sources = Sources::new();
    let id = sources.add("a.toml", text);
    let source = sources.source(id).unwrap();
    let problems = Problems::new();
    if let Some(document) = Document::parse(source.text(), id, CODES, &problems) {
        let mut table = document.root("the file");
        read(&mut table);
        table.finish();
    }
    let show = |found: Diagnostic| {
        let span = found.span().unwrap();
        let (from, to) = (source.position(span.start), source.position(span.end));
        let label = &found.labels[0].text;
        let help = found.help.as_deref().unwrap_or("-");
        format!(
            "{}:{}..{} {} {} | {label} | {help}",
            from.line, from.column, to.column, found.code, found.message
        )
    };
    problems.into_sorted().into_iter().map(show).collect()
}

#[test]
fn what_fits_is_read() {
    let text = r#"
        s = "é"
        l = ["a", 'b']
        one = "x"
        yes = true
        n = 0x10
        t = "250ms"
        z = "64KiB"
        d = 2026-07-28
        [sub]
        a = 1
        [[many]]
        a = 1
        [[many]]
        a = 2
        [own]
        b = "first"
        a = "second"
    "#;
    let found = findings(text, |table| {
        assert_eq!(table.string("s").unwrap().value, "é");
        let list = |l: Vec<super::super::Spanned<&str>>| -> Vec<String> {
            l.into_iter().map(|s| s.value.to_owned()).collect()
        };
        assert_eq!(list(table.strings("l").unwrap()), ["a", "b"]);
        assert_eq!(list(table.string_or_list("one").unwrap()), ["x"]);
        assert!(table.bool("yes").unwrap().value);
        assert_eq!(table.integer("n", 1..=16).unwrap().value, 16);
        assert_eq!(table.duration("t", ..).unwrap().value, Duration::from_millis(250));
        assert_eq!(table.size("z", ..).unwrap().value, 65_536);
        assert_eq!(table.date("d").unwrap().value.to_string(), "2026-07-28");
        let mut sub = table.table("sub").unwrap();
        assert_eq!(sub.required("a").integer("a", ..).unwrap().value, 1);
        sub.finish();
        let many: Vec<u64> = table
            .tables("many")
            .into_iter()
            .map(|mut t| {
                let a = t.integer("a", ..).unwrap().value;
                t.finish();
                a
            })
            .collect();
        assert_eq!(many, [1, 2]);
        let mut own = table.table("own").unwrap();
        let keys: Vec<&str> = own.entries().into_iter().map(|(key, _)| key.value).collect();
        assert_eq!(keys, ["b", "a"]);
        own.finish();
        assert!(table.string("absent").is_none());
        assert!(table.tables("none").is_empty());
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_does_not_fit_is_reported_where_it_stands() {
    let text = "s = 1\nl = [\"a\", 2]\nyes = \"no\"\nn = -1\nt = 10\nz = \"4MB\"\nd = \"2026-07-28\"\nsub = 1\nmany = [1]\n";
    let found = findings(text, |table| {
        let _ = table.string("s");
        assert_eq!(table.strings("l").unwrap().len(), 1);
        let _ = table.bool("yes");
        let _ = table.integer("n", 0..=9);
        let _ = table.duration("t", ..);
        let _ = table.size("z", ..);
        let _ = table.date("d");
        assert!(table.table("sub").is_none());
        assert!(table.tables("many").is_empty());
    });
    insta::assert_snapshot!(found.join("\n"), @r#"
1:5..6 X4 wrong type for `s` | expected a string, found a whole number | -
2:11..12 X4 wrong type for `l` | expected a string, found a whole number | -
3:7..11 X4 wrong type for `yes` | expected `true` or `false`, found a string | -
4:5..7 X5 `n` is out of range | expected at least 0 and at most 9 | -
5:5..7 X4 wrong type for `t` | expected a duration such as "10s", found a whole number | -
6:5..10 X4 `z` cannot be `4MB` | expected a size such as "4MiB" | did you mean `4MiB`? sizes are powers of two
7:5..17 X4 wrong type for `d` | expected a date without quotes and without time, such as 2026-12-31, found a string | write 2026-07-28
8:7..8 X4 wrong type for `sub` | expected a table, found a whole number | -
9:9..10 X4 wrong type for `many` | expected a table, found a whole number | -
"#);
}

#[test]
fn bounds_are_named_in_the_units_of_the_key() {
    let text = "a = 10\nb = \"1h\"\nc = \"1B\"\nd = 99999999999999999999999\n";
    let found = findings(text, |table| {
        let _ = table.integer("a", 1..10);
        let _ = table.duration("b", ..=Duration::from_secs(120));
        let _ = table.size("c", 1024..=1 << 20);
        let _ = table.integer("d", ..);
    });
    insta::assert_snapshot!(found.join("\n"), @r#"
1:5..7 X5 `a` is out of range | expected at least 1 and less than 10 | -
2:5..9 X5 `b` is out of range | expected at most 2m | -
3:5..9 X5 `c` is out of range | expected at least 1KiB and at most 1MiB | -
4:5..28 X5 `d` is out of range | expected a smaller number, and none below zero | -
"#);
}

#[test]
fn unknown_and_missing_keys() {
    let text = "polices = 1\nzzz = 2\n[listne]\na = 1\n[sub]\n";
    let found = findings(text, |table| {
        let _ = table.string("policies");
        let _ = table.string("name");
        assert!(table.table("listen").is_none());
        let mut sub = table.table("sub").unwrap();
        let _ = sub.required("address").string("address");
        sub.finish();
    });
    insta::assert_snapshot!(found.join("\n"), @r#"
1:1..8 X2 unknown key `polices` | not a key of the file | did you mean `policies`?
2:1..4 X2 unknown key `zzz` | not a key of the file | the file knows `policies`, `name`, `listen`, `sub`
3:2..8 X2 unknown table `listne` | not a table of the file | did you mean `listen`?
5:1..6 X3 missing key `address` | `[sub]` needs `address` | -
"#);
}

#[test]
fn a_bracket_too_many_or_too_few() {
    let text = "[route]\na = 1\n[[listen]]\na = 1\n[auth.jwt]\na = 1\n";
    let found = findings(text, |table| {
        assert!(table.tables("route").is_empty());
        assert!(table.table("listen").is_none());
        let mut auth = table.table("auth").unwrap();
        assert!(auth.tables("jwt").is_empty());
        auth.finish();
    });
    insta::assert_snapshot!(found.join("\n"), @r#"
1:1..8 X4 wrong type for `route` | expected a list of tables, found a table | write `[[route]]`
3:1..11 X4 wrong type for `listen` | expected a table, found a list | write `[listen]`
5:1..11 X4 wrong type for `jwt` | expected a list of tables, found a table | write `[[auth.jwt]]`
"#);
}

#[test]
fn every_syntax_error_is_reported_and_nothing_else() {
    let found = findings("a = \nb = 'x\nc = 1\nc = 2\nunknown = 1\n", |_| {
        panic!("a broken text has no document")
    });
    insta::assert_snapshot!(found.join("\n"), @r#"
1:5..5 X1 string values must be quoted, expected literal string |  | -
2:7..7 X1 invalid literal string, expected `'` |  | close the string with '
4:1..2 X1 duplicate key |  | a key stands once in a table; each rule has a header of its own
"#);
}

#[test]
fn shapes() {
    let found = findings(
        "a = [1, 1.5, 'x', false, 2026-01-01, {b = 1}, 1e400, 0xffffffffffffffffffffffffffffffffff]",
        |table| {
            let shapes: Vec<String> = table
                .value("a")
                .and_then(Value::list)
                .unwrap()
                .into_iter()
                .filter_map(Value::shape)
                .map(|shape| match shape {
                    Shape::Table(mut inner) => {
                        let names: Vec<_> = inner.entries().iter().map(|(k, _)| k.value).collect();
                        inner.finish();
                        format!("table {names:?}")
                    }
                    other => format!("{other:?}"),
                })
                .collect();
            insta::assert_snapshot!(shapes.join("\n"), @r#"
Integer(1)
Float(1.5)
String("x")
Boolean(false)
Datetime
table ["b"]
"#);
        },
    );
    insta::assert_snapshot!(found.join("\n"), @r#"
1:47..52 X4 wrong type for `a` | expected a number that a double can hold, found a number with a fraction | -
1:54..90 X4 wrong type for `a` | expected a number of at most 127 bits, found a whole number | -
"#);
}

#[test]
fn nesting_has_a_bound() {
    for text in [
        format!("{}a = 1", "a.".repeat(20_000)),
        format!("[{}a]", "a.".repeat(20_000)),
        format!("a = {}", "[".repeat(20_000)),
        format!("a = {}", "{a=".repeat(20_000)),
    ] {
        let found = findings(&text, |_| {});
        assert!(!found.is_empty());
    }
}
