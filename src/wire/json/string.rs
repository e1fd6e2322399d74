//! Strings: member names and string values.
//!
//! Every string is validated: UTF-8, control characters, escapes, surrogate pairs. Its text is
//! decoded only for a name or where the visitor wants it.

use super::tokenizer::{State, Step};
use super::{Error, Node, SyntaxError, SyntaxErrorKind, Tokenizer, Visit, scan};

/// Where inside a string the machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// Between characters.
    Plain,
    /// Inside a character of which the chunk before brought only the first bytes.
    Character,
    /// Behind `\`.
    Escape,
    /// Behind `\u` and `digits` hexadecimal digits.
    Hex { digits: u8 },
    /// Behind the escape of an upper surrogate: `\` must follow.
    Pair,
    /// Behind that `\`: `u` must follow.
    PairEscape,
    /// Inside the escape of a lower surrogate.
    PairHex { digits: u8 },
}

/// What of a character or an escape has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Carry {
    bytes: [u8; 4],
    length: u8,
    /// The hexadecimal digits so far.
    unit: u16,
    /// The upper surrogate of a pair.
    upper: u16,
}

impl Tokenizer {
    /// A member name; its opening quote is at `at`.
    #[inline]
    pub(super) fn begin_key<V: Visit>(
        &mut self,
        input: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> Step<V> {
        self.key_at = self.absolute(at);
        let rest = input.get(at + 1..).unwrap_or_default();
        let length = scan::text(rest);
        if rest.get(length) == Some(&b'"')
            && length <= usize::from(self.limits.key_bytes)
            && let Some(Ok(name)) = rest.get(..length).map(std::str::from_utf8)
        {
            self.end_key(name, visitor)?;
            return Ok(at + length + 2);
        }
        self.key.clear();
        self.state = State::Key(Text::Plain);
        self.string(input, at + 1, visitor)
    }

    /// More of the string at hand, from `at` to its closing quote or the end of the chunk.
    pub(super) fn string<V: Visit>(&mut self, input: &[u8], at: usize, visitor: &mut V) -> Step<V> {
        let plain = match self.state {
            State::Key(Text::Plain) => self.plain(true, input, at),
            State::String(Text::Plain) => self.plain(false, input, at),
            _ => 0,
        };
        self.string_behind(input, at, plain, visitor)
    }

    /// As [`Tokenizer::string`] where the first `plain` bytes are known to be plain text.
    pub(super) fn string_behind<V: Visit>(
        &mut self,
        input: &[u8],
        mut at: usize,
        mut plain: usize,
        visitor: &mut V,
    ) -> Step<V> {
        let (is_key, mut text) = match self.state {
            State::Key(text) => (true, text),
            State::String(text) => (false, text),
            _ => return Ok(at),
        };
        loop {
            if text == Text::Plain {
                let piece = input.get(at..at + plain).unwrap_or_default();
                self.decoded(is_key, piece, visitor)?;
                at += plain;
            }
            let Some(&byte) = input.get(at) else {
                self.state = if is_key { State::Key(text) } else { State::String(text) };
                return Ok(at);
            };
            text = match text {
                Text::Plain => match byte {
                    b'"' => {
                        self.end_string(is_key, at + 1, visitor)?;
                        return Ok(at + 1);
                    }
                    b'\\' => Text::Escape,
                    0..0x20 => return Err(self.refuse(SyntaxErrorKind::ControlCharacter, at)),
                    _ => {
                        self.carry.length = 0;
                        self.character(is_key, byte, at, visitor)?
                    }
                },
                Text::Character => self.character(is_key, byte, at, visitor)?,
                Text::Escape => self.escape(is_key, byte, at, visitor)?,
                Text::Hex { digits } => {
                    self.hex(byte, at)?;
                    match (digits, self.carry.unit) {
                        (0..3, _) => Text::Hex { digits: digits + 1 },
                        (_, 0xD800..0xDC00) => {
                            self.carry.upper = self.carry.unit;
                            Text::Pair
                        }
                        (_, unit) => self.unescaped(is_key, u32::from(unit), at, visitor)?,
                    }
                }
                Text::Pair if byte == b'\\' => Text::PairEscape,
                Text::PairEscape if byte == b'u' => {
                    self.carry.unit = 0;
                    Text::PairHex { digits: 0 }
                }
                Text::Pair | Text::PairEscape => {
                    return Err(self.refuse(SyntaxErrorKind::LoneSurrogate, at));
                }
                Text::PairHex { digits } => {
                    self.hex(byte, at)?;
                    match (digits, self.carry.unit) {
                        (0..3, _) => Text::PairHex { digits: digits + 1 },
                        (_, lower @ 0xDC00..0xE000) => {
                            let upper = u32::from(self.carry.upper - 0xD800);
                            let lower = u32::from(lower - 0xDC00);
                            self.unescaped(is_key, 0x1_0000 + (upper << 10 | lower), at, visitor)?
                        }
                        _ => return Err(self.refuse(SyntaxErrorKind::LoneSurrogate, at)),
                    }
                }
            };
            at += 1;
            if text == Text::Plain {
                plain = self.plain(is_key, input, at);
            }
        }
    }

    /// How many bytes from `at` on need no look at each. Where the text is not wanted, these may be
    /// escapes.
    fn plain(&self, is_key: bool, input: &[u8], at: usize) -> usize {
        let rest = input.get(at..).unwrap_or_default();
        if is_key || self.node.wants_text() { scan::text(rest) } else { scan::skip(rest) }
    }

    /// One byte of a character above U+007F that the scan of plain text did not accept: it is
    /// malformed, or cut by the end of a chunk.
    #[cold]
    fn character<V: Visit>(
        &mut self,
        is_key: bool,
        byte: u8,
        at: usize,
        visitor: &mut V,
    ) -> Result<Text, Error<V::Stop>> {
        let length = usize::from(self.carry.length) + 1;
        let bytes = {
            if let Some(last) = self.carry.bytes.get_mut(length - 1) {
                *last = byte;
            }
            self.carry.length += 1;
            self.carry.bytes
        };
        let character = bytes.get(..length).unwrap_or_default();
        match std::str::from_utf8(character) {
            Ok(_) => {
                self.decoded(is_key, character, visitor)?;
                Ok(Text::Plain)
            }
            // No byte so far is wrong, but some are missing.
            Err(error) if error.error_len().is_none() => Ok(Text::Character),
            Err(_) => Err(self.refuse(SyntaxErrorKind::InvalidUtf8, at)),
        }
    }

    /// The byte behind `\`.
    #[inline]
    fn escape<V: Visit>(
        &mut self,
        is_key: bool,
        byte: u8,
        at: usize,
        visitor: &mut V,
    ) -> Result<Text, Error<V::Stop>> {
        let character = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.carry.unit = 0;
                return Ok(Text::Hex { digits: 0 });
            }
            _ => return Err(self.refuse(SyntaxErrorKind::InvalidEscape, at)),
        };
        self.unescaped(is_key, u32::from(character), at, visitor)
    }

    /// Adds one hexadecimal digit.
    #[inline]
    fn hex<S>(&mut self, byte: u8, at: usize) -> Result<(), Error<S>> {
        let Some(digit) = scan::hex(byte) else {
            return Err(self.refuse(SyntaxErrorKind::InvalidEscape, at));
        };
        self.carry.unit = self.carry.unit << 4 | digit;
        Ok(())
    }

    /// An escape is complete.
    fn unescaped<V: Visit>(
        &mut self,
        is_key: bool,
        scalar: u32,
        at: usize,
        visitor: &mut V,
    ) -> Result<Text, Error<V::Stop>> {
        // Only a lower surrogate without its upper one is not a scalar value here.
        let Some(character) = char::from_u32(scalar) else {
            return Err(self.refuse(SyntaxErrorKind::LoneSurrogate, at));
        };
        if is_key || self.node.wants_text() {
            let mut buffer = [0; 4];
            self.decoded(is_key, character.encode_utf8(&mut buffer).as_bytes(), visitor)?;
        }
        Ok(Text::Plain)
    }

    /// Some more text of the string, valid UTF-8.
    #[inline]
    fn decoded<V: Visit>(
        &mut self,
        is_key: bool,
        text: &[u8],
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        if is_key {
            if self.key.len() + text.len() > usize::from(self.limits.key_bytes) {
                let kind = SyntaxErrorKind::KeyTooLong;
                return Err(SyntaxError { kind, offset: self.key_at }.into());
            }
            self.key.extend_from_slice(text);
        } else if self.node.wants_text() && !text.is_empty() {
            // INVARIANT: `text` is whole characters. Were it not, it must be refused, not kept from
            // the visitor.
            let Ok(piece) = simdutf8::basic::from_utf8(text) else {
                let (kind, offset) = (SyntaxErrorKind::InvalidUtf8, self.offset());
                return Err(SyntaxError { kind, offset }.into());
            };
            visitor.text(self.node, piece).map_err(Error::Stop)?;
        }
        Ok(())
    }

    /// The closing quote has been read.
    #[inline]
    fn end_string<V: Visit>(
        &mut self,
        is_key: bool,
        at: usize,
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        if !is_key {
            return self.end_scalar(at, visitor);
        }
        let key = std::mem::take(&mut self.key);
        // INVARIANT: `key` holds whole characters, so this does not fail.
        let ended = match std::str::from_utf8(&key) {
            Ok(name) => self.end_key(name, visitor),
            Err(_) => Err(self.refuse(SyntaxErrorKind::InvalidUtf8, at)),
        };
        self.key = key;
        debug_assert!(ended.is_err() || self.node == Node::IGNORE || self.state == State::Colon);
        ended
    }
}
