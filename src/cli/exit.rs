//! The exit codes, the same for every command.

/// How a command ended, from best to worst. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// 0: it did what it was asked, and found nothing wrong.
    Clean,
    /// 1: it ran and has something to say.
    Findings,
    /// 2: it could not run: bad usage, missing or broken files, a busy port.
    CouldNotRun,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::CouldNotRun => 2,
        })
    }
}
