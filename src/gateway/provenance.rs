//! Where a request comes from, as far as a browser can be trusted to say: `Host` and `Origin` (T25), and CORS (T26).

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};

use super::body::Body;
use super::peer::Peer;
use super::record::Record;
use super::reject::Reject;
use super::state::Shared;
use crate::config::Listen;
use crate::upstream::headers::client_address;

/// Bytes of `Access-Control-Request-Headers` that are answered: some forty names.
const MAX_REQUESTED: usize = 1024;

/// What may be said to a web page.
#[derive(Clone, Debug)]
pub(super) struct Provenance {
    /// The host asked for, lower case, without port.
    pub(super) host: Arc<str>,
    /// The page's origin, where there is one; it is allowed.
    origin: Option<HeaderValue>,
}

/// Checks who is asked for, and for whom.
///
/// # Errors
/// 400 for a `Host` that is not one, 421 for one that is not ours, 403 for an origin that may not call.
pub(super) fn check(head: &Parts, peer: &Peer, listen: &Listen) -> Result<Provenance, Box<Reject>> {
    let asked = host(head)?;
    let mut last = peer.last_host.lock();
    let host = match &*last {
        Some((value, host)) if value == asked => Arc::clone(host),
        _ if !listen.hosts.allows(asked) => return Err(Reject::host()),
        _ => {
            let host = without_port(asked);
            *last = HeaderValue::from_str(asked).ok().map(|value| (value, Arc::clone(&host)));
            host
        }
    };
    let origin = origin(&head.headers, listen, asked)?;
    Ok(Provenance { host, origin })
}

/// The one host that the request names.
fn host(head: &Parts) -> Result<&str, Box<Reject>> {
    let mut fields = head.headers.get_all(header::HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (Some(field), None) => Some(field.to_str().map_err(|_| Reject::bad_host())?),
        (None, None) => None,
        _ => return Err(Reject::bad_host()),
    };
    // In HTTP/2 that is `:authority`, in HTTP/1 the absolute form, which goes before Host (RFC 9112 §3.2.2): where they
    // differ, someone before us may have gone by the other.
    let named = head.uri.authority().map(|authority| authority.as_str());
    match (named, field) {
        (Some(named), Some(field)) if !named.eq_ignore_ascii_case(field) => Err(Reject::bad_host()),
        (Some(host), _) if head.version == Version::HTTP_2 => Ok(host),
        (_, Some(host)) => Ok(host),
        (_, None) => Err(Reject::bad_host()),
    }
}

fn without_port(host: &str) -> Arc<str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.to_ascii_lowercase().into()
}

fn origin(
    headers: &HeaderMap,
    listen: &Listen,
    host: &str,
) -> Result<Option<HeaderValue>, Box<Reject>> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = values.next() else { return Ok(None) };
    let is_ours =
        origin.to_str().is_ok_and(|text| listen.origins.allows(text) || is_own(text, host));
    if is_ours && values.next().is_none() {
        Ok(Some(origin.clone()))
    } else {
        Err(Reject::origin())
    }
}

/// Whether `origin` is that of a page which we would have served ourselves on loopback. There is none, and no page of another
/// origin can say so: a name that was rebound to our address is still its own name.
fn is_own(origin: &str, host: &str) -> bool {
    let is_loopback = matches!(&*without_port(host), "localhost" | "127.0.0.1" | "[::1]");
    is_loopback && origin.strip_prefix("http://").is_some_and(|own| own.eq_ignore_ascii_case(host))
}

/// The client's address, after trusted proxies (T24).
pub(super) fn client(shared: &Shared, peer: &Peer, head: &Parts, record: &mut Record) -> IpAddr {
    if !peer.trusted {
        return peer.ip;
    }
    let ip = client_address(&head.headers, |ip| shared.listen.trusts(ip)).unwrap_or(peer.ip);
    record.client = Some(ip.to_string().into());
    ip
}

impl Provenance {
    /// Of a request of which nothing is known yet.
    pub(super) fn unknown() -> Self {
        Self { host: Arc::default(), origin: None }
    }

    /// The answer to a preflight, where this is one.
    pub(super) fn preflight(&self, head: &Parts, allow: &'static str) -> Option<Response<Body>> {
        if head.method != Method::OPTIONS
            || self.origin.is_none()
            || !head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(allow));
        // `Mcp-Param-*` cannot be listed, and `*` would not cover Authorization: what is asked for is allowed, since what
        // headers mean is decided later anyway.
        let requested = head.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(requested) = requested.filter(|value| is_name_list(value.as_bytes())) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        Some(response)
    }

    /// Lets the page read `response`, errors included.
    pub(super) fn expose(&self, response: &mut Response<Body>) {
        let Some(origin) = &self.origin else { return };
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "mcp-session-id, www-authenticate, retry-after, ratelimit, ratelimit-policy, x-request-id",
            ),
        );
    }
}

fn is_name_list(value: &[u8]) -> bool {
    value.len() <= MAX_REQUESTED
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-, \t".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_cut_off() {
        for (host, expected) in
            [("A.example", "a.example"), ("a:80", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")]
        {
            assert_eq!(&*without_port(host), expected);
        }
    }
}
