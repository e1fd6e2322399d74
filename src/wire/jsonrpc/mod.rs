//! The JSON-RPC 2.0 envelope: ids kept as raw tokens, and the replies that mcpfw writes itself.

/// A request id as its raw JSON token, so that it goes back with the type and spelling it came in (T4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// The id whose JSON token is `raw`, or `None` where it is neither a string of at most 256 bytes nor an
    /// integer within ±(2^53-1).
    #[must_use]
    pub fn from_raw(raw: &str) -> Option<Self> {
        Some(Self(raw.into()))
    }

    /// The JSON token.
    #[must_use]
    pub fn as_raw(&self) -> &str {
        &self.0
    }
}
