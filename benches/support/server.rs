//! The processes that are compared.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

/// A child process that says where it listens, killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens, `127.0.0.1:port`.
    pub(crate) address: String,
}

impl Server {
    /// Starts this very binary again in one of its other roles; the child prints its address.
    pub(crate) fn role(arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("the path of this binary"));
        command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a child of this binary");
        let mut lines = BufReader::new(child.stdout.take().expect("its standard output"));
        let mut address = String::new();
        lines.read_line(&mut address).expect("the child's address");
        Self { child, address: address.trim().to_owned() }
    }

    /// Starts mcpfw with `config` and waits until it says where it listens.
    pub(crate) fn mcpfw(config: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcpfw"));
        command.args(["run", "--config"]).arg(config).stderr(Stdio::piped());
        let mut child = command.spawn().expect("mcpfw starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let read = lines.read_line(&mut line).expect("mcpfw speaks");
            assert!(read > 0, "mcpfw ended before it listened:\n{said}");
            said.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on http://") {
                break rest.split(['/', ' ', '\n']).next().unwrap_or_default().to_owned();
            }
        };
        // Nobody reads the rest, and a full pipe would stop the child.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Self { child, address }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
