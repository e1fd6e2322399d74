//! A directory of policy files, read and compiled.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Sources};
use crate::observe::wall_clock_ms;
use crate::policy::{Policy, UnixTime};

use crate::gateway::policies::Reading;
pub(super) use crate::gateway::policies::{Set, try_out};

/// Reads and compiles `folder`. `routes`: the names of the routes there are, where they are known.
pub(super) fn read(folder: &Path, routes: Option<Vec<Box<str>>>) -> Set {
    Reading::new(routes).read(folder)
}

/// Compiles `sources`.
pub(super) fn compile(sources: Sources) -> Set {
    Reading::new(None).compile(sources)
}

/// What a set that compiled still shows: failed tests, rules without one, and, unless `is_quick`, what only all requests
/// together show. `folder` is where it stands, for commands that are printed.
pub(super) fn shown(policy: &Policy, folder: &str, is_quick: bool) -> Vec<Diagnostic> {
    let failed = policy.tests().iter().filter_map(|test| {
        let failure = try_out(policy, test, now()).failure?;
        let command = test.explain_command(folder);
        Some(match command.is_empty() {
            true => failure,
            false => failure.help(format!("see it decided: {command}")),
        })
    });
    let mut findings: Vec<Diagnostic> = failed.collect();
    findings.extend(policy.untested(now()));
    if !is_quick {
        findings.extend(policy.prove(folder, now()));
    }
    findings
}

/// The wall clock. Before 1970 it is 1970: rules that expire stay.
pub(super) fn now() -> UnixTime {
    wall_clock_ms() / 1000
}
