//! `==`, `!=`, `<`, `<=`, `>`, `>=`.

use std::net::IpAddr;

use super::super::super::value::Value;
use super::super::problem::ExprProblem;
use super::super::program::{Atom, Node, NodeId, Operand, Order};
use super::super::tree::{Operator, Tree};
use super::super::variable::Fixed;
use super::Lower;
use super::typed::{Type, Typed};

impl Lower<'_> {
    /// `left == right`, or `!=` where `negated`.
    pub(super) fn equal(&mut self, at: &Tree, left: &Tree, right: &Tree, negated: bool) -> NodeId {
        let (left, right) = (self.operand(left), self.operand(right));
        let atom = match (&left.constant, &right.constant) {
            (_, Some(Value::Null)) => self.is_null(&left, negated),
            (Some(Value::Null), _) => self.is_null(&right, negated),
            _ => {
                self.clash(at, &left, &right);
                let right_id = self.in_vocabulary(&left, &right);
                let left_id = self.in_vocabulary(&right, &left);
                Atom::Equal { left: left_id, right: right_id, negated }
            }
        };
        self.node(Node::Atom(atom), at)
    }

    fn is_null(&mut self, typed: &Typed, negated: bool) -> Atom {
        if !typed.kind.fits(Type::Null) {
            let what = typed.kind.words();
            let problem =
                ExprProblem::new(typed.span.clone(), format!("this is {what}, never null"));
            self.problem(match typed.fixed {
                Some(_) => {
                    let source = self.source(&typed.span);
                    problem.help(format!("ask whether it is there: has({source})"))
                }
                None => problem,
            });
        }
        Atom::IsNull { operand: typed.id, negated }
    }

    /// `<` and its kin.
    pub(super) fn order(
        &mut self,
        at: &Tree,
        operator: Operator,
        left: &Tree,
        right: &Tree,
    ) -> NodeId {
        let (left, right) = (self.operand(left), self.operand(right));
        let order = match operator {
            Operator::Less => Order::Less,
            Operator::LessEquals => Order::LessOrEqual,
            Operator::Greater => Order::Greater,
            _ => Order::GreaterOrEqual,
        };
        let mut ordered = true;
        for typed in [&left, &right] {
            if !typed.kind.fits(Type::Number) && !typed.kind.fits(Type::Text) {
                ordered = false;
                let what = typed.kind.words();
                let message = format!("numbers and strings have an order, this is {what}");
                let problem = ExprProblem::new(typed.span.clone(), message);
                self.problem(match typed.kind {
                    Type::Bool if typed.constant.is_none() && typed.fixed.is_none() => {
                        problem.help("compare twice: a < b && b < c")
                    }
                    _ => problem,
                });
            }
        }
        if ordered {
            self.clash(at, &left, &right);
        }
        self.node(Node::Atom(Atom::Order { left: left.id, right: right.id, order }), at)
    }

    /// Reports two types that cannot meet.
    pub(super) fn clash(&mut self, at: &Tree, left: &Typed, right: &Typed) {
        if left.kind.fits(right.kind) {
            return;
        }
        let message = format!(
            "{} is compared with {}, which says nothing",
            left.kind.words(),
            right.kind.words()
        );
        let problem = ExprProblem::new(at.name.clone(), message)
            .also(left.span.clone(), left.kind.words())
            .also(right.span.clone(), right.kind.words());
        self.problem(problem);
    }

    /// The operand of `constant`, which is compared with `variable`: that it can be equal is checked, and an
    /// address is brought into the form in which `client.ip` is written.
    pub(super) fn in_vocabulary(
        &mut self,
        variable: &Typed,
        constant: &Typed,
    ) -> super::super::program::OperandId {
        let (Some(fixed), Some(text)) = (variable.fixed, constant.text()) else {
            return constant.id;
        };
        let name = self.source(&variable.span);
        let text: Box<str> = text.into();
        match self.spelled(fixed, name, &text, constant) {
            Ok(same) if same == text => constant.id,
            Ok(spelled) => {
                let operand = Operand::Constant(self.program.add_constant(Value::String(spelled)));
                self.program.add_operand(operand, constant.span.clone())
            }
            Err(problem) => {
                self.problem(problem);
                constant.id
            }
        }
    }

    /// `text` as a value of `fixed` is spelled.
    pub(super) fn spelled(
        &self,
        fixed: Fixed,
        name: &str,
        text: &str,
        constant: &Typed,
    ) -> Result<Box<str>, ExprProblem> {
        let problem = |message| ExprProblem::new(constant.span.clone(), message);
        match fixed {
            Fixed::Word(words) if !words.contains(&text) => {
                let problem = problem(format!("`{name}` is never \"{text}\""));
                let problem = problem.suggest(text, words.iter().copied());
                Err(match problem.help {
                    Some(_) => problem,
                    None => problem.help(format!("it is one of {}", words.join(", "))),
                })
            }
            Fixed::Address => match text.parse::<IpAddr>() {
                Ok(ip) => Ok(ip.to_canonical().to_string().into()),
                Err(_) => {
                    let problem =
                        problem(format!("`{name}` is never \"{text}\", which is no address"));
                    Err(if text.contains('/') {
                        problem.help(format!("write cidr(\"{text}\").containsIP({name})"))
                    } else {
                        problem
                    })
                }
            },
            _ => Ok(text.into()),
        }
    }
}
