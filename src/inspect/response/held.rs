//! Bytes whose fate hangs on a name that has not come yet.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Held bytes, payload and framing in the order of the wire. They are copied: what is held is short, and a slice would pin
/// the whole chunk it came in.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: BytesMut,
    /// Lengths of the runs in turn: payload, framing, payload, …
    runs: Vec<usize>,
    framing: usize,
}

impl Held {
    pub(super) fn push_payload(&mut self, bytes: &[u8]) {
        self.push(bytes, 0);
    }

    /// Framing between two lines of payload: it stays even where the payload goes, because the lines around it stay.
    pub(super) fn push_framing(&mut self, bytes: &[u8]) {
        self.push(bytes, 1);
        self.framing += bytes.len();
    }

    fn push(&mut self, bytes: &[u8], parity: usize) {
        if bytes.is_empty() {
            return;
        }
        // An even number of runs: the last one is framing, and the next is payload.
        if self.runs.is_empty() && parity == 1 {
            self.runs.push(0);
        }
        if self.runs.len() % 2 == parity {
            self.runs.push(0);
        }
        if let Some(run) = self.runs.last_mut() {
            *run += bytes.len();
        }
        self.bytes.put_slice(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How much of it is framing.
    pub(super) fn framing(&self) -> usize {
        self.framing
    }

    /// Everything, leaving nothing.
    pub(super) fn take(&mut self) -> Bytes {
        self.runs.clear();
        self.framing = 0;
        self.bytes.split().freeze()
    }

    /// The framing alone, leaving nothing.
    pub(super) fn take_framing(&mut self) -> Bytes {
        if self.framing == 0 {
            self.runs.clear();
            self.bytes.clear();
            return Bytes::new();
        }
        let mut kept = BytesMut::with_capacity(self.framing);
        for (index, run) in self.runs.drain(..).enumerate() {
            let bytes = self.bytes.split_to(run.min(self.bytes.len()));
            if index % 2 == 1 {
                kept.put_slice(&bytes);
            }
        }
        self.framing = 0;
        kept.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_goes_and_framing_stays() {
        let fill = |held: &mut Held| {
            held.push_framing(b"\n");
            held.push_framing(b"data: ");
            held.push_payload(b"{\"na");
            held.push_payload(b"me\":");
            held.push_framing(b"\r\ndata:");
            held.push_payload(b"1");
        };
        let mut held = Held::default();
        fill(&mut held);
        assert_eq!((held.len(), held.framing()), (23, 14));
        assert_eq!(&held.take()[..], b"\ndata: {\"name\":\r\ndata:1");
        fill(&mut held);
        assert_eq!(&held.take_framing()[..], b"\ndata: \r\ndata:");
        assert_eq!(held.len(), 0);
        held.push_payload(b"x");
        assert_eq!(&held.take_framing()[..], b"");
        held.push_payload(b"y");
        assert_eq!(&held.take()[..], b"y");
    }
}
