//! Bytes whose fate hangs on what has not come yet.

use std::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};
use smallvec::SmallVec;

use super::output::Output;

/// What held bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Bytes of the message.
    Payload,
    /// What is around them. It stays even where the payload goes, because the lines around it stay.
    Framing,
}

/// Held bytes, payload and framing in the order of the wire. Those of the chunk at hand are ranges of it, so that what is
/// decided within a chunk leaves as it came. Those of chunks before are copies: what is held is short, and a slice would pin
/// the whole chunk.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: BytesMut,
    /// The lengths of the runs in `bytes`, in turn.
    runs: Vec<(Part, usize)>,
    /// Ranges of the chunk at hand, behind `bytes`.
    ahead: SmallVec<[(Part, Range<usize>); 6]>,
    len: usize,
    framing: usize,
}

impl Held {
    /// Holds `range` of the chunk at hand.
    pub(super) fn push(&mut self, part: Part, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.count(part, range.len());
        match self.ahead.last_mut() {
            Some((last, run)) if *last == part && run.end == range.start => run.end = range.end,
            _ => self.ahead.push((part, range)),
        }
    }

    /// Holds `bytes` of a chunk before. To be called before anything of the chunk at hand is held.
    pub(super) fn push_carried(&mut self, part: Part, bytes: &[u8]) {
        self.count(part, bytes.len());
        self.copy(part, bytes);
    }

    fn count(&mut self, part: Part, len: usize) {
        self.len += len;
        self.framing += if part == Part::Framing { len } else { 0 };
    }

    fn copy(&mut self, part: Part, bytes: &[u8]) {
        match self.runs.last_mut() {
            Some((last, run)) if *last == part => *run += bytes.len(),
            _ => self.runs.push((part, bytes.len())),
        }
        self.bytes.put_slice(bytes);
    }

    /// The chunk at hand is used up: what is held of it is copied.
    pub(super) fn carry(&mut self, output: &Output<'_>) {
        for (part, range) in std::mem::take(&mut self.ahead) {
            self.copy(part, output.bytes(range));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How much of it is framing.
    pub(super) fn framing(&self) -> usize {
        self.framing
    }

    /// Lets everything pass.
    pub(super) fn release(&mut self, output: &mut Output<'_>) {
        output.push(self.bytes.split().freeze());
        for (_, range) in self.ahead.drain(..) {
            output.pass(range);
        }
        self.clear();
    }

    /// Lets the framing pass, and drops the rest.
    pub(super) fn discard(&mut self, output: &mut Output<'_>) {
        if self.framing > 0 {
            let mut kept = BytesMut::new();
            for (part, run) in self.runs.drain(..) {
                let bytes = self.bytes.split_to(run.min(self.bytes.len()));
                if part == Part::Framing {
                    kept.put_slice(&bytes);
                }
            }
            output.push(Bytes::from(kept));
            for (_, range) in self.ahead.drain(..).filter(|(part, _)| *part == Part::Framing) {
                output.pass(range);
            }
        }
        self.clear();
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.ahead.clear();
        self.len = 0;
        self.framing = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const CHUNK: &[u8] = b"\ndata: {\"name\":\r\ndata:1";

    fn fill(held: &mut Held, output: &Output<'_>, is_cut: bool) {
        for (part, range) in [
            (Part::Framing, 0..1),
            (Part::Framing, 1..7),
            (Part::Payload, 7..11),
            (Part::Payload, 11..15),
            (Part::Framing, 15..22),
            (Part::Payload, 22..23),
        ] {
            held.push(part, range);
            if is_cut {
                held.carry(output);
            }
        }
    }

    #[test]
    fn payload_goes_and_framing_stays() {
        let chunk = Bytes::from_static(CHUNK);
        for is_cut in [false, true] {
            let (mut held, mut out) = (Held::default(), VecDeque::new());
            let mut output = Output::new(&chunk, &mut out);
            fill(&mut held, &output, is_cut);
            assert_eq!((held.len(), held.framing()), (23, 14));
            held.release(&mut output);
            output.flush();
            assert_eq!(out.iter().flatten().copied().collect::<Vec<_>>(), CHUNK);
            // Within a chunk it leaves as it came.
            assert_eq!(out.len(), 1);

            let mut out = VecDeque::new();
            let mut output = Output::new(&chunk, &mut out);
            fill(&mut held, &output, is_cut);
            held.discard(&mut output);
            output.flush();
            let kept: Vec<u8> = out.iter().flatten().copied().collect();
            assert_eq!(kept, b"\ndata: \r\ndata:");
            assert_eq!((held.len(), held.framing()), (0, 0));

            let mut out = VecDeque::new();
            let mut output = Output::new(&chunk, &mut out);
            fill(&mut held, &output, is_cut);
            held.clear();
            held.release(&mut output);
            output.flush();
            assert!(out.is_empty());
        }
    }
}
