//! Nanoseconds of a condition, by what it reads, beside the `cel` crate's interpreter on the same values.
//!
//! `cargo bench --bench expr`. The interpreter looks variables up by name and owns what it makes; a condition here
//! was resolved when the policy was read, and borrows.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::IpAddr;

use criterion::{Criterion, criterion_group, criterion_main};
use mcpfw::policy::expr::{Expr, Scope};
use mcpfw::policy::{Arg, Args, Call, Captures, Context, Object, Principal, Value};
use mcpfw::wire::mcp::{ObjectKind, Revision};
use serde_json::{Value as Json, json};

const CONDITIONS: &[(&str, &str)] = &[
    ("claim is a string", r#"claims.plan == "pro""#),
    ("claim in 2", r#"claims.plan in ["free", "pro"]"#),
    ("claim in 26", "claims.country in COUNTRIES"),
    ("nested claim is a number", "claims.org.seats >= 10"),
    ("in a list of 8", r#""ops" in claims.roles"#),
    ("has", "has(claims.org.id)"),
    ("absent", r#"claims.absent == "x""#),
    ("argument starts with pieces", r#"args.path.startsWith("/sandbox/" + claims.sub + "/")"#),
    ("argument contains", r#"args.query.contains("drop table")"#),
    ("argument matches", r#"args.path.matches("^/sandbox/[a-z0-9]+/[a-z.]+$")"#),
    ("address in net", r#"cidr("10.0.0.0/8").containsIP(client.ip)"#),
    ("every of 8", r#"claims.roles.all(r, r != "root")"#),
    (
        "four atoms",
        r#"claims.plan == "pro" && claims.org.seats > 1 && has(args.path) && !(args.count > 100)"#,
    ),
];

fn world() -> (Json, Json) {
    let claims = json!({
        "iss": "https://id.example", "sub": "u1", "aud": "mcp", "exp": 1_800_000_000, "iat": 1_700_000_000, "jti": "x",
        "scope": "files:read", "plan": "pro", "country": "AT", "email": "a@example.com", "name": "A", "absentee": 1,
        "roles": ["dev", "qa", "sre", "web", "api", "doc", "ops", "sec"], "org": {"id": "acme", "seats": 25},
    });
    let args = json!({"path": "/sandbox/u1/report.txt", "query": "how do I list the tables of a schema", "count": 5});
    (claims, args)
}

fn conditions(criterion: &mut Criterion) {
    let (claims, args) = world();
    let countries: Vec<String> = (b'A'..=b'Z').map(|c| format!("\"A{}\"", char::from(c))).collect();
    let principal = Principal::supposed(Value::from(&claims));
    let context = Context { route: "files", host: "h", sni: None, ip: IpAddr::from([10, 1, 2, 3]) };
    for (name, text) in CONDITIONS {
        let text = text.replace("COUNTRIES", &format!("[{}]", countries.join(", ")));
        let mut captures = Captures::new();
        let Ok(expr) = Expr::parse(&text, &mut captures) else { continue };
        let mut captured = Args::new(&captures);
        for (member, value) in args.as_object().into_iter().flatten() {
            if let Some(slot) = captures.child(0, member).and_then(|at| captures.slot(at)) {
                captured.set(slot, Arg::Value(Value::from(value)));
            }
        }
        let call = Call {
            method: "tools/call".into(),
            object: Some(Object { kind: ObjectKind::Tool, name: "search".into() }),
            revision: Revision::V2025_06_18,
            is_request: true,
            is_retry: false,
            args: captured,
            subscriptions: None,
        };
        let scope = Scope { principal: &principal, context: &context, call: &call, tool: None };
        let mut group = criterion.benchmark_group(*name);
        group.bench_function("eval", |b| b.iter(|| black_box(&expr).eval(black_box(&scope))));
        group.bench_function("possible", |b| {
            b.iter(|| black_box(&expr).possible(black_box(&scope)));
        });
        // What it has no function for is not compared.
        if let (Ok(program), false) =
            (cel::Program::compile(&text), text.contains("cidr") || text.contains("matches"))
        {
            let mut context = cel::Context::default();
            for (root, value) in HashMap::from([("claims", &claims), ("args", &args)]) {
                if let Ok(value) = cel::to_value(value) {
                    context.add_variable_from_value(root, value);
                }
            }
            group.bench_function("cel", |b| {
                b.iter(|| black_box(&program).execute(black_box(&context)));
            });
        }
        group.finish();
    }
    criterion.bench_function("parse", |b| {
        b.iter(|| {
            Expr::parse(
                black_box(r#"args.path.startsWith("/sandbox/" + claims.sub + "/")"#),
                &mut Captures::new(),
            )
        });
    });
}

criterion_group!(benches, conditions);
criterion_main!(benches);
