//! The audit log, where there is one.

use std::io;

use crate::config::Audited;
use crate::observe::{AuditLine, LineLog, Sink};

/// The log and what it holds.
#[derive(Debug)]
pub(super) struct Audit {
    log: LineLog,
    audited: Audited,
}

impl Audit {
    /// Opens `sink`, where there is one.
    ///
    /// # Errors
    /// Those of [`LineLog::start`].
    pub(super) fn start(sink: Option<Sink>, audited: Audited) -> io::Result<Option<Self>> {
        sink.map(|sink| Ok(Self { log: LineLog::start(sink)?, audited })).transpose()
    }

    pub(super) fn has_arguments(&self) -> bool {
        self.audited == Audited::Read
    }

    /// Hands over a line. Never blocks on the sink.
    pub(super) fn write(&self, line: &AuditLine<'_>) {
        self.log.write(|out| line.write(out));
    }

    /// As [`LineLog::close`].
    pub(super) fn close(&self) {
        self.log.close();
    }
}
