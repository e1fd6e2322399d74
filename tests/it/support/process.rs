//! The built binary as a process: started on a free port, ended by pid, read line by line.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

/// A command line of the built binary.
pub(crate) fn mcpfw(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcpfw"));
    command.args(arguments).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// `mcpfw run` that has said where it listens. Killed when dropped.
pub(crate) struct Mcpfw {
    child: Child,
    said: String,
    lines: Option<BufReader<ChildStderr>>,
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
}

impl Mcpfw {
    /// Starts `mcpfw run` with `flags` in `folder`, and waits for its address.
    pub(crate) fn start<'a>(flags: impl IntoIterator<Item = &'a str>, folder: &Path) -> Self {
        let arguments: Vec<&str> = std::iter::once("run").chain(flags).collect();
        Self::spawn(mcpfw(&arguments).current_dir(folder), "listening on ")
    }

    /// Starts `command`, whose standard error says `marker` and then a URL.
    pub(crate) fn spawn(command: &mut Command, marker: &str) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let mut line = String::new();
            let read = lines.read_line(&mut line).unwrap();
            said.push_str(&line);
            assert!(read > 0, "it ended before it listened: {:?}\n{said}", child.wait());
            if let Some((_, rest)) = line.split_once(marker) {
                let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
                break rest[..end].to_owned();
            }
        };
        Self { child, said, lines: Some(lines), url }
    }

    /// Reads on until it has said `marker`. Returns everything it has said.
    pub(crate) fn read_until(&mut self, marker: &str) -> String {
        let lines = self.lines.as_mut().unwrap();
        while !self.said.contains(marker) {
            let read = lines.read_line(&mut self.said).unwrap();
            assert!(read > 0, "it ended before it said {marker:?}:\n{}", self.said);
        }
        self.said.clone()
    }

    /// Sends a signal by pid that does not end it.
    pub(crate) fn poke(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Asks it to end (SIGTERM) and waits. Whether it ended with exit code 0.
    pub(crate) fn stop(&mut self) -> bool {
        self.signal("TERM").success()
    }

    /// Sends a signal by pid and waits for the end.
    pub(crate) fn signal(&mut self, name: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(sent.success());
        // To the end of the pipe first: a full one would stop the child.
        if let Some(mut lines) = self.lines.take() {
            lines.read_to_string(&mut self.said).unwrap();
        }
        self.child.wait().unwrap()
    }

    /// What it has written to standard error.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }
}

impl Drop for Mcpfw {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
