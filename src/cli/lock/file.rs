//! The lock file on disk.

use std::path::Path;

use crate::config::load;
use crate::diagnostic::Problems;
use crate::lock::{self, Lock};

use super::super::exit::Exit;
use super::super::findings;
use super::super::output::Output;

/// The text of `path` and what it says; `None` where there is no such file. What is wrong with it is told here.
pub(super) fn read(path: &Path, output: &Output) -> Result<Option<(Box<str>, Lock)>, Exit> {
    let problems = Problems::new();
    let (sources, file) = load::lock(path, &problems);
    let read = file.and_then(|id| {
        let lock = lock::parse(&sources, id, &problems)?;
        Some((sources.source(id)?.text().into(), lock))
    });
    let has_errors = problems.has_errors();
    findings::complain(output, &sources, &problems.into_sorted());
    // What is there and is no lock file is not overwritten: it may be somebody else's file.
    if has_errors { Err(Exit::CouldNotRun) } else { Ok(read) }
}
