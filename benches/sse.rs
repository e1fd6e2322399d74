//! SSE decoding in bytes per second: small events, 1 KiB and 1 MiB of data, beside `eventsource-stream`.
//!
//! `cargo bench --bench sse`. The other decoder builds an owned event, ours tells spans: the difference is what a
//! relay saves that does not keep what passes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eventsource_stream::EventStream;
use futures::{StreamExt as _, executor::block_on, stream};
use mcpfw::wire::sse::{Decoder, Part};

/// Bytes of a read from a socket.
const CHUNK: usize = 16 * 1024;

/// About `total` bytes of events whose data has `data` bytes.
fn events(data: usize, total: usize) -> Vec<u8> {
    let event = format!("event: message\nid: 1\ndata: {{\"a\":\"{}\"}}\n\n", "x".repeat(data));
    event.repeat(total.div_ceil(event.len())).into_bytes()
}

/// Bytes of payload, counted from spans.
fn ours(input: &[u8]) -> usize {
    let mut decoder = Decoder::new();
    let mut payload = 0;
    for chunk in input.chunks(CHUNK) {
        let mut at = 0;
        while let Some(piece) = decoder.next(chunk, at) {
            at = piece.range.end;
            if piece.part == Part::Data {
                payload += piece.range.len();
            }
        }
    }
    payload
}

/// Bytes of payload, counted from owned events.
fn theirs(input: &[u8]) -> usize {
    let chunks = stream::iter(input.chunks(CHUNK).map(Ok::<_, std::convert::Infallible>));
    let events = EventStream::new(chunks);
    block_on(
        events.fold(0, |sum, event| async move { sum + event.map_or(0, |event| event.data.len()) }),
    )
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sse");
    group.sample_size(20);
    for (name, data, total) in
        [("small", 16, 1 << 18), ("1KiB", 1 << 10, 1 << 20), ("1MiB", 1 << 20, 1 << 22)]
    {
        let input = events(data, total);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_with_input(BenchmarkId::new("mcpfw", name), &input, |bench, input| {
            bench.iter(|| ours(black_box(input)));
        });
        group.bench_with_input(
            BenchmarkId::new("eventsource-stream", name),
            &input,
            |bench, input| {
                bench.iter(|| theirs(black_box(input)));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
