//! Where a long expression may be broken over lines.

use super::parse::parse;
use super::scan::Tokens;

/// An operator between the outermost operands of an expression: what stands before it and after it are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The byte at which it begins.
    pub at: usize,
    /// `||`, which binds less than `&&`.
    pub is_or: bool,
}

/// The `&&` and `||` of `text` that stand in no brackets, in their order. None where a `? :` stands beside them, whose parts
/// they would be; nor where a comment does, which a line break would end elsewhere; nor where `text` is no expression.
#[must_use]
pub fn breaks(text: &str) -> Vec<Break> {
    let Ok(tokens) = Tokens::scan(text) else { return Vec::new() };
    if parse(text, &tokens).is_err() {
        return Vec::new();
    }
    let mut breaks = Vec::new();
    let (mut index, mut end) = (0, 0);
    while let Some(span) = tokens.span(index) {
        if !is_blank(text.get(end..span.start)) {
            return Vec::new();
        }
        match text.get(span.clone()) {
            Some("?") => return Vec::new(),
            Some("&&") => breaks.push(Break { at: span.start, is_or: false }),
            Some("||") => breaks.push(Break { at: span.start, is_or: true }),
            _ => {}
        }
        let last = tokens.partner(index).filter(|partner| *partner > index).unwrap_or(index);
        let inside = (index..last).filter_map(|at| Some((tokens.span(at)?, tokens.span(at + 1)?)));
        if inside.into_iter().any(|(one, next)| !is_blank(text.get(one.end..next.start))) {
            return Vec::new();
        }
        end = tokens.span(last).map_or(span.end, |span| span.end);
        index = last + 1;
    }
    if is_blank(text.get(end..)) { breaks } else { Vec::new() }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_outermost() {
        for (text, want) in [
            ("a && b || c", "&|"),
            ("a", ""),
            ("(a && b)", ""),
            ("(a && b) || f(c || d) && [e && f]", "|&"),
            (r#""&&" == x && r'||' != y"#, "&"),
            ("a && b ? c : d", ""),
            ("a && (b ? c : d)", "&"),
            ("a && b // && c", ""),
            ("a && // x\n b", ""),
            ("a && (b // x\n || c)", ""),
            ("a && \"//\" == b", "&"),
            ("a && 'b", ""),
            ("a & b && c", ""),
            ("a && && b", ""),
            ("a b && c", ""),
            ("", ""),
        ] {
            let found = breaks(text);
            let kinds: String = found.iter().map(|it| if it.is_or { '|' } else { '&' }).collect();
            assert_eq!(kinds, want, "{text}");
            for found in found {
                let operator = if found.is_or { "||" } else { "&&" };
                let rest = text.get(found.at..).unwrap_or_default();
                assert!(rest.starts_with(operator), "{text}");
            }
        }
    }
}
