//! A keyed hash of member names.
//!
//! Two names of one object with equal hashes count as a duplicate without a comparison of their
//! bytes, so that the bytes need not be kept. A collision can therefore only refuse a good text,
//! never admit a bad one. For `n` names in one object the chance is about `n² / 2^65` for a seed
//! that the sender does not know: 2^-41 for 4 096 names, 2^-57 for 16.

/// The secret part of the hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHash {
    first: u64,
    second: u64,
}

impl KeyHash {
    pub(super) fn new(seed: u64) -> Self {
        Self { first: spread(seed), second: spread(seed ^ 0xA076_1D64_78BD_642F) }
    }

    /// The hash of one name: its words under secret masks, multiplied and folded.
    #[inline(always)]
    pub(super) fn of(self, name: &Name<'_>) -> u64 {
        if name.long.is_empty() {
            fold(self.first ^ name.low, self.second ^ name.high)
        } else {
            self.of_long(name.long)
        }
    }

    #[inline(never)]
    fn of_long(self, name: &[u8]) -> u64 {
        let (blocks, tail) = name.as_chunks::<16>();
        let mut state = self.first;
        for block in blocks {
            let [low, high] = halves(u128::from_le_bytes(*block));
            state = fold(state ^ low, self.second ^ high);
        }
        let tail = Name::new(tail);
        fold(state ^ tail.low, self.second ^ tail.high)
    }
}

/// A member name as the hash sees it.
///
/// A name below 16 bytes is two words, the bytes of the name with a quote and zeros behind them. The
/// quote is the last byte that is not zero, whatever the name has, so the words determine the name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) low: u64,
    pub(super) high: u64,
    /// The name if it has 16 bytes or more, otherwise empty.
    pub(super) long: &'a [u8],
}

impl<'a> Name<'a> {
    pub(super) fn new(name: &'a [u8]) -> Self {
        let mut words = [0; 16];
        if name.len() >= words.len() {
            return Self { low: 0, high: 0, long: name };
        }
        for (to, from) in words.iter_mut().zip(name.iter().chain(b"\"")) {
            *to = *from;
        }
        let [low, high] = halves(u128::from_le_bytes(words));
        Self { low, high, long: &[] }
    }
}

/// The lower and the upper half.
#[inline(always)]
pub(super) fn halves(words: u128) -> [u64; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
    let halves = [words as u64, (words >> 64) as u64];
    halves
}

/// The 128-bit product of two words, folded to 64 bits.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

/// SplitMix64: a seed with few set bits becomes a word with many.
fn spread(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{KeyHash, Name};
    use std::collections::HashSet;

    #[test]
    fn similar_names_differ() {
        let hash = KeyHash::new(7);
        let mut seen = HashSet::new();
        let mut names: Vec<Vec<u8>> = vec![vec![]];
        for length in 1..80 {
            for value in [0_u8, 1, b'a', b'"', 0xff] {
                names.push(vec![value; length]);
                for place in 0..length {
                    let mut name = vec![value; length];
                    name[place] ^= 0x40;
                    names.push(name);
                    let mut name = vec![value; length];
                    name[place] = b'"';
                    names.push(name);
                }
            }
        }
        names.sort();
        names.dedup();
        for name in &names {
            assert!(seen.insert(hash.of(&Name::new(name))), "{name:?}");
        }
    }

    #[test]
    fn short_names_are_told_apart() {
        let hash = KeyHash::new(0);
        let mut seen = HashSet::new();
        for a in 0..=255_u8 {
            assert!(seen.insert(hash.of(&Name::new(&[a]))));
            for b in 0..=255_u8 {
                assert!(seen.insert(hash.of(&Name::new(&[a, b]))));
            }
        }
        for a in 0..64_u8 {
            for b in 0..64_u8 {
                for c in 0..64_u8 {
                    assert!(seen.insert(hash.of(&Name::new(&[a, b, c]))));
                }
            }
        }
    }

    #[test]
    fn the_seed_matters() {
        let name = Name::new(b"method");
        assert_ne!(KeyHash::new(1).of(&name), KeyHash::new(2).of(&name));
    }
}
