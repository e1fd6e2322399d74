//! The compiled form: flat tables, linked by index.
//!
//! A condition is a [`Node`], a value an [`Operand`]. Children are listed in `links`, so that a node is a few
//! words and the whole of a usual expression lies in a cache line or two. Every index was handed out by
//! [`Program`] itself; an index that leads nowhere is unknown, never a panic.

use std::cmp::Ordering;
use std::ops::Range;

use ipnet::IpNet;
use regex::Regex;

use super::super::number::Number;
use super::super::{SlotSet, Value};
use super::reads::Reads;
use super::variable::Variable;

/// Index of a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u16);

/// Index of an [`Operand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OperandId(u16);

/// A run of `links`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    start: u16,
    end: u16,
}

/// Something that comes to a [`super::Truth`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    True,
    False,
    /// All of [`Program::nodes_of`].
    And(Links),
    /// Any of them.
    Or(Links),
    Not(NodeId),
    /// `condition ? then : otherwise`
    If {
        condition: NodeId,
        then: NodeId,
        otherwise: NodeId,
    },
    Atom(Atom),
}

/// A node that reads values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Atom {
    /// A boolean by itself.
    Holds(OperandId),
    Equal {
        left: OperandId,
        right: OperandId,
        negated: bool,
    },
    /// Against the literal `null`.
    IsNull {
        operand: OperandId,
        negated: bool,
    },
    Order {
        left: OperandId,
        right: OperandId,
        order: Order,
    },
    In {
        needle: OperandId,
        list: OperandId,
    },
    /// In a list of constants of one type.
    InSet {
        needle: OperandId,
        set: u16,
    },
    Has(OperandId),
    Text {
        test: TextTest,
        subject: OperandId,
        part: OperandId,
    },
    Matches {
        subject: OperandId,
        pattern: u16,
    },
    InNet {
        net: u16,
        address: OperandId,
    },
    /// `all` or `exists`: the body for each element, which [`Operand::Local`] names. `free`: it reads arguments
    /// or `mcp.is_retry`.
    Loop {
        every: bool,
        list: OperandId,
        body: NodeId,
        free: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Whether `ordering` is as asked.
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The order of `b` and `a` where this is that of `a` and `b`.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// Something that comes to a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    Constant(u16),
    /// The variable of the loop `depth` loops out, down the names.
    Local {
        depth: u8,
        names: Names,
    },
    Variable(Variable),
    /// Strings, one after the other.
    Concat(Links),
    Size(OperandId),
    /// A list literal that is no set of constants.
    List(Links),
    If {
        condition: NodeId,
        then: OperandId,
        otherwise: OperandId,
    },
    /// A condition used as a value.
    Truth(NodeId),
}

/// A run of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Names {
    start: u16,
    end: u16,
}

/// Constants of one type, sorted.
#[derive(Clone, Debug)]
pub(super) enum Set {
    Texts(Box<[Box<str>]>),
    Numbers(Box<[Number]>),
}

impl Set {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Texts(texts) => texts.is_empty(),
            Self::Numbers(numbers) => numbers.is_empty(),
        }
    }
}

/// A compiled expression or path.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    nodes: Vec<Node>,
    /// Span of each node.
    node_spans: Vec<(u16, u16)>,
    operands: Vec<Operand>,
    operand_spans: Vec<(u16, u16)>,
    labels: Vec<(OperandId, Box<str>)>,
    links: Vec<u16>,
    names: Vec<Box<str>>,
    constants: Vec<Value>,
    sets: Vec<Set>,
    patterns: Vec<Regex>,
    nets: Vec<IpNet>,
    pub(super) slots: SlotSet,
    pub(super) reads: Reads,
}

/// The next index of a table. A table outgrows `u16` never: a text of [`super::limits::MAX_LENGTH`] bytes has
/// fewer tokens, and none makes more than three entries.
fn index<T>(table: &[T]) -> u16 {
    u16::try_from(table.len()).unwrap_or(u16::MAX)
}

fn narrow(span: Range<usize>) -> (u16, u16) {
    (u16::try_from(span.start).unwrap_or(u16::MAX), u16::try_from(span.end).unwrap_or(u16::MAX))
}

fn widen(span: Option<&(u16, u16)>) -> Range<usize> {
    span.map_or(0..0, |(start, end)| usize::from(*start)..usize::from(*end))
}

impl Program {
    pub(super) fn add_node(&mut self, node: Node, span: Range<usize>) -> NodeId {
        self.nodes.push(node);
        self.node_spans.push(narrow(span));
        NodeId(index(&self.nodes) - 1)
    }

    pub(super) fn add_operand(&mut self, operand: Operand, span: Range<usize>) -> OperandId {
        self.operands.push(operand);
        self.operand_spans.push(narrow(span));
        OperandId(index(&self.operands) - 1)
    }

    pub(super) fn add_constant(&mut self, value: Value) -> u16 {
        self.constants.push(value);
        index(&self.constants) - 1
    }

    /// Where the tables of operands and constants end.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.operands.len(), self.constants.len())
    }

    /// Takes back what was added since `mark`, which nothing refers to.
    pub(super) fn rewind(&mut self, (operands, constants): (usize, usize)) {
        self.operands.truncate(operands);
        self.operand_spans.truncate(operands);
        self.constants.truncate(constants);
    }

    /// Gives what `operand` reads a name of its own, where its place in the text does not name it.
    pub(super) fn label(&mut self, operand: OperandId, label: String) {
        self.labels.push((operand, label.into()));
    }

    /// The name of what `operand` reads, in the expression `text`.
    pub(super) fn label_of<'t>(&'t self, operand: OperandId, text: &'t str) -> &'t str {
        match self.labels.iter().find(|(labelled, _)| *labelled == operand) {
            Some((_, label)) => label,
            None => text.get(self.operand_span(operand)).unwrap_or(""),
        }
    }

    pub(super) fn add_names<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Names {
        let start = index(&self.names);
        self.names.extend(names.into_iter().map(Box::from));
        Names { start, end: index(&self.names) }
    }

    pub(super) fn add_set(&mut self, set: Set) -> u16 {
        self.sets.push(set);
        index(&self.sets) - 1
    }

    pub(super) fn add_pattern(&mut self, pattern: Regex) -> u16 {
        self.patterns.push(pattern);
        index(&self.patterns) - 1
    }

    pub(super) fn add_net(&mut self, net: IpNet) -> u16 {
        self.nets.push(net);
        index(&self.nets) - 1
    }

    pub(super) fn link_nodes(&mut self, nodes: &[NodeId]) -> Links {
        self.link(nodes.iter().map(|node| node.0))
    }

    pub(super) fn link_operands(&mut self, operands: &[OperandId]) -> Links {
        self.link(operands.iter().map(|operand| operand.0))
    }

    fn link(&mut self, ids: impl Iterator<Item = u16>) -> Links {
        let start = index(&self.links);
        self.links.extend(ids);
        Links { start, end: index(&self.links) }
    }

    pub(super) fn node(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(usize::from(id.0)).copied()
    }

    pub(super) fn node_span(&self, id: NodeId) -> Range<usize> {
        widen(self.node_spans.get(usize::from(id.0)))
    }

    pub(super) fn operand(&self, id: OperandId) -> Option<Operand> {
        self.operands.get(usize::from(id.0)).copied()
    }

    /// Every variable that it reads.
    pub(super) fn variables(&self) -> impl Iterator<Item = Variable> + '_ {
        self.operands.iter().filter_map(|operand| match operand {
            Operand::Variable(variable) => Some(*variable),
            _ => None,
        })
    }

    pub(super) fn operand_span(&self, id: OperandId) -> Range<usize> {
        widen(self.operand_spans.get(usize::from(id.0)))
    }

    fn linked(&self, links: Links) -> &[u16] {
        self.links.get(usize::from(links.start)..usize::from(links.end)).unwrap_or(&[])
    }

    pub(super) fn nodes_of(&self, links: Links) -> impl Iterator<Item = NodeId> + '_ {
        self.linked(links).iter().map(|id| NodeId(*id))
    }

    pub(super) fn operands_of(
        &self,
        links: Links,
    ) -> impl DoubleEndedIterator<Item = OperandId> + ExactSizeIterator + '_ {
        self.linked(links).iter().map(|id| OperandId(*id))
    }

    pub(super) fn names(&self, names: Names) -> &[Box<str>] {
        self.names.get(usize::from(names.start)..usize::from(names.end)).unwrap_or(&[])
    }

    pub(super) fn constant(&self, at: u16) -> Option<&Value> {
        self.constants.get(usize::from(at))
    }

    pub(super) fn set(&self, at: u16) -> Option<&Set> {
        self.sets.get(usize::from(at))
    }

    pub(super) fn pattern(&self, at: u16) -> Option<&Regex> {
        self.patterns.get(usize::from(at))
    }

    pub(super) fn net(&self, at: u16) -> Option<&IpNet> {
        self.nets.get(usize::from(at))
    }
}
