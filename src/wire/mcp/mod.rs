//! MCP's vocabulary: revisions, methods and their targets, header mirroring, keys that only look like
//! protocol keys, error codes. Data and pure functions; nothing here reads a body.
//!
//! ```text
//! headers::Mirror ── agree::check ──┐
//! body members ─────────────────────┼─► Revision, or the refusal that names what contradicts what
//! revision::decide ─────────────────┘
//! ```

pub mod agree;
pub mod codes;
pub mod elicitation;
pub mod fold;
pub mod headers;
pub mod method;
pub mod revision;
pub mod sentinel;
pub mod uri;

pub use agree::{Body, EnvelopeError, judge};
pub use elicitation::ElicitationHosts;
pub use fold::{Place, folds_to_protocol_key};
pub use headers::{Header, HeaderError, HeaderFault, Mirror};
pub use method::{Method, MethodInfo, Mirrored, Target};
pub use revision::{Revision, RevisionError, RevisionSet};
pub use uri::UriFault;

/// What a method acts on; the selectors of the policy language follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A tool, by name.
    Tool,
    /// A prompt, by name.
    Prompt,
    /// A resource, by URI or URI template.
    Resource,
}

impl ObjectKind {
    /// What conditions and people call it: `tool`, `prompt`, `resource`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
        }
    }

    /// The kind that [`ObjectKind::as_str`] calls `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Tool, Self::Prompt, Self::Resource].into_iter().find(|kind| kind.as_str() == word)
    }
}
