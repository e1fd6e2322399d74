//! `mcpfw fmt`: what it keeps, that it comes to rest, and what it refuses.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use mcpfw::layout::lay_out;
use proptest::prelude::*;

use crate::support::process::mcpfw;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn fmt(arguments: &[&str], at: &Path) -> Output {
    let arguments: Vec<&str> = std::iter::once("fmt").chain(arguments.iter().copied()).collect();
    mcpfw(&arguments).current_dir(at).output().unwrap()
}

fn stdin(arguments: &[&str], text: &[u8]) -> Output {
    let arguments: Vec<&str> = std::iter::once("fmt").chain(arguments.iter().copied()).collect();
    let mut command = mcpfw(&arguments);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Every TOML text of the repository: files, and blocks of pages.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> =
        ["policies", "tests/data"].map(|it| Path::new(ROOT).join(it)).into();
    open.extend(
        ["README.md", "Cargo.toml", "deny.toml", "docs/checks.md"]
            .map(|it| Path::new(ROOT).join(it)),
    );
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path.display().to_string();
        match path.extension().and_then(|it| it.to_str()) {
            Some("toml") => found.push((name, fs::read_to_string(&path).unwrap())),
            Some("md") => {
                let page = fs::read_to_string(&path).unwrap();
                let blocks = page.split("```toml\n").skip(1);
                found.extend(
                    blocks.map(|it| (name.clone(), it.split("```").next().unwrap().to_owned())),
                );
            }
            _ => {}
        }
    }
    assert!(found.len() > 150, "{}", found.len());
    found
}

/// What the expression `text` means: its tree, which does not know where it stands.
fn tree(text: &str) -> Option<cel::common::ast::IdedExpr> {
    cel::Env::default().parser().parse(text).ok()
}

/// `value` with its conditions as trees.
fn meant(mut value: toml::Table) -> String {
    let mut trees = Vec::new();
    let mut open: Vec<&mut toml::Value> = value.iter_mut().map(|(_, value)| value).collect();
    while let Some(value) = open.pop() {
        match value {
            toml::Value::Array(list) => open.extend(list),
            toml::Value::Table(table) => {
                if let Some(toml::Value::String(when)) = table.get_mut("when")
                    && let Some(tree) = tree(when)
                {
                    trees.push(format!("{tree:?}"));
                    when.clear();
                }
                open.extend(table.iter_mut().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    format!("{value:?}{trees:?}")
}

/// Everything that a text says, in its order: its tokens but for white space, commas, and conditions.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let tokens = toml_parser::Source::new(text).lex().into_vec();
    for token in tokens {
        use toml_parser::lexer::TokenKind::{Comma, Eof, Newline, Whitespace};
        if !matches!(token.kind(), Whitespace | Newline | Comma | Eof) {
            let span = token.span();
            let before = pieces.len().checked_sub(2).map(|at| (&*pieces[at], &*pieces[at + 1]));
            if before == Some(("when", "=")) {
                pieces.push("a condition".to_owned());
                continue;
            }
            pieces.push(text[span.start()..span.end()].trim_end().to_owned());
        }
    }
    pieces
}

/// What must hold of any text that is TOML.
fn keeps(text: &str) -> Result<(), TestCaseError> {
    let Ok(value) = text.parse::<toml::Table>() else { return Ok(()) };
    let once = lay_out(text);
    prop_assert!(once.is_some(), "not laid out:\n{text}");
    let once = once.unwrap();
    let again = once.parse::<toml::Table>();
    prop_assert!(again.is_ok(), "no TOML any more:\n{text}\n---\n{once}");
    // A NaN is not equal to itself, but is written the same.
    prop_assert_eq!(meant(value), meant(again.unwrap()), "{}\n---\n{}", text, once);
    let twice = lay_out(&once).unwrap();
    prop_assert_eq!(&once, &twice, "it does not come to rest:\n{}", text);
    prop_assert_eq!(
        pieces(text.trim_start_matches('\u{feff}')),
        pieces(&once),
        "{}\n---\n{}",
        text,
        once
    );
    for line in once.lines().filter(|_| !text.contains("\"\"\"") && !text.contains("'''")) {
        prop_assert_eq!(line, line.trim_end_matches([' ', '\t']));
    }
    Ok(())
}

#[test]
fn whatever_is_in_the_repository_is_kept() {
    for (name, text) in texts() {
        if let Err(error) = keeps(&text) {
            panic!("{name}: {error}");
        }
        let windows = text.replace('\n', "\r\n");
        if let Err(error) = keeps(&windows) {
            panic!("{name} with CRLF: {error}");
        }
    }
}

#[test]
fn policies_are_laid_out() {
    let done = fmt(&["--check", "policies", "tests/data/config/example.toml"], Path::new(ROOT));
    assert!(done.status.success(), "{}{}", said(&done.stdout), said(&done.stderr));
    assert!(done.stdout.is_empty());
}

/// Blanks, line breaks and comments, as they can stand between two tokens.
fn gap(is_broken: bool) -> BoxedStrategy<String> {
    if is_broken {
        prop_oneof![
            4 => Just(String::new()),
            3 => Just(" ".to_owned()),
            2 => Just("\n".to_owned()),
            1 => Just("\n\n\n  ".to_owned()),
            1 => Just("\r\n".to_owned()),
            1 => "[a-z ,\\]}]{0,8}".prop_map(|text| format!(" #{text}\n")),
            1 => "[a-z\"']{0,8}".prop_map(|text| format!("\n\n# {text}  \n# b\n")),
        ]
        .boxed()
    } else {
        prop_oneof![3 => Just(""), 2 => Just(" "), 1 => Just("\t  ")]
            .prop_map(str::to_owned)
            .boxed()
    }
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,6}", 1 => "\"[a-z #.]{0,6}\"", 1 => "'[a-z=\\[]{0,6}'"]
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("1".to_owned()),
        Just("-1_000.5e+3".to_owned()),
        Just("0xff".to_owned()),
        Just("nan".to_owned()),
        Just("true".to_owned()),
        Just("2026-11-22".to_owned()),
        Just("1979-05-27 07:32:00.5Z".to_owned()),
        Just("07:32:00".to_owned()),
        "\"[a-zé#,\\[\\]{}]{0,60}\"",
        "'[a-z\"#\\\\]{0,30}'",
        Just("\"\"\"\nx  \n # no comment\n\"\"\"".to_owned()),
        Just("'''a\r\n]'''".to_owned()),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let list = (
            prop::collection::vec((gap(true), inner.clone(), gap(true)), 0..6),
            gap(true),
            any::<bool>(),
        )
            .prop_map(|(elements, end, has_comma)| {
                let comma = if has_comma && !elements.is_empty() { "," } else { "" };
                let all: Vec<String> =
                    elements.into_iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect();
                format!("[{}{comma}{end}]", all.join(","))
            });
        let table = |is_broken| {
            let entry = (gap(is_broken), key(), gap(false), inner.clone(), gap(is_broken));
            (prop::collection::vec(entry, 0..4), gap(is_broken)).prop_map(|(entries, end)| {
                let all: Vec<String> = entries
                    .into_iter()
                    .enumerate()
                    .map(|(n, (a, key, b, value, c))| format!("{a}k{n}.{key}{b}={b}{value}{c}"))
                    .collect();
                format!("{{{}{end}}}", all.join(","))
            })
        };
        prop_oneof![2 => list, 2 => table(false), 1 => table(true)]
    })
}

fn document() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => (gap(false), key(), gap(false), value(), gap(false), prop::option::of("#[a-z =]{0,9}"))
            .prop_map(|(a, key, b, value, c, comment)| {
                format!("{a}K.{key}{b}={b}{value}{c}{}", comment.unwrap_or_default())
            }),
        1 => Just(String::new()),
        1 => "[ ]{0,2}#[a-z\\[\\]]{0,8}[ ]{0,2}",
        1 => (key(), gap(false), prop::option::of("#[a-z]{0,9}"))
            .prop_map(|(key, a, comment)| format!("[[{a}H{a}.{key}{a}]]{a}{}", comment.unwrap_or_default())),
    ];
    (prop::collection::vec(line, 0..12), any::<bool>()).prop_map(|(lines, has_crlf)| {
        // Keys are made unique by their place.
        let lines: Vec<String> = lines
            .into_iter()
            .enumerate()
            .map(|(n, line)| {
                line.replacen("K.", &format!("k{n}."), 1).replacen('H', &format!("h{n}"), 1)
            })
            .collect();
        lines.join(if has_crlf { "\r\n" } else { "\n" })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_toml_is_kept(text in document()) {
        keeps(&text)?;
    }

    /// Texts that are hardly ever TOML: it ends, and what it makes is laid out.
    #[test]
    fn any_text_ends(text in "[a-c =\\[\\]{},#'\"\n.0-9]{0,60}") {
        if let Some(once) = lay_out(&text) {
            keeps(&text)?;
            prop_assert_eq!(lay_out(&once), Some(once));
        }
    }
}

/// Conditions of any shape, with what may stand between their tokens.
fn condition() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "claims\\.[a-z]{1,20} (==|!=|<) \"[a-z&| /]{0,20}\"",
        2 => "'[a-z&|]{0,9}' in claims\\.[a-z]{1,30}",
        1 => "args\\.path\\.matches\\(r\"[a-z.|]{1,9}\"\\)",
        1 => Just("claims.x == \"a\\\\n\"".to_owned()),
        1 => Just("!has(args.x)".to_owned()),
        1 => Just("claims.é".to_owned()),
    ];
    atom.prop_recursive(4, 24, 6, |inner| {
        let operator = prop_oneof![
            6 => Just("&&"),
            4 => Just("||"),
            2 => Just("  && "),
            1 => Just("\t||"),
            1 => Just("\n&&"),
            1 => Just("// c\n||"),
        ];
        let chain = (inner.clone(), prop::collection::vec((operator, inner.clone()), 1..6));
        let chain = chain.prop_map(|(first, rest)| {
            rest.iter().fold(first, |all, (operator, next)| format!("{all} {operator} {next}"))
        });
        prop_oneof![
            4 => chain.clone(),
            2 => chain.prop_map(|inner| format!("({inner})")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("({a} ? {b} : {a})")),
        ]
    })
}

/// `text` as a string of TOML, in each way that can hold it.
fn quoted(text: &str) -> Vec<String> {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    let escaped = escaped.replace('\n', "\\n").replace('\t', "\\t");
    let mut all = vec![format!("\"{escaped}\""), format!("\"\"\"{escaped}\"\"\"")];
    if !text.contains(['\'', '\n']) {
        all.push(format!("'{text}'"));
    }
    if !text.contains("'''") && !text.ends_with('\'') {
        all.push(format!("'''{text}'''"));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// What is broken over lines means what it meant, comes to rest, and keeps its comment.
    #[test]
    fn conditions_mean_what_they_meant(text in condition(), has_comment: bool) {
        let comment = if has_comment { "  # é" } else { "" };
        for string in quoted(&text) {
            let file = format!(
                "[[allow]]\nname = \"a\"\nwhen = {string}{comment}\ntools = [\"x\"]\n"
            );
            keeps(&file)?;
            let once = lay_out(&file).unwrap();
            prop_assert!(once.contains(&format!("{comment}\ntools")), "{}", once);
            let when = once.parse::<toml::Table>().unwrap()["allow"][0]["when"].clone();
            let after = tree(when.as_str().unwrap());
            prop_assert!(after == tree(&text), "{}\n---\n{}", text, once);
        }
    }
}

/// Findings in a condition over lines stand where it is written.
#[test]
fn findings_stand_in_the_line_of_a_broken_condition() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    let long = "x".repeat(60);
    let when =
        format!(r#"claims.plan == \"é😀{long}\" && clams.sub != \"{long}\" || args.n + 1 > 2"#);
    let text = format!("[[allow]]\nname  = \"a\"\ntools = [\"t\"]\nwhen  = \"{when}\"\n");
    fs::write(&file, &text).unwrap();
    assert!(fmt(&["."], folder.path()).status.success());
    let after = fs::read_to_string(&file).unwrap();
    assert_eq!(after.lines().filter(|line| line.starts_with("  ")).count(), 3, "{after}");
    let places = |text: &str| -> Vec<String> {
        fs::write(&file, text).unwrap();
        let done =
            mcpfw(&["check", ".", "--format", "json"]).current_dir(&folder).output().unwrap();
        let found: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        let found = found.as_array().unwrap().iter().filter(|it| it["severity"] == "error");
        found
            .map(|it| {
                let number = |key: &str| usize::try_from(it[key].as_u64().unwrap()).unwrap() - 1;
                let place = |line: &str, column: &str| {
                    let lines = text.split_inclusive('\n').take(number(line));
                    let start: usize = lines.map(str::len).sum();
                    let rest = &text[start..];
                    let here = rest.char_indices().nth(number(column));
                    start + here.map_or(rest.len(), |(at, _)| at)
                };
                let there = place("line", "column")..place("end_line", "end_column");
                format!("{} {}", it["code"], &text[there])
            })
            .collect()
    };
    let found = places(&after);
    assert!(found.len() >= 2 && found.iter().any(|it| it.ends_with(" clams")), "{found:?}");
    assert_eq!(found, places(&text));
}

#[test]
fn the_generator_makes_toml() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let of = (0..200).map(|_| document().new_tree(&mut runner).unwrap().current());
    let right = of.filter(|text| text.parse::<toml::Table>().is_ok()).count();
    assert!(right > 150, "{right} of 200");
}

#[test]
fn files_are_written_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("policies")).unwrap();
    let before = "[[allow]]\nname='a'\neverything=true # all\n";
    fs::write(at("policies/a.toml"), before).unwrap();
    fs::write(at("policies/b.toml"), "x = 1\n").unwrap();
    fs::write(at("policies/c.txt"), "x=1").unwrap();
    fs::write(at("policies/.d.toml"), "x=1").unwrap();

    let done = fmt(&["--check"], folder.path());
    assert_eq!(done.status.code(), Some(1));
    let diff = said(&done.stdout);
    assert!(diff.starts_with("--- policies/a.toml\n+++ policies/a.toml\n@@"), "{diff}");
    assert!(diff.contains("-name='a'\n") && diff.contains("+name       = 'a'\n"), "{diff}");
    assert_eq!(fs::read_to_string(at("policies/a.toml")).unwrap(), before, "--check wrote");

    let done = fmt(&[], folder.path());
    assert_eq!(done.status.code(), Some(0), "{}", said(&done.stderr));
    assert_eq!(said(&done.stdout), "laid out policies/a.toml\n1 file laid out, 1 as they were\n");
    let want = "[[allow]]\nname       = 'a'\neverything = true  # all\n";
    assert_eq!(fs::read_to_string(at("policies/a.toml")).unwrap(), want);
    assert_eq!(fs::read_to_string(at("policies/.d.toml")).unwrap(), "x=1");
    assert_eq!(fmt(&["--check"], folder.path()).status.code(), Some(0));
}

#[test]
fn what_is_no_toml_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "a=1\n[[allow]\nname = 'é\n";
    for (name, text) in [("a.toml", broken), ("b.toml", "x=1"), ("c.toml", "x=1\nx=2\n")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("d.toml"), b"\xff").unwrap();
    let done = fmt(&["."], folder.path());
    assert_eq!(done.status.code(), Some(2));
    let why = said(&done.stderr);
    for place in ["./a.toml:2:", "./c.toml:2:1", "./d.toml"] {
        assert!(why.contains(place), "{place}\n{why}");
    }
    let text = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(text("a.toml"), broken.as_bytes());
    assert_eq!(text("c.toml"), b"x=1\nx=2\n");
    assert_eq!(text("d.toml"), b"\xff");
    // What is right is laid out all the same.
    assert_eq!(text("b.toml"), b"x = 1\n");
    assert_eq!(fmt(&["gone.toml"], folder.path()).status.code(), Some(2));
    assert_eq!(fmt(&["b.toml", "-"], folder.path()).status.code(), Some(2));
}

#[test]
fn from_standard_input_to_standard_output() {
    let done = stdin(&["-"], b"b = 1\nab=2");
    assert_eq!((done.status.code(), said(&done.stdout)), (Some(0), "b  = 1\nab = 2\n".into()));
    let done = stdin(&["-"], b"");
    assert_eq!((done.status.code(), said(&done.stdout)), (Some(0), String::new()));
    let done = stdin(&["--check", "-"], b"a=1\n");
    assert_eq!(done.status.code(), Some(1));
    assert!(said(&done.stdout).contains("+a = 1"));
    let done = stdin(&["-"], b"a\n");
    assert_eq!((done.status.code(), said(&done.stdout)), (Some(2), String::new()));
    assert!(said(&done.stderr).contains("standard input:1:"), "{}", said(&done.stderr));
    // Both sides of the bound: 1 MiB.
    let most = 1 << 20;
    assert_eq!(stdin(&["-"], &vec![b'#'; most]).status.code(), Some(0));
    let done = stdin(&["-"], &vec![b'#'; most + 1]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0));
}
