//! Where the buckets of one shard live: a fixed, set-associative table of 16-byte slots.
//!
//! A key may stand in either of two groups of eight slots. A slot whose `tat` has passed holds a full bucket, which is
//! the same as no bucket, so it is free: nothing is ever swept, moved or resized, and no request pays for another's
//! growth. Where all sixteen slots are in debt, the key shares one overflow bucket per rule with every other such key:
//! debt is never evicted (T47). A hash map would need either a sweep or an eviction, and stops all callers of a shard to grow.
//!
//! The memory is taken at once from the zeroed pages of the system, which gives them only when they are touched.

use smallvec::SmallVec;

use super::gcra::MAX_TIME_US;
use crate::policy::LimitTag;

/// Slots of one group: two cache lines.
pub(super) const WAYS: usize = 8;

/// Eight keys, each with its stamp. Plain numbers, because the allocator knows of those that zeroed pages will do.
type Group = [[u64; 2]; WAYS];

/// With so many free slots in its first home, a key need not look at the second for more room.
const ROOMY: usize = WAYS / 2;

/// The `tat` of a bucket and the policy set under which it was last written, in 64 bits: 52 of time, 12 of the set's generation.
/// They go round: what is half a round old counts as newer, which only means that too much debt is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Stamp {
    /// A bucket that nobody has drawn on.
    pub(super) const EMPTY: Self = Self(0);
    const EPOCH_BITS: u32 = 12;

    pub(super) fn new(tat: u64, epoch: u16) -> Self {
        Self(tat.min(MAX_TIME_US) << Self::EPOCH_BITS | u64::from(epoch & Self::epoch_mask()))
    }

    pub(super) const fn epoch_mask() -> u16 {
        (1 << Self::EPOCH_BITS) - 1
    }

    pub(super) fn tat(self) -> u64 {
        self.0 >> Self::EPOCH_BITS
    }

    /// Whether it was written under an earlier policy set than that of `epoch`.
    pub(super) fn is_older_than(self, epoch: u16) -> bool {
        let ahead = epoch.wrapping_sub(self.epoch()) & Self::epoch_mask();
        (1..=Self::epoch_mask() / 2).contains(&ahead)
    }

    /// The epoch for what is written in its place at `now` under `epoch`: never an earlier one than it has.
    pub(super) fn later_of(self, epoch: u16, now: u64) -> u16 {
        if self.is_free(now) || self.is_older_than(epoch) { epoch } else { self.epoch() }
    }

    fn epoch(self) -> u16 {
        u16::try_from(self.0 & u64::from(Self::epoch_mask())).unwrap_or(0)
    }

    fn is_free(self, now: u64) -> bool {
        self.tat() <= now
    }
}

/// Where a bucket is, or will be once it is drawn on. Good only while the shard stays locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Slot { group: usize, way: usize },
    Overflow(LimitTag),
}

/// One shard of the table.
#[derive(Debug)]
pub(super) struct Shard {
    /// The latest `now` that a caller brought. Threads read the clock before they have the lock, so a later caller may
    /// bring an earlier time; time never runs backwards here.
    pub(super) latest: u64,
    groups: Vec<Group>,
    /// One bucket a rule for keys that found no slot.
    overflow: SmallVec<[(LimitTag, Stamp); 2]>,
    /// For each group, the latest `tat` that a key at home in it ran up in an overflow bucket; empty until that happens.
    spilled: Vec<u64>,
    /// How often a key had to share.
    pub(super) shared: u64,
}

impl Shard {
    pub(super) fn new(groups: usize) -> Self {
        Self {
            latest: 0,
            groups: vec![[[0; 2]; WAYS]; groups.max(1)],
            overflow: SmallVec::new(),
            spilled: Vec::new(),
            shared: 0,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.groups.len() * WAYS
    }

    /// Finds the bucket of `key`, or a slot for it that is not in `taken`, and what it holds now.
    pub(super) fn find(
        &mut self,
        key: u64,
        now: u64,
        taken: impl Fn(Place) -> bool,
    ) -> (Place, Stamp) {
        let homes = homes(mix(key), self.groups.len());
        let mut free: Option<(Place, usize)> = None;
        for group in homes {
            let Some(slots) = self.groups.get(group) else { continue };
            let mut first = None;
            let mut room = 0;
            for (way, [slot_key, stamp]) in slots.iter().enumerate() {
                let stamp = Stamp(*stamp);
                let place = Place::Slot { group, way };
                if !stamp.is_free(now) {
                    if *slot_key == key {
                        return (place, stamp);
                    }
                } else if !taken(place) {
                    first = first.or(Some(place));
                    room += 1;
                }
            }
            // The emptier of two crowded groups, so that the table fills evenly and overflows late; the first of two
            // roomy ones, so that most keys are found at their first home.
            if let Some(place) = first
                && free.is_none_or(|(_, other)| other < ROOMY && room > other)
            {
                free = Some((place, room));
            }
        }
        let limit = LimitTag::of_key(key);
        let shared = self.overflow.iter().find(|(of, _)| *of == limit);
        let shared = shared.map_or(Stamp::EMPTY, |(_, stamp)| *stamp);
        match free {
            Some((place, _)) => (place, self.left_over(homes, shared)),
            None => {
                self.shared = self.shared.saturating_add(1);
                (Place::Overflow(limit), shared)
            }
        }
    }

    /// What a key without a bucket may still owe from a time when it shared one: a full table must be no way to a fresh
    /// budget. Nothing unless both its homes have spilled, so one crowded corner does not charge everybody.
    fn left_over(&self, homes: [usize; 2], shared: Stamp) -> Stamp {
        let spilled = homes.iter().map(|home| self.spilled.get(*home).copied().unwrap_or(0)).min();
        let owed = spilled.unwrap_or(0).min(shared.tat());
        if owed == 0 { Stamp::EMPTY } else { Stamp::new(owed, shared.epoch()) }
    }

    /// Writes the bucket of `key` at `place`.
    pub(super) fn put(&mut self, place: Place, key: u64, stamp: Stamp) {
        match place {
            Place::Slot { group, way } => {
                let Some(slots) = self.groups.get_mut(group) else { return };
                if let Some(slot) = slots.get_mut(way) {
                    *slot = [key, stamp.0];
                }
            }
            Place::Overflow(limit) => {
                let now = self.latest;
                // As many as rules that overflow at the same time, because what has run full is dropped first.
                self.overflow.retain(|(of, stamp)| *of == limit || !stamp.is_free(now));
                match self.overflow.iter_mut().find(|(of, _)| *of == limit) {
                    Some((_, slot)) => *slot = stamp,
                    None => self.overflow.push((limit, stamp)),
                }
                if self.spilled.is_empty() {
                    self.spilled = vec![0; self.groups.len()];
                }
                for home in homes(mix(key), self.groups.len()) {
                    if let Some(until) = self.spilled.get_mut(home) {
                        *until = stamp.tat().max(*until);
                    }
                }
            }
        }
    }

    /// Forgets what is not of a limit that `is_kept`.
    pub(super) fn keep(&mut self, is_kept: impl Fn(LimitTag) -> bool) {
        self.overflow.retain(|(limit, _)| is_kept(*limit));
        for [key, stamp] in self.groups.iter_mut().flatten() {
            // Only what was written, so that no page is touched that the system has not given yet.
            if *stamp != 0 && !is_kept(LimitTag::of_key(*key)) {
                *stamp = 0;
            }
        }
        if self.overflow.is_empty() {
            self.spilled = Vec::new();
        }
    }

    /// Buckets that are not full.
    pub(super) fn in_debt(&self, now: u64) -> usize {
        let slots = self.groups.iter().flatten().map(|[_, stamp]| Stamp(*stamp));
        let shared = self.overflow.iter().map(|(_, stamp)| *stamp);
        slots.chain(shared).filter(|stamp| !stamp.is_free(now)).count()
    }
}

/// Spreads a key over 64 bits (the finaliser of MurmurHash3). Keys are keyed hashes already, which is what keeps an
/// attacker from choosing ones that collide; this only spares their makers from having to use every bit well.
pub(super) fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let key = (key ^ (key >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    key ^ (key >> 33)
}

/// The two groups in which a key may stand, from disjoint parts of its hash. The top six bits chose the shard.
fn homes(hash: u64, groups: usize) -> [usize; 2] {
    let scale = |part: u64| {
        let scaled = (part & 0xFFFF_FFFF).saturating_mul(groups as u64) >> 32;
        usize::try_from(scaled).unwrap_or(0)
    };
    [scale(hash), scale(hash >> 26)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_keeps_time_and_epoch_apart() {
        for tat in [0, 1, MAX_TIME_US - 1, MAX_TIME_US, u64::MAX] {
            for epoch in [0, 1, 2047, 4095, 4096, u16::MAX] {
                let stamp = Stamp::new(tat, epoch);
                assert_eq!(stamp.tat(), tat.min(MAX_TIME_US));
                assert!(!stamp.is_older_than(epoch));
                for (later, want) in [(1, true), (2047, true), (2048, false), (4095, false)] {
                    assert_eq!(stamp.is_older_than(epoch.wrapping_add(later)), want, "{later}");
                }
            }
        }
    }

    #[test]
    fn both_homes_are_in_the_table_and_spread() {
        for groups in [1, 2, 3, 2048, 1 << 20] {
            let mut seen = std::collections::HashSet::new();
            for n in 0..1000_u64 {
                let hash = mix(n);
                for home in homes(hash, groups) {
                    assert!(home < groups);
                    seen.insert(home);
                }
            }
            assert!(seen.len() * 2 >= groups.min(1900), "{groups} groups, {} used", seen.len());
        }
    }
}
