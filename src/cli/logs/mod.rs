//! Log files as the commands read them: in chunks of lines, on all cores, in bounded memory.

mod progress;
mod source;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;

use crate::diagnostic::visible;
use crate::replay::{Fault, LINE, Line, Place, Reader};

use super::output::Output;
use progress::Progress;
use source::Source;

/// Bytes of lines that are handed to a thread at once. Enough that handing over costs nothing beside reading it, little enough
/// that a log of a few MiB still keeps every core busy.
const CHUNK: usize = 1 << 20;

/// Places of each fault that are shown.
const SHOWN: usize = 5;

/// Lines of one log.
pub(super) struct Chunk {
    file: usize,
    /// The number of its first line, from 1.
    first: u64,
    bytes: Vec<u8>,
    /// What is wrong with what follows its lines.
    fault: Option<Fault>,
}

impl Chunk {
    /// Gives each line that is not empty to `each`.
    pub(super) fn each(
        mut self,
        reader: &mut Reader,
        mut each: impl FnMut(Place, Result<Line<'_, '_, '_>, Fault>),
    ) {
        let mut place = Place { file: self.file, line: self.first };
        let mut rest = self.bytes.as_mut_slice();
        loop {
            let end = memchr::memchr(b'\n', rest);
            let Some((line, behind)) = rest.split_at_mut_checked(end.unwrap_or(rest.len())) else {
                break;
            };
            let line = line.trim_ascii_end_mut();
            if !line.is_empty() {
                reader.read(line, |read| each(place, read));
            }
            place.line += 1;
            if end.is_none() {
                break;
            }
            rest = behind.get_mut(1..).unwrap_or_default();
        }
        if let Some(fault) = self.fault {
            // It is on the line that the chunk ends with, which is empty where the chunk ends with a line feed.
            place.line -= 1;
            each(place, Err(fault));
        }
    }
}

/// What `slice::trim_ascii_end` is, for a line that is changed.
trait TrimEnd {
    fn trim_ascii_end_mut(&mut self) -> &mut Self;
}

impl TrimEnd for [u8] {
    fn trim_ascii_end_mut(&mut self) -> &mut Self {
        let end = self.trim_ascii_end().len();
        self.get_mut(..end).unwrap_or_default()
    }
}

/// Reads `files` and gives every chunk to one of a few threads, each with a state of its own that `make` makes. The states, in no
/// order.
///
/// # Errors
/// In words, where a log cannot be opened or read.
pub(super) fn read<S: Send>(
    files: &[PathBuf],
    make: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &mut Reader, Chunk) + Sync,
) -> Result<Vec<S>, String> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    // A chunk for each thread to work on and one to take up next: no more is in memory.
    let (give, take) = sync_channel(cores);
    let take = Mutex::new(take);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let (mut state, mut reader) = (make(), Reader::default());
                    while let Some(chunk) = next(&take) {
                        work(&mut state, &mut reader, chunk);
                    }
                    state
                })
            })
            .collect();
        let mut progress = Progress::new(files);
        let given = files.iter().enumerate().try_for_each(|(file, path)| {
            split(file, path, &give, &mut progress).map_err(|error| {
                let name = path.display().to_string();
                format!("cannot read `{}`: {error}", visible(&name))
            })
        });
        drop(give);
        progress.done();
        let states: Vec<S> = threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
        given?;
        if states.len() < cores {
            return Err("a thread that read the logs has died; this is a fault of mcpfw".into());
        }
        Ok(states)
    })
}

/// The next chunk, as soon as there is one.
fn next(take: &Mutex<Receiver<Chunk>>) -> Option<Chunk> {
    take.lock().recv().ok()
}

/// Cuts the log at `path` into chunks.
fn split(
    file: usize,
    path: &Path,
    give: &SyncSender<Chunk>,
    progress: &mut Progress,
) -> std::io::Result<()> {
    let mut source = Source::open(path)?;
    let (mut rest, mut line) = (Vec::new(), 1_u64);
    // Whether the line that `rest` is in is too long, and is left out.
    let mut is_skipping = false;
    loop {
        let begin = rest.len();
        let mut bytes = std::mem::take(&mut rest);
        bytes.resize(begin + CHUNK, 0);
        let read = match bytes.get_mut(begin..) {
            Some(room) => source.read(room, progress),
            None => Ok(0),
        };
        let (count, fault) = match read {
            Ok(count) => (count, None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                (0, Some(Fault::Damaged))
            }
            Err(error) => return Err(error),
        };
        bytes.truncate(begin + count);
        let is_end = count == 0;
        if is_skipping {
            let Some(end) = memchr::memchr(b'\n', &bytes) else {
                if is_end {
                    return Ok(());
                }
                continue;
            };
            bytes.drain(..=end);
            line += 1;
            is_skipping = false;
        }
        if !is_end {
            let end = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
            rest = bytes.split_off(end);
        }
        let overlong = rest.len() > LINE;
        let fault = if overlong { Some(Fault::TooLong) } else { fault };
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
        // Nobody takes it only where all threads have died, which is found when they are joined.
        let _ = give.send(Chunk { file, first: line, bytes, fault });
        line += lines;
        if overlong {
            is_skipping = true;
            rest.clear();
        }
        if is_end {
            return Ok(());
        }
    }
}

/// Says on standard error how many lines of `files` are no records, and where the first of them stand.
pub(super) fn complain(
    faults: &BTreeMap<Fault, u64>,
    faulty: &[(Place, Fault)],
    files: &[PathBuf],
    output: &Output,
) {
    for (fault, count) in faults {
        let here = faulty.iter().filter(|(_, other)| other == fault).take(SHOWN);
        let places: Vec<String> = here
            .map(|(place, _)| {
                let name = files.get(place.file).map(|path| path.display().to_string());
                format!("{}:{}", visible(&name.unwrap_or_default()), place.line)
            })
            .collect();
        let more = if *count > places.len() as u64 { ", …" } else { "" };
        let lines = if *count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
        let places = places.join(", ");
        output.err(format_args!("warning: {lines} left out: {fault}\n  --> {places}{more}"));
    }
}
