//! The names of all open objects, so that a duplicate is seen at any depth (T1).
//!
//! One stack of hashes serves all open objects; each remembers where its own begin. Objects with
//! few names are searched in line. From [`SMALL`] names on, an object's names also stand in one
//! shared hash table of positions on the stack, with linear probing. Only the innermost object can
//! gain names or close, so positions enter and leave the table in stack order: an entry that
//! leaves is always the newest, and its slot can simply become empty again.

use super::hash::KeyHash;
pub(super) use super::hash::Name;

/// Names in one object up to which a search in line is quicker than the table.
const SMALL: usize = 16;

/// Slots of the first table.
const FIRST_TABLE: usize = 64;

/// What an open object remembers of its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Where its names begin on the stack.
    first: u32,
    /// One bit for each name, chosen by the name's hash: a clear bit proves a name new.
    seen: u64,
}

impl Scope {
    /// The scope of what has no names.
    pub(super) const EMPTY: Self = Self { first: 0, seen: 0 };
}

/// The hashes of the names of all open objects.
#[derive(Debug)]
pub(super) struct Keys {
    hash: KeyHash,
    hashes: Vec<u64>,
    /// Positions in `hashes` plus one; 0 is empty. Its length is 0 or a power of two.
    table: Vec<u32>,
    /// Occupied slots of `table`.
    used: usize,
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
    pub(super) fn new(seed: u64) -> Self {
        Self {
            hash: KeyHash::new(seed),
            hashes: Vec::new(),
            table: Vec::new(),
            used: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Opens an object.
    #[inline(always)]
    pub(super) fn open(&self) -> Scope {
        Scope { first: index(self.hashes.len()), seen: 0 }
    }

    /// Adds `name` to the innermost object; `limit` bounds the names of all open objects.
    #[inline(always)]
    pub(super) fn insert(&mut self, scope: &mut Scope, name: &Name<'_>, limit: u32) -> Insert {
        let first = scope.first as usize;
        // Objects inside one another often have the same names: the offset keeps them apart in
        // the table.
        let hash = self
            .hash
            .of(name)
            .wrapping_add(u64::from(scope.first).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let bit = 1_u64 << (hash >> 58);
        let open = self.hashes.len();
        if open - first < SMALL {
            if scope.seen & bit != 0 && self.search(first, hash) {
                return Insert::Duplicate;
            }
        } else if !self.insert_large(first, hash) {
            return Insert::Duplicate;
        }
        if open >= limit as usize {
            return Insert::Full;
        }
        scope.seen |= bit;
        self.hashes.push(hash);
        Insert::New
    }

    /// Closes the innermost object.
    #[inline(always)]
    pub(super) fn close(&mut self, scope: Scope) {
        let first = scope.first as usize;
        if self.hashes.len() - first > SMALL {
            self.remove_large(first);
        }
        self.hashes.truncate(first);
    }

    /// Forgets all names and keeps the buffers.
    pub(super) fn clear(&mut self) {
        self.hashes.clear();
        if self.used > 0 {
            self.table.fill(0);
            self.used = 0;
        }
    }

    /// Bytes of heap in use.
    pub(super) fn heap(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>() + self.table.capacity() * size_of::<u32>()
    }

    fn search(&mut self, first: usize, hash: u64) -> bool {
        #[cfg(test)]
        {
            self.steps += (self.hashes.len() - first) as u64;
        }
        self.hashes.get(first..).is_some_and(|names| names.contains(&hash))
    }

    /// Enters the next position of the stack for `hash` in the table; false if an equal hash of the
    /// same object is there already.
    #[inline(never)]
    fn insert_large(&mut self, first: usize, hash: u64) -> bool {
        let open = self.hashes.len();
        let fresh = if open - first == SMALL { first } else { open };
        let wanted = self.used + (open - fresh) + 1;
        if wanted * 4 > self.table.len() * 3 {
            self.grow(wanted);
        }
        for position in fresh..open {
            if let Some(&old) = self.hashes.get(position) {
                self.enter(position, old);
            }
        }
        let mask = self.table.len() - 1;
        let mut slot = start(hash, self.table.len());
        while let Some(&entry) = self.table.get(slot)
            && entry != 0
        {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            let position = entry as usize - 1;
            if position >= first && self.hashes.get(position) == Some(&hash) {
                return false;
            }
            slot = (slot + 1) & mask;
        }
        if let Some(entry) = self.table.get_mut(slot) {
            *entry = index(open + 1);
            self.used += 1;
        }
        true
    }

    /// Puts a position that is known to be new into the table.
    fn enter(&mut self, position: usize, hash: u64) {
        let mask = self.table.len() - 1;
        let mut slot = start(hash, self.table.len());
        while self.table.get(slot).is_some_and(|entry| *entry != 0) {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            slot = (slot + 1) & mask;
        }
        if let Some(entry) = self.table.get_mut(slot) {
            *entry = index(position + 1);
            self.used += 1;
        }
    }

    /// Makes room for `wanted` entries, at most three quarters full.
    fn grow(&mut self, wanted: usize) {
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
                self.enter(position, hash);
            }
        }
    }

    /// Takes the names of the innermost object out of the table, newest first.
    #[inline(never)]
    fn remove_large(&mut self, first: usize) {
        let mask = self.table.len().wrapping_sub(1);
        for position in (first..self.hashes.len()).rev() {
            let Some(&hash) = self.hashes.get(position) else { continue };
            let wanted = index(position + 1);
            let mut slot = start(hash, self.table.len());
            while let Some(entry) = self.table.get_mut(slot)
                && *entry != 0
            {
                #[cfg(test)]
                {
                    self.steps += 1;
                }
                if *entry == wanted {
                    *entry = 0;
                    self.used -= 1;
                    break;
                }
                slot = (slot + 1) & mask;
            }
        }
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
