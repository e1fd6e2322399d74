//! The request inspector and the list filter, beside the tokenizer alone on the same bytes.
//!
//! `cargo bench --bench inspect`. A request is inspected from construction to the last chunk handed out.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at a mistake")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcpfw::fuzz::envelope::{HEADERS, POLICIES, decide, exchange};
use mcpfw::fuzz::list_filter::ByName;
use mcpfw::inspect::request::{Exchange, RequestInspector, RequestLimits};
use mcpfw::inspect::response::{Framing, ReplyInspector, ReplyOptions};
use mcpfw::wire::json::{Ignore, Limits, Tokenizer};

/// A legacy call of 200 bytes whose arguments no rule reads.
const PLAIN: &str = r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"search","arguments":{"query":"streaming json tokenizer in rust","limit":25,"lang":"en"},"_meta":{"progressToken":"7f3c2a9e41d0b6"}}}"#;

/// The same size, of a tool whose rules read two arguments.
const CONDITION: &str = r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"write_file","arguments":{"path":"/sandbox/u1/notes.txt","content":"streaming json tokenizer in rust, v2","options":{"force":false}}}}"#;

fn inspect(exchange: &Exchange, body: &Bytes) {
    let policy = Arc::clone(&POLICIES);
    let mut inspector =
        RequestInspector::new(policy, exchange.clone(), RequestLimits::default(), 7);
    inspector.feed(body.clone()).unwrap();
    let call = inspector.take_call().unwrap();
    let permitted = decide(&POLICIES, &call).unwrap();
    inspector.finish().unwrap();
    inspector.release(&permitted);
    black_box(inspector.next_chunk().unwrap());
}

fn requests(criterion: &mut Criterion) {
    let modern = r#"{"jsonrpc":"2.0","id":"q-7","method":"tools/call","params":{"name":"search","arguments":{"query":"x"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    // What the rules read stands before what is long: otherwise it would be held, and refused at the limit.
    let content = "streaming ".repeat(6_554);
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{{"name":"write_file","arguments":{{"path":"/sandbox/u1/notes.txt","options":{{"force":false}},"content":"{content}"}}}}}}"#
    );
    let bodies = [
        ("plain", 0, PLAIN),
        ("condition", 0, CONDITION),
        ("modern", 2, modern),
        ("64KiB", 0, &long),
    ];
    let mut group = criterion.benchmark_group("request");
    for (name, headers, body) in bodies {
        let exchange = exchange(HEADERS.get(headers).unwrap()).unwrap();
        let body = Bytes::copy_from_slice(body.as_bytes());
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("{name}/inspect+decide"), |b| {
            b.iter(|| inspect(&exchange, &body));
        });
        group.bench_function(format!("{name}/tokenizer"), |b| {
            b.iter(|| {
                let mut tokenizer = Tokenizer::new(Limits::default(), 7);
                tokenizer.feed(&body, &mut Ignore).unwrap();
                tokenizer.finish(&mut Ignore).unwrap();
            });
        });
    }
    group.finish();
}

fn lists(criterion: &mut Criterion) {
    let tools: Vec<_> = (0..100)
        .map(|n| {
            let name = if n % 10 == 9 { "hidden" } else { "tool" };
            format!(r#"{{"name":"{name}_{n}","description":"{}","inputSchema":{{"type":"object","properties":{{"path":{{"type":"string"}}}}}}}}"#, "words of a tool ".repeat(20))
        })
        .collect();
    let reply = format!(r#"{{"jsonrpc":"2.0","id":2,"result":{{"tools":[{}]}}}}"#, tools.join(","));
    let event = format!("event: message\ndata: {reply}\n\n");
    let mut group = criterion.benchmark_group("list");
    for (name, framing, text) in
        [("json", Framing::Json, &reply), ("sse", Framing::EventStream, &event)]
    {
        let text = Bytes::copy_from_slice(text.as_bytes());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut filter = ReplyInspector::new(framing, ByName, ReplyOptions::default());
                let mut out = VecDeque::new();
                let mut rest = text.clone();
                while !rest.is_empty() {
                    filter.feed(rest.split_to(rest.len().min(16 << 10)), &mut out).unwrap();
                }
                filter.finish(&mut out).unwrap();
                black_box(out)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, requests, lists);
criterion_main!(benches);
