//! Properties of conditions: no text and no values make reading or evaluating one fail, every problem has a place,
//! and what comes out was possible.

use std::net::IpAddr;

use serde_json::Value as Json;

use crate::policy::expr::{Expr, ExprProblem, Scope, Truth};
use crate::policy::{Args, Call, Captures, Context, Principal, Value};
use crate::wire::mcp::Revision;

/// `data` is the text of a condition and, after a NUL each, the claims and the arguments as JSON. What is missing
/// or is no JSON is an empty object.
pub fn condition(data: &[u8]) {
    let Ok(data) = std::str::from_utf8(data) else { return };
    let mut parts = data.splitn(3, '\0');
    let text = parts.next().unwrap_or("");
    let mut object = || parts.next().and_then(|json| serde_json::from_str(json).ok());
    let (claims, args) = (object().unwrap_or_default(), object().unwrap_or_default());
    let mut captures = Captures::new();
    match Expr::parse(text, &mut captures) {
        Err(problems) => places(text, &problems),
        Ok(expr) => evaluated(&expr, &captures, &claims, &args),
    }
}

fn places(text: &str, problems: &[ExprProblem]) {
    assert!(!problems.is_empty(), "a refusal without a reason");
    for problem in problems {
        let spans = problem.also.iter().map(|(span, _)| span).chain([&problem.span]);
        for span in spans {
            assert!(text.get(span.clone()).is_some(), "{problem:?} is nowhere");
        }
    }
    assert!(problems.is_sorted_by_key(|problem| problem.span.start), "in the order of the text");
}

fn evaluated(expr: &Expr, captures: &Captures, claims: &Json, args: &Json) {
    let principal = Principal::supposed(Value::from(claims));
    let ip = IpAddr::from([10, 1, 2, 3]);
    let context = Context { route: "r", host: "h", sni: None, ip };
    let mut call = Call {
        method: "tools/call".into(),
        object: None,
        revision: Revision::V2025_06_18,
        is_request: true,
        is_retry: false,
        args: Args::new(captures),
        subscriptions: None,
    };
    let none = seen(expr, &principal, &context, &call);
    call.args = Args::capture(captures, Some(&Value::from(args)));
    call.is_retry = true;
    let some = seen(expr, &principal, &context, &call);
    assert_eq!(none.1, some.1, "what is possible does not hang on the call's arguments");
    let negated = format!("!({})", expr.text());
    if let Ok(negated) = Expr::parse(&negated, &mut captures.clone()) {
        let (not, _) = seen(&negated, &principal, &context, &call);
        assert_eq!(!not, some.0, "negation");
    }
}

fn seen(
    expr: &Expr,
    principal: &Principal,
    context: &Context<'_>,
    call: &Call,
) -> (Truth, crate::policy::expr::Possible) {
    let scope = Scope { principal, context, call, tool: None };
    let (truth, possible) = (expr.eval(&scope), expr.possible(&scope));
    assert!(possible.contains(truth), "{truth} came out, but only {possible:?} is possible");
    for condition in expr.conditions(&scope) {
        assert!(expr.text().get(condition.span.clone()).is_some(), "{condition:?} is nowhere");
    }
    (truth, possible)
}
