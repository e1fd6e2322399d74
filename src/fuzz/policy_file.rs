//! Properties of policy files: whatever the text, compilation ends, findings point into it, and what compiles
//! decides as the linear scan does.

use crate::diagnostic::{Diagnostic, Sources, Span, render};
use crate::policy::language::codes;
use crate::policy::{Args, Call, CompileOptions, Context, Object, Policy, Principal, Value, naive};
use crate::wire::mcp::{ObjectKind, Revision};

/// Longest text that is tried: real files are a tenth of it, and the fuzzer is to spend its time on variety.
const MAX_TEXT: usize = 32 * 1024;

/// Names taken from the text for calls.
const MAX_NAMES: usize = 12;

/// 2026-11-22T00:00:00Z, so that dates in seeds mean what they say.
const NOW: u64 = 1_795_305_600;

/// Compiles `data` as a policy file, checks every finding, and puts the policy to calls made of its own words.
pub fn policy_file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if text.len() > MAX_TEXT {
        return;
    }
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    let options = CompileOptions::new(NOW);
    let compiled = Policy::compile(&sources, &options);
    let has_errors = compiled.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(
        compiled.policy.is_none(),
        has_errors,
        "a policy comes out unless something is wrong"
    );
    for finding in &compiled.diagnostics {
        check(&sources, text, finding);
    }
    let shown = render::human(&sources, &compiled.diagnostics, render::Look::PLAIN);
    assert_eq!(shown.is_empty(), compiled.diagnostics.is_empty(), "what is found is shown");
    assert!(!render::json(&sources, &compiled.diagnostics).is_empty(), "json has a frame");
    if let Some(policy) = compiled.policy {
        ask(&policy, text);
    }
}

fn check(sources: &Sources, text: &str, finding: &Diagnostic) {
    assert!(codes::ALL.iter().any(|info| info.code == finding.code), "unknown code: {finding:?}");
    assert!(!finding.message.is_empty(), "no message: {finding:?}");
    assert!(finding.span().is_some(), "no place: {finding:?}");
    let is_inside =
        |span: Span| sources.source(span.source).is_some() && text.get(span.range()).is_some();
    let edits = finding.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
    for span in finding.labels.iter().map(|label| label.span).chain(edits) {
        assert!(is_inside(span), "{span:?} is not in the text: {finding:?}");
    }
}

fn ask(policy: &Policy, text: &str) {
    let context = Context {
        route: "files",
        host: "localhost",
        sni: None,
        ip: std::net::Ipv4Addr::LOCALHOST.into(),
    };
    let claims = Value::map([("sub", Value::from("u1")), ("plan", Value::from("pro"))]);
    let callers = [Principal::anonymous(), Principal::supposed(claims)];
    let args = Value::map([("path", Value::from("/sandbox/u1/x")), ("n", Value::from(7_i64))]);
    for name in text.split(['"', '\'']).filter(|name| name.len() < 200).take(MAX_NAMES) {
        for (method, kind) in [
            ("tools/call", Some(ObjectKind::Tool)),
            ("prompts/get", Some(ObjectKind::Prompt)),
            ("resources/read", Some(ObjectKind::Resource)),
            ("completion/complete", Some(ObjectKind::Resource)),
            (name, None),
        ] {
            let call = Call {
                method: method.into(),
                object: kind.map(|kind| Object { kind, name: name.into() }),
                revision: Revision::V2025_11_25,
                is_request: true,
                is_retry: false,
                args: Args::capture(policy.captures(), Some(&args)),
                subscriptions: None,
            };
            for caller in &callers {
                put(policy, caller, &context, &call);
            }
        }
    }
}

fn put(policy: &Policy, caller: &Principal, context: &Context<'_>, call: &Call) {
    let decided = policy.decide(caller, context, call, NOW);
    let scanned = naive::decide(policy, caller, context, call, NOW);
    assert_eq!(decided, scanned, "the index is the linear scan: {call:?}");
    let explained = policy.explain(caller, context, call, NOW);
    assert_eq!(explained.verdict(), decided.as_ref(), "an explanation is the decision: {call:?}");
    assert!(!explained.to_string().is_empty(), "an explanation says something");
    let Some(object) = &call.object else { return };
    let is_shown = policy.lists(caller, context, call.revision, object.kind, &object.name, NOW);
    let is_used = &*call.method != "completion/complete";
    assert!(is_shown || decided.is_err() || !is_used, "what can be called is listed: {call:?}");
    assert!(is_shown || policy.may_hide(object.kind), "hidden, though nothing may be: {call:?}");
}
