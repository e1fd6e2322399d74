//! What a rule is called, what it does and where it stands: the part of a rule that outlives compilation
//! and that logs, replies and explanations quote.

use std::ops::Range;
use std::sync::Arc;

use super::UnixTime;
use crate::diagnostic::Span;

/// The place of a rule in its policy set. Only meaningful together with the [`super::Policy`] it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(u32);

impl RuleId {
    /// The `index`-th rule of a set.
    #[must_use]
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Place in [`super::Policy::rules`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a rule says of the calls that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// They may not happen, whatever allows them.
    Deny,
    /// They may happen.
    Allow,
    /// How much of them.
    Limit,
}

impl Effect {
    /// The stanza's name: `allow`, `deny`, `limit`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
            Self::Limit => "limit",
        }
    }
}

/// Whether a rule binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// It binds.
    #[default]
    Enforce,
    /// It is decided, logged and counted, and changes nothing.
    Shadow,
}

/// How a refusal looks on the wire (design.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalStyle {
    /// HTTP 200 with a JSON-RPC error under the request's own id.
    JsonRpc,
    /// An HTTP status of its own with the same JSON-RPC error as body.
    Http,
    /// HTTP 200 with a result that says `isError`; for `tools/call` only.
    ToolError,
}

/// A rule, as far as anybody but the evaluator needs it.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    pub(super) name: Arc<str>,
    pub(super) effect: Effect,
    pub(super) mode: Mode,
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    pub(super) place: Span,
    pub(super) message: Option<Arc<str>>,
    pub(super) style: Option<RefusalStyle>,
    pub(super) expires: Option<UnixTime>,
}

impl RuleInfo {
    /// The rule's `name`, unique in its set.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it does.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether it binds.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The file it stands in, as the source was named.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The line of its stanza header, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The bytes of its `name` value in that file.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.place.range()
    }

    /// Where its `name` stands in the sources that it was compiled from.
    #[must_use]
    pub fn place(&self) -> Span {
        self.place
    }

    /// `message`: what the caller is told.
    #[must_use]
    pub fn message(&self) -> Option<&Arc<str>> {
        self.message.as_ref()
    }

    /// `refusal`: how the caller is told; `None` where the route decides.
    #[must_use]
    pub fn style(&self) -> Option<RefusalStyle> {
        self.style
    }

    /// The first second at which it no longer applies.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }
}
