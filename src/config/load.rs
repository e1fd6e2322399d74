//! Reading what the command line names: the config file, the secrets it refers to, the policy directory. A driver.
//!
//! Nothing here is kept: a reload calls the same functions again. They block, and are called before the listener opens
//! or from a blocking thread.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::document::format_size;
use crate::diagnostic::{Code, Diagnostic, Problems, SourceId, Sources, sort};

use super::{Config, Outside, Overrides, codes};

/// Most bytes of a config or policy file. The largest policy files in the field are below 100 KiB; a generated one
/// beyond this is better split.
const MAX_FILE: u64 = 1 << 20;
/// Most bytes of a file that holds a secret: a header cannot be larger.
const MAX_SECRET: u64 = 16 << 10;
/// Most policy files in one directory tree, and deepest nesting of directories: more is a wrong directory, such as `/`.
pub(super) const MAX_FILES: usize = 4_096;
const MAX_DEPTH: usize = 16;
/// Most directories in that tree, for the same reason: a walk through a home directory takes minutes and finds nothing.
const MAX_FOLDERS: usize = 1_024;
/// Most bytes of all policy files together: a set of 50 000 rules has some ten million.
const MAX_SET: u64 = 32 << 20;

/// What was read, as far as it went.
#[derive(Debug)]
pub struct Loaded {
    /// The config file and the flags, for [`crate::diagnostic::render`].
    pub sources: Sources,
    /// There unless a finding is an error.
    pub config: Option<Config>,
    /// Everything that was found, sorted.
    pub findings: Vec<Diagnostic>,
}

/// Reads the config file, if there is one, and writes `overrides` over it.
#[must_use]
pub fn load(file: Option<&Path>, overrides: &Overrides) -> Loaded {
    let Some(path) = file else { return resolve(None, overrides) };
    match read(path, MAX_FILE, "config file") {
        Ok(text) => load_text(path, &text, overrides),
        Err(finding) => Loaded { sources: Sources::new(), config: None, findings: vec![*finding] },
    }
}

/// As [`load`], with `text` for what stands in `file`.
#[must_use]
pub fn load_text(file: &Path, text: &str, overrides: &Overrides) -> Loaded {
    resolve(Some((file, text)), overrides)
}

fn resolve(file: Option<(&Path, &str)>, overrides: &Overrides) -> Loaded {
    let mut sources = Sources::new();
    let id = file.map(|(path, text)| sources.add(path.to_string_lossy(), text));
    let folder = file.and_then(|(path, _)| path.parent()).unwrap_or(Path::new(""));
    let outside = Outside {
        folder,
        variable: &|name| std::env::var(name).ok(),
        file: &|path| {
            read_text(path, MAX_SECRET).map_err(|fault| match fault {
                Fault::Io(error) => error,
                other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
            })
        },
    };
    let (config, findings) = Config::parse(&mut sources, id, overrides, &outside);
    Loaded { sources, config, findings }
}

/// Reads every `*.toml` below `folder`, in the order of their paths.
///
/// Names that begin with a dot are passed over: editors and Kubernetes keep files of their own there. A symbolic link to
/// a file is followed; one to a directory is an error, since rules behind it would be read twice or not at all, and a
/// missing `deny` opens what it closed.
#[must_use]
pub fn policies(folder: &Path) -> (Sources, Vec<Diagnostic>) {
    policies_up_to(folder, MAX_FILES, MAX_SET)
}

/// The policy files below `folder`, in the order of their paths, and what is wrong with its directories.
///
/// # Errors
/// There are more than `most`.
pub(super) fn files(
    folder: &Path,
    most: usize,
) -> Result<(Vec<PathBuf>, Vec<Diagnostic>), Box<Diagnostic>> {
    let root = folder;
    let mut findings = Vec::new();
    let mut files = Vec::new();
    let mut open = vec![(folder.to_path_buf(), 0)];
    let mut folders = 0;
    while let Some((folder, depth)) = open.pop() {
        folders += 1;
        if folders > MAX_FOLDERS {
            let message = format!("more than {MAX_FOLDERS} directories below `{}`", root.display());
            let finding = Diagnostic::error(codes::TOO_LARGE, message);
            return Err(Box::new(finding.help("is this the right directory?")));
        }
        if let Err(finding) = list(&folder, depth, &mut files, &mut open) {
            findings.push(*finding);
        }
        if files.len() > most {
            let message = format!("more than {most} policy files below `{}`", folder.display());
            let finding = Diagnostic::error(codes::TOO_LARGE, message);
            return Err(Box::new(finding.help("is this the right directory?")));
        }
    }
    files.sort();
    Ok((files, findings))
}

fn policies_up_to(folder: &Path, most: usize, bytes: u64) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let (files, mut findings) = match files(folder, most) {
        Ok(found) => found,
        Err(finding) => return (sources, vec![*finding]),
    };
    let mut room = bytes;
    for path in &files {
        match read(path, MAX_FILE, "policy file") {
            Ok(text) => {
                let Some(left) = room.checked_sub(text.len() as u64) else {
                    let most = format_size(bytes);
                    let message =
                        format!("the files of `{}` have more than {most}", folder.display());
                    findings.push(Diagnostic::error(codes::TOO_LARGE, message));
                    return (Sources::new(), findings);
                };
                room = left;
                sources.add(path.to_string_lossy(), text);
            }
            Err(finding) => findings.push(*finding),
        }
    }
    if files.is_empty() && findings.is_empty() {
        let message = format!("no policy file in `{}`", folder.display());
        findings.push(
            Diagnostic::error(codes::NO_POLICIES, message)
                .help("without an `[[allow]]` no call could pass: put one into a `*.toml` there, with `name` and `tools`; `mcpfw learn` proposes some"),
        );
    }
    sort(&mut findings);
    (sources, findings)
}

/// Every `*.toml` below `folder`, in the order of their paths: those that [`policies`] reads.
///
/// # Errors
/// What is wrong with its directories, or that there are too many files.
pub fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    match files(folder, MAX_FILES) {
        Ok((files, findings)) if findings.is_empty() => Ok(files),
        Ok((_, findings)) => Err(findings),
        Err(finding) => Err(vec![*finding]),
    }
}

/// The `*.toml` in `folder` itself, in no order; none where it cannot be read.
#[must_use]
pub fn toml_files_in(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut below) = (Vec::new(), Vec::new());
    let _ = list(folder, 0, &mut files, &mut below);
    files
}

/// The text of the file at `path`, of at most 1 MiB.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn text(path: &Path) -> Result<String, Box<Diagnostic>> {
    read(path, MAX_FILE, "file")
}

/// All that `from`, which findings call `name`, has to say, of at most 1 MiB.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn text_of(from: impl Read, name: &str) -> Result<String, Box<Diagnostic>> {
    text_up_to(from, MAX_FILE).map_err(|fault| fault.of("text", Path::new(name)))
}

/// Reads the lock file at `path`, if there is one. What cannot be read is told to `problems`.
#[must_use]
pub fn lock(path: &Path, problems: &Problems) -> (Sources, Option<SourceId>) {
    let mut sources = Sources::new();
    let id = add_lock(&mut sources, path, problems);
    (sources, id)
}

/// Adds the lock file at `path` to `sources`, if there is one. What cannot be read is told to `problems`.
#[must_use]
pub fn add_lock(sources: &mut Sources, path: &Path, problems: &Problems) -> Option<SourceId> {
    if matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return None;
    }
    match read(path, crate::lock::MAX_BYTES as u64, "lock file") {
        Ok(text) => Some(sources.add(path.to_string_lossy(), text)),
        Err(finding) => {
            problems.push(*finding);
            None
        }
    }
}

/// Adds the policy files of `folder` to `files` and its directories to `open`.
fn list(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    open: &mut Vec<(PathBuf, usize)>,
) -> Result<(), Box<Diagnostic>> {
    if depth > MAX_DEPTH {
        let message =
            format!("directories nested deeper than {MAX_DEPTH} at `{}`", folder.display());
        return Err(Box::new(Diagnostic::error(codes::TOO_LARGE, message)));
    }
    let failed = |error: io::Error| unreadable("policy directory", folder, &error);
    let entries = fs::read_dir(folder).map_err(|error| {
        let is_file = error.kind() == io::ErrorKind::NotADirectory;
        let help = match is_file {
            true => "a policy set is a directory, all `*.toml` in it together: name that",
            false => {
                "name the directory of the policy files, as in `--policies DIR`, or as `policies` of mcpfw.toml"
            }
        };
        let is_root = depth == 0;
        let finding = unreadable("policy directory", folder, &error);
        if is_root { Box::new(finding.help(help)) } else { finding }
    })?;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            open.push((path, depth + 1));
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        } else if kind.is_symlink() && fs::metadata(&path).is_ok_and(|target| target.is_dir()) {
            let message = format!("`{}` is a symbolic link to a directory", path.display());
            return Err(Box::new(
                Diagnostic::error(codes::UNREADABLE, message)
                    .help("put the directory itself there, or links to its files"),
            ));
        }
    }
    Ok(())
}

/// Why a file has no text for us.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not a file")]
    NotAFile,
    #[error("larger than {}", format_size(*.0))]
    TooLarge(u64),
    #[error("line {line}, byte {byte} of it is not UTF-8")]
    NotUtf8 { line: usize, byte: usize, is_utf16: bool },
}

fn read_text(path: &Path, most: u64) -> Result<String, Fault> {
    // Asked before opening: opening a FIFO would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(Fault::NotAFile);
    }
    text_up_to(File::open(path)?, most)
}

fn text_up_to(from: impl Read, most: u64) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Fault::TooLarge(most));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let begin = memchr::memrchr(b'\n', good).map_or(0, |at| at + 1);
        Fault::NotUtf8 {
            line: memchr::memchr_iter(b'\n', good).count() + 1,
            byte: good.len() - begin + 1,
            is_utf16: matches!(error.as_bytes(), [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]),
        }
    })
}

/// The text of `path`, which findings call a `what`.
fn read(path: &Path, most: u64, what: &str) -> Result<String, Box<Diagnostic>> {
    read_text(path, most).map_err(|fault| fault.of(what, path))
}

impl Fault {
    /// As a finding about `path`, which it calls a `what`.
    fn of(self, what: &str, path: &Path) -> Box<Diagnostic> {
        let code: Code = match &self {
            Self::Io(error) => return unreadable(what, path, error),
            Self::NotAFile => codes::UNREADABLE,
            Self::TooLarge(_) => codes::TOO_LARGE,
            Self::NotUtf8 { .. } => codes::NOT_UTF8,
        };
        let message = format!("cannot read {what} `{}`: {self}", path.display());
        let finding = Diagnostic::error(code, message);
        let help = match &self {
            Self::NotUtf8 { is_utf16: true, .. } => Some("it is UTF-16: save it as UTF-8"),
            Self::NotUtf8 { .. } => Some("save it as UTF-8"),
            _ => None,
        };
        Box::new(finding.maybe_help(help))
    }
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a directory".to_owned(),
        _ => error.to_string(),
    };
    let message = format!("cannot read {what} `{}`: {reason}", path.display());
    Box::new(Diagnostic::error(codes::UNREADABLE, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_a_policy_set_has_are_not_read() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(root.path().join(name).with_extension("toml"), "").unwrap();
        }
        assert_eq!(policies_up_to(root.path(), 3, 0).1.len(), 0);
        let (sources, findings) = policies_up_to(root.path(), 2, 0);
        assert_eq!(sources.iter().count(), 0);
        assert_eq!(findings.iter().map(|found| found.code).collect::<Vec<_>>(), [codes::TOO_LARGE]);
    }

    #[test]
    fn more_directories_than_a_policy_set_has_are_not_read() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.toml"), "").unwrap();
        // The root is one of them.
        for n in 1..MAX_FOLDERS {
            fs::create_dir(root.path().join(n.to_string())).unwrap();
        }
        assert_eq!(policies(root.path()).1.len(), 0);
        fs::create_dir(root.path().join("one more")).unwrap();
        let (sources, findings) = policies(root.path());
        assert_eq!(sources.iter().count(), 0);
        assert_eq!(findings.iter().map(|found| found.code).collect::<Vec<_>>(), [codes::TOO_LARGE]);
    }

    #[test]
    fn more_bytes_than_a_policy_set_has_are_not_kept() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::write(root.path().join(name).with_extension("toml"), "# 34\n").unwrap();
        }
        assert_eq!(policies_up_to(root.path(), 3, 10).0.iter().count(), 2);
        let (sources, findings) = policies_up_to(root.path(), 3, 9);
        assert_eq!(sources.iter().count(), 0);
        assert_eq!(findings.iter().map(|found| found.code).collect::<Vec<_>>(), [codes::TOO_LARGE]);
    }
}
