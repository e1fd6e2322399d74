//! What `run` says at its start: where it stands, whom it knows, and each rule with the hook that enforces it.

use std::fmt::Write as _;
use std::io::ErrorKind;

use crate::config::{Config, Jwks};
use crate::gateway::StartError;
use crate::policy::{Effect, Mode, OnChange, Policy};

/// The text, for people; every line but the first is indented.
pub(super) fn text(config: &Config, policy: &Policy) -> String {
    let mut text = format!("mcpfw {}\n", env!("CARGO_PKG_VERSION"));
    // Writing to a String cannot fail.
    for route in &config.routes {
        for upstream in &route.upstream {
            let _ = writeln!(text, "  route     {}: {} -> {upstream}", route.name, route.path);
        }
    }
    for issuer in &config.auth.jwt {
        let keys = match &issuer.jwks {
            Jwks::Url(url) => url.to_string(),
            Jwks::File(path) => path.display().to_string(),
        };
        let _ = writeln!(text, "  callers   JWT of {} (keys: {keys})", issuer.issuer);
    }
    if !config.auth.required {
        text.push_str("  callers   anonymous: nobody has to prove who they are\n");
    }
    let _ = writeln!(
        text,
        "  policies  {}: {} rules, everything else is refused",
        config.policies.display(),
        policy.rules().len()
    );
    let when = match config.reload.watch {
        true => "when a file changes, and on SIGHUP",
        false => "on SIGHUP",
    };
    let (generation, digest) = (policy.generation(), policy.digest());
    let _ = writeln!(text, "  reload    {when}; now generation {generation}, digest {digest}");
    let rules = policy.rules().iter().map(|rule| rule.name().len());
    let pins = policy.pins().iter().map(|pin| pin.name().len());
    let width = rules.chain(pins).max().unwrap_or_default();
    for rule in policy.rules() {
        let hook = match (rule.mode(), rule.effect()) {
            (Mode::Shadow, _) => "shadow: decided and logged, not enforced",
            (Mode::Enforce, Effect::Deny) => {
                "each request before it is forwarded; hides from lists"
            }
            (Mode::Enforce, Effect::Allow) => "each request before it is forwarded; shows in lists",
            (Mode::Enforce, Effect::Limit) => "each permitted request before it is forwarded",
        };
        let _ = writeln!(
            text,
            "    {:<5} {:<width$}  {hook}  ({}:{})",
            rule.effect().as_str(),
            rule.name(),
            rule.file(),
            rule.line()
        );
    }
    for pin in policy.pins() {
        let (mode, hook) = match (pin.mode(), pin.on_change()) {
            (Mode::Shadow, _) => ("shadow: ", OnChange::Alert),
            (Mode::Enforce, on_change) => ("", on_change),
        };
        let hook = match hook {
            OnChange::Alert => "each element of a list; what changed is logged",
            OnChange::Hide => "each element of a list; what changed is removed",
            OnChange::Deny => "each element of a list and each call; what changed is refused",
        };
        let (name, file, line) = (pin.name(), pin.file(), pin.line());
        let _ = writeln!(text, "    pin   {name:<width$}  {mode}{hook}  ({file}:{line})");
    }
    text
}

/// The paths of all routes.
pub(super) fn paths(config: &Config) -> Vec<Box<str>> {
    config.routes.iter().map(|route| route.path.clone()).collect()
}

/// What went wrong, and what to do next.
pub(super) fn advice(error: &StartError) -> String {
    match error {
        StartError::Listen { error: cause, .. } if cause.kind() == ErrorKind::AddrInUse => {
            format!(
                "{error}\n  help: another process listens there; end it, or choose another with `--listen`"
            )
        }
        StartError::Listen { error: cause, .. } if cause.kind() == ErrorKind::PermissionDenied => {
            format!(
                "{error}\n  help: ports below 1024 need a privilege; choose another with `--listen`"
            )
        }
        _ => error.to_string(),
    }
}
