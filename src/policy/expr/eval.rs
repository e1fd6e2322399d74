//! Evaluation: a walk over the flat tables that cannot fail and does a bounded amount of work.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use super::super::value::Number;
use super::Scope;
use super::limits::{MAX_LIST, MAX_STEPS};
use super::program::{
    Atom, Links, Node, NodeId, Operand, OperandId, Order, Program, Set, TextTest,
};
use super::text::Text;
use super::truth::Truth;
use super::variable::Variable;
use super::view::{self, List, View, Work};

/// A program about to be run in a scope.
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program,
    pub(super) scope: &'a Scope<'a>,
    /// Work done since it was last charged to a loop.
    work: Work,
    ip: OnceCell<IpText>,
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
        Self { program, scope, work: Work::default(), ip: OnceCell::new() }
    }

    /// What node `id` comes to.
    pub(super) fn truth(&'a self, id: NodeId, frame: Option<&Frame<'_, 'a>>) -> Truth {
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
    fn conjunction(
        &'a self,
        links: Links,
        frame: Option<&Frame<'_, 'a>>,
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
    pub(super) fn atom(&'a self, atom: Atom, frame: Option<&Frame<'_, 'a>>) -> Truth {
        if let Atom::Loop { every, list, body, .. } = atom {
            let list = self.view(list, frame);
            return self.run_loop(every, &list, body, frame);
        }
        if frame.is_some_and(Frame::is_out_of_steps) {
            return Truth::Unknown;
        }
        let truth = match (atom, Operands::of(atom)) {
            // Not by way of its text.
            (Atom::InNet { net, .. }, Operands::One(operand))
                if matches!(
                    self.program.operand(operand),
                    Some(Operand::Variable(Variable::ClientIp))
                ) =>
            {
                Truth::from(self.net_contains(net, Some(self.scope.context.ip)))
            }
            (_, Operands::One(operand)) => {
                self.judge(atom, &self.view(operand, frame), &View::Absent)
            }
            (_, Operands::Two(left, right)) => {
                self.judge(atom, &self.view(left, frame), &self.view(right, frame))
            }
        };
        if let Some(frame) = frame {
            frame.charge(self.work.take());
        }
        truth
    }

    /// What `atom` says of the values `left` and `right` of its operands; not for loops.
    pub(super) fn judge(&self, atom: Atom, left: &View<'_>, right: &View<'_>) -> Truth {
        match atom {
            Atom::Holds(_) => match left {
                View::Bool(truth) => Truth::from(*truth),
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
                Truth::from(view::order(left, right, &self.work).map(|ordering| match order {
                    Order::Less => ordering.is_lt(),
                    Order::LessOrEqual => ordering.is_le(),
                    Order::Greater => ordering.is_gt(),
                    Order::GreaterOrEqual => ordering.is_ge(),
                }))
            }
            Atom::In { .. } => Truth::from(view::is_in(left, right, &self.work)),
            Atom::InSet { set, .. } => Truth::from(self.in_set(set, left)),
            Atom::Has(_) => Truth::from(!matches!(left, View::Absent)),
            Atom::Text { test, .. } => match (left, right) {
                (View::Text(subject), View::Text(part)) => {
                    self.work.add_text(subject.len() + part.len());
                    Truth::from(match test {
                        TextTest::StartsWith => subject.starts_with(part),
                        TextTest::EndsWith => subject.ends_with(part),
                        TextTest::Contains => subject.contains(part),
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

    fn in_set(&self, set: u16, needle: &View<'_>) -> Option<bool> {
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
                let order = |text: &str| Text::Whole(text).compare(needle);
                Some(texts.binary_search_by(|text| order(text)).is_ok())
            }
            (Set::Numbers(numbers), View::Number(_) | View::Count(_)) => {
                // No constant is beyond all bounds, so one comparison tells whether the needle is.
                let order =
                    |number: &Number| view::order(&View::Number(number), needle, &self.work);
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
    pub(super) fn run_loop(
        &'a self,
        every: bool,
        list: &View<'a>,
        body: NodeId,
        outer: Option<&Frame<'_, 'a>>,
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

    /// The value of operand `id`.
    pub(super) fn view(&'a self, id: OperandId, frame: Option<&Frame<'_, 'a>>) -> View<'a> {
        let Some(operand) = self.program.operand(id) else { return View::Unfit };
        match operand {
            Operand::Concat(links) => {
                View::concat(self.program.operands_of(links).map(|part| self.view(part, frame)))
            }
            Operand::Size(of) => {
                let view = self.view(of, frame);
                if let View::Text(text) = &view {
                    self.work.add_text(text.len());
                }
                view.size()
            }
            Operand::List(links) => View::List(List::Views(
                self.program.operands_of(links).map(|item| self.view(item, frame)).collect(),
            )),
            Operand::If { condition, then, otherwise } => match self.truth(condition, frame) {
                Truth::True => self.view(then, frame),
                Truth::False => self.view(otherwise, frame),
                Truth::Unknown => View::Unfit,
            },
            Operand::Truth(node) => match self.truth(node, frame) {
                Truth::True => View::Bool(true),
                Truth::False => View::Bool(false),
                Truth::Unknown => View::Unfit,
            },
            Operand::Local { depth, names } => {
                let mut at = frame;
                for _ in 0..depth {
                    at = at.and_then(|frame| frame.outer);
                }
                let element = at.map_or(View::Unfit, |frame| frame.element.clone());
                element.descend(self.program.names(names))
            }
            Operand::Constant(at) => self.program.constant(at).map_or(View::Unfit, View::of),
            Operand::Variable(Variable::ClientIp) => {
                View::whole(self.ip.get_or_init(|| IpText::of(self.scope.context.ip)).as_str())
            }
            Operand::Variable(variable) => variable.value(self.program, self.scope),
        }
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

/// An address as text, on the stack. IPv6-mapped IPv4 is written as IPv4, so that one caller has one name.
struct IpText {
    /// The longest is `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`, 45 bytes.
    bytes: [u8; 45],
    length: usize,
}

impl IpText {
    fn of(ip: IpAddr) -> Self {
        let mut text = Self { bytes: [0; 45], length: 0 };
        // A write that does not fit leaves the text empty, which is equal to no address.
        if fmt::write(&mut text, format_args!("{}", ip.to_canonical())).is_err() {
            text.length = 0;
        }
        text
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or(&[]);
        std::str::from_utf8(bytes).unwrap_or("")
    }
}

impl fmt::Write for IpText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
