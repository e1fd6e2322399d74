//! Callers that lines have told of before, by the bytes in which they did.
//!
//! From one place of a line on, the same bytes are read as the same: a part that was read once need be compared only. Which
//! part that may be is a guess, and a wrong one costs the reading.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::kept::Kept;
use super::record::Record;
use crate::policy::ClientKind;

/// Bytes of callers that are kept, about: 20 000 of a usual kind.
const KEPT: usize = 16 << 20;
/// Bytes of a `principal` that is met again. Names and issuers are mostly shorter than 100.
const PRINCIPAL: usize = 1024;
/// Bytes of the scopes and of the claims of a caller that is met again.
const PART: usize = 8192;

/// A number for each caller that was kept, in whichever thread: none is given twice.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// What a line says of its caller, in the same bytes as one before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again<'l> {
    /// Of these bytes.
    pub(super) number: u64,
    /// The value of `scopes`.
    pub(super) scopes: Option<&'l str>,
    /// The value of `read` up to its first member that is no claim.
    pub(super) claims: Option<&'l str>,
}

/// Where a line tells of its caller: the values of `principal` and `scopes`, and of `read` up to the first member that is no claim.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    pub(super) principal: Range<usize>,
    pub(super) scopes: Option<Range<usize>>,
    pub(super) claims: Option<Range<usize>>,
}

/// A caller by its `principal`, and what else was told of it last.
#[derive(Debug)]
pub(super) struct Met {
    number: u64,
    /// Bytes of `principal`.
    pub(super) len: usize,
    pub(super) kind: ClientKind,
    /// Where in `principal` they are.
    pub(super) id: Option<Range<usize>>,
    pub(super) issuer: Option<Range<usize>>,
    pub(super) scopes: Option<Box<str>>,
    pub(super) claims: Option<Box<str>>,
}

impl Met {
    /// What `text` says of its caller in `spans`, which are those of this one where there are as many.
    pub(super) fn again<'l>(&self, text: &'l str, spans: &Spans) -> Option<Again<'l>> {
        let is_whole = self.scopes.is_some() == spans.scopes.is_some()
            && self.claims.is_some() == spans.claims.is_some();
        let part = |span: &Option<Range<usize>>| text.get(span.clone()?);
        let (scopes, claims) = (part(&spans.scopes), part(&spans.claims));
        is_whole.then_some(Again { number: self.number, scopes, claims })
    }
}

/// Callers, in bounded memory.
#[derive(Debug)]
pub(super) struct Callers(Kept<Met>);

impl Default for Callers {
    fn default() -> Self {
        Self(Kept::new(KEPT))
    }
}

impl Callers {
    /// The caller whose `principal` `rest` begins with.
    pub(super) fn find(&self, rest: &[u8]) -> Option<&Met> {
        let near = rest.get(..PRINCIPAL).unwrap_or(rest);
        let end = memchr::memchr(b'}', near)?;
        self.0.thing(self.0.place(near.get(..=end)?)?)
    }

    /// Keeps what `text` says of the caller of `record` in `spans`, all of which has been read.
    pub(super) fn learn(&mut self, text: &str, record: &Record<'_, '_>, spans: &Spans) {
        let part = |span: &Option<Range<usize>>| text.get(span.clone()?);
        let (scopes, claims) = (part(&spans.scopes), part(&spans.claims));
        let (Some(principal), Some(kind)) = (text.get(spans.principal.clone()), record.client)
        else {
            return;
        };
        let parts = [scopes, claims].map(Option::unwrap_or_default);
        if principal.len() > PRINCIPAL || parts.iter().any(|part| part.len() > PART) {
            return;
        }
        if self.0.is_full() {
            self.0.clear();
        }
        let (scopes, claims) = (scopes.map(Box::from), claims.map(Box::from));
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let bytes = parts.iter().map(|part| part.len()).sum();
        if let Some(place) = self.0.place(principal.as_bytes()) {
            if let Some(met) = self.0.thing_mut(place)
                // A log that tells of no claims forgets none.
                && (scopes.is_some() || claims.is_some())
            {
                (met.number, met.scopes, met.claims) = (number, scopes, claims);
                self.0.takes(bytes);
            }
            return;
        }
        let within = |part: Option<&str>| {
            let start = (part?.as_ptr() as usize).checked_sub(principal.as_ptr() as usize)?;
            let range = start..start + part?.len();
            (principal.get(range.clone()) == part).then_some(range)
        };
        let (id, issuer) = (within(record.id), within(record.issuer));
        if id.is_some() != record.id.is_some() || issuer.is_some() != record.issuer.is_some() {
            // Not reached: they are in the principal.
            return;
        }
        let met = Met { number, len: principal.len(), kind, id, issuer, scopes, claims };
        self.0.keep(principal.as_bytes(), met, bytes + 256);
    }
}
