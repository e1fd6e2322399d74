//! The lock file on disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::load;
use crate::diagnostic::Problems;
use crate::lock::{self, Lock};

use super::super::exit::Exit;
use super::super::findings;
use super::super::output::Output;

/// The lock file that `output` names: itself, or in the directory that it is. A name without an ending is that of a directory, also where
/// it is not there yet.
pub(super) fn place(output: &Path) -> PathBuf {
    let is_folder = output.is_dir() || !output.exists() && output.extension().is_none();
    if is_folder { output.join(lock::FILE_NAME) } else { output.to_path_buf() }
}

/// Writes `text` to `path`, for which [`place`] took `output`. A directory that `output` names is made where it is not there; one that a
/// file is to be in is not, since it may be a slip.
pub(super) fn write(path: &Path, output: &Path, text: &str) -> Result<(), String> {
    let made = match path.parent() == Some(output) && !output.exists() {
        true => std::fs::create_dir(output),
        false => Ok(()),
    };
    made.and_then(|()| super::super::write::write(path, text)).map_err(|error| {
        let has_folder = error.kind() != io::ErrorKind::NotFound;
        let help = if has_folder { "" } else { "\n  help: make the directory first" };
        format!("error: cannot write `{}`: {error}{help}", path.display())
    })
}

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
