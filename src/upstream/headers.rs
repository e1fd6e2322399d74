//! Header hygiene, both ways. Pure.
//!
//! Names are judged once, on one list for each direction. What mcpfw sets is set after everything that a peer could remove
//! or shadow has been removed, so that `Connection: X-User-Id` takes away nothing (T22).

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

/// `X-Forwarded-For`
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `X-Forwarded-Host`
pub const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// `X-Forwarded-Proto`
pub const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// `X-Request-Id`
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `X-Accel-Buffering`
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// `Mcp-Session-Id`
pub const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// `Last-Event-ID`
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Names to remove; few requests have more than eight.
type Names = SmallVec<[HeaderName; 8]>;

/// The headers that carry a caller's identity upstream, and what a client may not send because of them.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    names: Vec<HeaderName>,
    /// Each name with `_` written as `-`: CGI-like servers read both as one variable (T23).
    folded: Vec<Box<str>>,
}

impl Identity {
    /// The set of `names`.
    #[must_use]
    pub fn new(names: Vec<HeaderName>) -> Self {
        let folded = names.iter().map(|name| fold(name.as_str()).into()).collect();
        Self { names, folded }
    }

    /// The names, in the order given.
    #[must_use]
    pub fn names(&self) -> &[HeaderName] {
        &self.names
    }

    /// Removes every header of a client that is one of these, or its twin. To be called before anything is decided, so that
    /// no later step can see a forged one.
    pub fn scrub(&self, headers: &mut HeaderMap) {
        if self.folded.is_empty() {
            return;
        }
        let forged: Names = headers.keys().filter(|name| self.covers(name)).cloned().collect();
        for name in forged {
            headers.remove(name);
        }
    }

    fn covers(&self, name: &HeaderName) -> bool {
        let name = name.as_str();
        self.folded.iter().any(|ours| {
            ours.len() == name.len()
                && ours
                    .bytes()
                    .zip(name.bytes())
                    .all(|(a, b)| a == if b == b'_' { b'-' } else { b })
        })
    }
}

fn fold(name: &str) -> String {
    name.replace('_', "-")
}

/// Whether there is an underscore in it. Such names are refused: many servers read `X_User_Id` and `X-User-Id` as the same
/// variable, so one of the two would be a header that nobody checked (T23).
#[must_use]
pub fn is_ambiguous_name(name: &HeaderName) -> bool {
    name.as_str().as_bytes().contains(&b'_')
}

/// What mcpfw says to the upstream about the exchange.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// The request id.
    pub request_id: &'a HeaderValue,
    /// The address at the other end of the downstream connection.
    pub peer: &'a HeaderValue,
    /// Whether that is a trusted proxy, whose own `X-Forwarded-*` are kept.
    pub trusted: bool,
    /// `http` or `https`, as the client spoke it to us.
    pub proto: &'static str,
    /// Whether `Authorization` goes on.
    pub authorization: bool,
    /// Whether the request stands for itself (2026-07-28), so that session headers mean nothing (mcp-protocol §3.1.2).
    pub modern: bool,
}

/// Turns the headers of a downstream request into those of the upstream request. Body framing is left to the HTTP client,
/// `Host` to whoever picks the upstream.
pub fn towards_upstream(headers: &mut HeaderMap, forwarded: &Forwarded<'_>) {
    let client_host = headers.remove(header::HOST);
    let remove = {
        let nominated = nominated(headers);
        let drops = |name: &HeaderName| {
            drops_request(name.as_str(), forwarded)
                || (!nominated.is_empty() && nominated.contains(name))
        };
        headers.keys().filter(|name| drops(name)).cloned().collect::<Names>()
    };
    for name in remove {
        headers.remove(name);
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(X_REQUEST_ID, forwarded.request_id.clone());
    // What anybody but a trusted proxy said of these is gone.
    let is_told = |headers: &HeaderMap, name| forwarded.trusted && headers.contains_key(name);
    // Several fields are joined as RFC 9110 §5.3 says.
    let chain = match is_told(headers, X_FORWARDED_FOR) {
        true => joined(headers, forwarded.peer),
        false => forwarded.peer.clone(),
    };
    headers.insert(X_FORWARDED_FOR, chain);
    if !is_told(headers, X_FORWARDED_PROTO) {
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(forwarded.proto));
    }
    if let Some(host) = client_host
        && !is_told(headers, X_FORWARDED_HOST)
    {
        headers.insert(X_FORWARDED_HOST, host);
    }
}

fn joined(headers: &HeaderMap, peer: &HeaderValue) -> HeaderValue {
    let mut chain = Vec::new();
    for value in headers.get_all(X_FORWARDED_FOR) {
        chain.extend_from_slice(value.as_bytes());
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(peer.as_bytes());
    HeaderValue::from_bytes(&chain).unwrap_or_else(|_| peer.clone())
}

/// Whether a client's header of this name stays behind. `name` is lower case.
fn drops_request(name: &str, forwarded: &Forwarded<'_>) -> bool {
    match name {
        // Between two hops (RFC 9110 §7.6.1), or about a framing that is made anew.
        "connection"
        | "keep-alive"
        | "proxy-connection"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade"
        | "http2-settings"
        | "content-length"
        | "expect" => true,
        // A cookie is a credential for the gateway's origin, which other applications may share: MCP uses none (T37, T38).
        "cookie" => true,
        "authorization" => !forwarded.authorization,
        // Said anew, or to be believed from nobody.
        "accept-encoding" | "x-request-id" | "forwarded" | "x-real-ip" | "via" => true,
        // These make some frameworks see another method or path than the one that was checked.
        "x-http-method-override"
        | "x-http-method"
        | "x-method-override"
        | "x-original-url"
        | "x-rewrite-url" => true,
        "mcp-session-id" | "last-event-id" => forwarded.modern,
        _ => name.starts_with("x-forwarded-") && !forwarded.trusted,
    }
}

/// Names that `Connection` lists, but for those that mean something there.
fn nominated(headers: &HeaderMap) -> Names {
    let mut names = Names::new();
    for value in headers.get_all(header::CONNECTION) {
        for token in value.as_bytes().split(|&byte| byte == b',') {
            let token = token.trim_ascii();
            if token.eq_ignore_ascii_case(b"keep-alive") || token.eq_ignore_ascii_case(b"close") {
                continue;
            }
            if let Ok(name) = HeaderName::from_bytes(token) {
                names.push(name);
            }
        }
    }
    names
}

/// Turns the headers of an upstream reply into those of the downstream reply. Framing is left to the HTTP server, the request
/// id to whoever sends the reply.
pub fn towards_downstream(headers: &mut HeaderMap, modern: bool) {
    let remove = {
        let nominated = nominated(headers);
        let drops = |name: &HeaderName| {
            drops_reply(name.as_str(), modern)
                || (!nominated.is_empty() && nominated.contains(name))
        };
        headers.keys().filter(|name| drops(name)).cloned().collect::<Names>()
    };
    for name in remove {
        headers.remove(name);
    }
}

/// Whether an upstream's header of this name stays behind. `name` is lower case.
fn drops_reply(name: &str, modern: bool) -> bool {
    match name {
        "connection" | "keep-alive" | "proxy-connection" | "proxy-authenticate" | "te"
        | "trailer" | "transfer-encoding" | "upgrade" | "content-length" => true,
        // Challenges are mcpfw's own: an upstream's would send clients to an authorization server of its choice (T45).
        "www-authenticate" | "proxy-authentication-info" | "authentication-info" => true,
        // They speak for the origin, and the origin is mcpfw (T26, T27).
        "server"
        | "x-powered-by"
        | "via"
        | "alt-svc"
        | "set-cookie"
        | "location"
        | "refresh"
        | "strict-transport-security"
        | "clear-site-data"
        | "service-worker-allowed" => true,
        // Orders to a web server in front of mcpfw.
        "x-sendfile" | "x-lighttpd-send-file" => true,
        // The body is identity-coded, or it is not relayed at all.
        "content-encoding" | "x-request-id" => true,
        "mcp-session-id" => modern,
        _ => name.starts_with("access-control-") || name.starts_with("x-accel-"),
    }
}

/// The client's address as the right-most hop of `X-Forwarded-For` that is not a trusted proxy (T24). `None` where a hop
/// cannot be read: then the peer is the last address that anybody vouches for.
#[must_use]
pub fn client_address(headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let fields: SmallVec<[&HeaderValue; 2]> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    let mut last = None;
    for field in fields.iter().rev() {
        for hop in field.as_bytes().rsplit(|&byte| byte == b',') {
            let hop: IpAddr = std::str::from_utf8(hop).ok()?.trim().parse().ok()?;
            last = Some(hop);
            if !trusted(hop) {
                return last;
            }
        }
    }
    last
}

/// A verified claim as a header value: control, non-ASCII and `%` bytes percent-encoded, and so are blanks at the ends, which
/// a parser would trim away (T23).
#[must_use]
pub fn encode_claim(text: &str) -> HeaderValue {
    let mut out = Vec::with_capacity(text.len());
    encode_into(text, false, &mut out);
    as_value(out)
}

/// Several scalars as one header value, joined by commas; a comma in an item is percent-encoded.
#[must_use]
pub fn encode_claims<'a>(items: impl IntoIterator<Item = &'a str>) -> HeaderValue {
    let mut out = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        encode_into(item, true, &mut out);
    }
    as_value(out)
}

fn as_value(encoded: Vec<u8>) -> HeaderValue {
    // Only visible ASCII and inner blanks are left, so the fallback is never taken.
    HeaderValue::from_maybe_shared(bytes::Bytes::from(encoded))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn encode_into(text: &str, in_list: bool, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        let plain = match byte {
            b' ' => at != 0 && at != last,
            b'%' => false,
            b',' => !in_list,
            _ => byte.is_ascii_graphic(),
        };
        if plain {
            out.push(byte);
        } else {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn lines(map: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<String> = map
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    const ID: HeaderValue = HeaderValue::from_static("req-00001");
    const PEER: HeaderValue = HeaderValue::from_static("192.0.2.7");

    fn forwarded() -> Forwarded<'static> {
        static FIXED: [HeaderValue; 2] = [ID, PEER];
        let [request_id, peer] = &FIXED;
        Forwarded {
            request_id,
            peer,
            trusted: false,
            proto: "http",
            authorization: false,
            modern: false,
        }
    }

    /// What is set whatever came in.
    const ALWAYS: [&str; 5] = [
        "accept-encoding: identity",
        "x-forwarded-for: 192.0.2.7",
        "x-forwarded-host: gw",
        "x-forwarded-proto: http",
        "x-request-id: req-00001",
    ];

    #[test]
    fn requests() {
        type Fields = &'static [(&'static str, &'static str)];
        let cases: &[(&str, Fields, &[&str])] = &[
            (
                "nothing special",
                &[("accept", "a/b"), ("mcp-name", "x")],
                &["accept: a/b", "mcp-name: x"],
            ),
            ("hop by hop", &[("te", "trailers"), ("keep-alive", "1"), ("upgrade", "h2c")], &[]),
            (
                "nominated",
                &[("connection", "X-Foo, close"), ("x-foo", "1"), ("x-bar", "1")],
                &["x-bar: 1"],
            ),
            ("nominates ours", &[("connection", "host, x-request-id, x-forwarded-for")], &[]),
            ("credentials", &[("authorization", "Bearer t"), ("cookie", "a=b")], &[]),
            (
                "proxy talk",
                &[
                    ("forwarded", "for=1"),
                    ("x-forwarded-for", "6.6.6.6"),
                    ("x-forwarded-proto", "https"),
                    ("x-forwarded-port", "1"),
                    ("x-real-ip", "6.6.6.6"),
                ],
                &[],
            ),
            (
                "overrides",
                &[("x-http-method-override", "DELETE"), ("x-original-url", "/admin")],
                &[],
            ),
            ("framing", &[("content-length", "5"), ("expect", "100-continue")], &[]),
            ("encodings", &[("accept-encoding", "gzip, br")], &[]),
            (
                "sessions are legacy's",
                &[("mcp-session-id", "s"), ("last-event-id", "4")],
                &["last-event-id: 4", "mcp-session-id: s"],
            ),
        ];
        for (what, fields, kept) in cases {
            let mut headers = map(fields);
            headers.insert(header::HOST, HeaderValue::from_static("gw"));
            towards_upstream(&mut headers, &forwarded());
            let mut expected: Vec<&str> = ALWAYS.iter().chain(*kept).copied().collect();
            expected.sort_unstable();
            assert_eq!(lines(&headers), expected, "{what}");
        }
    }

    #[test]
    fn what_a_route_a_revision_and_a_trusted_proxy_change() {
        let mut headers = map(&[
            ("host", "gw"),
            ("authorization", "Bearer t"),
            ("mcp-session-id", "s"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-proto", "https"),
        ]);
        let facts = Forwarded { trusted: true, authorization: true, modern: true, ..forwarded() };
        towards_upstream(&mut headers, &facts);
        assert_eq!(
            lines(&headers),
            [
                "accept-encoding: identity",
                "authorization: Bearer t",
                "x-forwarded-for: 203.0.113.9, 198.51.100.1, 192.0.2.7",
                "x-forwarded-host: gw",
                "x-forwarded-proto: https",
                "x-request-id: req-00001",
            ]
        );
    }

    #[test]
    fn replies() {
        let mut headers = map(&[
            ("content-type", "application/json"),
            ("content-length", "2"),
            ("connection", "x-inner, keep-alive"),
            ("x-inner", "1"),
            ("server", "nasty/1"),
            ("alt-svc", "h3=\":1\""),
            ("set-cookie", "a=b"),
            ("www-authenticate", "Bearer resource_metadata=\"https://evil\""),
            ("access-control-allow-origin", "*"),
            ("x-accel-redirect", "/etc/passwd"),
            ("x-request-id", "theirs"),
            ("mcp-session-id", "s"),
        ]);
        let mut modern = headers.clone();
        towards_downstream(&mut headers, false);
        assert_eq!(lines(&headers), ["content-type: application/json", "mcp-session-id: s"]);
        towards_downstream(&mut modern, true);
        assert!(!modern.contains_key(MCP_SESSION_ID));
    }

    #[test]
    fn forged_identity_is_scrubbed_with_its_twins() {
        let identity = Identity::new(vec![
            HeaderName::from_static("x-user-id"),
            HeaderName::from_static("x_plan"),
        ]);
        let mut headers = map(&[
            ("x-user-id", "root"),
            ("X_User-Id", "root"),
            ("x_user_id", "root"),
            ("x-plan", "pro"),
            ("x-user-ids", "kept"),
        ]);
        identity.scrub(&mut headers);
        assert_eq!(lines(&headers), ["x-user-ids: kept"]);
    }

    #[test]
    fn underscores_are_named() {
        assert!(is_ambiguous_name(&HeaderName::from_static("a_b")));
        assert!(!is_ambiguous_name(&HeaderName::from_static("a-b")));
    }

    #[test]
    fn client_addresses() {
        let proxy = |ip: IpAddr| ip.to_string().starts_with("10.");
        let cases: &[(&[&str], Option<&str>)] = &[
            (&[], None),
            (&["203.0.113.9"], Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9"], Some("203.0.113.9")),
            (&["203.0.113.9, 10.0.0.1"], Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9", "10.0.0.1,10.0.0.2"], Some("203.0.113.9")),
            (&["10.0.0.9, 10.0.0.1"], Some("10.0.0.9")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["203.0.113.9, junk"], None),
            (&["junk, 203.0.113.9"], Some("203.0.113.9")),
        ];
        for (fields, expected) in cases {
            let fields: Vec<_> = fields.iter().map(|field| ("x-forwarded-for", *field)).collect();
            let seen = client_address(&map(&fields), proxy).map(|ip| ip.to_string());
            assert_eq!(seen.as_deref(), *expected, "{fields:?}");
        }
    }

    #[test]
    fn claims() {
        let cases = [
            ("u1", "u1"),
            ("a b", "a b"),
            (" a ", "%20a%20"),
            ("100%", "100%25"),
            ("a\r\nX-Admin: 1", "a%0D%0AX-Admin: 1"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("a,b", "a,b"),
            ("", ""),
            (" ", "%20"),
        ];
        for (text, expected) in cases {
            assert_eq!(encode_claim(text), expected);
        }
        assert_eq!(encode_claims(["a,b", "c"]), "a%2Cb,c");
    }
}
