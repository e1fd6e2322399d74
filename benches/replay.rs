//! Logs judged by a set of 1 000 rules, on one core, beside `serde_json::Value` of the same lines.
//!
//! Target: 500 000 records a second.
//!
//! The log is made by the code that writes it in `run`, from decisions by another set, of which one rule in fifty has changed
//! since: 300 callers, each with a claim of its own; 60 of 320 tools, some called much more often than others; an argument that
//! is another one in each record, as are its id, its time and, of 250, its address. `audit` has it all; `audit_no_arguments` is
//! what `run` logs where it is not told to log arguments, so that much is undecided; `access` has neither arguments nor claims.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stderr, reason = "what the logs are beside what they take")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcpfw::diagnostic::Sources;
use mcpfw::observe::{AuditLine, Decision, Line as AccessLine};
use mcpfw::policy::{
    Args, Call, CompileOptions, Context, Object, Policy, Principal, Refusal, Value,
};
use mcpfw::replay::{Judge, Line, Place, Reader, Tally};
use mcpfw::wire::mcp::{ObjectKind, Revision};

const RULES: usize = 1000;
const TOOLS: usize = 320;
const CALLED: usize = 60;
const CALLERS: usize = 300;
const RECORDS: usize = 20_000;

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn tool(at: usize) -> String {
    let verbs = ["read", "write", "list", "search", "create", "delete", "update", "run"];
    format!("service{}_{}", at / 8, verbs.get(at % 8).unwrap())
}

/// The set; `changed`: with other conditions in one of fifty rules.
fn policy(changed: bool) -> Arc<Policy> {
    let mut text = String::new();
    for at in 0..RULES {
        let tool = tool(at % TOOLS);
        let team = if changed && at % 50 == 2 { 8 } else { at % 7 };
        // Rules for one tool are of several kinds.
        let (kind, more) = match (at + at / TOOLS * 3) % 10 {
            0 => ("deny", format!("when = 'claims.plan == \"p{}\"'", at % 7)),
            1 | 2 => ("allow", format!("when = 'args.path.startsWith(\"/srv/{team}/\")'")),
            3 => ("allow", "when = 'args.path.startsWith(\"/home/\" + claims.sub + \"/\")'".into()),
            4 => ("deny", "when = 'args.path.contains(\"/../\")'".into()),
            5 => ("limit", "per = [\"claims.sub\"]\nrate = \"1000/min\"".into()),
            6 => ("allow", "scopes = [\"admin\"]".into()),
            _ => ("allow", format!("when = 'claims.team in [\"t{team}\", \"t{}\"]'", (at + 1) % 7)),
        };
        writeln!(text, "[[{kind}]]\nname = \"r{at}\"\ntools = [\"{tool}\"]\n{more}").unwrap();
    }
    let mut sources = Sources::new();
    sources.add("policy.toml", text);
    let compiled = Policy::compile(&sources, &CompileOptions::new(0));
    compiled.policy.unwrap()
}

/// The logs: `audit`, `audit_no_arguments`, `access`.
fn logs() -> [Vec<u8>; 3] {
    let policy = policy(false);
    let callers: Vec<(String, Principal)> = (0..CALLERS)
        .map(|at| {
            let (sub, team) = (format!("user-{at}@example.com"), format!("t{}", at % 9));
            let plan = if at % 3 == 0 { "pro" } else { "free" };
            let claims = Value::map([
                ("sub", Value::from(&*sub)),
                ("iss", "https://id.example.com/".into()),
                ("scope", "mcp:tools offline_access".into()),
                ("team", Value::from(&*team)),
                ("plan", plan.into()),
            ]);
            (sub, Principal::supposed(claims))
        })
        .collect();
    let mut logs = [Vec::new(), Vec::new(), Vec::new()];
    let mut random = 1_u64;
    for at in 0..RECORDS {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw =
            |shift: u32, of: usize| usize::try_from(random >> shift).map_or(0, |drawn| drawn % of);
        // Small numbers more often than large ones.
        let tool = tool(draw(20, CALLED).min(draw(30, CALLED)) * 7 % TOOLS);
        let (sub, principal) = callers.get(draw(40, CALLERS)).unwrap();
        let path = match draw(50, 3) {
            0 => format!("/home/{sub}/notes/{at}.md"),
            1 => format!("/srv/{}/data/{at}.json", draw(33, 9)),
            _ => format!("/var/lib/reports/2026/11/{at}.csv"),
        };
        let arguments = Value::map([("path", Value::from(&*path))]);
        let call = Call {
            method: "tools/call".into(),
            object: Some(Object { kind: ObjectKind::Tool, name: tool.into() }),
            revision: Revision::V2025_11_25,
            is_request: true,
            is_retry: false,
            args: Args::capture(policy.captures(), Some(&arguments)),
            subscriptions: None,
        };
        let peer = format!("10.0.{}.{}", draw(25, 4), draw(45, 250));
        let (route, host, judged) = ("default", "mcp.example.com", 1_795_344_218 + at as u64 / 9);
        let context = Context { route, host, sni: None, ip: peer.parse().unwrap() };
        let decided = policy.decide(principal, &context, &call, judged);
        let (decision, rule, reason) = match &decided {
            Ok(permitted) => (Decision::Allow, permitted.basis().rule(), None),
            Err(refusal) => (Decision::Deny, Refusal::rule(refusal), Some(refusal.reason().slug())),
        };
        let rule = rule.map(|rule| &**policy.rule(rule).unwrap().name());
        let (time_ms, request_id) =
            (judged * 1000 + 42, format!("01a205c5-7bd8-75a2-880d-{at:012}"));
        let mut line = AuditLine {
            time_ms,
            request_id: &request_id,
            peer: &peer,
            principal,
            route,
            host,
            call: &call,
            place: None,
            decision,
            rule,
            reason,
            policy: &policy,
            judged,
            arguments: true,
        };
        let [audit, bare, access] = &mut logs;
        line.write(audit);
        line.arguments = false;
        line.write(bare);
        let line = AccessLine {
            time_ms,
            request_id: &request_id,
            peer: &peer,
            principal_kind: Some("jwt"),
            principal_id: Some(sub),
            principal_issuer: Some("https://id.example.com/"),
            route: Some(route),
            http: "POST",
            revision: Some("2025-11-25"),
            method: Some("tools/call"),
            kind: Some("tool"),
            target: call.object.as_ref().map(|object| &*object.name),
            decision,
            rule,
            reason,
            generation: Some(1),
            digest: Some(policy.digest().as_str()),
            status: 200,
            bytes_in: 300,
            bytes_out: 2000 + at as u64,
            total_us: 1500,
            upstream_us: Some(1000 + at as u64 % 800),
            ..AccessLine::default()
        };
        line.write(access);
    }
    logs
}

fn replay(criterion: &mut Criterion) {
    let (policy, [audit, bare, access]) = (policy(true), logs());
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, log) in [("audit", &audit), ("audit_no_arguments", &bare), ("access", &access)] {
        let mut judge = Judge::new(&policy, None);
        let (mut reader, mut buffer) = (Reader::default(), log.clone());
        let mut pass = || {
            let mut tally = Tally::default();
            buffer.copy_from_slice(log);
            let mut rest = buffer.as_mut_slice();
            let mut place = Place { file: 0, line: 1 };
            while let Some(end) = memchr::memchr(b'\n', rest) {
                let (line, behind) = rest.split_at_mut(end);
                reader.read(line, |read| {
                    let Ok(Line::Record(record)) = read else { return };
                    for asked in &record.calls {
                        let judged = judge.judge(record, asked);
                        tally.add(place, record, asked, judged);
                    }
                });
                place.line += 1;
                rest = behind.get_mut(1..).unwrap();
            }
            assert_eq!(tally.calls, RECORDS as u64);
            tally
        };
        let tally = pass();
        eprintln!(
            "{name}: {} bytes a record; of {} records {} change, {} are undecided",
            log.len() / RECORDS,
            RECORDS,
            tally.changes(),
            tally.open
        );
        group.bench_function(name, |bencher| bencher.iter(|| black_box(pass().changes())));
    }
    group.bench_function("serde_json_value", |bencher| {
        bencher.iter(|| {
            for line in audit.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                black_box(serde_json::from_slice::<serde_json::Value>(line).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
