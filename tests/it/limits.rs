//! Request budgets: the arithmetic against governor and a naive model, composition, floods, threads, headers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::{Quota as GovernorQuota, RateLimiter};
use mcpfw::limit::{Limiter, Outcome, Wait, headers};
use mcpfw::policy::{Draw, LimitTag, Quota, RuleId};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000;

fn draw(rule: u32, key: u64, interval_us: u64, burst: u32, cost: u32) -> Draw {
    let key = LimitTag::of_key(u64::from(rule)).key(key << 12);
    Draw { rule: RuleId::new(rule), key, quota: Quota { interval_us, burst }, cost }
}

fn admits(outcome: &Outcome) -> bool {
    outcome.refused().is_none()
}

/// The specification written down as plainly as possible: threats.md §4, one number a key, no clamp, no table.
#[derive(Default)]
struct Model {
    tats: HashMap<u64, i128>,
}

impl Model {
    fn admit(&mut self, draws: &[Draw], now: u64) -> bool {
        let now = i128::from(now);
        let mut tats = self.tats.clone();
        for draw in draws {
            let interval = i128::from(draw.quota.interval_us);
            let tau = interval * i128::from(draw.quota.burst);
            let tat = tats.entry(draw.key).or_insert(now);
            *tat = (*tat).max(now) + interval * i128::from(draw.cost);
            if draw.cost > 0 && *tat - now > tau {
                return false;
            }
        }
        self.tats = tats;
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_bucket_decides_as_governor_does(
        interval_us in 1..5_000_000_u64,
        burst in 1..50_u32,
        steps in prop::collection::vec((0..3_000_000_u64, 1..5_u32), 1..80),
    ) {
        let clock = FakeRelativeClock::default();
        let quota = GovernorQuota::with_period(Duration::from_micros(interval_us)).unwrap()
            .allow_burst(burst.try_into().unwrap());
        let oracle = RateLimiter::direct_with_clock(quota, clock.clone());
        let limiter = Limiter::new(1);
        let mut now = 0;
        for (pause, cost) in steps {
            now += pause;
            clock.advance(Duration::from_micros(pause));
            let ours = limiter.draw(&[draw(0, 7, interval_us, burst, cost)], now);
            match oracle.check_n(cost.try_into().unwrap()) {
                Ok(theirs) => prop_assert_eq!(admits(&ours), theirs.is_ok(), "at {}", now),
                Err(_) => prop_assert_eq!(ours.refused().unwrap().wait, Wait::Forever),
            }
        }
    }

    #[test]
    fn compositions_decide_as_the_naive_model_does(
        quotas in prop::collection::vec((1..2_000_u64, 1..12_u32), 6),
        steps in prop::collection::vec(
            (0..1_500_u64, prop::collection::vec((0..6_usize, 0..4_u32), 0..5)), 1..120),
    ) {
        let limiter = Limiter::new(4096);
        let mut model = Model::default();
        let mut now = 0;
        for (pause, picks) in steps {
            now += pause;
            // The same key may be picked twice in one request.
            let draws: Vec<_> = picks.iter()
                .map(|&(key, cost)| draw(0, key as u64, quotas[key].0, quotas[key].1, cost))
                .collect();
            let outcome = limiter.draw(&draws, now);
            prop_assert_eq!(admits(&outcome), model.admit(&draws, now), "{:?} at {}", draws, now);
            // What a bucket says of itself is what the model knows, so a refusal left no trace.
            for (draw, standing) in draws.iter().zip(outcome.standings()) {
                let tat = model.tats.get(&draw.key).copied().unwrap_or(0).max(i128::from(now));
                prop_assert_eq!(i128::from(standing.reset_us), tat - i128::from(now));
                let interval = i128::from(draw.quota.interval_us);
                let free = interval * i128::from(draw.quota.burst) - (tat - i128::from(now));
                prop_assert_eq!(i128::from(standing.remaining()), (free / interval).max(0));
            }
        }
    }

    #[test]
    fn the_wait_is_exact(
        quotas in prop::collection::vec((1..2_000_u64, 1..6_u32), 3),
        before in prop::collection::vec((0..3_usize, 1..3_u32), 0..12),
        asked in prop::collection::vec((0..3_usize, 1..3_u32), 1..4),
    ) {
        let limiter = Limiter::new(512);
        let of = |&(key, cost): &(usize, u32)| draw(0, key as u64, quotas[key].0, quotas[key].1, cost);
        for pick in &before {
            let _ = limiter.draw(&[of(pick)], 100);
        }
        let draws: Vec<_> = asked.iter().map(of).collect();
        if let Some(standing) = limiter.draw(&draws, 100).refused().copied() {
            match standing.wait {
                Wait::Micros(wait) => {
                    prop_assert!(!admits(&limiter.draw(&draws, 100 + wait - 1)), "a microsecond early");
                    prop_assert!(admits(&limiter.draw(&draws, 100 + wait)), "after {wait}");
                }
                Wait::Forever => prop_assert!(!admits(&limiter.draw(&draws, 1 << 50))),
                Wait::None => prop_assert!(false),
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However full the table is, whoever shares a bucket: no key ever gets more than it would have had alone.
    #[test]
    fn a_flood_of_keys_admits_nobody_more_than_alone(
        steps in prop::collection::vec((0..40_u64, 0..4_000_u64), 3_000),
    ) {
        let limiter = Limiter::new(1);
        let mut model = Model::default();
        let mut now = 0;
        let mut shared = false;
        for (pause, key) in steps {
            now += pause;
            let draws = [draw(0, key, 50_000, 3, 1)];
            if admits(&limiter.draw(&draws, now)) {
                prop_assert!(model.admit(&draws, now), "key {key} at {now}");
            }
            shared |= limiter.shared() > 0;
        }
        prop_assert!(shared, "the flood was too small to test anything");
    }
}

#[test]
fn edges_of_cost_and_burst() {
    // (name, interval, burst, costs one after the other at the same moment, verdict of each)
    const FOREVER: Wait = Wait::Forever;
    type Case = (&'static str, u64, u32, &'static [u32], &'static [Wait]);
    let cases: &[Case] = &[
        ("burst 1", 100, 1, &[1, 1], &[Wait::None, Wait::Micros(100)]),
        ("exactly full", 100, 5, &[5, 1], &[Wait::None, Wait::Micros(100)]),
        ("one over what is left", 100, 5, &[3, 3, 2], &[Wait::None, Wait::Micros(100), Wait::None]),
        ("more than it can ever hold", 100, 5, &[6, 5], &[FOREVER, Wait::None]),
        (
            "a peek takes nothing",
            100,
            1,
            &[0, 0, 1, 0],
            &[Wait::None, Wait::None, Wait::None, Wait::None],
        ),
        ("a peek of nothing", 100, 0, &[0], &[Wait::None]),
        ("no burst at all", 100, 0, &[1], &[FOREVER]),
        ("an interval of 0 counts as 1", 0, 2, &[2, 1], &[Wait::None, Wait::Micros(1)]),
        ("largest cost", 1, u32::MAX, &[u32::MAX, 1], &[Wait::None, Wait::Micros(1)]),
        ("beyond what can be counted", u64::MAX, u32::MAX, &[2], &[FOREVER]),
    ];
    for (name, interval, burst, costs, verdicts) in cases {
        let limiter = Limiter::new(1);
        for (at, (cost, verdict)) in costs.iter().zip(*verdicts).enumerate() {
            let outcome = limiter.draw(&[draw(0, 1, *interval, *burst, *cost)], SECOND);
            assert_eq!(outcome.standings()[0].wait, *verdict, "{name}, draw {at}");
        }
    }
}

#[test]
fn a_refused_inner_budget_leaves_the_outer_untouched() {
    let limiter = Limiter::new(1024);
    let outer = draw(0, 1, SECOND, 10, 1);
    let inner = draw(1, 2, SECOND, 1, 1);
    for order in [[outer, inner], [inner, outer]] {
        let _ = limiter.draw(&[inner], 0);
        for _ in 0..100 {
            let outcome = limiter.draw(&order, 0);
            assert_eq!(outcome.refused().unwrap().rule, RuleId::new(1));
        }
        assert_eq!(limiter.draw(&[Draw { cost: 0, ..outer }], 0).standings()[0].remaining(), 10);
    }
    // Must pass: once the inner has its unit back, both are charged.
    assert!(admits(&limiter.draw(&[outer, inner], SECOND)));
    assert_eq!(limiter.draw(&[Draw { cost: 0, ..outer }], SECOND).standings()[0].remaining(), 9);
}

#[test]
fn the_longest_wait_is_to_blame() {
    let limiter = Limiter::new(1024);
    let minute = draw(0, 1, 60 * SECOND, 1, 1);
    let second = draw(1, 2, SECOND, 1, 1);
    let never = draw(2, 3, SECOND, 1, 2);
    let _ = limiter.draw(&[minute, second], 0);
    for (draws, blamed) in
        [(vec![second, minute], 0), (vec![minute, second], 0), (vec![minute, never], 2)]
    {
        assert_eq!(limiter.draw(&draws, 0).refused().unwrap().rule, RuleId::new(blamed));
    }
}

#[test]
fn one_key_drawn_twice_is_charged_twice() {
    let limiter = Limiter::new(1024);
    let three = draw(0, 9, 100, 3, 1);
    assert!(admits(&limiter.draw(&[three, three], 0)));
    let outcome = limiter.draw(&[three, three], 0);
    assert_eq!(
        outcome.refused().unwrap().wait,
        Wait::Micros(100),
        "one unit is left, two are asked"
    );
    assert_eq!(outcome.standings()[0].remaining(), 1, "and it is still left");
    let four = limiter.draw(&[three; 4], 0);
    assert_eq!(four.refused().unwrap().wait, Wait::Forever, "four never fit in three");
}

#[test]
fn time_never_runs_backwards() {
    let limiter = Limiter::new(1);
    let one = draw(0, 1, 1000, 1, 1);
    assert!(admits(&limiter.draw(&[one], 10_000)));
    // A thread that read its clock before the other and got the lock after it.
    assert_eq!(limiter.draw(&[one], 0).refused().unwrap().wait, Wait::Micros(1000));
    assert!(admits(&limiter.draw(&[one], 11_000)));
}

#[test]
fn a_smaller_quota_after_a_reload_forgives_what_it_cannot_hold() {
    let limiter = Limiter::new(1);
    let day = draw(0, 1, 86 * SECOND, 1000, 1000);
    let minute = draw(0, 1, 6 * SECOND, 10, 1);
    assert!(admits(&limiter.draw(&[day], 0)));
    // Without a reload (two plans of one subject, T46) the smaller quota must not wash off the larger's debt.
    assert!(
        matches!(limiter.draw(&[minute], 0).refused().unwrap().wait, Wait::Micros(us) if us > 80_000 * SECOND)
    );
    let later = |now| limiter.draw_under(&[minute], 1, now);
    assert_eq!(later(0).refused().unwrap().wait, Wait::Micros(6 * SECOND));
    assert!(admits(&later(6 * SECOND)), "the wait that was told is true");
    assert!(!admits(&later(6 * SECOND)), "debt up to the new quota is kept");
}

/// A caller can begin a request before a reload and end it as late as it likes: its draw is of the old set, and must neither
/// forgive what was drawn under the new one nor keep the new one from forgiving.
#[test]
fn a_request_of_an_earlier_generation_forgives_nothing() {
    let (small, large) = (draw(0, 1, 6 * SECOND, 10, 1), draw(0, 1, 86 * SECOND, 1000, 1000));
    let limiter = Limiter::new(1);
    assert!(admits(&limiter.draw_under(&[large], 2, 0)));
    assert!(!admits(&limiter.draw_under(&[small], 1, 0)), "the late one sees all of the debt");
    assert!(
        !admits(&limiter.draw_under(&[draw(0, 1, 86 * SECOND, 1000, 1)], 2, 0)),
        "and has not forgiven it"
    );

    let limiter = Limiter::new(1);
    let (day, minute) = (draw(0, 1, 86 * SECOND, 1000, 999), small);
    assert!(admits(&limiter.draw_under(&[day], 1, 0)));
    // Drawn late, under the old quota.
    assert!(admits(&limiter.draw_under(&[draw(0, 1, 86 * SECOND, 1000, 1)], 1, 0)));
    let wait = limiter.draw_under(&[minute], 2, 0).refused().unwrap().wait;
    assert_eq!(wait, Wait::Micros(6 * SECOND), "the new quota forgives as it should");
}

#[test]
fn limits_that_are_gone_free_what_they_took() {
    let limiter = Limiter::new(1);
    let tag = |rule: u32| LimitTag::of_key(u64::from(rule));
    let both = |cost| [draw(1, 1, 3_600 * SECOND, 1, cost), draw(2, 1, 3_600 * SECOND, 1, cost)];
    assert!(admits(&limiter.draw(&both(1), 0)));
    // So many that some share a bucket, which goes and stays alike.
    for key in 2..5_000 {
        let _ = limiter.draw(&[draw(1, key, 3_600 * SECOND, 1, 1)], 0);
    }
    assert!(limiter.shared() > 0);
    limiter.keep([tag(2), tag(3)]);
    assert_eq!(limiter.in_debt(0), 1);
    let [gone, kept] = both(1);
    assert!(!admits(&limiter.draw(&[kept], 0)), "the other keeps its debt");
    assert!(admits(&limiter.draw(&[gone], 0)), "and what comes back under the name is full");
    limiter.keep([]);
    assert_eq!(limiter.in_debt(0), 0);
}

#[test]
fn a_larger_quota_after_a_reload_keeps_the_debt() {
    let limiter = Limiter::new(1);
    let small = draw(0, 1, 6 * SECOND, 10, 10);
    assert!(admits(&limiter.draw(&[small], 0)));
    let large = draw(0, 1, SECOND, 100, 1);
    let outcome = limiter.draw_under(&[large], 1, 0);
    assert!(admits(&outcome));
    assert_eq!(outcome.standings()[0].remaining(), 39, "60 s of debt at 1 s a unit, and this one");
}

/// T46, T47: a million random keys fill the table and no more, and somebody who was blocked before stays blocked.
#[test]
fn a_million_keys_neither_grow_the_table_nor_free_the_blocked() {
    let limiter = Limiter::new(1 << 14);
    let slots = limiter.slots();
    assert_eq!(slots, 3 << 13);
    let blocked = draw(0, 0xB10C, 3_600 * SECOND, 1, 1);
    assert!(admits(&limiter.draw(&[blocked], 0)));
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for now in 0..1_000_000 {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let _ = limiter.draw(&[draw(0, random, 3_600 * SECOND, 5, 1)], now);
        if now % 10_000 == 0 {
            assert!(!admits(&limiter.draw(&[blocked], now)), "freed after {now} keys");
        }
    }
    // One overflow bucket in each of the 64 shards.
    assert!(limiter.in_debt(1_000_000) <= slots + 64);
    assert!(limiter.shared() > 900_000);
    // Must pass: what runs full makes room, and the budget is whole again.
    let later = 5 * 3_600 * SECOND * 2;
    assert_eq!(limiter.in_debt(later), 0);
    assert!(admits(&limiter.draw(&[draw(0, random, SECOND, 5, 5)], later)));
    assert!(admits(&limiter.draw(&[blocked], later)));
}

#[test]
fn as_many_keys_as_promised_are_told_apart() {
    let limiter = Limiter::new(1 << 17);
    for key in 0..1 << 17 {
        assert!(admits(&limiter.draw(&[draw(0, key, 3_600 * SECOND, 1, 1)], 0)));
    }
    assert_eq!(limiter.shared(), 0);
    for key in 0..1 << 17 {
        assert!(!admits(&limiter.draw(&[draw(0, key, 3_600 * SECOND, 1, 1)], 0)));
    }
}

/// A corner of the table that spilled charges its own keys, not those that live elsewhere.
#[test]
fn a_crowded_corner_does_not_charge_everybody() {
    let limiter = Limiter::new(1 << 15);
    let mut key = 0;
    while limiter.shared() == 0 {
        key += 1;
        let _ = limiter.draw(&[draw(0, key, 3_600 * SECOND, 1, 1)], 0);
    }
    let fresh = (1 << 40)..(1 << 40) + 1000;
    let passed = fresh
        .filter(|key| admits(&limiter.draw(&[draw(0, *key, 3_600 * SECOND, 1, 1)], 0)))
        .count();
    assert!(passed > 950, "{passed} of 1000");
}

/// Threads that race over overlapping pairs of keys admit exactly what one thread would have.
#[test]
fn threads_never_admit_more_than_the_ideal() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 4_000;
    let limiter = Limiter::new(4096);
    let clock = AtomicU64::new(0);
    let admitted: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (limiter, clock, admitted) = (&limiter, &clock, &admitted);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let now = clock.fetch_add(1, Ordering::Relaxed);
                    let first = (thread + round) % 4;
                    let second = (thread * 3 + round + 1) % 4;
                    // In both orders, so that locking in the order of asking would deadlock.
                    let draws = [draw(0, first, 100, 20, 1), draw(0, second, 100, 20, 1)];
                    if admits(&limiter.draw(&draws, now)) {
                        admitted[first as usize].fetch_add(1, Ordering::Relaxed);
                        admitted[second as usize].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let ideal = 20 + THREADS * ROUNDS / 100;
    let total: Vec<_> = admitted.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    assert!(total.iter().all(|count| *count <= ideal), "{total:?} of {ideal} each");
    assert!(
        total.iter().any(|count| *count + 25 >= ideal),
        "{total:?} of {ideal}: nothing was tested"
    );
}

#[test]
fn headers_say_what_the_buckets_hold() {
    let limiter = Limiter::new(1024);
    let client = draw(0, 1, 600_000, 100, 63);
    let search = draw(1, 2, 6 * SECOND, 10, 10);
    let outcome = limiter.draw(&[client, search], 0);
    let names = ["client", "tool.search"];
    let of = |outcome: &Outcome| {
        let named: Vec<_> = names.into_iter().zip(outcome.standings().to_vec()).collect();
        let named = named.iter().map(|(name, standing)| (*name, standing));
        (headers::rate_limit(named.clone()).unwrap(), headers::policy(named).unwrap())
    };
    let (rate, policy) = of(&outcome);
    assert_eq!(policy, r#""client";q=100;w=60, "tool.search";q=10;w=60"#);
    assert_eq!(rate, r#""client";r=37;t=38, "tool.search";r=0;t=6"#);

    let refused =
        limiter.draw(&[Draw { cost: 1, ..client }, Draw { cost: 1, ..search }], 2_300_000);
    let Wait::Micros(wait) = refused.refused().unwrap().wait else { panic!() };
    assert_eq!(wait, 3_700_000);
    assert_eq!(headers::retry_after(wait), 4);
    // `client` is full only after the time of Retry-After, so it gives no `t`.
    assert_eq!(of(&refused).0, r#""client";r=40, "tool.search";r=0;t=4"#);

    let never =
        limiter.draw(&[Draw { cost: 101, ..client }, Draw { cost: 0, ..search }], 100 * SECOND);
    assert_eq!(of(&never).0, r#""client";r=100, "tool.search";r=10;t=0"#);
    assert_eq!(headers::rate_limit([]), None);
}

#[test]
fn no_name_breaks_out_of_its_header() {
    let limiter = Limiter::new(1);
    let standing = limiter.draw(&[draw(0, 1, u64::MAX, u32::MAX, 1)], 0).standings()[0];
    for (name, written) in [
        ("plain", r#""plain""#),
        (r#"a"b\c"#, r#""a\"b\\c""#),
        ("two\r\nX-Evil: 1", r#""two%0D%0AX-Evil: 1""#),
        ("näh", r#""n%C3%A4h""#),
        ("", r#""""#),
    ] {
        let value = headers::policy([(name, &standing)]).unwrap();
        assert_eq!(value, format!("{written};q=4294967295;w=18446744073710"));
        assert!(http::HeaderValue::from_str(&value).is_ok());
    }
}

#[test]
fn retry_after_is_never_earlier_than_the_wait() {
    for (micros, seconds) in [
        (0, 1),
        (1, 1),
        (999_999, 1),
        (1_000_000, 1),
        (1_000_001, 2),
        (3_700_000, 4),
        (u64::MAX, 18_446_744_073_710),
    ] {
        assert_eq!(headers::retry_after(micros), seconds, "{micros}");
    }
}
