//! What can be wrong with an expression.

use std::ops::Range;

/// One thing that is wrong with an expression. All things that are wrong are reported together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprProblem {
    /// Where: bytes of the expression's text, in order, at character boundaries, empty only at its end.
    pub span: Range<usize>,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// What stands at `span`, in a few words; may be empty.
    pub label: String,
    /// Other places that belong to it, with what stands there.
    pub also: Vec<(Range<usize>, String)>,
    /// What to write instead.
    pub help: Option<String>,
}

impl ExprProblem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: String::new(), also: Vec::new(), help: None }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn suggest<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match nearest(word, candidates) {
            Some(found) => self.help(format!("did you mean `{found}`?")),
            None => self,
        }
    }
}

/// The candidate nearest to `word`: at most a third of its letters changed, added, removed or swapped.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&folded, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| {
            *distance <= candidate.chars().count().max(word.chars().count()).div_ceil(3)
        })
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    let cell = |rows: &[Vec<usize>], i: usize, j: usize| -> usize {
        rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(usize::MAX / 2)
    };
    for (i, x) in a.iter().enumerate() {
        rows.push(vec![i + 1]);
        for (j, y) in b.iter().enumerate() {
            let mut best = (cell(&rows, i, j + 1) + 1)
                .min(cell(&rows, i + 1, j) + 1)
                .min(cell(&rows, i, j) + usize::from(x != y));
            let swapped = i > 0
                && j > 0
                && a.get(i - 1) == Some(y)
                && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(cell(&rows, i - 1, j - 1) + 1);
            }
            if let Some(row) = rows.get_mut(i + 1) {
                row.push(best);
            }
        }
    }
    cell(&rows, a.len(), b.len())
}
