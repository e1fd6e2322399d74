//! From a limit that applies to what the call takes from which bucket.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};

use smallvec::SmallVec;

use super::expr::{Path, Reads, Resolved, Scope};
use super::stanza::{Budget, Cost};
use super::{Draw, Quota, RuleId};

/// What all buckets of one limit have in common, the last bits of their keys: a limit that is gone after a reload is known by
/// them, and what its buckets took is free. It follows from the limit's name, and so is the same in the next set.
///
/// Twelve bits leave 52 to tell buckets apart, which a million of them do with a chance of one in 8 000 that any two meet; of
/// fifty limits two are alike in one set of three or so, and then the buckets of one wait for the other's to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitTag(u16);

impl LimitTag {
    /// How many there are.
    pub const COUNT: usize = 1 << 12;

    /// That of the limit called `name`.
    pub(super) fn of(name: &str, hasher: &RandomState) -> Self {
        Self::of_key(hasher.hash_one(name))
    }

    /// That of the bucket `key`.
    #[must_use]
    pub fn of_key(key: u64) -> Self {
        // INVARIANT: what is left has 12 bits.
        Self(u16::try_from(key % Self::COUNT as u64).unwrap_or(0))
    }

    /// `hash` as the key of a bucket of this limit.
    #[must_use]
    pub fn key(self, hash: u64) -> u64 {
        hash - hash % Self::COUNT as u64 + u64::from(self.0)
    }

    /// Below [`LimitTag::COUNT`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a call in `scope` draws on `budget`, that of rule `rule` called `name`.
pub(super) fn draw(
    rule: RuleId,
    name: &str,
    budget: &Budget,
    scope: &Scope<'_>,
    tag: LimitTag,
    hasher: &RandomState,
) -> Draw {
    let (tier, quota) = budget.tier(scope);
    let mut gather = Gather::new(hasher.build_hasher());
    Key { name, tier, per: &budget.per, scope }.hash(&mut gather);
    let key = tag.key(gather.into_hash());
    Draw { rule, key, quota, cost: budget.cost(scope, quota) }
}

impl Budget {
    /// The tier that the caller is in, and its quota.
    fn tier(&self, scope: &Scope<'_>) -> (Option<&str>, Quota) {
        let Some(Resolved::Text(wanted)) = self.tier.as_ref().map(|path| path.resolve(scope))
        else {
            return (None, self.otherwise);
        };
        match self.tiers.iter().find(|(tier, _)| **tier == *wanted) {
            Some((tier, quota)) => (Some(tier), *quota),
            None => (None, self.otherwise),
        }
    }

    fn cost(&self, scope: &Scope<'_>, quota: Quota) -> u32 {
        match &self.cost {
            Cost::Fixed(cost) => *cost,
            Cost::At(path) => match path.resolve(scope) {
                // Nothing is free: a caller who could name a cost of 0 would have no limit.
                Resolved::Number(number) => number
                    .as_u64()
                    .map_or(quota.burst, |cost| u32::try_from(cost).unwrap_or(u32::MAX).max(1)),
                // What cannot be told counts against the caller.
                _ => quota.burst,
            },
        }
    }
}

/// What tells one bucket of a rule from another. Its parts are hashed with their lengths, so that no two different
/// lists of values run together.
struct Key<'k, 's> {
    name: &'k str,
    tier: Option<&'k str>,
    per: &'k [Path],
    scope: &'k Scope<'s>,
}

impl Hash for Key<'_, '_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.tier.hash(state);
        let values: SmallVec<[Resolved<'_>; 2]> =
            self.per.iter().map(|path| path.resolve(self.scope)).collect();
        // Who leaves a value out shares one bucket with all others who do: no evasion by omission (T46).
        if values.iter().any(is_missing) {
            return SHARED.hash(state);
        }
        if self.per.iter().any(|path| path.reads().any_of(Reads::PRINCIPAL)) {
            // The `sub` of one issuer is not that of another.
            self.scope.principal.kind().hash(state);
            self.scope.principal.issuer().hash(state);
        }
        values.len().hash(state);
        for value in values {
            match value {
                Resolved::Ip(ip) => network(ip).hash(state),
                value => value.hash(state),
            }
        }
    }
}

/// Gathers what is written and hands it to `into` in few pieces: a keyed hash pays for each piece, and a key has a dozen.
struct Gather<H> {
    bytes: [u8; 128],
    len: usize,
    into: H,
}

impl<H: Hasher> Gather<H> {
    fn new(into: H) -> Self {
        Self { bytes: [0; 128], len: 0, into }
    }

    fn flush(&mut self) {
        self.into.write(self.bytes.get(..self.len).unwrap_or_default());
        self.len = 0;
    }

    fn into_hash(mut self) -> u64 {
        self.flush();
        self.into.finish()
    }
}

impl<H: Hasher> Hasher for Gather<H> {
    fn write(&mut self, bytes: &[u8]) {
        if self.bytes.len() - self.len < bytes.len() {
            self.flush();
        }
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.into.write(bytes),
        }
    }

    /// Of what has been handed on.
    fn finish(&self) -> u64 {
        self.into.finish()
    }
}

/// Hashed in place of the values where one is missing. No list of values has this length.
const SHARED: usize = usize::MAX;

const fn is_missing(value: &Resolved<'_>) -> bool {
    matches!(value, Resolved::Absent | Resolved::TooLarge | Resolved::Null)
}

/// The address that a caller cannot change at will: IPv4 whole, of IPv6 the first 64 bits (T46).
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathered_pieces_hash_like_one() {
        let hasher = RandomState::new();
        let texts = ["", "a", "ab", &"c".repeat(127), &"d".repeat(128), &"e".repeat(129), "f"];
        for from in 0..texts.len() {
            let mut gather = Gather::new(hasher.build_hasher());
            let mut whole = hasher.build_hasher();
            for text in texts.iter().skip(from) {
                gather.write(text.as_bytes());
                whole.write(text.as_bytes());
            }
            assert_eq!(gather.into_hash(), whole.finish(), "{from}");
        }
    }

    #[test]
    fn addresses_count_by_network() {
        for (a, b, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
        ] {
            let network = |text: &str| network(text.parse().unwrap());
            assert_eq!(network(a) == network(b), same, "{a} {b}");
        }
    }
}
