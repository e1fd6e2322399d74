//! How far the reading of logs has come, for who waits at a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_millis(100);
/// Below this it is not told at all: it is over before it is read.
const WAIT: Duration = Duration::from_millis(500);

/// A line on standard error that is written over and over; nothing where that is no terminal.
pub(super) struct Progress {
    is_shown: bool,
    was_shown: bool,
    began: Instant,
    last: Instant,
    read: u64,
    /// Bytes of all logs, where none is compressed or a pipe.
    all: Option<u64>,
}

impl Progress {
    pub(super) fn new(files: &[PathBuf]) -> Self {
        let is_shown = std::io::stderr().is_terminal();
        let now = Instant::now();
        let length = |file: &PathBuf| {
            let is_plain = file.extension().is_none_or(|ending| ending != "zst");
            std::fs::metadata(file)
                .ok()
                .filter(|meta| is_plain && meta.is_file())
                .map(|it| it.len())
        };
        let all = files.iter().map(length).sum();
        Self { is_shown, was_shown: false, began: now, last: now, read: 0, all }
    }

    /// So many more bytes of lines have been read.
    pub(super) fn read(&mut self, bytes: usize) {
        self.read += bytes as u64;
        if !self.is_shown || self.last.elapsed() < EVERY || self.began.elapsed() < WAIT {
            return;
        }
        self.last = Instant::now();
        self.was_shown = true;
        let line = line(self.read, self.all, self.began.elapsed());
        let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
    }

    /// It is over: the line goes.
    pub(super) fn done(&self) {
        if self.was_shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(read: u64, all: Option<u64>, since: Duration) -> String {
    let mib = |bytes: u64| bytes >> 20;
    let speed = mib(read) * 1000 / u64::try_from(since.as_millis()).unwrap_or(1).max(1);
    match all.filter(|all| *all > 0) {
        Some(all) => {
            let done = usize::try_from(read.min(all) * 30 / all).unwrap_or(0);
            let percent = read.min(all) * 100 / all;
            format!("[{:<30}] {percent:>3}%  {} MiB, {speed} MiB/s", "=".repeat(done), mib(read))
        }
        None => format!("{} MiB, {speed} MiB/s", mib(read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let second = Duration::from_secs(1);
        assert_eq!(line(5 << 20, None, second), "5 MiB, 5 MiB/s");
        let half = line(5 << 20, Some(10 << 20), second);
        assert_eq!(half, format!("[{}{}]  50%  5 MiB, 5 MiB/s", "=".repeat(15), " ".repeat(15)));
        assert!(line(1, Some(0), Duration::ZERO).starts_with("0 MiB"));
        // A log that grows while it is read.
        assert!(line(20, Some(10), second).contains("100%"));
    }
}
