//! `mcpfw demo`: the main job with nothing else installed.

mod script;
mod server;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::net::TcpListener;

use crate::config::{Overrides, load};
use crate::diagnostic::Sources;
use crate::gateway::{Gateway, StartError};
use crate::identity::Authenticator;
use crate::identity::issuer::{DemoIssuer, SignError};
use crate::observe::Sink;
use crate::policy::Policy;

use super::exit::Exit;
use super::output::Output;
use super::{findings, policies, startup, stop};
use script::Scene;
use stop::Signals;

/// The example policies, as they stand in `policies/demo/`: the demo needs no file.
const POLICIES: &[(&str, &str)] = &[
    ("policies/demo/search.toml", include_str!("../../../policies/demo/search.toml")),
    ("policies/demo/files.toml", include_str!("../../../policies/demo/files.toml")),
    ("policies/demo/delete.toml", include_str!("../../../policies/demo/delete.toml")),
    ("policies/demo/report.toml", include_str!("../../../policies/demo/report.toml")),
];
const ISSUER: &str = "https://issuer.demo.invalid/";
const AUDIENCE: &str = "https://mcp.demo.invalid/mcp";
/// How long the demo's tokens are good: a working day.
const TOKEN_SECONDS: u64 = 8 * 3600;
/// Where the firewall listens where nobody says: as `run` does.
const LISTEN: &str = "127.0.0.1:8080";

/// See it work: a server, the firewall before it, tokens, and calls to paste
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the firewall listens [default: 127.0.0.1:8080, or any free port where that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Policies of your own in place of the examples
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the demo's server does not start: {0}")]
    Server(#[source] io::Error),
    #[error("the demo's issuer does not start: {0}")]
    Issuer(#[from] SignError),
    #[error("{}", startup::advice(.0))]
    Gateway(#[from] StartError),
    #[error("{0}")]
    Authenticator(#[from] crate::identity::StartError),
    #[error("no address: {0}")]
    Address(#[source] io::Error),
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let set = match &arguments.policies {
        Some(folder) => policies::read(folder, None),
        None => {
            let mut sources = Sources::new();
            for (name, text) in POLICIES {
                sources.add(*name, *text);
            }
            policies::compile(sources)
        }
    };
    findings::complain(output, &set.sources, &set.findings);
    let Some(policy) = set.policy else {
        return if set.was_read { Exit::Findings } else { Exit::CouldNotRun };
    };
    stop::within_runtime(output, async |signals| {
        match demo(arguments.listen.as_deref(), policy, signals, output).await {
            Ok(exit) => exit,
            Err(problem) => {
                output.err(format_args!("error: {problem}"));
                Exit::CouldNotRun
            }
        }
    })
}

async fn demo(
    listen: Option<&str>,
    policy: Arc<Policy>,
    signals: Signals,
    output: &Output,
) -> Result<Exit, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Problem::Server)?;
    let server = format!("http://{}/mcp", listener.local_addr().map_err(Problem::Address)?);
    tokio::spawn(server::serve(listener));

    let issuer = DemoIssuer::generate(ISSUER, AUDIENCE)?;
    let token = |subject: &str, plan: &str| {
        let claims = Map::from_iter([("plan".to_owned(), Value::from(plan))]);
        issuer.sign(subject, claims, policies::now(), TOKEN_SECONDS)
    };
    let (free, pro) = (token("ann", "free")?, token("bob", "pro")?);

    let bind = |address: &str| {
        let overrides = Overrides {
            listen: Some(address.to_owned()),
            upstream: vec![server.clone()],
            ..Overrides::default()
        };
        let loaded = load::load(None, &overrides);
        let Some(config) = loaded.config else {
            findings::complain(output, &loaded.sources, &loaded.findings);
            return Ok(None);
        };
        let authenticator = Authenticator::new([issuer.trust()], |_, _| {})?;
        let log = Some(Sink::Stdout);
        let gateway = Gateway::bind_with(config, Arc::clone(&policy), Some(authenticator), log)?;
        Ok::<_, Problem>(Some(gateway))
    };
    let gateway = match (listen, bind(listen.unwrap_or(LISTEN))) {
        // Nobody asked for this very port.
        (None, Err(Problem::Gateway(StartError::Listen { .. }))) => bind("127.0.0.1:0")?,
        (_, bound) => bound?,
    };
    let Some(gateway) = gateway else { return Ok(Exit::CouldNotRun) };
    let address: SocketAddr = gateway.local_addr().map_err(Problem::Address)?;
    let firewall = format!("http://{address}/mcp");
    let scene = Scene { server: &server, firewall: &firewall, free: &free, pro: &pro };
    output.err(script::text(&scene));
    gateway.serve(signals.asked()).await;
    output.err("the demo has ended");
    Ok(Exit::Clean)
}
