//! What leaves, as few slices of the chunks that came.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

/// Collects what passes of one chunk. Neighbouring ranges leave as one slice, so a chunk of which nothing is removed leaves
/// as it came.
#[derive(Debug)]
pub(super) struct Output<'a> {
    chunk: &'a Bytes,
    /// The range that passes and has not been put out.
    run: Range<usize>,
    out: &'a mut VecDeque<Bytes>,
}

impl<'a> Output<'a> {
    pub(super) fn new(chunk: &'a Bytes, out: &'a mut VecDeque<Bytes>) -> Self {
        Self { chunk, run: 0..0, out }
    }

    /// The bytes of the chunk in `range`.
    pub(super) fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.chunk.get(range).unwrap_or_default()
    }

    /// `range` of the chunk passes.
    pub(super) fn pass(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        if self.run.end != range.start {
            self.flush();
            self.run.start = range.start;
        }
        self.run.end = range.end;
    }

    /// `bytes` from elsewhere pass.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.flush();
            self.out.push_back(bytes);
        }
    }

    /// Puts out what passed.
    pub(super) fn flush(&mut self) {
        let run = std::mem::replace(&mut self.run, 0..0);
        if !run.is_empty() && run.end <= self.chunk.len() {
            self.out.push_back(self.chunk.slice(run));
        }
    }
}
