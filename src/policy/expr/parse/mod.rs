//! Tokens to tree: the grammar of CEL (`cel-spec`, `doc/langdef.md`), as far as the policy language has a use for it.
//!
//! What has none (objects, bytes, optional fields) is told from what is no CEL, so that an author is told which it is. The
//! parser recurses with brackets and `? :` only, both of which [`super::scan`] has bounded; chains are loops.

mod literal;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::literal::LiteralError;
use super::problem::ExprProblem;
use super::scan::{Token, Tokens};
use super::tree::{Call, Form, Literal, Operator, Tree};

/// An expression's text and its tree.
#[derive(Debug)]
pub(super) struct Parsed<'t> {
    pub(super) text: &'t str,
    pub(super) root: Tree,
}

/// Words that no variable and no function may be called (`langdef.md`, "Syntax").
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Parses `text`, which has these tokens.
///
/// # Errors
///
/// The first thing that is wrong with its syntax.
pub(super) fn parse<'t>(text: &'t str, tokens: &Tokens) -> Result<Parsed<'t>, ExprProblem> {
    let mut parser = Parser { text, tokens, at: 0 };
    let root = parser.expression()?;
    match parser.span() {
        Some(_) => Err(parser.unexpected()),
        None => Ok(Parsed { text, root }),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t Tokens,
    /// The token that is next.
    at: usize,
}

type Read<T> = Result<T, ExprProblem>;

impl<'t> Parser<'t> {
    fn span(&self) -> Option<Range<usize>> {
        self.tokens.span(self.at)
    }

    /// The text of the token `ahead` of the next one; empty at the end.
    fn ahead(&self, ahead: usize) -> &'t str {
        let span = self.tokens.span(self.at + ahead);
        span.and_then(|span| self.text.get(span)).unwrap_or_default()
    }

    fn is_next(&self, token: &str) -> bool {
        self.ahead(0) == token
    }

    /// Takes the next token, where it is `token`.
    fn take(&mut self, token: &str) -> Option<Range<usize>> {
        let span = self.span().filter(|_| self.is_next(token))?;
        self.at += 1;
        Some(span)
    }

    fn expect(&mut self, token: &str) -> Read<Range<usize>> {
        self.take(token).ok_or_else(|| self.unexpected())
    }

    /// What to say of the next token, which cannot stand where it does.
    fn unexpected(&self) -> ExprProblem {
        let Some(span) = self.span() else {
            let end = self.text.len();
            return ExprProblem::new(end..end, "the expression ends too early");
        };
        let found = self.ahead(0);
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.span(at));
        let before = before.and_then(|before| self.text.get(before));
        let problem = ExprProblem::new(span.clone(), format!("`{found}` cannot stand here"));
        match (before, found) {
            (_, "and" | "AND") => problem.help("write `&&`").replace(span, found, "&&", true),
            (_, "or" | "OR") => problem.help("write `||`").replace(span, found, "||", true),
            (Some("not" | "NOT"), _) => problem.help("write `!` for `not`"),
            (Some("." | "["), "?") => {
                ExprProblem::new(span, "optional fields are not part of the policy language")
                    .help("ask for presence with has(…)")
            }
            _ => problem,
        }
    }

    /// `a`, `a ? b : c`
    fn expression(&mut self) -> Read<Tree> {
        let condition = self.joined(0)?;
        let Some(name) = self.take("?") else { return Ok(condition) };
        let then = self.joined(0)?;
        self.expect(":")?;
        let otherwise = self.expression()?;
        let span = condition.grouped.start..otherwise.grouped.end;
        let form = Form::Operation(Operator::Conditional, vec![condition, then, otherwise]);
        Ok(Tree::new(form, span, name))
    }

    /// Operands joined by operators that bind more tightly than `loosest`.
    fn joined(&mut self, loosest: u8) -> Read<Tree> {
        let mut left = self.signed()?;
        loop {
            let Some((operator, tightness)) =
                Operator::between(self.ahead(0)).filter(|(_, tightness)| *tightness > loosest)
            else {
                return Ok(left);
            };
            let Some(name) = self.span() else { return Ok(left) };
            self.at += 1;
            let right = self.joined(tightness)?;
            let span = left.grouped.start..right.grouped.end;
            let is_bare = left.grouped == left.span;
            left = match left.form {
                Form::Operation(of, mut operands)
                    if of == operator && operator.is_flat() && is_bare =>
                {
                    operands.push(right);
                    Tree::new(Form::Operation(operator, operands), span, left.name)
                }
                _ => Tree::new(Form::Operation(operator, vec![left, right]), span, name),
            };
        }
    }

    /// `!a`, `-a`; two of a kind say nothing.
    fn signed(&mut self) -> Read<Tree> {
        let (sign, operator) = match self.ahead(0) {
            "!" => ("!", Operator::Not),
            "-" if self.token(1) == Some(Token::Number) && !self.is_unsigned(1) => {
                return self.member();
            }
            "-" => ("-", Operator::Negate),
            _ => return self.member(),
        };
        let Some(first) = self.span() else { return Err(self.unexpected()) };
        let mut count = 0_usize;
        while self.take(sign).is_some() {
            count += 1;
        }
        let operand = self.member()?;
        if count.is_multiple_of(2) {
            return Ok(operand);
        }
        let span = first.start..operand.grouped.end;
        Ok(Tree::new(Form::Operation(operator, vec![operand]), span, first))
    }

    /// An operand with its members, calls and indexes.
    fn member(&mut self) -> Read<Tree> {
        let mut node = self.operand()?;
        loop {
            if self.take(".").is_some() {
                let name = self.name()?;
                let field = self.text.get(name.clone()).unwrap_or_default().to_owned();
                node = if self.is_next("(") {
                    self.call(Some(Box::new(node)), field, name)?
                } else {
                    let span = node.grouped.start..name.end;
                    Tree::new(Form::Select { operand: Box::new(node), field }, span, name)
                };
            } else if let Some(name) = self.take("[") {
                let index = self.expression()?;
                let close = self.expect("]")?;
                let span = node.grouped.start..close.end;
                node = Tree::new(Form::Operation(Operator::Index, vec![node, index]), span, name);
            } else if self.is_next("{") && node.is_name() {
                let close = self.skip()?;
                let span = node.span.start..close.end;
                node = Tree::new(Form::Struct, span.clone(), span);
            } else {
                return Ok(node);
            }
        }
    }

    /// A constant, a name, a call, a list, something in brackets.
    fn operand(&mut self) -> Read<Tree> {
        let Some(span) = self.span() else { return Err(self.unexpected()) };
        match (self.token(0), self.ahead(0)) {
            (Some(Token::Number), _) | (_, "-") => self.number(),
            (Some(Token::Text), token) => {
                let literal =
                    literal::text(token).map_err(|error| bad(error, span.clone(), token))?;
                self.at += 1;
                Ok(Tree::literal(literal, span))
            }
            (Some(Token::Word), word) => {
                let literal = match word {
                    "true" => Some(Literal::Bool(true)),
                    "false" => Some(Literal::Bool(false)),
                    "null" => Some(Literal::Null),
                    _ => None,
                };
                match literal {
                    Some(literal) => {
                        self.at += 1;
                        Ok(Tree::literal(literal, span))
                    }
                    None => self.named(span),
                }
            }
            (_, ".") => {
                self.at += 1;
                self.named(span)
            }
            (_, "(") => {
                self.at += 1;
                let inside = self.expression()?;
                let close = self.expect(")")?;
                Ok(Tree { grouped: span.start..close.end, ..inside })
            }
            (_, "[") => self.list(span),
            (_, "{") => {
                let close = self.skip()?;
                let span = span.start..close.end;
                Ok(Tree::new(Form::Map, span.clone(), span))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Read<Tree> {
        let sign = self.take("-");
        let is_number = self.token(0) == Some(Token::Number);
        let is_meant = is_number && (sign.is_none() || !self.is_unsigned(0));
        let Some(digits) = self.span().filter(|_| is_meant) else { return Err(self.unexpected()) };
        let token = self.ahead(0);
        let start = sign.as_ref().map_or(digits.start, |sign| sign.start);
        let literal = match literal::integer(token, sign.is_some()) {
            Some(read) => read.map_err(|error| bad(error, digits.clone(), token))?,
            None if token.parse::<f64>().is_ok_and(f64::is_finite) => {
                Literal::Double { is_negative: sign.is_some(), digits: digits.clone() }
            }
            None => {
                let message = "this number is too large to be written here";
                return Err(ExprProblem::new(digits, message));
            }
        };
        self.at += 1;
        Ok(Tree::literal(literal, start..digits.end))
    }

    /// A variable or a call of a function; `start` is where it, or the dot before it, begins.
    fn named(&mut self, start: Range<usize>) -> Read<Tree> {
        let name = self.name()?;
        let word = self.text.get(name.clone()).unwrap_or_default();
        if RESERVED.contains(&word) {
            let message = format!("`{word}` is a reserved word of CEL");
            return Err(ExprProblem::new(name, message));
        }
        let dot = if start.start < name.start { "." } else { "" };
        let (word, whole) = (format!("{dot}{word}"), start.start..name.end);
        if self.is_next("(") {
            return self.call(None, word, whole);
        }
        Ok(Tree::new(Form::Ident(word), whole.clone(), whole))
    }

    /// Takes a name.
    fn name(&mut self) -> Read<Range<usize>> {
        let is_name = self.token(0) == Some(Token::Word)
            && !matches!(self.ahead(0), "true" | "false" | "null");
        let span = self.span().filter(|_| is_name).ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(span)
    }

    fn call(&mut self, target: Option<Box<Tree>>, name: String, place: Range<usize>) -> Read<Tree> {
        self.expect("(")?;
        let mut args = Vec::new();
        let close = loop {
            if args.is_empty()
                && let Some(close) = self.take(")")
            {
                break close;
            }
            args.push(self.expression()?);
            if self.take(",").is_none() {
                break self.expect(")")?;
            }
        };
        let start = target.as_ref().map_or(place.start, |target| target.grouped.start);
        Ok(Tree::new(Form::Call(Call { name, target, args }), start..close.end, place))
    }

    /// `[a, b]`, with or without a comma at its end.
    fn list(&mut self, open: Range<usize>) -> Read<Tree> {
        self.expect("[")?;
        let mut elements = Vec::new();
        while !self.is_next("]") && !self.is_next(",") {
            elements.push(self.expression()?);
            if self.take(",").is_none() {
                break;
            }
        }
        if elements.is_empty() {
            self.take(",");
        }
        let close = self.expect("]")?;
        let span = open.start..close.end;
        Ok(Tree::new(Form::List(elements), span.clone(), span))
    }

    /// Skips what stands in the brackets that open next; gives the closing one.
    fn skip(&mut self) -> Read<Range<usize>> {
        let close = self.tokens.partner(self.at).ok_or_else(|| self.unexpected())?;
        let span = self.tokens.span(close).ok_or_else(|| self.unexpected())?;
        self.at = close + 1;
        Ok(span)
    }

    fn token(&self, ahead: usize) -> Option<Token> {
        self.tokens.kind(self.at + ahead)
    }

    fn is_unsigned(&self, ahead: usize) -> bool {
        self.ahead(ahead).ends_with(['u', 'U'])
    }
}

impl Tree {
    fn new(form: Form, span: Range<usize>, name: Range<usize>) -> Self {
        Self { form, grouped: span.clone(), span, name }
    }

    fn literal(literal: Literal, span: Range<usize>) -> Self {
        Self::new(Form::Literal(literal), span.clone(), span)
    }

    /// Whether it is names with dots between them and no brackets.
    fn is_name(&self) -> bool {
        let mut node = self;
        loop {
            match &node.form {
                _ if node.grouped != node.span => return false,
                Form::Ident(_) => return true,
                Form::Select { operand, .. } => node = operand,
                _ => return false,
            }
        }
    }
}

fn bad(error: LiteralError, span: Range<usize>, found: &str) -> ExprProblem {
    match error {
        LiteralError::TooWide => {
            let problem = ExprProblem::new(span, "an integer is written with at most 64 bits");
            if found.bytes().all(|byte| byte.is_ascii_digit()) {
                problem.help(format!("write it with a fraction: {found}.0"))
            } else {
                problem
            }
        }
        LiteralError::NoCharacter => {
            ExprProblem::new(span, "this string has an escape that is no character")
        }
    }
}
