//! What a principal has already been found to satisfy: conditions over claims alone, evaluated once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::expr::Truth;

/// The memory of one principal for one policy generation.
///
/// Cells are written without order among each other: each holds a fact about immutable things, so a reader sees it or
/// finds it out again.
#[derive(Debug)]
pub(super) struct Memo {
    generation: u64,
    /// Two bits for each predicate: 0 not yet known.
    truths: Box<[AtomicU64]>,
    /// A bit for each rule that cannot apply to this principal, whatever the call.
    dead: Box<[AtomicU64]>,
}

const UNKNOWN_YET: u64 = 0;
const TRUE: u64 = 1;
const FALSE: u64 = 2;
const UNKNOWN: u64 = 3;

/// Predicates in a word.
const PER_WORD: u32 = 32;

impl Memo {
    /// Room for `predicates` and `rules` of generation `generation`.
    pub(super) fn new(generation: u64, predicates: u32, rules: usize) -> Arc<Self> {
        let words = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            generation,
            truths: words(predicates.div_ceil(PER_WORD) as usize),
            dead: words(rules.div_ceil(64)),
        })
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The truth of predicate `at`, from memory or else from `evaluate`.
    pub(super) fn truth(&self, at: u32, evaluate: impl FnOnce() -> Truth) -> Truth {
        let Some(word) = self.truths.get((at / PER_WORD) as usize) else { return evaluate() };
        let shift = at % PER_WORD * 2;
        match word.load(Ordering::Relaxed) >> shift & 3 {
            TRUE => Truth::True,
            FALSE => Truth::False,
            UNKNOWN => Truth::Unknown,
            _ => {
                let truth = evaluate();
                let bits = match truth {
                    Truth::True => TRUE,
                    Truth::False => FALSE,
                    Truth::Unknown => UNKNOWN,
                };
                debug_assert_ne!(bits, UNKNOWN_YET);
                word.fetch_or(bits << shift, Ordering::Relaxed);
                truth
            }
        }
    }

    /// Which of the rules `64 * block ..` cannot apply.
    pub(super) fn dead(&self, block: u32) -> u64 {
        self.dead.get(block as usize).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Remembers that rule `index` cannot apply.
    pub(super) fn bury(&self, index: u32) {
        if let Some(word) = self.dead.get((index / 64) as usize) {
            word.fetch_or(1 << (index % 64), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truth_is_found_once() {
        let memo = Memo::new(7, 100, 130);
        for at in 0..100 {
            let truth = Truth::ALL[at as usize % 3];
            assert_eq!(memo.truth(at, || truth), truth);
        }
        for at in 0..100 {
            assert_eq!(memo.truth(at, || panic!("known")), Truth::ALL[at as usize % 3]);
        }
        assert_eq!(memo.truth(100_000, || Truth::Unknown), Truth::Unknown);
    }

    #[test]
    fn the_dead_stay_dead() {
        let memo = Memo::new(7, 0, 130);
        for rule in [0, 63, 64, 129, 100_000] {
            memo.bury(rule);
        }
        assert_eq!(
            [memo.dead(0), memo.dead(1), memo.dead(2), memo.dead(99)],
            [1 | 1 << 63, 1, 2, 0]
        );
    }
}
