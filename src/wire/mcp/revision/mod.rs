//! The published revisions, sets of them, and which one an HTTP request speaks.

mod decide;
mod error;

use std::fmt;
use std::str::FromStr;

pub use decide::{BodyVersion, Inputs, decide, decide_bodyless};
pub use error::RevisionError;

/// A published revision of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2024-11-05: HTTP+SSE.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches.
    V2025_03_26,
    /// 2025-06-18: a single message a body, the version header.
    V2025_06_18,
    /// 2025-11-25: resumable streams, experimental tasks.
    V2025_11_25,
    /// 2026-07-28: stateless.
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The revision's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Whether each request stands for itself (2026-07-28 and later).
    #[must_use]
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }

    /// Whether a body may be a JSON-RPC batch: the one revision that had them.
    #[must_use]
    pub const fn has_batches(self) -> bool {
        matches!(self, Self::V2025_03_26)
    }

    /// Whether a downstream peer may POST responses: it answers requests of the server, which
    /// only the legacy revisions have.
    #[must_use]
    pub const fn has_server_requests(self) -> bool {
        !self.is_modern()
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no published revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a published MCP revision")]
pub struct UnknownRevision;

impl FromStr for Revision {
    type Err = UnknownRevision;

    /// Reads the name on the wire, byte for byte: header values are case-sensitive and dates have one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text).ok_or(UnknownRevision)
    }
}

/// A set of revisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RevisionSet(u8);

impl RevisionSet {
    /// No revision.
    pub const EMPTY: Self = Self(0);
    /// Every revision.
    pub const ALL: Self = Self::between(Revision::V2024_11_05, Revision::V2026_07_28);
    /// The revisions with a handshake: 2025-11-25 and earlier.
    pub const LEGACY: Self = Self::between(Revision::V2024_11_05, Revision::V2025_11_25);
    /// The revisions in which each request stands for itself.
    pub const MODERN: Self = Self::only(Revision::V2026_07_28);

    /// The set of one.
    #[must_use]
    pub const fn only(revision: Revision) -> Self {
        Self(1 << revision as u8)
    }

    /// The revisions from `first` to `last`, both inclusive.
    #[must_use]
    pub const fn between(first: Revision, last: Revision) -> Self {
        Self(((1_u8 << (last as u8 + 1)) - 1) & !((1_u8 << first as u8) - 1))
    }

    /// The revisions of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The revisions of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `revision` is in the set.
    #[must_use]
    pub const fn contains(self, revision: Revision) -> bool {
        self.0 & (1 << revision as u8) != 0
    }

    /// Whether the set has no revision.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The newest revision in the set.
    #[must_use]
    pub fn newest(self) -> Option<Revision> {
        self.iter().next()
    }

    /// The revisions in the set, newest first: the order in which `data.supported` tells them.
    pub fn iter(self) -> impl Iterator<Item = Revision> {
        Revision::ALL.into_iter().rev().filter(move |revision| self.contains(*revision))
    }
}

impl FromIterator<Revision> for RevisionSet {
    fn from_iter<I: IntoIterator<Item = Revision>>(revisions: I) -> Self {
        revisions.into_iter().fold(Self::EMPTY, |set, revision| set.union(Self::only(revision)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_nothing_else_parses() {
        for revision in Revision::ALL {
            assert_eq!(revision.as_str().parse(), Ok(revision));
        }
        for text in ["", "2025-6-18", "2025-06-18 ", "DRAFT-2026-v1", "2026-07-29", "v2025-06-18"] {
            assert_eq!(text.parse::<Revision>(), Err(UnknownRevision), "{text}");
        }
    }

    #[test]
    fn sets_are_sets() {
        assert_eq!(RevisionSet::ALL, Revision::ALL.into_iter().collect());
        assert_eq!(RevisionSet::LEGACY.union(RevisionSet::MODERN), RevisionSet::ALL);
        assert!(RevisionSet::LEGACY.intersection(RevisionSet::MODERN).is_empty());
        let newest_first: Vec<_> = RevisionSet::ALL.iter().map(Revision::as_str).collect();
        assert_eq!(
            newest_first,
            ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
        );
        assert_eq!(RevisionSet::EMPTY.newest(), None);
        for revision in Revision::ALL {
            assert_eq!(RevisionSet::LEGACY.contains(revision), !revision.is_modern());
        }
    }
}
