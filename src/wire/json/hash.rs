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

    /// The hash of one name.
    ///
    /// Both words of the multiplication carry name bytes under a secret mask. The first two
    /// words and the length determine a name below 16 bytes; a longer one is folded 16 bytes at
    /// a time.
    #[inline(always)]
    pub(super) fn of(self, name: &Name<'_>) -> u64 {
        let mut first = self.first;
        if name.length >= 16 {
            first = self.long(name.bytes);
        }
        let length = (name.length as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        fold(first ^ name.low, self.second ^ length ^ name.high)
    }

    #[inline(never)]
    fn long(self, name: &[u8]) -> u64 {
        let (blocks, tail) = name.as_chunks::<16>();
        let mut state = self.first;
        for block in blocks {
            let words = Name::new(block);
            state = fold(state ^ words.low, self.second ^ words.high);
        }
        let words = Name::new(tail);
        fold(state ^ words.low, self.second ^ words.high)
    }
}

/// A member name as the hash sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// Bytes of the name.
    pub(super) length: usize,
    /// The first 8 bytes, with zeros behind a shorter name.
    pub(super) low: u64,
    /// The next 8.
    pub(super) high: u64,
    /// The name itself, needed from 16 bytes on.
    pub(super) bytes: &'a [u8],
}

impl<'a> Name<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut words = [0; 16];
        for (to, from) in words.iter_mut().zip(bytes) {
            *to = *from;
        }
        let words = u128::from_le_bytes(words);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (low, high) = (words as u64, (words >> 64) as u64);
        Self { length: bytes.len(), low, high, bytes }
    }
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
            for value in [0_u8, 1, b'a', b'b', 0xff] {
                names.push(vec![value; length]);
                for place in 0..length {
                    let mut name = vec![value; length];
                    name[place] ^= 0x40;
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
        assert_ne!(
            KeyHash::new(1).of(&Name::new(b"method")),
            KeyHash::new(2).of(&Name::new(b"method"))
        );
    }
}
