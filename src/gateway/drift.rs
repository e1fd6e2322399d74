//! What a server was last seen to say, where that is not what the lock says (T52).
//!
//! One for each route, set and cleared by the lists that pass. Only what the lock has is remembered, so it is bounded by
//! the lock. Where replicas behind one route disagree, the one that was listed last counts.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use parking_lot::RwLock;

use crate::lock::{Digest, List, Lock};

/// Most changes that are told on standard error, each once. Beyond, the access log alone tells.
const MOST_TOLD: usize = 4_096;

/// The changes of one route.
#[derive(Debug, Default)]
pub(super) struct Drift {
    seen: RwLock<Seen>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Seen {
    /// By [`List`]: the digest that an element was last shown with; `None` where it was too large for one.
    last: HashMap<List, HashMap<Box<str>, Option<Digest>>>,
    /// Hashes of what was told.
    told: HashSet<u64>,
}

impl Drift {
    /// Whether the element `id` of `list` was last shown with another digest than `pinned`.
    pub(super) fn is_changed(&self, list: List, id: &str, pinned: Digest) -> bool {
        let seen = self.seen.read();
        let last = seen.last.get(&list).and_then(|list| list.get(id));
        last.is_some_and(|last| *last != Some(pinned))
    }

    /// The element `id` of `list`, which `lock` has with `pinned`, is shown with `live`.
    pub(super) fn note(
        &self,
        lock: &Lock,
        list: List,
        id: &str,
        pinned: Digest,
        live: Option<Digest>,
    ) {
        let was_changed = {
            let seen = self.seen.read();
            seen.last.get(&list).and_then(|list| list.get(id)).copied()
        };
        if live == Some(pinned) {
            if was_changed.is_some()
                && let Some(list) = self.seen.write().last.get_mut(&list)
            {
                list.remove(id);
            }
        } else if was_changed != Some(live) {
            let mut seen = self.seen.write();
            let last = seen.last.entry(list).or_default();
            if last.len() >= lock.items(list).len() {
                // What an earlier lock had.
                last.retain(|id, _| lock.find(list, id).is_some());
            }
            last.insert(id.into(), live);
        }
    }

    /// Whether the change of the element `id` of `list` to `live` is to be told: the first time that it is seen.
    pub(super) fn is_news(&self, list: List, id: &str, live: Option<Digest>) -> bool {
        let change = self.hasher.hash_one((list, id, live));
        if self.seen.read().told.contains(&change) {
            return false;
        }
        let told = &mut self.seen.write().told;
        told.len() < MOST_TOLD && told.insert(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Item, Json, Server};
    use crate::wire::mcp::Revision;

    fn item(name: &str, title: &str) -> Item {
        let text = format!(r#"{{"name":"{name}","title":"{title}"}}"#);
        Item::new(List::Tools, Json::parse(text.as_bytes(), 1).unwrap()).unwrap()
    }

    fn lock(names: &[&str]) -> Lock {
        let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
        assert!(names.iter().all(|name| lock.add(item(name, "old"))));
        lock
    }

    #[test]
    fn lists_set_and_clear() {
        let drift = Drift::default();
        let lock = lock(&["a"]);
        let (old, new) = (item("a", "old").digest(), item("a", "new").digest());
        let note = |live| drift.note(&lock, List::Tools, "a", old, live);
        for (live, want) in [
            (Some(old), false),
            (Some(new), true),
            (Some(new), true),
            (Some(old), false),
            (None, true),
            (Some(old), false),
        ] {
            note(live);
            assert_eq!(drift.is_changed(List::Tools, "a", old), want);
            assert!(!drift.is_changed(List::Prompts, "a", old));
            assert!(!drift.is_changed(List::Tools, "b", old));
        }
        // Reviewed anew, the change is none.
        note(Some(new));
        assert!(!drift.is_changed(List::Tools, "a", new));
    }

    #[test]
    fn it_is_bounded_by_the_lock() {
        let drift = Drift::default();
        let pinned = item("x", "old").digest();
        for generation in 0..100 {
            let names = [format!("a{generation}"), format!("b{generation}")];
            let names = names.each_ref().map(|name| &**name);
            let lock = lock(&names);
            for name in names {
                drift.note(&lock, List::Tools, name, pinned, None);
                assert!(drift.is_changed(List::Tools, name, pinned));
            }
            assert!(drift.seen.read().last[&List::Tools].len() <= 2);
        }
    }

    #[test]
    fn a_change_is_told_once_and_not_for_ever() {
        let drift = Drift::default();
        let digest = item("x", "old").digest();
        assert!(drift.is_news(List::Tools, "a", Some(digest)));
        assert!(!drift.is_news(List::Tools, "a", Some(digest)));
        assert!(drift.is_news(List::Tools, "a", None));
        assert!(drift.is_news(List::Prompts, "a", Some(digest)));
        let told =
            (0..MOST_TOLD * 2).filter(|at| drift.is_news(List::Tools, &at.to_string(), None));
        assert_eq!(told.count(), MOST_TOLD - 3);
    }
}
