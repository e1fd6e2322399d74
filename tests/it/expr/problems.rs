//! What is reported of expressions: everything at once, at its place, with what to write instead.

use mcpfw::policy::Captures;
use mcpfw::policy::expr::{Expr, ExprProblem, Path};

/// `found`, one line a problem: what is underlined, the message, other places, help.
fn written(text: &str, problems: &[ExprProblem]) -> String {
    let cut = |span: &std::ops::Range<usize>| {
        text.get(span.clone()).expect("a span at character boundaries").to_owned()
    };
    let mut lines = String::new();
    for problem in problems {
        let also: String =
            problem.also.iter().map(|(span, label)| format!(" [{}: {label}]", cut(span))).collect();
        let label =
            if problem.label.is_empty() { String::new() } else { format!(" ({})", problem.label) };
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" -> {help}"));
        lines += &format!("  {}{label}: {}{also}{help}\n", cut(&problem.span), problem.message);
    }
    lines
}

fn problems(text: &str) -> Vec<ExprProblem> {
    Expr::parse(text, &mut Captures::new()).err().unwrap_or_default()
}

/// Each expression of `tests/data/expr/problems.txt` has the problems that are listed below it.
#[test]
fn problems_are_as_recorded() {
    let recorded = include_str!("../../data/expr/problems.txt");
    let mut found = String::new();
    for line in recorded.lines() {
        if line.is_empty() || line.starts_with('#') {
            found += &format!("{line}\n");
        } else if !line.starts_with("  ") {
            let text = line.replace("\\n", "\n");
            let problems = problems(&text);
            assert!(!problems.is_empty(), "{line} has no problem");
            found += &format!("{line}\n{}", written(&text, &problems));
        }
    }
    if std::env::var_os("MCPFW_RECORD").is_some() {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/expr/problems.txt"),
            &found,
        )
        .unwrap();
    }
    for (at, (recorded, found)) in recorded.lines().zip(found.lines()).enumerate() {
        assert_eq!(recorded, found, "line {}", at + 1);
    }
    assert_eq!(recorded, found, "(MCPFW_RECORD=1 records what is found)");
}

#[test]
fn paths_are_paths() {
    for text in ["claims.sub", "args.tenant.id", "client.ip", "claims[\"x.y\"]", "(claims.sub)"] {
        Path::parse(text, &mut Captures::new())
            .unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    }
    for (text, found) in [
        (
            "claims",
            "  claims: `claims` is not a value, name one of them -> for example: claims.name\n",
        ),
        ("claim.sub", "  claim: unknown variable `claim` -> did you mean `claims`?\n"),
        ("'a'", "  'a': only a path can stand here -> for example: claims.sub\n"),
        (
            "claims.a + claims.b",
            "  claims.a + claims.b: only a path can stand here -> for example: claims.sub\n",
        ),
        (
            "claims.a == 1",
            "  claims.a == 1: only a path can stand here -> for example: claims.sub\n",
        ),
        ("claims.", "  : the expression ends too early\n"),
        ("client.up", "  up: `client` has no field `up` -> did you mean `ip`?\n"),
    ] {
        let problems = Path::parse(text, &mut Captures::new()).expect_err(text);
        assert_eq!(written(text, &problems), found, "{text}");
    }
}

/// Every place is inside the text, at character boundaries, whatever the text is.
#[test]
fn places_are_places() {
    let pieces = [
        "claims", ".", "plan", "==", "'é", "'", "\"", "(", ")", "[", "]", "{", "}", ",", "1",
        "1.5e", "0x", " ", "\n", "in", "&&", "|", "!", "?", ":", "has", "all", "x", "é",
        "\u{202e}", "//", "`a b`", "-", "+", "r'", "b'", "\\", "\\u12", "'''", "\"\"\"", "matches",
        "cidr", "true", "null", "if", "u",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        // xorshift64*: any sequence will do, and the same on every run.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % below
    };
    for _ in 0..400 {
        let text: String = (0..=next(12)).map(|_| pieces[next(pieces.len())]).collect();
        for problem in problems(&text) {
            let spans =
                std::iter::once(&problem.span).chain(problem.also.iter().map(|(span, _)| span));
            for span in spans {
                assert!(text.get(span.clone()).is_some(), "{text:?}: {problem:?}");
            }
        }
    }
}
