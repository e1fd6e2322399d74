//! Addresses that mcpfw connects to by itself: what a URL may look like, and where it must not lead.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

/// Why a URL is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not a URL with a host.
    Shape,
    /// A user name or password, or an `@` that looks like one.
    Credentials,
    /// A query or a fragment.
    Query,
    /// An address that answers with the secrets of the machine, or none at all (T60).
    LinkLocal,
}

impl Fault {
    /// What to do about it.
    pub(super) fn help(self) -> Option<&'static str> {
        match self {
            Self::Shape | Self::Credentials => None,
            Self::Query => Some("leave out what follows `?` or `#`"),
            Self::LinkLocal => Some(
                "link-local and unspecified addresses are never connected to: cloud metadata is there",
            ),
        }
    }
}

/// The URL that `text` is, read without repairs: what the URL standard would drop or turn (spaces, control characters,
/// backslashes) is refused.
pub(super) fn url(text: &str) -> Result<Url, Fault> {
    // First, and by the text alone: what looks like a password is not to be quoted, whatever else is wrong.
    if text.contains('@') {
        return Err(Fault::Credentials);
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Fault::Shape);
    }
    let url = Url::parse(text).map_err(|_| Fault::Shape)?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Fault::Shape);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Fault::Query);
    }
    if address(&url).is_some_and(is_barred) {
        return Err(Fault::LinkLocal);
    }
    Ok(url)
}

/// Whether `url` leads to this machine and cannot be made to lead elsewhere.
pub(super) fn is_loopback(url: &Url) -> bool {
    // RFC 6761 §6.3: `localhost` is loopback wherever it is resolved.
    let is_localhost =
        matches!(url.host(), Some(Host::Domain(name)) if name.eq_ignore_ascii_case("localhost"));
    is_localhost || address(url).is_some_and(|ip| ip.is_loopback())
}

fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip).to_canonical()),
    }
}

fn is_barred(ip: IpAddr) -> bool {
    // The metadata service of EC2 over IPv6, which is not link-local.
    const EC2: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip {
        IpAddr::V4(ip) => {
            ip.is_link_local() || ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast()
        }
        IpAddr::V6(ip) => {
            ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast() || ip == EC2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_without_repairs() {
        for (text, want) in [
            ("http://127.0.0.1:3000/mcp", None),
            ("http://mcp.internal", None),
            ("https://[::1]:8080/a/b", None),
            ("127.0.0.1:3000", Some(Fault::Shape)),
            ("localhost:3000/mcp", Some(Fault::Shape)),
            ("mcp.internal/mcp", Some(Fault::Shape)),
            ("http://", Some(Fault::Shape)),
            ("http:\\\\mcp.internal\\mcp", Some(Fault::Shape)),
            ("http://mcp.internal/a b", Some(Fault::Shape)),
            (" http://mcp.internal/", Some(Fault::Shape)),
            ("http://mcp.inter\tnal/", Some(Fault::Shape)),
            ("http://user@mcp.internal/", Some(Fault::Credentials)),
            ("http://:secret@mcp.internal/", Some(Fault::Credentials)),
            ("user:se cret@mcp.internal", Some(Fault::Credentials)),
            ("http://mcp.internal/@a", Some(Fault::Credentials)),
            ("http://mcp.internal/?a", Some(Fault::Query)),
            ("http://mcp.internal/#a", Some(Fault::Query)),
            ("http://169.254.169.254/latest/", Some(Fault::LinkLocal)),
            ("http://0xa9fea9fe/", Some(Fault::LinkLocal)),
            ("http://[::ffff:169.254.169.254]/", Some(Fault::LinkLocal)),
            ("http://[fe80::1]/", Some(Fault::LinkLocal)),
            ("http://[fd00:ec2::254]/", Some(Fault::LinkLocal)),
            ("http://0.0.0.0:3000/", Some(Fault::LinkLocal)),
            ("http://[::]/", Some(Fault::LinkLocal)),
        ] {
            assert_eq!(url(text).err(), want, "{text}");
        }
    }

    #[test]
    fn loopback() {
        for (text, want) in [
            ("http://127.0.0.1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://LOCALHOST/", true),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&url(text).unwrap()), want, "{text}");
        }
    }
}
