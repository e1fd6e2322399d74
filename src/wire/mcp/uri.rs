//! Whether a resource URI can be read in one way only (T12).
//!
//! A pattern is compared with the bytes of a URI. That means something only where no server could take the URI for
//! another one, so whatever some resolver would rewrite (dot segments, escapes, user info, case of the scheme) is
//! refused, never rewritten: servers disagree about how. Two of them are measured against: RFC 3986 §6.2 and the WHATWG
//! URL standard, which agree on everything that passes here (fuzz target `uri_canonical`).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest resource URI, in bytes. Servers' own limits start at 8 KiB (Apache, Node), and matching cost grows with length.
pub const MAX_URI: usize = 8 * 1024;

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// One resource: what is read or subscribed to.
    Uri,
    /// As many as an RFC 6570 template has expansions, where it has expressions: what a completion refers to.
    Template,
}

/// The rule that a URI breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UriFault {
    /// Longer than [`MAX_URI`].
    #[error("the URI is longer than {MAX_URI} bytes")]
    TooLong,
    /// It does not begin with a scheme and a colon, or a scheme that needs `//` lacks it.
    #[error("the URI has no scheme, or no `//` where its scheme needs one")]
    Scheme,
    /// The scheme is not in lower case.
    #[error("the scheme of the URI is not in lower case")]
    SchemeCase,
    /// A character that RFC 3986 does not have there: a control, white space, a backslash, what is not ASCII, a fragment.
    #[error("the URI has a character that must be percent-encoded, or a fragment")]
    Character,
    /// Braces that are no expression of RFC 6570.
    #[error("the URI template is malformed")]
    Template,
    /// `%` without two hexadecimal digits.
    #[error("a `%` in the URI is not followed by two hexadecimal digits")]
    Escape,
    /// `%c3` in place of `%C3`.
    #[error("a percent-encoding in the URI is not in upper case")]
    EscapeCase,
    /// `%41` in place of `A`.
    #[error("the URI percent-encodes a character that needs it not")]
    NeedlessEscape,
    /// `%2F`, `%5C`, or what compatibility forms (NFKC) make one of the two.
    #[error("the URI has a percent-encoded separator")]
    EncodedSeparator,
    /// `%00`, `%0A` and their like.
    #[error("the URI has a percent-encoded control character")]
    EncodedControl,
    /// `%252e`: to whoever decodes twice, another URI.
    #[error("the URI is percent-encoded twice")]
    DoubleEncoding,
    /// `%7B` in what may be a template: to whoever decodes first, an expression.
    #[error("the URI template has a percent-encoded brace")]
    EncodedBrace,
    /// Percent-encoded bytes that are not UTF-8.
    #[error("the percent-encoded bytes of the URI are not UTF-8")]
    NotUtf8,
    /// `user@host`: a user name can look like a host.
    #[error("the URI has user information before its host")]
    UserInfo,
    /// The host has a shorter form, or is none: upper case where all parsers fold it, a dot at the end, odd numbers.
    #[error("the host of the URI is not in its canonical form")]
    Host,
    /// The port is not a number, is empty, or is the default of the scheme.
    #[error("the port of the URI is not in its canonical form")]
    Port,
    /// `https://host`, whose path is `/`.
    #[error("the URI has no path: at least `/` must be written")]
    NoPath,
    /// `.` or `..`, also percent-encoded or in compatibility forms.
    #[error("the path of the URI has a `.` or `..` segment")]
    DotSegment,
    /// `//` inside the path.
    #[error("the path of the URI has an empty segment")]
    EmptySegment,
}

impl UriFault {
    /// The stable name for logs, metrics and `error.data.reason`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::TooLong => "uri_too_long",
            Self::Scheme => "uri_scheme",
            Self::SchemeCase => "uri_scheme_case",
            Self::Character => "uri_character",
            Self::Template => "uri_template",
            Self::Escape => "uri_escape",
            Self::EscapeCase => "uri_escape_case",
            Self::NeedlessEscape => "uri_needless_escape",
            Self::EncodedSeparator => "uri_encoded_separator",
            Self::EncodedControl => "uri_encoded_control",
            Self::DoubleEncoding => "uri_double_encoding",
            Self::EncodedBrace => "uri_encoded_brace",
            Self::NotUtf8 => "uri_not_utf8",
            Self::UserInfo => "uri_user_info",
            Self::Host => "uri_host",
            Self::Port => "uri_port",
            Self::NoPath => "uri_no_path",
            Self::DotSegment => "uri_dot_segment",
            Self::EmptySegment => "uri_empty_segment",
        }
    }
}

/// Whether `text` has a brace, so that it can only be a template.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains(['{', '}'])
}

/// Checks that `text` is its own canonical form.
///
/// # Errors
/// A rule that it breaks: where it breaks several, the one that tells most.
///
/// # Example
/// ```
/// use mcpfw::wire::mcp::uri::{Form, UriFault, check};
///
/// assert_eq!(check("file:///docs/a%20b.md", Form::Uri), Ok(()));
/// assert_eq!(check("file:///docs/%2e%2e/key", Form::Uri), Err(UriFault::DotSegment));
/// assert_eq!(check("greeting://{name}", Form::Template), Ok(()));
/// ```
pub fn check(text: &str, form: Form) -> Result<(), UriFault> {
    if text.len() > MAX_URI {
        return Err(UriFault::TooLong);
    }
    if form == Form::Template {
        if has_encoded_brace(text) {
            return Err(UriFault::EncodedBrace);
        }
        if is_template(text) {
            return check_uri(&expanded(text)?);
        }
    }
    check_uri(text)
}

fn check_uri(uri: &str) -> Result<(), UriFault> {
    if !uri.bytes().all(is_plain) {
        return Err(UriFault::Character);
    }
    let (scheme, rest) = uri.split_once(':').ok_or(UriFault::Scheme)?;
    check_scheme(scheme)?;
    let (before_query, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = match before_query.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        None => (None, before_query),
    };
    // Before the escapes, since `%2e%2e` is more than needless.
    check_path(path)?;
    check_escapes(uri)?;
    let special = Special::of(scheme);
    match authority {
        Some(authority) => check_authority(authority, path, special)?,
        None if special.is_some() => return Err(UriFault::Scheme),
        None => {}
    }
    // Where a path is never empty, `/` is what an empty one means (RFC 3986 §6.2.3).
    if special.is_some() && path.is_empty() {
        return Err(UriFault::NoPath);
    }
    // RFC 3986 has brackets in addresses only; browsers encode the apostrophe in queries of the schemes that they know.
    let has_odd = |text: &str| text.contains(['[', ']']);
    let is_odd = has_odd(path)
        || query.is_some_and(|query| has_odd(query) || special.is_some() && query.contains('\''));
    if is_odd { Err(UriFault::Character) } else { Ok(()) }
}

/// Printable ASCII without what RFC 3986 leaves out, and without the fragment, which no server is sent.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'|' | b'#' | b'{' | b'}')
}

fn check_scheme(scheme: &str) -> Result<(), UriFault> {
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    match is_scheme {
        false => Err(UriFault::Scheme),
        true if scheme.bytes().any(|b| b.is_ascii_uppercase()) => Err(UriFault::SchemeCase),
        true => Ok(()),
    }
}

/// A scheme that every parser knows the host of: WHATWG calls them special.
#[derive(Clone, Copy, Debug)]
enum Special {
    /// With a host and perhaps a port, by default this one.
    Net(&'static str),
    /// `file`: a host is rare, a port is none.
    File,
}

impl Special {
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "http" | "ws" => Self::Net("80"),
            "https" | "wss" => Self::Net("443"),
            "ftp" => Self::Net("21"),
            "file" => Self::File,
            _ => return None,
        })
    }
}

fn check_authority(authority: &str, path: &str, special: Option<Special>) -> Result<(), UriFault> {
    if authority.contains('@') {
        return Err(UriFault::UserInfo);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').ok_or(UriFault::Host)?;
            if !is_canonical_v6(address) {
                return Err(UriFault::Host);
            }
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (None, None),
                None => return Err(UriFault::Host),
                port => (None, port),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(authority), None),
        },
    };
    if let Some(port) = port {
        let is_number = port.bytes().all(|b| b.is_ascii_digit())
            && !(port.len() > 1 && port.starts_with('0'))
            && port.parse::<u16>().is_ok();
        let is_shorter = match special {
            Some(Special::Net(default)) => port == default,
            Some(Special::File) => true,
            None => false,
        };
        if !is_number || is_shorter {
            return Err(UriFault::Port);
        }
    }
    match (host, special) {
        (None, _) => Ok(()),
        // A port belongs to a host.
        (Some(""), None) if port.is_some() => Err(UriFault::Host),
        (Some(""), None | Some(Special::File)) => Ok(()),
        (Some(host), None) if host.ends_with('.') || host.contains(['[', ']']) => {
            Err(UriFault::Host)
        }
        // Servers that make a path of the whole take it for a segment.
        (Some(host), None) if is_dot_segment(host) => Err(UriFault::DotSegment),
        // WHATWG keeps the case of such a host, and SDK examples use it as a name: `greeting://World`.
        (Some(_), None) => Ok(()),
        // Every path of this machine has a shorter form: `file:///`.
        (Some("localhost"), Some(Special::File)) => Err(UriFault::Host),
        // Browsers forget the host before a drive.
        (Some(_), Some(Special::File)) if has_drive(path) => Err(UriFault::Host),
        (Some(host), Some(_)) if is_canonical_name(host) => Ok(()),
        (Some(_), Some(_)) => Err(UriFault::Host),
    }
}

/// Whether `path` begins with the letter of a drive, `/c:`.
fn has_drive(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// Whether `address` is as RFC 5952 and WHATWG write it. They disagree on IPv4 inside IPv6, which is refused.
fn is_canonical_v6(address: &str) -> bool {
    address
        .parse::<Ipv6Addr>()
        .is_ok_and(|parsed| parsed.to_ipv4_mapped().is_none() && parsed.to_string() == address)
}

/// Whether `host` is a name of the internet in lower case, or an IPv4 address in four decimal numbers. Parsers take
/// `127.1`, `0x7f.0.0.1` and `2130706433` for addresses, too, and so is any name whose last part is a number.
fn is_canonical_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    host.split('.').all(is_label) && (!is_number || host.parse::<Ipv4Addr>().is_ok())
}

/// No `.`, `..` or empty segment, but for a slash at the end and the root before an empty authority.
fn check_path(path: &str) -> Result<(), UriFault> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.split('/').any(is_dot_segment) {
        return Err(UriFault::DotSegment);
    }
    let inner = path.strip_suffix('/').unwrap_or(path);
    let has_empty = !path.is_empty() && inner.split('/').any(str::is_empty);
    if has_empty { Err(UriFault::EmptySegment) } else { Ok(()) }
}

/// Whether a server could take `segment` for `.` or `..`, however its dots are written, and whatever it cuts off behind
/// them: parameters (servlet containers), a query or fragment (who decodes first), spaces (Windows).
fn is_dot_segment(segment: &str) -> bool {
    let mut dots = 0;
    let mut rest = segment;
    let starts = |rest: &str, with: &str| {
        rest.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    while !rest.is_empty() {
        let Some((dot, count)) = DOTS.iter().find(|(dot, _)| starts(rest, dot)) else {
            let is_cut =
                CUTS.iter().any(|cut| starts(rest, cut)) || rest.split("%20").all(str::is_empty);
            return is_cut && matches!(dots, 1 | 2);
        };
        dots += count;
        rest = rest.get(dot.len()..).unwrap_or_default();
    }
    matches!(dots, 1 | 2)
}

/// What may begin the part of a segment that a server cuts off.
const CUTS: [&str; 4] = [";", "%3B", "%3F", "%23"];

/// Spellings of dots, and how many each stands for: escapes, and what NFKC makes dots of (U+FF0E, U+FE52, U+2024,
/// U+2025).
const DOTS: [(&str, usize); 6] =
    [(".", 1), ("%2E", 1), ("%EF%BC%8E", 1), ("%EF%B9%92", 1), ("%E2%80%A4", 1), ("%E2%80%A5", 2)];

/// Checks that every `%` starts an escape in upper case of a byte that must be escaped and that no resolver gives a
/// meaning after decoding, and that those beyond ASCII are UTF-8.
fn check_escapes(uri: &str) -> Result<(), UriFault> {
    let mut parts = uri.split('%');
    parts.next();
    // Bytes of a character beyond ASCII that is not complete yet.
    let mut open: Vec<u8> = Vec::new();
    for part in parts {
        let (Some(high), Some(low)) = (digit(part, 0), digit(part, 1)) else {
            return Err(UriFault::Escape);
        };
        let literal = part.get(2..).unwrap_or_default();
        let byte = high * 16 + low;
        if byte.is_ascii() {
            check_escaped(byte, literal)?;
        }
        if part.bytes().take(2).any(|b| b.is_ascii_lowercase()) {
            return Err(UriFault::EscapeCase);
        }
        if !byte.is_ascii() {
            open.push(byte);
        }
        if !literal.is_empty() || byte.is_ascii() {
            check_decoded(&open)?;
            open.clear();
        }
    }
    check_decoded(&open)
}

/// Checks the escape of the ASCII character `byte`, behind which `literal` follows.
fn check_escaped(byte: u8, literal: &str) -> Result<(), UriFault> {
    match byte {
        b'/' | b'\\' => Err(UriFault::EncodedSeparator),
        _ if byte.is_ascii_control() => Err(UriFault::EncodedControl),
        b'-' | b'.' | b'_' | b'~' => Err(UriFault::NeedlessEscape),
        _ if byte.is_ascii_alphanumeric() => Err(UriFault::NeedlessEscape),
        // A percent sign may be written, unless what follows could make it an escape: `%252e`, or `%25u002e` (IIS).
        b'%' if literal.starts_with(|c: char| c.is_ascii_hexdigit() || matches!(c, 'u' | 'U')) => {
            Err(UriFault::DoubleEncoding)
        }
        _ => Ok(()),
    }
}

/// Checks decoded bytes beyond ASCII.
fn check_decoded(bytes: &[u8]) -> Result<(), UriFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| UriFault::NotUtf8)?;
    if text.contains(char::is_control) {
        return Err(UriFault::EncodedControl);
    }
    // What NFKC makes separators of.
    if text.contains(['\u{FF0F}', '\u{FF3C}', '\u{FE68}']) {
        return Err(UriFault::EncodedSeparator);
    }
    Ok(())
}

fn digit(text: &str, at: usize) -> Option<u8> {
    match *text.as_bytes().get(at)? {
        b @ b'0'..=b'9' => Some(b - b'0'),
        b @ b'A'..=b'F' => Some(b - b'A' + 10),
        b @ b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    }
}

fn has_encoded_brace(text: &str) -> bool {
    text.split('%').skip(1).any(|part| {
        part.get(..2)
            .is_some_and(|hex| hex.eq_ignore_ascii_case("7B") || hex.eq_ignore_ascii_case("7D"))
    })
}

/// The template with each expression as one of its expansions, which is canonical where the text around it is.
fn expanded(template: &str) -> Result<String, UriFault> {
    let mut parts = template.split('{');
    let mut uri = parts.next().unwrap_or_default().to_owned();
    if uri.contains('}') {
        return Err(UriFault::Template);
    }
    for part in parts {
        let (expression, literal) = part.split_once('}').ok_or(UriFault::Template)?;
        if literal.contains('}') {
            return Err(UriFault::Template);
        }
        let operator = expression.chars().next().filter(|c| !is_variable(*c));
        let names = operator.and_then(|_| expression.get(1..)).unwrap_or(expression);
        if names.is_empty() || !names.split(',').all(is_variable_spec) {
            return Err(UriFault::Template);
        }
        match operator {
            // It may make a fragment, which is never sent.
            Some('#') => {}
            Some('+') | None => uri.push(if uri.ends_with(':') { '1' } else { 'a' }),
            Some(separator @ ('.' | '/' | ';' | '?' | '&')) => {
                uri.push(separator);
                uri.push('a');
            }
            Some(_) => return Err(UriFault::Template),
        }
        uri.push_str(literal);
    }
    Ok(uri)
}

const fn is_variable(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A variable of RFC 6570 with its modifier; `-` is not in the RFC, but in what servers write.
fn is_variable_spec(spec: &str) -> bool {
    let name = match spec.split_once(':') {
        Some((name, length)) if length.parse::<u16>().is_ok_and(|n| n < 10_000) => name,
        Some(_) => return false,
        None => spec.strip_suffix('*').unwrap_or(spec),
    };
    name.starts_with(is_variable) && name.chars().all(|c| is_variable(c) || matches!(c, '.' | '-'))
}
