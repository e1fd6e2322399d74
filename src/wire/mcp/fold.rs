//! Member names that some parser takes for a protocol key though they are not byte-equal to it (T2).
//!
//! Decoders that match names without case (Go's `encoding/json`, and U+017F or U+212A with it), cut at NUL, trim,
//! normalise, or accept `snake_case` beside `camelCase` read another message than mcpfw judged. Such a
//! name is refused where the key has a meaning. Nothing is ever normalised into the message itself.

use smallvec::SmallVec;
use unicode_normalization::UnicodeNormalization as _;

/// The object that a member name stands in: which keys have a meaning there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The JSON-RPC message.
    Root,
    /// `params`
    Params,
    /// `params._meta`
    Meta,
    /// `params.ref` of `completion/complete`.
    Ref,
    /// `params.notifications` of `subscriptions/listen`.
    Filter,
    /// `result`
    Result,
    /// An element of a list in `result`.
    Item,
}

impl Place {
    /// The keys that have a meaning here, for a decision or for the filter of a reply.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Root => &["jsonrpc", "id", "method", "params", "result", "error"],
            Self::Params => &[
                "name",
                "uri",
                "arguments",
                "_meta",
                "taskId",
                "ref",
                "cursor",
                "inputResponses",
                "requestState",
                "notifications",
                "protocolVersion",
                "task",
                "requestId",
                "progressToken",
            ],
            Self::Meta => &[
                "io.modelcontextprotocol/protocolVersion",
                "io.modelcontextprotocol/clientCapabilities",
                "io.modelcontextprotocol/clientInfo",
                "io.modelcontextprotocol/logLevel",
                "io.modelcontextprotocol/related-task",
                "io.modelcontextprotocol/subscriptionId",
                "progressToken",
            ],
            Self::Ref => &["type", "name", "uri"],
            Self::Filter => &[
                "toolsListChanged",
                "promptsListChanged",
                "resourcesListChanged",
                "resourceSubscriptions",
                "taskIds",
            ],
            Self::Result => &[
                "tools",
                "prompts",
                "resources",
                "resourceTemplates",
                "tasks",
                "nextCursor",
                "cacheScope",
                "inputRequests",
                "resultType",
            ],
            Self::Item => &["name", "uri", "uriTemplate", "taskId"],
        }
    }
}

/// Whether `name`, a member of the object at `place`, is not a protocol key but folds to one.
#[must_use]
pub fn folds_to_protocol_key(place: Place, name: &str) -> bool {
    near_key(place, name).is_some()
}

/// The protocol key that `name` folds to without being byte-equal to it.
#[must_use]
pub fn near_key(place: Place, name: &str) -> Option<&'static str> {
    let keys = place.keys();
    if keys.contains(&name) {
        return None;
    }
    let folded = Folded::of(name);
    keys.iter().copied().find(|key| folded.is_alike(key))
}

/// Whether `name` is not `key` but folds to it, for names that only a policy knows: the arguments that its rules
/// read.
#[must_use]
pub fn folds_to(name: &str, key: &str) -> bool {
    name != key && Folded::of(name).is_alike(key)
}

/// A name folded once, to be compared with many keys: a name may be long, and most of it dropped.
#[derive(Debug)]
pub struct Folded(SmallVec<[char; 32]>);

impl Folded {
    /// Folds `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.is_ascii() {
            // The same without tables: nearly every name that is compared comes this way.
            Self(folded_ascii(name).map(char::from).collect())
        } else {
            Self(folded(name).collect())
        }
    }

    /// Whether `key` folds to the same, byte-equal keys included.
    #[must_use]
    pub fn is_alike(&self, key: &str) -> bool {
        // `_meta` keys have a dot and a slash where field names have an underscore.
        let is_kept = |c: &char| !key.contains('/') || !matches!(c, '.' | '/');
        let name = self.0.iter().copied().filter(is_kept);
        // Most names differ in their first character.
        if key.is_ascii() {
            name.eq(folded_ascii(key).map(char::from).filter(is_kept))
        } else {
            name.eq(folded(key).filter(is_kept))
        }
    }
}

/// [`folded`] of a text of ASCII characters.
fn folded_ascii(text: &str) -> impl Iterator<Item = u8> {
    let is_kept = |byte: &u8| !matches!(byte, b'_' | b'-' | b' ' | 0x7F) && *byte >= 0x20;
    text.bytes().filter(is_kept).map(|byte| byte.to_ascii_lowercase())
}

/// `text` as the laxest parser would compare it: compatibility forms composed, case gone, and without what
/// does not show (white space, control and format characters) or only joins the words of a name. The last is for
/// the Python SDK, which takes `request_state` for `requestState`, `meta` for `_meta`, and
/// `io_modelcontextprotocol_protocol_version` for the key with a slash.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkc().filter(|c| !is_dropped(*c)).flat_map(|c| {
        // U+0130 (I with a dot) lowers to two characters, but to `i` in the locale that has it.
        let c = if c == '\u{130}' { 'i' } else { c };
        // Upper first: U+0131 (dotless i) meets its letter only there.
        c.to_uppercase().flat_map(char::to_lowercase)
    })
}

/// Characters that a reader does not see, or that only join words.
fn is_dropped(c: char) -> bool {
    matches!(c, '_' | '-')
        || c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_folds_alike_on_both_ways() {
        for byte in 0..=0x7F_u8 {
            let name = format!("a{}b", char::from(byte));
            let slow: String = folded(&name).collect();
            let quick: String = folded_ascii(&name).map(char::from).collect();
            assert_eq!(slow, quick, "{byte:#x}");
        }
    }
}
