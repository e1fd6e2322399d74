//! Request ids (T4).

/// A request id as its raw JSON token, so that it goes back with the type and spelling it came in (T4).
///
/// Equality is equality of tokens. Peers may spell a string differently (`"a"` and `"\u0061"`): compare an id that came
/// from the other side with [`Id::is_same`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// Bytes between the quotes of a string id, as written: the bound is on what is held and given back, so an
    /// escape counts with all its characters. 256, from T4; the ids of all known SDKs have at most 36.
    pub const MAX_STRING: usize = 256;

    /// The largest integer id, and the smallest when negated: beyond 2^53-1 JavaScript rounds.
    pub const MAX_INTEGER: u64 = (1 << 53) - 1;

    /// The id whose JSON token is `raw`: a string of at most [`Id::MAX_STRING`] bytes, or an integer within
    /// ±[`Id::MAX_INTEGER`] without fraction or exponent. `None` for everything else, `null` and `-0` included
    /// (a peer that reads -0 gives back 0).
    #[must_use]
    pub fn from_raw(raw: &str) -> Option<Self> {
        (is_string_id(raw) || is_integer_id(raw)).then(|| Self(raw.into()))
    }

    /// The JSON token.
    #[must_use]
    pub fn as_raw(&self) -> &str {
        &self.0
    }

    /// Whether both tokens stand for the same JSON value. `1` and `"1"` are two ids.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        // An integer has one spelling; a string has many.
        match (self.decoded(), other.decoded()) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }

    fn decoded(&self) -> Option<String> {
        if self.0.starts_with('"') { serde_json::from_str(&self.0).ok() } else { None }
    }
}

fn is_string_id(raw: &str) -> bool {
    let Some(text) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    if text.len() > Id::MAX_STRING {
        return false;
    }
    let plain = !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    // The token is spliced into replies: what is not plain must be one whole JSON string.
    plain || serde_json::from_str::<String>(raw).is_ok()
}

fn is_integer_id(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let is_canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == raw.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_canonical && digits.parse::<u64>().is_ok_and(|value| value <= Id::MAX_INTEGER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_by_table() {
        let longest = format!("\"{}\"", "x".repeat(256));
        let pass = [
            "0",
            "1",
            "-1",
            "42",
            "9007199254740991",
            "-9007199254740991",
            r#""""#,
            r#""q-7""#,
            r#""1""#,
            r#""größe""#,
            r#""a\"b""#,
            r#""\u00e9\ud83d\ude00""#,
            r#""\\""#,
            r#"" ""#,
            &longest,
        ];
        for raw in pass {
            assert_eq!(Id::from_raw(raw).map(|id| id.as_raw().to_owned()).as_deref(), Some(raw));
        }
        let too_long = format!("\"{}\"", "x".repeat(257));
        let refused = [
            "",
            "null",
            "true",
            "1.0",
            "1e0",
            "1E2",
            "01",
            "-01",
            "+1",
            "-0",
            "-",
            " 1",
            "1 ",
            "0x1",
            "NaN",
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551616",
            "99999999999999999999999999",
            "{}",
            "[]",
            "[1]",
            "\"",
            "\"a",
            "a\"",
            r#""a"b""#,
            r#""a\""#,
            r#""\x""#,
            r#""\ud800""#,
            r#""\u12""#,
            "\"a\nb\"",
            "\"a\u{0}b\"",
            r#""a","method":"x""#,
            "1,2",
            "١",
            &too_long,
        ];
        for raw in refused {
            assert_eq!(Id::from_raw(raw), None, "{raw}");
        }
    }

    #[test]
    fn sameness_is_of_values_and_types() {
        let id = |raw| Id::from_raw(raw).unwrap();
        assert!(id(r#""a""#).is_same(&id(r#""\u0061""#)));
        assert!(id("1").is_same(&id("1")));
        assert!(!id("1").is_same(&id(r#""1""#)));
        assert!(!id("1").is_same(&id("2")));
        assert!(!id(r#""a""#).is_same(&id(r#""A""#)));
    }
}
