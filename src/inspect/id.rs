//! The id as its raw token, whatever chunks it is cut into.

use smallvec::SmallVec;

use crate::wire::jsonrpc::Id;

/// Bytes of an id token that are kept while it arrives: the longest that [`Id::from_raw`] takes, its
/// quotes, and one to be too long by.
const KEPT: usize = Id::MAX_STRING + 3;

/// Reads one id.
#[derive(Debug, Default)]
pub(super) struct IdReader {
    start: Option<u64>,
    /// The token's bytes from chunks before this one.
    partial: SmallVec<[u8; 32]>,
    id: Option<Id>,
}

/// A run of the body: some bytes and the offset of the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) base: u64,
}

impl<'a> Run<'a> {
    /// The bytes from offset `from` to `to`, as far as they are in this run.
    fn slice(self, from: u64, to: u64) -> &'a [u8] {
        let at = |offset: u64| {
            usize::try_from(offset.saturating_sub(self.base)).map_or(self.bytes.len(), |at| at)
        };
        let end = at(to).min(self.bytes.len());
        self.bytes.get(at(from)..end).unwrap_or_default()
    }

    fn end(self) -> u64 {
        self.base + self.bytes.len() as u64
    }
}

impl IdReader {
    /// The token begins at offset `at`.
    pub(super) fn begin(&mut self, at: u64) {
        self.start = Some(at);
    }

    /// The token ended before offset `at`; false if it is no id.
    pub(super) fn end(&mut self, at: u64, run: Run<'_>) -> bool {
        let Some(start) = self.start.take() else { return false };
        let last = run.slice(start, at);
        if self.partial.is_empty() {
            self.id = std::str::from_utf8(last).ok().and_then(Id::from_raw);
        } else {
            self.keep(last);
            self.id = std::str::from_utf8(&self.partial).ok().and_then(Id::from_raw);
        }
        self.id.is_some()
    }

    /// `run` has been scanned: what it has of an unfinished token is kept.
    pub(super) fn carry(&mut self, run: Run<'_>) {
        if let Some(start) = self.start {
            self.keep(run.slice(start, run.end()));
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = KEPT.saturating_sub(self.partial.len());
        self.partial.extend(bytes.iter().copied().take(room));
    }

    /// Whether there was an `id` member.
    pub(super) fn is_begun(&self) -> bool {
        self.start.is_some() || self.id.is_some()
    }

    /// The id, once it has ended and is one.
    pub(super) fn id(&self) -> Option<&Id> {
        self.id.as_ref()
    }
}
