//! Why a reply cannot be filtered.

use crate::wire::json::SyntaxError;

/// The reply cannot be shown: what it lists is in doubt. The stream must be aborted, so that neither the body nor the
/// event at hand is ever complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The payload is not the strict JSON that all parsers read alike.
    #[error("the reply is not JSON: {0}")]
    Syntax(SyntaxError),
    /// The message is not an object; a batch is not, either.
    #[error("the reply is not a JSON-RPC message")]
    NotAMessage,
    /// `result` is not an object.
    #[error("result is not an object")]
    ResultNotObject,
    /// A list is neither an array nor null.
    #[error("a list is not an array")]
    ListNotArray,
    /// An element of a list is not an object.
    #[error("an element of a list is not an object")]
    ElementNotObject,
    /// An element of a list has no name, or one that is not a string.
    #[error("an element of a list has no name")]
    ElementWithoutName,
    /// A name that some parser takes for a list, a name or the cache scope, but that is none (T2).
    #[error("a member name could be taken for another")]
    FoldedKey,
    /// More than `FilterOptions::hold` bytes came before a name.
    #[error("the name of an element comes too late")]
    HoldExceeded,
    /// A line of the event stream is no known field: probably another type of content (field of T17).
    #[error("unknown field in the event stream")]
    UnknownField,
    /// The stream ended inside an event.
    #[error("the event stream ended inside an event")]
    Truncated,
}

impl FilterError {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "reply_not_json",
            Self::NotAMessage => "reply_not_a_message",
            Self::ResultNotObject => "result_not_object",
            Self::ListNotArray => "list_not_array",
            Self::ElementNotObject => "element_not_object",
            Self::ElementWithoutName => "element_without_name",
            Self::FoldedKey => "folded_key",
            Self::HoldExceeded => "hold_exceeded",
            Self::UnknownField => "unknown_field",
            Self::Truncated => "truncated",
        }
    }
}
