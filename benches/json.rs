//! The JSON tokenizer beside `serde_json` and `simd-json` on the same texts in the same run.
//!
//! `cargo bench --bench json`. Every check is on (UTF-8, duplicate names, depth, limits), and the
//! visitor looks for what the request inspector looks for: method, target, id, one argument.
//! `envelope` is the least that a gateway on `serde_json` would do: a struct of `RawValue`s.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at a mistake")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mcpfw::wire::json::{Ignore, Kind, Limits, Node, Tokenizer, Visit};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::hint::black_box;

/// What a policy with a condition on `params.arguments.path` asks of a `tools/call`.
#[derive(Default)]
struct Call {
    method: String,
    name: String,
    path: String,
    id: (u64, u64),
}

const ROOT: Node = Node::new(1);
const METHOD: Node = Node::new(2).with_text();
const PARAMS: Node = Node::new(3);
const NAME: Node = Node::new(4).with_text();
const ARGUMENTS: Node = Node::new(5);
const PATH: Node = Node::new(6).with_text();
const ID: Node = Node::new(7);

impl Visit for Call {
    type Stop = ();

    fn root(&mut self) -> Node {
        ROOT
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, ()> {
        Ok(match (object, name) {
            (ROOT, "method") => METHOD,
            (ROOT, "params") => PARAMS,
            (ROOT, "id") => ID,
            (PARAMS, "name") => NAME,
            (PARAMS, "arguments") => ARGUMENTS,
            (ARGUMENTS, "path") => PATH,
            _ => Node::IGNORE,
        })
    }

    fn begin(&mut self, node: Node, _kind: Kind, at: u64) -> Result<(), ()> {
        if node == ID {
            self.id.0 = at;
        }
        Ok(())
    }

    fn text(&mut self, node: Node, piece: &str) -> Result<(), ()> {
        let text = match node {
            METHOD => &mut self.method,
            NAME => &mut self.name,
            _ => &mut self.path,
        };
        text.push_str(piece);
        if text.len() > 4096 { Err(()) } else { Ok(()) }
    }

    fn end(&mut self, node: Node, _kind: Kind, at: u64) -> Result<(), ()> {
        if node == ID {
            self.id.1 = at;
        }
        Ok(())
    }
}

impl Call {
    fn clear(&mut self) {
        self.method.clear();
        self.name.clear();
        self.path.clear();
    }
}

/// The least that names the method and leaves the rest alone.
#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is not used")]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

fn call(argument: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1042,"method":"tools/call","params":{{"name":"read_file","arguments":{{"path":"/srv/data/reports/2026/q3/summary.md","encoding":"utf-8","lines":[1,200]{argument}}},"_meta":{{"progressToken":"tok-1042"}}}}}}"#
    )
}

fn with_text(text: &str) -> String {
    call(&format!(r#","text":"{text}""#))
}

/// An array of objects with five short members each.
fn dense(bytes: usize) -> String {
    let mut items = Vec::new();
    for i in 0..bytes / 73 {
        items.push(format!(
            r#"{{"id":{},"name":"item {}","ok":{},"price":{}.{},"tags":["a","bc"]}}"#,
            i * 7919 % 100_003,
            i * 31 % 977,
            i % 3 == 0,
            i % 90,
            i * 13 % 100
        ));
    }
    format!("[{}]", items.join(","))
}

/// The reply to `tools/list`.
fn tools(bytes: usize) -> String {
    let mut tools = Vec::new();
    for i in 0..bytes / 320 {
        tools.push(format!(
            r#"{{"name":"tool_{i}","title":"Tool number {i}","description":"Reads the record number {i} of the table and returns it as text.\nUse with care: \"force\" skips the check.","inputSchema":{{"type":"object","properties":{{"path":{{"type":"string","description":"Where it is"}},"limit":{{"type":"integer","minimum":1,"maximum":{}}}}},"required":["path"]}}}}"#,
            10 + i
        ));
    }
    format!(r#"{{"jsonrpc":"2.0","id":3,"result":{{"tools":[{}]}}}}"#, tools.join(","))
}

fn base64(bytes: usize) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let place = usize::from(state.to_le_bytes()[7] >> 2);
        char::from(alphabet.get(place).copied().unwrap_or(b'A'))
    };
    (0..bytes).map(|_| letter()).collect()
}

fn texts() -> Vec<(&'static str, String)> {
    let prose = r#"The quick brown fox jumps over the lazy dog, and says \"no\".\n"#;
    vec![
        ("call_200B", call("")),
        ("call_2KiB", with_text(&prose.repeat(1800 / prose.len()))),
        ("tools_64KiB", tools(64 << 10)),
        ("prose_1MiB", with_text(&prose.repeat((1 << 20) / prose.len()))),
        ("cyrillic_1MiB", with_text(&"Съешь же ещё этих мягких булок. ".repeat(18_000))),
        ("dense_64KiB", dense(64 << 10)),
        ("dense_1MiB", dense(1 << 20)),
        ("base64_1MiB", with_text(&base64(1 << 20))),
    ]
}

fn json(criterion: &mut Criterion) {
    let limits = Limits { values: u32::MAX, ..Limits::default() };
    for (name, text) in texts() {
        let bytes = text.as_bytes();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter("mcpfw_call"), |bencher| {
            let mut tokenizer = Tokenizer::new(limits, 77);
            let mut call = Call::default();
            bencher.iter(|| {
                tokenizer.reset();
                call.clear();
                tokenizer.feed(black_box(bytes), &mut call).unwrap();
                tokenizer.finish(&mut call).unwrap();
                black_box(call.id)
            });
        });
        group.bench_function(BenchmarkId::from_parameter("mcpfw_ignore"), |bencher| {
            let mut tokenizer = Tokenizer::new(limits, 77);
            bencher.iter(|| {
                tokenizer.reset();
                tokenizer.feed(black_box(bytes), &mut Ignore).unwrap();
                tokenizer.finish(&mut Ignore).unwrap();
            });
        });
        group.bench_function(BenchmarkId::from_parameter("mcpfw_call_4KiB_chunks"), |bencher| {
            let mut tokenizer = Tokenizer::new(limits, 77);
            let mut call = Call::default();
            bencher.iter(|| {
                tokenizer.reset();
                call.clear();
                for chunk in black_box(bytes).chunks(4096) {
                    tokenizer.feed(chunk, &mut call).unwrap();
                }
                tokenizer.finish(&mut call).unwrap();
                black_box(call.id)
            });
        });
        group.bench_function(BenchmarkId::from_parameter("serde_json_ignored"), |bencher| {
            bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(bytes)).unwrap());
        });
        group.bench_function(BenchmarkId::from_parameter("serde_json_envelope"), |bencher| {
            bencher.iter(|| {
                // An array has no envelope: it is one raw value.
                if text.starts_with('{') {
                    black_box(serde_json::from_slice::<Envelope<'_>>(black_box(bytes)).unwrap());
                } else {
                    black_box(serde_json::from_slice::<&RawValue>(black_box(bytes)).unwrap());
                }
            });
        });
        group.bench_function(BenchmarkId::from_parameter("simd_json_tape"), |bencher| {
            let mut buffers = simd_json::Buffers::new(bytes.len());
            let mut copy = bytes.to_vec();
            bencher.iter(|| {
                // It changes its input, so that each round needs a fresh copy.
                copy.copy_from_slice(black_box(bytes));
                simd_json::to_tape_with_buffers(&mut copy, &mut buffers).unwrap().0.len()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, json);
criterion_main!(benches);
