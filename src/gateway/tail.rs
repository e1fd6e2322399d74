//! Where an event stream stands, as far as its client has it.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Limits;
use crate::inspect::response::Framing;
use crate::upstream::Watchdog;
use crate::wire::jsonrpc::Id;

/// An event stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// The last bytes that went out, and how many may.
    pub(super) tail: Tail,
    pub(super) room: u64,
    /// How long it may be quiet, and when it will have been.
    pub(super) pause: Duration,
    pub(super) quiet: Watchdog,
    /// The request that it answers.
    pub(super) id: Option<Id>,
    /// The request that a lost stream leaves without an answer, where the revision lets us give one.
    pub(super) orphan: Option<Id>,
    /// Whether it never ends by itself, and so is ended when the gateway stops.
    pub(super) is_endless: bool,
    /// When the credential by which it was opened expires.
    pub(super) expiry: Option<Watchdog>,
    /// When it has been open for so long that its client should ask anew.
    pub(super) age: Option<Watchdog>,
}

/// The last bytes of an event stream: enough to know whether it stands between two events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    last: [u8; 3],
    has_begun: bool,
}

impl Tail {
    pub(super) fn push(&mut self, piece: &[u8]) {
        for byte in piece.get(piece.len().saturating_sub(3)..).unwrap_or_default() {
            let [_, b, c] = self.last;
            self.last = [b, c, *byte];
            self.has_begun = true;
        }
    }

    /// How many bytes of `piece` come before the first place between two events. `None`: there is none.
    pub(super) fn boundary_in(mut self, piece: &[u8]) -> Option<usize> {
        let mut bytes = piece.iter().enumerate();
        while let Some((at, byte)) = bytes.next() {
            self.push(&[*byte]);
            if self.is_boundary() {
                // Both halves of a CRLF.
                let ends = matches!(bytes.next(), Some((_, b'\n')) if *byte == b'\r');
                return Some(at + 1 + usize::from(ends));
            }
        }
        None
    }

    /// Whether nothing of an event has been sent since the last blank line.
    pub(super) fn is_boundary(self) -> bool {
        // LF LF, CR CR, LF CR, and CRLF behind any line end: two ends of line in a row.
        !self.has_begun
            || matches!(self.last, [_, b'\n', b'\n'] | [_, b'\r', b'\r'] | [_, b'\n', b'\r'])
            || matches!(self.last, [b'\n' | b'\r', b'\r', b'\n'])
    }
}

impl Stream {
    /// The state of a reply of `framing`, where that is an event stream.
    pub(super) fn of(framing: Option<Framing>, limits: &Limits) -> Option<Self> {
        let pause = limits.stream_comment;
        (framing == Some(Framing::EventStream)).then(|| Self {
            tail: Tail::default(),
            room: limits.max_stream,
            pause,
            quiet: Watchdog::new(Instant::now() + pause),
            id: None,
            orphan: None,
            is_endless: false,
            expiry: None,
            age: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_boundary_of_a_piece() {
        for (before, piece, want) in [
            ("", "data: 1\n\ndata: 2\n\n", Some(9)),
            ("data: 1\n", "\ndata", Some(1)),
            ("data: 1\r\n", "\r\ndata", Some(2)),
            ("data: 1\r", "\rdata", Some(1)),
            ("da", "ta: 1\n", None),
            ("da", "", None),
        ] {
            let mut tail = Tail::default();
            tail.push(before.as_bytes());
            assert_eq!(tail.boundary_in(piece.as_bytes()), want, "{before:?} {piece:?}");
        }
    }

    #[test]
    fn boundaries() {
        let between =
            ["", "data: 1\n\n", "data: 1\r\n\r\n", "data: 1\r\r", "a\n\r\n", ": x\n\n\n", "\n\n"];
        for text in between {
            let (mut whole, mut bytewise) = (Tail::default(), Tail::default());
            whole.push(text.as_bytes());
            text.bytes().for_each(|byte| bytewise.push(&[byte]));
            assert!(whole.is_boundary() && bytewise.is_boundary(), "{text:?}");
        }
        for text in ["d", "data: 1\n", "data: 1\r\n", "data: 1\r", "\n\nd", "a\n\nb\r\n"] {
            let (mut whole, mut bytewise) = (Tail::default(), Tail::default());
            whole.push(text.as_bytes());
            text.bytes().for_each(|byte| bytewise.push(&[byte]));
            assert!(!whole.is_boundary() && !bytewise.is_boundary(), "{text:?}");
        }
    }
}
