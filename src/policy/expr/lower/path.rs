//! Paths: `claims.plan`, `args["x.y"].z`, `client.ip`, and the variables of loops.

use std::ops::Range;

use super::super::limits::MAX_PATH;
use super::super::problem::ExprProblem;
use super::super::program::Operand;
use super::super::tree::{Form, Literal, Operator, Tree};
use super::super::variable::{self, Variable};
use super::Lower;
use super::typed::{Type, Typed};
use super::words;
use crate::diagnostic::{Here, elsewhere};
use crate::policy::Captures;

/// A path as it is written.
pub(super) struct Written<'e> {
    pub(super) root: &'e str,
    pub(super) root_span: Range<usize>,
    pub(super) names: Vec<(&'e str, Range<usize>)>,
}

impl Lower<'_> {
    /// Lowers a path.
    pub(super) fn path(&mut self, at: &Tree) -> Typed {
        let written = match self.written(at) {
            Ok(written) => written,
            Err(problem) => return self.broken(problem, at),
        };
        if let Some((_, span)) = written.names.get(MAX_PATH) {
            let message = format!("a path has at most {MAX_PATH} members");
            return self.broken(ExprProblem::new(span.clone(), message), at);
        }
        match self.variable(at, &written) {
            Ok(typed) => typed,
            Err(problem) => self.broken(problem, at),
        }
    }

    /// Reads a path off the tree.
    pub(super) fn written<'e>(&self, at: &'e Tree) -> Result<Written<'e>, ExprProblem> {
        let mut names = Vec::new();
        let mut node = at;
        loop {
            match &node.form {
                Form::Ident(root) => {
                    names.reverse();
                    let root_span = node.span.clone();
                    return Ok(Written { root, root_span, names });
                }
                Form::Select { operand, field } => {
                    names.push((field.as_str(), node.name.clone()));
                    node = operand;
                }
                Form::Operation(Operator::Index, operands) => {
                    let [target, index] = operands.as_slice() else {
                        return Err(self.pathless(node));
                    };
                    let span = index.span.clone();
                    match &index.form {
                        Form::Literal(Literal::Text(name)) => names.push((name, span)),
                        Form::Literal(Literal::Int(_)) => {
                            let message = "an element of a list cannot be picked by its place";
                            return Err(ExprProblem::new(span, message)
                                .help("ask with `in`, `all` or `exists`"));
                        }
                        _ => {
                            let message = "a member is named by a constant string";
                            return Err(ExprProblem::new(span, message)
                                .help("for example: claims[\"https://example.com/role\"]"));
                        }
                    }
                    node = target;
                }
                _ => return Err(self.pathless(node)),
            }
        }
    }

    fn pathless(&self, node: &Tree) -> ExprProblem {
        ExprProblem::new(node.grouped.clone(), "only variables have members")
    }

    fn variable(&mut self, at: &Tree, written: &Written<'_>) -> Result<Typed, ExprProblem> {
        let Written { root, root_span, names } = written;
        let path = names.iter().map(|(name, _)| *name);
        if let Some(depth) = self.bound.iter().rev().position(|bound| bound.name == *root) {
            return self.local(at, depth, written);
        }
        if let Some(fields) = variable::fields(root) {
            return self.field(at, fields, written);
        }
        let variable = match (*root, names.first()) {
            ("claims" | "args", None) => {
                let message = format!("`{root}` is not a value, name one of them");
                return Err(ExprProblem::new(root_span.clone(), message)
                    .help(format!("for example: {root}.name")));
            }
            ("claims", Some(_)) => Variable::Claims(self.program.add_names(path)),
            ("args", Some(_)) => {
                let Some(slot) = self.captures.insert(path) else {
                    let message = format!(
                        "the policies read more than {} different arguments",
                        Captures::MAX_SLOTS
                    );
                    return Err(ExprProblem::new(at.span.clone(), message));
                };
                self.program.slots.insert(slot);
                Variable::Arg(slot)
            }
            _ => return Err(self.unknown_variable(written)),
        };
        self.program.reads = self.program.reads.union(variable.reads());
        Ok(self.typed(Operand::Variable(variable), Type::Any, at))
    }

    /// The member `name` of root `root`, where `at` is the whole of `"name" in root`.
    pub(super) fn member(&mut self, at: &Tree, root: &str, name: &str, named: &Typed) -> Typed {
        let written = Written {
            root,
            root_span: named.span.clone(),
            names: vec![(name, named.span.clone())],
        };
        match self.variable(at, &written) {
            Ok(typed) => {
                self.program.label(typed.id, format!("{root}[{name:?}]"));
                typed
            }
            Err(problem) => self.broken(problem, at),
        }
    }

    fn unknown_variable(&self, written: &Written<'_>) -> ExprProblem {
        let name = written.root;
        let problem =
            ExprProblem::new(written.root_span.clone(), format!("unknown variable `{name}`"));
        let problem = match problem.of_others(name, words::VARIABLES) {
            Ok(problem) => return problem,
            Err(problem) => problem,
        };
        let bound = self.bound.iter().map(|bound| bound.name.as_str());
        let suggested = problem.suggest(name, variable::ROOTS.into_iter().chain(bound));
        match suggested.help {
            Some(_) => suggested,
            None if written.names.is_empty() => {
                suggested.help(format!("a string is written \"{name}\", a claim claims.{name}"))
            }
            None => suggested.help(format!("there are {}", variable::ROOTS.join(", "))),
        }
    }

    fn local(
        &mut self,
        at: &Tree,
        depth: usize,
        written: &Written<'_>,
    ) -> Result<Typed, ExprProblem> {
        let item = self.bound.iter().rev().nth(depth).map_or(Type::Any, |bound| bound.item);
        let kind = match written.names.first() {
            None => item,
            Some((name, span)) if item != Type::Any && item != Type::Broken => {
                let what = item.words();
                let message = format!("`{}` is {what} and has no `{name}`", written.root);
                return Err(ExprProblem::new(span.clone(), message));
            }
            Some(_) => Type::Any,
        };
        let names = self.program.add_names(written.names.iter().map(|(name, _)| *name));
        let depth = u8::try_from(depth).unwrap_or(u8::MAX);
        Ok(self.typed(Operand::Local { depth, names }, kind, at))
    }

    fn field(
        &mut self,
        at: &Tree,
        fields: &[variable::Field],
        written: &Written<'_>,
    ) -> Result<Typed, ExprProblem> {
        let root = written.root;
        let known = || fields.iter().map(|field| field.name);
        let listed = || known().collect::<Vec<_>>().join(", ");
        let Some((name, span)) = written.names.first() else {
            let message = format!("`{root}` is not a value, name one of its fields");
            let problem = ExprProblem::new(written.root_span.clone(), message);
            return Err(problem.help(format!("there are {}", listed())));
        };
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            let message = format!("`{root}` has no field `{name}`");
            let problem = ExprProblem::new(span.clone(), message).suggest(name, known());
            let is_of_call = root == "request"
                && matches!(
                    elsewhere(name, words::VARIABLES),
                    Some(Here::Word("args" | "claims" | "mcp.method" | "mcp.target"))
                );
            if problem.help.is_none() && (is_of_call || variable::ROOTS.contains(name)) {
                return Err(problem.help(
                    "the verified token is `claims`, the arguments are `args`, the method `mcp.method`",
                ));
            }
            return Err(match problem.help {
                Some(_) => problem,
                None => problem.help(format!("there are {}", listed())),
            });
        };
        let kind = Type::from(field.fixed);
        if let Some((member, span)) = written.names.get(1) {
            let message = format!("`{root}.{name}` is {} and has no `{member}`", kind.words());
            return Err(ExprProblem::new(span.clone(), message));
        }
        self.program.reads = self.program.reads.union(field.variable.reads());
        let typed = self.typed(Operand::Variable(field.variable), kind, at);
        Ok(Typed { fixed: Some(field.fixed), ..typed })
    }
}
