//! Where a server may send a user: the hosts of URL-mode elicitations (T16).

use url::{Host, Url};

/// Hosts to which users may be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElicitationHosts {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// Any host.
    Any,
    /// This name, lower case.
    Exact(Box<str>),
    /// Names under this one, which begins with a dot; not itself.
    Under(Box<str>),
}

/// Not a host, `*.` before a host, or `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host name, `*.` before one, or `*`")]
pub struct HostPatternError;

impl ElicitationHosts {
    /// Adds `pattern`: a host name (ASCII or IDNA) without scheme and port, `*.` before one for all names under it, or `*`.
    ///
    /// # Errors
    /// [`HostPatternError`]; nothing was added.
    pub fn insert(&mut self, pattern: &str) -> Result<(), HostPatternError> {
        let host = |name: &str| match Host::parse(name) {
            // An address is not a name that somebody answers for.
            Ok(Host::Domain(domain)) if domain.split('.').all(is_label) => {
                Ok(domain.to_ascii_lowercase())
            }
            _ => Err(HostPatternError),
        };
        self.patterns.push(match pattern.strip_prefix("*.") {
            _ if pattern == "*" => Pattern::Any,
            Some(name) => Pattern::Under(format!(".{}", host(name)?).into()),
            None => Pattern::Exact(host(pattern)?.into()),
        });
        Ok(())
    }

    /// Whether users may be sent to any host.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.patterns.contains(&Pattern::Any)
    }

    /// Whether a user may be sent to `url`: https, without credentials in it, to one of these hosts. What is not written as
    /// browsers write it is refused: another reader might see another host in it.
    #[must_use]
    pub fn allows(&self, url: &str) -> bool {
        let Ok(parsed) = Url::parse(url) else { return false };
        let is_plain = parsed.scheme() == "https"
            && parsed.username().is_empty()
            && parsed.password().is_none()
            && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let Some(host) = parsed.host_str().filter(|_| is_plain) else { return false };
        // The authority as it stands there must be the one that was parsed: no tabs, no escapes, no second `@`.
        let written = url.get("https://".len()..).unwrap_or_default();
        let end = written.find(['/', '?', '#']).unwrap_or(written.len());
        let authority = written.get(..end).unwrap_or_default();
        let name = authority.strip_suffix(":443").unwrap_or(authority);
        let name = match parsed.port() {
            Some(port) => name.strip_suffix(&format!(":{port}")).unwrap_or(name),
            None => name,
        };
        name.eq_ignore_ascii_case(host)
            && url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
            && self.patterns.iter().any(|pattern| match pattern {
                Pattern::Any => true,
                Pattern::Exact(known) => **known == *host,
                Pattern::Under(suffix) => host.len() > suffix.len() && host.ends_with(&**suffix),
            })
    }
}

/// Whether `label` is one of a host name as it is registered: letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(patterns: &[&str]) -> ElicitationHosts {
        let mut hosts = ElicitationHosts::default();
        patterns.iter().for_each(|pattern| hosts.insert(pattern).unwrap());
        hosts
    }

    #[test]
    fn urls_by_table() {
        let some = hosts(&["pay.example.com", "*.id.example.com"]);
        let pass = [
            "https://pay.example.com",
            "https://pay.example.com/x?y=1#z",
            "https://pay.example.com:443/x",
            "https://pay.example.com:8443/x",
            "https://PAY.example.com/",
            "HTTPS://pay.example.com/",
            "https://a.id.example.com/x",
            "https://a.b.id.example.com/x?to=https://evil.example",
        ];
        let block = [
            "",
            "pay.example.com",
            "//pay.example.com/",
            "http://pay.example.com/",
            "javascript:alert(1)//pay.example.com",
            "https:pay.example.com",
            "https:/pay.example.com/",
            "https:///pay.example.com/",
            "https://evil.example/",
            "https://evil.example/pay.example.com",
            "https://evil.example?pay.example.com",
            "https://evil.example#@pay.example.com/",
            "https://pay.example.com.evil.example/",
            "https://pay.example.com@evil.example/",
            "https://u:p@pay.example.com/",
            "https://@pay.example.com/",
            "https://evil.example\\@pay.example.com/",
            "https://pay.example.com\\@evil.example/",
            "https://pay.example.com%2f@evil.example/",
            "https://pay.example.com./",
            "https://id.example.com/",
            "https://aid.example.com/",
            "https://pay.exa\tmple.com/",
            "https://pay.example.com/\n",
            " https://pay.example.com/",
            "https://p%61y.example.com/",
            "https://pay.example.com:x/",
            "https://\u{ff50}ay.example.com/",
            "https://127.0.0.1/",
            "data:text/html,x",
            "file:///etc/passwd",
        ];
        for url in pass {
            assert!(some.allows(url), "{url:?}");
            assert!(hosts(&["*"]).allows(url), "{url:?}");
            assert!(!hosts(&[]).allows(url), "{url:?}");
        }
        for url in block {
            assert!(!some.allows(url), "{url:?}");
        }
        // Even where any host will do, it must be one host to all readers, over https.
        let any = hosts(&["*"]);
        let is_one = |url: &&&str| url.starts_with("https://evil.example") && !url.contains('\\');
        for url in block.iter().filter(|url| !is_one(url) && url.contains(['@', '\\', '%', '\t'])) {
            assert!(!any.allows(url), "{url:?}");
        }
        assert!(block.iter().filter(is_one).all(|url| any.allows(url)));
    }

    #[test]
    fn patterns_by_table() {
        for pattern in ["a.example", "*.a.example", "*", "localhost", "\u{fc}.example"] {
            assert_eq!(ElicitationHosts::default().insert(pattern), Ok(()), "{pattern}");
        }
        for pattern in [
            "",
            "*.",
            "a.*",
            "https://a.example",
            "a.example:443",
            "a b",
            "127.0.0.1",
            "[::1]",
            "a/b",
        ] {
            assert_eq!(
                ElicitationHosts::default().insert(pattern),
                Err(HostPatternError),
                "{pattern}"
            );
        }
    }
}
