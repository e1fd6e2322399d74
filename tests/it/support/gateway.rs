//! A gateway on a free port, made from the text of a policy and of a config, whose access log can be read.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::hash::RandomState;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mcpfw::config::{Config, Outside, Overrides};
use mcpfw::diagnostic::Sources;
use mcpfw::gateway::{Gateway, Policies};
use mcpfw::identity::Authenticator;
use mcpfw::lock::Lock;
use mcpfw::observe::Sink;
use mcpfw::policy::{CompileOptions, Policy};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::soon;

/// What a gateway is made from.
pub(crate) struct Setup {
    policy: String,
    lock: Option<Arc<Lock>>,
    config: String,
    upstreams: Vec<SocketAddr>,
    authenticator: Option<Authenticator>,
    drain: Duration,
}

/// A gateway that serves. Stopped when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) policies: Policies,
    hasher: RandomState,
    log: mpsc::UnboundedReceiver<Value>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Everything is allowed.
pub(crate) const OPEN: &str = "[[allow]]\nname = \"all\"\neverything = true\n";

/// With [`OPEN`]: the server may ask whatever it likes, so that nobody looks for what it asks. The key of a route.
pub(crate) const UNWATCHED: &str = "elicitation_hosts = [\"*\"]";

impl Setup {
    /// A gateway at `/mcp` in front of `upstream`, whose policy is `policy`.
    pub(crate) fn new(policy: &str, upstream: SocketAddr) -> Self {
        Self {
            policy: policy.to_owned(),
            lock: None,
            config: String::new(),
            upstreams: vec![upstream],
            authenticator: None,
            drain: Duration::from_secs(5),
        }
    }

    /// Another upstream, for when the one before it cannot be reached.
    pub(crate) fn or_upstream(mut self, upstream: SocketAddr) -> Self {
        self.upstreams.push(upstream);
        self
    }

    /// What the server was like when it was reviewed.
    pub(crate) fn lock(mut self, lock: Lock) -> Self {
        self.lock = Some(Arc::new(lock));
        self
    }

    /// More of the config: tables other than `[[route]]`, or keys of the route if it comes first.
    pub(crate) fn config(mut self, text: &str) -> Self {
        self.config.push_str(text);
        self.config.push('\n');
        self
    }

    pub(crate) fn authenticator(mut self, authenticator: Authenticator) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    pub(crate) fn drain_within(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    pub(crate) fn start(self) -> Running {
        let urls: Vec<String> =
            self.upstreams.iter().map(|address| format!("\"http://{address}/mcp\"")).collect();
        let listen = if self.config.contains("[listen]") {
            ""
        } else {
            "[listen]\naddress = \"127.0.0.1:0\"\n"
        };
        let text = format!(
            "[[route]]\nname = \"main\"\npath = \"/mcp\"\nupstream = [{}]\n{}\n{listen}",
            urls.join(", "),
            self.config,
        );
        let config = config(&text);
        let hasher = RandomState::new();
        let policy = policy(&self.policy, self.lock, hasher.clone());
        let (log, lines) = mpsc::unbounded_channel();
        let sink = Sink::Writer(Box::new(Lines { log, rest: Vec::new() }));
        let gateway = Gateway::bind_with(config, policy, self.authenticator, Some(sink))
            .unwrap()
            .drain_within(self.drain);
        let address = gateway.local_addr().unwrap();
        let policies = gateway.policies();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(gateway.serve(async move {
            let _ = stopped.await;
        }));
        Running { address, policies, hasher, log: lines, stop: Some(stop), task }
    }
}

impl Running {
    /// The next line of the access log.
    pub(crate) async fn log(&mut self) -> Value {
        soon(self.log.recv()).await.expect("the log goes on")
    }

    /// Puts the policy `text` in force, and returns its generation.
    pub(crate) fn swap(&self, text: &str) -> u64 {
        self.swap_with(text, None)
    }

    /// The same with a lock.
    pub(crate) fn swap_with(&self, text: &str, lock: Option<Lock>) -> u64 {
        let policy = policy(text, lock.map(Arc::new), self.hasher.clone());
        let generation = policy.generation();
        self.policies.swap(policy);
        generation
    }

    /// Begins to stop.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(&mut self) {
        soon(&mut self.task).await.unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(text: &str) -> Config {
    let mut sources = Sources::new();
    let id = sources.add("mcpfw.toml", text.to_owned());
    let outside = Outside {
        folder: std::path::Path::new("/"),
        variable: &|_| None,
        file: &|_| Err(io::ErrorKind::NotFound.into()),
    };
    let (config, findings) = Config::parse(&mut sources, Some(id), &Overrides::default(), &outside);
    config.unwrap_or_else(|| panic!("{findings:#?}\n{text}"))
}

/// A compiled policy.
fn policy(text: &str, lock: Option<Arc<Lock>>, hasher: RandomState) -> Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("policy.toml", text.to_owned());
    let compiled =
        Policy::compile(&sources, &CompileOptions { lock, hasher, ..CompileOptions::new(0) });
    compiled.policy.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

/// Splits what is written into lines.
struct Lines {
    log: mpsc::UnboundedSender<Value>,
    rest: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if let Ok(line) = serde_json::from_slice(&line) {
                let _ = self.log.send(line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
