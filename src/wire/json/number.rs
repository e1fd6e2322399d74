//! Numbers: their grammar only. No value is computed, so that none is rounded.

use super::tokenizer::{State, Step};
use super::{Error, SyntaxErrorKind, Tokenizer, Visit};

/// Where inside a number the machine stands (RFC 8259 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digits {
    /// Before `-` or the first digit.
    Start,
    /// Behind `-`.
    Minus,
    /// Behind a leading `0`, which no digit may follow.
    Zero,
    /// In the integer part.
    Integer,
    /// Behind the point.
    Point,
    /// In the fraction.
    Fraction,
    /// Behind `e` or `E`.
    Exponent,
    /// Behind the sign of the exponent.
    Sign,
    /// In the digits of the exponent.
    Power,
}

impl Digits {
    /// Whether what has been read is a whole number.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Power)
    }

    /// Whether the number ends where `byte` follows, with which it cannot go on.
    #[inline]
    pub(super) fn may_end_before(self, byte: u8) -> bool {
        self.may_end() && !(self == Self::Zero && byte.is_ascii_digit())
    }

    /// The place behind `byte`; none if the number cannot go on with it.
    #[inline]
    pub(super) fn step(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Start, b'-') => Self::Minus,
            (Self::Start | Self::Minus, b'0') => Self::Zero,
            (Self::Start | Self::Minus, b'1'..=b'9') | (Self::Integer, b'0'..=b'9') => {
                Self::Integer
            }
            (Self::Zero | Self::Integer, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }
}

impl Tokenizer {
    /// More of the number at hand, from `at` to its end or the end of the chunk.
    pub(super) fn number<V: Visit>(
        &mut self,
        mut digits: Digits,
        input: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> Step<V> {
        let mut end = at;
        let mut failed = None;
        let mut ended = false;
        while let Some(&byte) = input.get(end) {
            match digits.step(byte) {
                Some(_) if self.length == self.limits.number_bytes => {
                    failed = Some(SyntaxErrorKind::NumberTooLong);
                }
                Some(next) => {
                    digits = next;
                    self.length += 1;
                    end += 1;
                    continue;
                }
                None if digits.may_end_before(byte) => {
                    ended = true;
                }
                None => failed = Some(SyntaxErrorKind::InvalidNumber),
            }
            break;
        }
        if self.node.wants_text() && end > at {
            // INVARIANT: all bytes are ASCII. Were they not, they must be refused, not kept from
            // the visitor.
            let Some(Ok(piece)) = input.get(at..end).map(std::str::from_utf8) else {
                return Err(self.refuse(SyntaxErrorKind::InvalidNumber, at));
            };
            visitor.text(self.node, piece).map_err(Error::Stop)?;
        }
        if let Some(kind) = failed {
            return Err(self.refuse(kind, end));
        }
        if ended {
            self.end_scalar(end, visitor)?;
        } else {
            self.state = State::Number(digits);
        }
        Ok(end)
    }
}
