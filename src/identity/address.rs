//! Which addresses may serve keys (T40): the answer is asked for the addresses that are about to be connected to, so a name
//! that resolves differently the second time gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the configured URL says about where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It names this machine, so it must lead there.
    Loopback,
    /// It names a host, so it must lead out of the private network.
    Public,
    /// It names an address, or the operator allows private ones.
    Private,
}

impl Reach {
    /// Whether `ip` may be connected to.
    pub(super) fn permits(self, ip: IpAddr) -> bool {
        let ip = embedded(ip.to_canonical());
        match self {
            Self::Loopback => ip.is_loopback(),
            Self::Public => !is_special(ip) && !is_private(ip),
            Self::Private => !is_special(ip),
        }
    }
}

/// Addresses that nobody's keys are at: loopback, link-local with the cloud's metadata services, multicast, unspecified.
fn is_special(ip: IpAddr) -> bool {
    // The metadata service of EC2 over IPv6, which is a unique local address.
    const EC2: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
        return true;
    }
    match ip {
        // 0.0.0.0/8 is "this network"; Linux connects 0.x to itself. 240/4 is reserved.
        IpAddr::V4(ip) => ip.is_link_local() || matches!(ip.octets(), [0 | 240..=255, ..]),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip == EC2,
    }
}

/// RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193, deprecated site-local, benchmarking and documentation ranges.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_documentation()
                || matches!(ip.octets(), [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..])
        }
        IpAddr::V6(ip) => {
            ip.is_unique_local()
                || matches!(
                    ip.segments(),
                    [0xfec0..=0xfeff, ..] | [0x2001, 0xdb8, ..] | [0x100, 0, 0, 0, ..]
                )
        }
    }
}

/// The IPv4 address inside a NAT64 (RFC 6052), 6to4 (RFC 3056) or IPv4-compatible address: a gateway would lead there.
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => pair(high, low),
        [0x2002, high, low, ..] => pair(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => pair(high, low),
        _ => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_reach() {
        // (address, loopback, public, private)
        let cases = [
            ("127.0.0.1", true, false, false),
            ("127.9.9.9", true, false, false),
            ("::1", true, false, false),
            ("::ffff:127.0.0.1", true, false, false),
            ("0.0.0.0", false, false, false),
            ("0.1.2.3", false, false, false),
            ("::", false, false, false),
            ("169.254.169.254", false, false, false),
            ("::ffff:169.254.169.254", false, false, false),
            ("64:ff9b::a9fe:a9fe", false, false, false),
            ("2002:a9fe:a9fe::1", false, false, false),
            ("fe80::1", false, false, false),
            ("fd00:ec2::254", false, false, false),
            ("224.0.0.1", false, false, false),
            ("ff02::1", false, false, false),
            ("255.255.255.255", false, false, false),
            ("10.0.0.5", false, false, true),
            ("172.16.0.1", false, false, true),
            ("192.168.1.1", false, false, true),
            ("100.64.0.1", false, false, true),
            ("fd12::1", false, false, true),
            ("64:ff9b::a00:5", false, false, true),
            ("::10.0.0.5", false, false, true),
            ("172.32.0.1", false, true, true),
            ("100.128.0.1", false, true, true),
            ("9.9.9.9", false, true, true),
            ("2606:4700::1111", false, true, true),
            ("64:ff9b::909:909", false, true, true),
        ];
        for (text, loopback, public, private) in cases {
            let ip = text.parse().unwrap();
            let got =
                [Reach::Loopback, Reach::Public, Reach::Private].map(|reach| reach.permits(ip));
            assert_eq!(got, [loopback, public, private], "{text}");
        }
    }
}
