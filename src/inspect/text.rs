//! Short texts of a message, put together from the pieces in which they arrive.

use smallvec::SmallVec;

/// A member that should be a short string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Text {
    /// Not there, or not there yet.
    #[default]
    Absent,
    /// There, but not a string.
    NotString,
    /// A string longer than its limit.
    TooLong,
    /// A string.
    Is(Box<str>),
}

impl Text {
    /// The string, where it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Is(text) => Some(text),
            _ => None,
        }
    }
}

/// The string that is arriving: scalars do not nest, so one is enough. Most fit without an allocation.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: SmallVec<[u8; 64]>,
    is_too_long: bool,
}

impl Scratch {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.is_too_long = false;
    }

    /// Adds `piece`; past `limit` bytes the text is too long and only that is remembered.
    pub(super) fn push(&mut self, piece: &str, limit: usize) {
        if self.bytes.len() + piece.len() > limit {
            self.is_too_long = true;
        } else if !self.is_too_long {
            self.bytes.extend_from_slice(piece.as_bytes());
        }
    }

    /// The text, or `None` where it is too long.
    pub(super) fn as_str(&self) -> Option<&str> {
        if self.is_too_long { None } else { std::str::from_utf8(&self.bytes).ok() }
    }

    /// A copy of the text.
    pub(super) fn to_text(&self) -> Text {
        self.as_str().map_or(Text::TooLong, |text| Text::Is(text.into()))
    }
}
