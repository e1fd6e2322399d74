//! Why a reply cannot be shown.

use crate::wire::json::SyntaxError;

/// The reply cannot be shown: what it says is in doubt, or not permitted. The stream must be aborted, so that neither the body
/// nor the event at hand is ever complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The payload is not the strict JSON that all parsers read alike.
    #[error("the reply is not JSON: {0}")]
    Syntax(SyntaxError),
    /// The message is not an object; a batch is not, either, where there are none.
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
    /// Both a method and an outcome: a request to one reader, a response to another.
    #[error("the message is both a request and a response")]
    RequestAndResponse,
    /// A request of the server where a response must stand, and policy does not permit it.
    #[error("a request of the server is not permitted")]
    RequestRefused,
    /// A result asks for input that policy does not permit, and some of it has left already.
    #[error("the result asks for input that is not permitted")]
    InputRefused,
    /// `inputRequests` or one of them is not an object.
    #[error("inputRequests is not an object of requests")]
    InputNotObject,
    /// More than `ReplyOptions::hold` bytes came before what a verdict needs.
    #[error("the name of an element, or the kind of a message, comes too late")]
    HoldExceeded,
    /// A message of more than `ReplyOptions::message` bytes.
    #[error("a message of the reply is too large")]
    TooLarge,
    /// A resource that the caller may not have, in an element of which some has left already.
    #[error("the result carries a resource that is denied")]
    ResourceDenied,
    /// A `requestState` or the id of a task of more than `ReplyOptions::handle` bytes.
    #[error("requestState, or the id of a task, is too long")]
    HandleTooLong,
    /// A line of the event stream is no known field: probably another type of content (field of T17).
    #[error("unknown field in the event stream")]
    UnknownField,
    /// The stream ended inside an event.
    #[error("the event stream ended inside an event")]
    Truncated,
}

impl ReplyError {
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
            Self::RequestAndResponse => "request_and_response",
            Self::RequestRefused => "server_request_refused",
            Self::InputRefused => "input_request_refused",
            Self::InputNotObject => "input_not_object",
            Self::TooLarge => "reply_too_large",
            Self::HoldExceeded => "hold_exceeded",
            Self::ResourceDenied => "resource_denied",
            Self::HandleTooLong => "handle_too_long",
            Self::UnknownField => "unknown_field",
            Self::Truncated => "truncated",
        }
    }
}
