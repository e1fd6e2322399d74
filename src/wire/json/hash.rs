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
    /// Both words of the multiplication carry name bytes under a secret mask. Up to 16 bytes the
    /// words (which overlap) and the length determine the name; longer names are folded 16
    /// bytes at a time first.
    #[inline(always)]
    pub(super) fn of(self, name: &[u8]) -> u64 {
        let mut low = self.first;
        let mut high = self.second ^ (name.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if name.len() > 16 {
            low = self.long(name);
        }
        if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            low ^= u64::from_le_bytes(*head);
            high ^= u64::from_le_bytes(*tail);
        } else if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            low ^= u64::from(u32::from_le_bytes(*head));
            high ^= u64::from(u32::from_le_bytes(*tail));
        } else if let [a, .., z] = *name {
            // Two or three bytes: the middle one is counted twice or is the last.
            let middle = name.get(1).copied().unwrap_or(0);
            low ^= u64::from(a) | u64::from(middle) << 8 | u64::from(z) << 16;
        } else if let [a] = *name {
            low ^= u64::from(a);
        }
        fold(low, high)
    }

    /// The state after all whole blocks of 16 bytes of a long name.
    fn long(self, name: &[u8]) -> u64 {
        let mut state = self.first;
        for block in name.as_chunks::<16>().0 {
            if let (Some(head), Some(tail)) = (block.first_chunk(), block.last_chunk()) {
                state = fold(
                    state ^ u64::from_le_bytes(*head),
                    self.second ^ u64::from_le_bytes(*tail),
                );
            }
        }
        // The last 16 bytes go in again through `tail` only in half: fold in the other half here.
        if let Some(last) = name.last_chunk::<16>()
            && let Some(head) = last.first_chunk()
        {
            state = fold(state ^ u64::from_le_bytes(*head), self.second);
        }
        state
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
    use super::KeyHash;
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
            assert!(seen.insert(hash.of(name)), "{name:?}");
        }
    }

    #[test]
    fn short_names_are_told_apart() {
        let hash = KeyHash::new(0);
        let mut seen = HashSet::new();
        for a in 0..=255_u8 {
            assert!(seen.insert(hash.of(&[a])));
            for b in 0..=255_u8 {
                assert!(seen.insert(hash.of(&[a, b])));
            }
        }
        for a in 0..64_u8 {
            for b in 0..64_u8 {
                for c in 0..64_u8 {
                    assert!(seen.insert(hash.of(&[a, b, c])));
                }
            }
        }
    }

    #[test]
    fn the_seed_matters() {
        assert_ne!(KeyHash::new(1).of(b"method"), KeyHash::new(2).of(b"method"));
    }
}
