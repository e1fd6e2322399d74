//! policy-language.md §3, rule by rule: one table a rule, what passes beside what does not.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use mcpfw::diagnostic::{Sources, render};
use mcpfw::policy::{
    Args, Basis, Call, CompileOptions, Context, Object, Policy, Principal, RefusalStyle, Value,
};
use mcpfw::wire::mcp::{ObjectKind, Revision};

/// 2026-11-22T00:00:00Z.
pub(super) const NOW: u64 = 1_795_305_600;

pub(super) const CONTEXT: Context<'static> =
    Context { route: "files", host: "localhost", sni: None, ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };

pub(super) fn options() -> CompileOptions {
    CompileOptions::new(NOW)
}

/// Compiles `text`, which has no error.
pub(super) fn compile(text: &str) -> Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    let compiled = Policy::compile(&sources, &options());
    let shown = render::json(&sources, &compiled.diagnostics);
    compiled.policy.unwrap_or_else(|| panic!("{shown}\n{text}"))
}

/// A value from JSON.
pub(super) fn value(json: &str) -> Value {
    let json = json.replace("1e99999999999999999999", "\"(beyond)\"");
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    beyond(Value::from(&read))
}

/// What `serde_json` has no number for.
fn beyond(value: Value) -> Value {
    match value {
        Value::String(text) if &*text == "(beyond)" => {
            Value::Number(mcpfw::policy::Number::from_token("1e99999999999999999999").unwrap())
        }
        Value::Map(members) => {
            Value::map(members.into_iter().map(|(name, value)| (name, beyond(value))))
        }
        other => other,
    }
}

/// A caller by claims as JSON; anonymous for `""`.
pub(super) fn principal(claims: &str) -> Principal {
    if claims.is_empty() {
        return Principal::anonymous();
    }
    let claims: serde_json::Value = serde_json::from_str(claims).unwrap();
    Principal::supposed(Value::from(&claims))
}

/// A call from words: `tool search`, `prompt p`, `resource file:///a`, `complete-prompt p`, or a bare method; then,
/// after ` with `, arguments as JSON.
pub(super) fn call(policy: &Policy, words: &str) -> Call {
    let (words, args) = words.split_once(" with ").unwrap_or((words, "{}"));
    let args: serde_json::Value = serde_json::from_str(args).unwrap();
    let (verb, name) = words.split_once(' ').unwrap_or((words, ""));
    let (method, kind) = match verb {
        "tool" => ("tools/call", Some(ObjectKind::Tool)),
        "prompt" => ("prompts/get", Some(ObjectKind::Prompt)),
        "resource" => ("resources/read", Some(ObjectKind::Resource)),
        "subscribe" => ("resources/subscribe", Some(ObjectKind::Resource)),
        "task" => ("tasks/get", Some(ObjectKind::Tool)),
        "complete-prompt" => ("completion/complete", Some(ObjectKind::Prompt)),
        "complete-resource" => ("completion/complete", Some(ObjectKind::Resource)),
        method => (method, None),
    };
    let subscriptions = (verb == "subscriptions/listen" && words.contains(' '))
        .then(|| name.split(',').filter(|uri| !uri.is_empty()).map(Box::from).collect());
    Call {
        method: method.into(),
        object: kind.map(|kind| Object { kind, name: name.into() }),
        revision: Revision::V2025_11_25,
        is_request: true,
        is_retry: false,
        args: Args::capture(policy.captures(), Some(&Value::from(&args))),
        subscriptions,
    }
}

/// The verdict in words: `allow:rule`, `allow:lifecycle`, or `reason:rule`; then ` limit:rule` for every draw, and
/// ` shadow:rule`.
pub(super) fn verdict(policy: &Policy, claims: &str, words: &str) -> String {
    let principal = principal(claims);
    let call = call(policy, words);
    let name = |rule| policy.rule(rule).map_or_else(String::new, |rule| rule.name().to_string());
    let decided = policy.decide(&principal, &CONTEXT, &call, NOW);
    let mut said = match &decided {
        Ok(permitted) => match permitted.basis() {
            Basis::Lifecycle => "allow:lifecycle".to_owned(),
            Basis::Rule(rule) => format!("allow:{}", name(rule)),
        },
        Err(refusal) => match refusal.rule() {
            Some(rule) => format!("{}:{}", refusal.reason().slug(), name(rule)),
            None => refusal.reason().slug().to_owned(),
        },
    };
    let draws = decided.as_ref().map_or(&[][..], |permitted| permitted.draws());
    for draw in draws {
        said += &format!(" limit:{}", name(draw.rule));
    }
    let shadow = match &decided {
        Ok(permitted) => permitted.shadow(),
        Err(refusal) => refusal.shadow(),
    };
    for shadowed in shadow {
        said += &format!(" shadow:{}", name(shadowed.rule));
    }
    said
}

/// Checks rows of (claims, call, verdict) against one policy.
fn check(text: &str, rows: &[(&str, &str, &str)]) {
    let policy = compile(text);
    for (claims, words, want) in rows {
        assert_eq!(verdict(&policy, claims, words), *want, "{claims} {words}\n{text}");
    }
}

const PRO: &str = r#"{"sub": "u1", "plan": "pro"}"#;
const FREE: &str = r#"{"sub": "u1", "plan": "free"}"#;

const SIMPLE: &str = r#"
[[allow]]
name = "read"
tools = ["read_*", "list_files"]

[[allow]]
name = "pro"
tools = ["delete_*", "read_*"]
when = 'claims.plan == "pro"'

[[deny]]
name = "no-secrets"
tools = ["read_secret"]

[[deny]]
name = "not-free"
tools = ["delete_*"]
when = 'claims.plan == "free"'
message = "Deleting needs the pro plan."
refusal = "tool_error"
"#;

#[test]
fn deny_then_allow_then_default_deny() {
    check(
        SIMPLE,
        &[
            (PRO, "tool read_file", "allow:pro"),
            (FREE, "tool read_file", "allow:read"),
            ("", "tool read_file", "allow:read"),
            ("", "tool list_files", "allow:read"),
            ("", "tool list_files2", "default_deny"),
            ("", "tool List_files", "default_deny"),
            (PRO, "tool read_secret", "denied:no-secrets"),
            (PRO, "tool delete_all", "allow:pro"),
            (FREE, "tool delete_all", "denied:not-free"),
            // Unknown counts against the caller: no claim, no allow; no claim, the deny applies.
            ("", "tool delete_all", "denied:not-free"),
            (r#"{"plan": 7}"#, "tool delete_all", "denied:not-free"),
            (r#"{"plan": "team"}"#, "tool delete_all", "default_deny"),
            // A prompt of that name is something else.
            ("", "prompt read_file", "default_deny"),
            ("", "tools/list", "allow:lifecycle"),
        ],
    );
    let policy = compile(SIMPLE);
    let refused = policy.decide(&principal(FREE), &CONTEXT, &call(&policy, "tool delete_x"), NOW);
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.message().map(|text| &**text), Some("Deleting needs the pro plan."));
    assert_eq!(refusal.style(), Some(RefusalStyle::ToolError));
}

#[test]
fn a_deny_of_a_method_refuses_even_lifecycle() {
    let text = r#"
        [[allow]]
        name = "all"
        everything = true

        [[deny]]
        name = "no-lists"
        methods = ["tools/list"]

        [[deny]]
        name = "blocked"
        when = 'claims.blocked == true'
    "#;
    check(
        text,
        &[
            (r#"{"blocked": false}"#, "tools/list", "denied:no-lists"),
            (r#"{"blocked": false}"#, "prompts/list", "allow:lifecycle"),
            (r#"{"blocked": false}"#, "tool x", "allow:all"),
            (r#"{"blocked": false}"#, "x/y", "allow:all"),
            (r#"{"blocked": true}"#, "initialize", "denied:blocked"),
            (r#"{"blocked": true}"#, "tool x", "denied:blocked"),
            // Not to be blocked must be said.
            ("", "tool x", "denied:blocked"),
        ],
    );
}

#[test]
fn several_selectors_are_a_union() {
    let text = r#"
        [[allow]]
        name = "some"
        tools = ["a"]
        prompts = ["b"]
        resources = ["file:///c/**"]
        methods = ["x/*"]
    "#;
    check(
        text,
        &[
            ("", "tool a", "allow:some"),
            ("", "tool b", "default_deny"),
            ("", "prompt b", "allow:some"),
            ("", "prompt a", "default_deny"),
            ("", "resource file:///c/d/e", "allow:some"),
            ("", "resource file:///d", "default_deny"),
            ("", "x/y", "allow:some"),
            ("", "y/x", "unknown_method"),
        ],
    );
}

#[test]
fn side_doors_are_the_object_that_they_lead_to() {
    let text = r#"
        [[allow]]
        name = "docs"
        prompts = ["greet"]
        resources = ["file:///docs/**"]

        [[allow]]
        name = "rest"
        methods = ["completion/complete", "resources/subscribe", "subscriptions/listen"]

        [[deny]]
        name = "secret"
        prompts = ["secret"]
        resources = ["file:///docs/secret/**"]
    "#;
    check(
        text,
        &[
            ("", "complete-prompt greet", "allow:docs"),
            ("", "complete-prompt secret", "denied:secret"),
            ("", "complete-prompt other", "allow:rest"),
            ("", "complete-resource file:///docs/a", "allow:docs"),
            ("", "complete-resource file:///docs/secret/a", "denied:secret"),
            ("", "subscribe file:///docs/a", "allow:docs"),
            ("", "subscribe file:///docs/secret/a", "denied:secret"),
            ("", "subscriptions/listen file:///docs/a", "allow:docs"),
            ("", "subscriptions/listen file:///docs/a,file:///docs/secret/a", "denied:secret"),
            ("", "subscriptions/listen file:///docs/a,file:///x", "allow:docs"),
            // Read, and there is none.
            ("", "subscriptions/listen ", "allow:rest"),
            // Not read: it could be any.
            ("", "subscriptions/listen", "denied:secret"),
            ("", "completion/complete", "denied:secret"),
            ("", "resources/subscribe", "denied:secret"),
            // A template stands for what it could expand to.
            ("", "complete-resource file:///docs/{path}", "denied:secret"),
            ("", "complete-resource file:///docs/public/{path}", "allow:docs"),
            ("", "complete-resource file:///{path}", "denied:secret"),
            ("", "complete-resource file:///x/{path}", "allow:rest"),
        ],
    );
}

#[test]
fn limits_are_drawn_on_when_the_call_is_permitted() {
    let text = r#"
        [[allow]]
        name = "all"
        tools = ["*"]

        [[deny]]
        name = "no"
        tools = ["no"]

        [[limit]]
        name = "per-caller"
        per = ["claims.sub"]
        rate = "100/min"

        [[limit]]
        name = "search"
        tools = ["search"]
        rate = "10/min"

        [[limit]]
        name = "big"
        tools = ["search"]
        when = 'args.n > 10'
        rate = "1/min"
    "#;
    check(
        text,
        &[
            ("", "tool x", "allow:all limit:per-caller"),
            ("", "tools/list", "allow:lifecycle limit:per-caller"),
            ("", "tool no", "denied:no"),
            ("", "prompt x", "default_deny"),
            ("", r#"tool search with {"n": 1}"#, "allow:all limit:per-caller limit:search"),
            (
                "",
                r#"tool search with {"n": 11}"#,
                "allow:all limit:big limit:per-caller limit:search",
            ),
            // Unknown counts against the caller.
            ("", "tool search", "allow:all limit:big limit:per-caller limit:search"),
            (
                "",
                r#"tool search with {"n": "1"}"#,
                "allow:all limit:big limit:per-caller limit:search",
            ),
        ],
    );
}

#[test]
fn shadow_rules_are_told_and_change_nothing() {
    let text = r#"
        [[allow]]
        name = "a"
        tools = ["a", "b"]

        [[allow]]
        name = "a-shadow"
        tools = ["b", "c"]
        mode = "shadow"

        [[deny]]
        name = "d"
        tools = ["b"]
        when = 'claims.bad == true'

        [[deny]]
        name = "d-shadow"
        tools = ["a", "b"]
        mode = "shadow"

        [[limit]]
        name = "l-shadow"
        tools = ["a", "c"]
        rate = "1/min"
        mode = "shadow"
    "#;
    let good = r#"{"bad": false}"#;
    check(
        text,
        &[
            (good, "tool a", "allow:a shadow:d-shadow shadow:l-shadow"),
            (good, "tool b", "allow:a shadow:d-shadow"),
            (good, "tool c", "default_deny shadow:a-shadow"),
            (r#"{"bad": true}"#, "tool b", "denied:d"),
        ],
    );
    let policy = compile(text);
    let permitted =
        policy.decide(&principal(good), &CONTEXT, &call(&policy, "tool a"), NOW).unwrap();
    assert!(permitted.draws().is_empty());
    assert_eq!(permitted.shadow()[1].draw.unwrap().quota.burst, 1);
}

#[test]
fn an_expired_rule_is_no_rule() {
    let text = r#"
        [[allow]]
        name = "old"
        tools = ["a"]
        expires = 2026-11-21

        [[allow]]
        name = "today"
        tools = ["b"]
        expires = 2026-11-22

        [[allow]]
        name = "all"
        tools = ["c"]

        [[deny]]
        name = "old-deny"
        tools = ["c"]
        expires = 2026-11-21

        [[limit]]
        name = "old-limit"
        rate = "1/min"
        expires = 2020-01-01
    "#;
    check(
        text,
        &[
            ("", "tool a", "default_deny"),
            ("", "tool b", "allow:today"),
            ("", "tool c", "allow:all"),
        ],
    );
    let policy = compile(text);
    let at = |now| policy.decide(&principal(""), &CONTEXT, &call(&policy, "tool b"), now).is_ok();
    assert!(at(NOW + 86_399) && !at(NOW + 86_400));
    let old = |now| policy.decide(&principal(""), &CONTEXT, &call(&policy, "tool c"), now).is_ok();
    assert!(old(NOW) && !old(NOW - 1));
}

#[test]
fn rules_for_other_routes_do_not_apply() {
    let text = r#"
        [[allow]]
        name = "here"
        tools = ["a", "b"]
        routes = ["files"]

        [[allow]]
        name = "there"
        tools = ["c"]
        routes = ["other"]

        [[deny]]
        name = "not-there"
        tools = ["a"]
        routes = ["other"]
    "#;
    check(text, &[("", "tool a", "allow:here"), ("", "tool c", "default_deny")]);
    let policy = compile(text);
    let other = Context { route: "other", ..CONTEXT };
    let at = |words| policy.decide(&principal(""), &other, &call(&policy, words), NOW).is_ok();
    assert!(!at("tool a") && !at("tool b") && at("tool c"));
}

#[test]
fn missing_scopes_are_named() {
    let text = r#"
        [[allow]]
        name = "write"
        tools = ["write_*"]
        scopes = ["files:write", "files:read"]

        [[allow]]
        name = "write-log"
        tools = ["write_log"]

        [[deny]]
        name = "never"
        tools = ["write_never"]
    "#;
    let both = r#"{"scope": "files:read files:write"}"#;
    let one = r#"{"scope": "files:read"}"#;
    check(
        text,
        &[
            (both, "tool write_x", "allow:write"),
            (one, "tool write_x", "insufficient_scope:write"),
            ("", "tool write_x", "insufficient_scope:write"),
            ("", "tool write_log", "allow:write-log"),
            ("", "tool write_never", "denied:never"),
            ("", "tool other", "default_deny"),
        ],
    );
    let policy = compile(text);
    let refused = policy.decide(&principal(one), &CONTEXT, &call(&policy, "tool write_x"), NOW);
    assert_eq!(refused.unwrap_err().scopes().join(" "), "files:write files:read");
}

#[test]
fn server_requests_are_decided_by_their_own_selector() {
    let text = r#"
        [[allow]]
        name = "elicit"
        server_requests = ["elicitation/create"]
        when = 'claims.plan == "pro"'

        [[allow]]
        name = "method"
        methods = ["sampling/createMessage"]
    "#;
    let policy = compile(text);
    for (claims, method, want) in [
        (PRO, "elicitation/create", true),
        (FREE, "elicitation/create", false),
        (PRO, "sampling/createMessage", false),
        (PRO, "roots/list", false),
        (PRO, "ping", true),
        (PRO, "tools/call", false),
    ] {
        let call = call(&policy, method);
        let decided = policy.decide_server_request(&principal(claims), &CONTEXT, &call, NOW);
        assert_eq!(decided.is_ok(), want, "{claims} {method}");
    }
    // And the other way round.
    check(text, &[(PRO, "elicitation/create", "default_deny")]);
}

#[test]
fn without_rules_only_lifecycle_passes() {
    check(
        "",
        &[
            ("", "initialize", "allow:lifecycle"),
            ("", "server/discover", "allow:lifecycle"),
            ("", "ping", "allow:lifecycle"),
            ("", "logging/setLevel", "allow:lifecycle"),
            ("", "tools/list", "allow:lifecycle"),
            ("", "prompts/list", "allow:lifecycle"),
            ("", "resources/list", "allow:lifecycle"),
            ("", "resources/templates/list", "allow:lifecycle"),
            ("", "notifications/initialized", "allow:lifecycle"),
            ("", "notifications/cancelled", "allow:lifecycle"),
            ("", "tool search", "default_deny"),
            ("", "prompt p", "default_deny"),
            ("", "resource file:///a", "default_deny"),
            ("", "subscribe file:///a", "default_deny"),
            ("", "complete-prompt p", "default_deny"),
            ("", "subscriptions/listen", "default_deny"),
            ("", "sampling/createMessage", "default_deny"),
            ("", "tasks/get", "default_deny"),
            ("", "tools/Call", "unknown_method"),
            ("", "x/y", "unknown_method"),
            ("", "", "unknown_method"),
        ],
    );
}

/// A task is the call that made it, whose arguments are not asked for again (T15).
#[test]
fn tasks_are_the_tool_that_made_them() {
    check(
        r#"
        [[allow]]
        name = "write-own"
        tools = ["write", "list_*"]
        when = 'args.path.startsWith("/home/" + claims.sub + "/")'
        [[allow]]
        name = "pro-only"
        tools = ["export"]
        when = 'claims.plan == "pro" && args.size < 10'
        [[allow]]
        name = "polls"
        methods = ["tasks/cancel"]
        [[deny]]
        name = "never-all"
        tools = ["list_all"]
        [[deny]]
        name = "not-root"
        tools = ["write"]
        when = 'args.path == "/"'
        [[deny]]
        name = "not-small"
        tools = ["export"]
        when = 'args.size < 0 || claims.plan == "lapsed"'
        [[limit]]
        name = "writes"
        tools = ["write"]
        rate = "10/min"
        [[limit]]
        name = "tasks"
        methods = ["tasks/*"]
        rate = "100/min"
        [[limit]]
        name = "all"
        rate = "1000/min"
        "#,
        &[
            // The call itself, and what follows it up.
            (
                FREE,
                r#"tool write with {"path":"/home/u1/a"}"#,
                "allow:write-own limit:all limit:writes",
            ),
            (FREE, "tool write", "denied:not-root"),
            (FREE, "task write", "allow:write-own limit:all limit:tasks"),
            (FREE, "task list_x", "allow:write-own limit:all limit:tasks"),
            // No arguments could make it pass any more.
            (FREE, "task list_all", "denied:never-all"),
            (FREE, "task export", "default_deny"),
            (PRO, "task export", "allow:pro-only limit:all limit:tasks"),
            (r#"{"sub": "u1", "plan": "lapsed"}"#, "task export", "denied:not-small"),
            (FREE, "task unknown", "default_deny"),
            // Of what nothing is known every deny of a tool may be meant.
            (FREE, "tasks/get", "denied:never-all"),
            (FREE, "tasks/cancel", "denied:never-all"),
        ],
    );
}
