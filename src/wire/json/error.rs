//! Why a JSON text was refused.

/// A scan that ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error<S> {
    /// The bytes are not what this tokenizer accepts.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The visitor stopped the scan.
    #[error("stopped by the reader")]
    Stop(S),
}

/// Which rule the bytes broke, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct SyntaxError {
    /// The rule.
    pub kind: SyntaxErrorKind,
    /// Offset of the offending byte, from the first byte fed.
    pub offset: u64,
}

/// The rules of RFC 8259 and the limits of threat T5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// A byte that the grammar does not allow here.
    #[error("unexpected byte")]
    UnexpectedByte,
    /// The text ended inside a value.
    #[error("unexpected end of text")]
    UnexpectedEnd,
    /// A byte-order mark, refused by RFC 8259 §8.1 (T3).
    #[error("byte-order mark")]
    ByteOrderMark,
    /// Something follows the root value (T8).
    #[error("bytes after the root value")]
    TrailingBytes,
    /// Bytes that are not UTF-8 (T3).
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// A control character inside a string (T3).
    #[error("control character in string")]
    ControlCharacter,
    /// An escape that JSON does not have.
    #[error("invalid escape")]
    InvalidEscape,
    /// A `\uD800`-`\uDFFF` escape without its partner (T3).
    #[error("lone surrogate")]
    LoneSurrogate,
    /// A malformed number.
    #[error("invalid number")]
    InvalidNumber,
    /// A name that stands twice in one object, once escapes are decoded (T1).
    #[error("duplicate key")]
    DuplicateKey,
    /// Deeper than `Limits::depth`.
    #[error("nested too deeply")]
    TooDeep,
    /// A member name longer than `Limits::key_bytes`.
    #[error("key too long")]
    KeyTooLong,
    /// A number token longer than `Limits::number_bytes`.
    #[error("number too long")]
    NumberTooLong,
    /// More values than `Limits::values`.
    #[error("too many values")]
    TooManyValues,
    /// More member names open at once than `Limits::open_keys`.
    #[error("too many keys")]
    TooManyKeys,
    /// The visitor stopped this scan earlier: the tokenizer is spent.
    #[error("stopped earlier by the reader")]
    Stopped,
}
