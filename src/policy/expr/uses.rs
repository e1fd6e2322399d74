//! What an expression asks of which claim or argument, for findings about types.

use std::ops::Range;

use super::Expr;
use super::eval::Operands;
use super::program::{Atom, Node, NodeId, Operand, OperandId, Program, Set};
use super::variable::Variable;
use crate::policy::Value;

/// A claim or an argument that an expression reads, and what it is asked.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) struct Use<'e> {
    pub(in crate::policy) root: Root<'e>,
    /// Where its path stands in the text; for an element, where the element stands.
    pub(in crate::policy) span: Range<usize>,
    /// Where the whole question stands.
    pub(in crate::policy) whole: Range<usize>,
    /// Whether an element of it is asked, in `all` or `exists`.
    pub(in crate::policy) of_element: bool,
    pub(in crate::policy) question: Question<'e>,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Root<'e> {
    /// A claim, by its path.
    Claim(&'e [Box<str>]),
    /// An argument, by its slot.
    Arg(u8),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) enum Question<'e> {
    /// Whether it is there, or null.
    There,
    /// Whether it is true.
    Holds,
    /// Whether it is one of these, or comes before or after it.
    Compared(Vec<&'e Value>),
    /// Whether it is one of these texts or numbers.
    Among(Vec<Value>),
    /// Whether it has this element.
    Contains(&'e Value),
    /// Something of a string.
    Text,
    /// Its size.
    Size,
    /// Something of each element.
    Elements,
    /// Something else, which any value may be asked.
    Other,
}

impl Expr {
    /// All that it asks, in the order of the text.
    pub(in crate::policy) fn uses(&self) -> Vec<Use<'_>> {
        let mut walk = Walk { program: &self.program, found: Vec::new() };
        let mut open: Vec<(NodeId, Vec<OperandId>)> = vec![(self.root, Vec::new())];
        while let Some((id, lists)) = open.pop() {
            match self.program.node(id) {
                None | Some(Node::True | Node::False) => {}
                Some(Node::And(links) | Node::Or(links)) => {
                    open.extend(self.program.nodes_of(links).map(|id| (id, lists.clone())));
                }
                Some(Node::Not(id)) => open.push((id, lists)),
                Some(Node::If { condition, then, otherwise }) => {
                    open.extend([condition, then, otherwise].map(|id| (id, lists.clone())));
                }
                Some(Node::Atom(atom)) => {
                    let under = walk.atom(atom, self.program.node_span(id), &lists);
                    open.extend(under.into_iter().map(|id| (id, lists.clone())));
                    if let Atom::Loop { list, body, .. } = atom {
                        let mut lists = lists;
                        lists.push(list);
                        open.push((body, lists));
                    }
                }
            }
        }
        walk.found.sort_by_key(|found| (found.span.start, found.span.end));
        walk.found
    }
}

impl Expr {
    /// Every claim and argument that it reads; one that it reads twice, twice.
    pub(in crate::policy) fn roots(&self) -> impl Iterator<Item = Root<'_>> {
        self.program.variables().filter_map(|variable| root(&self.program, variable))
    }
}

pub(super) fn root(program: &Program, variable: Variable) -> Option<Root<'_>> {
    match variable {
        Variable::Claims(names) => Some(Root::Claim(program.names(names))),
        Variable::Arg(slot) => Some(Root::Arg(slot)),
        _ => None,
    }
}

struct Walk<'e> {
    program: &'e Program,
    found: Vec<Use<'e>>,
}

impl<'e> Walk<'e> {
    /// Adds what `atom` asks inside of loops over `lists`; gives the conditions inside of its operands.
    fn atom(&mut self, atom: Atom, whole: Range<usize>, lists: &[OperandId]) -> Vec<NodeId> {
        let constant = |id: OperandId| match self.program.operand(id) {
            Some(Operand::Constant(at)) => self.program.constant(at),
            _ => None,
        };
        let versus = |other: OperandId| {
            constant(other).map_or(Question::Other, |value| Question::Compared(vec![value]))
        };
        let asked: Vec<(OperandId, Question<'e>)> = match atom {
            Atom::Holds(operand) => vec![(operand, Question::Holds)],
            Atom::IsNull { operand, .. } | Atom::Has(operand) => vec![(operand, Question::There)],
            Atom::Equal { left, right, .. } | Atom::Order { left, right, .. } => {
                vec![(left, versus(right)), (right, versus(left))]
            }
            Atom::InSet { needle, set } => vec![(needle, self.among(set))],
            Atom::In { needle, list } => {
                let of_list = constant(needle).map_or(Question::Elements, Question::Contains);
                vec![(needle, Question::Other), (list, of_list)]
            }
            Atom::Text { .. } | Atom::Matches { .. } | Atom::InNet { .. } => {
                match Operands::of(atom) {
                    Operands::One(one) => vec![(one, Question::Text)],
                    Operands::Two(a, b) => vec![(a, Question::Text), (b, Question::Text)],
                }
            }
            Atom::Loop { list, .. } => vec![(list, Question::Elements)],
        };
        let mut conditions = Vec::new();
        let mut open = asked;
        while let Some((id, question)) = open.pop() {
            match self.program.operand(id) {
                None | Some(Operand::Constant(_)) => {}
                Some(Operand::Variable(variable)) => {
                    self.add(variable, id, &whole, false, question);
                }
                Some(Operand::Local { depth, names }) => {
                    let list = lists.iter().rev().nth(usize::from(depth));
                    let list = list.and_then(|list| self.program.operand(*list));
                    if let (Some(Operand::Variable(variable)), []) =
                        (list, self.program.names(names))
                    {
                        self.add(variable, id, &whole, true, question);
                    }
                }
                Some(Operand::Concat(links)) => {
                    open.extend(self.program.operands_of(links).map(|id| (id, Question::Text)));
                }
                Some(Operand::List(links)) => {
                    open.extend(self.program.operands_of(links).map(|id| (id, Question::Other)));
                }
                Some(Operand::Size(of)) => open.push((of, Question::Size)),
                Some(Operand::If { condition, then, otherwise }) => {
                    conditions.push(condition);
                    open.extend([then, otherwise].map(|id| (id, question.clone())));
                }
                Some(Operand::Truth(node)) => conditions.push(node),
            }
        }
        conditions
    }

    fn among(&self, set: u16) -> Question<'e> {
        Question::Among(match self.program.set(set) {
            Some(Set::Texts(texts)) => texts.iter().map(|text| Value::from(&**text)).collect(),
            Some(Set::Numbers(numbers)) => numbers.iter().cloned().map(Value::Number).collect(),
            None => Vec::new(),
        })
    }

    fn add(
        &mut self,
        variable: Variable,
        id: OperandId,
        whole: &Range<usize>,
        of_element: bool,
        question: Question<'e>,
    ) {
        let Some(root) = root(self.program, variable) else { return };
        let span = self.program.operand_span(id);
        self.found.push(Use { root, span, whole: whole.clone(), of_element, question });
    }
}
