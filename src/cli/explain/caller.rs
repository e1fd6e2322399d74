//! Who calls, and from where: flags that go with every source of a call.

use std::net::{IpAddr, Ipv4Addr};

use crate::policy::{ClientKind, Context, Principal, UnixTime};

use super::{json, message};
use crate::cli::policies;
use crate::diagnostic::visible;
use crate::identity;

/// Who calls.
#[derive(Debug, clap::Args)]
pub(super) struct Caller {
    /// Claims of the caller's token, as JSON or @FILE; without it the caller is anonymous
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,

    /// A file with the caller's token, `-` for standard input, or with its claims as JSON. What the token says is supposed: its
    /// signature, audience and dates are not checked
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    token: Option<String>,

    /// How the caller proved who it is [default: jwt with claims, anonymous without]. With it, id, issuer and scopes are
    /// those of the flags alone
    #[arg(long, value_name = "KIND", value_enum)]
    client: Option<Kind>,

    /// The caller's id, where it is not the `sub` of the claims
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The token's issuer, where it is not the `iss` of the claims
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,

    /// A scope of the caller, where they are not the `scope` of the claims; once for each
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    Jwt,
    ApiKey,
    Mtls,
    Anonymous,
}

impl Caller {
    /// The caller that the flags speak of.
    ///
    /// # Errors
    /// Says which flag is not what it should be.
    pub(super) fn principal(&self) -> Result<Principal, String> {
        let principal = match (&self.claims, &self.token) {
            (Some(text), _) => Principal::supposed(json::value("--claims", text)?),
            (None, Some(path)) => bearer(path)?,
            (None, None) => Principal::anonymous(),
        };
        let kind = self.client.map(|kind| match kind {
            Kind::Jwt => ClientKind::Jwt,
            Kind::ApiKey => ClientKind::ApiKey,
            Kind::Mtls => ClientKind::Mtls,
            Kind::Anonymous => ClientKind::Anonymous,
        });
        let (id, issuer) = (self.client_id.as_deref(), self.issuer.as_deref());
        Ok(principal.changed(kind, id, issuer, &self.scope))
    }
}

/// The bearer of the token in the file `path`.
fn bearer(path: &str) -> Result<Principal, String> {
    let bytes = message::read(path)?;
    let text = bytes.trim_ascii();
    if text.starts_with(b"{") {
        let text = String::from_utf8_lossy(text);
        return Ok(Principal::supposed(json::value("--token", &text)?));
    }
    let token = text.strip_prefix(b"Bearer ").unwrap_or(text);
    identity::supposed(token).map_err(|invalid| {
        let path = visible(path);
        format!("error: `{path}` holds neither a JWT nor claims as JSON: {invalid}")
    })
}

/// From where, and when.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Setting {
    /// The caller's address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(super) ip: IpAddr,

    /// Name of the route
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) route: String,

    /// The host that was asked for
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(super) host: String,

    /// The TLS server name that was asked for
    #[arg(long, value_name = "NAME")]
    pub(super) sni: Option<String>,

    /// Decide as at this time, in seconds since 1970 [default: now]
    #[arg(long, value_name = "SECONDS")]
    pub(super) at: Option<UnixTime>,
}

impl Setting {
    pub(super) fn context(&self) -> Context<'_> {
        Context { route: &self.route, host: &self.host, sni: self.sni.as_deref(), ip: self.ip }
    }

    /// The time of the question: the same for all that is asked.
    pub(super) fn time(&self) -> UnixTime {
        self.at.unwrap_or_else(policies::now)
    }
}
