//! Several buckets at once: all are drawn on, or none is.

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::gcra::Pace;
use super::table::{Place, Shard, Stamp, WAYS, mix};
use super::verdict::{Admitted, Outcome, Standing, Throttled, Wait};
use crate::policy::{Draw, LimitTag, Permitted};

/// Request budgets for a bounded number of keys, shared by all threads.
///
/// The memory is fixed by [`Limiter::new`]: 24 bytes a key. A key whose bucket is full costs nothing; a key for which there is no
/// slot shares a bucket with others of its rule, and no bucket in debt is ever dropped for it (T47).
#[derive(Debug)]
pub struct Limiter {
    shards: Box<[Padded]>,
}

/// A shard on cache lines of its own, so that threads at different keys do not meet.
#[derive(Debug)]
#[repr(align(128))]
struct Padded(Mutex<Shard>);

/// Shards of the table. Keys of different shards are drawn on at the same time.
const SHARDS: usize = 64;

impl Limiter {
    /// Keys in debt that are told apart by default: 1 Mi, for which 24 MiB are set aside (T47).
    pub const DEFAULT_KEYS: usize = 1 << 20;

    /// Room for `max_keys` keys in debt: one and a half slots each, 24 bytes, rounded up to 8 KiB.
    #[must_use]
    pub fn new(max_keys: usize) -> Self {
        let groups = max_keys.saturating_add(max_keys / 2).div_ceil(SHARDS * WAYS);
        let shards = (0..SHARDS).map(|_| Padded(Mutex::new(Shard::new(groups)))).collect();
        Self { shards }
    }

    /// Draws on every budget that `permitted` names, or on none. `now_us` is monotonic, in microseconds from any
    /// fixed moment of this process; a caller that is overtaken by another may bring an older time than it.
    ///
    /// # Errors
    /// [`Throttled`] where some budget does not hold what is asked: nothing was taken from any.
    pub fn admit(&self, permitted: Permitted, now_us: u64) -> Result<Admitted, Throttled> {
        let outcome = self.draw_under(permitted.draws(), permitted.generation(), now_us);
        match outcome.refused() {
            None => Ok(Admitted::new(permitted, outcome)),
            Some(_) => Err(Throttled::new(permitted, outcome)),
        }
    }

    /// As [`Limiter::admit`], for draws that no policy decided on.
    #[must_use]
    pub fn draw(&self, draws: &[Draw], now_us: u64) -> Outcome {
        self.draw_under(draws, 0, now_us)
    }

    /// As [`Limiter::admit`], for draws of which the policy set `generation` decided that they are to be made.
    ///
    /// A bucket keeps its debt when the quota behind its key changes, but no more than the new quota can hold: who was emptied
    /// under "1000 a day" and now has "10 a minute" waits a minute, not a day. This happens once a generation and key, at the
    /// first draw of the later generation. It must not happen at other times: two tokens of one subject may carry different
    /// plans, and the smaller must not forgive the larger's debt; nor must a request that was begun under an earlier set and
    /// draws late (T59).
    #[must_use]
    pub fn draw_under(&self, draws: &[Draw], generation: u64, now_us: u64) -> Outcome {
        let mut locked = self.lock(draws);
        let now = locked.iter().fold(now_us, |now, (_, shard)| now.max(shard.latest));
        for (_, shard) in &mut locked {
            shard.latest = now;
        }
        let epoch = epoch_of(generation);

        let mut buckets: SmallVec<[Bucket; 4]> = SmallVec::new();
        let mut waits: SmallVec<[(usize, Wait); 4]> = SmallVec::new();
        for draw in draws {
            let pace = Pace::of(draw.quota);
            let at = locate(&mut locked, &mut buckets, draw, now);
            let wait = buckets
                .get_mut(at)
                .map_or(Wait::None, |bucket| bucket.charge(draw, pace, now, epoch));
            waits.push((at, wait));
        }

        let admitted = waits.iter().all(|(_, wait)| *wait == Wait::None);
        for bucket in &buckets {
            let tat = if admitted { bucket.charged } else { bucket.start };
            // A refused request writes only what a reload made void, see above.
            let writes = (admitted && bucket.price > 0) || bucket.start < bucket.found.tat();
            if writes && let Some((_, shard)) = locked.get_mut(bucket.shard) {
                shard.put(
                    bucket.place,
                    bucket.key,
                    Stamp::new(tat, bucket.found.later_of(epoch, now)),
                );
            }
        }
        drop(locked);

        let standings = draws.iter().zip(waits).map(|(draw, (at, wait))| {
            let tat = buckets.get(at).map_or(0, |b| if admitted { b.charged } else { b.start });
            Standing { rule: draw.rule, quota: draw.quota, reset_us: tat.saturating_sub(now), wait }
        });
        Outcome::new(standings.collect())
    }

    /// Forgets the buckets of all limits but those that are in force: what they took is free at once. Reads the whole table,
    /// shard by shard. A request that was begun before and draws on one of them late leaves a bucket that ages.
    pub fn keep(&self, limits: impl IntoIterator<Item = LimitTag>) {
        let mut kept = vec![false; LimitTag::COUNT];
        for tag in limits {
            if let Some(place) = kept.get_mut(tag.index()) {
                *place = true;
            }
        }
        for shard in &self.shards {
            shard.0.lock().keep(|tag| kept.get(tag.index()).copied().unwrap_or(true));
        }
    }

    /// Slots of the table. The first key shares a bucket when about 70 % are in debt.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.lock().slots()).sum()
    }

    /// Buckets that are not full at `now_us`. Reads the whole table, shard by shard: for metrics.
    #[must_use]
    pub fn in_debt(&self, now_us: u64) -> usize {
        self.shards.iter().map(|shard| shard.0.lock().in_debt(now_us)).sum()
    }

    /// How often a key found no slot and shared a bucket, since the start. Anything but 0 is worth an alarm.
    #[must_use]
    pub fn shared(&self) -> u64 {
        self.shards.iter().map(|shard| shard.0.lock().shared).sum()
    }

    /// Locks the shards of all keys, each once, in the order of their numbers: no two requests can wait for each other.
    fn lock(&self, draws: &[Draw]) -> Locked<'_> {
        let mut numbers: SmallVec<[usize; 4]> =
            draws.iter().map(|draw| shard_of(draw.key)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .filter_map(|n| self.shards.get(n).map(|shard| (n, shard.0.lock())))
            .collect()
    }
}

type Locked<'a> = SmallVec<[(usize, MutexGuard<'a, Shard>); 4]>;

/// A bucket while a request looks at it. Draws on the same key share one.
struct Bucket {
    key: u64,
    /// Index into the locked shards.
    shard: usize,
    place: Place,
    /// What the table holds.
    found: Stamp,
    /// The `tat` before this request.
    start: u64,
    /// The `tat` after it.
    charged: u64,
    /// What all draws of this request take together, in microseconds of refill.
    price: u64,
}

impl Bucket {
    fn charge(&mut self, draw: &Draw, pace: Pace, now: u64, epoch: u16) -> Wait {
        if self.found.is_older_than(epoch) {
            let most = now.saturating_add(pace.tau());
            self.start = self.start.min(most);
            self.charged = self.charged.min(most);
        }
        let price = pace.price(draw.cost);
        self.price = self.price.saturating_add(price);
        if draw.cost > draw.quota.burst || self.price > pace.tau() {
            return Wait::Forever;
        }
        // Charged even where it does not fit, so that a second draw on the same key reports the wait for both.
        self.charged = Pace::after(self.charged, now, price);
        match pace.over(self.charged, now) {
            0 => Wait::None,
            // A peek never refuses: nothing is asked for.
            _ if draw.cost == 0 => Wait::None,
            wait => Wait::Micros(wait),
        }
    }
}

/// The index in `buckets` of the bucket that `draw` is about, looked up where it is new.
fn locate(
    locked: &mut Locked<'_>,
    buckets: &mut SmallVec<[Bucket; 4]>,
    draw: &Draw,
    now: u64,
) -> usize {
    if let Some(at) = buckets.iter().position(|bucket| bucket.key == draw.key) {
        return at;
    }
    let number = shard_of(draw.key);
    let shard = locked.iter().position(|(n, _)| *n == number).unwrap_or(0);
    let Some((_, table)) = locked.get_mut(shard) else { return buckets.len() };
    let (place, found) = table.find(draw.key, now, |place| {
        buckets.iter().any(|bucket| bucket.shard == shard && bucket.place == place)
    });
    // Two keys of one rule in overflow are one bucket.
    if let Some(at) = buckets.iter().position(|b| b.shard == shard && b.place == place) {
        return at;
    }
    let start = found.tat();
    buckets.push(Bucket { key: draw.key, shard, place, found, start, charged: start, price: 0 });
    buckets.len() - 1
}

/// What a stamp has of a generation.
fn epoch_of(generation: u64) -> u16 {
    u16::try_from(generation & u64::from(Stamp::epoch_mask())).unwrap_or(0)
}

/// The shard in which a key's bucket lives.
fn shard_of(key: u64) -> usize {
    usize::try_from(mix(key) >> 58).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Quota, RuleId};

    #[test]
    fn what_was_permitted_comes_back_with_how_its_buckets_stand() {
        let limiter = Limiter::new(1);
        let quota = Quota { interval_us: 100, burst: 1 };
        let draw = Draw { rule: RuleId::new(3), key: 1, quota, cost: 1 };
        let permitted = Permitted::of_draws([draw]);
        let Ok(admitted) = limiter.admit(permitted.clone(), 0) else {
            panic!("a full bucket refused")
        };
        assert_eq!(admitted.permitted().draws(), [draw]);
        assert_eq!(admitted.standings()[0].remaining(), 0);
        let Err(throttled) = limiter.admit(permitted, 40) else {
            panic!("an empty bucket admitted")
        };
        assert_eq!(throttled.permitted().draws(), [draw]);
        assert_eq!(throttled.blame().map(|standing| standing.rule), Some(RuleId::new(3)));
        assert_eq!(throttled.retry_after_us(), Some(60));
        assert!(limiter.admit(Permitted::of_draws([]), 40).is_ok(), "no budget, no limit");
    }
}
