//! Text to tree: the parser of the `cel` crate, behind the bounds of [`super::scan`].
//!
//! The parser runs without macros, so that `has`, `all` and `exists` arrive as the calls that were written,
//! with their places, and every other macro is an unknown function.

use std::ops::Range;

use cel::Env;
use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};

use super::problem::ExprProblem;
use super::scan::Tokens;

/// An expression's text, its tree, and where each node of it stands.
pub(super) struct Parsed<'t> {
    pub(super) text: &'t str,
    pub(super) root: IdedExpr,
    tokens: Tokens,
    info: SourceInfo,
}

/// Parses `text`, which has these tokens.
///
/// # Errors
///
/// Everything that is wrong with its syntax.
pub(super) fn parse(text: &str, tokens: Tokens) -> Result<Parsed<'_>, Vec<ExprProblem>> {
    let parser = Env::default().parser().enable_optional_syntax(false);
    match parser.parse_with_source_info(text) {
        Ok((root, info)) => Ok(Parsed { text, root, tokens, info }),
        Err(errors) => {
            let mut problems: Vec<ExprProblem> = Vec::new();
            for error in errors.errors {
                let span = located(text, &tokens, error.pos);
                // What follows at one place follows from the first.
                if problems.iter().all(|known| known.span != span) {
                    problems.push(explained(text, &tokens, span, &error.msg));
                }
            }
            Err(problems)
        }
    }
}

/// The span of the token at line and column (from 1, in characters), or the end of the text.
fn located(text: &str, tokens: &Tokens, (line, column): (isize, isize)) -> Range<usize> {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or("");
    let at = start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    if text.get(at..).unwrap_or("").trim().is_empty() {
        return text.len()..text.len();
    }
    tokens.around(at).and_then(|token| tokens.span(token)).unwrap_or(at..at)
}

fn explained(text: &str, tokens: &Tokens, span: Range<usize>, message: &str) -> ExprProblem {
    let found = text.get(span.clone()).unwrap_or("");
    if let Some(name) = message.strip_prefix("reserved identifier: ") {
        return ExprProblem::new(span, format!("`{name}` is a reserved word of CEL"));
    }
    if message.starts_with("invalid int literal") || message.starts_with("invalid uint literal") {
        return ExprProblem::new(span, "an integer is written with at most 64 bits")
            .help(format!("write it with a fraction: {found}.0"));
    }
    if message.starts_with("invalid double literal") {
        return ExprProblem::new(span, "this number is too large to be written here");
    }
    if message.starts_with("invalid string literal") {
        return ExprProblem::new(span, "this string has an escape that is no character");
    }
    if message.starts_with("unsupported syntax") {
        return ExprProblem::new(span, "optional fields are not part of the policy language")
            .help("ask for presence with has(…)");
    }
    if span.is_empty() {
        return ExprProblem::new(span, "the expression ends too early");
    }
    let before = tokens
        .at(span.start)
        .and_then(|at| tokens.span(at.checked_sub(1)?))
        .and_then(|before| text.get(before));
    let problem = ExprProblem::new(span.clone(), format!("`{found}` cannot stand here"));
    match (before, found) {
        (_, "and" | "AND") => problem.help("write `&&`").replace(span, found, "&&", true),
        (_, "or" | "OR") => problem.help("write `||`").replace(span, found, "||", true),
        (Some("not" | "NOT"), _) => problem.help("write `!` for `not`"),
        _ => problem,
    }
}

impl Parsed<'_> {
    /// The bytes of the token that node `id` was made from.
    pub(super) fn token_text(&self, id: u64) -> &str {
        self.token_span(id).and_then(|span| self.text.get(span)).unwrap_or("")
    }

    fn token(&self, id: u64) -> Option<usize> {
        let (start, _) = self.info.offset_for(id)?;
        self.tokens.at(usize::try_from(start).ok()?)
    }

    fn token_span(&self, id: u64) -> Option<Range<usize>> {
        self.tokens.span(self.token(id)?)
    }

    /// Where `node` stands, with the brackets around it.
    pub(super) fn grouped(&self, node: &IdedExpr) -> Range<usize> {
        self.tokens.grouped(self.span(node))
    }

    /// Where `node` stands, without brackets around it.
    pub(super) fn span(&self, node: &IdedExpr) -> Range<usize> {
        self.known_span(node).unwrap_or(0..self.text.len())
    }

    fn known_span(&self, node: &IdedExpr) -> Option<Range<usize>> {
        let at = self.token(node.id)?;
        let token = self.tokens.span(at)?;
        let closing = || self.tokens.span(self.tokens.partner(at)?);
        Some(match &node.expr {
            Cel::Literal(LiteralValue::Int(_) | LiteralValue::Double(_)) => {
                let sign = at.checked_sub(1).and_then(|before| self.tokens.span(before));
                match sign {
                    Some(sign) if self.is_negative(node) => sign.start..token.end,
                    _ => token,
                }
            }
            Cel::Select(select) => {
                self.grouped(&select.operand).start..self.tokens.span(at + 1)?.end
            }
            Cel::List(_) | Cel::Map(_) => token.start..closing()?.end,
            Cel::Call(call) => match (&call.target, call.args.as_slice()) {
                (Some(target), _) => self.grouped(target).start..closing()?.end,
                (None, [target, _]) if call.func_name == operators::INDEX => {
                    self.grouped(target).start..closing()?.end
                }
                (None, [operand]) if is_operator(call) => token.start..self.grouped(operand).end,
                (None, [first, .., last]) if is_operator(call) => {
                    self.grouped(first).start..self.grouped(last).end
                }
                _ => self.tokens.span(at.checked_sub(1)?)?.start..closing()?.end,
            },
            _ => token,
        })
    }

    /// The name of the call or the member that `node` is, without the rest of it.
    pub(super) fn name_span(&self, node: &IdedExpr) -> Range<usize> {
        let name = self.token(node.id).and_then(|at| match &node.expr {
            Cel::Select(_) => self.tokens.span(at + 1),
            Cel::Call(call) if !is_operator(call) => self.tokens.span(at.checked_sub(1)?),
            _ => self.tokens.span(at),
        });
        name.unwrap_or(0..self.text.len())
    }

    /// Whether a number literal has a sign (which may be that of `-0.0`).
    pub(super) fn is_negative(&self, node: &IdedExpr) -> bool {
        match &node.expr {
            Cel::Literal(LiteralValue::Int(int)) => *int.inner() < 0,
            Cel::Literal(LiteralValue::Double(double)) => double.inner().is_sign_negative(),
            _ => false,
        }
    }
}

/// Operators are calls of names that no function can have: `_&&_`, `@in`.
pub(super) fn is_operator(call: &CallExpr) -> bool {
    let name = call.func_name.trim_start_matches('.');
    !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
