//! A condition that is too long for its line: a literal string over several, broken before the outermost operators.
//!
//! ```toml
//! when = '''
//!   claims.plan == "pro" && args.path.startsWith("/shared/")
//!   || claims.roles.exists(role, role == "admin")
//! '''
//! ```
//!
//! Blanks mean nothing between the tokens of an expression, so that the policy says what it said. What a literal string
//! cannot hold, and what its author broke himself, stays as it is.

use toml::de::DeValue;

use super::{WIDTH, width};
use crate::policy::expr::breaks;
use crate::policy::expr::limits::MAX_LENGTH;

/// The key whose strings are conditions.
pub(super) const KEY: &str = "when";

const INDENT: &str = "  ";

/// `string`, as it is written with its quotes, over several lines; `None` where it stays as it is.
pub(super) fn broken(string: &str) -> Option<String> {
    let value = DeValue::parse(string).ok()?;
    let text = value.get_ref().as_str()?.trim_matches([' ', '\t']);
    // Of control characters a literal string holds tabs alone, and a line break would be the author's.
    let is_literal = !text.contains("'''") && !text.chars().any(|c| c.is_control() && c != '\t');
    if !is_literal || string.contains('\n') {
        return None;
    }
    let breaks = breaks(text);
    if breaks.is_empty() {
        return None;
    }
    // `||` binds less: what it stands between is broken only where it does not fit itself.
    let has_or = breaks.iter().any(|it| it.is_or);
    let outer = breaks.iter().filter(|it| it.is_or == has_or).map(|it| it.at);
    let mut lines = Vec::new();
    for (start, end) in pieces(0, outer, text.len()) {
        let piece = text.get(start..end)?.trim_end();
        if !has_or || width(piece) + INDENT.len() <= WIDTH {
            lines.push(format!("{INDENT}{piece}"));
            continue;
        }
        let inner = breaks.iter().filter(|it| !it.is_or).map(|it| it.at);
        let inner = inner.filter(|at| (start..end).contains(at));
        for (at, (start, end)) in pieces(start, inner, end).into_iter().enumerate() {
            let deeper = if at == 0 { "" } else { INDENT };
            lines.push(format!("{INDENT}{deeper}{}", text.get(start..end)?.trim_end()));
        }
    }
    let content = format!("{}\n", lines.join("\n"));
    (content.len() <= MAX_LENGTH).then(|| format!("'''\n{content}'''"))
}

/// The pieces of `start..end` that begin there and at each of `breaks`.
fn pieces(start: usize, breaks: impl Iterator<Item = usize>, end: usize) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = std::iter::once(start).chain(breaks).collect();
    starts.push(end);
    starts.iter().copied().zip(starts.iter().copied().skip(1)).collect()
}
