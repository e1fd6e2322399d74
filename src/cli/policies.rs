//! A directory of policy files, read and compiled.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::load;
use crate::diagnostic::{Diagnostic, Sources};
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
    let (sources, findings) = load::policies(folder);
    if findings.iter().any(Diagnostic::is_error) {
        return Set { sources, findings, policy: None, was_read: false };
    }
    compile(sources, routes, findings)
}

/// Compiles `sources`, whose reading found `findings`.
pub(super) fn compile(
    sources: Sources,
    routes: Option<Vec<Box<str>>>,
    mut findings: Vec<Diagnostic>,
) -> Set {
    let options = CompileOptions { routes, ..CompileOptions::new(now()) };
    let compiled = Policy::compile(&sources, &options);
    findings.extend(compiled.diagnostics);
    Set { sources, findings, policy: compiled.policy, was_read: true }
}

/// The wall clock. Before 1970 it is 1970: rules that expire stay.
pub(super) fn now() -> UnixTime {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
