//! The open containers.

use super::shape::Shape;
use super::{Kind, Node};

/// An open container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// In an object, one bit for each name, chosen by the name's hash: a clear bit proves a name new.
    pub(super) seen: u64,
    /// In an object, where its names begin in [`super::keys::Keys`]; in an array, the index of the
    /// next element.
    pub(super) first: u32,
    pub(super) node: Node,
    pub(super) holds: Holds,
    pub(super) shape: Shape,
}

/// What a container holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// No container: the one value of the text.
    Root,
    Elements,
    Members,
}

impl Frame {
    pub(super) const ROOT: Self =
        Self { seen: 0, first: 0, node: Node::IGNORE, holds: Holds::Root, shape: Shape::NONE };

    pub(super) fn kind(&self) -> Kind {
        if self.holds == Holds::Members { Kind::Object } else { Kind::Array }
    }
}

/// Containers around the innermost one for which there is room without an allocation.
const NEAR: usize = 8;

/// The containers around the innermost one.
#[derive(Debug)]
pub(super) struct Stack {
    depth: usize,
    near: [Frame; NEAR],
    far: Vec<Frame>,
}

impl Stack {
    pub(super) fn new() -> Self {
        Self { depth: 0, near: [Frame::ROOT; NEAR], far: Vec::new() }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.depth
    }

    #[inline(always)]
    pub(super) fn push(&mut self, frame: Frame) {
        match self.near.get_mut(self.depth) {
            Some(room) => *room = frame,
            None => self.far.push(frame),
        }
        self.depth += 1;
    }

    /// The frame that was pushed last; the root where there is none.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Frame {
        self.depth = self.depth.saturating_sub(1);
        match self.near.get(self.depth) {
            Some(frame) => *frame,
            None => self.far.pop().unwrap_or(Frame::ROOT),
        }
    }

    /// The frame that was pushed last; the root where there is none.
    #[inline(always)]
    pub(super) fn last(&self) -> &Frame {
        let last = self.depth.wrapping_sub(1);
        self.near.get(last).or(self.far.last()).unwrap_or(&Frame::ROOT)
    }

    /// Forgets all frames and keeps the buffer.
    pub(super) fn clear(&mut self) {
        self.depth = 0;
        self.far.clear();
    }

    /// Bytes of heap in use.
    pub(super) fn heap(&self) -> usize {
        self.far.capacity() * size_of::<Frame>()
    }
}
