//! The headers that mirror a body: `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name`, `Mcp-Param-*`.
//!
//! [`Mirror::parse`] says what they claim and refuses what could be read in two ways;
//! [`super::agree`] compares the claims with the body. Nothing is ever decided on a header alone (T9).

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{codes, sentinel};

/// `MCP-Protocol-Version`
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// `Mcp-Method`
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// `Mcp-Name`
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// `Mcp-Session-Id`
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The beginning of `Mcp-Param-{N}`.
pub const PARAM_PREFIX: &str = "mcp-param-";

/// A mirrored header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// `MCP-Protocol-Version`
    ProtocolVersion,
    /// `Mcp-Method`
    Method,
    /// `Mcp-Name`
    Name,
    /// `Mcp-Param-{N}`, by its whole lower-case name.
    Param(HeaderName),
}

impl Header {
    /// The header's name as the specification spells it (a parameter's in lower case).
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ProtocolVersion => "MCP-Protocol-Version",
            Self::Method => "Mcp-Method",
            Self::Name => "Mcp-Name",
            Self::Param(name) => name.as_str(),
        }
    }
}

/// What is wrong with a mirrored header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HeaderFault {
    /// A modern request must have it.
    #[error("missing")]
    Missing,
    /// It stands there more than once.
    #[error("repeated")]
    Repeated,
    /// A byte other than 0x20-0x7E and a tab inside.
    #[error("illegal character")]
    IllegalCharacter,
    /// Longer than [`sentinel::MAX_VALUE`].
    #[error("too long")]
    TooLong,
    /// Marked as base64, but not canonical base64 of UTF-8.
    #[error("malformed base64")]
    MalformedBase64,
    /// It says something else than the body.
    #[error("differs from the body")]
    Differs,
}

/// A mirrored header that cannot stand beside its body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", header.as_str())]
pub struct HeaderError {
    /// Which header.
    pub header: Header,
    /// What is wrong with it.
    pub fault: HeaderFault,
}

impl HeaderError {
    /// The JSON-RPC code of the refusal (HTTP 400). -32020 belongs to the modern revisions: `modern` says whether
    /// the body or the version header claims one.
    #[must_use]
    pub const fn code(&self, modern: bool) -> i64 {
        if modern { codes::HEADER_MISMATCH } else { codes::INVALID_REQUEST }
    }

    /// The word for logs and for `data.reason`.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self.fault {
            HeaderFault::Missing => "header_missing",
            HeaderFault::Repeated => "header_repeated",
            HeaderFault::IllegalCharacter | HeaderFault::TooLong | HeaderFault::MalformedBase64 => {
                "header_malformed"
            }
            HeaderFault::Differs => "header_mismatch",
        }
    }
}

/// What the mirrored headers of one request claim.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    protocol_version: Option<Text>,
    method: Option<Text>,
    name: Option<Text>,
    /// `Mcp-Param-*`, none of them twice. What is in them is looked at once it is known what they mirror.
    params: Vec<(HeaderName, HeaderValue)>,
}

/// A checked value: most are plain and share the header's own bytes.
#[derive(Clone, Debug)]
enum Text {
    Plain(HeaderValue),
    Decoded(Box<str>),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            // INVARIANT: `plain` made it, so the bytes are ASCII and `to_str` cannot fail.
            Self::Plain(value) => trim(value.to_str().unwrap_or_default()),
            Self::Decoded(text) => text,
        }
    }
}

impl Mirror {
    /// Reads the mirrored headers.
    ///
    /// # Errors
    /// Names the first header that is repeated, has an illegal character, is too long, or is marked as
    /// base64 without being canonical base64 of UTF-8. `Mcp-Param-*` are only checked for repetition: what
    /// else they must be depends on the tool's schema, and unknown ones go on untouched.
    pub fn parse(headers: &HeaderMap) -> Result<Self, HeaderError> {
        let mut this = Self::default();
        for key in headers.keys() {
            let Some(word) = key.as_str().strip_prefix("mcp-") else { continue };
            match word {
                "protocol-version" => {
                    this.protocol_version = plain(headers, key, Header::ProtocolVersion)?;
                }
                "method" => this.method = plain(headers, key, Header::Method)?,
                "name" => this.name = plain(headers, key, Header::Name)?.map(decode).transpose()?,
                _ if key.as_str().starts_with(PARAM_PREFIX) => {
                    let value = single(headers, key).map_err(|fault| HeaderError {
                        header: Header::Param(key.clone()),
                        fault,
                    })?;
                    this.params.extend(value.map(|value| (key.clone(), hidden(value))));
                }
                _ => {}
            }
        }
        Ok(this)
    }

    /// `MCP-Protocol-Version`, trimmed. May be a revision that nobody has published.
    #[must_use]
    pub fn protocol_version(&self) -> Option<&str> {
        self.protocol_version.as_ref().map(Text::as_str)
    }

    /// `Mcp-Method`, trimmed; it is never base64.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.method.as_ref().map(Text::as_str)
    }

    /// Whether there is any `Mcp-Param-*`.
    #[must_use]
    pub fn has_params(&self) -> bool {
        !self.params.is_empty()
    }

    /// Checks that there is no `Mcp-Param-*`.
    ///
    /// # Errors
    /// The first that there is: it says something of a body that has nothing to say it of.
    pub fn no_params(&self) -> Result<(), HeaderError> {
        match self.params.first() {
            Some((name, _)) => {
                let header = Header::Param(name.clone());
                Err(HeaderError { header, fault: HeaderFault::Differs })
            }
            None => Ok(()),
        }
    }

    /// Whether there is the `Mcp-Param-*` whose whole name is `name`.
    #[must_use]
    pub fn has_param(&self, name: &HeaderName) -> bool {
        self.params.iter().any(|(known, _)| known == name)
    }

    /// The `Mcp-Param-*` whose whole name is `name`, trimmed and decoded. The empty text is a value, not an absent header.
    ///
    /// # Errors
    /// A value that could be read in two ways. Only a header that mirrors something must have a good one: others go
    /// on untouched.
    pub fn param(&self, name: &HeaderName) -> Result<Option<Cow<'_, str>>, HeaderError> {
        let Some((name, value)) = self.params.iter().find(|(known, _)| known == name) else {
            return Ok(None);
        };
        let header = || Header::Param(name.clone());
        let text = legal(value).map_err(|fault| HeaderError { header: header(), fault })?;
        let decoded = sentinel::decode(trim(text));
        let fault = HeaderFault::MalformedBase64;
        Ok(Some(decoded.map_err(|_| HeaderError { header: header(), fault })?))
    }

    /// `Mcp-Name`, trimmed and decoded. The empty text is a name, not an absent header.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Text::as_str)
    }
}

/// The one value of header `key`.
fn single<'a>(
    headers: &'a HeaderMap,
    key: &HeaderName,
) -> Result<Option<&'a HeaderValue>, HeaderFault> {
    let mut values = headers.get_all(key).iter();
    let first = values.next();
    if values.next().is_some() { Err(HeaderFault::Repeated) } else { Ok(first) }
}

/// The one value of header `key`, of legal characters.
fn plain(
    headers: &HeaderMap,
    key: &HeaderName,
    header: Header,
) -> Result<Option<Text>, HeaderError> {
    let checked = single(headers, key).and_then(|value| match value {
        Some(value) => legal(value).map(|_| Some(Text::Plain(value.clone()))),
        None => Ok(None),
    });
    checked.map_err(|fault| HeaderError { header, fault })
}

/// A value of legal characters.
fn legal(value: &HeaderValue) -> Result<&str, HeaderFault> {
    if value.len() > sentinel::MAX_VALUE {
        return Err(HeaderFault::TooLong);
    }
    // `to_str` takes 0x20-0x7E and the tab: exactly the legal characters.
    value.to_str().map_err(|_| HeaderFault::IllegalCharacter)
}

/// `value`, which is an argument and so never written into a log (T58).
fn hidden(value: &HeaderValue) -> HeaderValue {
    let mut value = value.clone();
    value.set_sensitive(true);
    value
}

/// Undoes the base64 sentinel of `Mcp-Name`.
fn decode(text: Text) -> Result<Text, HeaderError> {
    if !sentinel::is_encoded(text.as_str()) {
        return Ok(text);
    }
    match sentinel::decode(text.as_str()) {
        Ok(decoded) => Ok(Text::Decoded(decoded.into())),
        Err(_) => Err(HeaderError { header: Header::Name, fault: HeaderFault::MalformedBase64 }),
    }
}

/// Without optional white space around it (RFC 9110 §5.6.3: SP and HTAB).
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}
