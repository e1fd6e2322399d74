//! Proofs that were wrong once, or left open: each question beside one that comes out the other way.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use mcpfw::policy::Verdict;
use mcpfw::policy::language::codes;

use super::decisions::{NOW, compile};
use super::proofs::told;

/// A client can send what only servers are to send, and the rules are asked about it: found when a rule for such a method was
/// called needless, and proofs left these calls out.
#[test]
fn what_clients_should_not_send_is_asked_all_the_same() {
    let text = |method: &str, name: &str| {
        format!(
            "[[allow]]\nname = \"all\"\neverything = true\n\
             [[assert]]\nname = \"{name}\"\nmethods = [\"{method}\"]\nnever = \"allow\"\n"
        )
    };
    for method in
        ["sampling/createMessage", "elicitation/create", "roots/list", "notifications/message"]
    {
        let policy = compile(&text(method, "none"));
        let verdicts = policy.asserts(NOW);
        let Verdict::Refuted(example) = &verdicts[0].1 else { panic!("{method}: {verdicts:?}") };
        assert_eq!(example.method(), method);
    }
}

/// What tasks may do is asked with arguments that are free. Found when a task was proved to be permitted for a caller whose
/// missing claim leaves nothing to compare an argument with.
#[test]
fn an_always_about_tasks_is_not_proved_by_arguments_that_cannot_be() {
    for condition in [
        "args.b < claims.level",
        "args.a == claims.level",
        "args.a in claims.roles",
        "args.a < claims.sub",
        "claims.sub.startsWith(args.a)",
        "size(args.a) < 0",
        "args.a.exists(x, false)",
        r#"("a" + args.a) == claims.sub"#,
    ] {
        let policy = compile(&format!(
            "[[allow]]\nname = \"r\"\ntools = [\"t\"]\nwhen = '{condition}'\n\
             [[assert]]\nname = \"a\"\ntools = [\"t\"]\nwhen = 'mcp.method == \"tasks/get\"'\nalways = \"allow\"\n"
        ));
        let verdicts = policy.asserts(NOW);
        assert!(!matches!(verdicts[0].1, Verdict::Proved), "{condition}");
    }
}

/// What one input says of others tells it from values that no test of its own tells it from.
#[test]
fn what_says_something_of_other_inputs_is_told_apart() {
    // A key has claims, who is anonymous has none, and neither is a token or a certificate.
    for (condition, is_dead) in [
        (r#""banned" in claims.roles && !(client.kind in ["jwt", "mtls"])"#, false),
        (r#"claims.plan == "pro" && client.kind != "jwt""#, false),
        (r#"claims.plan == "pro" && client.kind == "anonymous""#, true),
    ] {
        let policy =
            compile(&format!("[[allow]]\nname = \"r\"\ntools = [\"t\"]\nwhen = '{condition}'\n"));
        assert_eq!(told(&policy).0.is_empty(), !is_dead, "{condition}");
    }
    // Of an argument that is too large, a member may be known, and whether another is in it is not.
    for (condition, is_proved) in [(r#"!("b" in args.a)"#, false), ("!has(args.a.b)", true)] {
        let policy = compile(&format!(
            "[[allow]]\nname = \"r\"\ntools = [\"t\"]\n\
             [[deny]]\nname = \"d\"\ntools = [\"t\"]\nwhen = '{condition}'\n\
             [[assert]]\nname = \"a\"\ntools = [\"t\"]\nwhen = 'args.a.b == \"x\"'\nalways = \"allow\"\n"
        ));
        let verdicts = policy.asserts(NOW);
        assert_eq!(matches!(verdicts[0].1, Verdict::Proved), is_proved, "{condition}");
    }
}

/// Asserts that do not hold because of one character that nobody spells: between two bounds, folded to two letters, or the one
/// that was forgotten among all of its kind. Beside each, one that holds.
#[test]
fn the_character_that_nobody_spells_is_found() {
    let rule = |kind: &str, name: &str, tools: &str, when: &str| {
        let when = if when.is_empty() { String::new() } else { format!("when = '{when}'\n") };
        format!("[[{kind}]]\nname = \"{name}\"\ntools = [{tools}]\n{when}")
    };
    let never = |tools: &str, when: &str| rule("assert", "a", tools, when) + "never = \"allow\"\n";
    let starts = |all: &str| {
        let each = all.chars().map(|c| format!("args.v.startsWith(\"v{c}\")"));
        each.collect::<Vec<_>>().join(" || ")
    };
    let ordered = |denied: &str| {
        rule("allow", "r", "\"t\"", "")
            + &rule("deny", "d", "\"t\"", &starts(denied))
            + &never("\"t\"", "args.v >= \"v1\" && args.v < \"v5\"")
    };
    let names = |all: &str| {
        let each = all.chars().map(|c| format!("\"v{c}\""));
        rule("allow", "r", "\"v?\"", "")
            + &rule("deny", "d", &each.collect::<Vec<_>>().join(", "), "")
            + &never("\"v?\"", "")
    };
    let every = "abcdefghijklmnopqrstuvwxyz012345678_-./";
    for (text, is_proved) in [
        (ordered("124"), false),
        (ordered("1234"), true),
        (rule("allow", "r", "\"get_?\"", "") + &never("\"get_??\"", ""), false),
        (rule("allow", "r", "\"get_a\"", "") + &never("\"get_??\"", ""), true),
        (names(every), false),
        (names(&format!("{every}9")), true),
    ] {
        let policy = compile(&text);
        let (_, verdict) = &policy.asserts(NOW)[0];
        assert_eq!(matches!(verdict, Verdict::Proved), is_proved, "{verdict:?}\n{text}");
        assert_eq!(matches!(verdict, Verdict::Refuted(_)), !is_proved, "{verdict:?}\n{text}");
    }
}

const TRUE: &str = "";

/// A stanza of `kind` whose selectors are `of`.
fn stanza(kind: &str, name: &str, of: &str, when: &str) -> String {
    let mut text = format!("[[{kind}]]\nname = \"{name}\"\n{of}\n");
    if when != TRUE {
        text += &format!("when = '''{when}'''\n");
    }
    text
}

/// What is told of the assert that `of` and `when` never are allowed, or always are, under `rules`.
fn verdict(rules: &[String], of: &str, when: &str, word: &str) -> &'static str {
    let text = rules.concat() + &stanza("assert", "a", of, when) + word + " = \"allow\"\n";
    match &compile(&text).asserts(NOW)[0].1 {
        Verdict::Proved => "proved",
        Verdict::Refuted(_) => "refuted",
        Verdict::Undecided(_) => "undecided",
    }
}

/// Names fold where nobody looks: ligatures to several letters, other scripts within an order, what is not seen at all.
#[test]
fn what_folds_to_what_is_asked_is_found() {
    let allow = |of: &str, when: &str| stanza("allow", "r", of, when);
    let deny = |of: &str, when: &str| stanza("deny", "d", of, when);
    let all = "everything = true";
    let other = stanza("deny", "o", "tools = [\"zzz\"]", TRUE);
    let cyrillic = r#"mcp.target > "а" && mcp.target < "я""#;
    let no_d = r#"mcp.target.startsWith("d") || mcp.target.startsWith("D") || mcp.target.startsWith("ｄ") || mcp.target.startsWith("Ｄ") || mcp.target.contains(" ")"#;
    let no_ab = r#"mcp.target.contains("a") && mcp.target.contains("b") && !mcp.target.contains("ab") && !mcp.target.contains(" ")"#;
    let methods = |name: &str| format!("methods = [\"{name}\"]");
    for (rules, of, word, wanted) in [
        (
            vec![allow(&methods("x/?"), TRUE), deny(&methods("x/fi"), TRUE)],
            methods("x/?"),
            "always",
            "refuted",
        ),
        // One syllable that folds to its letters, beside a letter of its own.
        (
            vec![allow(&methods("x/?"), TRUE), deny(&methods("x/가"), TRUE)],
            methods("x/?"),
            "always",
            "refuted",
        ),
        (
            vec![allow(&methods("x/?"), TRUE), deny(&methods("x/가나"), TRUE)],
            methods("x/?"),
            "always",
            "proved",
        ),
        (
            vec![allow(&methods("x/?"), TRUE), deny(&methods("y/fi"), TRUE)],
            methods("x/?"),
            "always",
            "proved",
        ),
        (
            vec![allow(&methods("x/*"), r#"mcp.method > "x/а" && mcp.method < "x/я""#)],
            methods("x/e"),
            "never",
            "refuted",
        ),
        (
            vec![allow(&methods("x/*"), r#"mcp.method > "x/f" && mcp.method < "x/h""#)],
            methods("x/e"),
            "never",
            "proved",
        ),
        (vec![other.clone(), allow(all, cyrillic)], "tools = [\"e*\"]".into(), "never", "refuted"),
        (
            vec![other.clone(), allow(all, TRUE), deny("", no_d)],
            "tools = [\"d*\"]".into(),
            "never",
            "refuted",
        ),
        (vec![other.clone(), allow(all, no_ab)], "tools = [\"ab\"]".into(), "never", "refuted"),
        (
            vec![other, allow("tools = [\"*\"]", no_ab)],
            "tools = [\"ab\"]".into(),
            "never",
            "proved",
        ),
    ] {
        let text = rules.concat();
        assert_eq!(verdict(&rules, &of, TRUE, word), wanted, "{text}");
    }
}

/// URIs have an alphabet and a form of their own.
#[test]
fn uris_are_walked_as_they_may_be_written() {
    let resources = |of: &[&str]| format!("resources = {of:?}");
    let every = "abcdefghijklmnopqrstuvwxyz0123456789-_~!,;=.@&+$():/";
    let spelt =
        |from: &str| -> Vec<String> { every.chars().map(|c| format!("{from}{c}")).collect() };
    let starts = |c: &String| format!("mcp.target.startsWith(\"{c}\")");
    let with_star = |more: &[&str]| {
        let all = spelt("doc:x").into_iter().chain(more.iter().map(|it| (*it).to_owned()));
        stanza("deny", "d", &format!("resources = {:?}", all.collect::<Vec<_>>()), TRUE)
            + &stanza("deny", "e", "", r#"mcp.target in ["doc:x*", "doc:x?"]"#)
    };
    let allow = |of: &[&str]| stanza("allow", "r", &resources(of), TRUE);
    // All that begins otherwise than with an escape, or with `more`, in as many rules as their conditions need.
    let without = |more: &str| {
        let mut all = spelt("doc:x");
        all.extend(spelt("doc:x").iter().map(|it| it.to_uppercase().replace("DOC:X", "doc:x")));
        all.extend(["doc:x*", "doc:x'", "doc:x?", more].map(str::to_owned));
        all.retain(|it| !it.is_empty());
        let all: Vec<String> = all.iter().map(starts).collect();
        let each = all.chunks(30).enumerate();
        let each = each.map(|(at, some)| stanza("deny", &format!("d{at}"), "", &some.join(" || ")));
        each.collect::<String>()
    };
    let never = |rules: Vec<String>, of: &[&str]| verdict(&rules, &resources(of), TRUE, "never");
    for (rules, of, wanted) in [
        (vec![allow(&["doc:x?"]), with_star(&[])], "doc:x?", "refuted"),
        (vec![allow(&["doc:x?"]), with_star(&["doc:x'"])], "doc:x?", "proved"),
        (vec![allow(&["doc:x???"]), without("")], "doc:x???", "refuted"),
        (vec![allow(&["doc:x???"]), without("doc:x%")], "doc:x???", "proved"),
        (vec![allow(&["file:///**"])], "file:///caf%C3%A9/**", "refuted"),
        (vec![allow(&["https://*.example.com/**"])], "https://*/*", "refuted"),
        (vec![allow(&["https://h:*/x"])], "https://h:*/x", "refuted"),
        (vec![allow(&["https://h/*"])], "https://h:*/x", "proved"),
        (vec![allow(&["file:///it's"])], "file:///*", "refuted"),
    ] {
        let text = rules.concat();
        assert_eq!(never(rules, &[of]), wanted, "{text}");
    }
}

/// A template that is spelt out is something that completion can be asked for.
#[test]
fn templates_are_named() {
    let template = "greeting://{name}";
    let rule = stanza("allow", "r", &format!("resources = [{template:?}]"), TRUE);
    assert_eq!(told(&compile(&rule)).0, Vec::<String>::new());
    let when = format!("mcp.target == {template:?}");
    for (method, wanted) in [("completion/complete", "refuted"), ("resources/read", "proved")] {
        let of = format!("methods = [\"{method}\"]");
        assert_eq!(verdict(std::slice::from_ref(&rule), &of, &when, "never"), wanted, "{method}");
    }
}

/// What a token says of its bearer it says by its claims; and nobody asks for a tool without naming it.
#[test]
fn no_call_is_told_that_cannot_be_made() {
    let allow = |of: &str, when: &str| stanza("allow", "r", of, when);
    let tool = "tools = [\"t\"]";
    let kind = r#"client.kind == "jwt" && claims.sub == "u2""#;
    let id = r#"client.id == "u1""#;
    for (rule, of, when, wanted) in [
        (allow(tool, id), tool, kind, "proved"),
        (allow(tool, id), tool, r#"client.kind == "jwt" && claims.sub == "u1""#, "refuted"),
        // The claims of other credentials are not those of a token.
        (allow(tool, id), tool, r#"client.kind == "api_key" && claims.sub == "u2""#, "refuted"),
        (allow(tool, r#"client.kind == "anonymous""#), tool, r#""s" in client.scopes"#, "proved"),
        (allow(tool, r#"client.kind == "mtls""#), tool, r#""s" in client.scopes"#, "refuted"),
        (
            allow("methods = [\"tools/call\"]", TRUE),
            "methods = [\"tools/call\"]",
            r#"mcp.kind != "tool""#,
            "proved",
        ),
        (
            allow("methods = [\"ping\", \"x/y\"]", TRUE),
            "methods = [\"x/y\"]",
            r#"mcp.kind != "tool""#,
            "refuted",
        ),
    ] {
        assert_eq!(
            verdict(std::slice::from_ref(&rule), of, when, "never"),
            wanted,
            "{rule} {when}"
        );
    }
}

/// Beyond what is looked at of a list, and between nothing and the least number that is written.
#[test]
fn ends_of_what_is_looked_at() {
    let rule = |when: &str| vec![stanza("allow", "r", "tools = [\"t\"]", when)];
    let list = |zeros: usize| format!("claims.a in [{}claims.b, 7]", "0, ".repeat(zeros));
    let both = "claims.a == 7 && claims.b == 3 && mcp.method == \"tools/call\"";
    let tools = "tools = [\"t\"]";
    assert_eq!(verdict(&rule(&list(1022)), tools, both, "always"), "proved");
    assert_ne!(verdict(&rule(&list(1023)), tools, both, "always"), "proved");
    for (end, wanted) in
        [("0.1e-1000000000000000", "undecided"), ("0.1e-100", "refuted"), ("0.0", "proved")]
    {
        let when = format!("claims.n > 0.0 && claims.n < {end}");
        assert_eq!(verdict(&rule(&when), tools, TRUE, "never"), wanted, "{end}");
    }
}

/// A text that is asked for as such is not another one, whatever else is asked of it.
#[test]
fn a_text_that_is_spelt_out_is_known() {
    let rules = |when: &str| {
        vec![
            stanza("allow", "r", "tools = [\"t\"]", TRUE),
            stanza("deny", "d", "tools = [\"t\"]", when),
        ]
    };
    let always = |when: &str, of: &str| {
        verdict(
            &rules(when),
            "tools = [\"t\"]",
            &format!("{of} && mcp.method == \"tools/call\""),
            "always",
        )
    };
    let long = "size(args.q) > 1000";
    assert_eq!(always(long, r#"args.q == "ping""#), "proved");
    assert_eq!(always(long, r#"args.q != "ping""#), "refuted");
    let small = r#"args.q.matches("^[a-z]+$")"#;
    assert_eq!(always(small, r#"args.q == "X1""#), "proved");
    assert_eq!(always(small, r#"args.q == "x""#), "refuted");
}

/// Names that look like a method are none; and what is said of lists is tried on short ones first.
#[test]
fn nothing_is_left_open_for_what_is_far_fetched() {
    let tools = vec![stanza("allow", "r", "methods = [\"tools/*\"]", TRUE)];
    for (name, wanted) in [("Tools/Call", "proved"), ("Tools/Cal", "refuted")] {
        let of = format!("methods = [{name:?}]");
        assert_eq!(
            verdict(&tools, &of, r#"mcp.method != "tools/call""#, "never"),
            wanted,
            "{name}"
        );
    }
    let lists = vec![
        stanza("allow", "r", "everything = true", TRUE),
        stanza(
            "allow",
            "s",
            "everything = true",
            r#"claims.flag == true && ("admin" in claims.roles || args.b == 3.0)"#,
        ),
        stanza(
            "allow",
            "t",
            "methods = [\"elicitation/create\"]",
            r#"claims.level == 0.1 || args.a.endsWith("w")"#,
        ),
        stanza("deny", "d", "", r#""b" in args.a && !has(claims.sub) && mcp.target < "u1""#),
        stanza(
            "limit",
            "l",
            "rate = \"1/min\"",
            r#"args.a.startsWith("get_m") && claims.plan != "pro" || mcp.target > "v5""#,
        ),
    ];
    let when = r#""s" in client.scopes && (size(claims.plan) == 3 || args.a.b != 1)"#;
    assert_eq!(verdict(&lists, "tools = [\"?1_\"]", when, "never"), "refuted");
    let nobody = r#"client.kind == "anonymous" && "s" in client.scopes && size(claims.plan) == 3"#;
    assert_eq!(verdict(&lists, "tools = [\"?1_\"]", nobody, "always"), "proved");
}

/// A choice between two values is a choice between what is said of each.
#[test]
fn choices_between_values_are_seen_through() {
    let tools = "tools = [\"t\"]";
    let rule = |when: &str| vec![stanza("allow", "r", tools, when)];
    let call = "mcp.method == \"tools/call\"";
    for (when, of, wanted) in [
        ("has(claims.a) ? claims.f : claims.f", "claims.f == false", "proved"),
        ("has(claims.a) ? claims.f : claims.g", "claims.f == false", "refuted"),
        (r#"(claims.f ? args.a : args.b) == "x""#, r#"args.a == "y" && claims.f"#, "proved"),
        (r#"(claims.f ? args.a : args.b) == "x""#, r#"args.a == "y" && !claims.f"#, "refuted"),
        (r#""x" == (claims.f ? (claims.g ? "x" : args.a) : "y")"#, "!claims.f", "proved"),
        (r#""x" == (claims.f ? (claims.g ? "x" : args.a) : "y")"#, "claims.f", "refuted"),
        // Without the one that decides there is no value.
        (r#"(claims.f ? "x" : "x") == "x""#, "!has(claims.f)", "proved"),
    ] {
        let of = format!("{call} && {of}");
        assert_eq!(verdict(&rule(when), tools, &of, "never"), wanted, "{when}: {of}");
    }
}

/// Of many words that an argument may contain, no proof is attempted for each set; what needs none is proved all the same.
#[test]
fn many_words_in_one_argument() {
    let words: Vec<String> = (0..40).map(|n| format!("args.q.contains(\"word{n:02}\")")).collect();
    let rules = vec![
        stanza("allow", "r", "tools = [\"t\"]", TRUE),
        stanza("deny", "d", "tools = [\"t\"]", &words.join(" || ")),
    ];
    let never = |when: &str| verdict(&rules, "tools = [\"t\"]", when, "never");
    let call = "mcp.method == \"tools/call\" && ";
    assert_eq!(never(&format!("{call}args.q.contains(\"word07\")")), "proved");
    assert_eq!(never(&format!("{call}args.q == \"word\"")), "refuted");
}

/// A poll of a task draws on limits that speak of its method, and on no others.
#[test]
fn limits_of_tasks_are_those_of_their_method() {
    let limit = |name: &str, of: &str, rate: &str| {
        stanza("limit", name, &format!("tools = [\"*\"]\n{of}rate = \"{rate}/min\""), TRUE)
    };
    let allow = stanza("allow", "r", "tools = [\"t\"]", TRUE);
    for (of, is_needless) in [("methods = [\"tasks/get\"]\n", false), ("", true)] {
        let text = allow.clone() + &limit("A", "", "1") + &limit("B", of, "2");
        let findings = compile(&text).prove("policies", NOW);
        let is_told = findings.iter().any(|finding| finding.code == codes::LIMIT_WITHIN_LIMIT);
        assert_eq!(is_told, is_needless, "{text}");
    }
}
