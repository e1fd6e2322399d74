//! The key of a [`super::Sealer`], as operators write it down.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// 32 bytes that nobody else knows. They cannot be printed (T58).
#[derive(Clone)]
pub struct Key([u8; Key::LEN]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// With or without padding: both are what tools write.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl Key {
    /// Bytes of a key: 256 bits.
    pub const LEN: usize = 32;

    /// The key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The key that `text` spells: 32 bytes in hexadecimal, or in base64 of either alphabet (RFC 4648 §4, §5), padded or not.
    /// `None` for anything else, and for a byte that is repeated 32 times: an example that nobody filled in.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // 64 hexadecimal digits would be 48 bytes of base64, so no text is both.
        let bytes = match text.len() {
            64 => hexadecimal(text)?,
            _ => [&alphabet::STANDARD, &alphabet::URL_SAFE]
                .into_iter()
                .find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok())?,
        };
        let bytes: [u8; Self::LEN] = bytes.try_into().ok()?;
        let [first, rest @ ..] = &bytes;
        rest.iter().any(|byte| byte != first).then_some(Self(bytes))
    }

    pub(super) const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}
