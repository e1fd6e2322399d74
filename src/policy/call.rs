//! What is asked for: the boundary between the inspector, which reads a body, and the policy, which decides.

use std::net::IpAddr;

use super::Value;
use crate::wire::mcp::{ObjectKind, Revision};

/// One JSON-RPC request or notification from downstream, as far as a decision needs it.
///
/// Only [`crate::inspect`] makes one from bytes; `explain` and tests make one from words.
#[derive(Clone, Debug)]
pub struct Call {
    /// The JSON-RPC method, byte for byte.
    pub method: Box<str>,
    /// What the method acts on, where it acts on one thing.
    pub object: Option<Object>,
    /// The revision spoken.
    pub revision: Revision,
    /// Whether it has an id, and so wants a reply.
    pub is_request: bool,
    /// Whether it carries `inputResponses` or `requestState` (a leg of a multi-round-trip request).
    pub is_retry: bool,
    /// The arguments that some rule reads.
    pub args: Args,
    /// Of `subscriptions/listen`: every URI of `notifications.resourceSubscriptions`, once all of them have been
    /// read. `None` where they have not: then every rule against any resource applies to that method (T13).
    pub subscriptions: Option<Box<[Box<str>]>>,
}

impl Call {
    /// What a server asks of its client: it acts on nothing that has a name.
    #[must_use]
    pub fn of_server(method: &str, revision: Revision, is_request: bool, args: Args) -> Self {
        Self {
            method: method.into(),
            object: None,
            revision,
            is_request,
            is_retry: false,
            args,
            subscriptions: None,
        }
    }
}

/// A tool, prompt or resource by its name on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Which of the three.
    pub kind: ObjectKind,
    /// Tool or prompt name, resource URI.
    pub name: Box<str>,
}

/// What is known of an exchange besides its body and its caller.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Name of the route.
    pub route: &'a str,
    /// The host asked for, lower case, without port.
    pub host: &'a str,
    /// The TLS server name, where there is TLS.
    pub sni: Option<&'a str>,
    /// The caller's address, after trusted proxies.
    pub ip: IpAddr,
}

/// A set of argument slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SlotSet(u64);

impl SlotSet {
    /// No slot.
    pub const EMPTY: Self = Self(0);

    /// Adds `slot`, which is below [`Captures::MAX_SLOTS`].
    pub fn insert(&mut self, slot: u8) {
        self.0 |= 1_u64.unbounded_shl(u32::from(slot));
    }

    /// Whether `slot` is in the set.
    #[must_use]
    pub fn contains(self, slot: u8) -> bool {
        self.0 & 1_u64.unbounded_shl(u32::from(slot)) != 0
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every slot of `other` is in this set.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether some slot is in both sets.
    #[must_use]
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The slots in the set, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |slot| self.contains(*slot))
    }

    /// The slots of this set that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The slots of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which argument paths the rules of a policy set read: a trie over member names, each path that is read
/// ending in a slot. At most [`Captures::MAX_SLOTS`] paths.
#[derive(Clone, Debug)]
pub struct Captures {
    /// Node 0 is `params.arguments` itself.
    nodes: Vec<CaptureNode>,
    slots: usize,
}

#[derive(Clone, Debug, Default)]
struct CaptureNode {
    children: Vec<(Box<str>, u16)>,
    slot: Option<u8>,
    /// The slots of this node and of all nodes under it.
    within: SlotSet,
}

impl Default for Captures {
    fn default() -> Self {
        Self::new()
    }
}

impl Captures {
    /// Different argument paths that one policy set may read.
    pub const MAX_SLOTS: usize = 64;

    /// The plan that captures nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { nodes: vec![CaptureNode::default()], slots: 0 }
    }

    /// The slot of the path `path` (member names from `params.arguments` down), made where it is new; `None`
    /// where [`Captures::MAX_SLOTS`] are taken.
    pub fn insert<'a>(&mut self, path: impl IntoIterator<Item = &'a str>) -> Option<u8> {
        let mut at = 0_u16;
        let mut way = vec![at];
        for name in path {
            at = match self.child(at, name) {
                Some(next) => next,
                None => {
                    let next = u16::try_from(self.nodes.len()).ok()?;
                    self.nodes.push(CaptureNode::default());
                    self.nodes.get_mut(usize::from(at))?.children.push((name.into(), next));
                    next
                }
            };
            way.push(at);
        }
        let slots = self.slots;
        let node = self.nodes.get_mut(usize::from(at))?;
        if node.slot.is_none() {
            if slots == Self::MAX_SLOTS {
                return None;
            }
            node.slot = u8::try_from(slots).ok();
            self.slots += 1;
        }
        let slot = node.slot?;
        for step in way {
            self.nodes.get_mut(usize::from(step))?.within.insert(slot);
        }
        Some(slot)
    }

    /// The members of node `at` that some path goes on with, and their nodes.
    pub fn children(&self, at: u16) -> impl Iterator<Item = (&str, u16)> {
        let children = self.nodes.get(usize::from(at)).map(|node| node.children.as_slice());
        children.unwrap_or_default().iter().map(|(name, next)| (&**name, *next))
    }

    /// The slots of node `at` and of all nodes under it.
    #[must_use]
    pub fn within(&self, at: u16) -> SlotSet {
        self.nodes.get(usize::from(at)).map_or(SlotSet::EMPTY, |node| node.within)
    }

    /// The node of member `name` below node `at`.
    #[must_use]
    pub fn child(&self, at: u16, name: &str) -> Option<u16> {
        let node = self.nodes.get(usize::from(at))?;
        node.children.iter().find(|(key, _)| **key == *name).map(|(_, next)| *next)
    }

    /// The path that fills slot `slot`; empty where there is no such slot.
    #[must_use]
    pub fn path(&self, slot: u8) -> Vec<&str> {
        let mut open: Vec<(u16, Vec<&str>)> = vec![(0, Vec::new())];
        while let Some((at, path)) = open.pop() {
            if self.slot(at) == Some(slot) {
                return path;
            }
            for (name, next) in self.children(at) {
                if self.within(next).contains(slot) {
                    let below = path.iter().copied().chain([name]).collect();
                    open.push((next, below));
                }
            }
        }
        Vec::new()
    }

    /// The slot that the value at node `at` fills.
    #[must_use]
    pub fn slot(&self, at: u16) -> Option<u8> {
        self.nodes.get(usize::from(at))?.slot
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots
    }

    /// Whether no rule reads any argument.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots == 0
    }
}

/// A captured argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Arg {
    /// Not in the call.
    #[default]
    Absent,
    /// In the call, but larger than the capture limit: every test of it is unknown.
    TooLarge,
    /// In the call.
    Value(Value),
}

/// The captured arguments, by slot.
#[derive(Clone, Debug, Default)]
pub struct Args {
    slots: Vec<Arg>,
}

impl Args {
    /// Room for the slots of `captures`, all absent.
    #[must_use]
    pub fn new(captures: &Captures) -> Self {
        Self { slots: vec![Arg::Absent; captures.len()] }
    }

    /// Whether there is room for no slot at all: then every argument is absent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What `captures` takes from `arguments`, which are all there. For calls made from words.
    #[must_use]
    pub fn capture(captures: &Captures, arguments: Option<&Value>) -> Self {
        let mut args = Self::new(captures);
        let mut open: Vec<(u16, &Value)> = arguments.map(|all| (0, all)).into_iter().collect();
        while let Some((node, value)) = open.pop() {
            if let Some(slot) = captures.slot(node) {
                args.set(slot, Arg::Value(value.clone()));
            }
            let children = captures.children(node);
            open.extend(children.filter_map(|(name, next)| Some((next, value.member(name)?))));
        }
        args
    }

    /// Takes the argument at `path` for one that is larger than what is kept.
    pub fn enlarge(&mut self, captures: &Captures, path: &[Box<str>]) {
        let node = path.iter().try_fold(0, |at, name| captures.child(at, name));
        if let Some(slot) = node.and_then(|at| captures.slot(at)) {
            self.set(slot, Arg::TooLarge);
        }
    }

    /// The argument in slot `slot`.
    #[must_use]
    pub fn slot(&self, slot: u8) -> &Arg {
        self.slots.get(usize::from(slot)).unwrap_or(&Arg::Absent)
    }

    /// Puts `arg` into slot `slot`; a slot that does not exist is left alone.
    pub fn set(&mut self, slot: u8, arg: Arg) {
        if let Some(place) = self.slots.get_mut(usize::from(slot)) {
            *place = arg;
        }
    }
}
