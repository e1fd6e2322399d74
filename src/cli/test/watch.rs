//! Waits until a file of a policy set changes, as a reload does: by looking, for what [`stamp`] says.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::config::stamp::{Stamp, stamp};
use crate::gateway::Rest;

/// How often it is looked: what is written by an editor is at rest at the second look.
const INTERVAL: Duration = Duration::from_millis(200);

/// What is watched.
pub(super) struct Watch<'a> {
    folders: &'a [PathBuf],
    rest: Rest<Vec<Stamp>>,
}

impl<'a> Watch<'a> {
    /// Watches `folders` from now on: what changes between this and the first [`Watch::wait`] is a change.
    pub(super) fn new(folders: &'a [PathBuf]) -> Self {
        Self { folders, rest: Rest::new(Some(stamps(folders))) }
    }

    /// Returns when something has changed and come to rest.
    #[expect(
        clippy::disallowed_methods,
        reason = "no runtime runs here, and there is no event to wait for"
    )]
    pub(super) fn wait(&mut self) {
        loop {
            sleep(INTERVAL);
            let seen = stamps(self.folders);
            if self.rest.look(seen.clone(), Instant::now()) {
                self.rest.settle(seen);
                return;
            }
        }
    }
}

fn stamps(folders: &[PathBuf]) -> Vec<Stamp> {
    folders.iter().map(|folder| stamp(folder)).collect()
}
