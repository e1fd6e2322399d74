//! For programs: an array of objects.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::super::{Diagnostic, Fix, Label, Sources, Span, is_hidden};

/// Findings as one JSON array, on one line.
///
/// Each object has `code`, `severity` (`error`, `warning`), `message`, the place `file`, `line`, `column`, `end_line`,
/// `end_column` (all null where no text is to blame), `help` (or null), `labels` (each with a place, `text` and
/// `primary`) and `fix` (null, or `title`, `applicability` (`safe`, `unsafe`) and `edits`, each with a place and a
/// `replacement`). Lines and columns count
/// from 1, columns in characters; the end is the position after the last character.
#[must_use]
pub fn json(sources: &Sources, findings: &[Diagnostic]) -> String {
    let objects: Vec<Object<'_>> = findings.iter().map(|f| Object::new(sources, f)).collect();
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Visible);
    // Neither a Vec nor these types can fail.
    let _ = objects.serialize(&mut serializer);
    let mut out = String::from_utf8(out).unwrap_or_default();
    out.push('\n');
    out
}

#[derive(Serialize)]
struct Object<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    help: Option<&'a str>,
    labels: Vec<LabelObject<'a>>,
    fix: Option<FixObject<'a>>,
}

#[derive(Default, Serialize)]
struct Place<'a> {
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

#[derive(Serialize)]
struct LabelObject<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
    primary: bool,
}

#[derive(Serialize)]
struct FixObject<'a> {
    title: &'a str,
    applicability: &'a str,
    edits: Vec<EditObject<'a>>,
}

#[derive(Serialize)]
struct EditObject<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    replacement: &'a str,
}

impl<'a> Object<'a> {
    fn new(sources: &'a Sources, finding: &'a Diagnostic) -> Self {
        let label = |label: &'a Label| LabelObject {
            place: Place::new(sources, label.span),
            text: &label.text,
            primary: label.is_primary,
        };
        Self {
            code: finding.code.0,
            severity: finding.severity.as_str(),
            message: &finding.message,
            place: finding.span().map(|span| Place::new(sources, span)).unwrap_or_default(),
            help: finding.help.as_deref(),
            labels: finding.labels.iter().map(label).collect(),
            fix: finding.fix.as_ref().map(|fix| FixObject::new(sources, fix)),
        }
    }
}

impl<'a> FixObject<'a> {
    fn new(sources: &'a Sources, fix: &'a Fix) -> Self {
        let edits = fix.edits.iter().map(|edit| EditObject {
            place: Place::new(sources, edit.span),
            replacement: &edit.replacement,
        });
        Self {
            title: &fix.title,
            applicability: fix.applicability.as_str(),
            edits: edits.collect(),
        }
    }
}

impl<'a> Place<'a> {
    fn new(sources: &'a Sources, span: Span) -> Self {
        let Some(source) = sources.source(span.source) else { return Self::default() };
        let (start, end) = (source.position(span.start), source.position(span.end));
        Self {
            file: Some(source.name()),
            line: Some(start.line),
            column: Some(start.column),
            end_line: Some(end.line),
            end_column: Some(end.column),
        }
    }
}

/// Compact, with every hidden character escaped: the same JSON, and safe to look at (threat T57).
pub(super) struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        let next = |rest: &str| {
            let command = rest.find("##[").map(|at| at + 2);
            rest.find(is_hidden).into_iter().chain(command).min()
        };
        while let Some(at) = next(rest) {
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            writer.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}
