//! What one admission costs: one and three budgets, one hot key and 100 000 keys in turn; and a refusal.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mcpfw::limit::Limiter;
use mcpfw::policy::{Draw, Quota, RuleId};

fn draw(rule: u32, key: u64, interval_us: u64) -> Draw {
    // Keys are keyed hashes: spread them as a hash would.
    let key = (key + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Draw { rule: RuleId::new(rule), key, quota: Quota { interval_us, burst: u32::MAX }, cost: 1 }
}

fn admissions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limit");
    for (keys, name) in [(1_u64, "hot"), (100_000, "100k")] {
        for budgets in [1, 3] {
            let limiter = Limiter::new(Limiter::DEFAULT_KEYS);
            // Refilled at half the speed of the draws, so that every bucket stays in debt and in the table.
            let interval = 2 * keys;
            let mut now = 0;
            let mut turn = 0;
            group.bench_function(BenchmarkId::new(format!("{budgets}_budgets"), name), |bencher| {
                bencher.iter(|| {
                    now += 1;
                    turn = (turn + 7919) % keys;
                    let draws = [
                        draw(0, turn, interval),
                        draw(1, turn + (1 << 40), interval),
                        draw(2, turn + (2 << 40), interval),
                    ];
                    let outcome =
                        limiter.draw(draws.get(..budgets).unwrap_or_default(), black_box(now));
                    assert!(outcome.refused().is_none());
                });
            });
        }
    }
    let limiter = Limiter::new(Limiter::DEFAULT_KEYS);
    let mut draws = [draw(0, 0, 1), draw(1, 1, 1), draw(2, 2, 3_600_000_000)];
    for draw in &mut draws {
        draw.quota.burst = 1;
    }
    while limiter.draw(&draws, 0).refused().is_none() {}
    group.bench_function("3_budgets/refused", |bencher| {
        bencher.iter(|| assert!(limiter.draw(black_box(&draws), black_box(0)).refused().is_some()));
    });
    group.finish();
}

criterion_group!(benches, admissions);
criterion_main!(benches);
