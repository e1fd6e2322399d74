//! The lock file on disk.

use std::fs::{self, File};
use std::io::{self, Write as _};
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

/// Puts `text` into `path`, all of it or nothing: a reader meets the file as it was or as it is.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(hidden);
    let written = create(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
