//! How far the plain part of a string, a name or a number reaches.
//!
//! Nothing here has a state or an opinion: what is unusual is left to the machine. Blocks are
//! folded without branches, which the compiler turns into vector instructions; the block that
//! stopped, and short strings, are looked at 8 bytes at a time in one word.

use super::hash::{Name, halves};

/// Bytes that are folded at once.
const BLOCK: usize = 64;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// The length of the longest start of `bytes` that is valid text of a string: whole UTF-8
/// characters without `"`, `\` and control characters.
///
/// What follows is the end of `bytes`, one of those three, or a character that is malformed or
/// cut off by the end of `bytes`.
#[inline(never)]
pub(super) fn text(bytes: &[u8]) -> usize {
    let ascii = plain::<true>(bytes);
    if !matches!(bytes.get(ascii), Some(0x80..)) {
        return ascii;
    }
    let end = ascii + plain::<false>(bytes.get(ascii..).unwrap_or_default());
    ascii + valid(bytes, ascii, end)
}

/// As [`text`], but goes on behind whole escapes.
#[inline(never)]
pub(super) fn skip(bytes: &[u8]) -> usize {
    let mut at = plain::<true>(bytes);
    let mut above = None;
    loop {
        match bytes.get(at) {
            Some(b'\\') => match escape(bytes.get(at..).unwrap_or_default()) {
                Some(length) => at += length,
                None => break,
            },
            Some(0x80..) if above.is_none() => above = Some(at),
            _ => break,
        }
        let rest = bytes.get(at..).unwrap_or_default();
        at += if above.is_none() { plain::<true>(rest) } else { plain::<false>(rest) };
    }
    // Escapes are ASCII, so the text is valid if and only if the bytes with the escapes are.
    above.map_or(at, |from| from + valid(bytes, from, at))
}

/// How many of the bytes from `from` to `to` are whole UTF-8 characters.
fn valid(bytes: &[u8], from: usize, to: usize) -> usize {
    let mut span = bytes.get(from..to).unwrap_or_default();
    if to == bytes.len() {
        span = without_cut_character(span);
    }
    match simdutf8::basic::from_utf8(span) {
        Ok(_) => span.len(),
        Err(_) => std::str::from_utf8(span).map_or_else(|e| e.valid_up_to(), str::len),
    }
}

/// `bytes` without the last character if its last bytes are still missing.
fn without_cut_character(bytes: &[u8]) -> &[u8] {
    for back in 1..=3 {
        let Some(at) = bytes.len().checked_sub(back) else { break };
        let length = match bytes.get(at) {
            Some(0xC0..=0xDF) => 2,
            Some(0xE0..=0xEF) => 3,
            Some(0xF0..) => 4,
            Some(0x80..=0xBF) => continue,
            _ => break,
        };
        if length > back {
            return bytes.get(..at).unwrap_or(bytes);
        }
        break;
    }
    bytes
}

/// The length of the escape at the start of `bytes`, a surrogate pair being one; none if it is
/// malformed or not all there.
#[inline(always)]
fn escape(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match unit(bytes.get(2..)?)? {
            0xD800..0xDC00 => {
                let (pair, lower) = bytes.get(6..)?.split_first_chunk::<2>()?;
                let lower = unit(lower)?;
                (pair == b"\\u" && (0xDC00..0xE000).contains(&lower)).then_some(12)
            }
            0xDC00..0xE000 => None,
            _ => Some(6),
        },
        _ => None,
    }
}

/// The UTF-16 unit that 4 hexadecimal digits stand for.
fn unit(digits: &[u8]) -> Option<u16> {
    let mut unit = 0;
    for &digit in digits.first_chunk::<4>()? {
        unit = unit << 4 | hex(digit)?;
    }
    Some(unit)
}

/// The value of a hexadecimal digit.
#[inline(always)]
pub(super) fn hex(digit: u8) -> Option<u16> {
    match digit {
        b'0'..=b'9' => Some(u16::from(digit - b'0')),
        b'a'..=b'f' => Some(u16::from(digit - b'a' + 10)),
        b'A'..=b'F' => Some(u16::from(digit - b'A' + 10)),
        _ => None,
    }
}

/// The number of bytes before the first `"`, `\`, control character or, if `ASCII`, byte above
/// 0x7F.
#[inline(always)]
fn plain<const ASCII: bool>(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut length = 0;
    while let Some((word, after)) = rest.split_first_chunk() {
        let stops = stops::<ASCII>(u64::from_le_bytes(*word));
        if stops != 0 {
            return length + place(stops);
        }
        length += 8;
        rest = after;
        if length == 32 {
            length += blocks::<ASCII>(rest);
            rest = bytes.get(length..).unwrap_or_default();
        }
    }
    while let Some((&byte, after)) = rest.split_first()
        && !is_stop::<ASCII>(byte)
    {
        rest = after;
    }
    bytes.len() - rest.len()
}

/// The bytes in whole blocks without a stop at the start of `bytes`.
#[inline(always)]
fn blocks<const ASCII: bool>(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks();
    blocks.iter().take_while(|block| !has_stop::<ASCII>(block)).count() * BLOCK
}

#[inline(always)]
fn has_stop<const ASCII: bool>(block: &[u8; BLOCK]) -> bool {
    let mut found = false;
    for &byte in block {
        found |= is_stop::<ASCII>(byte);
    }
    found
}

#[inline(always)]
fn is_stop<const ASCII: bool>(byte: u8) -> bool {
    // Signed, the bytes above 0x7F are below the control characters.
    let low = if ASCII { byte.cast_signed() < 0x20 } else { byte < 0x20 };
    low | (byte == b'"') | (byte == b'\\')
}

/// The upper bit of every byte that is a stop. Bits above the lowest one may be wrong (a borrow).
#[inline(always)]
fn stops<const ASCII: bool>(word: u64) -> u64 {
    // With bit 1 flipped, the control characters and the quote are what is below 0x21.
    let low = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let slash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    // A byte above 0x7F keeps its upper bit in one of the two.
    let found = if ASCII { low | slash } else { (low | slash) & !word };
    found & HIGH
}

/// The place of the lowest byte that has its upper bit in `marks`.
#[inline(always)]
fn place(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// All bits below the lowest of `marks`.
#[inline(always)]
fn below(marks: u64) -> u64 {
    !marks & marks.wrapping_sub(1)
}

/// A string at the start of `text`, which begins with its opening quote: its length, quotes
/// excluded, if it has at most 15 bytes of plain ASCII and is all there.
#[inline(always)]
pub(super) fn short_string(text: &[u8]) -> Option<usize> {
    let text = text.first_chunk::<17>()?;
    let [_, block @ ..] = text;
    let [low, high] = halves(u128::from_le_bytes(*block));
    let found = stops::<true>(low);
    let length = if found != 0 {
        place(found)
    } else {
        let found = stops::<true>(high);
        if found == 0 {
            return None;
        }
        8 + place(found)
    };
    (text.get(length + 1) == Some(&b'"')).then_some(length)
}

/// The length of the scalar at the start of `text`, quotes included, if it is short and usual and
/// all there.
#[inline(always)]
pub(super) fn short_scalar(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => short_string(text).map(|length| length + 2),
        b'0'..=b'9' => short_number(text),
        b't' | b'n' => match text.first_chunk()? {
            b"true" | b"null" => Some(4),
            _ => None,
        },
        b'f' => (text.first_chunk() == Some(b"false")).then_some(5),
        _ => None,
    }
}

/// An array of short scalars at the start of `text`, without whitespace: its length and the
/// number of its elements, if it has few and is all there.
#[inline(never)]
pub(super) fn short_array(text: &[u8]) -> Option<(usize, u32)> {
    let (b'[', mut rest) = text.split_first()? else { return None };
    if rest.first() == Some(&b']') {
        return Some((2, 0));
    }
    for elements in 1..=16 {
        let (byte, behind) = rest.get(short_scalar(rest)?..)?.split_first()?;
        rest = behind;
        match byte {
            b',' => {}
            b']' => return Some((text.len() - rest.len(), elements)),
            _ => return None,
        }
    }
    None
}

/// A name of at most 15 bytes of plain ASCII at the start of `text`, with its quotes and a colon right
/// behind it: what the hash needs, and its length without quotes.
#[inline(always)]
pub(super) fn short_name(text: &[u8]) -> Option<(Name<'static>, usize)> {
    let text = text.first_chunk::<18>()?;
    let [b'"', words @ .., _] = text else { return None };
    let word = u64::from_le_bytes(*words.first_chunk()?);
    let found = stops::<true>(word);
    let (length, low, high) = if found != 0 {
        (place(found), word & below(found), 0)
    } else {
        let second = u64::from_le_bytes(*words.last_chunk()?);
        let found = stops::<true>(second);
        if found == 0 {
            return None;
        }
        (8 + place(found), word, second & below(found))
    };
    let behind = [*text.get(length + 1)?, *text.get(length + 2)?];
    (behind == *b"\":").then_some((Name { low, high, long: &[] }, length))
}

/// As [`short_name`], of any length and with any characters but escapes.
#[inline(never)]
pub(super) fn any_name(bytes: &[u8]) -> Option<(Name<'_>, usize)> {
    let (b'"', rest) = bytes.split_first()? else { return None };
    let length = text(rest);
    let (name, behind) = rest.split_at_checked(length)?;
    (behind.first_chunk() == Some(b"\":")).then(|| (Name::new(name), length))
}

/// As [`any_number`], without a sign or an exponent and with fewer than 8 bytes.
#[inline(always)]
pub(super) fn short_number(text: &[u8]) -> Option<usize> {
    let text = text.first_chunk::<8>()?;
    let word = u64::from_le_bytes(*text);
    let digits = word ^ (ONES * 0x30);
    // The upper bit of every byte that is not a digit. Bits above the lowest one that is not a point
    // may be wrong (a carry).
    let mut found = (digits.wrapping_add(ONES * 0x76) | digits) & HIGH;
    if found == 0 {
        return None;
    }
    let mut length = place(found);
    if length == 0 || (length > 1 && word & 0xFF == 0x30) {
        return None;
    }
    let mut next = *text.get(length)?;
    if next == b'.' {
        found &= found - 1;
        if found == 0 || place(found) == length + 1 {
            return None;
        }
        length = place(found);
        next = *text.get(length)?;
    }
    if next | 0x20 == b'e' { None } else { Some(length) }
}

/// The length of the number at the start of `text`, which begins with a minus or a digit; none if
/// it is malformed or may reach beyond `text`.
#[inline(never)]
pub(super) fn any_number(text: &[u8]) -> Option<usize> {
    let mut state = super::number::Digits::Start;
    for (length, &byte) in text.iter().enumerate() {
        match state.step(byte) {
            Some(next) => state = next,
            None => return state.may_end_before(byte).then_some(length),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{any_number, short_name, short_number, skip, text};
    use crate::wire::json::hash::Name;

    fn naive(bytes: &[u8]) -> usize {
        let end = bytes
            .iter()
            .position(|b| *b < 0x20 || *b == b'"' || *b == b'\\')
            .unwrap_or(bytes.len());
        match std::str::from_utf8(&bytes[..end]) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for length in [1, 7, 8, 9, 15, 16, 17, 24, 31, 48, 63, 64, 65, 80, 90, 129, 170] {
            for place in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    assert_eq!(text(&bytes), naive(&bytes), "{byte} at {place} of {length}");
                    if byte != b'\\' {
                        assert_eq!(skip(&bytes), naive(&bytes), "{byte} at {place} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn characters_of_every_width_cut_everywhere() {
        let source = "aé漢🦀".repeat(12) + "\"" + &"é漢🦀z".repeat(14) + "\\" + "\u{7f}\u{80}";
        for from in 0..source.len() {
            for to in from..source.len() {
                let bytes = &source.as_bytes()[from..to];
                assert_eq!(text(bytes), naive(bytes));
            }
        }
    }

    #[test]
    fn whole_escapes_are_skipped() {
        let cases: &[(&str, usize)] = &[
            (r#"\n\"\\\/\b\f\r\t""#, 16),
            (r#"a\u00e9\uD83E\uDD80é\n""#, 23),
            (r"\uD83E\uDD8", 0),
            (r"\uD83E\u0041", 0),
            (r"x\uDC00", 1),
            (r"é\uD83Ex", 2),
            (r"\x", 0),
            (r"\u00g0", 0),
            (r"\u00", 0),
            (r"a\", 1),
        ];
        for (text, length) in cases {
            assert_eq!(skip(text.as_bytes()), *length, "{text}");
        }
        assert_eq!(skip(b"a\\n\xC3\\n"), 3, "a character cut by an escape");
        assert_eq!(skip(b"a\xC3\xA9\\n\xE6\xBC"), 5, "a character cut by the end");
    }

    #[test]
    fn names_have_the_words_of_the_hash() {
        for length in 0..20 {
            let name = "abcdefghijklmnopqrstuvwxyz".get(..length).unwrap();
            let text = format!("\"{name}\":{}", "x".repeat(20));
            let short =
                short_name(text.as_bytes()).map(|(name, length)| (name.low, name.high, length));
            let expected = Name::new(name.as_bytes());
            let expected = (length < 16).then_some((expected.low, expected.high, length));
            assert_eq!(short, expected, "{name}");
        }
    }

    #[test]
    fn short_and_any_numbers_agree() {
        let parts = ["", "-", "0", "7", "12", "00", ".", ".5", "e", "E9", ".25e+1", ",", "\u{ff}"];
        for a in parts {
            for b in parts {
                for c in parts {
                    let text = format!("{a}{b}{c},       ");
                    let any = any_number(text.as_bytes());
                    if let Some(length) = short_number(text.as_bytes()) {
                        assert_eq!(any, Some(length), "{text}");
                    }
                }
            }
        }
        assert_eq!(short_number(b"123.456,"), Some(7));
        assert_eq!(short_number(b"0.5]    "), Some(3));
        assert_eq!(short_number(b"12345678"), None);
        assert_eq!(any_number(b"-12345678901.5e-10}"), Some(18));
    }
}
