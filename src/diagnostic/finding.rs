//! A finding, and the place where findings gather.

use std::cell::RefCell;
use std::fmt;

use super::{Near, Span};

/// A finding's stable name, such as `C012`: never reused for another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not say what its author meant.
    Warning,
}

/// Something that the author of a file should know.
#[derive(Clone, Debug)]
#[must_use = "a finding that nobody sees is lost"]
pub struct Diagnostic {
    /// Its stable name.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where: the first primary label is the place of the finding. Empty where no text is to blame.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// A change that `check --fix` may make.
    pub fix: Option<Fix>,
}

/// A marked part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be said of this place; may be empty.
    pub text: String,
    /// Whether this is what is wrong, rather than what explains it.
    pub is_primary: bool,
}

/// A change that removes the cause of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, in the imperative.
    pub title: String,
    /// Its parts; they do not overlap.
    pub edits: Vec<Edit>,
    /// Whether it may be made without a look at it.
    pub applicability: Applicability,
}

/// Whether a [`Fix`] may be made without a look at it.
///
/// Where what is fixed decides who may do what, a wrong fix is a hole. A fix is therefore safe only if no other meaning is
/// possible, and if it does not let through what was refused by a set that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// It says what the author wrote, in the words of the language.
    Safe,
    /// It probably says what the author meant.
    Unsafe,
}

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub replacement: String,
}

/// Where the findings of one run gather, so that all of them are reported at once.
#[derive(Debug, Default)]
pub struct Problems {
    /// Shared by readers of several tables at a time; never borrowed across a call.
    list: RefCell<Vec<Diagnostic>>,
    /// How many were left out beyond [`Problems::MOST`], and the first of them that is an error, or else the first.
    left_out: RefCell<(usize, Option<(Code, Severity)>)>,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Applicability {
    /// `safe` or `unsafe`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Diagnostic {
    /// A finding that makes the file unusable.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message.into())
    }

    /// A finding with which the file can be used.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message.into())
    }

    fn new(code: Code, severity: Severity, message: String) -> Self {
        Self { code, severity, message, labels: Vec::new(), help: None, fix: None }
    }

    /// Marks what is wrong; `text` may be empty.
    pub fn primary(self, span: Span, text: impl Into<String>) -> Self {
        self.label(span, text.into(), true)
    }

    /// Marks what explains it, such as an earlier definition.
    pub fn secondary(self, span: Span, text: impl Into<String>) -> Self {
        self.label(span, text.into(), false)
    }

    fn label(mut self, span: Span, text: String, is_primary: bool) -> Self {
        self.labels.push(Label { span, text, is_primary });
        self
    }

    /// Says what to do; replaces what was said before.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Says what to do where there is something to say.
    pub fn maybe_help(mut self, text: Option<impl Into<String>>) -> Self {
        self.help = text.map(Into::into).or(self.help);
        self
    }

    /// Offers a change.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Offers a change where there is one.
    pub fn maybe_fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix.or(self.fix);
        self
    }

    /// The place of the finding: its first primary label, or else its first label.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let primary = self.labels.iter().find(|label| label.is_primary);
        primary.or(self.labels.first()).map(|label| label.span)
    }

    /// Whether the file cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Fix {
    /// The change of one place.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
        applicability: Applicability,
    ) -> Self {
        let edit = Edit { span, replacement: replacement.into() };
        Self { title: title.into(), edits: vec![edit], applicability }
    }

    /// The word at `span` replaced by `near`, which was probably meant; at best of `at_best`.
    #[must_use]
    pub fn rename(span: Span, near: Near<'_>, at_best: Applicability) -> Self {
        let found = if near.is_certain { Applicability::Safe } else { Applicability::Unsafe };
        Self::new(format!("write `{}`", near.word), span, near.word, found.max(at_best))
    }
}

impl Problems {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Most findings that are kept. A file of a megabyte can have more mistakes than anybody reads, and showing each costs
    /// time; what is beyond is counted.
    pub const MOST: usize = 1_000;

    /// Adds a finding.
    pub fn push(&self, finding: Diagnostic) {
        let mut list = self.list.borrow_mut();
        if list.len() < Self::MOST {
            list.push(finding);
            return;
        }
        let mut left_out = self.left_out.borrow_mut();
        left_out.0 += 1;
        match left_out.1 {
            Some((_, severity)) if severity <= finding.severity => {}
            _ => left_out.1 = Some((finding.code, finding.severity)),
        }
    }

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let is_left_out = matches!(self.left_out.borrow().1, Some((_, Severity::Error)));
        is_left_out || self.list.borrow().iter().any(Diagnostic::is_error)
    }

    /// How many findings are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.borrow().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All findings in the order in which they are shown: see [`sort`]. Where some were left out, the last one says how
    /// many.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.list.into_inner();
        sort(&mut list);
        if let (count, Some((code, severity))) = self.left_out.into_inner() {
            list.push(Diagnostic::new(
                code,
                severity,
                format!("{count} more findings are left out"),
            ));
        }
        list
    }
}

impl Extend<Diagnostic> for Problems {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, findings: I) {
        for finding in findings {
            self.push(finding);
        }
    }
}

/// Puts findings in the order in which they are shown: those without a place first, then by text in the order of
/// reading, by position, and by code; so that two runs over the same files print the same.
pub fn sort(findings: &mut [Diagnostic]) {
    findings.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.span(), d.severity, d.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    #[test]
    fn findings_come_in_the_order_of_the_text() {
        let mut sources = Sources::new();
        let first = sources.add("z.toml", "abc");
        let second = sources.add("a.toml", "abc");
        let at = |id, start| Span::new(id, start..start + 1);
        let mut problems = Problems::new();
        problems.extend([
            Diagnostic::error(Code("C2"), "d").primary(at(second, 0), ""),
            Diagnostic::warning(Code("C1"), "c").primary(at(first, 2), ""),
            Diagnostic::error(Code("C9"), "b")
                .secondary(at(second, 2), "")
                .primary(at(first, 1), ""),
            Diagnostic::error(Code("C3"), "a"),
        ]);
        assert!(problems.has_errors());
        let order: String = problems.into_sorted().into_iter().map(|d| d.message).collect();
        assert_eq!(order, "abcd");
    }

    #[test]
    fn findings_beyond_the_bound_are_counted() {
        let problems = Problems::new();
        let push = |n: usize, finding: &Diagnostic| {
            for _ in 0..n {
                problems.push(finding.clone());
            }
        };
        push(Problems::MOST, &Diagnostic::warning(Code("C1"), "kept"));
        assert!(!problems.has_errors());
        push(2, &Diagnostic::warning(Code("C2"), "left out"));
        assert!(!problems.has_errors());
        push(1, &Diagnostic::error(Code("C3"), "left out"));
        push(1, &Diagnostic::error(Code("C4"), "left out"));
        assert!(problems.has_errors());
        let list = problems.into_sorted();
        assert_eq!(list.len(), Problems::MOST + 1);
        let last = list.last().unwrap();
        assert_eq!((last.code, last.is_error()), (Code("C3"), true));
        assert_eq!(last.message, "4 more findings are left out");
    }
}
