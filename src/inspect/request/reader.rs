//! What the tokenizer tells, entered into the envelope.

use super::super::capture::Lead;
use super::super::id::Run;
use super::envelope::Envelope;
use super::place::{self, Member};
use super::violation::Violation;
use crate::wire::json::{Kind, Node, Visit};
use crate::wire::mcp::folds_to_protocol_key;

/// The scan may end: the message is refused and its id is known, or never will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enough;

/// The tokenizer's view of an [`Envelope`] during one run of bytes.
pub(super) struct Reader<'a> {
    pub(super) envelope: &'a mut Envelope,
    pub(super) run: Run<'a>,
}

impl Reader<'_> {
    /// Stops the scan of a refused message as soon as nothing more can be learnt from it.
    fn verdict(&self) -> Result<(), Enough> {
        let envelope = &*self.envelope;
        if !envelope.is_quiet {
            return Ok(());
        }
        let is_done = match (&envelope.batch, &envelope.violation) {
            (Some(batch), violation) => {
                batch.is_closed() || violation.as_ref().is_some_and(Violation::ends_batch)
            }
            (
                None,
                Some(Violation::BatchUnsupported | Violation::NotAnObject | Violation::BadId),
            ) => true,
            (None, _) => envelope.id.id().is_some(),
        };
        if is_done { Err(Enough) } else { Ok(()) }
    }
}

impl Visit for Reader<'_> {
    type Stop = Enough;

    fn root(&mut self) -> Node {
        place::node(place::ROOT)
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, Enough> {
        let envelope = &mut *self.envelope;
        let at = object.number();
        if envelope.is_quiet {
            return Ok(envelope.quiet_key(at, name));
        }
        if matches!(at, place::ARGUMENTS | place::CAPTURED | place::TRIE..) {
            return match envelope.mirrored {
                None if at == place::ARGUMENTS => self.argument_key(place::TRIE, name),
                None => self.argument_key(at, name),
                Some(_) => self.mirrored_key(at, name),
            };
        }
        match place::member(at, name) {
            Member::At(place::STATE) if envelope.handles.is_on => {
                return Ok(place::node(place::STATE).with_text());
            }
            Member::At(to) => return Ok(place::node(to)),
            Member::Outcome => envelope.outcome(),
            Member::Unknown => {
                // JavaScript takes what stands under `__proto__` for members of the object itself, as soon as it copies it.
                let is_alike = |place| name == "__proto__" || folds_to_protocol_key(place, name);
                if place::place(at).is_some_and(is_alike) {
                    envelope.refuse(Violation::FoldedKey);
                }
            }
        }
        self.verdict()?;
        Ok(Node::IGNORE)
    }

    fn element(&mut self, array: Node, _index: u32) -> Result<Node, Enough> {
        let envelope = &*self.envelope;
        if let (place::ROOT, Some(batch)) = (array.number(), &envelope.batch) {
            // What is inside of an element that is itself an array is no message.
            return Ok(if batch.is_inside() { Node::IGNORE } else { place::node(place::ROOT) });
        }
        if envelope.is_quiet {
            return Ok(Node::IGNORE);
        }
        let at = envelope.captured_at(array.number());
        Ok(match at {
            place::SUBSCRIPTIONS => place::node(place::SUBSCRIPTION),
            place::TASKS if envelope.handles.is_on => place::node(place::WATCHED).with_text(),
            at if (at == place::CAPTURED || at >= place::TRIE) && envelope.capture.is_keeping() => {
                place::node(place::CAPTURED)
            }
            _ => Node::IGNORE,
        })
    }

    fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Enough> {
        let envelope = &mut *self.envelope;
        let place = node.number();
        if envelope.is_quiet && !matches!(place, place::ROOT | place::ID) {
            if place == place::METHOD {
                envelope.scratch.clear();
            }
            return Ok(());
        }
        match place {
            place::ROOT => envelope.begin_root(kind),
            place::CAPTURED | place::TRIE.. => envelope.begin_argument(place, kind),
            _ => {
                if node.wants_text() {
                    envelope.scratch.clear();
                }
                envelope.begin(place, kind, at);
                if place == place::ARGUMENTS && !envelope.is_quiet {
                    envelope.capture.enter(envelope.policy.captures(), 0, kind);
                }
            }
        }
        self.verdict()
    }

    fn text(&mut self, node: Node, piece: &str) -> Result<(), Enough> {
        let envelope = &mut *self.envelope;
        let place = node.number();
        if place == place::CAPTURED || place >= place::TRIE {
            envelope.capture.text(piece);
            if let (Some(mirrored), place::MIRROR..) = (&mut envelope.mirrored, place) {
                mirrored.text(place - place::MIRROR, piece);
            }
        } else {
            let limit = envelope.limit_at(place);
            envelope.scratch.push(piece, limit);
        }
        Ok(())
    }

    fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Enough> {
        let envelope = &mut *self.envelope;
        let place = node.number();
        if place == place::ID {
            if !envelope.id.end(at, self.run) {
                envelope.refuse(Violation::BadId);
            }
            return self.verdict();
        }
        if place == place::ROOT && envelope.batch.is_some() {
            envelope.end_in_batch(kind, at);
            return self.verdict();
        }
        if envelope.is_quiet {
            if place == place::METHOD && kind == Kind::String {
                envelope.end_quiet_method();
            }
            return Ok(());
        }
        match place {
            place::CAPTURED => envelope.capture.end(kind),
            place::TRIE.. => {
                envelope.end_argument(place, kind);
                envelope.settle();
            }
            _ => {
                if place == place::ARGUMENTS {
                    envelope.capture.leave(envelope.policy.captures(), 0, kind);
                }
                envelope.end(place, kind, at);
            }
        }
        self.verdict()
    }
}

impl Envelope {
    /// What the place `at` of the arguments is to the rules.
    fn captured_at(&self, at: u16) -> u16 {
        match (&self.mirrored, at) {
            (Some(mirrored), place::MIRROR..) => mirrored.also(at - place::MIRROR),
            _ => at,
        }
    }

    fn begin_argument(&mut self, place: u16, kind: Kind) {
        match self.captured_at(place) {
            place::CAPTURED => self.capture.begin(kind),
            at @ place::TRIE..place::MIRROR => {
                self.capture.enter(self.policy.captures(), at - place::TRIE, kind);
            }
            _ => {}
        }
        if let (Some(mirrored), place::MIRROR..) = (&mut self.mirrored, place) {
            mirrored.begin(place - place::MIRROR, kind);
        }
    }

    fn end_argument(&mut self, place: u16, kind: Kind) {
        match self.captured_at(place) {
            place::CAPTURED => self.capture.end(kind),
            at @ place::TRIE..place::MIRROR => {
                self.capture.leave(self.policy.captures(), at - place::TRIE, kind);
            }
            _ => {}
        }
        if let (Some(mirrored), place::MIRROR..) = (&mut self.mirrored, place) {
            mirrored.end(place - place::MIRROR, kind);
        }
    }
}

impl Reader<'_> {
    /// A member name inside the arguments of a tool that mirrors some: what it is to the rules, and to the headers.
    fn mirrored_key(&mut self, at: u16, name: &str) -> Result<Node, Enough> {
        let (captured, mirror) = match at {
            place::ARGUMENTS => (place::TRIE, Some(0)),
            place::MIRROR.. => (self.envelope.captured_at(at), Some(at - place::MIRROR)),
            _ => (at, None),
        };
        let is_captured = captured == place::CAPTURED || captured >= place::TRIE;
        let node = if is_captured { self.argument_key(captured, name)? } else { Node::IGNORE };
        let also = node.number();
        let mirrored = self.envelope.mirrored.as_mut();
        let child = mirrored.zip(mirror).and_then(|(all, mirror)| all.key(mirror, name, also));
        Ok(child.map_or(node, |child| Node::new(place::MIRROR + child).with_text()))
    }

    /// A member name inside the arguments: on the trie, or inside a value that is being kept.
    fn argument_key(&mut self, at: u16, name: &str) -> Result<Node, Enough> {
        let envelope = &mut *self.envelope;
        if envelope.capture.is_keeping() {
            envelope.capture.inner_key(name);
            let is_kept = envelope.capture.is_keeping();
            return Ok(if is_kept { place::node(place::CAPTURED) } else { Node::IGNORE });
        }
        if at == place::CAPTURED {
            return Ok(Node::IGNORE);
        }
        let plan = envelope.policy.captures();
        match envelope.capture.key(plan, at - place::TRIE, name) {
            Lead::Node(child) => {
                let node = Node::new(place::TRIE.saturating_add(child));
                Ok(if plan.slot(child).is_some() { node.with_text() } else { node })
            }
            Lead::Nowhere => {
                envelope.check_arguments();
                self.verdict()?;
                Ok(Node::IGNORE)
            }
        }
    }
}
