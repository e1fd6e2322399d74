//! Values that must never be printed, and the references by which they are named.

use http::HeaderValue;

use crate::diagnostic::Diagnostic;
use crate::seal::Key;

use super::codes;
use super::raw::Text;
use super::resolve::Scope;

/// A secret. It has no `Debug`, no `Display` and no `Serialize`, so that what holds one cannot be printed by accident
/// (T58).
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "that it cannot be printed is its purpose")]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Every use of this method is a place to review.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The value of a header that `text` refers to: `file:` and a path for the text of a file without its last line end,
/// `${NAME}` anywhere for an environment variable.
pub(super) fn header_value(text: Text<'_>, scope: &Scope<'_>) -> Option<HeaderValue> {
    let secret = resolve(text, scope)?;
    // Never says what was read, only what is wrong with it.
    let unfit = |label: &str| {
        let finding =
            Diagnostic::error(codes::SECRET, "the secret cannot be the value of a header")
                .primary(text.span, label);
        scope.problems.push(finding);
        None
    };
    if secret.reveal().is_empty() {
        return unfit("is empty");
    }
    let is_visible = secret.reveal().bytes().all(|b| (0x20..0x7f).contains(&b));
    match HeaderValue::from_str(secret.reveal()) {
        Ok(mut value) if is_visible => {
            value.set_sensitive(true);
            Some(value)
        }
        _ => unfit("has characters other than printable ASCII"),
    }
}

/// The key that `text` refers to, in the same ways.
pub(super) fn key(text: Text<'_>, scope: &Scope<'_>) -> Option<Key> {
    let key = Key::parse(resolve(text, scope)?.reveal());
    if key.is_none() {
        let finding = Diagnostic::error(codes::SESSION_KEY, "the secret is not a key")
            .primary(text.span, "expected 32 random bytes in base64 or hexadecimal")
            .help("`openssl rand -base64 32` makes one");
        scope.problems.push(finding);
    }
    key
}

fn resolve(text: Text<'_>, scope: &Scope<'_>) -> Option<Secret> {
    let lost = |message: String, help: &str| {
        let finding = Diagnostic::error(codes::SECRET, message).primary(text.span, "").help(help);
        scope.problems.push(finding);
        None
    };
    if let Some(path) = text.value.strip_prefix("file:") {
        let path = scope.path(path, text.span);
        return match (scope.outside.file)(&path) {
            Ok(read) => Some(Secret::new(read.trim_end_matches(['\r', '\n']))),
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", path.display());
                lost(message, "relative paths start at the folder of the config file")
            }
        };
    }
    if has_literal(text.value) {
        scope.secrets.borrow_mut().push(text.span);
    }
    let mut out = String::new();
    let mut rest = text.value;
    let mut references = 0;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}').filter(|(name, _)| is_variable(name))
        else {
            return lost("`${` begins no reference".to_owned(), "write `${NAME}`");
        };
        let Some(value) = (scope.outside.variable)(name) else {
            return lost(
                format!("environment variable `{name}` is not set"),
                "set it where mcpfw is started",
            );
        };
        out.push_str(before);
        out.push_str(&value);
        references += 1;
        rest = after;
    }
    out.push_str(rest);
    if references == 0 {
        let finding =
            Diagnostic::warning(codes::PLAIN_SECRET, "a secret stands in the config file")
                .primary(text.span, "")
                .help("write `${NAME}` for an environment variable, or `file:` and a path");
        scope.problems.push(finding);
    }
    Some(Secret::new(out))
}

/// Whether something of the secret itself may stand in `written`: anything but references and an authentication scheme
/// (RFC 9110 §11.1) before them.
fn has_literal(written: &str) -> bool {
    let is_scheme = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
    let mut rest = match written.split_once(' ') {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => written,
    };
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            return true;
        }
        // Without an end it is no reference, and what follows may be the secret.
        let Some((_, behind)) = after.split_once('}') else { return true };
        rest = behind;
    }
    !rest.is_empty()
}

fn is_variable(name: &str) -> bool {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_plain && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}
