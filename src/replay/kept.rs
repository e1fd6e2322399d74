//! What is looked up by bytes, in bounded memory.
//!
//! The hash is a quick one with a seed of this process. Logs were written before there was the seed, and nothing of it is
//! ever shown, so that nobody can have chosen names that meet in a table.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Things by the bytes that they follow from. What is forgotten is found out again.
#[derive(Debug)]
pub(super) struct Kept<T> {
    places: HashMap<Box<[u8]>, usize, RandomState>,
    things: Vec<T>,
    /// Bytes in use, about.
    used: usize,
    /// Bytes beyond which all is forgotten.
    limit: usize,
}

impl<T> Kept<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { places: HashMap::default(), things: Vec::new(), used: 0, limit }
    }

    /// Where that is which follows from `key`.
    pub(super) fn place(&self, key: &[u8]) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// Keeps `thing`, which follows from `key` and takes `bytes` besides it, and says where.
    pub(super) fn keep(&mut self, key: &[u8], thing: T, bytes: usize) -> usize {
        let place = self.things.len();
        self.used += key.len() + bytes;
        self.things.push(thing);
        self.places.insert(key.into(), place);
        place
    }

    /// Finds what is at `place` by `key` as well.
    pub(super) fn also(&mut self, key: &[u8], place: usize) {
        self.takes(key.len() + 64);
        self.places.insert(key.into(), place);
    }

    /// So many more bytes are in use.
    pub(super) fn takes(&mut self, bytes: usize) {
        self.used += bytes;
    }

    pub(super) fn thing(&self, place: usize) -> Option<&T> {
        self.things.get(place)
    }

    pub(super) fn thing_mut(&mut self, place: usize) -> Option<&mut T> {
        self.things.get_mut(place)
    }

    /// Whether it is time to forget.
    pub(super) fn is_full(&self) -> bool {
        self.used > self.limit
    }

    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.things.clear();
        self.used = 0;
    }
}
