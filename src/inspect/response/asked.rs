//! What the server asks of the client, as far as it has been read (T16).

use super::super::capture::{Capture, Lead};
use super::super::text::{Scratch, Text};
use super::place::{CAPTURED, MODE, TRIE, URL};
use super::{Elicitation, ReplyOptions, ServerRequest};
use crate::policy::{Captures, SlotSet};
use crate::wire::json::{Kind, Node};
use crate::wire::mcp::fold::folds_to;

/// Bytes of a method's name that are kept: as of a request's.
const METHOD_BYTES: usize = 128;
/// Bytes of an elicitation's mode or URL that are kept: 8 KiB, what servers take of a URL.
const URL_BYTES: usize = 8 << 10;

/// A request of the server: a message of its own, or one of `result.inputRequests`.
#[derive(Debug)]
pub(super) struct Asked {
    method: Text,
    /// `params.mode` and `params.url`.
    mode: Text,
    url: Text,
    /// A name among the parameters could be taken for one of these two.
    is_doubtful: bool,
    capture: Capture,
    needs: Option<SlotSet>,
    /// `params` has ended, or can no longer come.
    is_complete: bool,
    /// Which of `mode` and `url` a captured parameter is besides.
    also: Option<u16>,
    scratch: Scratch,
    budget: usize,
    elements: usize,
}

impl Asked {
    pub(super) fn new(options: &ReplyOptions) -> Self {
        Self {
            method: Text::Absent,
            mode: Text::Absent,
            url: Text::Absent,
            is_doubtful: false,
            capture: Capture::new(options.capture, options.elements),
            needs: None,
            is_complete: false,
            also: None,
            scratch: Scratch::default(),
            budget: options.capture,
            elements: options.elements,
        }
    }

    /// Before the next one.
    pub(super) fn reset(&mut self) {
        self.method = Text::Absent;
        self.mode = Text::Absent;
        self.url = Text::Absent;
        self.is_doubtful = false;
        self.capture = Capture::new(self.budget, self.elements);
        self.needs = None;
        self.is_complete = false;
        self.also = None;
    }

    /// Whether there is a method, readable or not.
    pub(super) fn has_method(&self) -> bool {
        self.method != Text::Absent
    }

    pub(super) fn method(&self) -> Option<&str> {
        self.method.as_str()
    }

    /// Whether what has been read could be another elicitation to another reader.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful && self.method() == Some("elicitation/create")
    }

    /// The text that has arrived.
    pub(super) fn scratch(&mut self) -> &mut Scratch {
        &mut self.scratch
    }

    /// The next one needs no name: what stands here can only be an elicitation.
    pub(super) fn reset_to_elicitation(&mut self) {
        self.reset();
        self.method = Text::Is("elicitation/create".into());
    }

    pub(super) fn end_method(&mut self) {
        self.method = self.scratch.to_text();
    }

    /// `params` has ended, or the request has.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// `params`, which is a `kind`, begins.
    pub(super) fn begin_params(&mut self, plan: Option<&Captures>, kind: Kind) {
        if let Some(plan) = plan {
            self.capture.enter(plan, 0, kind);
        }
    }

    pub(super) fn end_params(&mut self, plan: Option<&Captures>, kind: Kind) {
        if let Some(plan) = plan {
            self.capture.leave(plan, 0, kind);
        }
        self.is_complete = true;
    }

    /// Member `name` of `params`.
    pub(super) fn params_key(&mut self, plan: Option<&Captures>, name: &str) -> Node {
        let own = match name {
            "mode" => Some(MODE),
            "url" => Some(URL),
            _ => None,
        };
        if own.is_none() {
            self.is_doubtful |= folds_to(name, "mode") || folds_to(name, "url");
        }
        self.also = None;
        let node = plan.map_or(Node::IGNORE, |plan| self.key(plan, TRIE, name));
        match own {
            Some(own) if node == Node::IGNORE => Node::new(own).with_text(),
            own => {
                self.also = own;
                if own.is_some() { node.with_text() } else { node }
            }
        }
    }

    /// Member `name` of the captured or capturable object at `at`.
    pub(super) fn key(&mut self, plan: &Captures, at: u16, name: &str) -> Node {
        if self.capture.is_keeping() {
            self.capture.inner_key(name);
            return self.inner();
        }
        if at == CAPTURED {
            return Node::IGNORE;
        }
        match self.capture.key(plan, at.saturating_sub(TRIE), name) {
            Lead::Node(child) => {
                let node = Node::new(TRIE.saturating_add(child));
                if plan.slot(child).is_some() { node.with_text() } else { node }
            }
            Lead::Nowhere => Node::IGNORE,
        }
    }

    /// Where what is inside the value that is being kept belongs.
    pub(super) fn inner(&self) -> Node {
        if self.capture.is_keeping() { Node::new(CAPTURED).with_text() } else { Node::IGNORE }
    }

    pub(super) fn begin(&mut self, plan: Option<&Captures>, place: u16, kind: Kind) {
        match place {
            CAPTURED => return self.capture.begin(kind),
            TRIE.. => {
                if let Some(plan) = plan {
                    self.capture.enter(plan, place - TRIE, kind);
                }
            }
            _ => {}
        }
        self.scratch.clear();
        if kind != Kind::String {
            self.set(place, Text::NotString);
        }
    }

    pub(super) fn text(&mut self, place: u16, piece: &str) {
        if place == CAPTURED || place >= TRIE {
            self.capture.text(piece);
        }
        match place {
            CAPTURED => {}
            MODE | URL => self.scratch.push(piece, URL_BYTES),
            TRIE.. if self.also.is_none() => {}
            TRIE.. => self.scratch.push(piece, URL_BYTES),
            _ => self.scratch.push(piece, METHOD_BYTES),
        }
    }

    pub(super) fn end(&mut self, plan: Option<&Captures>, place: u16, kind: Kind) {
        match place {
            CAPTURED => return self.capture.end(kind),
            TRIE.. => {
                if let Some(plan) = plan {
                    self.capture.leave(plan, place - TRIE, kind);
                }
            }
            _ => {}
        }
        if kind == Kind::String {
            let text = self.scratch.to_text();
            self.set(place, text);
        }
        self.also = None;
    }

    fn set(&mut self, place: u16, text: Text) {
        match self.also.unwrap_or(place) {
            MODE => self.mode = text,
            URL => self.url = text,
            _ => {}
        }
    }

    /// Whether enough is known to judge it; `needs` tells which parameters the rules read.
    pub(super) fn is_decidable(&mut self, needs: impl FnOnce(&str) -> SlotSet) -> bool {
        if self.is_complete {
            return true;
        }
        let Some(method) = self.method.as_str() else { return self.has_method() };
        let needs = *self.needs.get_or_insert_with(|| needs(method));
        let is_form_known = method != "elicitation/create"
            // What could be taken for the URL may stand behind it.
            || self.mode.as_str().is_some_and(|mode| mode != "url");
        self.capture.knows(needs) && is_form_known
    }

    /// The request. `None` where its method cannot be read, or where two readers could see two requests in it.
    pub(super) fn request(&mut self) -> Option<ServerRequest<'_>> {
        let method = self.method.as_str()?;
        let needs = self.needs.unwrap_or(SlotSet::EMPTY);
        if self.capture.is_ambiguous(needs) {
            return None;
        }
        let elicitation = match method {
            "elicitation/create" => match (&self.mode, &self.url) {
                _ if self.is_doubtful => return None,
                (Text::Absent, Text::Absent) => Some(Elicitation::Form),
                (Text::Is(mode), _) if &**mode == "form" => Some(Elicitation::Form),
                // Without a mode it is a form, but for a client that looks for the URL alone.
                (Text::Absent, Text::Is(url)) => Some(Elicitation::Url(url)),
                (Text::Is(mode), Text::Is(url)) if &**mode == "url" => Some(Elicitation::Url(url)),
                _ => return None,
            },
            _ => None,
        };
        Some(ServerRequest { method, elicitation, args: self.capture.take() })
    }

    /// Has `needs` looked up even where the whole request was there at once.
    pub(super) fn note_needs(&mut self, needs: impl FnOnce(&str) -> SlotSet) {
        if let (None, Some(method)) = (self.needs, self.method.as_str()) {
            self.needs = Some(needs(method));
        }
    }
}
