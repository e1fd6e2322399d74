//! How findings are shown, the same for every command.

use crate::diagnostic::render::{self, Look};
use crate::diagnostic::{Diagnostic, Sources};

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
    }
}

/// Prints `findings` for a person on standard error; says nothing where there are none.
pub(super) fn complain(output: &Output, sources: &Sources, findings: &[Diagnostic]) {
    if !findings.is_empty() {
        let text = render(Format::Human, output.err_color(), sources, findings);
        output.err(text.trim_end());
    }
}
