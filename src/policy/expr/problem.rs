//! What can be wrong with an expression.

use std::ops::Range;

use crate::diagnostic::{Elsewhere, Here, elsewhere, near};

/// One thing that is wrong with an expression. All things that are wrong are reported together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprProblem {
    /// Where: bytes of the expression's text, in order, at character boundaries, empty only at its end.
    pub span: Range<usize>,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// What stands at `span`, in a few words; may be empty.
    pub label: String,
    /// Other places that belong to it, with what stands there.
    pub also: Vec<(Range<usize>, String)>,
    /// What to write instead.
    pub help: Option<String>,
    /// What to put into the place of a part of the text.
    pub fix: Option<Box<ExprFix>>,
}

/// A change of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprFix {
    /// What goes: bytes of the expression's text.
    pub span: Range<usize>,
    /// What stands there: the fix is for nothing else.
    pub found: Box<str>,
    /// What comes.
    pub replacement: Box<str>,
    /// Whether nothing else can be meant.
    pub is_certain: bool,
}

impl ExprProblem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            label: String::new(),
            also: Vec::new(),
            help: None,
            fix: None,
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn suggest<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match near(word, candidates) {
            Some(meant) => {
                let span = self.span.clone();
                let problem = self.help(format!("did you mean `{}`?", meant.word));
                problem.replace(span, word, meant.word, meant.is_certain)
            }
            None => self,
        }
    }

    /// With what `word`, which stands at the place of the problem, is here by `table`; `Err` where that has it not.
    pub(super) fn of_others(self, word: &str, table: &[Elsewhere]) -> Result<Self, Self> {
        match elsewhere(word, table) {
            Some(Here::Word(here)) => {
                let span = self.span.clone();
                Ok(self.help(format!("did you mean `{here}`?")).replace(span, word, here, false))
            }
            Some(Here::Say(how)) => Ok(self.help(how)),
            None => Err(self),
        }
    }

    /// Offers `replacement` in the place of `found`, which stands at `span`.
    pub(super) fn replace(
        mut self,
        span: Range<usize>,
        found: &str,
        replacement: &str,
        is_certain: bool,
    ) -> Self {
        let (found, replacement) = (found.into(), replacement.into());
        self.fix = Some(Box::new(ExprFix { span, found, replacement, is_certain }));
        self
    }
}
