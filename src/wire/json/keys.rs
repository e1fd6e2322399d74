//! The names of all open objects, so that a duplicate is seen at any depth (T1).
//!
//! One stack of hashes serves all open objects; each remembers where its own begin. Objects with
//! few names are searched in line, and most names not even that: one word of bits in the object
//! proves them new. From [`SMALL`] names on, an object's names also stand in one shared hash table
//! of positions on the stack, with linear probing. Only the innermost object can gain names or
//! close, so positions enter and leave the table in stack order: an entry that leaves is always
//! the newest, and its slot can simply become empty again.
//!
//! The names of a record that repeats the one before it are only counted (`shape.rs`).

use super::hash::KeyHash;
pub(super) use super::hash::Name;
use super::shape::{Known, Shape, Shapes};
use super::stack::Frame;
use smallvec::SmallVec;

/// Names in one object up to which a search in line is quicker than the table.
const SMALL: usize = 16;

/// Names for which there is room without an allocation: those of a usual request.
const FIRST_STACK: usize = 16;

/// Slots of the first table.
const FIRST_TABLE: usize = 64;

/// The hashes of the names of all open objects.
#[derive(Debug)]
pub(super) struct Keys {
    hash: KeyHash,
    /// The stack with the room above it. It never has more than `limit` entries.
    hashes: SmallVec<[u64; FIRST_STACK]>,
    /// Names on the stack.
    open: usize,
    limit: u32,
    /// Positions in `hashes` plus one; 0 is empty. Its length is 0 or a power of two.
    table: Vec<u32>,
    /// Occupied slots of `table`.
    used: usize,
    shapes: Shapes,
    #[cfg(test)]
    steps: u64,
}

/// What became of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Insert {
    New,
    Duplicate,
    /// It is new, but one more than may be open at once.
    Full,
}

impl Keys {
    /// `limit` bounds the names of all open objects.
    pub(super) fn new(seed: u64, limit: u32) -> Self {
        Self {
            hash: KeyHash::new(seed),
            hashes: SmallVec::from_elem(0, FIRST_STACK.min(limit as usize)),
            open: 0,
            limit,
            table: Vec::new(),
            used: 0,
            shapes: Shapes::default(),
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Where the names of an object that opens now will begin.
    #[inline(always)]
    pub(super) fn height(&self) -> u32 {
        index(self.open)
    }

    /// Adds `name` to the innermost object.
    #[inline(always)]
    pub(super) fn insert(&mut self, object: &mut Frame, name: &Name<'_>) -> Insert {
        let hash = self.hash.of(name);
        if object.shape == Shape::NONE {
            self.insert_hash(object, hash)
        } else {
            self.insert_in_shape(object, name, hash)
        }
    }

    /// The names that the innermost object will have next if it goes on as the one before it. Each
    /// is new where it comes in its turn, and there is room for all.
    #[inline(always)]
    pub(super) fn expected(&self, object: &Frame) -> &[Known] {
        let names = self.shapes.expected(object.shape, self.open - object.first as usize);
        let room = self.hashes.len() - self.open;
        names.get(..room).unwrap_or(names)
    }

    /// The next `count` expected names have come.
    #[inline(always)]
    pub(super) fn repeat(&mut self, count: usize) {
        self.open += count;
    }

    /// Adds a name to an object whose names so far are those of its shape.
    #[inline(never)]
    fn insert_in_shape(&mut self, object: &mut Frame, name: &Name<'_>, hash: u64) -> Insert {
        let first = object.first as usize;
        let count = self.open - first;
        if object.shape.follows() {
            // They were only counted.
            let names = self.shapes.cut(object.shape, count);
            let rooms = self.hashes.get_mut(first..self.open).unwrap_or_default();
            for (room, name) in rooms.iter_mut().zip(names) {
                *room = name.hash;
                object.seen |= 1 << (name.hash & 63);
            }
            object.shape = object.shape.learning();
        }
        let inserted = self.insert_hash(object, hash);
        if inserted != Insert::New || !self.shapes.learn(object.shape, count, name, hash) {
            object.shape = Shape::NONE;
        }
        inserted
    }

    #[inline(always)]
    fn insert_hash(&mut self, object: &mut Frame, hash: u64) -> Insert {
        let open = self.open;
        let first = object.first as usize;
        if open - first < SMALL {
            let bit = 1_u64 << (hash & 63);
            if object.seen & bit != 0 && self.is_in_line(first, hash) {
                return Insert::Duplicate;
            }
            if let Some(room) = self.hashes.get_mut(open) {
                *room = hash;
                self.open = open + 1;
                object.seen |= bit;
                return Insert::New;
            }
        }
        self.insert_slow(object, hash)
    }

    /// Closes the innermost object.
    #[inline(always)]
    pub(super) fn close(&mut self, object: &Frame) {
        let first = object.first as usize;
        if self.open - first > SMALL {
            self.leave_table(first);
        }
        self.open = first;
    }

    /// Forgets all names and keeps the buffers.
    pub(super) fn clear(&mut self) {
        self.open = 0;
        self.shapes.clear();
        if self.used > 0 {
            self.table.fill(0);
            self.used = 0;
        }
    }

    /// Bytes of heap in use.
    pub(super) fn heap(&self) -> usize {
        let stack = if self.hashes.spilled() { self.hashes.capacity() } else { 0 };
        stack * size_of::<u64>() + self.table.capacity() * size_of::<u32>() + self.shapes.heap()
    }

    /// Whether `hash` is one of the names from `first` on.
    #[inline(never)]
    fn is_in_line(&mut self, first: usize, hash: u64) -> bool {
        self.count(self.open - first);
        self.hashes.get(first..self.open).is_some_and(|names| names.contains(&hash))
    }

    /// A name for which the stack has no room, or of a large object.
    #[inline(never)]
    fn insert_slow(&mut self, object: &mut Frame, hash: u64) -> Insert {
        let first = object.first as usize;
        let mut hash = hash;
        if self.open - first >= SMALL {
            // Objects inside one another often have the same names: the offset keeps them
            // apart in the table.
            let offset = u64::from(object.first).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            hash = hash.wrapping_add(offset);
            if self.open - first == SMALL {
                self.enter_table(first, offset);
            }
            self.reserve_table(1);
            if !self.is_new_in_table(first, hash) {
                return Insert::Duplicate;
            }
        }
        let limit = self.limit as usize;
        if self.open >= limit {
            return Insert::Full;
        }
        if self.open == self.hashes.len() {
            // Exactly what is wanted: `Vec` would round up, to twice the limit at worst.
            let room = (self.open * 2).max(FIRST_STACK).min(limit);
            self.hashes.reserve_exact(room - self.open);
            self.hashes.resize(room, 0);
        }
        if self.open - first >= SMALL {
            self.put(self.open, hash);
        }
        if let Some(room) = self.hashes.get_mut(self.open) {
            *room = hash;
            self.open += 1;
            object.seen |= 1 << (hash & 63);
        }
        Insert::New
    }

    /// The innermost object becomes a large one.
    fn enter_table(&mut self, first: usize, offset: u64) {
        self.reserve_table(SMALL);
        for position in first..self.open {
            if let Some(hash) = self.hashes.get_mut(position) {
                *hash = hash.wrapping_add(offset);
                let hash = *hash;
                self.put(position, hash);
            }
        }
    }

    /// Whether no name from `first` on, all of which are in the table, has `hash`.
    fn is_new_in_table(&mut self, first: usize, hash: u64) -> bool {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = start(hash, self.table.len());
        while let Some(&entry) = self.table.get(slot)
            && entry != 0
        {
            self.count(1);
            let position = entry as usize - 1;
            if position >= first && self.hashes.get(position) == Some(&hash) {
                return false;
            }
            slot = (slot + 1) & mask;
        }
        true
    }

    /// Puts a position into the table, which has room for it.
    fn put(&mut self, position: usize, hash: u64) {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = start(hash, self.table.len());
        while self.table.get(slot).is_some_and(|entry| *entry != 0) {
            self.count(1);
            slot = (slot + 1) & mask;
        }
        if let Some(entry) = self.table.get_mut(slot) {
            *entry = index(position + 1);
            self.used += 1;
        }
    }

    /// Makes room for `more` entries, so that the table is at most three quarters full.
    fn reserve_table(&mut self, more: usize) {
        let wanted = self.used + more;
        if wanted * 4 <= self.table.len() * 3 {
            return;
        }
        let mut slots = self.table.len().max(FIRST_TABLE);
        while wanted * 4 > slots * 3 {
            slots *= 2;
        }
        let mut entries: Vec<u32> = self.table.iter().copied().filter(|e| *e != 0).collect();
        // INVARIANT: entries stand in the table in stack order, so that the newest is always the
        // last of its chain.
        entries.sort_unstable();
        self.table = vec![0; slots];
        self.used = 0;
        for entry in entries {
            let position = entry as usize - 1;
            if let Some(&hash) = self.hashes.get(position) {
                self.put(position, hash);
            }
        }
    }

    /// Takes the names of the innermost object out of the table, newest first.
    #[inline(never)]
    fn leave_table(&mut self, first: usize) {
        let mask = self.table.len().wrapping_sub(1);
        for position in (first..self.open).rev() {
            let Some(&hash) = self.hashes.get(position) else { continue };
            let wanted = index(position + 1);
            let mut slot = start(hash, self.table.len());
            while let Some(&entry) = self.table.get(slot)
                && entry != wanted
                && entry != 0
            {
                self.count(1);
                slot = (slot + 1) & mask;
            }
            if let Some(entry) = self.table.get_mut(slot) {
                *entry = 0;
                self.used -= 1;
            }
        }
    }

    /// Counts the work that grows with the names, so that a test can bound it.
    #[inline(always)]
    fn count(&mut self, steps: usize) {
        #[cfg(test)]
        {
            self.steps += steps as u64;
        }
        let _ = steps;
    }
}

/// The slot where the search for `hash` begins: its upper bits.
#[inline(always)]
fn start(hash: u64, slots: usize) -> usize {
    // `slots` is a power of two of at least `FIRST_TABLE`, so the shift is below 64.
    let shift = 64 - slots.trailing_zeros();
    #[expect(clippy::cast_possible_truncation, reason = "fewer bits than `slots` has")]
    let slot = (hash >> (shift & 63)) as usize;
    slot
}

/// A position on the stack, which `Limits::open_keys` keeps within `u32`.
#[inline(always)]
fn index(position: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most `Limits::open_keys`")]
    let index = position as u32;
    index
}

#[cfg(test)]
mod tests {
    use super::{Frame, Insert, Keys, Name, Shape};

    fn open(keys: &Keys) -> Frame {
        Frame { first: keys.height(), ..Frame::ROOT }
    }

    fn insert(keys: &mut Keys, object: &mut Frame, name: &str) -> Insert {
        keys.insert(object, &Name::new(name.as_bytes()))
    }

    /// 100 000 names in one object take a few steps each, and as many again to close it.
    #[test]
    fn many_names_take_linear_work() {
        let mut keys = Keys::new(5, u32::MAX);
        let mut scope = open(&keys);
        for name in 0..100_000 {
            assert_eq!(insert(&mut keys, &mut scope, &format!("name-{name}")), Insert::New);
        }
        assert_eq!(insert(&mut keys, &mut scope, "name-77777"), Insert::Duplicate);
        keys.close(&scope);
        assert_eq!((keys.open, keys.used), (0, 0));
        assert!(keys.steps < 1_000_000, "{} steps", keys.steps);
    }

    /// The same 60 names in each of 1 000 objects, one inside the other.
    #[test]
    fn equal_names_at_every_depth_take_linear_work() {
        let mut keys = Keys::new(5, u32::MAX);
        let mut scopes = Vec::new();
        for _ in 0..1000 {
            let mut scope = open(&keys);
            for name in 0..60 {
                assert_eq!(insert(&mut keys, &mut scope, &format!("{name}")), Insert::New);
            }
            assert_eq!(insert(&mut keys, &mut scope, "59"), Insert::Duplicate);
            assert_eq!(insert(&mut keys, &mut scope, "3"), Insert::Duplicate);
            scopes.push(scope);
        }
        while let Some(scope) = scopes.pop() {
            keys.close(&scope);
        }
        assert_eq!((keys.open, keys.used), (0, 0));
        assert!(keys.steps < 600_000, "{} steps", keys.steps);
        assert!(keys.table.iter().all(|entry| *entry == 0));
    }

    /// Names differing in one bit, as somebody would choose them who knows the hash but not the seed.
    #[test]
    fn regular_names_take_linear_work() {
        for shift in 0..7_u8 {
            let mut keys = Keys::new(u64::from(shift), u32::MAX);
            let mut scope = open(&keys);
            for name in 0..(1_u64 << 14) {
                let mut words = [b'a'; 15];
                for (bit, byte) in words.iter_mut().take(14).enumerate() {
                    *byte ^= u8::from(name >> bit & 1 == 1) << shift;
                }
                assert_eq!(keys.insert(&mut scope, &Name::new(&words)), Insert::New);
            }
            assert!(keys.steps < 200_000, "{} steps", keys.steps);
        }
    }

    #[test]
    fn small_and_large_objects_in_turn() {
        let mut keys = Keys::new(1, 200);
        let mut root = open(&keys);
        for round in 0..30 {
            assert_eq!(insert(&mut keys, &mut root, &format!("r{round}")), Insert::New);
            let mut child = open(&keys);
            for name in 0..round * 2 {
                assert_eq!(insert(&mut keys, &mut child, &format!("r{name}")), Insert::New);
                assert_eq!(insert(&mut keys, &mut child, &format!("r{name}")), Insert::Duplicate);
            }
            keys.close(&child);
            assert_eq!(insert(&mut keys, &mut root, &format!("r{round}")), Insert::Duplicate);
        }
        assert_eq!(keys.open, 30);
    }

    /// Records with the same names, each with one more that makes it leave the list, and a last
    /// one that leaves it with a name that it has.
    #[test]
    fn names_that_were_only_counted_are_caught_up() {
        fn record(keys: &mut Keys, names: usize) -> Frame {
            let mut record = Frame { shape: Shape::at(0), ..open(keys) };
            for name in 0..names {
                let text = format!("\"{name}\":{:20}", "");
                match keys.expected(&record).first() {
                    Some(known) if known.behind(text.as_bytes()).is_some() => keys.repeat(1),
                    _ => assert_eq!(insert(keys, &mut record, &format!("{name}")), Insert::New),
                }
                assert_eq!(keys.open, name + 1);
            }
            record
        }
        for names in 1..40 {
            for twice in 0..names {
                let mut keys = Keys::new(1, 100);
                for own in 0..5 {
                    let mut record = record(&mut keys, names);
                    assert_eq!(insert(&mut keys, &mut record, &format!("own {own}")), Insert::New);
                    keys.close(&record);
                    assert_eq!((keys.open, keys.used), (0, 0));
                }
                let mut record = record(&mut keys, names);
                let inserted = insert(&mut keys, &mut record, &format!("{twice}"));
                assert_eq!(inserted, Insert::Duplicate, "{twice} of {names}");
            }
        }
    }

    #[test]
    fn the_limit_counts_all_open_objects() {
        for limit in [0, 1, 15, 16, 17, 40] {
            let mut keys = Keys::new(1, limit);
            let mut scope = open(&keys);
            for name in 0..limit {
                assert_eq!(insert(&mut keys, &mut scope, &format!("{name}")), Insert::New);
            }
            let mut inner = open(&keys);
            assert_eq!(insert(&mut keys, &mut inner, "x"), Insert::Full);
            keys.close(&inner);
            assert_eq!(insert(&mut keys, &mut scope, "x"), Insert::Full);
            assert!(keys.hashes.len() <= limit as usize);
        }
    }
}
