//! `mcpfw run`: the firewall.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Config, Overrides, load};
use crate::gateway::policies::Reading;
use crate::gateway::{Gateway, ReloadEvent, Reloader};
use crate::observe::notice;
use crate::policy::Policy;

use super::exit::Exit;
use super::output::Output;
use super::{findings, startup, stop};

/// Stand in front of an MCP server and enforce policy
///
/// With flags alone it is a sidecar beside one server; with --config it reads `mcpfw.toml`, and flags override the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw run --upstream http://127.0.0.1:3000/mcp --policies policies/
  mcpfw run --config mcpfw.toml

SIGHUP, and any change of the policy files, reloads the policies; a set with
errors leaves the old one in force. SIGTERM or Ctrl-C ends it: running calls
finish first, for at most 25 s.

Exit codes: 0 it was asked to end, 1 the config or the policies have errors,
2 it could not start.")]
pub(super) struct Arguments {
    /// The config file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// URL of the MCP server
    #[arg(long, value_name = "URL")]
    upstream: Vec<String>,

    /// Directory of policy files [default: policies]
    #[arg(long, value_name = "DIR")]
    policies: Option<String>,

    /// Where the issuer's keys are: https://, http:// on loopback, or file:
    #[arg(long, value_name = "URL")]
    jwks: Option<String>,

    /// Who issues the callers' tokens: the `iss` of a JWT
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,

    /// Whom the tokens are for: the `aud` of a JWT
    #[arg(long, value_name = "URL")]
    audience: Option<String>,

    /// Where the access log goes: stdout, stderr, off, or a file
    #[arg(long, value_name = "WHERE")]
    log: Option<String>,

    /// Reload the policies on SIGHUP alone, not when their files change
    #[arg(long)]
    no_watch: bool,
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Exit {
    let overrides = Overrides {
        listen: arguments.listen,
        upstream: arguments.upstream,
        policies: arguments.policies,
        jwks: arguments.jwks,
        issuer: arguments.issuer,
        audience: arguments.audience,
        log: arguments.log,
        no_watch: arguments.no_watch,
    };
    let loaded = load::load(arguments.config.as_deref(), &overrides);
    findings::complain(output, &loaded.sources, &loaded.findings);
    let Some(config) = loaded.config else {
        let was_read = loaded.findings.iter().all(|found| found.span().is_some());
        return if was_read { Exit::Findings } else { Exit::CouldNotRun };
    };
    let reading =
        Reading::new(Some(config.routes.iter().map(|route| route.name.clone()).collect()));
    // What a reload would refuse is not begun with either: a restart must not put in force what a reload did not.
    let set = reading.read(&config.policies).tried();
    findings::complain(output, &set.sources, &set.findings);
    match set.policy {
        Some(policy) => {
            let (folder, when) = (config.policies.clone(), config.reload);
            let reload = |gateway: &Gateway| {
                Reloader::new(gateway.policies(), reading, folder, set.stamp, when)
            };
            serve(config, policy, reload, output)
        }
        None if set.was_read => Exit::Findings,
        None => Exit::CouldNotRun,
    }
}

/// Serves with `config` and `policy` until a signal comes; `reload` makes what takes another policy.
fn serve(
    config: Config,
    policy: Arc<Policy>,
    reload: impl FnOnce(&Gateway) -> Reloader,
    output: &Output,
) -> Exit {
    stop::within_runtime(output, async |signals| {
        let enforced = startup::text(&config, &policy);
        let routes = startup::paths(&config);
        let gateway = match Gateway::bind(config, policy) {
            Ok(gateway) => gateway,
            Err(error) => {
                output.err(format_args!("error: {}", startup::advice(&error)));
                return Exit::CouldNotRun;
            }
        };
        // Before anybody is told that it is up: the signal would end it.
        let asked = match stop::hangups() {
            Ok(asked) => asked,
            Err(error) => {
                output.err(format_args!("error: SIGHUP cannot be listened to: {error}"));
                return Exit::CouldNotRun;
            }
        };
        output.err(enforced.trim_end());
        if let Ok(address) = gateway.local_addr() {
            for path in routes {
                output.err(format_args!("listening on http://{address}{path}"));
            }
        }
        tokio::spawn(reload(&gateway).run(asked, tell));
        gateway.serve(signals.asked()).await;
        output.err("stopped");
        Exit::Clean
    })
}

fn tell(event: &ReloadEvent) {
    event.lines.iter().for_each(|line| notice(line));
}
