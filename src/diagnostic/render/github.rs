//! For GitHub Actions: workflow commands, which show findings beside the lines of a pull request.

use std::fmt::Write as _;

use super::super::{Diagnostic, Sources, visible};

/// One `::error file=…,line=…::message` a finding (GitHub's "workflow commands").
#[must_use]
pub fn github(sources: &Sources, findings: &[Diagnostic]) -> String {
    let mut out = String::new();
    for finding in findings {
        let _ = write!(out, "::{} ", finding.severity);
        let place = finding.span().and_then(|span| Some((sources.source(span.source)?, span)));
        if let Some((source, span)) = place {
            let (start, end) = (source.position(span.start), source.position(span.end));
            let file = property(source.name());
            let _ = write!(out, "file={file},line={},endLine={},", start.line, end.line);
            // GitHub takes columns only where both ends are on one line.
            if start.line == end.line {
                let _ = write!(out, "col={},endColumn={},", start.column, end.column);
            }
        }
        let _ = write!(out, "title={}::{}", property(finding.code.0), data(&finding.message));
        if let Some(help) = &finding.help {
            let _ = write!(out, "%0Ahelp: {}", data(help));
        }
        out.push('\n');
    }
    out
}

/// Escapes what would end the message: a file must not be able to add commands of its own.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
