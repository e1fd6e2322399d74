//! What each atom of a condition saw, for `explain`.

use std::fmt::{self, Write as _};
use std::ops::Range;

use super::super::Value;
use super::eval::{Machine, Operands};
use super::limits::MAX_SHOWN;
use super::program::{Atom, Node, NodeId, Operand, OperandId};
use super::truth::Truth;
use super::view::View;

/// One atom of a condition and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionSeen {
    /// Where it stands in the expression's text.
    pub span: Range<usize>,
    /// The values that it read: `claims.plan = "free", args.path is absent`. Each is escaped, and cut after
    /// [`MAX_SHOWN`] characters.
    pub value: String,
    /// What it came to.
    pub truth: Truth,
}

/// What the atoms under `root` saw, in the order of `text`.
pub(super) fn conditions<'a>(
    text: &str,
    machine: &'a Machine<'a>,
    root: NodeId,
) -> Vec<ConditionSeen> {
    let mut walk = Walk { text, machine, seen: Vec::new() };
    walk.node(root);
    walk.seen.sort_by_key(|seen| (seen.span.start, seen.span.end));
    walk.seen
}

struct Walk<'w, 'a> {
    text: &'w str,
    machine: &'a Machine<'a>,
    seen: Vec<ConditionSeen>,
}

impl<'a> Walk<'_, 'a> {
    fn node(&mut self, id: NodeId) {
        let program = self.machine.program;
        match program.node(id) {
            None | Some(Node::True | Node::False) => {}
            Some(Node::And(links) | Node::Or(links)) => {
                for id in program.nodes_of(links) {
                    self.node(id);
                }
            }
            Some(Node::Not(id)) => self.node(id),
            Some(Node::If { condition, then, otherwise }) => {
                for id in [condition, then, otherwise] {
                    self.node(id);
                }
            }
            Some(Node::Atom(atom)) => self.atom(id, atom),
        }
    }

    fn atom(&mut self, id: NodeId, atom: Atom) {
        let mut read = Vec::new();
        self.read_by(atom, &mut read);
        let mut values: Vec<String> = Vec::new();
        for operand in read {
            let path = self.machine.program.label_of(operand, self.text);
            let Some(variable) = self.machine.program.operand(operand) else { continue };
            let shown = shown(path, &self.machine.simple(variable, None));
            if !values.contains(&shown) {
                values.push(shown);
            }
        }
        self.seen.push(ConditionSeen {
            span: self.machine.program.node_span(id),
            value: values.join(", "),
            truth: self.machine.atom(atom, None),
        });
    }

    /// Adds the variables that `atom` reads.
    fn read_by(&self, atom: Atom, read: &mut Vec<OperandId>) {
        match Operands::of(atom) {
            Operands::One(operand) => self.variables(operand, read),
            Operands::Two(left, right) => {
                self.variables(left, read);
                self.variables(right, read);
            }
        }
        if let Atom::Loop { body, .. } = atom {
            self.variables_under(body, read);
        }
    }

    fn variables_under(&self, id: NodeId, read: &mut Vec<OperandId>) {
        let program = self.machine.program;
        match program.node(id) {
            None | Some(Node::True | Node::False) => {}
            Some(Node::And(links) | Node::Or(links)) => {
                program.nodes_of(links).for_each(|id| self.variables_under(id, read));
            }
            Some(Node::Not(id)) => self.variables_under(id, read),
            Some(Node::If { condition, then, otherwise }) => {
                for id in [condition, then, otherwise] {
                    self.variables_under(id, read);
                }
            }
            Some(Node::Atom(atom)) => self.read_by(atom, read),
        }
    }

    fn variables(&self, id: OperandId, read: &mut Vec<OperandId>) {
        let program = self.machine.program;
        match program.operand(id) {
            None | Some(Operand::Constant(_) | Operand::Local { .. }) => {}
            Some(Operand::Variable(_)) => read.push(id),
            Some(Operand::Concat(links) | Operand::List(links)) => {
                program.operands_of(links).for_each(|id| self.variables(id, read));
            }
            Some(Operand::Size(of)) => self.variables(of, read),
            Some(Operand::If { condition, then, otherwise }) => {
                self.variables_under(condition, read);
                self.variables(then, read);
                self.variables(otherwise, read);
            }
            Some(Operand::Truth(id)) => self.variables_under(id, read),
        }
    }
}

/// `path` and its value, in at most [`MAX_SHOWN`] characters of it.
fn shown(path: &str, view: &View<'_>) -> String {
    let mut out = Bounded { text: format!("{path} = "), left: MAX_SHOWN };
    let written = match view {
        View::Absent => return format!("{path} is absent"),
        View::TooLarge => return format!("{path} is too large"),
        View::Unfit | View::Free | View::FreeCount => {
            return format!("{path} is unknown");
        }
        view => write_view(&mut out, view),
    };
    if written.is_err() {
        out.text.push('…');
    }
    out.text
}

/// Writes until it is full, then fails.
struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

fn write_view(out: &mut Bounded, view: &View<'_>) -> fmt::Result {
    match view {
        View::Null => out.write_str("null"),
        View::Bool(truth) => write!(out, "{truth}"),
        View::Number(number) => write!(out, "{number}"),
        View::Count(count) => write!(out, "{count}"),
        View::Text(text) => write!(out, "{:?}", text.join()),
        View::List(list) => {
            out.write_char('[')?;
            for at in 0..list.len() {
                if at > 0 {
                    out.write_str(", ")?;
                }
                write_view(out, &list.element(at).unwrap_or(View::Absent))?;
            }
            out.write_char(']')
        }
        View::Map(members) => write_members(out, members),
        View::Absent | View::TooLarge | View::Unfit | View::Free | View::FreeCount => {
            out.write_str("unknown")
        }
    }
}

fn write_members(out: &mut Bounded, members: &[(Box<str>, Value)]) -> fmt::Result {
    out.write_char('{')?;
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            out.write_str(", ")?;
        }
        write!(out, "{name:?}: ")?;
        write_view(out, &View::of(value))?;
    }
    out.write_char('}')
}
