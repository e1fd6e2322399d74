//! The parser beside that of the `cel` crate: the same texts, the same trees.

use cel::Env;
use cel::common::ast::{Expr as Cel, IdedExpr, LiteralValue, operators};
use proptest::prelude::*;

use super::super::scan::Tokens;
use super::super::tree::{Form, Literal, Operator, Tree};
use super::parse;

/// A tree in words, chains of one operator as one.
fn ours(tree: &Tree, text: &str) -> String {
    let all = |trees: &[Tree]| trees.iter().map(|t| ours(t, text)).collect::<Vec<_>>().join(" ");
    match &tree.form {
        Form::Literal(literal) => match literal {
            Literal::Null => "null".into(),
            Literal::Bool(truth) => truth.to_string(),
            Literal::Int(int) => format!("{int}"),
            Literal::UInt(int) => format!("{int}u"),
            Literal::Double { is_negative, digits } => {
                let value: f64 = text.get(digits.clone()).unwrap().parse().unwrap();
                format!("{:?}", if *is_negative { -value } else { value })
            }
            Literal::Text(text) => format!("{text:?}"),
            Literal::Bytes => "bytes".into(),
        },
        Form::Ident(name) => name.clone(),
        Form::Select { operand, field } => format!("(. {} {field})", ours(operand, text)),
        Form::List(elements) => format!("[{}]", all(elements)),
        Form::Map | Form::Struct => "{}".into(),
        Form::Operation(operator, operands) => {
            let each: Vec<String> = operands.iter().map(|operand| ours(operand, text)).collect();
            flat(&format!("{operator:?}"), operator.is_flat(), &each)
        }
        Form::Call(call) => {
            let target = call.target.as_ref().map_or("_".into(), |target| ours(target, text));
            format!("(call {} {target} {})", call.name, all(&call.args))
        }
    }
}

/// `(name a b)`, where an operand that is such a chain gives its own.
fn flat(name: &str, is_flat: bool, operands: &[String]) -> String {
    let head = format!("({name} ");
    let each = operands.iter().map(|operand| match operand.strip_prefix(&head) {
        Some(inner) if is_flat => inner.strip_suffix(')').unwrap_or(inner).to_owned(),
        _ => operand.clone(),
    });
    format!("{head}{})", each.collect::<Vec<_>>().join(" "))
}

fn theirs(tree: &IdedExpr) -> String {
    let all = |trees: &[IdedExpr]| trees.iter().map(theirs).collect::<Vec<_>>();
    match &tree.expr {
        Cel::Literal(literal) => match literal {
            LiteralValue::Null => "null".into(),
            LiteralValue::Boolean(truth) => truth.inner().to_string(),
            LiteralValue::Int(int) => int.inner().to_string(),
            LiteralValue::UInt(int) => format!("{}u", int.inner()),
            LiteralValue::Double(double) => format!("{:?}", double.inner()),
            LiteralValue::String(text) => format!("{:?}", text.inner()),
            LiteralValue::Bytes(_) => "bytes".into(),
        },
        Cel::Ident(name) => name.clone(),
        Cel::Select(select) => format!("(. {} {})", theirs(&select.operand), select.field),
        Cel::List(list) => format!("[{}]", all(&list.elements).join(" ")),
        Cel::Map(_) | Cel::Struct(_) => "{}".into(),
        Cel::Comprehension(_) | Cel::Unspecified => "?".into(),
        Cel::Call(call) => {
            let operator = match call.func_name.as_str() {
                operators::LOGICAL_AND => Operator::And,
                operators::LOGICAL_OR => Operator::Or,
                operators::LOGICAL_NOT => Operator::Not,
                operators::CONDITIONAL => Operator::Conditional,
                operators::EQUALS => Operator::Equals,
                operators::NOT_EQUALS => Operator::NotEquals,
                operators::LESS => Operator::Less,
                operators::LESS_EQUALS => Operator::LessEquals,
                operators::GREATER => Operator::Greater,
                operators::GREATER_EQUALS => Operator::GreaterEquals,
                operators::IN => Operator::In,
                operators::ADD => Operator::Add,
                operators::SUBSTRACT => Operator::Subtract,
                operators::MULTIPLY => Operator::Multiply,
                operators::DIVIDE => Operator::Divide,
                operators::MODULO => Operator::Modulo,
                operators::NEGATE => Operator::Negate,
                operators::INDEX => Operator::Index,
                name => {
                    let target = call.target.as_ref().map_or("_".into(), |t| theirs(t));
                    return format!("(call {name} {target} {})", all(&call.args).join(" "));
                }
            };
            flat(&format!("{operator:?}"), operator.is_flat(), &all(&call.args))
        }
    }
}

/// What both make of `text`; `None` where ours does not scan it, or where it holds an object, which is skipped.
fn both(text: &str) -> Option<(Result<String, String>, Result<String, String>)> {
    let tokens = Tokens::scan(text).ok()?;
    let ours = match parse(text, &tokens) {
        Ok(parsed) => Ok(ours(&parsed.root, text)),
        Err(problem) => Err(format!("{problem:?}")),
    };
    if ours.as_ref().is_ok_and(|ours| ours.contains("{}")) {
        return None;
    }
    let parser = Env::default().parser().enable_optional_syntax(false);
    let theirs = match parser.parse_with_source_info(text) {
        Ok((root, _)) => Ok(theirs(&root)),
        Err(errors) => Err(format!("{errors:?}")),
    };
    Some((ours, theirs))
}

fn agree(text: &str) -> Result<(), TestCaseError> {
    let Some((ours, theirs)) = both(text) else { return Ok(()) };
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs, "{:?}", text),
        (Err(_), Err(_)) => {}
        _ => prop_assert!(false, "{text:?}: ours {ours:?}, theirs {theirs:?}"),
    }
    Ok(())
}

#[test]
fn known_texts_are_read_as_cel_reads_them() {
    let mut differences: Vec<String> = Vec::new();
    for text in [
        "a && b || c && !d",
        "a || b || c || d",
        "a && (b && c)",
        "(a || b) && c",
        "a ? b : c ? d : e",
        "a ? b ? c : d : e",
        "(a ? b : c) ? d : e",
        "a || b ? c || d : e || f",
        "!a.b",
        "!!a",
        "!!!a",
        "-1",
        "- 1",
        "--1",
        "---1",
        "-a",
        "--a",
        "-(1)",
        "!-1",
        "-!a",
        "a - -1",
        "a-1",
        "a -1",
        "1 - 2 - 3",
        "a + b + c - d + e",
        "a * b + c * d % e / f",
        "a < b < c",
        "a == b in c",
        "a in [1, 2, 3,]",
        "[]",
        "[,]",
        "[1,,]",
        "[,1]",
        "f()",
        "f(1,)",
        "f(,)",
        "f(1, a.b)",
        ".a",
        ".a.b",
        ".f(1)",
        ".a.f(1)",
        "a.b.c(1)(2)",
        "a.b().c",
        "a[0][\"b\"].c",
        "(a).b",
        "(a.b)",
        "((a))",
        "a.true",
        "a.in",
        "true.a",
        "1.a",
        "1.5.a",
        "\"a\".size()",
        "[1].size()",
        "a.if",
        "if",
        "if(1)",
        "a.for(1)",
        "null",
        "nullx",
        "in",
        "in in in",
        "0x1F",
        "-0x1F",
        "0xffffffffffffffff",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551615u",
        "18446744073709551616u",
        "1u",
        "-1u",
        "!-1u",
        "1e400",
        "-1e400",
        "1e-400",
        ".5",
        "1.",
        "1.e5",
        "1e5",
        "1E+5",
        "a.b.",
        "a..b",
        "a b",
        "a,b",
        "a;",
        "()",
        "(a",
        "a ? b",
        "a ? b :",
        "a : b",
        "a &&",
        "&& a",
        "a && && b",
        "a ?b :c",
        "a.?b",
        "a[?b]",
        "[?a]",
        "\"\\u00e9\\x41\\101\\n\\?\\`\"",
        "'\\''",
        "\"\"\"a\"b\n\"\"\"",
        "'''a\r\nb\rc'''",
        "r'''a\r\n\\n\r'''",
        "\"\\r\\n\"",
        "r\"\\d\"",
        "R'\\'",
        "b\"x\"",
        "br\"x\"",
        "rb\"x\"",
        "\"\\ud800\"",
        "\"\\U00110000\"",
        "\"\\x80\"",
        "\"\\377\"",
        "// c\na // d",
        "a\n&&\tb",
        "has(a.b)",
        "a.exists(x, x == 1)",
        "a.all(x, y, z)",
        "as",
        "break",
        "loop",
        "package",
        "namespace",
        "void",
        "a.void",
        "let",
        "var",
        "import",
        "const",
        "function",
        "return",
        "while",
        "continue",
        "else",
        "for",
        "a == -1",
        "[-1, - 1]",
        "f(-1)",
        "a[-1]",
        "a ? -1 : -2",
        "-1 .a",
        "-1.5.a",
        "- - 1",
        "1 in [1] ? true : false",
    ] {
        if let Err(difference) = agree(text) {
            differences.push(format!("{text}: {difference}"));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn any_row_of_tokens_is_read_as_cel_reads_it(
        tokens in proptest::collection::vec(
            prop::sample::select(vec![
                "a", "b", "claims", "has", "in", "true", "null", "if", "1", "2.5", "3u", "\"x\"", "r'y'", "b\"z\"", ".", ".", ",", "(", ")", "(", ")", "[", "]", "?", ":", "&&", "||", "!",
                "-", "+", "*", "==", "<", "!=",
            ]),
            0..12,
        ),
        is_spaced in any::<bool>(),
    ) {
        agree(&tokens.join(if is_spaced { " " } else { "" }))?;
    }

    #[test]
    fn what_is_well_formed_is_read_as_cel_reads_it(text in expression()) {
        let (ours, theirs) = both(&text).unwrap();
        prop_assert!(ours.is_ok(), "{text:?}: {ours:?}");
        prop_assert_eq!(ours, theirs, "{:?}", text);
    }
}

/// Texts of the grammar.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "claims.b",
        ".c",
        "true",
        "null",
        "1",
        "-2",
        "2.5",
        "-1e3",
        "7u",
        "\"x\\n\"",
        "r'\\y'",
        "args[\"k\"]",
        "f()",
        "[]",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 24, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        let sign = prop::sample::select(vec![
            "&&", "||", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%",
        ]);
        prop_oneof![
            (pair.clone(), sign).prop_map(|((a, b), sign)| format!("{a} {sign} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("({a}).m")),
            pair.clone().prop_map(|(a, b)| format!("({a}).g({b})")),
            pair.clone().prop_map(|(a, b)| format!("f({a}, {b})")),
            pair.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            pair.prop_map(|(a, b)| format!("({a}) ? ({b}) : {a}")),
        ]
    })
}
