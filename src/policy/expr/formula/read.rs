//! From a program to a formula.

use std::sync::Arc;

use super::super::Expr;
use super::super::limits::MAX_LIST;
use super::super::program::{
    Atom, Links, Node, NodeId, Operand, OperandId, Order, Program, Set, TextTest,
};
use super::super::truth::Truth;
use super::super::variable::Variable;
use super::{Formula, Input, Other, Pattern, Place, Relation, RelationKind, Root, Term, Test};
use crate::policy::{Number, Value};

impl Expr {
    /// The condition for the prover. `argument` gives the path of each argument slot.
    pub(in crate::policy) fn formula(&self, argument: &dyn Fn(u8) -> Box<[Box<str>]>) -> Formula {
        let reader = Reader { text: &self.text, program: &self.program, argument };
        reader.node(self.root, Level::Top)
    }
}

struct Reader<'r> {
    text: &'r str,
    program: &'r Program,
    argument: &'r dyn Fn(u8) -> Box<[Box<str>]>,
}

/// Whether a node stands in a loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Body,
}

/// What an operand is, as far as the prover reads it.
enum Side {
    Constant(Value),
    Input(Input),
    /// The size of an input.
    Size(Input),
    Concat(Term),
    Else,
}

impl Reader<'_> {
    /// Recursion is bounded by [`super::super::limits::MAX_DEPTH`].
    fn node(&self, id: NodeId, level: Level) -> Formula {
        let of = |id| self.node(id, level);
        match self.program.node(id) {
            None => Formula::Always(Truth::Unknown),
            Some(Node::True) => Formula::Always(Truth::True),
            Some(Node::False) => Formula::Always(Truth::False),
            Some(Node::And(links)) => Formula::All(self.program.nodes_of(links).map(of).collect()),
            Some(Node::Or(links)) => Formula::Any(self.program.nodes_of(links).map(of).collect()),
            Some(Node::Not(id)) => Formula::Not(Box::new(of(id))),
            Some(Node::If { condition, then, otherwise }) => {
                Formula::If(Box::new([of(condition), of(then), of(otherwise)]))
            }
            Some(Node::Atom(atom)) => {
                self.atom(atom, level).unwrap_or_else(|| self.other(id, atom, None))
            }
        }
    }

    /// `None` where it is no test of one input.
    fn atom(&self, atom: Atom, level: Level) -> Option<Formula> {
        let negate = |formula, is: bool| if is { Formula::Not(Box::new(formula)) } else { formula };
        match atom {
            Atom::Holds(operand) => self.test(operand, level, Test::Holds),
            Atom::IsNull { operand, negated } => {
                Some(negate(self.test(operand, level, Test::IsNull)?, negated))
            }
            Atom::Has(operand) => self.test(operand, level, Test::Has),
            Atom::Equal { left, right, negated } => {
                Some(negate(self.equal(left, right, level)?, negated))
            }
            Atom::Order { left, right, order } => {
                // Of two that compare, one is less, equal or greater: `<=` is not `>`.
                let (kind, negated) = match order {
                    Order::Less => (RelationKind::Less, false),
                    Order::GreaterOrEqual => (RelationKind::Less, true),
                    Order::Greater => (RelationKind::Greater, false),
                    Order::LessOrEqual => (RelationKind::Greater, true),
                };
                Some(negate(self.compare(kind, left, right, level)?, negated))
            }
            Atom::In { needle, list } => self.is_in(needle, list, level),
            Atom::InSet { needle, set } => self.in_set(needle, self.program.set(set)?, level),
            Atom::Text { test, subject, part } => {
                let kind = match test {
                    TextTest::StartsWith => RelationKind::StartsWith,
                    TextTest::EndsWith => RelationKind::EndsWith,
                    TextTest::Contains => RelationKind::Contains,
                };
                self.compare(kind, subject, part, level)
            }
            Atom::Matches { subject, pattern } => {
                let pattern = Pattern(self.program.pattern(pattern)?.clone());
                self.test(subject, level, Test::Matches(pattern))
            }
            Atom::InNet { net, address } => {
                self.test(address, level, Test::InNet(*self.program.net(net)?))
            }
            Atom::Loop { every, list, body, .. } => {
                let (Side::Input(input), Level::Top) = (self.side(list, level), level) else {
                    return None;
                };
                let body = self.node(body, Level::Body);
                let mut is_plain = true;
                body.visit(&mut |part| {
                    is_plain &= matches!(part, Formula::Test(input, _)
                        if input.root == Root::Element && input.names.is_empty());
                });
                let body = Arc::new(body);
                is_plain.then(|| Formula::Test(input, Test::Loop { every, body }))
            }
        }
    }

    fn test(&self, operand: OperandId, level: Level, test: Test) -> Option<Formula> {
        if test == Test::Holds
            && let Some(choice) =
                self.choice(operand, level, |id| self.test(id, level, Test::Holds))
        {
            return Some(choice);
        }
        match self.side(operand, level) {
            Side::Input(input) => Some(Formula::Test(input, test)),
            Side::Constant(value) => Some(Formula::Always(test.on(Some(Some(&value))))),
            Side::Size(_) | Side::Concat(_) | Side::Else => None,
        }
    }

    /// What `of` one of two operands says, where `operand` is a choice between them. Where nobody knows which, it says nothing, as
    /// a choice of conditions does.
    fn choice(
        &self,
        operand: OperandId,
        level: Level,
        of: impl Fn(OperandId) -> Option<Formula>,
    ) -> Option<Formula> {
        let Operand::If { condition, then, otherwise } = self.program.operand(operand)? else {
            return None;
        };
        Some(Formula::If(Box::new([self.node(condition, level), of(then)?, of(otherwise)?])))
    }

    fn equal(&self, left: OperandId, right: OperandId, level: Level) -> Option<Formula> {
        self.compare(RelationKind::Equal, left, right, level)
    }

    fn compare(
        &self,
        kind: RelationKind,
        left: OperandId,
        right: OperandId,
        level: Level,
    ) -> Option<Formula> {
        let flipped = match kind {
            RelationKind::Equal => Some(RelationKind::Equal),
            RelationKind::Less => Some(RelationKind::Greater),
            RelationKind::Greater => Some(RelationKind::Less),
            RelationKind::StartsWith | RelationKind::EndsWith | RelationKind::Contains => None,
        };
        let sides = (self.side(left, level), self.side(right, level));
        let choice = match sides {
            (Side::Else, Side::Constant(_)) => {
                self.choice(left, level, |left| self.compare(kind, left, right, level))
            }
            (Side::Constant(_), Side::Else) => {
                self.choice(right, level, |right| self.compare(kind, left, right, level))
            }
            _ => None,
        };
        if choice.is_some() {
            return choice;
        }
        match sides {
            (Side::Constant(a), Side::Constant(b)) => {
                Some(Formula::Always(test_of(kind, b)?.on(Some(Some(&a)))))
            }
            (Side::Input(input), Side::Constant(value)) => {
                Some(Formula::Test(input, test_of(kind, value)?))
            }
            (Side::Constant(value), Side::Input(input)) if flipped.is_some() => {
                Some(Formula::Test(input, test_of(flipped?, value)?))
            }
            (Side::Size(input), Side::Constant(value)) => {
                Some(Formula::Test(input, size_of(kind, value)?))
            }
            (Side::Constant(value), Side::Size(input)) => {
                Some(Formula::Test(input, size_of(flipped?, value)?))
            }
            (left, right) => {
                if level == Level::Body {
                    return None;
                }
                let (left, right) = (term_of(left)?, term_of(right)?);
                Some(self.related(Relation { kind, left, right }))
            }
        }
    }

    fn related(&self, relation: Relation) -> Formula {
        let inputs: Vec<Input> =
            [&relation.left, &relation.right].into_iter().flat_map(Term::inputs).cloned().collect();
        let text = relation.text().into();
        Formula::Other(Arc::new(Other { text, inputs, relation: Some(relation) }))
    }

    fn is_in(&self, needle: OperandId, list: OperandId, level: Level) -> Option<Formula> {
        match self.program.operand(list)? {
            Operand::List(links) => {
                let elements = self.program.operands_of(links);
                // What is after these is unknown, which no sum of the rest says.
                if elements.len() > MAX_LIST {
                    return None;
                }
                let each: Option<Vec<Formula>> =
                    elements.map(|element| self.equal(needle, element, level)).collect();
                each.filter(|each| !each.is_empty()).map(Formula::Any)
            }
            _ => match (self.side(needle, level), self.side(list, level)) {
                (Side::Constant(value), Side::Input(input)) => {
                    Some(Formula::Test(input, Test::HasElement(value)))
                }
                _ => None,
            },
        }
    }

    fn in_set(&self, needle: OperandId, set: &Set, level: Level) -> Option<Formula> {
        if set.is_empty() {
            return self.test(needle, level, Test::InNothing);
        }
        let values: Vec<Value> = match set {
            Set::Texts(texts) => texts.iter().map(|text| Value::String(text.clone())).collect(),
            Set::Numbers(numbers) => numbers.iter().cloned().map(Value::Number).collect(),
        };
        let side = self.side(needle, level);
        let each: Option<Vec<Formula>> = values
            .into_iter()
            .map(|value| match &side {
                Side::Input(input) => Some(Formula::Test(input.clone(), Test::Equals(value))),
                Side::Size(input) => {
                    Some(Formula::Test(input.clone(), size_of(RelationKind::Equal, value)?))
                }
                Side::Constant(needle) => {
                    Some(Formula::Always(Test::Equals(value).on(Some(Some(needle)))))
                }
                Side::Concat(_) | Side::Else => None,
            })
            .collect();
        each.map(Formula::Any)
    }

    fn side(&self, id: OperandId, level: Level) -> Side {
        match self.program.operand(id) {
            Some(Operand::Constant(at)) => {
                self.program.constant(at).cloned().map_or(Side::Else, Side::Constant)
            }
            Some(Operand::Variable(variable)) => {
                self.input(variable).map_or(Side::Else, Side::Input)
            }
            Some(Operand::Local { depth: 0, names }) if level == Level::Body => {
                let names = self.program.names(names);
                Side::Input(Input { root: Root::Element, names: names.into() })
            }
            Some(Operand::Size(of)) => match self.side(of, level) {
                Side::Input(input) => Side::Size(input),
                _ => Side::Else,
            },
            Some(Operand::Concat(links)) => {
                self.concat(links, level).map_or(Side::Else, Side::Concat)
            }
            _ => Side::Else,
        }
    }

    fn concat(&self, links: Links, level: Level) -> Option<Term> {
        let mut parts = Vec::new();
        for id in self.program.operands_of(links) {
            match self.side(id, level) {
                Side::Constant(Value::String(text)) => parts.push(Term::Text(text)),
                Side::Input(input) => parts.push(Term::Input(input)),
                Side::Concat(Term::Concat(inner)) => parts.extend(inner),
                _ => return None,
            }
        }
        Some(Term::Concat(parts))
    }

    /// `None` for hints of tools, which no policy may read yet.
    fn input(&self, variable: Variable) -> Option<Input> {
        let root = match variable {
            Variable::Claims(names) => {
                return Some(Input { root: Root::Claims, names: self.program.names(names).into() });
            }
            Variable::Arg(slot) => {
                return Some(Input { root: Root::Args, names: (self.argument)(slot) });
            }
            Variable::ClientKind => Root::ClientKind,
            Variable::ClientId => Root::ClientId,
            Variable::ClientIp => Root::ClientIp,
            Variable::ClientScopes => Root::ClientScopes,
            Variable::ClientIssuer => Root::ClientIssuer,
            Variable::McpMethod => Root::Method,
            Variable::McpKind => Root::Kind,
            Variable::McpTarget => Root::Target,
            Variable::McpRevision => Root::Revision,
            Variable::McpIsRetry => Root::IsRetry,
            Variable::RequestRoute => Root::Route,
            Variable::RequestHost => Root::Host,
            Variable::RequestSni => Root::Sni,
            Variable::ToolReadOnly
            | Variable::ToolDestructive
            | Variable::ToolIdempotent
            | Variable::ToolOpenWorld => return None,
        };
        Some(Input::root(root))
    }

    /// What is kept by its text alone.
    fn other(&self, id: NodeId, atom: Atom, relation: Option<Relation>) -> Formula {
        let place: Place = self.program.node_span(id);
        let text = self.text.get(place).unwrap_or(self.text);
        let mut inputs = Vec::new();
        self.inputs_of(atom, &mut inputs);
        inputs.sort_unstable();
        inputs.dedup();
        Formula::Other(Arc::new(Other { text: text.into(), inputs, relation }))
    }

    fn inputs_of(&self, atom: Atom, inputs: &mut Vec<Input>) {
        use super::super::eval::Operands;
        match Operands::of(atom) {
            Operands::One(operand) => self.inputs_in(operand, inputs),
            Operands::Two(left, right) => {
                self.inputs_in(left, inputs);
                self.inputs_in(right, inputs);
            }
        }
        if let Atom::Loop { body, .. } = atom {
            self.inputs_under(body, inputs);
        }
    }

    fn inputs_under(&self, id: NodeId, inputs: &mut Vec<Input>) {
        match self.program.node(id) {
            None | Some(Node::True | Node::False) => {}
            Some(Node::And(links) | Node::Or(links)) => {
                self.program.nodes_of(links).for_each(|id| self.inputs_under(id, inputs));
            }
            Some(Node::Not(id)) => self.inputs_under(id, inputs),
            Some(Node::If { condition, then, otherwise }) => {
                for id in [condition, then, otherwise] {
                    self.inputs_under(id, inputs);
                }
            }
            Some(Node::Atom(atom)) => self.inputs_of(atom, inputs),
        }
    }

    fn inputs_in(&self, id: OperandId, inputs: &mut Vec<Input>) {
        match self.program.operand(id) {
            None | Some(Operand::Constant(_) | Operand::Local { .. }) => {}
            Some(Operand::Variable(variable)) => inputs.extend(self.input(variable)),
            Some(Operand::Concat(links) | Operand::List(links)) => {
                self.program.operands_of(links).for_each(|id| self.inputs_in(id, inputs));
            }
            Some(Operand::Size(of)) => self.inputs_in(of, inputs),
            Some(Operand::If { condition, then, otherwise }) => {
                self.inputs_under(condition, inputs);
                self.inputs_in(then, inputs);
                self.inputs_in(otherwise, inputs);
            }
            Some(Operand::Truth(id)) => self.inputs_under(id, inputs),
        }
    }
}

/// The test of comparing something with `value`.
fn test_of(kind: RelationKind, value: Value) -> Option<Test> {
    let is_ordered = match &value {
        Value::Number(number) => number.is_ordered(),
        _ => true,
    };
    Some(match (kind, value) {
        (RelationKind::Equal, value) if is_ordered => Test::Equals(value),
        (RelationKind::Less, value @ (Value::Number(_) | Value::String(_))) => Test::Less(value),
        (RelationKind::Greater, value @ (Value::Number(_) | Value::String(_))) => {
            Test::Greater(value)
        }
        (RelationKind::StartsWith, Value::String(text)) => Test::StartsWith(text),
        (RelationKind::EndsWith, Value::String(text)) => Test::EndsWith(text),
        (RelationKind::Contains, Value::String(text)) => Test::Contains(text),
        _ => return None,
    })
}

/// The test of comparing a size with `value`.
fn size_of(kind: RelationKind, value: Value) -> Option<Test> {
    let Value::Number(number) = &value else { return None };
    let is_order = matches!(kind, RelationKind::Equal | RelationKind::Less | RelationKind::Greater);
    let is_fit = is_order && Number::is_ordered(number);
    if is_fit { Some(Test::Size(Box::new(test_of(kind, value)?))) } else { None }
}

fn term_of(side: Side) -> Option<Term> {
    match side {
        Side::Constant(Value::String(text)) => Some(Term::Text(text)),
        Side::Input(input) => Some(Term::Input(input)),
        Side::Concat(term) => Some(term),
        Side::Constant(_) | Side::Size(_) | Side::Else => None,
    }
}

impl Relation {
    fn text(&self) -> String {
        let (left, right) = (self.left.text(), self.right.text());
        match self.kind {
            RelationKind::Equal => format!("{left} == {right}"),
            RelationKind::Less => format!("{left} < {right}"),
            RelationKind::Greater => format!("{left} > {right}"),
            RelationKind::StartsWith => format!("{left}.startsWith({right})"),
            RelationKind::EndsWith => format!("{left}.endsWith({right})"),
            RelationKind::Contains => format!("{left}.contains({right})"),
        }
    }
}

impl Term {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Input(input) => input.text(),
            Self::Concat(parts) => parts.iter().map(Self::text).collect::<Vec<_>>().join(" + "),
        }
    }
}
