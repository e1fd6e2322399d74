//! Why a body is refused before policy is asked, or after it was.

use crate::wire::json::{SyntaxError, SyntaxErrorKind};
use crate::wire::mcp::{EnvelopeError, UriFault, codes};

/// The rule that a body broke. Every one is final: nothing more of the body goes upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The bytes are not the strict JSON that all parsers read alike (T1, T3, T5, T8).
    #[error(transparent)]
    Syntax(SyntaxError),
    /// More bytes than `RequestLimits::body`.
    #[error("body too large")]
    BodyTooLarge,
    /// What a decision needs did not come within `RequestLimits::hold` bytes.
    #[error("method, target and arguments to decide on come too late in the body")]
    HoldExceeded,
    /// More bytes of arguments than a limit lets a call have (T48).
    #[error("the arguments are larger than a limit allows")]
    ArgumentsTooLarge,
    /// More white space behind the root than `RequestLimits::trailing`.
    #[error("too much white space after the message")]
    TrailingSpace,
    /// An array: a batch, where there are none (T6).
    #[error("batches are not supported")]
    BatchUnsupported,
    /// A batch of nothing (T6).
    #[error("the batch is empty")]
    BatchEmpty,
    /// A batch of more elements than `RequestLimits::batch` (T6, T48).
    #[error("the batch has too many elements")]
    BatchTooLong,
    /// Responses beside requests or notifications in one batch: 2025-03-26 has the one or the other (T6).
    #[error("a batch has either responses or requests and notifications")]
    BatchMixed,
    /// Two elements of a batch with the same id (T4, T6).
    #[error("an id stands twice in the batch")]
    BatchDuplicateId,
    /// An element that may only be sent alone: a handshake, a listen, a message of a later revision (T6).
    #[error("this message may not be part of a batch")]
    BatchMember,
    /// The root is neither object nor array, or an element of a batch is no object.
    #[error("the body is not a JSON-RPC message")]
    NotAnObject,
    /// A name that is not a protocol key, or one of an argument that a rule reads, but that some parser takes for it
    /// (T2).
    #[error("a member name could be taken for another")]
    FoldedKey,
    /// `jsonrpc` is missing or is not `"2.0"`.
    #[error("jsonrpc is not \"2.0\"")]
    JsonRpcVersion,
    /// `id` is neither a string of at most 256 bytes nor an integer within ±(2^53-1) (T4).
    #[error("id is neither a short string nor an integer")]
    BadId,
    /// A request method, or a response, without `id` (T7).
    #[error("id is missing")]
    IdMissing,
    /// A notification with an `id`: some peers would run it as a request (T7).
    #[error("a notification has no id")]
    NotificationWithId,
    /// Neither `method` nor `result` nor `error`.
    #[error("method is missing")]
    MethodMissing,
    /// `method` is not a string.
    #[error("method is not a string")]
    MethodNotString,
    /// `method` is longer than `RequestLimits::method`.
    #[error("method is too long")]
    MethodTooLong,
    /// A method that the modern revision has no more, without what it acts on: nobody can say what it asks for. With it, policy
    /// decides, and the server answers (mcp-protocol.md §1).
    #[error("this revision has no such method")]
    MethodRemoved,
    /// Members of a request and of a response in one message, or `result` beside `error` (T7).
    #[error("the message is both a request and a response")]
    RequestAndResponse,
    /// A response, in a revision whose servers ask nothing (T7).
    #[error("this revision has no posted responses")]
    ResponseUnsupported,
    /// `params` is not an object.
    #[error("params is not an object")]
    ParamsNotObject,
    /// `params._meta` is neither an object nor null.
    #[error("params._meta is not an object")]
    MetaNotObject,
    /// `params.arguments` is not an object.
    #[error("params.arguments is not an object")]
    ArgumentsNotObject,
    /// The parameters do not name what the method acts on.
    #[error("params does not name what the method acts on")]
    TargetMissing,
    /// What the method acts on is not named by a string.
    #[error("the name of what the method acts on is not a string")]
    TargetNotString,
    /// What the method acts on is named by more bytes than `RequestLimits::target`.
    #[error("the name of what the method acts on is too long")]
    TargetTooLong,
    /// The handle of a task that is not one of this caller's (T15).
    #[error("there is no such task")]
    TaskUnknown,
    /// A `requestState` that was not handed to this caller, for this method and target, of late (T14).
    #[error("requestState is not what the server gave for this call")]
    StateUnknown,
    /// The URI of a resource that the method acts on could be read in two ways (T12).
    #[error(transparent)]
    Uri(#[from] UriFault),
    /// Headers and body do not make one request, or its revision is not served here (T9, T10).
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

impl Violation {
    /// The stable name for logs, metrics and `error.data.reason`.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Syntax(error) => syntax_slug(error.kind),
            Self::BodyTooLarge => "body_too_large",
            Self::HoldExceeded => "hold_exceeded",
            Self::ArgumentsTooLarge => "arguments_too_large",
            Self::TrailingSpace => "trailing_space",
            Self::BatchUnsupported => "batch_unsupported",
            Self::BatchEmpty => "batch_empty",
            Self::BatchTooLong => "batch_too_long",
            Self::BatchMixed => "batch_mixed",
            Self::BatchDuplicateId => "batch_duplicate_id",
            Self::BatchMember => "batch_member",
            Self::NotAnObject => "not_an_object",
            Self::FoldedKey => "folded_key",
            Self::JsonRpcVersion => "jsonrpc_version",
            Self::BadId => "bad_id",
            Self::IdMissing => "id_missing",
            Self::NotificationWithId => "notification_with_id",
            Self::MethodMissing => "method_missing",
            Self::MethodNotString => "method_not_string",
            Self::MethodTooLong => "method_too_long",
            Self::MethodRemoved => "method_removed",
            Self::RequestAndResponse => "request_and_response",
            Self::ResponseUnsupported => "response_unsupported",
            Self::ParamsNotObject => "params_not_object",
            Self::MetaNotObject => "meta_not_object",
            Self::ArgumentsNotObject => "arguments_not_object",
            Self::TargetMissing => "target_missing",
            Self::TargetNotString => "target_not_string",
            Self::TargetTooLong => "target_too_long",
            Self::TaskUnknown => "task_unknown",
            Self::StateUnknown => "state_unknown",
            Self::Uri(fault) => fault.slug(),
            Self::Envelope(error) => error.slug(),
        }
    }

    /// Whether it leaves the requests of a batch without an answer of their own: what stands behind it is not read, and
    /// JSON-RPC 2.0 §6 has one answer for an array that is not JSON.
    pub(super) const fn ends_batch(&self) -> bool {
        matches!(self, Self::Syntax(_) | Self::BatchUnsupported | Self::BatchTooLong)
    }

    /// Whether it is about the body as a whole, and not about one element of a batch.
    pub(super) const fn is_of_body(&self) -> bool {
        matches!(
            self,
            Self::Syntax(_)
                | Self::BodyTooLarge
                | Self::HoldExceeded
                | Self::ArgumentsTooLarge
                | Self::TrailingSpace
                | Self::BatchUnsupported
                | Self::BatchEmpty
                | Self::BatchTooLong
        )
    }

    /// The JSON-RPC code that belongs to it (mcp-protocol.md §7.2). The HTTP status is 413 for
    /// [`Violation::BodyTooLarge`] and [`Violation::ArgumentsTooLarge`], 404 for [`Violation::MethodRemoved`], else 400.
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self {
            Self::Syntax(error) => match error.kind {
                // JSON, but not JSON that says one thing.
                SyntaxErrorKind::DuplicateKey
                | SyntaxErrorKind::TooDeep
                | SyntaxErrorKind::KeyTooLong
                | SyntaxErrorKind::NumberTooLong
                | SyntaxErrorKind::TooManyValues
                | SyntaxErrorKind::TooManyKeys => codes::INVALID_REQUEST,
                _ => codes::PARSE_ERROR,
            },
            Self::BodyTooLarge | Self::ArgumentsTooLarge => codes::TOO_LARGE,
            Self::MethodRemoved => codes::METHOD_NOT_FOUND,
            Self::MetaNotObject
            | Self::ArgumentsNotObject
            | Self::TargetMissing
            | Self::TargetNotString
            | Self::TargetTooLong
            | Self::TaskUnknown
            | Self::StateUnknown
            | Self::Uri(_) => codes::INVALID_PARAMS,
            Self::Envelope(error) => error.code(),
            _ => codes::INVALID_REQUEST,
        }
    }
}

const fn syntax_slug(kind: SyntaxErrorKind) -> &'static str {
    match kind {
        SyntaxErrorKind::DuplicateKey => "duplicate_key",
        SyntaxErrorKind::TrailingBytes => "trailing_bytes",
        SyntaxErrorKind::TooDeep => "too_deep",
        SyntaxErrorKind::KeyTooLong => "key_too_long",
        SyntaxErrorKind::NumberTooLong => "number_too_long",
        SyntaxErrorKind::TooManyValues => "too_many_values",
        SyntaxErrorKind::TooManyKeys => "too_many_keys",
        _ => "parse_error",
    }
}
