//! The places of a reply that the inspector knows, as nodes of the tokenizer.

use crate::lock::List;
use crate::wire::json::Node;
use crate::wire::mcp::fold::folds_to;

/// The text: a message, or a batch of them.
pub(super) const ROOT: u16 = 1;
pub(super) const RESULT: u16 = 2;
/// `result.cacheScope`
pub(super) const SCOPE: u16 = 3;
/// The name of a list's element.
pub(super) const NAME: u16 = 4;
/// The value of a member whose name could be taken for another.
pub(super) const DOUBTFUL: u16 = 5;
pub(super) const ID: u16 = 6;
/// `method` of a message or of an input request.
pub(super) const METHOD: u16 = 7;
/// The lists: this plus the index into [`LISTS`]; behind those `content` of a tool's result, `contents` of a resource, and
/// `messages` of a prompt, whose elements may carry resources. Their elements follow.
pub(super) const LIST: u16 = 8;
pub(super) const CARRIERS: [&str; 3] = ["content", "contents", "messages"];
/// The index of the first of these.
const CARRIER: u16 = 4;
const _: () = assert!(LISTS.len() == 4);
pub(super) const LIST_END: u16 = LIST + 7;
pub(super) const ELEMENT: u16 = 16;
pub(super) const ELEMENT_END: u16 = ELEMENT + 7;
/// An element of `content`.
pub(super) const CONTENT: u16 = ELEMENT + CARRIER;
/// An element of a batch.
pub(super) const MESSAGE: u16 = 24;
/// `params` of a message or of an input request.
pub(super) const PARAMS: u16 = 25;
/// `params.mode` and `params.url` of an elicitation.
pub(super) const MODE: u16 = 26;
pub(super) const URL: u16 = 27;
/// Inside a captured parameter.
pub(super) const CAPTURED: u16 = 28;
/// `result.resultType`
pub(super) const RESULT_TYPE: u16 = 29;
/// `result.inputRequests`, and one of them.
pub(super) const INPUTS: u16 = 30;
pub(super) const INPUT: u16 = 31;
/// Inside an element of a list, where all of it is wanted.
pub(super) const DEEP: u16 = 32;
/// `result` beside `method`.
pub(super) const AMBIGUOUS: u16 = 33;
/// A member of a message or of a result that says what it is, and is of no interest otherwise.
pub(super) const TELLING: u16 = 34;
/// `error` of a message or of a task.
pub(super) const ERROR: u16 = 35;
/// `error.data`
pub(super) const ERROR_DATA: u16 = 36;
/// `error.data.elicitations` (-32042 of 2025-11-25), and one of them: the `params` of an `elicitation/create`.
pub(super) const ELICITATIONS: u16 = 37;
pub(super) const ELICITATION: u16 = 38;
/// `result.requestState`, and `taskId` of a task: handles, which clients get sealed.
pub(super) const STATE: u16 = 39;
pub(super) const TASK_ID: u16 = 40;
/// `result.task` (2025-11-25).
pub(super) const TASK: u16 = 41;
/// What an element carries: `resource`, or the `content` of a message, and its `type`.
pub(super) const CARRIED: u16 = 42;
pub(super) const CARRIED_TYPE: u16 = 43;
/// What only content has that is itself the text, the image or the sound.
pub(super) const PLAIN: u16 = 44;
/// `status` of a task, which says whether it asks for input.
pub(super) const STATUS: u16 = 45;
/// The capture trie: this plus the trie's own number.
pub(super) const TRIE: u16 = 64;

pub(super) const LISTS: [List; 4] = List::ALL;

/// The members of a task of 2026-07-28 that say nothing of what it asks for.
pub(super) const TASK_MEMBERS: [&str; 5] =
    ["statusMessage", "createdAt", "lastUpdatedAt", "ttlMs", "pollIntervalMs"];

/// The members of a message.
pub(super) const MEMBERS: [&str; 5] = ["result", "error", "method", "params", "id"];

/// The list that `place` is, or is an element of.
pub(super) fn list_at(place: u16) -> Option<List> {
    LISTS.get(usize::from(place & 7)).copied()
}

/// The place of the list of carriers that member `name` of a result is.
pub(super) fn carriers_of(name: &str) -> Option<Node> {
    (LIST + CARRIER..)
        .zip(CARRIERS)
        .find(|(_, member)| *member == name)
        .map(|(place, _)| Node::new(place))
}

/// The place of the list that member `name` of a result is.
pub(super) fn list_of(name: &str) -> Option<Node> {
    (LIST..).zip(&LISTS).find(|(_, list)| list.member() == name).map(|(place, _)| Node::new(place))
}

/// The place of member `name`, which is none of `keys`: of no interest, unless it could be taken for one of them (T2).
pub(super) fn unless_alike(name: &str, keys: &[&str]) -> Node {
    if keys.iter().any(|key| folds_to(name, key)) { Node::new(DOUBTFUL) } else { Node::IGNORE }
}
