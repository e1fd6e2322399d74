//! The places of a message that the inspector knows, as nodes of the tokenizer, and which member
//! name leads from one to the next.

use crate::wire::json::Node;
use crate::wire::mcp::Place;

/// Numbers the places once, so that [`Node`]s and `match` patterns cannot drift apart.
macro_rules! places {
    ($($name:ident = $number:literal),+ $(,)?) => {
        $(pub(super) const $name: u16 = $number;)+
    };
}

places! {
    ROOT = 1,
    JSONRPC = 2,
    ID = 3,
    METHOD = 4,
    PARAMS = 5,
    NAME = 6,
    URI = 7,
    TASK = 8,
    REQUESTED = 9,
    ARGUMENTS = 10,
    META = 11,
    VERSION = 12,
    CAPABILITIES = 13,
    REF = 14,
    REF_TYPE = 15,
    REF_NAME = 16,
    REF_URI = 17,
    FILTER = 18,
    SUBSCRIPTIONS = 19,
    SUBSCRIPTION = 20,
    // `inputResponses`
    RETRY = 21,
    // Inside a captured argument.
    CAPTURED = 22,
    // `requestState`
    STATE = 23,
    // `notifications.taskIds`, and one of them.
    TASKS = 24,
    WATCHED = 25,
    // What a subscription wants to hear of.
    TOOLS_CHANGED = 26,
    PROMPTS_CHANGED = 27,
    RESOURCES_CHANGED = 28,
    // The capture trie: this plus the trie's own number. It has 64 paths of an expression each.
    TRIE = 64,
    // The paths that headers mirror: this plus the node in the tool's annotations, of which there are 32 x 16 at most.
    MIRROR = 0x4000,
}

/// What a member name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// A place.
    At(u16),
    /// `result` or `error` of the root.
    Outcome,
    /// Nothing.
    Unknown,
}

/// The object that [`near_key`](crate::wire::mcp::fold::near_key) knows the node `object` as.
pub(super) const fn place(object: u16) -> Option<Place> {
    match object {
        ROOT => Some(Place::Root),
        PARAMS => Some(Place::Params),
        META => Some(Place::Meta),
        REF => Some(Place::Ref),
        FILTER => Some(Place::Filter),
        _ => None,
    }
}

/// Where member `name` of the object at `object` leads.
pub(super) fn member(object: u16, name: &str) -> Member {
    let at = match (object, name) {
        (ROOT, "jsonrpc") => JSONRPC,
        (ROOT, "id") => ID,
        (ROOT, "method") => METHOD,
        (ROOT, "params") => PARAMS,
        (ROOT, "result" | "error") => return Member::Outcome,
        (PARAMS, "name") => NAME,
        (PARAMS, "uri") => URI,
        (PARAMS, "arguments") => ARGUMENTS,
        (PARAMS, "_meta") => META,
        (PARAMS, "ref") => REF,
        (PARAMS, "taskId") => TASK,
        (PARAMS, "protocolVersion") => REQUESTED,
        (PARAMS, "inputResponses") => RETRY,
        (PARAMS, "requestState") => STATE,
        (PARAMS, "notifications") => FILTER,
        (META, "io.modelcontextprotocol/protocolVersion") => VERSION,
        (META, "io.modelcontextprotocol/clientCapabilities") => CAPABILITIES,
        (REF, "type") => REF_TYPE,
        (REF, "name") => REF_NAME,
        (REF, "uri") => REF_URI,
        (FILTER, "resourceSubscriptions") => SUBSCRIPTIONS,
        (FILTER, "taskIds") => TASKS,
        (FILTER, "toolsListChanged") => TOOLS_CHANGED,
        (FILTER, "promptsListChanged") => PROMPTS_CHANGED,
        (FILTER, "resourcesListChanged") => RESOURCES_CHANGED,
        _ => return Member::Unknown,
    };
    Member::At(at)
}

/// The node of place `at`.
pub(super) const fn node(at: u16) -> Node {
    let node = Node::new(at);
    match at {
        JSONRPC | METHOD | NAME | URI | TASK | REQUESTED | VERSION | REF_TYPE | REF_NAME
        | REF_URI | SUBSCRIPTION | CAPTURED => node.with_text(),
        _ => node,
    }
}
