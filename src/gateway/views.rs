//! Whether two policy sets show a caller the same of a server's lists, as far as these are known: from the lock file, and from the
//! lists that have passed.

use std::collections::HashSet;

use parking_lot::RwLock;

use super::clock::unix_seconds;
use super::judge::ReplyJudge;
use crate::lock::{Digest, List};
use crate::policy::{OnChange, Policy};
use crate::wire::mcp::ObjectKind;

/// Most names that are remembered of each list of a route, and bytes of one; beyond, what a list has is not known. Ten times the
/// longest lists in the field; a hostile server makes us keep 4 MiB and tell clients of changes that there may not be.
const MOST: usize = 4_096;
const BYTES: usize = 256;

/// The names that were in the lists of one route, whoever asked, shown or not.
#[derive(Debug, Default)]
pub(super) struct Seen {
    lists: RwLock<[Names; 4]>,
}

#[derive(Debug, Default)]
struct Names {
    known: HashSet<Box<str>>,
    /// Whether there were others.
    is_partial: bool,
}

impl Seen {
    /// `list` has something called `name`.
    pub(super) fn note(&self, list: List, name: &str) {
        let is_known = |names: &Names| names.is_partial || names.known.contains(name);
        if self.lists.read().get(list as usize).is_none_or(is_known) {
            return;
        }
        let mut lists = self.lists.write();
        let Some(names) = lists.get_mut(list as usize) else { return };
        if names.known.len() >= MOST || name.len() > BYTES {
            *names = Names { is_partial: true, ..Names::default() };
        } else {
            names.known.insert(name.into());
        }
    }

    /// Lists of `kind` pass, and nobody looks into them.
    pub(super) fn miss(&self, kind: ObjectKind) {
        for list in List::ALL.into_iter().filter(|list| list.kind() == kind) {
            if let Some(names) = self.lists.write().get_mut(list as usize) {
                *names = Names { is_partial: true, ..Names::default() };
            }
        }
    }
}

/// Whether the caller of `judge` may be shown something else of its lists of `kind` by `after` than by `before`. Where nothing is
/// known of them, it may.
pub(super) fn may_differ(
    before: &Policy,
    after: &Policy,
    judge: &ReplyJudge,
    kind: ObjectKind,
) -> bool {
    if before.digest() == after.digest() {
        return false;
    }
    let route = judge.route();
    let mut is_known = before.lock().is_some() || after.lock().is_some();
    for list in List::ALL.into_iter().filter(|list| list.kind() == kind) {
        let differs =
            |name: &str| view(before, judge, list, name) != view(after, judge, list, name);
        let mut locks = [before.lock(), after.lock()].into_iter().flatten();
        if locks.any(|lock| lock.items(list).any(|item| differs(item.id()))) {
            return true;
        }
        let seen = route.seen.lists.read();
        let Some(names) = seen.get(list as usize) else { continue };
        if names.is_partial || names.known.iter().any(|name| differs(name)) {
            return true;
        }
        is_known |= !names.known.is_empty();
    }
    !is_known
}

/// What decides whether an element is shown.
fn view(
    policy: &Policy,
    judge: &ReplyJudge,
    list: List,
    name: &str,
) -> (bool, Option<(OnChange, Option<Digest>)>) {
    let (principal, context, now) = (judge.principal(), judge.context(), unix_seconds());
    let kind = list.kind();
    let is_listed = policy.lists(principal, &context, judge.revision(), kind, name, now);
    let pin = policy.pin(context.route, list, name, now).filter(|_| is_listed);
    let pin = pin.filter(|pin| pin.on_change > OnChange::Alert);
    (is_listed, pin.map(|pin| (pin.on_change, pin.digest)))
}
