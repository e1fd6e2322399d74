//! Bench: policy. A decision at 1, 100 and 10 000 rules, of which one mentions the target; the same question put to
//! the `cel` interpreter, for scale.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and says what it measured"
)]

#[path = "support/memory.rs"]
mod memory;

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mcpfw::diagnostic::Sources;
use mcpfw::policy::{Args, Call, CompileOptions, Context, Object, Policy, Principal, Value};
use mcpfw::wire::mcp::{ObjectKind, Revision};

use self::memory::memory_kib;

/// 2026-11-22T00:00:00Z.
const NOW: u64 = 1_795_305_600;

const CONTEXT: Context<'static> =
    Context { route: "files", host: "localhost", sni: None, ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };

/// The rules that the benchmarks ask about.
const ASKED: &str = r#"
[[allow]]
name = "exact"
tools = ["search"]

[[allow]]
name = "claim"
tools = ["for_pro"]
when = 'claims.plan in ["pro", "team"]'

[[allow]]
name = "glob"
tools = ["read_*"]

[[allow]]
name = "argument"
tools = ["write_file"]
when = 'args.path.startsWith("/sandbox/" + claims.sub + "/")'

[[allow]]
name = "deletes"
tools = ["delete_file"]

[[deny]]
name = "deny"
tools = ["delete_*"]
when = 'claims.plan != "free"'

[[allow]]
name = "limited"
tools = ["export"]

[[limit]]
name = "limit"
tools = ["export"]
per = ["claims.sub"]
tier = "claims.plan"
rate = { free = "10/min", pro = "100/min", default = "5/min" }
"#;

/// [`ASKED`] and so many rules of other targets that there are `count`; a few more where `count` is 1.
fn policy(count: usize) -> Arc<Policy> {
    let mut text = ASKED.to_owned();
    for i in 0..count.saturating_sub(8) {
        let (stanza, extra) = match i % 4 {
            0 => ("allow", format!("tools = [\"tool_{i}\"]\nwhen = 'claims.team == \"t{i}\"'")),
            1 => ("deny", format!("tools = [\"group_{i}_*\"]")),
            2 => ("allow", format!("tools = [\"group_{i}_*\"]\nwhen = 'args.x{} > {i}'", i % 50)),
            _ => ("limit", format!("tools = [\"tool_{i}\"]\nrate = \"{}/min\"", i % 100 + 1)),
        };
        writeln!(text, "[[{stanza}]]\nname = \"rule-{i}\"\n{extra}\n").unwrap();
    }
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    Policy::compile(&sources, &CompileOptions::new(NOW)).policy.unwrap()
}

fn principal() -> Principal {
    Principal::supposed(Value::map([
        ("iss", Value::from("https://id.example.com/")),
        ("sub", Value::from("user-1")),
        ("plan", Value::from("pro")),
    ]))
}

fn call(policy: &Policy, tool: &str) -> Call {
    let args = Value::map([("path", Value::from("/sandbox/user-1/notes.txt"))]);
    Call {
        method: "tools/call".into(),
        object: Some(Object { kind: ObjectKind::Tool, name: tool.into() }),
        revision: Revision::V2025_11_25,
        is_request: true,
        is_retry: false,
        args: Args::capture(policy.captures(), Some(&args)),
        subscriptions: None,
    }
}

fn decide(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    for count in [1, 100, 10_000] {
        let policy = policy(count);
        let principal = principal();
        for (name, tool, is_allowed) in [
            ("exact", "search", true),
            ("claim", "for_pro", true),
            ("glob", "read_a_file", true),
            ("argument", "write_file", true),
            ("deny", "delete_file", false),
            ("limit", "export", true),
            ("default_deny", "unheard_of", false),
        ] {
            let call = call(&policy, tool);
            let ask = || policy.decide(black_box(&principal), &CONTEXT, black_box(&call), NOW);
            assert_eq!(ask().is_ok(), is_allowed, "{name}");
            group.bench_function(BenchmarkId::new(name, count), |b| b.iter(ask));
        }
        let search = call(&policy, "search");
        let needs = || policy.needs(black_box("tools/call"), black_box(search.object.as_ref()));
        group.bench_function(BenchmarkId::new("needs", count), |b| b.iter(needs));
    }
    group.finish();
}

/// A list of 1 000 tools, filtered.
fn lists(c: &mut Criterion) {
    let mut group = c.benchmark_group("lists_1000_tools");
    for count in [1, 100, 10_000] {
        let policy = policy(count);
        let principal = principal();
        let names: Vec<String> = (0..1000)
            .map(|i| match i % 4 {
                0 => format!("read_{i}"),
                1 => format!("tool_{i}"),
                2 => format!("group_{i}_x"),
                _ => format!("delete_{i}"),
            })
            .collect();
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| {
                let is_shown = |name: &&String| {
                    let revision = Revision::V2025_11_25;
                    policy.lists(&principal, &CONTEXT, revision, ObjectKind::Tool, name, NOW)
                };
                names.iter().filter(is_shown).count()
            });
        });
    }
    group.finish();
}

/// The argument predicate, by the interpreter of the `cel` crate: parsed before, context built for each call.
fn interpreter(c: &mut Criterion) {
    let program =
        cel::Program::compile(r#"args.path.startsWith("/sandbox/" + claims.sub + "/")"#).unwrap();
    c.bench_function("cel_interpreter/argument", |b| {
        b.iter(|| {
            let mut context = cel::Context::default();
            let map = |name: &str, value: &str| {
                std::collections::HashMap::from([(name.to_owned(), value.to_owned())])
            };
            context.add_variable("args", map("path", "/sandbox/user-1/notes.txt")).unwrap();
            context.add_variable("claims", map("sub", "user-1")).unwrap();
            program.execute(&context).unwrap()
        });
    });
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    group.sample_size(10);
    for count in [100, 10_000] {
        group.bench_function(BenchmarkId::from_parameter(count), |b| b.iter(|| policy(count)));
    }
    group.finish();
}

/// Rules that are held at one time: what one set takes is seen above what the process has anyway.
const HELD: usize = 20_000;

/// What a compiled set keeps: its rules, their conditions, the index over them. Before all else, while little memory is free.
fn memory_of_sets(_: &mut Criterion) {
    // Held to the end: what is given back would be taken again, and not be seen.
    let mut kept = Vec::new();
    for count in [100, 1_000, 10_000] {
        // What compiling needs for a while is there already.
        let first = policy(count);
        let before = memory_kib(std::process::id(), "VmRSS");
        let held: Vec<Arc<Policy>> = (0..HELD / count).map(|_| policy(count)).collect();
        let grown = memory_kib(std::process::id(), "VmRSS").saturating_sub(before);
        let each = grown / held.len() as u64;
        println!("memory of a compiled set of {count} rules: {each} KiB, with its index");
        kept.push((first, held));
    }
}

criterion_group!(benches, memory_of_sets, decide, lists, interpreter, compile);
criterion_main!(benches);
