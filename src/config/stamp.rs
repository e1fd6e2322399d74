//! What a policy directory looks like from outside, so that a change can be seen without reading files. A driver.
//!
//! Looked at every now and then, and not watched: inotify says nothing on NFS and on some overlays, has a limit a user that other
//! containers of a node use up, follows no symbolic link, and must be set up anew when an editor or Kubernetes puts another file
//! or directory in the place of the watched one. Asking for a handful of files costs some 50 µs a second and cannot miss what is
//! there.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::load::{self, MAX_FILES};
use crate::lock;

/// The files of a policy set, by what the system says of each. Two stamps are equal only if no file came, went, was written or
/// was replaced in between: rename-over and a symbolic link that leads elsewhere change the file behind a path, and the time of
/// its last change of state cannot be set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    files: Vec<(PathBuf, Seen)>,
}

/// What the system says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    File([i128; 6]),
    Fault(io::ErrorKind),
}

/// Looks at what [`load::policies`] and [`load::add_lock`] would read of `folder`. Blocks.
#[must_use]
pub fn stamp(folder: &Path) -> Stamp {
    let lock = folder.join(lock::FILE_NAME);
    let files = match load::files(folder, MAX_FILES) {
        Ok((files, _)) => files,
        Err(_) => Vec::new(),
    };
    let all = files.into_iter().chain([lock, folder.to_path_buf()]);
    let seen = all.map(|path| {
        let seen = match fs::metadata(&path) {
            Ok(metadata) => Seen::File(identity(&metadata)),
            Err(error) => Seen::Fault(error.kind()),
        };
        (path, seen)
    });
    Stamp { files: seen.collect() }
}

/// Which file it is, and when it was changed.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i128; 6] {
    use std::os::unix::fs::MetadataExt as _;
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    if metadata.is_dir() {
        // Files come and go in it that are none of ours.
        return [i128::from(metadata.dev()), i128::from(metadata.ino()), 0, 0, 0, 1];
    }
    [
        i128::from(metadata.dev()),
        i128::from(metadata.ino()),
        i128::from(metadata.len()),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        0,
    ]
}

#[cfg(not(unix))]
fn identity(metadata: &Metadata) -> [i128; 6] {
    let time = |time: io::Result<std::time::SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        since.and_then(|since| i128::try_from(since.as_nanos()).ok()).unwrap_or(-1)
    };
    if metadata.is_dir() {
        return [0, 0, 0, 0, 0, 1];
    }
    [0, 0, i128::from(metadata.len()), time(metadata.modified()), time(metadata.created()), 0]
}
