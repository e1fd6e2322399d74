//! When policies are read again.

use std::time::Duration;

use crate::diagnostic::document::Table;

/// The table `[reload]`. SIGHUP always asks for a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// `watch`: whether a change of the directory does so, too. Default true: who changes a policy wants it in force, and a set
    /// that is broken changes nothing.
    pub watch: bool,
    /// `interval`: how often the directory is looked at. Default 1 s: a change is in force when it has stayed the same from one
    /// look to the next, so within 2 s, and nobody stops half way through writing a file for as long as that.
    pub interval: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Self { watch: true, interval: Duration::from_secs(1) }
    }
}

impl Reload {
    /// Reads `[reload]`; what is absent or wrong keeps its default.
    pub(super) fn read(mut table: Table<'_>) -> Self {
        let mut reload = Self::default();
        if let Some(watch) = table.bool("watch") {
            reload.watch = watch.value;
        }
        let range = Duration::from_millis(100)..=Duration::from_secs(3_600);
        if let Some(interval) = table.duration("interval", range) {
            reload.interval = interval.value;
        }
        table.finish();
        reload
    }
}
