//! Records of the audit log judged by a set of 1 000 rules, on one core, beside `serde_json::Value` of the same lines.
//!
//! Target: 500 000 records a second.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcpfw::diagnostic::Sources;
use mcpfw::policy::{CompileOptions, Policy};
use mcpfw::replay::{Judge, Line, Place, Reader, Tally};

const RULES: usize = 1000;
const RECORDS: usize = 10_000;

fn policy() -> Arc<Policy> {
    let mut text = String::new();
    for at in 0..RULES {
        let (kind, when) = match at % 4 {
            0 => ("deny", format!("claims.plan == \"p{}\"", at % 7)),
            1 => ("allow", format!("args.path.startsWith(\"/srv/{at}/\")")),
            _ => ("allow", "claims.plan in [\"free\", \"pro\"]".to_owned()),
        };
        let tool = at % 500;
        writeln!(text, "[[{kind}]]\nname = \"r{at}\"\ntools = [\"tool_{tool}\"]\nwhen = '{when}'")
            .unwrap();
    }
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    Policy::compile(&sources, &CompileOptions::new(0)).policy.unwrap()
}

/// Lines as `run` writes them: 500 tools, 200 callers, a claim and an argument.
fn lines() -> Vec<String> {
    (0..RECORDS)
        .map(|at| {
            let (tool, user) = (at * 7 % 500, at * 13 % 200);
            let plan = if user % 3 == 0 { "pro" } else { "free" };
            format!(
                "{{\"time\":\"2026-11-22T10:43:38.042Z\",\"audit\":1,\"request_id\":\"01a205c5-7bd8-75a2-880d-{at:012}\",\
                 \"peer\":\"10.0.0.{}\",\"principal\":{{\"kind\":\"jwt\",\"id\":\"user-{user}\",\"issuer\":\"https://id.example.com/\"}},\
                 \"route\":\"main\",\"host\":\"mcp.example.com\",\"revision\":\"2025-11-25\",\"method\":\"tools/call\",\"kind\":\"tool\",\
                 \"target\":\"tool_{tool}\",\"decision\":\"allow\",\"rule\":\"r{tool}\",\"generation\":1,\
                 \"digest\":\"ec0f338d7996356ab6390a0937415b0f\",\"judged\":1795344218,\"scopes\":[\"read\"],\
                 \"read\":{{\"/claims/plan\":\"{plan}\",\"/claims/sub\":\"user-{user}\",\"/args/path\":\"/srv/{tool}/x\"}}}}",
                user % 250
            )
        })
        .collect()
}

fn replay(criterion: &mut Criterion) {
    let (policy, lines) = (policy(), lines());
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, cut) in [("audit", None), ("without_claims", Some(",\"scopes\""))] {
        // A record that lacks what decides is evaluated more than once.
        let lines: Vec<String> = lines
            .iter()
            .map(|line| match cut.and_then(|cut| line.find(cut)) {
                Some(at) => format!("{}}}", line.get(..at).unwrap()),
                None => line.clone(),
            })
            .collect();
        group.bench_function(name, |bencher| {
            let (mut judge, mut reader) = (Judge::new(&policy, None), Reader::default());
            bencher.iter(|| {
                let mut tally = Tally::default();
                let place = Place { file: 0, line: 1 };
                for line in &lines {
                    let mut line = line.clone().into_bytes();
                    reader.read(&mut line, |read| {
                        let Ok(Line::Record(record)) = read else { return };
                        for asked in &record.calls {
                            let judged = judge.judge(&record, asked);
                            tally.add(place, &record, asked, judged);
                        }
                    });
                }
                assert_eq!(tally.calls, RECORDS as u64);
                black_box(tally.changes())
            });
        });
    }
    group.bench_function("serde_json_value", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(serde_json::from_str::<serde_json::Value>(line).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
