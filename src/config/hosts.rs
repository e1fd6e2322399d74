//! Whose requests are heard: names that `Host` may have, and origins of web pages.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Origin, Url};

use super::raw::Text;
use super::resolve::Scope;
use super::{Auth, codes};

/// What `Host` may say. A web page whose name was rebound to our address sends its own name, and is refused (T25).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<HostName>,
    /// Any IP address, too: nobody can rebind an address.
    addresses: bool,
    /// Anything.
    any: bool,
}

/// A host, and the port that must follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostName {
    /// Lower case; an IPv6 address in brackets.
    name: Box<str>,
    /// `None` accepts any port, and none.
    port: Option<u16>,
}

/// Origins (RFC 6454) that may call from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// As browsers write them: `https://app.example.com`, no default port, no path.
    allowed: Vec<Box<str>>,
}

impl Hosts {
    /// The names of this machine for itself, with any port: `localhost`, `127.0.0.1`, `[::1]`.
    pub(super) fn loopback() -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]"]
            .map(|name| HostName { name: name.into(), port: None });
        Self { names: names.into(), addresses: false, any: false }
    }

    /// What is accepted where nothing is said: the loopback names, the hosts of audiences (which are our own URLs) and,
    /// beyond loopback, our IP addresses, of which not all are known.
    pub(super) fn by_default(is_loopback: bool, auth: &Auth) -> Self {
        let mut hosts = Self { addresses: !is_loopback, ..Self::loopback() };
        let audiences = auth.jwt.iter().flat_map(|issuer| &issuer.audience);
        let urls = audiences.filter_map(|audience| Url::parse(audience).ok());
        let names =
            urls.filter_map(|url| Some(HostName { name: url.host_str()?.into(), port: None }));
        for name in names.filter(|host| is_name(&host.name)) {
            if !hosts.names.contains(&name) {
                hosts.names.push(name);
            }
        }
        hosts
    }

    /// `listen.hosts`.
    pub(super) fn resolve(written: &[Text<'_>], scope: &Scope<'_>) -> Self {
        let mut hosts = Self { names: Vec::new(), addresses: false, any: false };
        for text in written {
            if text.value == "*" {
                hosts.any = true;
            } else if let Some((name, port)) = split(text.value) {
                hosts.names.push(HostName { name: name.to_ascii_lowercase().into(), port });
            } else {
                let host =
                    Url::parse(text.value).ok().and_then(|url| url.host_str().map(str::to_owned));
                let help = host.map(|host| format!("write `{host}`, without scheme and path"));
                let expected = "a name or IP address, with or without a port";
                let _: Option<()> = scope.error(codes::HOST, *text, "host", expected, help);
            }
        }
        hosts
    }

    /// Whether a name other than those of loopback is accepted.
    pub(super) fn has_public_name(&self) -> bool {
        self.any || self.names.iter().any(|host| !Self::loopback().names.contains(host))
    }

    /// Whether `host`, the value of `Host` or `:authority`, is one of ours. Case does not matter; anything that is not
    /// `name`, `name:port`, `address` or `address:port` is refused.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        if self.any {
            return true;
        }
        let Some((name, port)) = split(host) else { return false };
        let named = |known: &HostName| {
            known.name.eq_ignore_ascii_case(name)
                && known.port.is_none_or(|want| Some(want) == port)
        };
        self.names.iter().any(named) || (self.addresses && is_address(name))
    }
}

impl Origins {
    /// `listen.origins`.
    pub(super) fn resolve(written: &[Text<'_>], scope: &Scope<'_>) -> Self {
        let origin = |text: &Text<'_>| {
            let url = Url::parse(text.value).ok().filter(|url| url.origin().is_tuple());
            let plain = url.map(|url: Url| url.origin()).as_ref().map(Origin::ascii_serialization);
            match plain {
                Some(plain) if plain == text.value => Some(plain.into()),
                plain => {
                    let expected = "an origin such as `https://app.example.com`";
                    let help = plain.map(|plain| format!("write `{plain}`, as browsers do"));
                    scope.error(codes::ORIGIN, *text, "origin", expected, help)
                }
            }
        };
        Self { allowed: written.iter().filter_map(origin).collect() }
    }

    /// Whether `origin`, the value of `Origin`, is one of ours, byte for byte. `null` never is.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        self.allowed.iter().any(|known| **known == *origin)
    }

    /// Whether no web page may call at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty()
    }
}

/// Name (or bracketed IPv6 address) and port of a `Host` value; `None` where it is neither.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, rest) = host.split_at_checked(end)?;
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        None => return None,
        // "+80" is a number to Rust.
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(port.parse().ok()?),
        Some(_) => return None,
    };
    (is_address(name) || is_name(name)).then_some((name, port))
}

/// An IPv4 address, or an IPv6 address in brackets.
fn is_address(name: &str) -> bool {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    }
}

/// A DNS name: labels of letters, digits, `-` and `_`, each of at most 63 bytes, 253 in all. A name whose last label is
/// a number is none: some parsers read it as an address.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let last = name.rsplit('.').next().unwrap_or("");
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[(&str, Option<u16>)], addresses: bool) -> Hosts {
        let name =
            |(name, port): &(&str, Option<u16>)| HostName { name: (*name).into(), port: *port };
        Hosts { names: names.iter().map(name).collect(), addresses, any: false }
    }

    #[test]
    fn hosts_are_names_with_a_port_or_any() {
        let ours = hosts(&[("mcp.example.com", None), ("internal", Some(8443))], false);
        for (host, want) in [
            ("mcp.example.com", true),
            ("MCP.Example.COM", true),
            ("mcp.example.com:443", true),
            ("internal:8443", true),
            ("internal:8444", false),
            ("internal", false),
            ("mcp.example.com.", false),
            ("mcp.example.com:", false),
            ("mcp.example.com:+80", false),
            ("mcp.example.com:99999", false),
            ("mcp.example.com:80:80", false),
            ("mcp.example.com@evil.example", false),
            ("evil.example@mcp.example.com", false),
            ("evil.example", false),
            ("amcp.example.com", false),
            ("mcp.example.com/", false),
            (" mcp.example.com", false),
            ("127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(ours.allows(host), want, "{host}");
        }
    }

    #[test]
    fn loopback_names_are_few() {
        let ours = Hosts::loopback();
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]", "[::1]:8080"] {
            assert!(ours.allows(host), "{host}");
        }
        for host in [
            "127.0.0.2",
            "::1",
            "[::1",
            "[::1]8080",
            "localhost.evil.example",
            "0x7f.1",
            "2130706433",
        ] {
            assert!(!ours.allows(host), "{host}");
        }
    }

    #[test]
    fn any_address_but_no_other_name() {
        let ours = hosts(&[("localhost", None)], true);
        for host in ["10.0.0.1", "10.0.0.1:8080", "[fe80::1]:80", "localhost"] {
            assert!(ours.allows(host), "{host}");
        }
        for host in ["evil.example", "10.0.0.1.evil.example", "010.0.0.1", "10.1", "a.1", "[evil]"]
        {
            assert!(!ours.allows(host), "{host}");
        }
    }

    #[test]
    fn origins_are_compared_byte_for_byte() {
        let ours = Origins { allowed: vec!["https://app.example.com".into()] };
        assert!(ours.allows("https://app.example.com"));
        for origin in [
            "null",
            "https://app.example.com/",
            "http://app.example.com",
            "https://app.example.com:443",
            "",
        ] {
            assert!(!ours.allows(origin), "{origin}");
        }
    }
}
