//! Ways to a forbidden thing, and that none of them is open: names (T11), URIs (T12), side doors (T13), limit keys
//! (T46). Each beside what must stay open.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::HashSet;

use mcpfw::policy::{Context, Policy, Principal};
use unicode_security::skeleton;

use super::decisions::{CONTEXT, NOW, call, compile, principal, verdict};

/// Names that somebody could take for `delete_file`: look-alikes of each letter (Unicode's table, read backwards),
/// forms that normalise to it, case, invisible characters, spaces, controls, marks.
fn variants() -> HashSet<String> {
    const NAME: &str = "delete_file";
    let mut variants = HashSet::new();
    for (at, letter) in NAME.char_indices() {
        let mut replace = |with: &str| {
            let mut name = NAME.to_owned();
            name.replace_range(at..at + letter.len_utf8(), with);
            variants.insert(name);
        };
        let plain: String = skeleton(letter.encode_utf8(&mut [0; 4])).collect();
        for c in ('\u{80}'..='\u{1ffff}').chain('A'..='Z').chain('0'..='9') {
            let text = c.to_string();
            let looks: String = skeleton(&text).collect();
            if looks == plain || looks.to_lowercase() == plain {
                replace(&text);
            }
        }
        for c in [
            "\u{200b}",
            "\u{200d}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{0}",
            " ",
            "\t",
            "\u{a0}",
            "\u{301}",
            "\u{fe0f}",
            "\u{e0061}",
        ] {
            replace(&format!("{letter}{c}"));
            replace(&format!("{c}{letter}"));
        }
        replace(&letter.to_uppercase().to_string());
    }
    for mask in 0..1_u32 << 10 {
        let mut bit = 0;
        let swap = |c: char| {
            bit += 1;
            if mask >> (bit % 10) & 1 == 1 { c.to_ascii_uppercase() } else { c }
        };
        variants.insert(NAME.chars().map(swap).collect());
    }
    let shift = |from: u32| {
        NAME.chars()
            .map(|c| match c {
                'a'..='z' => {
                    char::from_u32(from + u32::from(c) - u32::from('a')).expect("a letter")
                }
                other => other,
            })
            .collect::<String>()
    };
    // Full width, mathematical bold, fraktur, sans-serif and monospace.
    variants.extend([0xff41, 0x1d41a, 0x1d586, 0x1d5ba, 0x1d68a].map(shift));
    // Letters that look like one thing and normalise to another, beside letters of the other sort.
    variants.extend(["delete_fi\u{fe31}e", "delete_f\u{2170}\u{fe31}\u{ff45}"].map(String::from));
    variants.remove(NAME);
    variants
}

#[test]
fn no_look_alike_reaches_a_denied_tool() {
    let variants = variants();
    assert!(variants.len() >= 1_000, "{}", variants.len());
    let all = "everything = true";
    // All variants against the first, every eleventh against each of the others: the fold is the same.
    for (deny, allow, step) in [
        ("delete_file", all, 1),
        ("delete_*", all, 11),
        ("*_file", all, 11),
        ("d?lete_file", all, 11),
        ("DELETE_FILE", all, 11),
        ("delete_file", "tools = [\"*\"]", 11),
        ("delete_file", "methods = [\"tools/call\"]", 11),
    ] {
        let policy = compile(&format!(
            "[[allow]]\nname = \"all\"\n{allow}\n[[deny]]\nname = \"no\"\ntools = [\"{deny}\"]"
        ));
        let anybody = Principal::anonymous();
        for name in variants.iter().step_by(step) {
            let call = call(&policy, &format!("tool {name}"));
            let decided = policy.decide(&anybody, &CONTEXT, &call, NOW);
            assert!(decided.is_err(), "{name:?} past {deny} by {allow}");
        }
        for name in ["delete", "read", "delete-file", "compile_fine"] {
            let said = verdict(&policy, "", &format!("tool {name}"));
            assert_eq!(said, "allow:all", "{name} past {deny} by {allow}");
        }
    }
}

#[test]
fn a_wildcard_of_an_allow_stands_for_regular_names_only() {
    let policy = compile("[[allow]]\nname = \"all\"\ntools = [\"*\", \"файл_*\", \"x y\"]");
    for (name, want) in [
        ("a", "allow:all"),
        ("a.b-c_d/E9", "allow:all"),
        ("файл_1", "allow:all"),
        ("x y", "allow:all"),
        ("", "allow:all"),
        ("x  y", "default_deny"),
        ("файл", "default_deny"),
        ("a\u{200b}", "default_deny"),
        ("a b", "default_deny"),
        ("é", "default_deny"),
    ] {
        assert_eq!(verdict(&policy, "", &format!("tool {name}")), want, "{name:?}");
    }
    let longest = "x".repeat(128);
    assert_eq!(verdict(&policy, "", &format!("tool {longest}")), "allow:all");
    assert_eq!(verdict(&policy, "", &format!("tool {longest}x")), "default_deny");
}

#[test]
fn an_overlong_name_is_every_denied_name() {
    let policy = compile(
        "[[allow]]\nname = \"all\"\neverything = true\n[[deny]]\nname = \"no\"\ntools = [\"delete\"]",
    );
    let long = "x".repeat(129);
    assert_eq!(verdict(&policy, "", &format!("tool {long}")), "denied:no");
    assert_eq!(verdict(&policy, "", &format!("prompt {long}")), "allow:all");
}

#[test]
fn a_uri_with_two_readings_reaches_nothing_by_pattern() {
    let policy = compile(
        "[[allow]]\nname = \"docs\"\nresources = [\"file:///docs/**\", \"https://h/a b\"]\n\
         [[allow]]\nname = \"any\"\nmethods = [\"resources/read\"]\nroutes = [\"loose\"]\n\
         [[deny]]\nname = \"secret\"\nresources = [\"file:///docs/secret/**\"]\nroutes = [\"loose\"]",
    );
    let loose = Context { route: "loose", ..CONTEXT };
    let decide = |context: &Context<'_>, uri: &str| {
        let call = call(&policy, &format!("resource {uri}"));
        policy.decide(&Principal::anonymous(), context, &call, NOW).is_ok()
    };
    for uri in [
        "file:///docs/../etc/passwd",
        "file:///docs/./a",
        "file:///docs//a",
        "file:///docs/%2e%2e/etc/passwd",
        "file:///docs/%2E%2E/etc",
        "file:///docs/..%2fetc",
        "file:///docs/..%5cetc",
        "file:///docs/..\\etc",
        "file:///docs/%252e%252e/etc",
        "file:///docs/a#b",
        "file:///docs/a\0",
        "file:///docs/a ",
        "file:///docs/é",
        "FILE:///docs/a",
        "file://user@/docs/a",
    ] {
        assert!(!decide(&CONTEXT, uri), "{uri}");
        // Nor past a deny of something else, where an allow has no pattern.
        assert!(!decide(&loose, uri), "{uri}");
    }
    for uri in ["file:///docs/a", "file:///docs/a/b.md", "file:///docs/a%20b", "file:///docs/a?q=1"]
    {
        assert!(decide(&CONTEXT, uri) && decide(&loose, uri), "{uri}");
    }
    // Not even one that spells it out allows it: nobody knows what it is.
    assert!(!decide(&CONTEXT, "https://h/a b"));
    for uri in ["file:///docs/secret/a", "file:///docs/Secret/a", "file:///DOCS/SECRET/a?x"] {
        assert!(!decide(&loose, uri), "{uri}");
    }
}

/// What the inspector refuses, no rule allows either, and `explain` says what the caller is told.
#[test]
fn no_allow_reaches_a_uri_with_two_readings() {
    let policy = compile(
        "[[allow]]\nname = \"all\"\neverything = true\n\
         [[allow]]\nname = \"odd\"\nresources = [\"file:///a/../b\", \"FILE:///a\"]",
    );
    for (words, want) in [
        ("resource file:///a/../b", Some("uri_dot_segment")),
        ("resource FILE:///a", Some("uri_scheme_case")),
        ("subscribe file:///%2e%2e/b", Some("uri_dot_segment")),
        ("complete-resource file:///{a", Some("uri_template")),
        ("resource file:///a/b", None),
        ("subscribe file:///a/b", None),
        ("complete-resource file:///{a}", None),
    ] {
        let call = call(&policy, words);
        let anybody = Principal::anonymous();
        let decided = policy.decide(&anybody, &CONTEXT, &call, NOW);
        assert_eq!(decided.is_err(), want.is_some(), "{words}");
        let explained = policy.explain(&anybody, &CONTEXT, &call, NOW);
        let (shown, json) = (explained.to_string(), explained.to_json());
        assert_eq!(json["reason"], want.unwrap_or("allowed"), "{words}");
        assert_eq!(json["verdict"], if want.is_some() { "deny" } else { "allow" }, "{words}");
        assert_eq!(shown.contains("before any rule is asked"), want.is_some(), "{shown}");
    }
}

#[test]
fn a_method_that_looks_like_another_is_none() {
    let policy = compile(
        "[[allow]]\nname = \"all\"\neverything = true\n\
         [[allow]]\nname = \"odd\"\nmethods = [\"Tools/List\", \"t*\"]\n\
         [[deny]]\nname = \"no\"\ntools = [\"delete\"]\nwhen = 'claims.plan != \"pro\"'",
    );
    for (claims, words, want) in [
        ("", "x/new", "allow:all"),
        ("", "tool search", "allow:all"),
        ("", "tool delete", "denied:no"),
        // It could be a call of the denied tool.
        ("", "Tools/Call", "denied:no"),
        ("", "tools/cаll", "denied:no"),
        ("", "tools/call\u{0}", "denied:no"),
        // Nothing is denied to this caller; still, only an allow that spells it out allows it.
        (r#"{"plan": "pro"}"#, "Tools/Call", "unknown_method"),
        (r#"{"plan": "pro"}"#, "TOOLS/CALL", "unknown_method"),
        (r#"{"plan": "pro"}"#, "tools/call ", "unknown_method"),
        (r#"{"plan": "pro"}"#, "Tools/List", "allow:odd"),
        (r#"{"plan": "pro"}"#, "tools/lost", "allow:all"),
    ] {
        // The words are split at spaces, so these are put in by hand.
        let mut call = call(&policy, "ping");
        if words.starts_with("tool ") {
            call = super::decisions::call(&policy, words);
        } else {
            call.method = words.into();
        }
        let decided = policy.decide(&principal(claims), &CONTEXT, &call, NOW);
        let name = |rule| policy.rule(rule).map(|rule| rule.name().to_string()).unwrap_or_default();
        let said = match decided {
            Ok(permitted) => {
                format!("allow:{}", permitted.basis().rule().map(name).unwrap_or_default())
            }
            Err(refusal) => match refusal.rule() {
                Some(rule) => format!("{}:{}", refusal.reason().slug(), name(rule)),
                None => refusal.reason().slug().into(),
            },
        };
        assert_eq!(said, want, "{claims} {words:?}");
    }
}

/// The key of the only draw.
fn key(policy: &Policy, claims: &str, words: &str) -> u64 {
    let decided = policy.decide(&principal(claims), &CONTEXT, &call(policy, words), NOW);
    let draws = decided.expect("allowed").draws().to_vec();
    assert_eq!(draws.len(), 1);
    draws[0].key
}

#[test]
fn nobody_finds_a_second_bucket() {
    let policy = compile(
        "[[allow]]\nname = \"all\"\ntools = [\"*\"]\n\
         [[limit]]\nname = \"l\"\ntools = [\"x\"]\nper = [\"claims.sub\", \"claims.team\"]\nrate = \"1/s\"\n\
         [[limit]]\nname = \"m\"\ntools = [\"y\"]\nper = [\"args.n\"]\nrate = \"1/s\"\n\
         [[limit]]\nname = \"shared\"\ntools = [\"z\"]\nrate = \"1/s\"\n\
         [[limit]]\nname = \"tiers\"\ntools = [\"t\"]\nper = [\"claims.sub\"]\ntier = \"claims.plan\"\nrate = { free = \"1/s\", pro = \"2/s\" }",
    );
    let key = |claims: &str, words: &str| key(&policy, claims, words);
    let a = r#"{"iss": "i", "sub": "a", "team": "t"}"#;
    // (claims, call) pairs that must share a bucket, and that must not.
    for (left, right, is_same) in [
        ((a, "tool x"), (a, "tool x"), true),
        ((a, "tool x"), (r#"{"iss": "i", "sub": "a", "team": "t", "jti": "2"}"#, "tool x"), true),
        // Another subject, another issuer of the same subject.
        ((a, "tool x"), (r#"{"iss": "i", "sub": "b", "team": "t"}"#, "tool x"), false),
        ((a, "tool x"), (r#"{"iss": "j", "sub": "a", "team": "t"}"#, "tool x"), false),
        // Values do not run together.
        (
            (r#"{"iss": "i", "sub": "ab", "team": "c"}"#, "tool x"),
            (r#"{"iss": "i", "sub": "a", "team": "bc"}"#, "tool x"),
            false,
        ),
        // Who lacks a value shares with all who lack one.
        ((r#"{"iss": "i", "sub": "a"}"#, "tool x"), ("", "tool x"), true),
        ((r#"{"iss": "i", "sub": "b", "team": null}"#, "tool x"), ("", "tool x"), true),
        // One number is one key, however it is written.
        ((a, r#"tool y with {"n": 1}"#), (a, r#"tool y with {"n": 1.0}"#), true),
        ((a, r#"tool y with {"n": 1}"#), (a, r#"tool y with {"n": 2}"#), false),
        ((a, "tool z"), ("", "tool z"), true),
        // No tier of the table is one tier.
        (
            (r#"{"sub": "a", "plan": "x"}"#, "tool t"),
            (r#"{"sub": "a", "plan": "y"}"#, "tool t"),
            true,
        ),
        (
            (r#"{"sub": "a", "plan": "free"}"#, "tool t"),
            (r#"{"sub": "a", "plan": "pro"}"#, "tool t"),
            false,
        ),
    ] {
        assert_eq!(key(left.0, left.1) == key(right.0, right.1), is_same, "{left:?} {right:?}");
    }
}

#[test]
fn an_unknown_tier_has_the_least_rate_and_a_cost_is_never_nothing() {
    let policy = compile(
        "[[allow]]\nname = \"all\"\ntools = [\"*\"]\n\
         [[limit]]\nname = \"t\"\ntools = [\"t\"]\ntier = \"claims.plan\"\nrate = { pro = \"100/min\", free = \"10/min\", team = \"20/s\" }\n\
         [[limit]]\nname = \"d\"\ntools = [\"d\"]\ntier = \"claims.plan\"\nrate = { free = \"10/min\", default = \"50/min\" }\n\
         [[limit]]\nname = \"c\"\ntools = [\"c\"]\ncost = \"args.n\"\nrate = \"100/min\"\nburst = 50",
    );
    let draw = |claims: &str, words: &str| {
        let decided = policy.decide(&principal(claims), &CONTEXT, &call(&policy, words), NOW);
        let draw = decided.expect("allowed").draws()[0];
        (draw.quota.burst, draw.cost)
    };
    for (claims, words, want) in [
        (r#"{"plan": "pro"}"#, "tool t", (100, 1)),
        (r#"{"plan": "free"}"#, "tool t", (10, 1)),
        (r#"{"plan": "gold"}"#, "tool t", (10, 1)),
        (r#"{"plan": ["pro"]}"#, "tool t", (10, 1)),
        ("", "tool t", (10, 1)),
        ("", "tool d", (50, 1)),
        ("", r#"tool c with {"n": 7}"#, (50, 7)),
        ("", r#"tool c with {"n": 0}"#, (50, 1)),
        ("", r#"tool c with {"n": -3}"#, (50, 50)),
        ("", r#"tool c with {"n": 1.5}"#, (50, 50)),
        ("", r#"tool c with {"n": "1"}"#, (50, 50)),
        ("", r#"tool c with {"n": 99999999999}"#, (50, u32::MAX)),
        ("", "tool c", (50, 50)),
    ] {
        assert_eq!(draw(claims, words), want, "{claims} {words}");
    }
}

/// Whoever asks for a thing through any door is refused, for each door to it.
#[test]
fn every_door_to_a_denied_object_is_closed() {
    let policy = compile(
        "[[allow]]\nname = \"all\"\neverything = true\n\
         [[deny]]\nname = \"no\"\ntools = [\"t\"]\nprompts = [\"p\"]\nresources = [\"file:///r\", \"file:///d/**\"]",
    );
    for words in [
        "tool t",
        "tool T",
        "prompt p",
        "complete-prompt p",
        "complete-prompt P",
        "resource file:///r",
        "resource file:///r/",
        "resource file:///r?x=1",
        "resource file:///R",
        "subscribe file:///r",
        "resources/unsubscribe",
        "complete-resource file:///r",
        "complete-resource file:///{x}",
        "complete-resource file:///d/{x}",
        "subscriptions/listen file:///a,file:///r",
        "subscriptions/listen file:///d/x",
        "subscriptions/listen",
        // Nothing said of what they act on.
        "tools/call",
        "prompts/get",
        "resources/read",
        "completion/complete",
        // A task of it, or of who knows what.
        "task t",
        "task T",
        "tasks/get",
    ] {
        assert_eq!(verdict(&policy, "", words), "denied:no", "{words}");
    }
    for words in [
        "tool u",
        "tool p",
        "prompt t",
        "resource file:///rr",
        "resource file:///d",
        "complete-resource file:///e/{x}",
        "subscriptions/listen file:///a",
        "subscriptions/listen ",
        "task u",
        "x/y",
    ] {
        assert_eq!(verdict(&policy, "", words), "allow:all", "{words}");
    }
}
