//! Constants of CEL's grammar, from their tokens.

use super::super::tree::Literal;

/// Why a token is no constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiteralError {
    /// An integer of more than 64 bits.
    TooWide,
    /// An escape that is no character.
    NoCharacter,
}

/// The integer that `token` is, without its sign; `None` where it is one with a fraction or an exponent.
pub(super) fn integer(token: &str, is_negative: bool) -> Option<Result<Literal, LiteralError>> {
    let (digits, is_unsigned) = match token.strip_suffix(['u', 'U']) {
        Some(digits) => (digits, true),
        None => (token, false),
    };
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if digits.contains(['.', 'e', 'E']) => return None,
        None => (digits, 10),
    };
    let read = if is_unsigned {
        u64::from_str_radix(digits, radix).map(Literal::UInt)
    } else {
        let sign = if is_negative { "-" } else { "" };
        i64::from_str_radix(&format!("{sign}{digits}"), radix).map(Literal::Int)
    };
    Some(read.map_err(|_| LiteralError::TooWide))
}

/// The text that `token` is: quoted, perhaps raw, perhaps bytes.
pub(super) fn text(token: &str) -> Result<Literal, LiteralError> {
    let mut body = token;
    let mut has = |letters: [char; 2]| match body.strip_prefix(letters) {
        Some(rest) => {
            body = rest;
            true
        }
        None => false,
    };
    let is_bytes = has(['b', 'B']);
    let is_raw = has(['r', 'R']);
    if is_bytes {
        return Ok(Literal::Bytes);
    }
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote));
    let inside = quote.and_then(|quote| body.strip_prefix(quote)?.strip_suffix(quote));
    let inside = inside.unwrap_or_default();
    // A line ends in one way, whatever the file does.
    let inside = inside.replace("\r\n", "\n").replace('\r', "\n");
    if is_raw { Ok(Literal::Text(inside)) } else { unescape(&inside).map(Literal::Text) }
}

fn unescape(text: &str) -> Result<String, LiteralError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let escape = after.chars().next().unwrap_or('\\');
        let (digits, radix, skip) = match escape {
            'x' | 'X' => (2, 16, 1),
            'u' => (4, 16, 1),
            'U' => (8, 16, 1),
            '0'..='3' => (3, 8, 0),
            _ => {
                out.push(match escape {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    same => same,
                });
                rest = after.get(escape.len_utf8()..).unwrap_or_default();
                continue;
            }
        };
        let code = after.get(skip..skip + digits).and_then(|d| u32::from_str_radix(d, radix).ok());
        out.push(code.and_then(char::from_u32).ok_or(LiteralError::NoCharacter)?);
        rest = after.get(skip + digits..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}
