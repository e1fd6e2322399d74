//! `mcpfw check --fix`: the changes that findings offer, made in the files.

use std::path::Path;

use crate::diagnostic::fix::apply;
use crate::diagnostic::{Applicability, Diagnostic, Source, SourceId, visible};
use crate::gateway::policies::{Reading, Set};
use crate::policy::language::codes;
use similar::{ChangeTag, TextDiff};

use super::output::Output;
use super::write::write;

/// Most times that the files are checked again: a fix may uncover what another one is for.
const MAX_ROUNDS: usize = 10;

/// What fixing came to.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// How many fixes were made.
    pub(super) made: usize,
    /// The files that differ: as they were, and their new text.
    pub(super) files: Vec<(Source, String)>,
}

/// `set` with every fix made that is no less safe than `most`, and what changed.
pub(super) fn fix(set: Set, reading: &Reading, most: Applicability) -> (Set, Fixed) {
    let original = set.sources.clone();
    let mut set = set;
    let mut made = 0;
    for _ in 0..MAX_ROUNDS {
        let applied = apply(&set.sources, &set.findings, most);
        if applied.made == 0 {
            break;
        }
        let next = reading.again(set.sources.with(&applied.texts));
        // What was TOML stays TOML: a fix that breaks a file is a mistake of ours, and is not made.
        if broken(&next.findings) > broken(&set.findings) {
            break;
        }
        made += applied.made;
        set = next;
    }
    let changed = original.iter().filter_map(|(id, before)| {
        let after = text(&set, id)?;
        (*after != *before.text()).then(|| (before.clone(), after.to_owned()))
    });
    let files = changed.collect();
    (set, Fixed { made, files })
}

fn text(set: &Set, id: SourceId) -> Option<&str> {
    set.sources.source(id).map(Source::text)
}

fn broken(findings: &[Diagnostic]) -> usize {
    findings.iter().filter(|found| found.code == codes::SYNTAX).count()
}

impl Fixed {
    /// Writes every changed file. Whether all could be written; what could not is told.
    ///
    /// A file that somebody else has changed since it was read stays as it is.
    pub(super) fn write(&self, output: &Output) -> bool {
        let mut is_written = true;
        for (before, after) in &self.files {
            let path = Path::new(before.name());
            let written = match std::fs::read_to_string(path) {
                Ok(now) if *now == *before.text() => {
                    write(path, after).map_err(|it| it.to_string())
                }
                Ok(_) => Err("it was changed meanwhile".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = written {
                output
                    .err(format_args!("error: cannot write `{}`: {error}", visible(before.name())));
                is_written = false;
            }
        }
        is_written
    }

    /// The changes as a unified diff, file by file.
    pub(super) fn diff(&self) -> String {
        self.files
            .iter()
            .map(|(before, after)| unified(before.name(), before.text(), after))
            .collect()
    }
}

/// Lines around a change.
const CONTEXT: usize = 3;

/// From `before` to `after` as a unified diff. Characters that a terminal would obey are shown as `\u{…}` (T57).
pub(super) fn unified(name: &str, before: &str, after: &str) -> String {
    let name = visible(name);
    let diff = TextDiff::from_lines(before, after);
    let mut out = format!("--- {name}\n+++ {name}\n");
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        out.push_str(&hunk.header().to_string());
        out.push('\n');
        for change in hunk.iter_changes() {
            out.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            let line = change.value();
            let bare = line.strip_suffix('\n').unwrap_or(line);
            // Tabs are as they are.
            let shown: Vec<_> = bare.split('\t').map(visible).collect();
            let shown = shown.join("\t");
            // Behind blanks it would be a command to a GitHub runner (T65); behind a sign it is none.
            let is_command = shown.trim_start().starts_with("::");
            let shown = if is_command { shown.replacen("::", "\\u{3a}:", 1) } else { shown };
            out.push_str(&shown);
            out.push('\n');
            if change.missing_newline() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}
