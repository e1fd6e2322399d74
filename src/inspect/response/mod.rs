//! The reply inspector: what a caller may not use is not in the lists that it gets (T17, T18), and the server asks of its
//! client only what policy lets it ask (T16).
//!
//! ```text
//! feed ─► sse::Decoder ─► json::Tokenizer ─► Editor ─► pass, hold or drop ─► out
//!            framing           payload        │
//!                                             └─► Judge: may this caller see that name? may the server ask that?
//! ```
//!
//! It edits bytes in flight: it removes list elements and requests of the server, makes `cacheScope` private (T55), replaces
//! a result that asks for too much, and lets everything else pass as it came. Held is only what is undecided: a message until
//! its kind is known, a request of the server until it is judged, a list element until its name is known. Whatever cannot be
//! read without doubt fails the reply: what cannot be judged is not shown.

mod asked;
mod cut;
mod editor;
mod endpoint;
mod error;
mod held;
mod inspector;
mod output;
mod place;
mod settle;
mod visit;

pub use self::endpoint::{EndpointError, EndpointWatch, Fed, resolve};
pub use self::error::ReplyError;
pub use self::inspector::ReplyInspector;
use crate::lock::List;
use crate::policy::{Args, Captures, SlotSet};
use crate::wire::json::{self, Kind};
use crate::wire::jsonrpc::Id;

/// How a reply carries JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// `application/json`: one text.
    Json,
    /// `text/event-stream`: one text in the data of each event.
    EventStream,
}

/// What becomes of an element of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It is shown.
    Shown,
    /// It is removed.
    Hidden,
    /// All of it must be seen first: [`Judge::element_passes`] is asked at its end, until which it is held.
    Undecided,
}

impl From<bool> for Listing {
    fn from(is_shown: bool) -> Self {
        if is_shown { Self::Shown } else { Self::Hidden }
    }
}

/// What an element of a list consists of, in the order of the text. Names and strings are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementPart<'a> {
    /// A value begins. The first one is the element itself, an object.
    Begin(Kind),
    /// The name of the member that follows.
    Key(&'a str),
    /// A piece of the string or number that began last; pieces have no meaning.
    Text(&'a str),
    /// The value that began last, and is still open, ends.
    End(Kind),
}

/// How an elicitation asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elicitation<'a> {
    /// With a form.
    Form,
    /// By sending the user to this URL, which is as the server wrote it.
    Url(&'a str),
}

/// A request of the server: a message (to 2025-11-25), or one of a result's `inputRequests` (from 2026-07-28).
#[derive(Debug)]
pub struct ServerRequest<'a> {
    /// The method, byte for byte.
    pub method: &'a str,
    /// How it asks, where it is an `elicitation/create`.
    pub elicitation: Option<Elicitation<'a>>,
    /// The members of `params` that some rule reads.
    pub args: Args,
}

/// Who decides about what a reply carries. Shared by all messages of the reply.
pub trait Judge {
    /// A message of a stream begins. What is looked for from here on, where that has changed.
    fn renew(&mut self) -> Option<Watch> {
        None
    }

    /// Whether the caller may see the object `name` in `list`: a tool's or prompt's name, a resource's URI or URI
    /// template.
    fn listed(&mut self, list: List, name: &str) -> Listing;

    /// A part of an element of `list`; only where [`Watch::elements`] is on. All of an element is told, whatever becomes
    /// of it.
    fn element(&mut self, list: List, part: ElementPart<'_>) {
        let _ = (list, part);
    }

    /// Whether the element that just ended, which was undecided, is shown.
    fn element_passes(&mut self) -> bool {
        false
    }

    /// Whether the resource `uri` may come inside the result of something else; only with [`Watch::carried`].
    fn delivers(&mut self, uri: &str) -> bool {
        let _ = uri;
        true
    }

    /// Which parameters of requests rules read.
    fn captures(&self) -> Option<&Captures> {
        None
    }

    /// Which of them must be known before a request of `method` can be judged.
    fn needs(&self, method: &str) -> SlotSet {
        let _ = method;
        SlotSet::EMPTY
    }

    /// Whether the server may ask this of the client.
    fn permits(&mut self, request: &ServerRequest<'_>) -> bool;

    /// A request of the server has been read to its end: under `id`, if it is one, and whether it passes. Told before its last
    /// byte does; false cuts it off.
    fn asked(&mut self, method: &str, id: Option<&Id>, passes: bool) -> bool {
        let _ = (method, id, passes);
        true
    }

    /// What a client gets in place of a handle, which stands in the reply as `text`: the inside of a JSON string. `None`: what
    /// the server wrote. Must be such an inside, too; only where [`Watch::states`] or [`Watch::tasks`] is on.
    fn seal(&mut self, handle: SealedKind, text: &str) -> Option<String> {
        let _ = (handle, text);
        None
    }

    /// The JSON-RPC error, under `id` where that was read, in place of a result that asks for what is not permitted.
    fn refusal(&mut self, id: Option<&Id>) -> Vec<u8>;
}

/// What is looked for in a reply. What is not looked for passes unseen, and nothing is held for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Elements of lists that the caller may not see.
    pub lists: bool,
    /// All that the elements of lists consist of; with `lists` only.
    pub elements: bool,
    /// Whether what is shown of a list may not be shared: then its `cacheScope` is made private (T55).
    pub private: bool,
    /// Resources that come inside other results, and may not (T13).
    pub carried: bool,
    /// Requests of the server.
    pub requests: bool,
    /// `requestState`s, which clients get sealed (T14); with `requests` only.
    pub states: bool,
    /// Ids of tasks, likewise (T15).
    pub tasks: bool,
    /// How large messages are.
    pub size: bool,
}

/// What a handle in a reply stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealedKind {
    /// `requestState`
    State,
    /// `taskId`
    Task,
}

impl Watch {
    /// Nothing.
    pub const NOTHING: Self = Self {
        lists: false,
        elements: false,
        private: false,
        carried: false,
        requests: false,
        states: false,
        tasks: false,
        size: false,
    };
    /// Lists alone.
    pub const LISTS: Self = Self { lists: true, private: true, ..Self::NOTHING };

    /// Whether there is nothing to look for.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        !(self.lists || self.elements || self.carried || self.requests || self.size)
    }
}

/// What a [`ReplyInspector`] must know besides the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyOptions {
    /// What is looked for.
    pub watch: Watch,
    /// Whether the request spoke a modern revision, so that its reply must have a `cacheScope`, and may ask for input
    /// in its result. A reply with a `resultType` is modern in any case.
    pub is_modern: bool,
    /// Whether a text may be a batch: in 2025-03-26 alone.
    pub allows_batch: bool,
    /// Bytes that may be held until something is decided. Default 64 KiB (T5): names stand first in all known servers.
    pub hold: usize,
    /// Bytes of one message. `None`: no limit (T54).
    pub message: Option<u64>,
    /// Bytes of a `requestState` as the server makes it, decoded. Default 32 KiB (T14): servers keep small states in them.
    pub handle: usize,
    /// Bytes of parameters of a server's request that are kept for rules; as of a call's arguments.
    pub capture: usize,
    /// Elements of a captured list.
    pub elements: usize,
    /// Bounds of the JSON of one message.
    pub json: json::Limits,
    /// Keys the tokenizer's hash of member names.
    pub seed: u64,
}

impl Default for ReplyOptions {
    fn default() -> Self {
        Self {
            watch: Watch::LISTS,
            is_modern: false,
            allows_batch: false,
            hold: 64 << 10,
            message: None,
            handle: 32 << 10,
            capture: 16 << 10,
            elements: 64,
            json: json::Limits::default(),
            seed: 0,
        }
    }
}
