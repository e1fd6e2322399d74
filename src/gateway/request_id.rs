//! The id under which an exchange is known to the caller, the upstream and the log.

use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::upstream::headers::X_REQUEST_ID;

/// The caller's own id where it is one that no log is fooled by (T57), else a new UUIDv7.
pub(super) fn of(headers: &HeaderMap) -> HeaderValue {
    let mut values = headers.get_all(X_REQUEST_ID).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if is_acceptable(value.as_bytes()) => value.clone(),
        _ => fresh(),
    }
}

/// `[A-Za-z0-9._-]{8,64}`
fn is_acceptable(value: &[u8]) -> bool {
    (8..=64).contains(&value.len())
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// Sorted by time, so that ids of a log can be told apart from those of another day by eye.
fn fresh() -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kept_or_made() {
        let longest = "a".repeat(64);
        for kept in ["12345678", "abc.DEF_123-x", &longest] {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(kept).unwrap());
            assert_eq!(of(&headers), kept);
            headers.append(X_REQUEST_ID, HeaderValue::from_static("another-one"));
            assert_ne!(of(&headers), kept, "two ids");
        }
        let too_long = "a".repeat(65);
        for refused in ["", "1234567", "has space 1", "quote\"quote", "slash/slash", &too_long] {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(refused).unwrap());
            let made = of(&headers);
            assert_ne!(made, refused);
            assert!(Uuid::try_parse(made.to_str().unwrap()).is_ok());
        }
    }
}
