//! The names that the objects of an array have in common.
//!
//! Records in an array mostly repeat the names of the record before them, in the same order. A
//! list of names that are known to differ from one another is kept for the objects at each
//! depth. As long as an object has exactly these names from its first on, none of them can be a
//! duplicate: each is proved by one comparison with the bytes of the text, and is neither hashed
//! nor kept.
//!
//! INVARIANT: the names of one list differ pairwise. A list is only ever cut, or extended by a
//! name that was found new in an object which has all names of the list and no others.

use super::hash::{Name, halves};

/// Depths that have a list.
const DEPTHS: usize = 8;

/// Names in a list.
const NAMES: usize = 16;

/// What an object has to do with the list of its depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape(u8);

impl Shape {
    /// Nothing.
    pub(super) const NONE: Self = Self(u8::MAX);
    const LEARNS: u8 = 0x80;

    /// That of an object that opens in an array, with `depth` containers around the array: all its
    /// names, of which there are none yet, are those of the list.
    #[inline(always)]
    pub(super) fn at(depth: usize) -> Self {
        if depth >= DEPTHS {
            return Self::NONE;
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than `DEPTHS`")]
        let depth = depth as u8;
        Self(depth)
    }

    /// Whether the names of the object are the first ones of the list.
    #[inline(always)]
    pub(super) fn follows(self) -> bool {
        self.0 & Self::LEARNS == 0
    }

    /// All names of the object are the list, and the list grows with the object.
    pub(super) fn learning(self) -> Self {
        Self(self.0 | Self::LEARNS)
    }

    fn depth(self) -> usize {
        usize::from(self.0 & !Self::LEARNS)
    }
}

/// A name with its quotes and the colon behind it, as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    text: [u64; 2],
    /// Which bytes of `text` there are.
    mask: [u64; 2],
    pub(super) hash: u64,
    /// Bytes of the name.
    length: usize,
}

impl Known {
    /// Bytes of the longest name that fits with its quotes and its colon.
    const LONGEST: usize = 13;

    /// None if `name` is too long, or cannot stand in a text as it is.
    fn new(name: &Name<'_>, hash: u64) -> Option<Self> {
        if !name.long.is_empty() {
            return None;
        }
        let words = u128::from(name.high) << 64 | u128::from(name.low);
        // The quote behind the name is the last byte that is not zero.
        let length = 15_usize.saturating_sub(words.leading_zeros() as usize / 8);
        let bytes = words.to_le_bytes();
        let needs_escape = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        if length > Self::LONGEST || bytes.get(..length)?.iter().any(needs_escape) {
            return None;
        }
        let text = words << 8 | u128::from(b'"') | u128::from(b':') << (8 * (length + 2));
        let mask = u128::MAX >> (8 * (Self::LONGEST - length));
        Some(Self { text: halves(text), mask: halves(mask), hash, length })
    }

    /// What is behind the name and its colon, if `text` begins with them.
    #[inline(always)]
    pub(super) fn behind<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let [low, high] = halves(u128::from_le_bytes(*text.first_chunk()?));
        let [text_low, text_high] = self.text;
        let [mask_low, mask_high] = self.mask;
        if (low ^ text_low) & mask_low | (high ^ text_high) & mask_high != 0 {
            return None;
        }
        text.get(self.length + 3..)
    }

    /// Bytes of the name.
    #[inline(always)]
    pub(super) fn length(&self) -> usize {
        self.length
    }
}

/// The list of each depth.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    lists: Vec<Vec<Known>>,
}

impl Shapes {
    /// The list from name number `count` on, if an object follows it.
    #[inline(always)]
    pub(super) fn expected(&self, shape: Shape, count: usize) -> &[Known] {
        // No list has the number of an object that does not follow one.
        let list = self.lists.get(usize::from(shape.0)).map_or(&[][..], Vec::as_slice);
        list.get(count..).unwrap_or_default()
    }

    /// The first `count` names of the list, which become all that it has.
    pub(super) fn cut(&mut self, shape: Shape, count: usize) -> &[Known] {
        let Some(list) = self.lists.get_mut(shape.depth()) else { return &[] };
        list.truncate(count);
        list
    }

    /// Adds a name that is new in an object with `count` names, which are those of the list;
    /// whether there was room for it.
    pub(super) fn learn(&mut self, shape: Shape, count: usize, name: &Name<'_>, hash: u64) -> bool {
        if self.lists.len() <= shape.depth() {
            self.lists.resize_with(shape.depth() + 1, Vec::new);
        }
        let Some(list) = self.lists.get_mut(shape.depth()) else { return false };
        let known = Known::new(name, hash).filter(|_| list.len() == count && count < NAMES);
        list.extend(known);
        known.is_some()
    }

    /// Forgets all names and keeps the buffers.
    pub(super) fn clear(&mut self) {
        for list in &mut self.lists {
            list.clear();
        }
    }

    /// Bytes of heap in use.
    pub(super) fn heap(&self) -> usize {
        let known = self.lists.iter().map(Vec::capacity).sum::<usize>() * size_of::<Known>();
        known + self.lists.capacity() * size_of::<Vec<Known>>()
    }
}
