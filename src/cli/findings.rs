//! How findings are shown, the same for every command.

use crate::diagnostic::render::{self, Look, RuleText};
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::policy::language::codes;

use super::output::Output;

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// People: the line with what is wrong underlined.
    #[default]
    Human,
    /// Programs: one JSON document.
    Json,
    /// GitHub Actions: annotations on the files of a change.
    Github,
    /// Code scanning: one SARIF 2.1.0 log.
    Sarif,
}

/// The columns of a terminal whose width nobody tells.
const WIDTH: usize = 120;

/// `findings` as one text.
pub(super) fn render(
    format: Format,
    color: bool,
    sources: &Sources,
    findings: &[Diagnostic],
) -> String {
    match format {
        Format::Human => render::human(sources, findings, Look { color, width: WIDTH }),
        Format::Json => render::json(sources, findings),
        Format::Github => render::github(sources, findings),
        Format::Sarif => sarif(&[(sources, findings)]),
    }
}

/// `sets` of findings, each of its texts, as one SARIF log.
pub(super) fn sarif(sets: &[(&Sources, &[Diagnostic])]) -> String {
    let rules = codes::ALL.iter().map(|info| RuleText {
        id: info.code.0,
        title: info.title().to_owned(),
        markdown: info.body(),
        severity: match info.severity() {
            "warning" => Severity::Warning,
            _ => Severity::Error,
        },
    });
    render::sarif(sets, &rules.collect::<Vec<_>>())
}

/// Prints `findings` for a person on standard error; says nothing where there are none.
pub(super) fn complain(output: &Output, sources: &Sources, findings: &[Diagnostic]) {
    if !findings.is_empty() {
        let text = render(Format::Human, output.err_color(), sources, findings);
        output.err(text.trim_end());
    }
}
