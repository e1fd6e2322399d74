//! What `explain` says, to people and to programs.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::decisions::{CONTEXT, NOW, call, compile, principal};

const RULES: &str = r#"
[[allow]]
name = "write-own-sandbox"
tools = ["write_file"]
when = 'args.path.startsWith("/sandbox/" + claims.sub + "/") && claims.plan in ["free", "pro"]'

[[allow]]
name = "admin"
everything = true
scopes = ["admin"]

[[allow]]
name = "exception"
tools = ["*"]
expires = 2026-01-01

[[deny]]
name = "no-climbing"
tools = ["write_*"]
when = 'args.path.contains("..")'

[[deny]]
name = "elsewhere"
tools = ["write_*"]
routes = ["search"]

[[deny]]
name = "maybe-later"
tools = ["write_file"]
mode = "shadow"

[[limit]]
name = "writes"
tools = ["write_*"]
per = ["claims.sub"]
rate = "10/min"
cost = 2

[[limit]]
name = "reads"
tools = ["read_*"]
rate = "10/min"
"#;

fn explain(claims: &str, words: &str) -> mcpfw::policy::Explanation {
    let policy = compile(RULES);
    policy.explain(&principal(claims), &CONTEXT, &call(&policy, words), NOW)
}

#[test]
fn a_permission_is_explained() {
    let said = explain(
        r#"{"sub": "ann", "plan": "free"}"#,
        r#"tool write_file with {"path": "/sandbox/ann/x"}"#,
    );
    insta::assert_snapshot!(said.to_string(), @"");
}

#[test]
fn a_refusal_is_explained() {
    let said = explain(r#"{"plan": "gold"}"#, r#"tool write_file with {"path": "/sandbox/x"}"#);
    insta::assert_snapshot!(said.to_string(), @"");
}

#[test]
fn programs_are_told_the_same() {
    let said = explain("", "tool write_file with {\"path\": \"..\"}").to_json();
    assert_eq!(said["verdict"], "deny");
    assert_eq!(said["reason"], "denied");
    assert_eq!(said["rule"], "no-climbing");
    let rules = said["rules"].as_array().expect("a list");
    let outcomes: Vec<String> =
        rules.iter().map(|rule| format!("{} {}", rule["rule"], rule["outcome"])).collect();
    insta::assert_snapshot!(outcomes.join("\n"), @"");
}
