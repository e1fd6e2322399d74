//! The list filter: what a caller may not use is not in the lists that it gets (T17, T18).
//!
//! ```text
//! feed ─► sse::Decoder ─► json::Tokenizer ─► Editor ─► pass, hold or drop ─► out
//!            framing           payload        │
//!                                             └─► Visibility: may this caller see that name?
//! ```
//!
//! The filter edits bytes in flight: it removes list elements, makes `cacheScope` private (T55), and
//! lets everything else pass as it came. Only the element at hand is ever held, from the end of the
//! one before it until its name is known. Whatever cannot be read without doubt fails the reply: a
//! list that cannot be filtered is not shown (T17).

mod editor;
mod endpoint;
mod error;
mod filter;
mod held;
mod output;

pub use self::endpoint::{EndpointError, EndpointWatch, Fed, resolve};
pub use self::error::FilterError;
pub use self::filter::ListFilter;
use crate::wire::json;
use crate::wire::mcp::ObjectKind;

/// How a reply carries JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// `application/json`: one text.
    Json,
    /// `text/event-stream`: one text in the data of each event.
    EventStream,
}

/// Who may see what.
pub trait Visibility {
    /// Whether the caller may see the object `name` in a list: a tool's or prompt's name, a resource's URI or URI
    /// template.
    fn listed(&mut self, kind: ObjectKind, name: &str) -> bool;
}

impl<F: FnMut(ObjectKind, &str) -> bool> Visibility for F {
    fn listed(&mut self, kind: ObjectKind, name: &str) -> bool {
        self(kind, name)
    }
}

/// What a [`ListFilter`] must know besides the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterOptions {
    /// Whether the request spoke a modern revision, so that its reply must have a `cacheScope`. A reply with a
    /// `resultType` is modern in any case.
    pub is_modern: bool,
    /// Bytes that may be held until a name is known. Default 64 KiB (T5): names stand first in all known servers.
    pub hold: usize,
    /// Bounds of the JSON of one message.
    pub json: json::Limits,
    /// Keys the tokenizer's hash of member names.
    pub seed: u64,
}

impl Default for FilterOptions {
    fn default() -> Self {
        Self { is_modern: false, hold: 64 << 10, json: json::Limits::default(), seed: 0 }
    }
}
