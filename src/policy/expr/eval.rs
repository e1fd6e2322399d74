//! Evaluation: a walk over the flat tables that cannot fail and does a bounded amount of work.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;
use std::net::IpAddr;

use super::super::value::Number;
use super::Scope;
use super::address::AddressText;
use super::limits::{MAX_LIST, MAX_STEPS};
use super::program::{Atom, Links, Node, NodeId, Operand, OperandId, Program, Set, TextTest};
use super::text::Text;
use super::truth::Truth;
use super::variable::Variable;
use super::view::{self, View, Work};
use crate::policy::Missing;

/// A program about to be run in a scope.
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program,
    pub(super) scope: &'a Scope<'a>,
    /// Work done since it was last charged to a loop.
    pub(super) work: Work,
    /// What is not known, where `possible` asks about that; `None`: arguments and `mcp.is_retry`.
    pub(super) missing: Option<&'a Missing>,
    /// The text of `client.ip`, once it was asked for.
    pub(super) ip: OnceCell<AddressText>,
}

/// The loop that is being run.
pub(super) struct Frame<'f, 'a> {
    /// Value of the loop's variable.
    pub(super) element: View<'a>,
    pub(super) outer: Option<&'f Self>,
    /// Steps left to the outermost loop.
    pub(super) steps: &'f Cell<u32>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(program: &'a Program, scope: &'a Scope<'a>) -> Self {
        Self { program, scope, work: Work::default(), missing: None, ip: OnceCell::new() }
    }

    /// What node `id` comes to.
    pub(super) fn truth<'v>(&'v self, id: NodeId, frame: Option<&Frame<'_, 'v>>) -> Truth {
        match self.program.node(id) {
            None => Truth::Unknown,
            Some(Node::True) => Truth::True,
            Some(Node::False) => Truth::False,
            Some(Node::And(links)) => self.conjunction(links, frame, Truth::False),
            Some(Node::Or(links)) => self.conjunction(links, frame, Truth::True),
            Some(Node::Not(node)) => !self.truth(node, frame),
            Some(Node::If { condition, then, otherwise }) => match self.truth(condition, frame) {
                Truth::True => self.truth(then, frame),
                Truth::False => self.truth(otherwise, frame),
                Truth::Unknown => Truth::Unknown,
            },
            Some(Node::Atom(atom)) => self.atom(atom, frame),
        }
    }

    /// `decisive` as soon as one node is; unknown if one is; else the opposite.
    fn conjunction<'v>(
        &'v self,
        links: Links,
        frame: Option<&Frame<'_, 'v>>,
        decisive: Truth,
    ) -> Truth {
        let mut together = !decisive;
        for node in self.program.nodes_of(links) {
            match self.truth(node, frame) {
                truth if truth == decisive => return decisive,
                Truth::Unknown => together = Truth::Unknown,
                _ => {}
            }
        }
        together
    }

    /// What `atom` comes to.
    pub(super) fn atom<'v>(&'v self, atom: Atom, frame: Option<&Frame<'_, 'v>>) -> Truth {
        if let Atom::Loop { every, list, body, .. } = atom {
            return self.with(list, frame, |list| self.run_loop(every, list, body, frame));
        }
        if frame.is_some_and(Frame::is_out_of_steps) {
            return Truth::Unknown;
        }
        let truth = match (atom, Operands::of(atom)) {
            // Not by way of its text.
            (Atom::InNet { net, .. }, Operands::One(operand)) if self.is_client_ip(operand) => {
                Truth::from(self.net_contains(net, Some(self.scope.context.ip)))
            }
            (_, Operands::One(operand)) => {
                self.with(operand, frame, |view| self.judge(atom, view, View::Absent))
            }
            (_, Operands::Two(left, right)) => self.with(left, frame, |left| {
                self.with(right, frame, |right| self.judge(atom, left, right))
            }),
        };
        if let Some(frame) = frame {
            frame.charge(self.work.take());
        }
        truth
    }

    fn is_client_ip(&self, operand: OperandId) -> bool {
        let operand = self.program.operand(operand);
        matches!(operand, Some(Operand::Variable(Variable::ClientIp)))
    }

    /// What `atom` says of the values `left` and `right` of its operands; not for loops.
    pub(super) fn judge(&self, atom: Atom, left: View<'_>, right: View<'_>) -> Truth {
        match atom {
            Atom::Holds(_) => match left {
                View::Bool(truth) => Truth::from(truth),
                _ => Truth::Unknown,
            },
            Atom::Equal { negated, .. } => {
                Truth::from(view::equal(left, right, &self.work).map(|equal| equal != negated))
            }
            Atom::IsNull { negated, .. } => match left {
                left if left.is_unknown() => Truth::Unknown,
                left => Truth::from(matches!(left, View::Null) != negated),
            },
            Atom::Order { order, .. } => {
                let ordering = view::order(left, right, &self.work);
                Truth::from(ordering.map(|ordering| order.holds(ordering)))
            }
            Atom::In { .. } => Truth::from(view::is_in(left, right, &self.work)),
            Atom::InSet { set, .. } => Truth::from(self.in_set(set, left)),
            Atom::Has(_) => Truth::from(!matches!(left, View::Absent)),
            Atom::Text { test, .. } => match (left, right) {
                (View::Text(subject), View::Text(part)) => {
                    self.work.add_text(subject.len() + part.len());
                    Truth::from(match test {
                        TextTest::StartsWith => subject.starts_with(&part),
                        TextTest::EndsWith => subject.ends_with(&part),
                        TextTest::Contains => subject.contains(&part),
                    })
                }
                _ => Truth::Unknown,
            },
            Atom::Matches { pattern, .. } => match (left, self.program.pattern(pattern)) {
                (View::Text(subject), Some(regex)) => {
                    // A search takes some ten times as long as a comparison.
                    self.work.add_text(subject.len().saturating_mul(10));
                    Truth::from(regex.is_match(&subject.join()))
                }
                _ => Truth::Unknown,
            },
            Atom::InNet { net, .. } => match left {
                View::Text(text) => {
                    Truth::from(self.net_contains(net, text.join().parse::<IpAddr>().ok()))
                }
                _ => Truth::Unknown,
            },
            Atom::Loop { .. } => Truth::Unknown,
        }
    }

    fn in_set(&self, set: u16, needle: View<'_>) -> Option<bool> {
        let set = self.program.set(set)?;
        if needle.is_unknown() {
            return None;
        }
        match (set, needle) {
            (set, _) if set.is_empty() => Some(false),
            (Set::Texts(texts), View::Text(Text::Whole(needle))) => {
                Some(texts.binary_search_by(|text| (**text).cmp(needle)).is_ok())
            }
            (Set::Texts(texts), View::Text(needle)) => {
                let order = |text: &str| Text::Whole(text).compare(&needle);
                Some(texts.binary_search_by(|text| order(text)).is_ok())
            }
            (Set::Numbers(numbers), View::Number(_) | View::Count(_)) => {
                // No constant is beyond all bounds, so one comparison tells whether the needle is.
                let order = |number: &Number| view::order(View::Number(number), needle, &self.work);
                numbers.first().and_then(order)?;
                let order = |number: &Number| order(number).unwrap_or(Ordering::Less);
                Some(numbers.binary_search_by(order).is_ok())
            }
            _ => None,
        }
    }

    /// Whether the net has the address, which may be written as IPv4 or as IPv6-mapped IPv4.
    pub(super) fn net_contains(&self, net: u16, address: Option<IpAddr>) -> Option<bool> {
        let (net, address) = (self.program.net(net)?, address?);
        Some(net.contains(&address) || net.contains(&address.to_canonical()))
    }

    /// Runs `all` (where `every`) or `exists` over `list`.
    pub(super) fn run_loop<'v>(
        &'v self,
        every: bool,
        list: View<'v>,
        body: NodeId,
        outer: Option<&Frame<'_, 'v>>,
    ) -> Truth {
        let View::List(list) = list else { return Truth::Unknown };
        let decisive = Truth::from(!every);
        let mut together = !decisive;
        let budget = Cell::new(MAX_STEPS);
        let mut frame = Frame {
            element: View::Absent,
            outer,
            steps: outer.map_or(&budget, |outer| outer.steps),
        };
        for at in 0..list.len() {
            if at >= MAX_LIST || frame.is_out_of_steps() {
                return Truth::Unknown;
            }
            frame.charge(1);
            frame.element = list.element(at).unwrap_or(View::Absent);
            match self.truth(body, Some(&frame)) {
                truth if truth == decisive => return decisive,
                Truth::Unknown => together = Truth::Unknown,
                _ => {}
            }
        }
        together
    }

    /// The work done since it was last taken.
    pub(super) fn take_work(&self) -> u32 {
        self.work.take()
    }
}

impl Frame<'_, '_> {
    pub(super) fn is_out_of_steps(&self) -> bool {
        self.steps.get() == 0
    }

    pub(super) fn charge(&self, steps: u32) {
        self.steps.set(self.steps.get().saturating_sub(steps));
    }
}

/// The operands that [`Machine::judge`] needs of an atom.
pub(super) enum Operands {
    One(OperandId),
    Two(OperandId, OperandId),
}

impl Operands {
    pub(super) fn of(atom: Atom) -> Self {
        match atom {
            Atom::Holds(operand)
            | Atom::IsNull { operand, .. }
            | Atom::InSet { needle: operand, .. }
            | Atom::Has(operand)
            | Atom::Matches { subject: operand, .. }
            | Atom::InNet { address: operand, .. }
            | Atom::Loop { list: operand, .. } => Self::One(operand),
            Atom::Equal { left, right, .. }
            | Atom::Order { left, right, .. }
            | Atom::In { needle: left, list: right }
            | Atom::Text { subject: left, part: right, .. } => Self::Two(left, right),
        }
    }
}
