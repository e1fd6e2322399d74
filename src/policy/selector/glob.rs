//! Patterns over names and URIs: `*`, `?`, and for URIs `**`.
//!
//! Matching simulates the pattern's automaton, so that its cost is at most (length of the pattern × length of the
//! name) whatever the two are; the names come from callers.

use std::cell::Cell;

/// Longest pattern, in characters. Tool names have at most 128; URIs in patterns are written by hand.
pub(in crate::policy) const MAX_PATTERN: usize = 256;

/// Cells of the tables that all comparisons of one URI template with patterns may fill together, about a millisecond:
/// some 200 patterns of the usual length. Templates come from callers (`completion/complete`).
pub(in crate::policy) const TEMPLATE_FUEL: u32 = 1 << 19;

/// What a pattern is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Dialect {
    /// Names; a wildcard stands for any characters.
    Name,
    /// Names; a wildcard stands for the characters of a regular name only ([`is_name_character`]).
    RegularName,
    /// URIs; `*` and `?` stay inside a segment, `**` does not.
    Uri,
}

/// A pattern that has been checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) struct Glob {
    dialect: Dialect,
    /// Literal text before the first wildcard; all of it where there is none.
    prefix: Box<str>,
    /// From the first wildcard to the last.
    middle: Box<[Token]>,
    /// Literal text after the last wildcard.
    suffix: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `**`
    Across,
}

impl Token {
    const fn is_star(&self) -> bool {
        matches!(self, Self::Many | Self::Across)
    }
}

/// A step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Step {
    /// This character.
    Char(char),
    /// One of the class.
    One(Class),
    /// Any number of the class.
    Many(Class),
}

/// What a wildcard stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Class {
    Any,
    /// [`is_name_character`]
    Name,
    /// All but `/`.
    Segment,
}

impl Class {
    pub(in crate::policy) fn has(self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::Name => is_name_character(c),
            Self::Segment => c != '/',
        }
    }
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::policy) enum GlobError {
    #[error("the pattern is empty")]
    Empty,
    #[error("the pattern is longer than {MAX_PATTERN} characters")]
    TooLong,
    #[error("the pattern has an invisible character")]
    Hidden,
    #[error("`**` means something in `resources` only")]
    AcrossInName,
    #[error("`***` is no wildcard")]
    ThreeStars,
}

/// Whether `c` may stand in a tool name by the specification (and `/`, which older servers use): what a wildcard of
/// an allow stands for (T11).
pub(in crate::policy) const fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

impl Glob {
    pub(in crate::policy) fn parse(text: &str, dialect: Dialect) -> Result<Self, GlobError> {
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        if text.chars().count() > MAX_PATTERN {
            return Err(GlobError::TooLong);
        }
        if text.contains(|c| crate::diagnostic::is_hidden(c) || matches!(c, '\t' | '\n')) {
            return Err(GlobError::Hidden);
        }
        if text.contains("***") {
            return Err(GlobError::ThreeStars);
        }
        if dialect != Dialect::Uri && text.contains("**") {
            return Err(GlobError::AcrossInName);
        }
        Ok(Self::from_tokens(dialect, &tokens(text)))
    }

    fn from_tokens(dialect: Dialect, tokens: &[Token]) -> Self {
        let is_literal = |token: &Token| matches!(token, Token::Char(_));
        let first = tokens.iter().position(|token| !is_literal(token)).unwrap_or(tokens.len());
        let last = tokens.iter().rposition(|token| !is_literal(token)).map_or(first, |at| at + 1);
        let (prefix, rest) = tokens.split_at(first);
        let (middle, suffix) = rest.split_at(last - first);
        Self { dialect, prefix: literal(prefix), middle: middle.into(), suffix: literal(suffix) }
    }

    /// The one name that it stands for, where it has no wildcard.
    pub(in crate::policy) fn exact(&self) -> Option<&str> {
        self.middle.is_empty().then_some(&*self.prefix)
    }

    /// Whether it matches all of `name`.
    pub(in crate::policy) fn matches(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(&*self.prefix) else { return false };
        if self.middle.is_empty() {
            return rest.is_empty();
        }
        let Some(rest) = rest.strip_suffix(&*self.suffix) else { return false };
        match *self.middle {
            [Token::Across] => true,
            [Token::Many] => rest.chars().all(|c| self.stands_for(c)),
            _ => self.simulate(rest),
        }
    }

    /// Whether some expansion of the URI template `template` matches, each `{…}` taken for any text. Takes the table that
    /// it fills from `fuel`; true where there is not enough.
    pub(in crate::policy) fn meets(&self, template: &str, fuel: &Cell<u32>) -> bool {
        let literal = template.split('{').next().unwrap_or_default();
        if !self.prefix.starts_with(literal) && !literal.starts_with(&*self.prefix) {
            return false;
        }
        let pattern = self.tokens();
        let cells = (pattern.len() + 1) * (template.len() + 1);
        match u32::try_from(cells).ok().and_then(|cells| fuel.get().checked_sub(cells)) {
            Some(left) => fuel.set(left),
            None => return true,
        }
        let template = template_tokens(template);
        let width = template.len() + 1;
        let mut seen = vec![false; (pattern.len() + 1) * width];
        let mut open = vec![(0_usize, 0_usize)];
        while let Some((i, j)) = open.pop() {
            match seen.get_mut(i * width + j) {
                Some(known) if !*known => *known = true,
                _ => continue,
            }
            let (left, right) = (pattern.get(i), template.get(j));
            if left.is_none() && right.is_none() {
                return true;
            }
            if left.is_some_and(Token::is_star) {
                open.push((i + 1, j));
            }
            if right.is_some_and(Token::is_star) {
                open.push((i, j + 1));
            }
            let (Some(left), Some(right)) = (left, right) else { continue };
            let fits = match (left, right) {
                (Token::Char(a), Token::Char(b)) => a == b,
                (Token::One | Token::Many, Token::Char(b)) => self.stands_for(*b),
                _ => true,
            };
            if fits {
                open.push((i + usize::from(!left.is_star()), j + usize::from(!right.is_star())));
            }
        }
        false
    }

    /// The pattern with its literal parts rewritten, as a pattern for names that were rewritten in the same way.
    /// Fails with [`GlobError::TooLong`] where a part grows beyond all measure (U+FDFA makes eighteen letters).
    pub(in crate::policy) fn rewritten(
        &self,
        rewrite: impl Fn(&str) -> String,
    ) -> Result<Self, GlobError> {
        let dialect = match self.dialect {
            Dialect::Name | Dialect::RegularName => Dialect::Name,
            Dialect::Uri => Dialect::Uri,
        };
        let mut tokens = Vec::new();
        let all = self.tokens();
        for run in all.chunk_by(|a, b| matches!((a, b), (Token::Char(_), Token::Char(_)))) {
            match run {
                [Token::Char(_), ..] => {
                    tokens.extend(rewrite(&literal(run)).chars().map(Token::Char));
                }
                other => tokens.extend_from_slice(other),
            }
        }
        if tokens.len() > MAX_TOKENS {
            return Err(GlobError::TooLong);
        }
        Ok(Self::from_tokens(dialect, &tokens))
    }

    /// The pattern, one step a token: what the prover's automata run.
    pub(in crate::policy) fn steps(&self) -> impl Iterator<Item = Step> {
        let (one, many) = match self.dialect {
            Dialect::Name => (Step::One(Class::Any), Step::Many(Class::Any)),
            Dialect::RegularName => (Step::One(Class::Name), Step::Many(Class::Name)),
            Dialect::Uri => (Step::One(Class::Segment), Step::Many(Class::Segment)),
        };
        self.tokens().into_iter().map(move |token| match token {
            Token::Char(c) => Step::Char(c),
            Token::One => one,
            Token::Many => many,
            Token::Across => Step::Many(Class::Any),
        })
    }

    /// Texts that every match contains: the runs of literal characters.
    pub(in crate::policy) fn needles(&self) -> impl Iterator<Item = String> {
        let middle = self.middle.split(|token| !matches!(token, Token::Char(_))).map(literal);
        [self.prefix.clone(), self.suffix.clone()]
            .into_iter()
            .chain(middle.collect::<Vec<_>>())
            .filter(|run| !run.is_empty())
            .map(String::from)
    }

    fn tokens(&self) -> Vec<Token> {
        let chars = |text: &str| text.chars().map(Token::Char).collect::<Vec<_>>();
        [chars(&self.prefix), self.middle.to_vec(), chars(&self.suffix)].concat()
    }

    /// Whether `?` and `*` may stand for `c`.
    fn stands_for(&self, c: char) -> bool {
        match self.dialect {
            Dialect::Name => true,
            Dialect::RegularName => is_name_character(c),
            Dialect::Uri => c != '/',
        }
    }

    /// Runs the automaton of the middle over `text`, all of it.
    fn simulate(&self, text: &str) -> bool {
        let mut now = States::default();
        now.enter(0, &self.middle);
        for c in text.chars() {
            let mut next = States::default();
            for state in now.iter() {
                let stays_or_goes = match self.middle.get(state) {
                    Some(Token::Char(wanted)) => (*wanted == c).then_some(state + 1),
                    Some(Token::One) => self.stands_for(c).then_some(state + 1),
                    Some(Token::Many) => self.stands_for(c).then_some(state),
                    Some(Token::Across) => Some(state),
                    None => None,
                };
                if let Some(state) = stays_or_goes {
                    next.enter(state, &self.middle);
                }
            }
            if next.is_empty() {
                return false;
            }
            now = next;
        }
        now.contains(self.middle.len())
    }
}

/// The states of a pattern's automaton that are live: state n stands before token n.
#[derive(Clone, Copy, Debug, Default)]
struct States([u64; STATE_WORDS]);

/// Tokens of a pattern whose literal parts were rewritten: room for `rn` instead of `m`.
const MAX_TOKENS: usize = 2 * MAX_PATTERN;

/// Room for one state more than tokens.
const STATE_WORDS: usize = MAX_TOKENS / 64 + 1;

impl States {
    /// Adds `state`, at most [`MAX_TOKENS`], and those that follow it without a character.
    fn enter(&mut self, mut state: usize, tokens: &[Token]) {
        loop {
            if let Some(word) = self.0.get_mut(state / 64) {
                *word |= 1 << (state % 64);
            }
            match tokens.get(state) {
                Some(Token::Many | Token::Across) => state += 1,
                _ => return,
            }
        }
    }

    fn contains(&self, state: usize) -> bool {
        self.0.get(state / 64).is_some_and(|word| word & 1 << (state % 64) != 0)
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0
            .into_iter()
            .enumerate()
            .flat_map(|(at, word)| super::ones(word).map(move |bit| at * 64 + bit))
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => Token::Across,
            '*' => Token::Many,
            '?' => Token::One,
            other => Token::Char(other),
        });
    }
    tokens
}

/// A template as a pattern: `{…}` is any text. Where braces do not pair, the rest is any text.
fn template_tokens(template: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(template.len());
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c == '{' {
            tokens.push(Token::Across);
            chars.by_ref().find(|c| *c == '}');
        } else {
            tokens.push(Token::Char(c));
        }
    }
    tokens
}

fn literal(tokens: &[Token]) -> Box<str> {
    let char = |token: &Token| match token {
        Token::Char(c) => Some(*c),
        _ => None,
    };
    tokens.iter().filter_map(char).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, dialect: Dialect, name: &str) -> bool {
        Glob::parse(pattern, dialect).unwrap().matches(name)
    }

    #[test]
    fn patterns_and_names() {
        for (pattern, yes, no) in [
            ("read", &["read"][..], &["", "reads", "Read", "rea"][..]),
            ("read_*", &["read_", "read_x", "read_é"], &["read", "aread_x"]),
            ("*_file", &["_file", "a_file"], &["file", "a_files"]),
            ("a*b*c", &["abc", "axbxc", "abbcc"], &["ab", "acb", "abcd"]),
            ("a?c", &["abc", "aéc"], &["ac", "abbc"]),
            ("*", &["", "anything"], &[]),
            ("?*?", &["ab", "abc"], &["", "a"]),
            ("a*a", &["aa", "aba"], &["a"]),
        ] {
            for name in yes {
                assert!(matches(pattern, Dialect::Name, name), "{pattern} {name}");
            }
            for name in no {
                assert!(!matches(pattern, Dialect::Name, name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn a_regular_wildcard_stands_for_regular_characters() {
        for (pattern, name, want) in [
            ("read_*", "read_a-b.c/D9", true),
            ("read_*", "read_é", false),
            ("read_*", "read_ x", false),
            ("read_*", "read_x\0", false),
            ("read?", "readе", false),
            ("файл_*", "файл_1", true),
            ("файл_*", "файл_ф", false),
            ("a*b?c", "a b-c", false),
            ("a*b?c", "a-b-c", true),
        ] {
            assert_eq!(matches(pattern, Dialect::RegularName, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn uris_by_segment() {
        for (pattern, uri, want) in [
            ("file:///a/*", "file:///a/b", true),
            ("file:///a/*", "file:///a/b/c", false),
            ("file:///a/*", "file:///a/", true),
            ("file:///a/**", "file:///a/b/c", true),
            ("file:///a/**", "file:///a", false),
            ("file:///a/**", "file:///ab/c", false),
            ("file:///**/x", "file:///a/b/x", true),
            ("file:///**/*.md", "file:///a/b/c.md", true),
            ("file:///*/*.md", "file:///a/b/c.md", false),
            ("file:///a?c", "file:///a/c", false),
            ("**", "x:y/z", true),
            ("*", "x:y/z", false),
        ] {
            assert_eq!(matches(pattern, Dialect::Uri, uri), want, "{pattern} {uri}");
        }
    }

    #[test]
    fn templates_meet_patterns() {
        for (pattern, template, want) in [
            ("file:///a/*", "file:///{x}/b", true),
            ("file:///a/*", "file:///b/{x}", false),
            ("file:///a/secret", "file:///a/{x}", true),
            ("file:///a/secret", "file:///a/{x}/y", false),
            ("file:///a/*", "file:///a/b/{x}", false), // a `*` does not reach over the slash
            ("file:///a/**", "file:///a/b/{x}", true),
            ("file:///a/*.md", "file:///a/{x}.txt", false),
            ("db://*/rows", "db://{t}/rows{?q}", true),
            ("x:y", "x:{", true),
            ("x:y", "z:{", false),
            ("**/secret", "file:///{x}", true),
            ("**/secret", "file:///{x}/open", false),
        ] {
            let glob = Glob::parse(pattern, Dialect::Uri).unwrap();
            assert_eq!(
                glob.meets(template, &Cell::new(TEMPLATE_FUEL)),
                want,
                "{pattern} {template}"
            );
        }
    }

    #[test]
    fn a_template_that_costs_too_much_meets_everything() {
        let glob = Glob::parse("**b", Dialect::Uri).unwrap();
        // Two tokens and four bytes make twelve cells.
        for (fuel, want, left) in [(0, true, 0), (11, true, 11), (12, false, 0), (30, false, 18)] {
            let fuel = Cell::new(fuel);
            assert_eq!((glob.meets("{}a", &fuel), fuel.get()), (want, left));
        }
    }

    #[test]
    fn texts_that_are_no_patterns() {
        for (text, dialect, want) in [
            ("", Dialect::Name, GlobError::Empty),
            ("a**", Dialect::Name, GlobError::AcrossInName),
            ("a***", Dialect::Uri, GlobError::ThreeStars),
            ("a\u{200b}", Dialect::Name, GlobError::Hidden),
            ("a\n", Dialect::Uri, GlobError::Hidden),
            (&*"x".repeat(MAX_PATTERN + 1), Dialect::Name, GlobError::TooLong),
        ] {
            assert_eq!(Glob::parse(text, dialect), Err(want), "{text:?}");
        }
        let longest = "?".repeat(MAX_PATTERN);
        let glob = Glob::parse(&longest, Dialect::Name).unwrap();
        assert!(
            glob.matches(&"é".repeat(MAX_PATTERN)) && !glob.matches(&"é".repeat(MAX_PATTERN - 1))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn a_pattern_is_the_regex_that_it_looks_like(
            pattern in "[ab/?*]{1,7}",
            name in "[abc/é]{0,8}",
            dialect in prop::sample::select(vec![Dialect::Name, Dialect::RegularName, Dialect::Uri]),
        ) {
            if let Ok(glob) = Glob::parse(&pattern, dialect) {
                let class = match dialect {
                    Dialect::Name => "(?s:.)",
                    Dialect::RegularName => "[A-Za-z0-9_./-]",
                    Dialect::Uri => "[^/]",
                };
                let regex = pattern
                    .replace("**", "\u{1}")
                    .replace('*', "\u{2}")
                    .replace('?', class)
                    .replace('\u{2}', &format!("{class}*"))
                    .replace('\u{1}', "(?s:.*)");
                let regex = regex::Regex::new(&format!("^(?:{regex})$")).unwrap();
                prop_assert_eq!(glob.matches(&name), regex.is_match(&name), "{} {}", pattern, name);
                for needle in glob.needles() {
                    prop_assert!(!glob.matches(&name) || name.contains(&needle));
                }
            }
        }
    }
}
