//! How far the plain part of a string reaches.
//!
//! Blocks of [`BLOCK`] bytes are folded without branches, which the compiler turns into vector
//! instructions; the block that stopped, and short strings, are looked at 8 bytes at a time.

use super::hash::Name;

/// Bytes that are folded at once.
const BLOCK: usize = 64;

/// The length of the longest start of `bytes` that is valid text of a string: whole UTF-8
/// characters without `"`, `\` and control characters.
///
/// What follows is the end of `bytes`, one of those three, or a character that is malformed or
/// cut off by the end of `bytes`.
#[inline]
pub(super) fn text(bytes: &[u8]) -> usize {
    let ascii = plain::<true>(bytes);
    match bytes.get(ascii) {
        Some(0x80..) => ascii + bytes.get(ascii..).map_or(0, unicode),
        _ => ascii,
    }
}

/// As [`text`], for bytes that begin with one above 0x7F.
#[inline(never)]
fn unicode(bytes: &[u8]) -> usize {
    let end = plain::<false>(bytes);
    let mut span = bytes.get(..end).unwrap_or(bytes);
    if end == bytes.len() {
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

/// The number of bytes before the first `"`, `\`, control character or, if `ASCII`, byte above
/// 0x7F.
#[inline(always)]
fn plain<const ASCII: bool>(bytes: &[u8]) -> usize {
    let mut length = 0;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let stops = stops::<ASCII>(u64::from_le_bytes(*word));
        if stops != 0 {
            return length + (stops.trailing_zeros() / 8) as usize;
        }
        length += 8;
        rest = after;
        if length >= 16
            && let Some((block, _)) = rest.split_first_chunk::<BLOCK>()
            && !has_stop::<ASCII>(block)
        {
            let blocks = blocks::<ASCII>(rest);
            length += blocks;
            rest = rest.get(blocks..).unwrap_or_default();
        }
    }
    for &byte in rest {
        if is_stop::<ASCII>(byte) {
            break;
        }
        length += 1;
    }
    length
}

/// The bytes in whole blocks without a stop at the start of `bytes`.
fn blocks<const ASCII: bool>(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
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

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// The upper bit of every byte that is a stop. Bits above the lowest one may be wrong (a borrow).
#[inline(always)]
fn stops<const ASCII: bool>(word: u64) -> u64 {
    // With bit 1 flipped, the control characters and the quote are what is below 0x21.
    let low = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let slash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let found = if ASCII { low | slash | word } else { (low | slash) & !word };
    found & HIGH
}

/// The name in `text`, which begins with its opening quote; `word` is what follows the quote. None
/// if the name has more than 15 bytes or anything but plain ASCII, or is not all there.
#[inline(always)]
pub(super) fn name(text: &[u8], word: u64) -> Option<Name<'_>> {
    let found = stops::<true>(word);
    let (length, low, high) = if found != 0 {
        (found.trailing_zeros() / 8, word & below(found), 0)
    } else {
        let second = u64::from_le_bytes(*text.get(9..)?.first_chunk()?);
        let found = stops::<true>(second);
        if found == 0 {
            return None;
        }
        (8 + found.trailing_zeros() / 8, word, second & below(found))
    };
    let length = length as usize;
    let is_whole = text.get(length + 1) == Some(&b'"');
    is_whole.then_some(Name { length, low, high, bytes: &[] })
}

/// All bits of the bytes below the lowest byte that has its upper bit in `marks`.
#[inline(always)]
fn below(marks: u64) -> u64 {
    // The lowest mark minus one has all bits below the mark; seven of them are the mark's own byte.
    let lowest = marks & marks.wrapping_neg();
    (lowest - 1) & !(lowest - (lowest >> 7))
}

/// The upper bit of every byte that is not a digit. Bits above the lowest one may be wrong.
#[inline(always)]
fn not_digits(word: u64) -> u64 {
    let digits = word ^ (ONES * 0x30);
    (digits.wrapping_add(ONES * 0x76) | digits) & HIGH
}

/// The number of digits at the start of `bytes`; none if they may reach beyond 8 bytes.
#[inline(always)]
fn digits(bytes: &[u8]) -> Option<usize> {
    let found = not_digits(u64::from_le_bytes(*bytes.first_chunk()?));
    if found == 0 { None } else { Some((found.trailing_zeros() / 8) as usize) }
}

/// The length of the number at the start of `text`; none if it is malformed, has an exponent, has
/// more than 7 digits in one part, or may reach beyond `text`.
#[inline(always)]
pub(super) fn number(text: &[u8]) -> Option<usize> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let rest = text.get(sign..)?;
    let integer = digits(rest)?;
    if integer == 0 || (integer > 1 && rest.first() == Some(&b'0')) {
        return None;
    }
    let mut length = sign + integer;
    let mut next = *rest.get(integer)?;
    if next == b'.' {
        let fraction_at = rest.get(integer + 1..)?;
        let fraction = digits(fraction_at)?;
        if fraction == 0 {
            return None;
        }
        length += 1 + fraction;
        next = *fraction_at.get(fraction)?;
    }
    if matches!(next, b'e' | b'E') { None } else { Some(length) }
}

#[cfg(test)]
mod tests {
    use super::text;

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
        for length in [1, 7, 8, 9, 15, 16, 17, 24, 31, 63, 64, 65, 80, 90, 129, 170] {
            for place in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    assert_eq!(text(&bytes), naive(&bytes), "{byte} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn characters_of_every_width_cut_everywhere() {
        let source = "aé漢🦀".repeat(20) + "\"" + &"é漢🦀z".repeat(30) + "\\" + "\u{7f}\u{80}";
        for from in 0..source.len() {
            for to in from..source.len() {
                let bytes = &source.as_bytes()[from..to];
                assert_eq!(text(bytes), naive(bytes));
            }
        }
    }
}
