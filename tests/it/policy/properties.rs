//! What holds for every policy and every call: the index is the linear scan, lists and calls agree, an explanation is
//! the decision.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use mcpfw::policy::{Arg, Args, Call, Context, Object, Policy, naive};
use mcpfw::wire::mcp::{ObjectKind, Revision};
use proptest::prelude::*;
use proptest::sample::select;

use super::decisions::{CONTEXT, NOW, call, compile, principal};

const TOOLS: &[&str] = &[
    "read_file",
    "read_dir",
    "write_file",
    "delete_file",
    "DELETE_FILE",
    "dеlete_file",
    "search",
    "a",
    "é",
];
const TOOL_PATTERNS: &[&str] = &[
    "read_file",
    "read_*",
    "*_file",
    "*",
    "d*_f*e",
    "delete_file",
    "search",
    "?",
    "sea?ch",
    "Search",
];
const URIS: &[&str] = &[
    "file:///a",
    "file:///a/b",
    "file:///a/b/c",
    "file:///A/b",
    "file:///a/../b",
    "file:///a/b?x",
    "file:///a/{x}",
    "db://t/1",
];
const URI_PATTERNS: &[&str] = &[
    "file:///a",
    "file:///a/*",
    "file:///**",
    "**",
    "file:///a/b/c",
    "db://*/?",
    "file:///a/../b",
];
const METHODS: &[&str] = &[
    "ping",
    "tools/list",
    "subscriptions/listen",
    "tasks/get",
    "x/y",
    "Tools/Call",
    "subscriptions/listen file:///a/b",
];
const METHOD_PATTERNS: &[&str] =
    &["tools/call", "tools/*", "*", "resources/read", "x/y", "completion/complete", "ping"];
const CONDITIONS: &[&str] = &[
    "true",
    "claims.plan == \"pro\"",
    "!(claims.plan == \"pro\")",
    "has(claims.sub)",
    "args.a == \"x\"",
    "args.b > 3",
    "!(args.a == \"x\") && args.b < 9",
    "claims.plan == \"pro\" && args.a == \"x\"",
    "mcp.is_retry",
    "mcp.target == \"search\"",
    "client.kind == \"anonymous\" || has(args.c)",
    "request.route == \"files\"",
];
pub(super) const CALLERS: &[&str] = &[
    "",
    r#"{"sub": "u1", "plan": "pro"}"#,
    r#"{"sub": "u2", "plan": "free", "scope": "s"}"#,
    r#"{"plan": ["pro"], "scope": "s t"}"#,
];
const ARGS: &[&str] =
    &["{}", r#"{"a": "x"}"#, r#"{"a": "y", "b": 4}"#, r#"{"a": 1, "b": "4", "c": null}"#];

/// One stanza without its name.
fn stanza() -> impl Strategy<Value = String> {
    let selector = prop_oneof![
        4 => prop::collection::vec(select(TOOL_PATTERNS), 1..3).prop_map(|p| format!("tools = {p:?}\n")),
        1 => select(TOOL_PATTERNS).prop_map(|p| format!("prompts = [{p:?}]\n")),
        2 => select(URI_PATTERNS).prop_map(|p| format!("resources = [{p:?}]\n")),
        2 => select(METHOD_PATTERNS).prop_map(|p| format!("methods = [{p:?}]\n")),
        1 => (select(TOOL_PATTERNS), select(METHOD_PATTERNS))
            .prop_map(|(t, m)| format!("tools = [{t:?}]\nmethods = [{m:?}]\n")),
        1 => Just(String::new()),
    ];
    let common = (
        selector,
        prop::option::weighted(0.5, select(CONDITIONS)),
        prop::option::weighted(0.1, select(&["files", "other"][..])),
        prop::option::weighted(0.15, Just("shadow")),
        prop::option::weighted(0.1, select(&["2020-01-01", "2027-06-01"][..])),
        (0..6_u8, prop::option::weighted(0.2, select(&["\"s\"", "\"s\", \"t\""][..]))),
    );
    common.prop_map(|(selector, when, route, mode, expires, (effect, scopes))| {
        let (kind, own) = match effect {
            0 | 1 => ("deny", String::new()),
            2 => ("limit", "per = [\"claims.sub\"]\nrate = \"1/s\"\n".to_owned()),
            _ if selector.is_empty() => ("allow", "everything = true\n".to_owned()),
            _ => ("allow", String::new()),
        };
        let mut text = format!("{kind} {selector}{own}");
        if let Some(when) = when {
            writeln!(text, "when = '{when}'").expect("a string takes all");
        }
        if let Some(route) = route {
            writeln!(text, "routes = [\"{route}\"]").expect("a string takes all");
        }
        if let Some(mode) = mode {
            writeln!(text, "mode = \"{mode}\"").expect("a string takes all");
        }
        if let Some(expires) = expires {
            writeln!(text, "expires = {expires}").expect("a string takes all");
        }
        if let (Some(scopes), "allow") = (scopes, kind) {
            writeln!(text, "scopes = [{scopes}]").expect("a string takes all");
        }
        text
    })
}

/// A policy file.
pub(super) fn policy() -> impl Strategy<Value = String> {
    prop::collection::vec(stanza(), 0..8).prop_map(|stanzas| {
        let mut text = String::new();
        for (at, stanza) in stanzas.iter().enumerate() {
            let (kind, rest) = stanza.split_once(' ').expect("a kind stands first");
            writeln!(text, "[[{kind}]]\nname = \"r{at}\"\n{rest}").expect("a string takes all");
        }
        text
    })
}

/// A call in words.
pub(super) fn words() -> impl Strategy<Value = String> {
    let target = prop_oneof![
        4 => select(TOOLS).prop_map(|name| format!("tool {name}")),
        2 => select(TOOLS).prop_map(|name| format!("task {name}")),
        1 => select(TOOLS).prop_map(|name| format!("prompt {name}")),
        1 => select(TOOLS).prop_map(|name| format!("complete-prompt {name}")),
        3 => (select(&["resource", "subscribe", "complete-resource"][..]), select(URIS))
            .prop_map(|(verb, uri)| format!("{verb} {uri}")),
        2 => select(METHODS).prop_map(String::from),
    ];
    (target, select(ARGS)).prop_map(|(target, args)| format!("{target} with {args}"))
}

pub(super) fn contexts() -> [Context<'static>; 2] {
    [CONTEXT, Context { route: "other", ..CONTEXT }]
}

proptest! {
    // Twelve calls by two ways: 5 280 decisions.
    #![proptest_config(ProptestConfig { cases: 220, ..ProptestConfig::default() })]

    #[test]
    fn the_index_is_the_linear_scan(
        text in policy(),
        calls in prop::collection::vec((words(), select(CALLERS), any::<bool>()), 12),
    ) {
        let policy = compile(&text);
        let callers: Vec<_> = CALLERS.iter().map(|claims| (claims, principal(claims))).collect();
        for (words, claims, is_retry) in calls {
            let caller = &callers.iter().find(|(of, _)| **of == claims).expect("one of them").1;
            let call = Call { is_retry, ..call(&policy, &words) };
            for context in contexts() {
                let decided = policy.decide(caller, &context, &call, NOW);
                if call.subscriptions.is_none() {
                    let scanned = naive::decide(&policy, caller, &context, &call, NOW);
                    prop_assert_eq!(&decided, &scanned, "{} {}\n{}", claims, words, text);
                }

                let explained = policy.explain(caller, &context, &call, NOW);
                prop_assert_eq!(explained.verdict(), decided.as_ref(), "{} {}\n{}", claims, words, text);

                // What `needs` does not name changes nothing.
                let needs = policy.needs(&call.method, call.object.as_ref());
                let mut args = Args::new(policy.captures());
                for slot in needs.slots.iter() {
                    args.set(slot, call.args.slot(slot).clone());
                }
                let is_retry = call.is_retry && needs.is_retry;
                let pruned = Call { args, is_retry, ..call.clone() };
                if call.subscriptions.is_none() {
                    let again = policy.decide(caller, &context, &pruned, NOW);
                    prop_assert_eq!(&again, &decided, "{} {}\n{}", claims, words, text);
                }

                let Some(object) = &call.object else { continue };
                let shown = lists(&policy, claims, &context, object);
                let scanned =
                    naive::lists(&policy, caller, &context, Revision::V2025_11_25, object, NOW);
                prop_assert_eq!(shown, scanned, "{} {:?}\n{}", claims, object, text);
                prop_assert!(shown || policy.may_hide(object.kind), "{} {:?}\n{}", claims, object, text);
                // What can be called is listed.
                let is_use = matches!(&*call.method, "tools/call" | "prompts/get" | "resources/read");
                prop_assert!(
                    !is_use || decided.is_err() || shown, "{} {}\n{}", claims, words, text
                );
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Where the conditions do not contradict each other, what is listed can be called: allows read one argument,
    /// each deny one of its own.
    #[test]
    fn what_is_listed_can_be_called(
        allows in prop::collection::vec((select(TOOL_PATTERNS), select(ALLOWING)), 1..4),
        denies in prop::collection::vec((select(TOOL_PATTERNS), select(DENYING)), 0..3),
        tool in select(TOOLS),
        claims in select(CALLERS),
    ) {
        let mut text = String::new();
        for (kind, rules) in [("allow", &allows), ("deny", &denies)] {
            for (at, (pattern, when)) in rules.iter().enumerate() {
                let when = when.replace("args.b", ["args.b", "args.c", "args.d"][at]);
                writeln!(text, "[[{kind}]]\nname = \"{kind}{at}\"\ntools = [{pattern:?}]\nwhen = '{when}'\n")
                    .expect("a string takes all");
            }
        }
        let policy = compile(&text);
        let caller = principal(claims);
        let object = Object { kind: ObjectKind::Tool, name: tool.into() };
        let values = |name: &'static str| {
            WITNESSES.iter().map(move |value| match *value {
                "" => String::new(),
                value => format!("\"{name}\": {value}"),
            })
        };
        let mut witnesses = values("a").flat_map(|a| {
            values("b").flat_map(move |b| {
                let a = a.clone();
                values("c").map(move |c| [a.clone(), b.clone(), c])
            })
        });
        let can_be_called = witnesses.any(|members| {
            let args: Vec<String> =
                members.into_iter().filter(|member| !member.is_empty()).collect();
            let call = call(&policy, &format!("tool {tool} with {{{}}}", args.join(", ")));
            policy.decide(&caller, &CONTEXT, &call, NOW).is_ok()
        });
        prop_assert_eq!(lists(&policy, claims, &CONTEXT, &object), can_be_called, "{} {}\n{}", claims, tool, text);
    }
}

const ALLOWING: &[&str] = &[
    "true",
    "claims.plan == \"pro\"",
    "args.a == \"x\"",
    "args.a != \"x\"",
    "has(args.a)",
    "args.a == \"x\" || has(claims.sub)",
];
const DENYING: &[&str] = &[
    "true",
    "claims.plan == \"free\"",
    "args.b == \"x\"",
    "args.b != \"x\"",
    "has(args.b)",
    "args.b > 3",
    "!has(args.b)",
];
const WITNESSES: &[&str] = &["", "\"x\"", "\"y\"", "3", "4"];

/// Asks with a caller of its own, whose memo is empty.
fn lists(policy: &Policy, claims: &str, context: &Context<'_>, object: &Object) -> bool {
    let caller = principal(claims);
    policy.lists(&caller, context, Revision::V2025_11_25, object.kind, &object.name, NOW)
}

/// What a caller satisfies is remembered for one policy only.
#[test]
fn a_memo_does_not_outlive_its_policy() {
    let rule = |plan: &str| {
        compile(&format!(
            "[[allow]]\nname = \"a\"\ntools = [\"x\"]\nwhen = 'claims.plan == \"{plan}\"'"
        ))
    };
    let (pro, free) = (rule("pro"), rule("free"));
    assert!(pro.generation() < free.generation());
    let caller = principal(CALLERS[1]);
    for _ in 0..3 {
        assert!(pro.decide(&caller, &CONTEXT, &call(&pro, "tool x"), NOW).is_ok());
        assert!(free.decide(&caller, &CONTEXT, &call(&free, "tool x"), NOW).is_err());
    }
}

/// An argument beyond the capture limit counts against the caller, whatever it holds.
#[test]
fn an_argument_too_large_counts_against_the_caller() {
    let policy = compile(
        "[[allow]]\nname = \"a\"\ntools = [\"x\"]\nwhen = 'args.a == \"x\"'\n\
         [[allow]]\nname = \"b\"\ntools = [\"y\"]\n\
         [[deny]]\nname = \"c\"\ntools = [\"y\"]\nwhen = 'args.a == \"x\"'",
    );
    for (words, want) in [("tool x", false), ("tool y", false)] {
        let mut call = call(&policy, words);
        for slot in 0..2 {
            call.args.set(slot, Arg::TooLarge);
        }
        assert_eq!(policy.decide(&principal(""), &CONTEXT, &call, NOW).is_ok(), want, "{words}");
    }
    let small = call(&policy, "tool y with {\"a\": \"y\"}");
    assert!(policy.decide(&principal(""), &CONTEXT, &small, NOW).is_ok());
}
