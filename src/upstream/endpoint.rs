//! One upstream address, taken apart once so that a request only copies handles. Pure.

use http::HeaderValue;
use http::uri::PathAndQuery;
use url::{Host, Url};

use super::EndpointError;

/// Where an upstream listens and what it is asked for.
#[derive(Clone, Debug)]
pub struct Endpoint {
    host: Box<str>,
    port: u16,
    host_header: HeaderValue,
    path: PathAndQuery,
}

impl Endpoint {
    /// The endpoint that `url` names.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] where the scheme is not `http`, there is no host, or the URL carries credentials, a query or a
    /// fragment, all of which would be dropped silently.
    pub fn from_url(url: &Url) -> Result<Self, EndpointError> {
        if url.scheme() != "http" {
            return Err(EndpointError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        let host = match url.host().ok_or(EndpointError::Host)? {
            Host::Domain(name) => name.into(),
            Host::Ipv4(ip) => ip.to_string().into(),
            Host::Ipv6(ip) => ip.to_string().into(),
        };
        let port = url.port_or_known_default().ok_or(EndpointError::Host)?;
        // Rebuilt from the URL: the client's own Host never reaches the upstream (T21, T25).
        let written = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(EndpointError::Host),
        };
        let host_header = HeaderValue::try_from(written).map_err(|_| EndpointError::Host)?;
        let path = PathAndQuery::try_from(url.path()).map_err(|_| EndpointError::Path)?;
        Ok(Self { host, port, host_header, path })
    }

    /// Host name or IP address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the `Host` field says upstream.
    #[must_use]
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// The path of the MCP endpoint there, followed by `query` where there is one.
    #[must_use]
    pub fn target(&self, query: Option<&str>) -> PathAndQuery {
        match query {
            None => self.path.clone(),
            // A query that came out of a parsed URI is valid in one, so the fallback is never taken.
            Some(query) => PathAndQuery::try_from(format!("{}?{query}", self.path.path()))
                .unwrap_or_else(|_| self.path.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        type Seen = Result<(&'static str, u16, &'static str, &'static str), EndpointError>;
        let cases: &[(&str, Seen)] = &[
            ("http://127.0.0.1:3000/mcp", Ok(("127.0.0.1", 3000, "127.0.0.1:3000", "/mcp"))),
            ("http://mcp.internal", Ok(("mcp.internal", 80, "mcp.internal", "/"))),
            ("http://[::1]:8080/a/b", Ok(("::1", 8080, "[::1]:8080", "/a/b"))),
            ("https://mcp.internal/", Err(EndpointError::Scheme)),
            ("http://u:p@mcp.internal/", Err(EndpointError::Credentials)),
            ("http://mcp.internal/?a=1", Err(EndpointError::Query)),
            ("http://mcp.internal/#a", Err(EndpointError::Query)),
        ];
        for (url, expected) in cases {
            let endpoint = Endpoint::from_url(&url.parse().unwrap());
            let seen = endpoint
                .as_ref()
                .map(|e| (e.host(), e.port(), e.host_header().to_str().unwrap(), e.path.as_str()));
            assert_eq!(seen, expected.as_ref().copied(), "{url}");
        }
    }

    #[test]
    fn queries_are_kept() {
        let endpoint = Endpoint::from_url(&"http://h/mcp".parse().unwrap()).unwrap();
        assert_eq!(endpoint.target(None).as_str(), "/mcp");
        assert_eq!(endpoint.target(Some("a=1&b")).as_str(), "/mcp?a=1&b");
    }
}
