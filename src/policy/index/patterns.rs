//! Many patterns at once: one pass over a name finds the few that could match, and only those are tried.
//!
//! Every pattern with literal text has a needle, the run of literals that fewest patterns share. One Aho-Corasick
//! automaton looks for all needles. A pattern whose needle is not in the name costs nothing.

use std::collections::{HashMap, HashSet};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use smallvec::SmallVec;

use super::set::RuleSet;
use crate::policy::selector::Glob;

/// A set of patterns and the rules that each stands in.
#[derive(Debug, Default)]
pub(in crate::policy) struct Patterns {
    globs: Vec<(Glob, RuleSet)>,
    /// Patterns without literal text; always tried.
    bare: Vec<u32>,
    needles: Option<AhoCorasick>,
    /// By needle, the patterns that have it.
    by_needle: Vec<Vec<u32>>,
}

impl Patterns {
    /// Compiles `patterns`; equal ones are shared.
    pub(in crate::policy) fn new(patterns: impl IntoIterator<Item = (Glob, u32)>) -> Self {
        let mut globs: Vec<(Glob, RuleSet)> = Vec::new();
        let mut known: HashMap<Glob, usize> = HashMap::new();
        for (glob, rule) in patterns {
            let at = *known.entry(glob.clone()).or_insert(globs.len());
            if at == globs.len() {
                globs.push((glob, RuleSet::default()));
            }
            if let Some((_, rules)) = globs.get_mut(at) {
                rules.insert(rule);
            }
        }
        Self::with_needles(globs)
    }

    fn with_needles(globs: Vec<(Glob, RuleSet)>) -> Self {
        let mut shared: HashMap<String, usize> = HashMap::new();
        for needle in globs.iter().flat_map(|(glob, _)| glob.needles()) {
            *shared.entry(needle).or_default() += 1;
        }
        let mut this = Self { globs, ..Self::default() };
        let mut texts: Vec<String> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (index, (glob, _)) in (0_u32..).zip(&this.globs) {
            let rarest = |needle: &String| (shared.get(needle).copied(), usize::MAX - needle.len());
            let Some(needle) = glob.needles().min_by_key(rarest) else {
                this.bare.push(index);
                continue;
            };
            let at = *known.entry(needle.clone()).or_insert(texts.len());
            if at == texts.len() {
                texts.push(needle);
                this.by_needle.push(Vec::new());
            }
            if let Some(list) = this.by_needle.get_mut(at) {
                list.push(index);
            }
        }
        // Names are short: a prefilter would cost more than it saves.
        let mut builder = AhoCorasickBuilder::new();
        builder.match_kind(MatchKind::Standard).prefilter(false);
        // Fails only beyond 2^31 states; then all patterns are tried.
        match builder.build(&texts) {
            Ok(automaton) if !texts.is_empty() => this.needles = Some(automaton),
            Ok(_) => {}
            Err(_) => this.bare = (0_u32..).zip(&this.globs).map(|(index, _)| index).collect(),
        }
        this
    }

    /// Adds the rules of every pattern that matches `name` to `found`.
    pub(in crate::policy) fn find(&self, name: &str, found: &mut RuleSet) {
        for index in &self.bare {
            self.try_pattern(*index, name, found);
        }
        let Some(needles) = &self.needles else { return };
        let mut seen = Seen::default();
        for hit in needles.find_overlapping_iter(name) {
            let needle = hit.pattern().as_usize();
            // A needle that occurs a thousand times in a long URI is looked into once.
            if !seen.insert(needle) {
                continue;
            }
            for index in self.by_needle.get(needle).into_iter().flatten() {
                self.try_pattern(*index, name, found);
            }
        }
    }

    fn try_pattern(&self, index: u32, name: &str, found: &mut RuleSet) {
        if let Some((glob, rules)) = self.globs.get(index as usize)
            && glob.matches(name)
        {
            found.union(rules.blocks());
        }
    }
}

/// Needles that were found. A name of a few letters finds a few, a long URI may find thousands.
#[derive(Debug, Default)]
struct Seen {
    few: SmallVec<[usize; 16]>,
    many: HashSet<usize>,
}

impl Seen {
    /// Adds `needle`; false where it was there.
    fn insert(&mut self, needle: usize) -> bool {
        if self.few.contains(&needle) {
            return false;
        }
        if self.few.len() < self.few.inline_size() {
            self.few.push(needle);
            return true;
        }
        self.many.insert(needle)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::selector::Dialect;

    proptest! {
        #[test]
        fn one_pass_finds_what_trying_each_finds(
            patterns in prop::collection::vec("[ab*?]{1,5}", 1..12),
            name in "[ab]{0,8}",
        ) {
            let globs: Vec<Glob> = patterns
                .iter()
                .filter_map(|text| Glob::parse(text, Dialect::Name).ok())
                .collect();
            let index = Patterns::new(globs.iter().cloned().zip(0..));
            let mut found = RuleSet::default();
            index.find(&name, &mut found);
            let each = (0_u32..).zip(&globs).filter(|(_, glob)| glob.matches(&name));
            prop_assert!(found.iter().eq(each.map(|(rule, _)| rule)));
        }

        #[test]
        fn what_is_seen_is_seen_once(needles in prop::collection::vec(0..40_usize, 0..80)) {
            let mut seen = Seen::default();
            let mut known = HashSet::new();
            for needle in needles {
                prop_assert_eq!(seen.insert(needle), known.insert(needle));
            }
        }
    }
}
