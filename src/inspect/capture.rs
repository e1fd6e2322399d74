//! The arguments that rules read, picked out of the stream.
//!
//! The policy's [`Captures`] is a trie of member names. While `params.arguments` passes, this
//! follows the trie, keeps the values at its ends, and knows for each slot whether its value can
//! still come. What is too large to keep is [`Arg::TooLarge`]: every test of it is unknown, which
//! counts against the caller.

use crate::policy::{Arg, Args, Captures, Number, SlotSet, Value};
use crate::wire::json::Kind;
use crate::wire::mcp::fold::Folded;

/// Charged for each value kept, beside its text: about what it takes in memory.
const VALUE_BYTES: usize = 32;

/// Containers inside one captured value. Expressions look into lists and, rarely, into their elements.
const DEPTH: usize = 8;

/// Where a member of the arguments leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// To nothing that is read.
    Nowhere,
    /// To this node of the trie.
    Node(u16),
}

/// What has been captured of one call.
#[derive(Debug)]
pub(super) struct Capture {
    args: Args,
    /// Slots whose value is known, an absent one included.
    known: SlotSet,
    /// Slots that a name in the body folds to (T2).
    folded: SlotSet,
    /// The slots that are worth keeping, once the target is known.
    wanted: Option<SlotSet>,
    active: Option<Active>,
    /// Bytes kept so far, and how many may be.
    used: usize,
    budget: usize,
    elements: usize,
}

/// The value that is being kept.
#[derive(Debug, Default)]
struct Active {
    used: usize,
    frames: Vec<Frame>,
    text: String,
    done: Option<Value>,
    is_too_large: bool,
}

#[derive(Debug)]
enum Frame {
    List(Vec<Value>),
    Map(Vec<(Box<str>, Value)>, Option<Box<str>>),
}

impl Capture {
    /// Keeps at most `budget` bytes of a call, and of a list at most `elements`.
    pub(super) fn new(budget: usize, elements: usize) -> Self {
        Self {
            args: Args::default(),
            known: SlotSet::EMPTY,
            folded: SlotSet::EMPTY,
            wanted: None,
            active: None,
            used: 0,
            budget,
            elements,
        }
    }

    /// From now on only `slots` are worth keeping.
    pub(super) fn want(&mut self, slots: SlotSet) {
        self.wanted = Some(slots);
    }

    /// Whether every slot of `slots` is known.
    pub(super) fn knows(&self, slots: SlotSet) -> bool {
        self.known.covers(slots)
    }

    /// Whether a name was seen that folds to the path of one of `slots`.
    pub(super) fn is_ambiguous(&self, slots: SlotSet) -> bool {
        self.folded.intersects(slots)
    }

    /// The arguments, leaving none.
    pub(super) fn take(&mut self) -> Args {
        std::mem::take(&mut self.args)
    }

    /// Member `name` of the object at node `at`.
    pub(super) fn key(&mut self, plan: &Captures, at: u16, name: &str) -> Lead {
        if let Some(child) = plan.child(at, name) {
            return match self.wanted {
                Some(wanted) if !plan.within(child).intersects(wanted) => Lead::Nowhere,
                _ => Lead::Node(child),
            };
        }
        self.note_folded(plan, at, name);
        Lead::Nowhere
    }

    /// The value at node `at` begins. Says whether it is kept, so that what is inside it belongs to
    /// [`Capture::begin`].
    pub(super) fn enter(&mut self, plan: &Captures, at: u16, kind: Kind) -> bool {
        // What is read for other targets only takes no part of the budget, and nothing below it with it.
        let is_wanted = |slot| self.wanted.is_none_or(|wanted| wanted.contains(slot));
        if !plan.slot(at).is_some_and(is_wanted) {
            return false;
        }
        self.active = Some(Active::default());
        self.begin(kind);
        true
    }

    /// The value at node `at` ended.
    pub(super) fn leave(&mut self, plan: &Captures, at: u16, kind: Kind) {
        self.known = self.known.union(plan.within(at));
        if self.active.is_none() {
            return;
        }
        self.end(kind);
        let Some(active) = self.active.take() else { return };
        if self.args.is_empty() {
            self.args = Args::new(plan);
        }
        match active.done {
            Some(value) if !active.is_too_large => {
                self.used += active.used;
                self.keep(plan, at, value);
            }
            _ => {
                for slot in plan.within(at).iter() {
                    self.args.set(slot, Arg::TooLarge);
                }
            }
        }
    }

    /// Fills the slot of node `at`, and those of the nodes under it from inside `value`.
    fn keep(&mut self, plan: &Captures, at: u16, value: Value) {
        let mut todo = vec![(at, &value)];
        while let Some((at, value)) = todo.pop() {
            let Value::Map(members) = value else { continue };
            for (name, _) in members {
                if plan.child(at, name).is_none() {
                    self.note_folded(plan, at, name);
                }
            }
            for (name, child) in plan.children(at) {
                let Ok(found) = members.binary_search_by(|(key, _)| (**key).cmp(name)) else {
                    continue;
                };
                let Some((_, member)) = members.get(found) else { continue };
                if let Some(slot) = plan.slot(child) {
                    self.args.set(slot, Arg::Value(member.clone()));
                }
                todo.push((child, member));
            }
        }
        if let Some(slot) = plan.slot(at) {
            self.args.set(slot, Arg::Value(value));
        }
    }

    fn note_folded(&mut self, plan: &Captures, at: u16, name: &str) {
        let mut children = plan.children(at).peekable();
        if children.peek().is_none() {
            return;
        }
        let folded = Folded::of(name);
        // JavaScript takes what stands under this name for members of the object itself, as soon as it copies it.
        let is_everything = name == "__proto__";
        for (key, child) in children {
            if is_everything || folded.is_alike(key) {
                self.folded = self.folded.union(plan.within(child));
            }
        }
    }

    /// Whether members and elements of the value that is being kept are still wanted.
    pub(super) fn is_keeping(&self) -> bool {
        self.active.as_ref().is_some_and(|active| !active.is_too_large)
    }

    /// A member name inside the value that is being kept.
    pub(super) fn inner_key(&mut self, name: &str) {
        if self.charge(name.len())
            && let Some(Active { frames, .. }) = &mut self.active
            && let Some(Frame::Map(_, key)) = frames.last_mut()
        {
            *key = Some(name.into());
        }
    }

    /// A value begins: the one that is being kept, or one inside it.
    pub(super) fn begin(&mut self, kind: Kind) {
        if !self.charge(VALUE_BYTES) {
            return;
        }
        let Some(active) = &mut self.active else { return };
        match kind {
            Kind::Object => active.frames.push(Frame::Map(Vec::new(), None)),
            Kind::Array => active.frames.push(Frame::List(Vec::new())),
            _ => active.text.clear(),
        }
        if active.frames.len() > DEPTH {
            active.drop_all();
        }
    }

    /// Text of the string or number that began last.
    pub(super) fn text(&mut self, piece: &str) {
        if self.charge(piece.len())
            && let Some(active) = &mut self.active
        {
            active.text.push_str(piece);
        }
    }

    /// The value that began last, and is still open, ended.
    pub(super) fn end(&mut self, kind: Kind) {
        let elements = self.elements;
        let Some(active) = &mut self.active else { return };
        if active.is_too_large {
            return;
        }
        let value = match kind {
            Kind::Null => Some(Value::Null),
            Kind::True => Some(Value::Bool(true)),
            Kind::False => Some(Value::Bool(false)),
            Kind::String => Some(Value::String(std::mem::take(&mut active.text).into())),
            Kind::Number => Number::from_token(&active.text).map(Value::Number),
            Kind::Object | Kind::Array => active.frames.pop().map(Frame::close),
        };
        match value {
            Some(value) => active.attach(value, elements),
            None => active.drop_all(),
        }
    }

    /// Counts `bytes` against the budget; false if nothing is kept any more.
    fn charge(&mut self, bytes: usize) -> bool {
        let Some(active) = &mut self.active else { return false };
        if active.is_too_large {
            return false;
        }
        active.used += bytes;
        if self.used + active.used > self.budget {
            active.drop_all();
            return false;
        }
        true
    }
}

impl Active {
    /// The value is too large: what was kept of it goes, and its bytes are free for others.
    fn drop_all(&mut self) {
        *self = Self { is_too_large: true, ..Self::default() };
    }

    fn attach(&mut self, value: Value, elements: usize) {
        match self.frames.last_mut() {
            None => self.done = Some(value),
            Some(Frame::List(values)) if values.len() < elements => values.push(value),
            Some(Frame::List(_)) => self.drop_all(),
            Some(Frame::Map(members, key)) => {
                if let Some(key) = key.take() {
                    members.push((key, value));
                }
            }
        }
    }
}

impl Frame {
    fn close(self) -> Value {
        match self {
            Self::List(values) => Value::List(values),
            Self::Map(mut members, _) => {
                members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                Value::Map(members)
            }
        }
    }
}
