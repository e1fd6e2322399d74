//! Decimal numbers, kept and compared exactly.
//!
//! A number is reduced once, when it is read: to an `i64` where it is one, otherwise to its significant
//! digits and the place of its point. Equal numbers therefore have equal forms (`1`, `1.0`, `100e-2`), and a
//! comparison is a comparison of two machine words, or of a place and two runs of digits. No number is ever
//! expanded: `1e999999999` costs as much as `1`.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number, exact: 2^53 and 2^53+1 differ, `1.0` and `1` do not.
///
/// `Eq` and `Hash` are those of the value, not of the token, so that a caller cannot have two limit buckets by
/// writing one number in two ways.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// An integer of the range of `i64`.
    Int(i64),
    /// Any other: `±0.digits × 10^place`. INVARIANT: `digits` neither begins nor ends with `0`.
    Decimal { negative: bool, place: i64, digits: Box<str> },
    /// Its exponent is beyond [`Number::MAX_EXPONENT`]: it compares with nothing.
    Beyond,
}

impl Number {
    /// Largest exponent, in either direction, that is told from others (JSON sets no bound). Beyond it a number
    /// is equal to, less than and greater than nothing, and every comparison is unknown. Far above what any
    /// real number has, far below where `i64` places could overflow.
    pub const MAX_EXPONENT: i64 = 1_000_000_000_000_000;

    /// The number that the JSON token `token` stands for; `None` where it is not a number of RFC 8259 §6.
    /// Work and memory are linear in the token.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        let unsigned = token.strip_prefix('-').unwrap_or(token);
        let parts = Parts::split(unsigned)?;
        let leading_zero = parts.integer.len() > 1 && parts.integer.starts_with('0');
        if parts.integer.is_empty() || leading_zero {
            return None;
        }
        Some(parts.reduce(token.len() != unsigned.len()))
    }

    /// The number that a CEL literal stands for, which may also begin with its point (`.5`) or with zeros.
    pub(super) fn from_literal(text: &str, negative: bool) -> Option<Self> {
        Some(Parts::split(text)?.reduce(negative))
    }

    /// How it stands to `other`; `None` where either has an exponent beyond [`Number::MAX_EXPONENT`].
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Form::Int(a), Form::Int(b)) => Some(a.cmp(b)),
            (Form::Beyond, _) | (_, Form::Beyond) => None,
            (a, b) => {
                let (mut left, mut right) = ([0; 20], [0; 20]);
                Some(Scaled::of(a, &mut left)?.cmp(&Scaled::of(b, &mut right)?))
            }
        }
    }

    /// The number as an unsigned integer, where it is one below 2^63.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Form::Int(int) => u64::try_from(int).ok(),
            Form::Decimal { .. } | Form::Beyond => None,
        }
    }

    /// Whether it compares with nothing.
    pub(super) fn is_beyond(&self) -> bool {
        self.0 == Form::Beyond
    }

    /// Bytes that a comparison may look at.
    pub(super) fn weight(&self) -> usize {
        match &self.0 {
            Form::Decimal { digits, .. } => digits.len(),
            Form::Int(_) | Form::Beyond => 1,
        }
    }

    /// Whether it is an integer that is not negative, of any size.
    pub(super) fn is_count(&self) -> bool {
        match &self.0 {
            Form::Int(int) => *int >= 0,
            Form::Decimal { negative, place, digits } => {
                !negative && usize::try_from(*place).is_ok_and(|place| place >= digits.len())
            }
            Form::Beyond => false,
        }
    }
}

/// Numbers beside others, for whoever looks for an example of each range.
impl Number {
    /// A number less than this one; `None` where that would be beyond all bounds.
    pub(super) fn below(&self) -> Option<Self> {
        self.negated()?.above()?.negated()
    }

    /// A number greater than this one, an integer where that is easily said.
    pub(super) fn above(&self) -> Option<Self> {
        match &self.0 {
            Form::Int(int) => match int.checked_add(1) {
                Some(next) => Some(Self(Form::Int(next))),
                None => Self::from_token("1e19"),
            },
            Form::Decimal { negative: true, .. } => Some(Self(Form::Int(0))),
            Form::Decimal { place, .. } => Self::from_token(&format!("1e{}", place.max(&0) + 1)),
            Form::Beyond => None,
        }
        .filter(|above| !above.is_beyond())
    }

    /// A number between this one and `other`, which is greater: an integer where there is one nearby.
    pub(super) fn between(&self, other: &Self) -> Option<Self> {
        if let Some(next) = self.above().filter(|next| next.compare(other) == Some(Ordering::Less))
        {
            return Some(next);
        }
        let (mut left, mut right) = ([0; 20], [0; 20]);
        let (a, b) = (Scaled::of(&self.0, &mut left)?, Scaled::of(&other.0, &mut right)?);
        if a.signum() < 0 && b.signum() > 0 {
            return Some(Self(Form::Int(0)));
        }
        if b.signum() <= 0 {
            return other.negated()?.between(&self.negated()?)?.negated();
        }
        if a.signum() == 0 {
            // A tenth of the other.
            let digits = std::str::from_utf8(b.digits).ok()?;
            let tenth = Self::from_token(&format!("0.{digits}e{}", b.place - 1));
            return tenth.filter(|number| !number.is_beyond());
        }
        // One more digit than either has, behind those of the lesser, stays below the greater.
        let digits = std::str::from_utf8(a.digits).ok()?;
        let zeros = "0".repeat(a.digits.len().max(b.digits.len()) - a.digits.len());
        let number = Self::from_token(&format!("0.{digits}{zeros}1e{}", a.place));
        number.filter(|number| !number.is_beyond())
    }

    fn negated(&self) -> Option<Self> {
        Some(Self(match &self.0 {
            Form::Int(int) => match int.checked_neg() {
                Some(int) => Form::Int(int),
                None => return Self::from_token("9223372036854775808"),
            },
            Form::Decimal { negative, place, digits } => {
                let form = Self(Form::Decimal {
                    negative: !negative,
                    place: *place,
                    digits: digits.clone(),
                });
                // The least of `i64` is the one integer whose opposite is none.
                let text = form.to_string();
                return Self::from_token(&text);
            }
            Form::Beyond => return None,
        }))
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Form::Int(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        match i64::try_from(int) {
            Ok(int) => Self(Form::Int(int)),
            Err(_) => Self::from_token(&int.to_string()).unwrap_or(Self(Form::Beyond)),
        }
    }
}

/// Prints a number as JSON would, without a plus or needless zeros.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Int(int) => write!(f, "{int}"),
            Form::Beyond => f.write_str("(a number beyond all bounds)"),
            Form::Decimal { negative, place, digits } => {
                let sign = if *negative { "-" } else { "" };
                let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
                let point = if rest.is_empty() { "" } else { "." };
                match usize::try_from(*place) {
                    Ok(0) => write!(f, "{sign}0.{digits}"),
                    Ok(place) if place < digits.len() => {
                        let (integer, fraction) =
                            digits.split_at_checked(place).unwrap_or((digits, ""));
                        write!(f, "{sign}{integer}.{fraction}")
                    }
                    _ => write!(f, "{sign}{first}{point}{rest}e{}", place - 1),
                }
            }
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

/// The pieces of an unsigned numeral.
struct Parts<'a> {
    integer: &'a str,
    fraction: &'a str,
    /// `None` where it is beyond [`Number::MAX_EXPONENT`].
    exponent: Option<i64>,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            None => (text, Some(0)),
            Some((mantissa, exponent)) => {
                let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if unsigned.is_empty() || !digits(unsigned) {
                    return None;
                }
                // Overflow of i64 is one of the ways to be beyond the bound.
                let bounded = exponent
                    .parse::<i64>()
                    .ok()
                    .filter(|e| (-Number::MAX_EXPONENT..=Number::MAX_EXPONENT).contains(e));
                (mantissa, bounded)
            }
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            None => (mantissa, ""),
            Some((_, "")) => return None,
            Some(parts) => parts,
        };
        let some = !integer.is_empty() || !fraction.is_empty();
        (some && digits(integer) && digits(fraction)).then_some(Self {
            integer,
            fraction,
            exponent,
        })
    }

    fn reduce(&self, negative: bool) -> Number {
        if self.exponent == Some(0) && self.fraction.is_empty() && self.integer.len() <= 18 {
            // 18 digits always fit.
            let int = self.integer.bytes().fold(0, |int, b| int * 10 + i64::from(b - b'0'));
            return Number(Form::Int(if negative { -int } else { int }));
        }
        let mut digits = String::with_capacity(self.integer.len() + self.fraction.len());
        digits.push_str(self.integer);
        digits.push_str(self.fraction);
        digits.truncate(digits.trim_end_matches('0').len());
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        digits.drain(..zeros);
        if digits.is_empty() {
            return Number(Form::Int(0)); // -0 and 0e9999999999999999 too
        }
        let (Some(exponent), Ok(integer), Ok(zeros)) =
            (self.exponent, i64::try_from(self.integer.len()), i64::try_from(zeros))
        else {
            return Number(Form::Beyond);
        };
        let place = exponent + integer - zeros;
        match as_int(negative, place, &digits) {
            Some(int) => Number(Form::Int(int)),
            None => Number(Form::Decimal { negative, place, digits: digits.into() }),
        }
    }
}

/// The integer `±0.digits × 10^place`, where it is one of the range of `i64`.
fn as_int(negative: bool, place: i64, digits: &str) -> Option<i64> {
    let place = usize::try_from(place).ok().filter(|place| *place <= 19)?;
    let zeros = place.checked_sub(digits.len())?;
    let mut int = digits.bytes().fold(0_i128, |int, b| int * 10 + i128::from(b - b'0'));
    for _ in 0..zeros {
        int *= 10;
    }
    i64::try_from(if negative { -int } else { int }).ok()
}

/// `±0.digits × 10^place`, borrowed. Zero has no digits.
#[derive(PartialEq, Eq)]
struct Scaled<'a> {
    negative: bool,
    place: i64,
    digits: &'a [u8],
}

impl<'a> Scaled<'a> {
    /// `form`, an `i64` being written into `buffer` (20 bytes hold the 19 digits of any).
    fn of(form: &'a Form, buffer: &'a mut [u8; 20]) -> Option<Self> {
        match form {
            Form::Beyond => None,
            Form::Decimal { negative, place, digits } => {
                Some(Self { negative: *negative, place: *place, digits: digits.as_bytes() })
            }
            Form::Int(int) => {
                let mut rest = int.unsigned_abs();
                let mut at = buffer.len();
                while rest > 0 {
                    at -= 1;
                    *buffer.get_mut(at)? = b'0' + u8::try_from(rest % 10).ok()?;
                    rest /= 10;
                }
                let digits = buffer.get(at..)?;
                let place = i64::try_from(digits.len()).ok()?;
                let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
                Some(Self { negative: *int < 0, place, digits: digits.get(..kept)? })
            }
        }
    }

    /// -1, 0 or 1.
    fn signum(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Scaled<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // Digits begin with one that is not 0, so the greater place wins, and equal places are
        // settled by the first digit that differs.
        let size = || self.place.cmp(&other.place).then_with(|| self.digits.cmp(other.digits));
        self.signum().cmp(&other.signum()).then_with(|| match self.signum() {
            0 => Ordering::Equal,
            1 => size(),
            _ => size().reverse(),
        })
    }
}

impl PartialOrd for Scaled<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(token: &str) -> Number {
        Number::from_token(token).unwrap_or_else(|| panic!("{token} is a number"))
    }

    #[test]
    fn equal_numbers_are_one_number() {
        for class in [
            &["1", "1.0", "1e0", "10e-1", "0.1e1", "0.001E+3", "1.000000"][..],
            &["0", "-0", "0.0", "-0.000", "0e5", "0e99999999999999999999", "0.0e-77"],
            &["100", "1e2", "1E+2", "1.00e2", "100.0"],
            &["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
            &["9223372036854775807", "9.223372036854775807e18"],
            &["-9223372036854775808", "-9.223372036854775808E18"],
            &["9223372036854775808", "922337203685477580.8e1"],
            &["0.1", "1e-1", "0.10", "0.01e1"],
            &["1e999999999", "10e999999998", "0.1e1000000000"],
        ] {
            for a in class {
                for b in class {
                    assert_eq!(number(a), number(b), "{a} = {b}");
                    assert_eq!(number(a).compare(&number(b)), Some(Ordering::Equal), "{a} = {b}");
                }
            }
        }
    }

    #[test]
    fn order_is_exact() {
        let ascending = [
            "-1e999999999",
            "-9223372036854775809",
            "-9223372036854775808",
            "-100",
            "-99.5",
            "-1.5",
            "-1",
            "-1e-9",
            "0",
            "1e-999999999",
            "0.0999999999999999999999",
            "0.1",
            "0.1000000000000000055511151231257827",
            "1",
            "1.0000000000000000000001",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775807.5",
            "9223372036854775808",
            "18446744073709551616",
            "1e999999998",
            "1e999999999",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(number(a).compare(&number(b)), Some(i.cmp(&j)), "{a} ? {b}");
            }
        }
    }

    #[test]
    fn there_is_a_number_beside_and_between() {
        let ascending = [
            "-1e999",
            "-9223372036854775808.5",
            "-9223372036854775808",
            "-10",
            "-9.999",
            "-1.5",
            "-1",
            "-0.00000000000000000001",
            "0",
            "1e-300",
            "1.5e-300",
            "0.1",
            "0.11",
            "1",
            "1.0000000000000000000001",
            "2",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "9.3e18",
            "1e999",
        ];
        for pair in ascending.windows(2) {
            let (a, b) = (number(pair[0]), number(pair[1]));
            let between = a.between(&b).unwrap();
            assert_eq!(a.compare(&between), Some(Ordering::Less), "{a} {between}");
            assert_eq!(between.compare(&b), Some(Ordering::Less), "{between} {b}");
            assert_eq!(a.compare(&a.above().unwrap()), Some(Ordering::Less), "{a}");
            assert_eq!(a.compare(&a.below().unwrap()), Some(Ordering::Greater), "{a}");
        }
        assert_eq!(number("1e1000000000000000").above(), None);
        assert_eq!(number("1e1000000000000001").above(), None);
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        for token in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", "1_0", "NaN", " 1", "1 ", "--1",
            "1.e2", "٣",
        ] {
            assert_eq!(Number::from_token(token), None, "{token:?}");
        }
    }

    #[test]
    fn beyond_the_largest_exponent_nothing_compares() {
        let edge = number("1e1000000000000000");
        assert_eq!(edge.compare(&number("1e999999999999999")), Some(Ordering::Greater));
        for token in ["1e1000000000000001", "-1e-1000000000000001", "1e99999999999999999999999"] {
            assert_eq!(number(token).compare(&edge), None, "{token}");
            assert_eq!(number(token).compare(&number(token)), None, "{token}");
        }
    }

    #[test]
    fn counts_are_integers_that_are_not_negative() {
        for (token, count) in [
            ("0", true),
            ("3.0", true),
            ("1e400", true),
            ("18446744073709551616", true),
            ("-1", false),
            ("0.5", false),
            ("1e-3", false),
            ("12345678901234567890.5", false),
        ] {
            assert_eq!(number(token).is_count(), count, "{token}");
        }
        assert_eq!(number("7.0").as_u64(), Some(7));
        assert_eq!(number("7.5").as_u64(), None);
        assert_eq!(Number::from(u64::MAX).to_string(), "1.8446744073709551615e19");
    }

    proptest! {
        #[test]
        fn printing_keeps_the_value(
            negative: bool, integer in 0_u64.., fraction in "[0-9]{0,12}", exponent in -30_i32..30,
        ) {
            let sign = if negative { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            let read = number(&format!("{sign}{integer}{point}{fraction}e{exponent}"));
            prop_assert_eq!(number(&read.to_string()), read);
        }

        #[test]
        fn order_agrees_with_128_bits(a in -1_000_000_i64..1_000_000, b: i64, i in 0_u32..8, j in 0_u32..8) {
            // a·10^-i against b·10^-j, both scaled by 10^8 (i64 · 10^8 fits i128).
            let left = number(&format!("{a}e-{i}"));
            let right = number(&format!("{b}e-{j}"));
            let exact = (i128::from(a) * 10_i128.pow(8 - i)).cmp(&(i128::from(b) * 10_i128.pow(8 - j)));
            prop_assert_eq!(left.compare(&right), Some(exact));
        }
    }
}
