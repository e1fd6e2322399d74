//! A directory of policy files, read and compiled.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::load;
use crate::diagnostic::{Diagnostic, Problems, SourceId, Sources};
use crate::lock::{self, Lock};
use crate::policy::language::codes;
use crate::policy::{CompileOptions, Policy, UnixTime};

/// What came of a policy directory.
#[derive(Debug)]
pub(super) struct Set {
    /// The files.
    pub(super) sources: Sources,
    /// Everything that was found, in order.
    pub(super) findings: Vec<Diagnostic>,
    /// The compiled set, unless a finding is an error.
    pub(super) policy: Option<Arc<Policy>>,
    /// Whether all files could be read, so that the findings speak of the rules.
    pub(super) was_read: bool,
}

/// Reads and compiles `folder`. `routes`: the names of the routes there are, where they are known.
pub(super) fn read(folder: &Path, routes: Option<Vec<Box<str>>>) -> Set {
    let (sources, mut findings) = load::policies(folder);
    if findings.iter().any(Diagnostic::is_error) {
        return Set { sources, findings, policy: None, was_read: false };
    }
    let mut sources = sources;
    let files: Vec<SourceId> = sources.iter().map(|(id, _)| id).collect();
    let problems = Problems::new();
    let file = load::add_lock(&mut sources, &folder.join(lock::FILE_NAME), &problems);
    if problems.has_errors() {
        findings.extend(problems.into_sorted());
        return Set { sources, findings, policy: None, was_read: false };
    }
    let read = file.and_then(|file| lock::parse(&sources, file, &problems));
    let is_broken = problems.has_errors();
    findings.extend(problems.into_sorted());
    let mut set = compile_files(sources, files, routes, findings, read.map(Arc::new));
    if is_broken {
        // What is wrong with the lock has been told; that pins have none would be told again.
        set.findings.retain(|found| found.code != codes::PIN_WITHOUT_LOCK);
        set.policy = None;
    }
    set
}

/// Compiles `sources`, whose reading found `findings`.
pub(super) fn compile(
    sources: Sources,
    routes: Option<Vec<Box<str>>>,
    findings: Vec<Diagnostic>,
) -> Set {
    let files = sources.iter().map(|(id, _)| id).collect();
    compile_files(sources, files, routes, findings, None)
}

fn compile_files(
    sources: Sources,
    files: Vec<SourceId>,
    routes: Option<Vec<Box<str>>>,
    mut findings: Vec<Diagnostic>,
    lock: Option<Arc<Lock>>,
) -> Set {
    let options = CompileOptions { routes, lock, ..CompileOptions::new(now()) };
    let compiled = Policy::compile_files(&sources, files, &options);
    findings.extend(compiled.diagnostics);
    Set { sources, findings, policy: compiled.policy, was_read: true }
}

/// The wall clock. Before 1970 it is 1970: rules that expire stay.
pub(super) fn now() -> UnixTime {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
