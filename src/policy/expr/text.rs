//! Strings in pieces: what `"/sandbox/" + claims.sub + "/"` is, without being put together.
//!
//! Every comparison walks the pieces side by side. CEL orders strings by code point, which is the order of
//! their bytes in UTF-8.

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

/// Where pieces are kept. Few strings are put together from more.
pub(super) type Pieces<'a> = SmallVec<[&'a str; 6]>;

/// A string, whole or in pieces.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a> {
    Whole(&'a str),
    Pieces(&'a [&'a str]),
}

impl<'a> Text<'a> {
    fn pieces(&self) -> &[&'a str] {
        match self {
            Self::Whole(whole) => std::slice::from_ref(whole),
            Self::Pieces(pieces) => pieces,
        }
    }

    /// Adds it at the end of `pieces`.
    pub(super) fn append_to(&self, pieces: &mut Pieces<'a>) {
        pieces.extend_from_slice(self.pieces());
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.pieces().iter().map(|piece| piece.len()).sum()
    }

    /// Length in code points, which is what CEL calls the size of a string.
    pub(super) fn size(&self) -> usize {
        self.pieces().iter().map(|piece| piece.chars().count()).sum()
    }

    /// The string put together; borrowed where it is whole.
    pub(super) fn join(&self) -> Cow<'a, str> {
        match self {
            Self::Whole(whole) => Cow::Borrowed(whole),
            Self::Pieces(pieces) => Cow::Owned(pieces.concat()),
        }
    }

    pub(super) fn equals(&self, other: &Text<'_>) -> bool {
        match (self, other) {
            (Text::Whole(a), Text::Whole(b)) => a == b,
            _ => self.compare(other).is_eq(),
        }
    }

    pub(super) fn compare(&self, other: &Text<'_>) -> Ordering {
        match (self, other) {
            (Text::Whole(a), Text::Whole(b)) => a.cmp(b),
            _ => Walk::of(self).compare(Walk::of(other)),
        }
    }

    pub(super) fn starts_with(&self, start: &Text<'_>) -> bool {
        match (self, start) {
            (Text::Whole(whole), Text::Whole(start)) => whole.starts_with(start),
            _ => Walk::of(self).begins_with(Walk::of(start)),
        }
    }

    pub(super) fn ends_with(&self, end: &Text<'_>) -> bool {
        match (self, end) {
            (Text::Whole(whole), Text::Whole(end)) => whole.ends_with(end),
            _ => self.len().checked_sub(end.len()).is_some_and(|skipped| {
                let mut rest = Walk::of(self);
                rest.skip(skipped);
                rest.begins_with(Walk::of(end))
            }),
        }
    }

    pub(super) fn contains(&self, part: &Text<'_>) -> bool {
        memchr::memmem::find(self.join().as_bytes(), part.join().as_bytes()).is_some()
    }
}

/// A position in the pieces of a string.
struct Walk<'p, 'a> {
    /// What is left of the piece stood in.
    piece: &'a [u8],
    rest: &'p [&'a str],
}

impl<'p, 'a> Walk<'p, 'a> {
    fn of(text: &'p Text<'a>) -> Self {
        Self { piece: &[], rest: text.pieces() }
    }

    /// Moves on to a piece that has bytes; false at the end.
    fn has_more(&mut self) -> bool {
        while self.piece.is_empty() {
            let Some((next, rest)) = self.rest.split_first() else { return false };
            self.piece = next.as_bytes();
            self.rest = rest;
        }
        true
    }

    fn skip(&mut self, mut bytes: usize) {
        while bytes > 0 && self.has_more() {
            let here = bytes.min(self.piece.len());
            self.piece = self.piece.get(here..).unwrap_or(&[]);
            bytes -= here;
        }
    }

    /// Takes as many bytes from both as both have without moving on.
    fn take_both<'b>(&mut self, other: &mut Walk<'_, 'b>) -> (&'a [u8], &'b [u8]) {
        let length = self.piece.len().min(other.piece.len());
        let (Some((a, left)), Some((b, right))) =
            (self.piece.split_at_checked(length), other.piece.split_at_checked(length))
        else {
            return (&[], &[]);
        };
        self.piece = left;
        other.piece = right;
        (a, b)
    }

    fn compare(mut self, mut other: Walk<'_, '_>) -> Ordering {
        loop {
            match (self.has_more(), other.has_more()) {
                (true, true) => {}
                (more, other_more) => return more.cmp(&other_more),
            }
            let (a, b) = self.take_both(&mut other);
            if a != b {
                return a.cmp(b);
            }
        }
    }

    fn begins_with(mut self, mut start: Walk<'_, '_>) -> bool {
        while start.has_more() {
            if !self.has_more() {
                return false;
            }
            let (a, b) = self.take_both(&mut start);
            if a != b {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[ab]{0,3}|ä|€", 0..6)
    }

    proptest! {
        #[test]
        fn pieces_are_as_good_as_the_whole(a in pieces(), b in pieces()) {
            let (whole_a, whole_b) = (a.concat(), b.concat());
            let a: Vec<&str> = a.iter().map(String::as_str).collect();
            let b: Vec<&str> = b.iter().map(String::as_str).collect();
            for (x, y) in [
                (Text::Pieces(&a), Text::Pieces(&b)),
                (Text::Whole(&whole_a), Text::Pieces(&b)),
                (Text::Pieces(&a), Text::Whole(&whole_b)),
                (Text::Whole(&whole_a), Text::Whole(&whole_b)),
            ] {
                prop_assert_eq!(x.equals(&y), whole_a == whole_b);
                prop_assert_eq!(x.compare(&y), whole_a.cmp(&whole_b));
                prop_assert_eq!(x.starts_with(&y), whole_a.starts_with(&whole_b));
                prop_assert_eq!(x.ends_with(&y), whole_a.ends_with(&whole_b));
                prop_assert_eq!(x.contains(&y), whole_a.contains(&whole_b));
                prop_assert_eq!(x.size(), whole_a.chars().count());
            }
        }
    }
}
