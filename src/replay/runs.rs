//! Members that come again from line to line, a few at a time: by which way, in which revision, under which set.
//!
//! Where a line goes on as the one before it did at this place, it says the same, and need not be read.

use std::ops::Range;

use simd_json::{Node, StaticNode};

use super::fields::{Field, NAMES};

/// Bytes of a run. Routes and hosts are mostly shorter than 100.
const RUN: usize = 1024;

/// What a member says.
#[derive(Clone, Debug)]
enum Said {
    /// The text that stands here in the run.
    Text(Range<usize>),
    Static(StaticNode),
}

/// Members with all that stands between them, and the comma behind the last.
#[derive(Clone, Debug, Default)]
struct Run {
    text: String,
    said: Vec<(Field, Said)>,
    /// The last of their names.
    last: usize,
}

/// By the name before them, the members that came last.
#[derive(Debug)]
pub(super) struct Runs {
    runs: Vec<Run>,
    /// The run that is being read: what it comes after, where it begins, and what its members say.
    open: Option<(usize, usize)>,
    said: Vec<(Field, Said)>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { runs: vec![Run::default(); NAMES + 1], open: None, said: Vec::new() }
    }
}

impl Runs {
    /// A line begins.
    pub(super) fn begin(&mut self) {
        self.open = None;
    }

    /// The members that `text` has at `at`, behind the name `last`, if they are those that came last: gives what they say to
    /// `take`. Where they end and the last of their names.
    #[inline]
    pub(super) fn pass<'l>(
        &self,
        text: &'l str,
        at: usize,
        last: usize,
        mut take: impl FnMut(Field, Node<'l>),
    ) -> Option<(usize, usize)> {
        let run = self.runs.get(last).filter(|run| !run.text.is_empty())?;
        if self.open.is_some() || !text.as_bytes().get(at..)?.starts_with(run.text.as_bytes()) {
            return None;
        }
        for (field, said) in &run.said {
            take(
                *field,
                match said {
                    Said::Text(range) => Node::String(text.get(at + range.start..at + range.end)?),
                    Said::Static(node) => Node::Static(*node),
                },
            );
        }
        Some((at + run.text.len(), run.last))
    }

    /// The member `field`, which begins at `begin` behind the name `last`, has been read: its value is `node` and ends at `end`.
    #[inline]
    pub(super) fn came(
        &mut self,
        field: Field,
        node: &Node<'_>,
        last: usize,
        begin: usize,
        end: usize,
    ) {
        if !field.comes_again() {
            return;
        }
        let (_, start) = *self.open.get_or_insert_with(|| {
            self.said.clear();
            (last, begin)
        });
        match node {
            Node::String(text) => {
                // Without the quote behind it.
                let end = end - 1 - start;
                self.said.push((field, Said::Text(end - text.len()..end)));
            }
            Node::Static(node) => self.said.push((field, Said::Static(*node))),
            Node::Object { .. } | Node::Array { .. } => {}
        }
    }

    /// A member begins at `at`, behind the name `last`, that does not come again: the run has ended before it.
    #[inline]
    pub(super) fn end(&mut self, text: &str, at: usize, last: usize) {
        let Some((from, start)) = self.open.take() else { return };
        let (Some(run), Some(text)) = (self.runs.get_mut(from), text.get(start..at)) else {
            return;
        };
        if text.len() <= RUN {
            run.text.clear();
            run.text.push_str(text);
            std::mem::swap(&mut run.said, &mut self.said);
            run.last = last;
        }
    }
}
