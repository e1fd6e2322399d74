//! `[[test]]` stanzas: run, and found to be wrong when they are.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use mcpfw::policy::language::codes;
use mcpfw::policy::{Permitted, RuleId};

use super::decisions::{NOW, compile};

/// The first file of policy-language.md, as far as it is in force.
const FILES: &str = r#"
[[allow]]
name = "search"
tools = ["search"]

[[allow]]
name = "read-files"
tools = ["read_*", "list_files"]
when = 'claims.plan in ["free", "pro"]'

[[allow]]
name = "write-own-sandbox"
tools = ["write_file"]
when = 'args.path.startsWith("/sandbox/" + claims.sub + "/")'

[[deny]]
name = "no-deletes-on-free"
tools = ["delete_*"]
when = 'claims.plan == "free"'
message = "Deleting needs the pro plan."

[[limit]]
name = "search-by-plan"
tools = ["search"]
per = ["claims.sub"]
tier = "claims.plan"
rate = { free = "10/min", pro = "100/min", default = "5/min" }
"#;

/// Admits as many calls as the smallest burst of its first draw allows; time does not refill it.
fn counter() -> impl FnMut(Permitted, u64) -> Result<(), RuleId> {
    let mut taken = 0;
    move |permitted, _| {
        let Some(draw) = permitted.draws().first() else { return Ok(()) };
        if taken + draw.cost > draw.quota.burst {
            return Err(draw.rule);
        }
        taken += draw.cost;
        Ok(())
    }
}

/// Runs the one test of `test` and returns what is found.
fn run(test: &str) -> Option<String> {
    let policy = compile(&format!("{FILES}\n[[test]]\nname = \"t\"\n{test}"));
    let found = policy.tests()[0].run(&policy, NOW, counter())?;
    assert_eq!(found.code, codes::FAILED_TEST);
    assert!(found.span().is_some());
    Some(found.labels[0].text.clone())
}

#[test]
fn examples_hold_or_say_what_came_instead() {
    for (test, want) in [
        (
            r#"as = { sub = "u1", plan = "free" }
               call = { tool = "search", args = { q = "rust" } }
               repeat = 11
               expect = { allow = 10, limit = 1 }
               by = "search-by-plan""#,
            None,
        ),
        (
            r#"as = { sub = "u1", plan = "free" }
               call = { tool = "search" }
               repeat = 11
               expect = "allow""#,
            Some("expected 11 allow, found 10 allow, 1 limit"),
        ),
        (
            r#"call = { tool = "search" }
            expect = "allow"
            by = "search""#,
            None,
        ),
        (
            r#"call = { tool = "search" }
            expect = "allow"
            by = "read-files""#,
            Some("decided by search"),
        ),
        (
            r#"as = { sub = "u1", plan = "pro" }
            call = { tool = "read_x" }
            expect = "allow""#,
            None,
        ),
        (
            r#"call = { tool = "read_x" }
            expect = "allow""#,
            Some("expected 1 allow, found 1 deny"),
        ),
        (
            r#"as = { sub = "u1" }
            call = { tool = "write_file", args = { path = "/sandbox/u1/x" } }
            expect = "allow"
            by = "write-own-sandbox""#,
            None,
        ),
        (
            r#"as = { sub = "u1" }
            call = { tool = "write_file", args = { path = "/sandbox/u2/x" } }
            expect = "deny""#,
            None,
        ),
        (
            r#"as = { sub = "u1" }
            call = { tool = "write_file" }
            expect = "deny""#,
            None,
        ),
        (
            r#"as = { plan = "free" }
            call = { tool = "delete_x" }
            expect = "deny"
            by = "no-deletes-on-free""#,
            None,
        ),
        (
            r#"as = { plan = "pro" }
            call = { tool = "delete_x" }
            expect = "deny"
            by = "no-deletes-on-free""#,
            Some("decided by no rule"),
        ),
        (
            r#"call = { method = "tools/list" }
            expect = "allow""#,
            None,
        ),
        (
            r#"call = { method = "resources/subscribe", resource = "file:///a" }
            expect = "deny""#,
            None,
        ),
    ] {
        assert_eq!(run(test).as_deref(), want, "{test}");
    }
}

/// What a server asks is another thing than what a client calls, in a test as on the wire.
#[test]
fn requests_of_the_server_are_examples_too() {
    let forms = "[[allow]]\nname = \"forms\"\nserver_requests = [\"elicitation/create\"]\nwhen = 'args.mode == \"form\"'\n\
        [[limit]]\nname = \"few\"\nserver_requests = [\"*\"]\nrate = \"2/min\"\n[[test]]\nname = \"t\"\n";
    for (test, want) in [
        (
            r#"call = { server_request = "elicitation/create", args = { mode = "form" } }
            repeat = 3
            expect = { allow = 2, limit = 1 }
            by = "few""#,
            None,
        ),
        (
            r#"call = { server_request = "elicitation/create", args = { mode = "url" } }
            expect = "deny""#,
            None,
        ),
        (
            r#"call = { method = "elicitation/create", args = { mode = "form" } }
            expect = "allow""#,
            Some("expected 1 allow, found 1 deny"),
        ),
        (
            r#"call = { server_request = "roots/list" }
            expect = "deny""#,
            None,
        ),
    ] {
        let policy = compile(&format!("{forms}{test}"));
        let found = policy.tests()[0].run(&policy, NOW, counter());
        assert_eq!(found.map(|it| it.labels[0].text.clone()).as_deref(), want, "{test}");
        assert!(want.is_some() || test.contains("deny") || policy.untested(NOW).is_empty());
    }
}

#[test]
fn time_passes_between_the_calls_of_a_test() {
    let policy = compile(
        "[[allow]]\nname = \"a\"\ntools = [\"x\"]\nexpires = 2026-11-22\n\
         [[test]]\nname = \"t\"\ncall = { tool = \"x\" }\nrepeat = 3\nevery = \"12h\"\nexpect = { allow = 2, deny = 1 }",
    );
    let mut times = Vec::new();
    let found = policy.tests()[0].run(&policy, NOW, |_, at| {
        times.push(at);
        Ok(())
    });
    assert!(found.is_none());
    assert_eq!(times, [0, 43_200_000_000]);
}
