//! A finding, and the place where findings gather.

use std::cell::RefCell;
use std::fmt;

use super::Span;

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

    /// Offers a change of one place.
    pub fn fix(
        mut self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        let edit = Edit { span, replacement: replacement.into() };
        self.fix = Some(Fix { title: title.into(), edits: vec![edit] });
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

impl Problems {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn push(&self, finding: Diagnostic) {
        self.list.borrow_mut().push(finding);
    }

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.borrow().iter().any(Diagnostic::is_error)
    }

    /// How many findings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.borrow().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All findings in the order in which they are shown: see [`sort`].
    #[must_use]
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.list.into_inner();
        sort(&mut list);
        list
    }
}

impl Extend<Diagnostic> for Problems {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, findings: I) {
        self.list.get_mut().extend(findings);
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
}
