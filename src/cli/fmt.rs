//! `mcpfw fmt`: the one layout of policy and config files.

use std::path::{Path, PathBuf};

use crate::config::load;
use crate::diagnostic::document::Document;
use crate::diagnostic::{Diagnostic, Problems, SourceId, Sources, visible};
use crate::layout::lay_out;
use crate::policy::language::codes;

use super::exit::Exit;
use super::findings;
use super::fix::{Fixed, unified};
use super::output::Output;

/// Lay out policy files, schema.toml and mcpfw.toml in the one way that all of them have
///
/// Only white space changes, the line breaks of lists and those of conditions: nothing is sorted, no comment goes. A file that
/// is not TOML is left as it is, and told with line and column.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The layout:
  a blank line before each table, never two in a row; the `=` of a block below
  one another, and the comments behind values; a list on one line where 120
  columns are enough and it holds no comment, else one element a line; an inline
  table stays on one line unless its author broke it; a `when` that is longer
  than a line in ''' over several, broken before its outermost || or &&. Other
  strings stay as they are written.

Exit codes: 0 all is well, 1 with --check: something would change, 2 a file
could not be read.

Examples:
  mcpfw fmt                            everything below policies/
  mcpfw fmt policies/ mcpfw.toml
  mcpfw fmt --check                    for CI: a diff of what would change, and nothing is written
  mcpfw fmt - < policies/files.toml    for editors: from standard input to standard output")]
pub(super) struct Arguments {
    /// Files, directories with all `*.toml` below them, or `-` alone for standard input [default: policies]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Write nothing: print what would change as a unified diff, and exit 1 if there is something
    #[arg(long)]
    check: bool,
}

/// What stands for standard input.
const STDIN: &str = "-";

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let is_stdin = |path: &PathBuf| path.as_os_str() == STDIN;
    if arguments.paths.iter().any(is_stdin) {
        if arguments.paths.len() > 1 {
            output.err("error: `-` is standard input, and stands alone");
            return Exit::CouldNotRun;
        }
        return stdin(arguments.check, output);
    }
    let mut exit = Exit::Clean;
    let mut files: Vec<PathBuf> = Vec::new();
    let default = [PathBuf::from("policies")];
    let paths = if arguments.paths.is_empty() { &default } else { arguments.paths.as_slice() };
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match load::toml_files(path) {
            Ok(below) => files.extend(below),
            Err(found) => exit = refuse(output, &Sources::new(), &found),
        }
    }
    let mut laid = Fixed::default();
    let mut same = 0_usize;
    for path in &files {
        match lay_out_file(path, output) {
            Some((_, None)) => same += 1,
            Some((before, Some(after))) => {
                let mut sources = Sources::new();
                let id = sources.add(path.to_string_lossy(), before);
                laid.files.extend(sources.source(id).cloned().map(|before| (before, after)));
            }
            None => exit = Exit::CouldNotRun,
        }
    }
    let count = |n: usize| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
    if arguments.check {
        let diff = laid.diff();
        if !diff.is_empty() {
            output.out(diff.trim_end_matches('\n'));
            output.err(format_args!("{} would change", count(laid.files.len())));
            exit = exit.max(Exit::Findings);
        }
        return exit;
    }
    if !laid.write(output) {
        return Exit::CouldNotRun;
    }
    for (before, _) in &laid.files {
        output.out(format_args!("laid out {}", visible(before.name())));
    }
    output.out(format_args!("{} laid out, {same} as they were", count(laid.files.len())));
    exit
}

/// From standard input to standard output.
fn stdin(is_check: bool, output: &Output) -> Exit {
    let name = "standard input";
    let before = match load::text_of(std::io::stdin().lock(), name) {
        Ok(text) => text,
        Err(finding) => return refuse(output, &Sources::new(), &[*finding]),
    };
    let Some(after) = lay_out_text(name, &before, output) else { return Exit::CouldNotRun };
    if !is_check {
        if !after.is_empty() {
            output.out(after.strip_suffix('\n').unwrap_or(&after));
        }
        return Exit::Clean;
    }
    if before == after {
        return Exit::Clean;
    }
    output.out(unified(name, &before, &after).trim_end_matches('\n'));
    Exit::Findings
}

/// The text of `path` and its layout, where that is another; `None`: it was told why there is none.
fn lay_out_file(path: &Path, output: &Output) -> Option<(String, Option<String>)> {
    let before = match load::text(path) {
        Ok(text) => text,
        Err(finding) => {
            refuse(output, &Sources::new(), &[*finding]);
            return None;
        }
    };
    let after = lay_out_text(&path.to_string_lossy(), &before, output)?;
    let after = (after != before).then_some(after);
    Some((before, after))
}

/// The layout of `text`; `None`: it is not TOML, and was told why.
fn lay_out_text(name: &str, text: &str, output: &Output) -> Option<String> {
    let mut sources = Sources::new();
    let id = sources.add(name, text);
    let found = syntax(text, id);
    if found.is_empty() {
        return lay_out(text);
    }
    refuse(output, &sources, &found);
    None
}

/// What is wrong with `text` as TOML.
pub(super) fn syntax(text: &str, id: SourceId) -> Vec<Diagnostic> {
    let problems = Problems::new();
    let _ = Document::parse(text, id, codes::DOCUMENT, &problems);
    problems.into_sorted()
}

fn refuse(output: &Output, sources: &Sources, found: &[Diagnostic]) -> Exit {
    findings::complain(output, sources, found);
    Exit::CouldNotRun
}
