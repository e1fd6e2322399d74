//! Where chunks wait: shut until the call is permitted, and until the end of the body shut for the
//! root's closing brace (tail-hold, T8).

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// Chunks that are kept as they came. The ones behind them are copied into one buffer, so that a
/// peer who sends single bytes makes us hold the bytes and not as many read buffers (T5).
const SHARED: usize = 4;

/// The chunks of one body between arrival and departure.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Apart from the queue because most bodies are one chunk, which then costs no allocation.
    first: Option<Bytes>,
    queue: VecDeque<Bytes>,
    copied: BytesMut,
    /// Bytes that arrived, and bytes that left.
    fed: u64,
    left: u64,
    is_open: bool,
    /// Offset of the byte that completes the document; it and what follows stay until the end is good.
    brace: Option<u64>,
    is_complete: bool,
    /// Offset of the first byte of what may yet be replaced.
    handle: Option<u64>,
}

impl Gate {
    /// Takes a chunk that has been scanned. One of nothing (an empty DATA frame) is none.
    pub(super) fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        self.fed += chunk.len() as u64;
        if !self.copied.is_empty() || self.queue.len() == SHARED {
            self.copied.extend_from_slice(&chunk);
        } else if self.first.is_none() && self.queue.is_empty() {
            self.first = Some(chunk);
        } else {
            self.queue.push_back(chunk);
        }
    }

    /// Lets go what stands before the closing brace.
    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    /// Says where the closing brace of the root stands.
    pub(super) fn keep_from(&mut self, brace: u64) {
        self.brace = Some(brace);
    }

    /// Says from where on bytes wait for [`Gate::put`], if any do.
    pub(super) fn hold_from(&mut self, handle: Option<u64>) {
        self.handle = handle;
    }

    /// Puts `text`, in quotes, in place of the string at `at`, and white space where that leaves room. False where it does not
    /// fit, or some of the string has left.
    pub(super) fn put(&mut self, at: Range<u64>, text: &[u8]) -> bool {
        let room = at.end.saturating_sub(at.start);
        if at.start < self.left || at.end > self.fed || text.len() as u64 + 2 > room {
            return false;
        }
        let mut all = BytesMut::with_capacity(self.held());
        while let Some(chunk) = self.pop() {
            all.extend_from_slice(&chunk);
        }
        let place = |offset: u64| usize::try_from(offset - self.left).unwrap_or(usize::MAX);
        let Some(string) = all.get_mut(place(at.start)..place(at.end)) else { return false };
        let new = [b"\"", text, b"\""].concat();
        let new = new.iter().chain(std::iter::repeat(&b' '));
        string.iter_mut().zip(new).for_each(|(old, new)| *old = *new);
        self.first = Some(all.freeze());
        true
    }

    /// Says that the whole body was good.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Forgets everything: nothing leaves any more.
    pub(super) fn seal(&mut self) {
        *self = Self { fed: self.fed, left: self.fed, ..Self::default() };
    }

    /// Bytes that arrived and have not left.
    pub(super) fn held(&self) -> usize {
        usize::try_from(self.fed - self.left).unwrap_or(usize::MAX)
    }

    /// The next bytes that may leave.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        if !self.is_open {
            return None;
        }
        let until = match self.brace {
            Some(brace) if !self.is_complete => brace,
            _ => self.fed,
        };
        let until = self.handle.map_or(until, |handle| handle.min(until));
        let room = usize::try_from(until.saturating_sub(self.left)).unwrap_or(usize::MAX);
        if room == 0 {
            return None;
        }
        let mut chunk = self.pop()?;
        if chunk.len() > room {
            self.first = Some(chunk.split_off(room));
        }
        self.left += chunk.len() as u64;
        Some(chunk)
    }

    fn pop(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if let Some(next) = self.queue.pop_front() {
            return Some(next);
        }
        if self.copied.is_empty() { None } else { Some(self.copied.split().freeze()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(gate: &mut Gate, text: &[u8], step: usize) {
        for piece in text.chunks(step) {
            gate.push(Bytes::copy_from_slice(piece));
            gate.push(Bytes::new());
        }
    }

    fn drain(gate: &mut Gate) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(chunk) = gate.next() {
            assert!(!chunk.is_empty());
            out.extend_from_slice(&chunk);
        }
        out
    }

    #[test]
    fn everything_waits_then_leaves_in_order_at_any_chunk_size() {
        let text: Vec<u8> = (0..=255).cycle().take(5000).collect();
        for step in [1, 2, 100, 300, 4999, 5000] {
            let mut gate = Gate::default();
            fill(&mut gate, &text, step);
            assert_eq!(drain(&mut gate), b"", "shut");
            assert_eq!(gate.held(), text.len());
            assert!(gate.queue.len() <= SHARED);
            gate.open();
            assert_eq!(drain(&mut gate), text);
            assert_eq!(gate.held(), 0);
            // Emptied, it takes chunks as they come again.
            fill(&mut gate, b"tail", 1);
            assert_eq!(drain(&mut gate), b"tail");
        }
    }

    #[test]
    fn the_brace_and_what_follows_wait_for_the_end() {
        for step in 1..8 {
            let mut gate = Gate::default();
            fill(&mut gate, b"{...}  ", step);
            gate.keep_from(4);
            gate.open();
            assert_eq!(drain(&mut gate), b"{...");
            assert_eq!(gate.held(), 3);
            gate.complete();
            assert_eq!(drain(&mut gate), b"}  ");
        }
    }

    #[test]
    fn sealed_it_gives_nothing() {
        let mut gate = Gate::default();
        fill(&mut gate, b"{...}", 2);
        gate.open();
        assert!(gate.next().is_some());
        gate.seal();
        gate.open();
        gate.complete();
        assert_eq!(drain(&mut gate), b"");
        assert_eq!(gate.held(), 0);
    }
}
