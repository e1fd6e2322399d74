//! List literals and `in`.

use std::cmp::Ordering;

use super::super::super::value::{Number, Value};
use super::super::problem::ExprProblem;
use super::super::program::{Atom, Node, NodeId, Operand, OperandId, Set};
use super::super::tree::{Form, Tree};
use super::Lower;
use super::typed::{Item, Type, Typed};

impl Lower<'_> {
    /// A list literal.
    pub(super) fn list(&mut self, at: &Tree, elements: &[Tree]) -> Typed {
        let elements = self.elements(elements);
        if elements.iter().any(Typed::is_broken) {
            return self.unsaid(at);
        }
        let kind = Type::List(item(&elements));
        let constants: Option<Vec<Value>> =
            elements.iter().map(|element| element.constant.clone()).collect();
        let typed = match constants {
            Some(values) => self.constant(Value::List(values), at),
            None => {
                let ids: Vec<OperandId> = elements.iter().map(|element| element.id).collect();
                let links = self.program.link_operands(&ids);
                self.typed(Operand::List(links), kind, at)
            }
        };
        Typed { kind, ..typed }
    }

    /// The elements of a list literal, which are of one type as far as that is known.
    fn elements(&mut self, elements: &[Tree]) -> Vec<Typed> {
        let mut typed: Vec<Typed> = Vec::with_capacity(elements.len());
        for element in elements {
            let element = self.operand(element);
            if element.kind == Type::Null {
                let problem = ExprProblem::new(element.span.clone(), "null cannot be in a list");
                self.problem(problem.help("compare with it: … == null"));
            } else if let Some(other) = typed.iter().find(|other| !other.kind.fits(element.kind)) {
                let problem = ExprProblem::new(
                    element.span.clone(),
                    "the elements of a list are of one type",
                );
                let (this, other_kind) = (element.kind.words(), other.kind.words());
                let problem = problem.label(this).also(other.span.clone(), other_kind);
                self.problem(problem);
            }
            let operand = self.program.operand(element.id);
            if matches!(element.kind, Type::List(_))
                && !matches!(
                    operand,
                    Some(Operand::Constant(_) | Operand::Variable(_) | Operand::Local { .. })
                )
            {
                let message = "a list inside a list is made of constants";
                self.problem(ExprProblem::new(element.span.clone(), message));
            }
            typed.push(element);
        }
        typed
    }

    /// `needle in list`
    pub(super) fn is_in(&mut self, at: &Tree, needle: &Tree, list: &Tree) -> NodeId {
        if let Form::List(elements) = &list.form {
            let needle = self.operand(needle);
            let mark = self.program.mark();
            let elements = self.elements(elements);
            let atom = match self.set(&needle, &elements) {
                Some(set) => {
                    self.program.rewind(mark);
                    let set = self.program.add_set(set);
                    Atom::InSet { needle: needle.id, set }
                }
                None => {
                    let ids: Vec<OperandId> = elements.iter().map(|element| element.id).collect();
                    let links = self.program.link_operands(&ids);
                    let list = self.typed(Operand::List(links), Type::List(Item::Any), list);
                    Atom::In { needle: needle.id, list: list.id }
                }
            };
            return self.node(Node::Atom(atom), at);
        }
        if let Some(node) = self.in_root(at, needle, list) {
            return node;
        }
        let (needle, list) = (self.operand(needle), self.operand(list));
        let item = match list.kind {
            Type::List(item) => Type::from(item),
            _ => Type::Any,
        };
        if !list.kind.fits(Type::List(Item::Any)) {
            let what = list.kind.words();
            let problem = ExprProblem::new(
                list.span.clone(),
                format!("`in` looks into a list, this is {what}"),
            );
            self.problem(match list.kind {
                Type::Text => {
                    let (text, part) = (self.source(&list.span), self.source(&needle.span));
                    problem.help(format!("for a part of a string: {text}.contains({part})"))
                }
                _ => problem,
            });
        } else if !needle.kind.fits(item) {
            let message = format!("{} is never in {}", needle.kind.words(), list.kind.words());
            let problem = ExprProblem::new(at.name.clone(), message)
                .also(needle.span.clone(), needle.kind.words())
                .also(list.span.clone(), list.kind.words());
            self.problem(problem);
        }
        self.node(Node::Atom(Atom::In { needle: needle.id, list: list.id }), at)
    }

    /// `needle in claims`, `"name" in args`: whether there is a member of that name.
    fn in_root(&mut self, at: &Tree, needle: &Tree, list: &Tree) -> Option<NodeId> {
        let Form::Ident(root) = &list.form else { return None };
        let is_bound = self.bound.iter().any(|bound| bound.name == *root);
        if is_bound || !matches!(root.as_str(), "claims" | "args") {
            return None;
        }
        let name = self.operand(needle);
        let Some(text) = name.text().map(str::to_owned) else {
            if !name.is_broken() {
                let message = format!("the name of a member of `{root}` is a constant string here");
                self.problem(ExprProblem::new(name.span.clone(), message));
            }
            return Some(self.node(Node::False, at));
        };
        let member = self.member(at, root, &text, &name);
        Some(self.node(Node::Atom(Atom::Has(member.id)), at))
    }

    /// `elements` as a set in which `needle` is looked up, where they are strings or numbers.
    fn set(&mut self, needle: &Typed, elements: &[Typed]) -> Option<Set> {
        if let Some(other) = elements.iter().find(|element| !needle.kind.fits(element.kind)) {
            let message = format!("{} is never {}", needle.kind.words(), other.kind.words());
            let problem = ExprProblem::new(other.span.clone(), message)
                .also(needle.span.clone(), needle.kind.words());
            self.problem(problem);
        }
        let mut texts = Vec::new();
        let mut numbers = Vec::new();
        for element in elements {
            match element.constant.as_ref()? {
                Value::String(text) => texts.push(self.spelled_text(needle, element, text)),
                Value::Number(number) => numbers.push(number.clone()),
                _ => return None,
            }
        }
        match (texts.len(), numbers.len()) {
            (_, 0) => {
                texts.sort_unstable();
                Some(Set::Texts(texts.into()))
            }
            (0, _) => {
                numbers.sort_by(|a: &Number, b| a.compare(b).unwrap_or(Ordering::Equal));
                Some(Set::Numbers(numbers.into()))
            }
            _ => None,
        }
    }

    fn spelled_text(&mut self, needle: &Typed, element: &Typed, text: &str) -> Box<str> {
        let Some(fixed) = needle.fixed else { return text.into() };
        let name = self.source(&needle.span);
        self.spelled(fixed, name, text, element).unwrap_or_else(|problem| {
            self.problem(problem);
            text.into()
        })
    }
}

fn item(elements: &[Typed]) -> Item {
    let mut kinds = elements.iter().map(|element| element.kind);
    let first = kinds.next().unwrap_or(Type::Any);
    Item::from(kinds.fold(first, Type::join))
}
