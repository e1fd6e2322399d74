//! `[listen]`: where to listen, and whose requests are heard there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use crate::diagnostic::Diagnostic;

use super::raw::{Raw, Text};
use super::resolve::Scope;
use super::{Auth, Hosts, Origins, codes};

/// Where to listen when nobody says: this machine only.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where to listen.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address and port; port 0 takes any free one. Default 127.0.0.1:8080.
    pub address: SocketAddr,
    /// Peers whose `X-Forwarded-For` is believed (T24). Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// What `Host` may say (T25).
    pub hosts: Hosts,
    /// Which web pages may call.
    pub origins: Origins,
}

impl Listen {
    /// Resolves `[listen]`. What is open beyond this machine is warned of here, since that is where it is opened.
    pub(super) fn resolve(raw: &Raw<'_>, auth: &Auth, scope: &Scope<'_>) -> Option<Self> {
        let networks = raw.trusted_proxies.iter().filter_map(|text| network(*text, scope));
        let trusted_proxies: Vec<IpNet> = networks.collect();
        let origins = Origins::resolve(&raw.origins, scope);
        let address = raw.address.map_or(Some(ADDRESS), |text| address(text, scope));
        let is_loopback = address.is_none_or(|a| a.ip().to_canonical().is_loopback());
        let hosts = match &raw.hosts {
            Some(hosts) => Hosts::resolve(hosts, scope),
            None => Hosts::by_default(is_loopback, auth),
        };
        let listen = Self { address: address?, trusted_proxies, hosts, origins };
        if !is_loopback {
            listen.warn(raw, auth, scope);
        }
        Some(listen)
    }

    fn warn(&self, raw: &Raw<'_>, auth: &Auth, scope: &Scope<'_>) {
        let warn = |code, message: &str, label: &str, help: &str| {
            let mut finding = Diagnostic::warning(code, message).help(help);
            if let Some(text) = raw.address {
                finding = finding.primary(text.span, label);
            }
            scope.problems.push(finding);
        };
        if self.trusted_proxies.is_empty() {
            warn(
                codes::PLAINTEXT,
                "tokens and calls travel in the clear",
                "plain HTTP, reachable from other machines",
                "listen on loopback, or let something that terminates TLS stand in front and name it in \
                 `listen.trusted_proxies`",
            );
        }
        if raw.hosts.is_none() && !self.hosts.has_public_name() {
            warn(
                codes::NO_HOSTS,
                "requests by name will be refused",
                "reachable under a name that is not known here",
                "list the names in `listen.hosts`; until then only IP addresses and `localhost` are accepted in `Host`",
            );
        }
        if auth.jwt.is_empty() && raw.issuers.is_empty() && raw.required.is_none() {
            warn(
                codes::NOBODY_KNOWN,
                "every caller is anonymous",
                "reachable from other machines",
                "name an issuer in `[[auth.jwt]]`, or say `required = false` in `[auth]` if this is meant",
            );
        }
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }

    /// Whether `peer` may say for whom it speaks.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }
}

fn address(text: Text<'_>, scope: &Scope<'_>) -> Option<SocketAddr> {
    if let Ok(address) = text.value.parse() {
        return Some(address);
    }
    let port = text.value.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let help = if text.value.parse::<IpAddr>().is_ok() {
        "add a port, as in `127.0.0.1:8080` or `[::1]:8080`".to_owned()
    } else {
        let port = port.unwrap_or(ADDRESS.port());
        format!(
            "names are not looked up; write `127.0.0.1:{port}` for this machine, `0.0.0.0:{port}` for all"
        )
    };
    scope.error(
        codes::ADDRESS,
        text,
        "address to listen on",
        "an IP address and a port",
        Some(help),
    )
}

fn network(text: Text<'_>, scope: &Scope<'_>) -> Option<IpNet> {
    let expected = "an IP address, or a network such as `10.0.0.0/8`";
    if let Ok(address) = text.value.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    let Ok(net) = text.value.parse::<IpNet>() else {
        return scope.error(codes::NETWORK, text, "network", expected, None::<&str>);
    };
    if net.trunc() != net {
        // Bits behind the prefix are as often a wrong prefix as a wrong address.
        let help =
            format!("did you mean the network `{}` or the address `{}`?", net.trunc(), net.addr());
        return scope.error(codes::NETWORK, text, "network", expected, Some(help));
    }
    Some(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_the_address() {
        let listen = Listen {
            address: "[::ffff:127.0.0.1]:0".parse().unwrap(),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            hosts: Hosts::loopback(),
            origins: Origins::default(),
        };
        assert!(listen.is_loopback());
        assert!(listen.trusts("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!listen.trusts("11.1.2.3".parse().unwrap()));
    }
}
