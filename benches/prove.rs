//! Bench: prove. Asserts, needless rules and the difference of two sets, over sets such as an organisation of many teams
//! writes; compiling the same set, for scale.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mcpfw::diagnostic::Sources;
use mcpfw::policy::{CompileOptions, Policy, Verdict};

/// 2026-11-22T00:00:00Z.
const NOW: u64 = 1_795_305_600;

/// A set of `rules` rules and `asserts` asserts: teams with tools of their own, plans, sandboxes, guard rails over all.
fn text(rules: usize, asserts: usize) -> String {
    let mut text = String::new();
    for i in 0..rules {
        let team = i / 5;
        let (stanza, body) = match i % 5 {
            0 => (
                "allow",
                format!(
                    "tools = [\"team{team}_read_*\", \"team{team}_list\"]\nwhen = 'claims.team == \"t{team}\" && claims.plan in [\"free\", \"pro\"]'"
                ),
            ),
            1 => (
                "allow",
                format!(
                    "tools = [\"team{team}_write\"]\nwhen = 'claims.team == \"t{team}\" && args.path.startsWith(\"/sandbox/{team}/\")'"
                ),
            ),
            2 => (
                "allow",
                format!(
                    "tools = [\"team{team}_delete_file\"]\nwhen = 'claims.team == \"t{team}\" && \"admin\" in claims.roles && args.count < {}'",
                    team % 40
                ),
            ),
            3 if team % 20 == 0 => (
                "deny",
                format!(
                    "tools = [\"*_delete_*\"]\nwhen = 'claims.plan == \"free\" || claims.level < {team}'"
                ),
            ),
            3 => (
                "deny",
                format!("tools = [\"team{team}_delete_*\"]\nwhen = 'claims.plan != \"pro\"'"),
            ),
            _ => (
                "limit",
                format!(
                    "tools = [\"team{team}_*\"]\nper = [\"claims.sub\"]\nrate = \"{}/min\"",
                    team % 100 + 1
                ),
            ),
        };
        writeln!(text, "[[{stanza}]]\nname = \"rule-{i}\"\n{body}\n").unwrap();
    }
    for i in 0..asserts {
        let body = match i % 4 {
            0 => format!(
                "tools = [\"team{i}_delete_*\"]\nwhen = 'claims.plan != \"pro\"'\nnever = \"allow\""
            ),
            1 => format!(
                "tools = [\"team{i}_write\"]\nwhen = '!args.path.startsWith(\"/sandbox/\")'\nnever = \"allow\""
            ),
            2 => {
                "tools = [\"*_delete_*\"]\nwhen = '!(\"admin\" in claims.roles)'\nnever = \"allow\""
                    .to_owned()
            }
            _ => format!(
                "tools = [\"team{i}_list\"]\nwhen = 'claims.team == \"t{i}\" && claims.plan == \"pro\"'\nalways = \"allow\""
            ),
        };
        writeln!(text, "[[assert]]\nname = \"assert-{i}\"\n{body}\n").unwrap();
    }
    text
}

fn compile(text: String) -> Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    Policy::compile(&sources, &CompileOptions::new(NOW)).policy.unwrap()
}

fn prove(c: &mut Criterion) {
    let mut group = c.benchmark_group("prove");
    group.sample_size(10);
    for rules in [10, 100, 1000] {
        let policy = compile(text(rules, 50));
        let proved = |verdict: &Verdict| matches!(verdict, Verdict::Proved | Verdict::Refuted(_));
        assert!(policy.asserts(NOW).iter().all(|(_, verdict)| proved(verdict)));
        group.bench_function(BenchmarkId::new("asserts_50", rules), |b| {
            b.iter(|| black_box(&policy).asserts(NOW));
        });
        group.bench_function(BenchmarkId::new("everything", rules), |b| {
            b.iter(|| black_box(&policy).prove("policies", NOW));
        });
        let other = compile(text(rules, 0).replace("args.count < 7", "args.count < 8"));
        group.bench_function(BenchmarkId::new("against", rules), |b| {
            b.iter(|| black_box(&policy).against(&other, NOW));
        });
        group.bench_function(BenchmarkId::new("compile", rules), |b| {
            b.iter(|| compile(text(rules, 50)));
        });
    }
    group.finish();
}

criterion_group!(benches, prove);
criterion_main!(benches);
