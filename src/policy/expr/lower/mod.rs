//! Tree to program: what is not of the subset, or cannot make sense, becomes a problem here.
//!
//! Lowering never stops at a problem: it puts [`Node::False`] or a null constant in the place and goes on, so that all problems
//! of an expression come out together. What stands in the place is never run.

mod call;
mod compare;
mod list;
mod path;
mod typed;
mod words;

use std::ops::Range;

use self::typed::{Type, Typed};
use super::super::value::{Number, Value};
use super::limits::MAX_DEPTH;
use super::parse::Parsed;
use super::problem::ExprProblem;
use super::program::{Atom, Node, NodeId, Operand, OperandId, Program};
use super::tree::{Form, Literal, Operator, Tree};
use super::variable::Variable;
use crate::policy::Captures;

/// Lowers a condition.
pub(super) fn condition(
    parsed: &Parsed<'_>,
    captures: &mut Captures,
) -> Result<(Program, NodeId), Vec<ExprProblem>> {
    let mut lower = Lower::new(parsed, captures);
    let root = lower.truth(&parsed.root);
    lower.finish().map(|program| (program, root))
}

/// Lowers a path.
pub(super) fn path(
    parsed: &Parsed<'_>,
    captures: &mut Captures,
) -> Result<(Program, Variable), Vec<ExprProblem>> {
    let mut lower = Lower::new(parsed, captures);
    let typed = match &parsed.root.form {
        Form::Ident(_) | Form::Select { .. } | Form::Operation(Operator::Index, _) => {
            Some(lower.path(&parsed.root))
        }
        _ => None,
    };
    let variable = match typed.as_ref().and_then(|typed| lower.program.operand(typed.id)) {
        Some(Operand::Variable(variable)) => Some(variable),
        _ => None,
    };
    if variable.is_none() && lower.problems.is_empty() {
        let span = parsed.root.grouped.clone();
        lower.problem(
            ExprProblem::new(span, "only a path can stand here").help("for example: claims.sub"),
        );
    }
    let program = lower.finish()?;
    variable.map(|variable| (program, variable)).ok_or_else(Vec::new)
}

/// A variable that a loop binds.
struct Bound {
    name: String,
    item: Type,
}

struct Lower<'p> {
    parsed: &'p Parsed<'p>,
    captures: &'p mut Captures,
    program: Program,
    problems: Vec<ExprProblem>,
    /// The loops around, outermost first.
    bound: Vec<Bound>,
    /// How deep in the tree it is.
    depth: usize,
}

impl<'p> Lower<'p> {
    fn new(parsed: &'p Parsed<'p>, captures: &'p mut Captures) -> Self {
        let (program, problems, bound) = (Program::default(), Vec::new(), Vec::new());
        Self { parsed, captures, program, problems, bound, depth: 0 }
    }

    fn finish(mut self) -> Result<Program, Vec<ExprProblem>> {
        if self.problems.is_empty() {
            return Ok(self.program);
        }
        self.problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        Err(self.problems)
    }

    fn problem(&mut self, problem: ExprProblem) {
        self.problems.push(problem);
    }

    /// The source of `span`.
    fn source(&self, span: &Range<usize>) -> &'p str {
        self.parsed.text.get(span.clone()).unwrap_or("")
    }

    fn node(&mut self, node: Node, at: &Tree) -> NodeId {
        self.program.add_node(node, at.span.clone())
    }

    fn typed(&mut self, operand: Operand, kind: Type, at: &Tree) -> Typed {
        let span = at.grouped.clone();
        let id = self.program.add_operand(operand, at.span.clone());
        Typed { id, kind, span, fixed: None, constant: None }
    }

    fn constant(&mut self, value: Value, at: &Tree) -> Typed {
        let kind = Type::of(&value);
        let operand = Operand::Constant(self.program.add_constant(value.clone()));
        Typed { constant: Some(value), ..self.typed(operand, kind, at) }
    }

    /// Reports `problem`; what is returned stands for the operand.
    fn broken(&mut self, problem: ExprProblem, at: &Tree) -> Typed {
        self.problem(problem);
        self.unsaid(at)
    }

    /// What stands for an operand whose problem has been reported.
    fn unsaid(&mut self, at: &Tree) -> Typed {
        let operand = Operand::Constant(self.program.add_constant(Value::Null));
        self.typed(operand, Type::Broken, at)
    }

    /// Goes one deeper for `lower`; `None` where that is too deep.
    fn deeper<T>(&mut self, at: &Tree, lower: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth == MAX_DEPTH {
            let message = format!("an expression nests at most {MAX_DEPTH} deep");
            self.problem(ExprProblem::new(at.grouped.clone(), message));
            return None;
        }
        self.depth += 1;
        let lowered = lower(self);
        self.depth -= 1;
        Some(lowered)
    }

    /// Lowers what must come to true or false.
    fn truth(&mut self, at: &Tree) -> NodeId {
        let node = self.deeper(at, |lower| lower.truth_here(at));
        node.unwrap_or_else(|| self.node(Node::False, at))
    }

    fn truth_here(&mut self, at: &Tree) -> NodeId {
        match &at.form {
            Form::Literal(Literal::Bool(truth)) => {
                self.node(if *truth { Node::True } else { Node::False }, at)
            }
            Form::Operation(operator, operands) => match self.predicate(at, *operator, operands) {
                Some(node) => node,
                None => self.holds(at),
            },
            Form::Call(call) => match self.function(at, call) {
                Some(node) => node,
                None => self.holds(at),
            },
            _ => self.holds(at),
        }
    }

    /// A value used as a condition.
    fn holds(&mut self, at: &Tree) -> NodeId {
        let typed = self.operand(at);
        if !typed.kind.fits(Type::Bool) {
            let what = typed.kind.words();
            let message = format!("a condition comes to true or false, this to {what}");
            let problem = ExprProblem::new(typed.span.clone(), message);
            let source = self.source(&typed.span);
            self.problem(match (typed.fixed, typed.kind) {
                (None, _) => problem,
                (_, Type::List(_)) => problem.help(format!("ask a list so: \"…\" in {source}")),
                _ => problem.help(format!("compare it with something: {source} == \"…\"")),
            });
        }
        self.node(Node::Atom(Atom::Holds(typed.id)), at)
    }

    /// Lowers an operation that comes to true or false; `None` where it does not.
    fn predicate(&mut self, at: &Tree, operator: Operator, operands: &[Tree]) -> Option<NodeId> {
        match (operator, operands) {
            (Operator::And | Operator::Or, _) => {
                let mut terms = Vec::new();
                self.terms(operator, at, &mut terms);
                let links = self.program.link_nodes(&terms);
                let is_and = operator == Operator::And;
                Some(self.node(if is_and { Node::And(links) } else { Node::Or(links) }, at))
            }
            (Operator::Not, [operand]) => {
                let operand = self.truth(operand);
                Some(self.node(Node::Not(operand), at))
            }
            (Operator::Conditional, [condition, then, otherwise])
                if self.is_predicate(then) || self.is_predicate(otherwise) =>
            {
                let condition = self.truth(condition);
                let (then, otherwise) = (self.truth(then), self.truth(otherwise));
                Some(self.node(Node::If { condition, then, otherwise }, at))
            }
            (Operator::Equals, [left, right]) => Some(self.equal(at, left, right, false)),
            (Operator::NotEquals, [left, right]) => Some(self.equal(at, left, right, true)),
            (
                Operator::Less | Operator::LessEquals | Operator::Greater | Operator::GreaterEquals,
                [left, right],
            ) => Some(self.order(at, operator, left, right)),
            (Operator::In, [needle, list]) => Some(self.is_in(at, needle, list)),
            _ => None,
        }
    }

    /// Whether `at` is written as something true or false.
    fn is_predicate(&self, at: &Tree) -> bool {
        match &at.form {
            Form::Literal(Literal::Bool(_)) => true,
            Form::Operation(Operator::Conditional, operands) => {
                operands.iter().skip(1).any(|operand| self.is_predicate(operand))
            }
            Form::Operation(operator, _) => {
                !operator.is_arithmetic() && !matches!(operator, Operator::Add | Operator::Index)
            }
            Form::Call(call) => !matches!(call.name.as_str(), "size" | "cidr"),
            _ => false,
        }
    }

    /// Lowers the terms of a chain of `operator`, those of the same chains in brackets among them.
    fn terms(&mut self, operator: Operator, at: &Tree, terms: &mut Vec<NodeId>) {
        match &at.form {
            Form::Operation(of, operands) if *of == operator => {
                for operand in operands {
                    self.terms(operator, operand, terms);
                }
            }
            _ => terms.push(self.truth(at)),
        }
    }

    /// Lowers what comes to a value.
    fn operand(&mut self, at: &Tree) -> Typed {
        let typed = self.deeper(at, |lower| lower.operand_here(at));
        typed.unwrap_or_else(|| self.unsaid(at))
    }

    fn operand_here(&mut self, at: &Tree) -> Typed {
        match &at.form {
            Form::Literal(literal) => self.literal(at, literal),
            Form::Ident(_) | Form::Select { .. } => self.path(at),
            Form::List(elements) => self.list(at, elements),
            Form::Operation(operator, operands) => self.operation(at, *operator, operands),
            Form::Call(call) if call.name == "size" => self.size(at, call),
            Form::Call(call) => {
                let before = self.problems.len();
                let node = self.function(at, call);
                self.as_value(at, node, before)
            }
            Form::Map => {
                let span = at.span.clone();
                self.broken(ExprProblem::new(span, "objects cannot be written in a policy"), at)
            }
            Form::Struct => {
                let span = at.span.clone();
                self.broken(ExprProblem::new(span, "this is not part of the policy language"), at)
            }
        }
    }

    fn literal(&mut self, at: &Tree, literal: &Literal) -> Typed {
        let value = match literal {
            Literal::Bool(truth) => Value::Bool(*truth),
            Literal::Null => Value::Null,
            Literal::Text(text) => Value::String(text.as_str().into()),
            Literal::Int(int) => Value::Number(Number::from(*int)),
            Literal::UInt(int) => Value::Number(Number::from(*int)),
            Literal::Double { is_negative, digits } => {
                match Number::from_literal(self.source(digits), *is_negative) {
                    Some(number) => Value::Number(number),
                    None => {
                        let span = at.span.clone();
                        return self.broken(ExprProblem::new(span, "this is no number"), at);
                    }
                }
            }
            Literal::Bytes => {
                let span = at.span.clone();
                let problem = ExprProblem::new(span, "bytes are not part of the policy language");
                return self.broken(problem.help("write a string, without the b"), at);
            }
        };
        self.constant(value, at)
    }

    fn operation(&mut self, at: &Tree, operator: Operator, operands: &[Tree]) -> Typed {
        match (operator, operands) {
            (Operator::Index, _) => self.path(at),
            (Operator::Add, _) => self.concat(at),
            _ if operator.is_arithmetic() => {
                for operand in operands {
                    self.operand(operand);
                }
                let sign = self.source(&at.name);
                let message = format!("there is no arithmetic, so no `{sign}`");
                self.broken(ExprProblem::new(at.name.clone(), message), at)
            }
            (Operator::Conditional, [condition, then, otherwise]) if !self.is_predicate(at) => {
                let condition = self.truth(condition);
                let (then, otherwise) = (self.operand(then), self.operand(otherwise));
                if !then.kind.fits(otherwise.kind) {
                    let (kind, other) = (then.kind.words(), otherwise.kind.words());
                    let message = "both sides of `? :` are of one type";
                    let problem = ExprProblem::new(otherwise.span.clone(), message);
                    return self.broken(problem.label(other).also(then.span, kind), at);
                }
                let kind = then.kind.join(otherwise.kind);
                let operand = Operand::If { condition, then: then.id, otherwise: otherwise.id };
                self.typed(operand, kind, at)
            }
            _ => {
                let before = self.problems.len();
                let node = self.predicate(at, operator, operands);
                self.as_value(at, node, before)
            }
        }
    }

    /// `node` as a value, where there are no more problems than `before`.
    fn as_value(&mut self, at: &Tree, node: Option<NodeId>, before: usize) -> Typed {
        match node {
            Some(node) if self.problems.len() == before => {
                self.typed(Operand::Truth(node), Type::Bool, at)
            }
            _ => self.unsaid(at),
        }
    }

    /// Lowers a chain of `+`, which joins strings.
    fn concat(&mut self, at: &Tree) -> Typed {
        let mut parts = Vec::new();
        self.parts(at, &mut parts);
        if parts.iter().any(Typed::is_broken) {
            return self.unsaid(at);
        }
        if let Some(part) = parts.iter().find(|part| !part.kind.fits(Type::Text)) {
            let message = format!("`+` joins strings, this is {}", part.kind.words());
            let problem = ExprProblem::new(part.span.clone(), message);
            return self.broken(problem, at);
        }
        let texts: Option<Vec<&str>> = parts.iter().map(Typed::text).collect();
        if let Some(texts) = texts {
            return self.constant(Value::String(texts.concat().into()), at);
        }
        let ids: Vec<OperandId> = parts.iter().map(|part| part.id).collect();
        let links = self.program.link_operands(&ids);
        self.typed(Operand::Concat(links), Type::Text, at)
    }

    fn parts(&mut self, at: &Tree, parts: &mut Vec<Typed>) {
        match &at.form {
            Form::Operation(Operator::Add, operands) => {
                for operand in operands {
                    self.parts(operand, parts);
                }
            }
            _ => parts.push(self.operand(at)),
        }
    }
}
