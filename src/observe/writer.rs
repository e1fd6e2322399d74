//! A log's queue and the thread that empties it.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};

use super::Line;
use super::escape::number;
use super::time::rfc3339;

/// Most lines that wait. More means that the sink is slower than the traffic, and traffic does not wait for a log.
const RECORDS: usize = 64 * 1024;
/// Most bytes that wait: the memory that a hung sink may cost.
const BYTES: usize = 64 * 1024 * 1024;
/// How long the writer gathers lines once there is one. A system call and a wake-up for each line would cost more than the
/// line; nobody who reads a log notices 20 ms.
const GATHER: Duration = Duration::from_millis(20);
/// Capacity that the buffers keep between batches, in bytes.
const KEPT: usize = 256 * 1024;

/// Where lines go.
pub enum Sink {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Appended to a file, which is made where it does not exist.
    File(PathBuf),
    /// Anything else.
    Writer(Box<dyn Write + Send>),
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stdout => "Stdout",
            Self::Stderr => "Stderr",
            Self::File(_) => "File",
            Self::Writer(_) => "Writer",
        })
    }
}

impl Sink {
    fn open(self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
            Self::File(path) => {
                let mut options = std::fs::OpenOptions::new();
                // Who called and what a decision read is nobody else's business on this machine (T58). A file that is there
                // keeps the rights that its owner gave it.
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
                Box::new(options.create(true).append(true).open(path)?)
            }
            Self::Writer(writer) => writer,
        })
    }
}

/// A log: the access log or the audit log. Lines are handed over in bounded memory and written by a thread of their own; when
/// the sink cannot keep up or fails, lines are lost, counted, and the count is logged as soon as it can be.
#[derive(Debug)]
pub struct LineLog {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    records: usize,
    /// Lines that found no room.
    lost: u64,
    /// The writer waits for a first line; it need not be woken otherwise.
    sleeping: bool,
    closed: bool,
}

impl LineLog {
    /// Opens `sink` and starts the writer.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened or the thread cannot be started.
    pub fn start(sink: Sink) -> io::Result<Self> {
        let sink = sink.open()?;
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        let writer =
            std::thread::Builder::new().name("log".into()).spawn(move || drain(&shared, sink))?;
        Ok(Self { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Hands over a line of the access log. Never blocks on the sink.
    pub fn log(&self, line: &Line<'_>) {
        self.write(|out| line.write(out));
    }

    /// Hands over the line that `write` appends, with its line feed. Never blocks on the sink.
    pub fn write(&self, write: impl FnOnce(&mut Vec<u8>)) {
        thread_local! {
            static FORMATTED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        FORMATTED.with_borrow_mut(|formatted| {
            formatted.clear();
            // Formatted here, so that the lock is held for a copy of a few hundred bytes.
            write(formatted);
            self.push(formatted);
        });
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.queue.state.lock();
        if state.records >= RECORDS || state.lines.len() + line.len() > BYTES {
            state.lost += 1;
            return;
        }
        state.lines.extend_from_slice(line);
        state.records += 1;
        if state.sleeping {
            state.sleeping = false;
            drop(state);
            self.queue.wake.notify_one();
        }
    }

    /// Writes what waits and stops. Lines that come later are lost. Blocks until the sink has taken everything.
    pub fn close(&self) {
        self.queue.state.lock().closed = true;
        self.queue.wake.notify_one();
        if let Some(writer) = self.writer.lock().take() {
            // The writer cannot panic; if it did, there is nothing left to log to.
            let _ = writer.join();
        }
    }
}

impl Drop for LineLog {
    fn drop(&mut self) {
        self.close();
    }
}

fn drain(queue: &Queue, mut sink: Box<dyn Write + Send>) {
    let mut batch = Vec::new();
    let mut lost = 0;
    loop {
        let (records, closed) = {
            let mut state = queue.state.lock();
            while state.lines.is_empty() && !state.closed {
                state.sleeping = true;
                queue.wake.wait(&mut state);
            }
            state.sleeping = false;
            if !state.closed {
                queue.wake.wait_for(&mut state, GATHER);
            }
            std::mem::swap(&mut state.lines, &mut batch);
            lost += std::mem::take(&mut state.lost);
            (std::mem::take(&mut state.records), state.closed)
        };
        if lost > 0 && write(&mut sink, &gap(lost)).is_ok() {
            lost = 0;
        }
        if write(&mut sink, &batch).is_err() {
            lost += records as u64;
        }
        let empty = batch.is_empty();
        batch.clear();
        batch.shrink_to(KEPT);
        if closed && empty {
            return;
        }
    }
}

fn write(sink: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    sink.write_all(bytes)?;
    sink.flush()
}

/// The line that stands for lost ones. It begins with a line feed in case the line before it was cut off.
fn gap(lost: u64) -> Vec<u8> {
    let mut out = b"\n{\"time\":\"".to_vec();
    rfc3339(&mut out, wall_clock_ms());
    out.extend_from_slice(br#"","event":"lines_lost","count":"#);
    number(&mut out, lost);
    out.extend_from_slice(b"}\n");
    out
}

/// Milliseconds since 1970 on the wall clock.
#[must_use]
pub fn wall_clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A sink that asks before each write: `true` takes it, `false` fails it.
    struct Gate {
        asked: mpsc::Receiver<bool>,
        written: mpsc::Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.asked.recv().unwrap_or(true) {
                let _ = self.written.send("failed".to_owned());
                return Err(io::Error::other("disk full"));
            }
            let _ = self.written.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (LineLog, mpsc::Sender<bool>, mpsc::Receiver<String>) {
        let (answer, asked) = mpsc::channel();
        let (written, seen) = mpsc::channel();
        (LineLog::start(Sink::Writer(Box::new(Gate { asked, written }))).unwrap(), answer, seen)
    }

    fn line(id: &str) -> Line<'_> {
        Line { request_id: id, ..Line::default() }
    }

    #[test]
    fn lines_are_written_in_order_and_close_writes_the_rest() {
        let (log, answer, seen) = gated();
        for id in ["one", "two", "three"] {
            log.log(&line(id));
        }
        drop(answer);
        log.close();
        let all: String = seen.try_iter().collect();
        let at = |id: &str| all.find(&format!("\"{id}\"")).unwrap();
        assert!(at("one") < at("two") && at("two") < at("three"));
        assert_eq!(all.lines().count(), 3);
    }

    #[test]
    fn a_hung_sink_costs_lines_not_time() {
        let (log, answer, seen) = gated();
        log.log(&line("first"));
        for _ in 0..RECORDS * 2 {
            log.log(&line("flood"));
        }
        drop(answer);
        log.close();
        let all: String = seen.try_iter().collect();
        let lost: serde_json::Value = all
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .find(|line: &serde_json::Value| line["event"] == "lines_lost")
            .unwrap();
        let lost = usize::try_from(lost["count"].as_u64().unwrap()).unwrap();
        assert_eq!(all.matches("\"request_id\"").count() + lost, RECORDS * 2 + 1);
        assert!(lost >= RECORDS / 2, "{lost}");
    }

    #[test]
    fn a_failed_write_is_counted_and_told_later() {
        let (log, answer, seen) = gated();
        log.log(&line("gone"));
        answer.send(false).unwrap();
        assert_eq!(seen.recv().unwrap(), "failed");
        log.log(&line("kept"));
        drop(answer);
        let (gap, kept) = (seen.recv().unwrap(), seen.recv().unwrap());
        assert!(gap.contains("\"event\":\"lines_lost\",\"count\":1}"), "{gap}");
        assert!(kept.contains("kept"), "{kept}");
    }
}
