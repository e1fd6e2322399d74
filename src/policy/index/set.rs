//! Sets of rules, as blocks of bits.
//!
//! A set holds only the blocks of 64 rules that have a member, so that a target which two rules of 10 000 mention
//! costs two blocks, and one that all of them mention costs 157.

use smallvec::SmallVec;

/// 64 rules: which 64, and which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Block {
    /// The rules `64 * at ..`.
    pub(in crate::policy) at: u32,
    /// Not zero.
    pub(in crate::policy) bits: u64,
}

/// A set of rules. INVARIANT: sorted by `at`, no `at` twice, no empty block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct RuleSet {
    blocks: SmallVec<[Block; 2]>,
}

impl RuleSet {
    /// Adds the rule at `index`.
    pub(in crate::policy) fn insert(&mut self, index: u32) {
        self.union_block(Block { at: index / 64, bits: 1 << (index % 64) });
    }

    /// Adds every rule of `other`.
    pub(in crate::policy) fn union(&mut self, other: &[Block]) {
        for block in other {
            self.union_block(*block);
        }
    }

    fn union_block(&mut self, block: Block) {
        match self.blocks.binary_search_by_key(&block.at, |known| known.at) {
            Ok(found) => {
                if let Some(known) = self.blocks.get_mut(found) {
                    known.bits |= block.bits;
                }
            }
            Err(place) => self.blocks.insert(place, block),
        }
    }

    /// The blocks in order.
    pub(in crate::policy) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The rules in order.
    #[cfg(test)]
    pub(in crate::policy) fn iter(&self) -> impl Iterator<Item = u32> {
        self.blocks.iter().flat_map(|block| members(*block))
    }
}

impl FromIterator<u32> for RuleSet {
    fn from_iter<I: IntoIterator<Item = u32>>(rules: I) -> Self {
        let mut set = Self::default();
        for rule in rules {
            set.insert(rule);
        }
        set
    }
}

/// The rules of a block, in order.
pub(in crate::policy) fn members(block: Block) -> impl Iterator<Item = u32> {
    let at = block.at * 64;
    #[expect(clippy::cast_possible_truncation, reason = "a bit of a u64 has a number below 64")]
    crate::policy::selector::ones(block.bits).map(move |bit| at + bit as u32)
}

/// The union of a few sets, block by block, without building it.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Merged<'a> {
    /// None of them empty.
    sources: SmallVec<[&'a [Block]; 6]>,
}

impl<'a> Merged<'a> {
    pub(in crate::policy) fn new(sources: impl IntoIterator<Item = &'a [Block]>) -> Self {
        Self { sources: sources.into_iter().filter(|blocks| !blocks.is_empty()).collect() }
    }
}

impl Iterator for Merged<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let at = self.sources.iter().filter_map(|blocks| blocks.first()).map(|b| b.at).min()?;
        let mut bits = 0;
        self.sources.retain(|source| {
            if let Some((first, rest)) = source.split_first()
                && first.at == at
            {
                bits |= first.bits;
                *source = rest;
            }
            !source.is_empty()
        });
        Some(Block { at, bits })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sets_are_sets(
            a in prop::collection::vec(0..500_u32, 0..20),
            b in prop::collection::vec(0..500_u32, 0..20),
        ) {
            let (x, y): (RuleSet, RuleSet) =
                (a.iter().copied().collect(), b.iter().copied().collect());
            let all: BTreeSet<u32> = a.iter().chain(&b).copied().collect();
            let merged = Merged::new([x.blocks(), &[], y.blocks()]);
            prop_assert!(merged.flat_map(members).eq(all.iter().copied()));
            let mut union = x.clone();
            union.union(y.blocks());
            prop_assert!(union.iter().eq(all.iter().copied()));
            prop_assert!(union.blocks().iter().all(|block| block.bits != 0));
        }
    }
}
