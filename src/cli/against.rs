//! `mcpfw check --against`: what a change of policies allows that was refused before, and the other way round.

use std::path::Path;

use super::exit::Exit;
use super::findings::{self, Format};
use super::output::{Output, escaped, harmless};
use super::policies;

/// Compares the set in `new` with the one in `old`. Clean unless they could not be read or have errors; with `fails`, any
/// difference, and one that cannot be excluded, is a finding.
pub(super) fn run(new: &Path, old: &Path, format: Format, fails: bool, output: &Output) -> Exit {
    let mut sets = Vec::new();
    let mut exit = Exit::Clean;
    for folder in [new, old] {
        let set = policies::read(folder, None);
        if let Some(policy) = set.policy {
            sets.push(policy);
            continue;
        }
        findings::complain(output, &set.sources, &set.findings);
        exit = exit.max(if set.was_read { Exit::Findings } else { Exit::CouldNotRun });
    }
    let [ours, theirs] = sets.as_slice() else { return exit };
    let difference = ours.against(theirs, policies::now());
    let (new, old) = (new.display().to_string(), old.display().to_string());
    match format {
        Format::Json => output.out(escaped(&difference.to_json(&new, &old).to_string())),
        _ => output.out(harmless(difference.to_text(&new, &old).trim_end())),
    }
    if fails && !difference.is_none() { Exit::Findings } else { exit }
}
