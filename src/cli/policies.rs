//! A directory of policy files, read and compiled.

use std::path::Path;

use crate::diagnostic::Sources;
use crate::observe::wall_clock_ms;
use crate::policy::UnixTime;

use crate::gateway::policies::Reading;
pub(super) use crate::gateway::policies::{Set, failed_tests, try_out};

/// Reads and compiles `folder`. `routes`: the names of the routes there are, where they are known.
pub(super) fn read(folder: &Path, routes: Option<Vec<Box<str>>>) -> Set {
    Reading::new(routes).read(folder)
}

/// Compiles `sources`.
pub(super) fn compile(sources: Sources) -> Set {
    Reading::new(None).compile(sources)
}

/// The wall clock. Before 1970 it is 1970: rules that expire stay.
pub(super) fn now() -> UnixTime {
    wall_clock_ms() / 1000
}
