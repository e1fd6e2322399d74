//! Decides for each byte of a message whether it passes, waits or goes.

use bytes::Bytes;

use super::held::Held;
use super::output::Output;
use super::{FilterError, FilterOptions, Visibility};
use crate::wire::json::{Kind, Node, Visit};
use crate::wire::mcp::ObjectKind;
use crate::wire::mcp::fold::folds_to;

const ROOT: u16 = 1;
const RESULT: u16 = 2;
const SCOPE: u16 = 3;
const NAME: u16 = 4;
/// The value of a member whose name could be taken for another.
const DOUBTFUL: u16 = 5;
/// The lists: this plus the index into [`LISTS`]. Their elements follow.
const LIST: u16 = 8;
const ELEMENT: u16 = 16;

/// A member of `result` that is a list, and the member of its elements that names them.
struct List {
    member: &'static str,
    name: &'static str,
    kind: ObjectKind,
}

const LISTS: [List; 4] = [
    List { member: "tools", name: "name", kind: ObjectKind::Tool },
    List { member: "prompts", name: "name", kind: ObjectKind::Prompt },
    List { member: "resources", name: "uri", kind: ObjectKind::Resource },
    List { member: "resourceTemplates", name: "uriTemplate", kind: ObjectKind::Resource },
];

/// What replaces the value of `cacheScope`: what depends on the caller may not be shared (T55).
const PRIVATE: &[u8] = b"\"private\"";
const PRIVATE_MEMBER: &[u8] = b",\"cacheScope\":\"private\"";

/// What happens to the bytes that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Pass,
    /// Undecided from this offset on.
    Hold(u64),
    Drop,
}

/// The state of one message, from chunk to chunk.
#[derive(Debug)]
pub(super) struct Editor<V> {
    visibility: V,
    options: FilterOptions,
    /// Whether the root's brace waits for the end of the text: only where nothing else ends the message.
    is_tail_held: bool,
    mode: Mode,
    held: Held,
    /// Index into [`LISTS`] of the list that is open.
    list: u16,
    /// Whether an element of the open list was kept, so that the next one needs its comma.
    has_kept: bool,
    /// Whether the open element's name is known.
    is_named: bool,
    name: String,
    has_root: bool,
    has_list: bool,
    has_scope: bool,
    has_result_type: bool,
    pub(super) hidden: u64,
    pub(super) max_held: usize,
}

impl<V: Visibility> Editor<V> {
    pub(super) fn new(visibility: V, options: FilterOptions, is_tail_held: bool) -> Self {
        Self {
            visibility,
            options,
            is_tail_held,
            mode: Mode::Pass,
            held: Held::default(),
            list: 0,
            has_kept: false,
            is_named: false,
            name: String::new(),
            has_root: false,
            has_list: false,
            has_scope: false,
            has_result_type: false,
            hidden: 0,
            max_held: 0,
        }
    }

    /// Before the next message.
    pub(super) fn reset(&mut self) {
        self.mode = Mode::Pass;
        self.held.take();
        self.has_root = false;
        self.has_list = false;
        self.has_scope = false;
        self.has_result_type = false;
    }

    /// Whether the message has begun: until then there was nothing but white space.
    pub(super) fn has_root(&self) -> bool {
        self.has_root
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Framing around payload: it waits with payload that waits, and never goes.
    pub(super) fn framing(
        &mut self,
        bytes: &[u8],
        pass: impl FnOnce(),
        now: u64,
    ) -> Result<(), FilterError> {
        if matches!(self.mode, Mode::Hold(_)) {
            self.held.push_framing(bytes);
            self.check_hold(now)
        } else {
            pass();
            Ok(())
        }
    }

    /// Checks what is held when the message has come to offset `now`.
    pub(super) fn check_hold(&mut self, now: u64) -> Result<(), FilterError> {
        let Mode::Hold(since) = self.mode else { return Ok(()) };
        let payload = usize::try_from(now.saturating_sub(since)).unwrap_or(usize::MAX);
        let held = payload.saturating_add(self.held.framing());
        self.max_held = self.max_held.max(held);
        if held > self.options.hold { Err(FilterError::HoldExceeded) } else { Ok(()) }
    }

    /// The list that `place` is, or is an element of.
    fn list_at(place: u16) -> Option<&'static List> {
        LISTS.get(usize::from(place & 7))
    }
}

/// The tokenizer's view of an [`Editor`] during one run of payload.
pub(super) struct Cut<'a, 'o, V> {
    pub(super) editor: &'a mut Editor<V>,
    pub(super) output: &'a mut Output<'o>,
    /// Where the run stands in the chunk.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Offset in the message of the run's first byte.
    pub(super) base: u64,
    /// Offset of the first byte whose fate has not been carried out.
    pub(super) from: u64,
}

impl<V: Visibility> Cut<'_, '_, V> {
    /// Where offset `at` of the message stands in the chunk.
    fn place(&self, at: u64) -> usize {
        let ahead = usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.start.saturating_add(ahead).min(self.end)
    }

    /// Everything before `at` passes.
    fn pass_until(&mut self, at: u64) {
        if at > self.from {
            self.output.pass(self.place(self.from)..self.place(at));
            self.from = at;
        }
    }

    /// What is held passes.
    pub(super) fn release(&mut self) {
        // Where something is held from before this run, all of the run so far is held, too, and comes behind it.
        self.output.push(self.editor.held.take());
        self.editor.mode = Mode::Pass;
    }

    /// What is held goes, with everything before `at`.
    fn discard(&mut self, at: u64) {
        if let Mode::Hold(since) = self.editor.mode {
            self.pass_until(since);
        }
        self.output.push(self.editor.held.take_framing());
        self.from = at;
    }

    /// The run is used up, and the message has come to offset `end`.
    pub(super) fn end_run(&mut self, end: u64) -> Result<(), FilterError> {
        match self.editor.mode {
            Mode::Pass => self.pass_until(end),
            Mode::Hold(since) => {
                self.editor.check_hold(end)?;
                self.pass_until(since.min(end));
                let rest = self.place(self.from)..self.place(end);
                self.editor.held.push_payload(self.output.bytes(rest));
            }
            Mode::Drop => {}
        }
        Ok(())
    }

    fn begin_list(&mut self, kind: Kind, at: u64) -> Result<(), FilterError> {
        match kind {
            Kind::Array => {
                self.editor.mode = Mode::Hold(at + 1);
                self.editor.has_kept = false;
                self.editor.has_list = true;
                Ok(())
            }
            // Go servers write a list without elements so.
            Kind::Null => Ok(()),
            _ => Err(FilterError::ListNotArray),
        }
    }

    /// The open element is called what `name` has; its name ended before `at`.
    fn named(&mut self, at: u64) -> Result<(), FilterError> {
        self.editor.check_hold(at)?;
        let editor = &mut *self.editor;
        editor.is_named = true;
        let Some(list) = Editor::<V>::list_at(editor.list) else { return Ok(()) };
        if editor.visibility.listed(list.kind, &editor.name) {
            editor.has_kept = true;
            self.release();
        } else {
            editor.hidden += 1;
            self.discard(at);
            self.editor.mode = Mode::Drop;
        }
        Ok(())
    }

    fn end_element(&mut self, at: u64) -> Result<(), FilterError> {
        self.editor.check_hold(at)?;
        if !self.editor.is_named {
            return Err(FilterError::ElementWithoutName);
        }
        if self.editor.mode == Mode::Drop {
            self.from = at;
        }
        self.editor.mode = Mode::Hold(at);
        Ok(())
    }

    fn result_key(&mut self, name: &str) -> Node {
        if let Some((index, _)) = (0..).zip(&LISTS).find(|(_, list)| list.member == name) {
            return Node::new(LIST + index);
        }
        match name {
            "cacheScope" => {
                self.editor.has_scope = true;
                Node::new(SCOPE)
            }
            "resultType" => {
                self.editor.has_result_type = true;
                Node::IGNORE
            }
            _ => {
                let [a, b, c, d] = &LISTS;
                let lists = [a.member, b.member, c.member, d.member];
                let node = unless_alike(name, &lists);
                if node == Node::IGNORE {
                    unless_alike(name, &["cacheScope", "resultType"])
                } else {
                    node
                }
            }
        }
    }

    fn end_result(&mut self, at: u64) {
        let editor = &*self.editor;
        let is_modern = editor.options.is_modern || editor.has_result_type;
        if is_modern && editor.has_list && !editor.has_scope {
            // Behind the list there is at least that member, so a comma fits.
            self.pass_until(at - 1);
            self.output.push(Bytes::from_static(PRIVATE_MEMBER));
        }
    }
}

impl<V: Visibility> Visit for Cut<'_, '_, V> {
    type Stop = FilterError;

    fn root(&mut self) -> Node {
        Node::new(ROOT)
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, FilterError> {
        Ok(match object.number() {
            ROOT if name == "result" => Node::new(RESULT),
            ROOT => unless_alike(name, &["result"]),
            RESULT => self.result_key(name),
            place @ ELEMENT.. => match Editor::<V>::list_at(place) {
                Some(list) if list.name == name => Node::new(NAME).with_text(),
                Some(list) => unless_alike(name, &[list.name]),
                None => Node::IGNORE,
            },
            _ => Node::IGNORE,
        })
    }

    fn element(&mut self, array: Node, _index: u32) -> Result<Node, FilterError> {
        let place = array.number();
        Ok(if place >= LIST { Node::new(place - LIST + ELEMENT) } else { Node::IGNORE })
    }

    fn comma(&mut self, array: Node, at: u64) -> Result<(), FilterError> {
        if array.number() >= LIST {
            self.editor.check_hold(at)?;
            if !self.editor.has_kept {
                // Nothing stands before it that it could part from what follows.
                self.discard(at + 1);
                self.editor.mode = Mode::Hold(at + 1);
            }
        }
        Ok(())
    }

    fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), FilterError> {
        self.editor.check_hold(at)?;
        match (node.number(), kind) {
            (ROOT, _) => {
                self.editor.has_root = true;
                if kind == Kind::Object { Ok(()) } else { Err(FilterError::NotAMessage) }
            }
            (RESULT, Kind::Object) => Ok(()),
            (RESULT, _) => Err(FilterError::ResultNotObject),
            (SCOPE, _) => {
                self.pass_until(at);
                self.editor.mode = Mode::Drop;
                Ok(())
            }
            (NAME, Kind::String) => {
                self.editor.name.clear();
                Ok(())
            }
            (DOUBTFUL, _) => Err(FilterError::FoldedKey),
            (NAME, _) => Err(FilterError::ElementWithoutName),
            (ELEMENT.., Kind::Object) => {
                self.editor.is_named = false;
                Ok(())
            }
            (ELEMENT.., _) => Err(FilterError::ElementNotObject),
            (place, _) => {
                self.editor.list = place;
                self.begin_list(kind, at)
            }
        }
    }

    fn text(&mut self, _node: Node, piece: &str) -> Result<(), FilterError> {
        self.editor.name.push_str(piece);
        Ok(())
    }

    fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), FilterError> {
        match node.number() {
            ROOT if self.editor.is_tail_held => {
                self.editor.mode = Mode::Hold(at - 1);
                Ok(())
            }
            ROOT => Ok(()),
            RESULT => {
                self.end_result(at);
                Ok(())
            }
            SCOPE => {
                self.from = at;
                self.output.push(Bytes::from_static(PRIVATE));
                self.editor.mode = Mode::Pass;
                Ok(())
            }
            NAME => self.named(at),
            ELEMENT.. => self.end_element(at),
            _ if kind == Kind::Array => {
                self.editor.check_hold(at)?;
                self.release();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The place of member `name`, which is none of `keys`: of no interest, unless it could be taken for one of them.
fn unless_alike(name: &str, keys: &[&str]) -> Node {
    if keys.iter().any(|key| folds_to(name, key)) { Node::new(DOUBTFUL) } else { Node::IGNORE }
}
