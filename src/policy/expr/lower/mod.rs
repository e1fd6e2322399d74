//! Tree to program: what is not of the subset, or cannot make sense, becomes a problem here.
//!
//! Lowering never stops at a problem: it puts [`Node::False`] or a null constant in the place and goes on, so that all problems
//! of an expression come out together. What stands in the place is never run.

mod call;
mod compare;
mod list;
mod path;
mod typed;

use std::ops::Range;

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, operators};

use self::typed::{Type, Typed};
use super::super::value::{Number, Value};
use super::limits::MAX_DEPTH;
use super::parse::Parsed;
use super::problem::ExprProblem;
use super::program::{Atom, Node, NodeId, Operand, OperandId, Program};
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
    let typed = match &parsed.root.expr {
        Cel::Ident(_) | Cel::Select(_) => Some(lower.path(&parsed.root)),
        Cel::Call(call) if call.func_name == operators::INDEX => Some(lower.path(&parsed.root)),
        _ => None,
    };
    let variable = match typed.as_ref().and_then(|typed| lower.program.operand(typed.id)) {
        Some(Operand::Variable(variable)) => Some(variable),
        _ => None,
    };
    if variable.is_none() && lower.problems.is_empty() {
        let span = parsed.grouped(&parsed.root);
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

    fn node(&mut self, node: Node, at: &IdedExpr) -> NodeId {
        self.program.add_node(node, self.parsed.span(at))
    }

    fn typed(&mut self, operand: Operand, kind: Type, at: &IdedExpr) -> Typed {
        let span = self.parsed.grouped(at);
        let id = self.program.add_operand(operand, self.parsed.span(at));
        Typed { id, kind, span, fixed: None, constant: None }
    }

    fn constant(&mut self, value: Value, at: &IdedExpr) -> Typed {
        let kind = Type::of(&value);
        let operand = Operand::Constant(self.program.add_constant(value.clone()));
        Typed { constant: Some(value), ..self.typed(operand, kind, at) }
    }

    /// Reports `problem`; what is returned stands for the operand.
    fn broken(&mut self, problem: ExprProblem, at: &IdedExpr) -> Typed {
        self.problem(problem);
        self.unsaid(at)
    }

    /// What stands for an operand whose problem has been reported.
    fn unsaid(&mut self, at: &IdedExpr) -> Typed {
        let operand = Operand::Constant(self.program.add_constant(Value::Null));
        self.typed(operand, Type::Broken, at)
    }

    /// Goes one deeper for `lower`; `None` where that is too deep.
    fn deeper<T>(&mut self, at: &IdedExpr, lower: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth == MAX_DEPTH {
            let message = format!("an expression nests at most {MAX_DEPTH} deep");
            self.problem(ExprProblem::new(self.parsed.grouped(at), message));
            return None;
        }
        self.depth += 1;
        let lowered = lower(self);
        self.depth -= 1;
        Some(lowered)
    }

    /// Lowers what must come to true or false.
    fn truth(&mut self, at: &IdedExpr) -> NodeId {
        let node = self.deeper(at, |lower| lower.truth_here(at));
        node.unwrap_or_else(|| self.node(Node::False, at))
    }

    fn truth_here(&mut self, at: &IdedExpr) -> NodeId {
        match &at.expr {
            Cel::Literal(LiteralValue::Boolean(truth)) => {
                self.node(if *truth.inner() { Node::True } else { Node::False }, at)
            }
            Cel::Call(call) => match self.predicate(at, call) {
                Some(node) => node,
                None => self.holds(at),
            },
            _ => self.holds(at),
        }
    }

    /// A value used as a condition.
    fn holds(&mut self, at: &IdedExpr) -> NodeId {
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

    /// Lowers a call that comes to true or false; `None` where it does not.
    fn predicate(&mut self, at: &IdedExpr, call: &CallExpr) -> Option<NodeId> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (name @ (operators::LOGICAL_AND | operators::LOGICAL_OR), _) => {
                let mut terms = Vec::new();
                self.terms(name, at, &mut terms);
                let links = self.program.link_nodes(&terms);
                let and = name == operators::LOGICAL_AND;
                Some(self.node(if and { Node::And(links) } else { Node::Or(links) }, at))
            }
            (operators::LOGICAL_NOT, [operand]) => {
                let operand = self.truth(operand);
                Some(self.node(Node::Not(operand), at))
            }
            (operators::CONDITIONAL, [condition, then, otherwise])
                if self.is_predicate(then) || self.is_predicate(otherwise) =>
            {
                let condition = self.truth(condition);
                let (then, otherwise) = (self.truth(then), self.truth(otherwise));
                Some(self.node(Node::If { condition, then, otherwise }, at))
            }
            (operators::EQUALS, [left, right]) => Some(self.equal(at, left, right, false)),
            (operators::NOT_EQUALS, [left, right]) => Some(self.equal(at, left, right, true)),
            (
                name @ (operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS),
                [left, right],
            ) => Some(self.order(at, name, left, right)),
            (operators::IN, [needle, list]) => Some(self.is_in(at, needle, list)),
            _ => self.function(at, call),
        }
    }

    /// Whether `at` is written as something true or false.
    fn is_predicate(&self, at: &IdedExpr) -> bool {
        match &at.expr {
            Cel::Literal(LiteralValue::Boolean(_)) => true,
            Cel::Call(call) => match call.func_name.as_str() {
                operators::CONDITIONAL => {
                    call.args.iter().skip(1).any(|arg| self.is_predicate(arg))
                }
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO
                | operators::NEGATE
                | operators::INDEX
                | "size"
                | "cidr" => false,
                _ => true,
            },
            _ => false,
        }
    }

    /// Lowers the terms of a chain of `name`, which the parser has balanced.
    fn terms(&mut self, name: &str, at: &IdedExpr, terms: &mut Vec<NodeId>) {
        match &at.expr {
            Cel::Call(call) if call.func_name == name => {
                for arg in &call.args {
                    self.terms(name, arg, terms);
                }
            }
            _ => terms.push(self.truth(at)),
        }
    }

    /// Lowers what comes to a value.
    fn operand(&mut self, at: &IdedExpr) -> Typed {
        let typed = self.deeper(at, |lower| lower.operand_here(at));
        typed.unwrap_or_else(|| self.unsaid(at))
    }

    fn operand_here(&mut self, at: &IdedExpr) -> Typed {
        match &at.expr {
            Cel::Literal(literal) => self.literal(at, literal),
            Cel::Ident(_) | Cel::Select(_) => self.path(at),
            Cel::List(list) => self.list(at, &list.elements),
            Cel::Call(call) => self.value_call(at, call),
            Cel::Map(_) => {
                let span = self.parsed.span(at);
                self.broken(ExprProblem::new(span, "objects cannot be written in a policy"), at)
            }
            Cel::Struct(_) | Cel::Comprehension(_) | Cel::Unspecified => {
                let span = self.parsed.span(at);
                self.broken(ExprProblem::new(span, "this is not part of the policy language"), at)
            }
        }
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Typed {
        let value = match literal {
            LiteralValue::Boolean(truth) => Value::Bool(*truth.inner()),
            LiteralValue::Null => Value::Null,
            LiteralValue::String(text) => Value::String(text.inner().into()),
            LiteralValue::Int(int) => Value::Number(Number::from(*int.inner())),
            LiteralValue::UInt(int) => Value::Number(Number::from(*int.inner())),
            // From its digits, not from the f64 made of them.
            LiteralValue::Double(_) => {
                let negative = self.parsed.is_negative(at);
                match Number::from_literal(self.parsed.token_text(at.id), negative) {
                    Some(number) => Value::Number(number),
                    None => {
                        let span = self.parsed.span(at);
                        return self.broken(ExprProblem::new(span, "this is no number"), at);
                    }
                }
            }
            LiteralValue::Bytes(_) => {
                let span = self.parsed.span(at);
                let problem = ExprProblem::new(span, "bytes are not part of the policy language");
                return self.broken(problem.help("write a string, without the b"), at);
            }
        };
        self.constant(value, at)
    }

    fn value_call(&mut self, at: &IdedExpr, call: &CallExpr) -> Typed {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::INDEX, _) => self.path(at),
            (operators::ADD, _) => self.concat(at),
            (
                name @ (operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO
                | operators::NEGATE),
                args,
            ) => {
                for arg in args {
                    self.operand(arg);
                }
                let operator = name.trim_matches('_');
                let message = format!("there is no arithmetic, so no `{operator}`");
                self.broken(ExprProblem::new(self.parsed.name_span(at), message), at)
            }
            (operators::CONDITIONAL, [condition, then, otherwise]) if !self.is_predicate(at) => {
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
            ("size", _) => self.size(at, call),
            _ => {
                let before = self.problems.len();
                match self.predicate(at, call) {
                    Some(node) if self.problems.len() == before => {
                        self.typed(Operand::Truth(node), Type::Bool, at)
                    }
                    _ => self.unsaid(at),
                }
            }
        }
    }

    /// Lowers a chain of `+`, which joins strings.
    fn concat(&mut self, at: &IdedExpr) -> Typed {
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

    fn parts(&mut self, at: &IdedExpr, parts: &mut Vec<Typed>) {
        match &at.expr {
            Cel::Call(call) if call.func_name == operators::ADD => {
                for arg in &call.args {
                    self.parts(arg, parts);
                }
            }
            _ => parts.push(self.operand(at)),
        }
    }
}
