//! The base64 sentinel of mirrored header values (SEP-2243): how a name that is not plain ASCII
//! travels in a header field.
//!
//! Strict on purpose: a value that two decoders could read differently would let a request carry one name
//! for the router and another for the server (T9).

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const OPEN: &str = "=?base64?";
const CLOSE: &str = "?=";

/// Bytes of one mirrored value that are decoded. A resource URI is the longest thing that is mirrored;
/// default 16 KiB, a quarter of what all headers of a request may have together.
pub const MAX_VALUE: usize = 16 * 1024;

/// RFC 4648 §4 and nothing else: padding is required and unused bits are zero.
const CANONICAL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Why a value between the sentinel's marks is not a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SentinelError {
    /// `=?base64?=`, whose marks share a character: the empty text to one decoder, a literal to another.
    #[error("overlapping marks")]
    Overlap,
    /// Not canonical base64: alphabet, padding or unused bits.
    #[error("not canonical base64")]
    Base64,
    /// Base64 of bytes that are not UTF-8.
    #[error("not UTF-8")]
    Utf8,
}

/// Whether `value` has both marks of the sentinel. With only one of them, or with another spelling
/// (`=?BASE64?`), it stands for itself.
#[must_use]
pub fn is_encoded(value: &str) -> bool {
    value.starts_with(OPEN) && value.ends_with(CLOSE)
}

/// `text` as a header value: itself where it is plain, and no header field's parser takes anything off it; else in base64.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.is_empty()
        && !is_encoded(text);
    if is_plain {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{OPEN}{}{CLOSE}", CANONICAL.encode(text)))
}

/// The text that `value` stands for. Decodes once: a text that itself looks like a sentinel arrives encoded.
///
/// # Errors
/// [`SentinelError`] where the marks are there and what is between them is not canonical base64 of UTF-8.
pub fn decode(value: &str) -> Result<Cow<'_, str>, SentinelError> {
    if !is_encoded(value) {
        return Ok(Cow::Borrowed(value));
    }
    let end = value.len().saturating_sub(CLOSE.len());
    let payload = value.get(OPEN.len()..end).ok_or(SentinelError::Overlap)?;
    let bytes = CANONICAL.decode(payload).map_err(|_| SentinelError::Base64)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| SentinelError::Utf8)
}
