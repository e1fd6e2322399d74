//! What a pattern of a rule matches in a lock file: for people who ask, not for decisions.

use super::Effect;
use super::selector::{Pattern, Question, Space, Subject};
use crate::lock::{Item, List, Lock};

/// The names and URIs in `lock` that `pattern` matches, in a rule of `effect`, under the selector `selector` (`tools`,
/// `prompts`, `resources`); sorted. Nothing where the pattern is not one.
#[must_use]
pub fn matched<'l>(lock: &'l Lock, selector: &str, pattern: &str, effect: Effect) -> Vec<&'l str> {
    let Some(space) = Space::ALL.into_iter().find(|space| space.key() == selector) else {
        return Vec::new();
    };
    let lists: &[List] = match space {
        Space::Tools => &[List::Tools],
        Space::Prompts => &[List::Prompts],
        Space::Resources => &[List::Resources, List::Templates],
        Space::Methods | Space::ServerRequests => &[],
    };
    let Ok(pattern) = Pattern::parse(pattern, space, effect) else { return Vec::new() };
    let names = lists.iter().flat_map(|list| lock.items(*list)).map(Item::id);
    let is_matched = |name: &&str| pattern.matches(&Subject::new(space, name), Question::Use);
    let mut names: Vec<&str> = names.filter(is_matched).collect();
    names.sort_unstable();
    names
}
