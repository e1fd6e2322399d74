//! How a command that serves runs, and when it is asked to end.

use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use super::exit::Exit;
use super::output::Output;

/// Runs `serve` on a runtime of its own. What it has spawned and not waited for ends with it.
pub(super) fn within_runtime(output: &Output, serve: impl AsyncFnOnce(Signals) -> Exit) -> Exit {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.err(format_args!("error: the runtime does not start: {error}"));
            return Exit::CouldNotRun;
        }
    };
    let exit = runtime.block_on(async {
        match Signals::listen() {
            Ok(signals) => serve(signals).await,
            Err(error) => {
                output.err(format_args!("error: signals cannot be listened to: {error}"));
                Exit::CouldNotRun
            }
        }
    });
    runtime.shutdown_background();
    exit
}

/// Notified at each SIGHUP, which does not end the process any more; several in a row may be one.
///
/// # Errors
/// Where the system takes no handler.
#[cfg(unix)]
pub(super) fn hangups() -> io::Result<Arc<Notify>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signal = signal(SignalKind::hangup())?;
    let told = Arc::new(Notify::new());
    let notify = Arc::clone(&told);
    tokio::spawn(async move {
        while signal.recv().await.is_some() {
            notify.notify_one();
        }
    });
    Ok(told)
}

#[cfg(not(unix))]
pub(super) fn hangups() -> io::Result<Arc<Notify>> {
    Ok(Arc::default())
}

/// The signals that end a command. From when it is made none of them kills the process any more.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to listen: before anybody is told that the command is up.
    ///
    /// # Errors
    /// Where the system takes no handler.
    #[cfg(unix)]
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Resolves at the first SIGINT (Ctrl-C) or SIGTERM; a second one ends the process at once.
    pub(super) async fn asked(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            // 128 + SIGINT, as shells say it: the drain was cut short.
            std::process::exit(130);
        });
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
