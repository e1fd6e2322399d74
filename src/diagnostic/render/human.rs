//! For people: the line with what is wrong underlined, as rustc shows it.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::super::{
    Diagnostic, Label, Severity, Source, SourceId, Sources, is_command, is_hidden, visible,
};

/// What the reader's terminal can do.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether to colour; only for terminals.
    pub color: bool,
    /// Columns; longer lines of the text are cut around what is marked.
    pub width: usize,
}

impl Look {
    /// For a pipe or a file: no colour, 140 columns.
    pub const PLAIN: Self = Self { color: false, width: 140 };
}

/// Findings with the lines that they point at, an empty line between two of them.
///
/// Nothing of a text reaches the terminal that the terminal would obey (threat T57): hidden characters are shown as
/// `\u{…}` in messages, and as one `�` each in quoted lines, so that columns stay right.
#[must_use]
pub fn human(sources: &Sources, findings: &[Diagnostic], look: Look) -> String {
    let renderer = if look.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(look.width);
    let mut out = String::new();
    for finding in findings {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&one(sources, finding, &renderer));
        out.push('\n');
    }
    out
}

fn one(sources: &Sources, finding: &Diagnostic, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    for id in texts(finding) {
        let Some(source) = sources.source(id) else { continue };
        let labels: Vec<&Label> = finding.labels.iter().filter(|l| l.span.source == id).collect();
        match quote(source, &labels) {
            Some(quoted) => elements.push(quoted.into()),
            None => elements.extend(place(source, &labels)),
        }
    }
    if let Some(help) = &finding.help {
        elements.push(Level::HELP.message(visible(help)).into());
    }
    let title = level.primary_title(visible(&finding.message)).id(finding.code.0);
    renderer.render(&[title.elements(elements)])
}

/// The texts that a finding points into, that of its place first.
fn texts(finding: &Diagnostic) -> Vec<SourceId> {
    let mut ids: Vec<SourceId> = finding.span().map(|span| span.source).into_iter().collect();
    for label in &finding.labels {
        if !ids.contains(&label.span.source) {
            ids.push(label.span.source);
        }
    }
    ids
}

/// Most bytes of one line that are quoted. Nobody would find the mark in more, and a file that is one line of a megabyte
/// would be laid out anew for each finding.
const MAX_LINE: usize = 4 * 1024;

/// The place of the first of `labels` and their texts, for lines that are too long to be quoted.
fn place<'a>(source: &'a Source, labels: &[&'a Label]) -> Vec<Element<'a>> {
    let first = labels.iter().find(|label| label.is_primary).or(labels.first());
    let at = source.position(first.map_or(0, |label| label.span.start));
    let origin = Origin::path(visible(source.name())).line(at.line).char_column(at.column);
    let texts = labels.iter().filter(|label| !label.text.is_empty());
    let notes = texts.map(|label| Level::NOTE.message(visible(&label.text)).into());
    std::iter::once(origin.into()).chain(notes).collect()
}

/// The lines that `labels` touch; `None` where one is too long. Only these are handed to the renderer: a text may be
/// large, its findings many.
fn quote<'a>(source: &'a Source, labels: &[&'a Label]) -> Option<Snippet<'a, Annotation<'a>>> {
    let spans: Vec<Range<usize>> = labels.iter().map(|l| source.clamp(l.span.range())).collect();
    let from = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let to = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let window = source.lines(from..to);
    let text = source.text().get(window.clone()).unwrap_or("");
    if text.lines().any(|line| line.len() > MAX_LINE) {
        return None;
    }
    let line = source.position(window.start).line;
    let shown = Shown::new(text, |at| source.is_hidden(window.start + at));
    let marks = labels.iter().zip(spans).map(|(label, span)| {
        let kind = if label.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let place = |at: usize| shown.offset(at.saturating_sub(window.start));
        let mark = kind.span(place(span.start)..place(span.end));
        mark.label((!label.text.is_empty()).then(|| visible(&label.text)))
    });
    let marks: Vec<_> = marks.collect();
    let snippet = Snippet::source(shown.text).path(visible(source.name())).line_start(line);
    Some(snippet.annotations(marks))
}

/// A text in which each hidden character has become one `�` and each of a secret one `*`, and the way from old offsets
/// to new ones.
struct Shown<'a> {
    text: Cow<'a, str>,
    /// For each replaced character: its old offset, and how much longer the text has become with it.
    longer: Vec<(usize, isize)>,
}

impl<'a> Shown<'a> {
    fn new(text: &'a str, is_secret: impl Fn(usize) -> bool) -> Self {
        let replaced = |at: usize, c: char| {
            // A line feed, or a carriage return before one, is the end of a line and stays that.
            let is_line_end = c == '\n'
                || (c == '\r' && text.get(at..).is_some_and(|rest| rest.starts_with("\r\n")));
            match c {
                _ if is_line_end => None,
                _ if is_secret(at) => Some('*'),
                c if is_hidden(c) => Some(char::REPLACEMENT_CHARACTER),
                '[' if is_command(text, at) => Some(char::REPLACEMENT_CHARACTER),
                _ => None,
            }
        };
        if !text.char_indices().any(|(at, c)| replaced(at, c).is_some()) {
            return Self { text: Cow::Borrowed(text), longer: Vec::new() };
        }
        let mut out = String::with_capacity(text.len() + 16);
        let mut longer = Vec::new();
        let mut sum = 0;
        for (at, c) in text.char_indices() {
            let shown = replaced(at, c).unwrap_or(c);
            out.push(shown);
            if shown != c {
                sum += shown.len_utf8().cast_signed() - c.len_utf8().cast_signed();
                longer.push((at, sum));
            }
        }
        Self { text: Cow::Owned(out), longer }
    }

    fn offset(&self, old: usize) -> usize {
        let before = self.longer.partition_point(|(at, _)| *at < old);
        let longer = before.checked_sub(1).and_then(|i| self.longer.get(i)).map_or(0, |(_, n)| *n);
        old.saturating_add_signed(longer).min(self.text.len())
    }
}
