//! Bringing a key set here: one bounded read of a file or one bounded GET (T40). Driver.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use tokio::io::AsyncReadExt as _;
use url::{Host, Url};

use super::address::Reach;
use super::jwks::{self, JwksError};
use super::schedule::Millis;
use super::trust::Source;

/// The whole of one fetch: connecting, answer, body.
const TIME: Duration = Duration::from_secs(2);

/// Why a key set could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not within two seconds.
    #[error("no answer within 2 s")]
    Timeout,
    /// No connection, or it broke.
    #[error("cannot connect")]
    Connect,
    /// Every address of the host is one that must not be asked (T40).
    #[error("the host's address is private or special")]
    Address,
    /// A redirect: only the configured URL is trusted.
    #[error("redirects elsewhere")]
    Redirect,
    /// Another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// A content type that no key set has, such as a page of HTML.
    #[error("not a JSON content type")]
    ContentType,
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    File(std::io::ErrorKind),
    /// What came is no key set.
    #[error(transparent)]
    Document(#[from] JwksError),
}

/// A document and how long its issuer calls it good.
pub(super) struct Fetched {
    pub(super) document: Vec<u8>,
    pub(super) ttl: Option<Millis>,
}

/// A source made ready.
pub(super) enum Fetcher {
    Url { client: reqwest::Client, url: Url },
    File(Box<Path>),
}

impl Fetcher {
    /// Makes `source` ready; `None` where there is nothing to fetch.
    pub(super) fn new(source: &Source) -> Result<Option<Self>, reqwest::Error> {
        match source {
            Source::Url { url, allow_private } => {
                let reach = reach(url, *allow_private);
                let client = reqwest::Client::builder()
                    .redirect(Policy::none())
                    // A proxy from the environment would be connected to in place of the address that was checked.
                    .no_proxy()
                    .timeout(TIME)
                    .connect_timeout(TIME)
                    .retry(reqwest::retry::never())
                    // A rebound name must not be reached over a connection that was checked long ago, nor the other way.
                    .pool_max_idle_per_host(0)
                    .dns_resolver(Resolver(reach))
                    .https_only(url.scheme() != "http" || reach != Reach::Loopback)
                    .user_agent(concat!("mcpfw/", env!("CARGO_PKG_VERSION")))
                    .build()?;
                Ok(Some(Self::Url { client, url: url.clone() }))
            }
            Source::File(path) => Ok(Some(Self::File(path.as_path().into()))),
            Source::Fixed(_) => Ok(None),
        }
    }

    /// Fetches once.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection; nothing else is left.
    pub(super) async fn fetch(&self) -> Result<Fetched, FetchError> {
        match self {
            Self::Url { client, url } => get(client, url).await,
            // A pipe, or a file on a network that is gone, never answers.
            Self::File(path) => {
                tokio::time::timeout(TIME, read(path)).await.unwrap_or(Err(FetchError::Timeout))
            }
        }
    }
}

async fn read(path: &Path) -> Result<Fetched, FetchError> {
    let fail = |error: std::io::Error| FetchError::File(error.kind());
    let file = tokio::fs::File::open(path).await.map_err(fail)?;
    let mut document = Vec::new();
    file.take(jwks::MAX_BYTES as u64 + 1).read_to_end(&mut document).await.map_err(fail)?;
    // Read again as often as may be: a file costs nothing, and is replaced to revoke a key.
    Ok(Fetched { document, ttl: Some(0) })
}

async fn get(client: &reqwest::Client, url: &Url) -> Result<Fetched, FetchError> {
    // A literal address does not pass through the resolver.
    if let Some(ip) = literal(url)
        && !reach(url, true).permits(ip)
    {
        return Err(FetchError::Address);
    }
    let request =
        client.get(url.clone()).header("accept", "application/jwk-set+json, application/json");
    let mut response = request.send().await.map_err(|error| sort(&error))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirect);
    }
    if status != http::StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    if !is_json(response.headers()) {
        return Err(FetchError::ContentType);
    }
    let ttl = ttl(response.headers());
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| sort(&error))? {
        if document.len() + chunk.len() > jwks::MAX_BYTES {
            return Err(JwksError::TooLarge.into());
        }
        document.extend_from_slice(&chunk);
    }
    Ok(Fetched { document, ttl })
}

fn sort(error: &reqwest::Error) -> FetchError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.is::<Barred>() {
            return FetchError::Address;
        }
        cause = this.source();
    }
    if error.is_timeout() { FetchError::Timeout } else { FetchError::Connect }
}

/// How far `url` may lead, from what it names.
fn reach(url: &Url, allow_private: bool) -> Reach {
    let is_localhost =
        matches!(url.host(), Some(Host::Domain(name)) if name.eq_ignore_ascii_case("localhost"));
    match literal(url) {
        Some(ip) if ip.is_loopback() => Reach::Loopback,
        _ if is_localhost => Reach::Loopback,
        // Whoever wrote the address meant it.
        Some(_) => Reach::Private,
        None if allow_private => Reach::Private,
        None => Reach::Public,
    }
}

fn literal(url: &Url) -> Option<std::net::IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(std::net::IpAddr::V6(ip).to_canonical()),
    }
}

/// Resolves names, and leaves out addresses that must not be connected to. The connector connects to what this returns and nothing
/// else, so there is no second look-up that could say otherwise (DNS rebinding).
struct Resolver(Reach);

/// No address of a name may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("no permitted address")]
struct Barred;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> = found.filter(|at| reach.permits(at.ip())).collect();
            if permitted.is_empty() {
                return Err(Barred.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// Key sets are served as JSON, by plain file servers as text or bytes, and by some without a type. A page of HTML is an error page.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let essence = value
        .to_str()
        .unwrap_or("?")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let plain = ["application/json", "text/plain", "application/octet-stream"];
    plain.contains(&essence.as_str())
        || essence.starts_with("application/") && essence.ends_with("+json")
}

/// `max-age` less `Age` (RFC 9111 §4.2); 0 for what must not be stored. The schedule keeps it within its bounds.
fn ttl(headers: &HeaderMap) -> Option<Millis> {
    let mut max_age = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            if matches!(directive.as_str(), "no-store" | "no-cache") {
                return Some(0);
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                max_age = Some(seconds.trim_matches('"').parse::<u64>().unwrap_or(0));
            }
        }
    }
    let age =
        headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse::<u64>().ok()).unwrap_or(0);
    max_age.map(|seconds| seconds.saturating_sub(age).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_life_of_a_document() {
        type Case = (&'static [(&'static str, &'static str)], Option<Millis>);
        let cases: &[Case] = &[
            (&[], None),
            (&[("cache-control", "public")], None),
            (&[("cache-control", "public, max-age=300, must-revalidate")], Some(300_000)),
            (&[("cache-control", "public"), ("cache-control", "Max-Age=\"300\"")], Some(300_000)),
            (&[("cache-control", "max-age=300"), ("age", "100")], Some(200_000)),
            (&[("cache-control", "max-age=300"), ("age", "400")], Some(0)),
            (&[("cache-control", "max-age=300, no-store")], Some(0)),
            (&[("cache-control", "max-age=lots")], Some(0)),
            (&[("cache-control", "s-maxage=9")], None),
        ];
        for (lines, want) in cases {
            assert_eq!(ttl(&headers(lines)), *want, "{lines:?}");
        }
    }

    #[test]
    fn content_types() {
        for (value, want) in [
            ("application/json", true),
            ("application/jwk-set+json; charset=utf-8", true),
            ("Application/JSON", true),
            ("text/plain", true),
            ("text/html; charset=utf-8", false),
            ("image/png", false),
            ("text/x+json", false),
            ("", false),
        ] {
            assert_eq!(is_json(&headers(&[("content-type", value)])), want, "{value}");
        }
        assert!(is_json(&HeaderMap::new()));
    }

    /// Names of other people's that lead into this machine or network (DNS rebinding). `localhost` stands in for one.
    #[tokio::test]
    async fn a_name_that_leads_inside_resolves_to_nothing() {
        for (reach, want) in
            [(Reach::Public, false), (Reach::Private, false), (Reach::Loopback, true)]
        {
            let found = Resolver(reach).resolve("localhost".parse().unwrap()).await;
            assert_eq!(found.is_ok(), want, "{reach:?}");
            assert!(want || found.is_err_and(|error| error.is::<Barred>()));
        }
    }

    #[test]
    fn what_a_url_may_lead_to() {
        for (url, allow_private, want) in [
            ("https://id.example.com/k", false, Reach::Public),
            ("https://id.example.com/k", true, Reach::Private),
            ("https://10.0.0.5/k", false, Reach::Private),
            ("http://127.0.0.1/k", false, Reach::Loopback),
            ("http://LOCALHOST:80/k", true, Reach::Loopback),
            ("http://[::1]/k", false, Reach::Loopback),
            ("http://[::ffff:127.0.0.1]/k", false, Reach::Loopback),
            ("https://localhost.example.com/k", false, Reach::Public),
        ] {
            assert_eq!(reach(&url.parse().unwrap(), allow_private), want, "{url}");
        }
    }
}
