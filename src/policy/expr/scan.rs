//! Tokens of an expression, and everything that must be known before the parse.
//!
//! The scan bounds the text (length, nesting, chain of operators), reports all that CEL has no token for, and says which
//! bracket closes which. It follows the lexer rules of CEL's grammar to the letter. What has a problem here is not parsed.

use std::ops::Range;

use super::{limits, problem::ExprProblem};

/// What a token is, as far as bounds and the grammar need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word,
    Number,
    Text,
    /// `(`
    Paren,
    /// `[` or `{`
    Open,
    Close,
    Comma,
    Operator,
}

/// The tokens of an expression, with spans and pairs of brackets.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    list: Vec<Placed>,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    token: Token,
    start: usize,
    end: usize,
    /// Index of the other bracket.
    partner: Option<usize>,
}

impl Tokens {
    /// Scans `text`, which is held to the bounds of [`limits`].
    pub(super) fn scan(text: &str) -> Result<Self, Vec<ExprProblem>> {
        if text.len() > limits::MAX_LENGTH {
            let at = text.floor_char_boundary(limits::MAX_LENGTH);
            let problem = ExprProblem::new(
                at..text.len(),
                format!(
                    "an expression has at most {} bytes, this one {}",
                    limits::MAX_LENGTH,
                    text.len()
                ),
            );
            return Err(vec![problem.help("move long lists into a claim, or split the rule")]);
        }
        let mut scan =
            Scan { text, tokens: Self::default(), open: Vec::new(), problems: Vec::new() };
        let mut at = 0;
        while let Some(next) = scan.step(at) {
            at = next;
        }
        scan.finish()
    }

    /// What token `index` is.
    pub(super) fn kind(&self, index: usize) -> Option<Token> {
        self.list.get(index).map(|token| token.token)
    }

    /// The span of token `index`.
    pub(super) fn span(&self, index: usize) -> Option<Range<usize>> {
        self.list.get(index).map(|token| token.start..token.end)
    }

    /// The bracket that belongs to bracket `index`.
    pub(super) fn partner(&self, index: usize) -> Option<usize> {
        self.list.get(index)?.partner
    }
}

struct Scan<'a> {
    text: &'a str,
    tokens: Tokens,
    /// Indexes of the brackets that are open.
    open: Vec<usize>,
    problems: Vec<ExprProblem>,
}

impl<'a> Scan<'a> {
    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or("")
    }

    /// Takes the token at `at`; gives where the next begins, `None` at the end.
    fn step(&mut self, at: usize) -> Option<usize> {
        let rest = self.rest(at);
        let first = rest.chars().next()?;
        if matches!(first, ' ' | '\t' | '\r' | '\n' | '\u{c}') {
            return Some(at + 1);
        }
        if rest.starts_with("//") {
            return Some(at + rest.find('\n').unwrap_or(rest.len()));
        }
        if let Some(length) = self.quoted(at) {
            return Some(at + length);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let length = word_length(rest);
            let kind = if rest.get(..length) == Some("in") { Token::Operator } else { Token::Word };
            return Some(self.push(kind, at, length));
        }
        let after_point =
            rest.strip_prefix('.').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        if first.is_ascii_digit() || after_point {
            return Some(self.push(Token::Number, at, number_length(rest)));
        }
        match first {
            '(' => Some(self.open(at, Token::Paren)),
            '[' | '{' => Some(self.open(at, Token::Open)),
            ')' | ']' | '}' => Some(self.close(at, first)),
            ',' => Some(self.push(Token::Comma, at, 1)),
            '.' | '-' | '?' | ':' | '+' | '*' | '/' | '%' => {
                Some(self.push(Token::Operator, at, 1))
            }
            '=' | '!' | '<' | '>' | '&' | '|' => Some(self.operator(at, first)),
            _ => Some(self.stranger(at, first)),
        }
    }

    fn push(&mut self, token: Token, start: usize, length: usize) -> usize {
        let end = start + length;
        self.tokens.list.push(Placed { token, start, end, partner: None });
        end
    }

    fn open(&mut self, at: usize, bracket: Token) -> usize {
        self.open.push(self.tokens.list.len());
        if self.open.len() == limits::MAX_NESTING + 1 {
            self.problems.push(ExprProblem::new(
                at..at + 1,
                format!("brackets nest at most {} deep", limits::MAX_NESTING),
            ));
        }
        self.push(bracket, at, 1)
    }

    fn close(&mut self, at: usize, close: char) -> usize {
        let index = self.tokens.list.len();
        let end = self.push(Token::Close, at, 1);
        let Some(partner) = self.open.pop() else {
            self.problems.push(ExprProblem::new(at..end, format!("`{close}` closes nothing")));
            return end;
        };
        let Some(opened) = self.tokens.span(partner) else { return end };
        let open = self.text.get(opened.clone()).unwrap_or_default();
        if !matches!((open, close), ("(", ')') | ("[", ']') | ("{", '}')) {
            self.problems.push(
                ExprProblem::new(at..end, format!("`{close}` cannot close `{open}`"))
                    .also(opened, "opened here"),
            );
        }
        for (from, to) in [(partner, index), (index, partner)] {
            if let Some(token) = self.tokens.list.get_mut(from) {
                token.partner = Some(to);
            }
        }
        end
    }

    fn operator(&mut self, at: usize, first: char) -> usize {
        let rest = self.rest(at);
        for (written, meant) in [("===", "=="), ("!==", "!=")] {
            if rest.starts_with(written) {
                let span = at..at + written.len();
                self.problems.push(
                    ExprProblem::new(span.clone(), format!("`{written}` is no operator"))
                        .help(format!("write `{meant}`"))
                        .replace(span, written, meant, true),
                );
                return at + written.len();
            }
        }
        if rest.starts_with("=~") || rest.starts_with("!~") {
            let (written, help) = match first {
                '=' => ("=~", "write `x.matches(\"…\")` for a regular expression"),
                _ => ("!~", "write `!x.matches(\"…\")` for a regular expression"),
            };
            let span = at..at + written.len();
            let problem = ExprProblem::new(span, format!("`{written}` is no operator")).help(help);
            self.problems.push(problem);
            return at + written.len();
        }
        for operator in ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!"] {
            if rest.starts_with(operator) {
                return self.push(Token::Operator, at, operator.len());
            }
        }
        let (one, two) = (first.to_string(), format!("{first}{first}"));
        self.problems.push(
            ExprProblem::new(at..at + 1, format!("`{first}` is no operator"))
                .help(format!("write `{two}`"))
                .replace(at..at + 1, &one, &two, true),
        );
        at + 1
    }

    /// A character that begins no token.
    fn stranger(&mut self, at: usize, first: char) -> usize {
        let end = at + first.len_utf8();
        let name = match first {
            '`' => "a backtick".to_owned(),
            first => format!("`{}`", first.escape_debug()),
        };
        let problem = ExprProblem::new(at..end, format!("{name} has no meaning outside a string"));
        self.problems.push(match first {
            '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => {
                problem.help("write straight quotes: \" or '")
            }
            '~' => problem.help("write `x.matches(\"…\")` for a regular expression"),
            '`' => problem.help("write names that are no identifiers as in claims[\"x-y\"]"),
            _ => problem,
        });
        end
    }

    /// Takes a string literal at `at`, gives its length; `None` where there is none. A literal that does not end
    /// is a problem that ends the scan.
    fn quoted(&mut self, at: usize) -> Option<usize> {
        let rest = self.rest(at);
        let bytes = rest.as_bytes();
        let mut prefix = 0;
        if matches!(bytes.first(), Some(b'b' | b'B')) {
            prefix += 1;
        }
        let raw = matches!(bytes.get(prefix), Some(b'r' | b'R'));
        prefix += usize::from(raw);
        let body = rest.get(prefix..)?;
        let quote =
            ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote))?;
        let start = prefix + quote.len();
        let mut skip = start;
        loop {
            let Some(found) =
                rest.get(skip..).and_then(|rest| rest.find([quote_char(quote), '\\', '\n', '\r']))
            else {
                return Some(self.unclosed(at, quote, rest.len()));
            };
            skip += found;
            let here = rest.get(skip..).unwrap_or("");
            if here.starts_with(quote) {
                return Some(self.push(Token::Text, at, skip + quote.len()) - at);
            }
            match here.as_bytes().first() {
                Some(b'\n' | b'\r') if quote.len() == 1 => {
                    return Some(self.unclosed(at, quote, skip));
                }
                Some(b'\\') if !raw => match escape_length(here) {
                    Some(length) => skip += length,
                    None => {
                        let length = here.chars().take(2).map(char::len_utf8).sum::<usize>();
                        self.problems.push(
                            ExprProblem::new(
                                at + skip..at + skip + length,
                                "this is no escape sequence",
                            )
                            .help("write `\\\\` for a backslash, or a raw string: r\"…\""),
                        );
                        skip += length;
                    }
                },
                _ => skip += 1,
            }
        }
    }

    fn unclosed(&mut self, at: usize, quote: &str, length: usize) -> usize {
        let end = at + length;
        self.problems.push(
            ExprProblem::new(at..end, "this string does not end")
                .help(format!("close it with {quote}")),
        );
        self.push(Token::Text, at, length) - at
    }

    fn finish(mut self) -> Result<Tokens, Vec<ExprProblem>> {
        for open in &self.open {
            if let Some(span) = self.tokens.span(*open) {
                let bracket = self.text.get(span.clone()).unwrap_or_default();
                self.problems.push(ExprProblem::new(span, format!("`{bracket}` is not closed")));
            }
        }
        let mut operators = self.tokens.list.iter().filter(|token| token.token == Token::Operator);
        if let Some(over) = operators.nth(limits::MAX_OPERATORS) {
            self.problems.push(ExprProblem::new(
                over.start..over.end,
                format!("an expression has at most {} operators", limits::MAX_OPERATORS),
            ));
        }
        let asks = |token: &&Placed| self.text.get(token.start..token.end) == Some("?");
        if let Some(over) = self.tokens.list.iter().filter(asks).nth(limits::MAX_DEPTH) {
            self.problems.push(ExprProblem::new(
                over.start..over.end,
                format!("an expression has at most {} of `? :`", limits::MAX_DEPTH),
            ));
        }
        if self.tokens.list.is_empty() && self.problems.is_empty() {
            self.problems.push(ExprProblem::new(0..self.text.len(), "the expression is empty"));
        }
        if self.problems.is_empty() {
            return Ok(self.tokens);
        }
        self.problems.sort_by_key(|problem| problem.span.start);
        Err(self.problems)
    }
}

fn quote_char(quote: &str) -> char {
    if quote.starts_with('"') { '"' } else { '\'' }
}

fn word_length(rest: &str) -> usize {
    rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
}

/// Length of the number at the start of `rest`, which begins with a digit or `.` and a digit.
fn number_length(rest: &str) -> usize {
    let run = |from: usize, hex: bool| -> usize {
        let rest = rest.get(from..).unwrap_or("");
        rest.find(|c: char| !(c.is_ascii_digit() || hex && c.is_ascii_hexdigit()))
            .unwrap_or(rest.len())
    };
    let starts =
        |from: usize, set: &[char]| rest.get(from..).is_some_and(|rest| rest.starts_with(set));
    if rest.starts_with("0x") && run(2, true) > 0 {
        let length = 2 + run(2, true);
        return length + usize::from(starts(length, &['u', 'U']));
    }
    let mut length = run(0, false);
    let mut float = false;
    if starts(length, &['.']) && run(length + 1, false) > 0 {
        length += 1 + run(length + 1, false);
        float = true;
    }
    if starts(length, &['e', 'E']) {
        let sign = 1 + usize::from(starts(length + 1, &['+', '-']));
        let digits = run(length + sign, false);
        if digits > 0 {
            return length + sign + digits;
        }
    }
    length + usize::from(!float && starts(length, &['u', 'U']))
}

/// Length of the escape sequence at the start of `rest`, where CEL has it.
fn escape_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let all = |range: Range<usize>, test: fn(&u8) -> bool| {
        bytes.get(range.clone()).is_some_and(|bytes| bytes.iter().all(test)).then_some(range.end)
    };
    match bytes.get(1)? {
        b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`' => {
            Some(2)
        }
        b'x' | b'X' => all(2..4, u8::is_ascii_hexdigit),
        b'u' => all(2..6, u8::is_ascii_hexdigit),
        b'U' => all(2..10, u8::is_ascii_hexdigit),
        b'0'..=b'3' => all(2..4, |byte| matches!(byte, b'0'..=b'7')),
        _ => None,
    }
}
