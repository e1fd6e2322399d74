//! The tokenizer: its limits, its state, and the structure of containers.
//!
//! Scalars are in `string.rs` and `number.rs`, names in `keys.rs`. The state machine is defined
//! byte by byte: everything that takes a longer step (a run of plain text, a whole key) only
//! steps over bytes that the machine would have accepted one at a time. That is why the events
//! and the errors of a text do not depend on how it was cut into chunks.

use super::keys::{Insert, Keys, Name};
use super::number::Digits;
use super::stack::{Frame, Holds, Stack};
use super::string::{Carry, Text};
use super::{Error, Kind, Node, SyntaxError, SyntaxErrorKind, Visit};

/// Bounds of one JSON text (T5). Each is inclusive: the value itself still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers open at once. Default 64.
    pub depth: u16,
    /// Bytes of one member name, decoded. Default 1 024.
    pub key_bytes: u16,
    /// Bytes of one number token. Default 64.
    pub number_bytes: u16,
    /// Values in the whole text, containers included, names not. Default 2^20.
    pub values: u32,
    /// Member names of all objects that are open at once. Default 4 096.
    pub open_keys: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, key_bytes: 1024, number_bytes: 64, values: 1 << 20, open_keys: 4096 }
    }
}

impl Limits {
    /// Whether names and numbers so short that a few words hold them need not be measured.
    #[inline(always)]
    pub(super) fn are_wide(&self) -> bool {
        self.key_bytes >= 15 && self.number_bytes >= 8
    }
}

/// A push tokenizer for one JSON text.
///
/// `feed` it the text in chunks of any size, then `finish`. Chunk boundaries have no meaning:
/// the visitor is told the same, with the same offsets, and the same error ends the scan.
///
/// # Example
/// ```
/// use mcpfw::wire::json::{Ignore, Limits, SyntaxErrorKind, Tokenizer, Error};
///
/// let mut tokenizer = Tokenizer::new(Limits::default(), 42);
/// tokenizer.feed(br#"{"a": 1, "\u00"#, &mut Ignore).unwrap();
/// let error = tokenizer.feed(br#"61": 2}"#, &mut Ignore).unwrap_err();
/// let Error::Syntax(error) = error else { panic!() };
/// assert_eq!((error.kind, error.offset), (SyntaxErrorKind::DuplicateKey, 9));
/// ```
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) limits: Limits,
    pub(super) state: State,
    /// Offset of the first byte of the chunk at hand.
    base: u64,
    /// Values that may still begin.
    pub(super) values: u32,
    /// The innermost open container.
    pub(super) top: Frame,
    /// The containers around it.
    pub(super) outer: Stack,
    pub(super) keys: Keys,
    /// The place of the value that comes next or is being read.
    pub(super) node: Node,
    /// The kind of the scalar that is being read.
    pub(super) kind: Kind,
    /// Bytes of the literal or number that have been read.
    pub(super) length: u16,
    pub(super) carry: Carry,
    /// The start of a name that is not wholly in the chunk at hand or has escapes, decoded.
    pub(super) key: Vec<u8>,
    /// Offset of the opening quote of the name that is being read.
    pub(super) key_at: u64,
    failed: Option<SyntaxError>,
}

/// What the next byte may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A value.
    Value,
    /// A value or `]`.
    FirstElement,
    /// `"` or `}`.
    FirstKey,
    /// `"`.
    NextKey,
    Colon,
    /// `,` or the end of the container.
    AfterValue,
    /// Whitespace only: the root is complete.
    Done,
    /// More of a member name.
    Key(Text),
    /// More of a string value.
    String(Text),
    /// More of `true`, `false` or `null`.
    Literal,
    /// More of a number.
    Number(Digits),
}

impl State {
    /// Whether whitespace would be part of a token here, or end it.
    pub(super) fn is_inside_token(self) -> bool {
        matches!(self, Self::Key(_) | Self::String(_) | Self::Literal | Self::Number(_))
    }
}

/// The end of a scan, or how far it got.
pub(super) type Step<V> = Result<usize, Error<<V as Visit>::Stop>>;

impl Tokenizer {
    /// A tokenizer at the start of a text. It allocates nothing before it has to.
    ///
    /// `seed` keys the hash of member names: take it from a random source, so that nobody can
    /// choose names that collide.
    #[must_use]
    pub fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            state: State::Value,
            base: 0,
            values: limits.values,
            top: Frame::ROOT,
            outer: Stack::new(),
            keys: Keys::new(seed, limits.open_keys),
            node: Node::IGNORE,
            kind: Kind::Null,
            length: 0,
            carry: Carry::default(),
            key: Vec::new(),
            key_at: 0,
            failed: None,
        }
    }

    /// Scans the next bytes of the text.
    ///
    /// # Errors
    /// [`Error::Syntax`] where the bytes break a rule, [`Error::Stop`] where the visitor stops.
    /// Once an error was returned the tokenizer is spent: it returns the same syntax error again,
    /// or [`SyntaxErrorKind::Stopped`] after a stop.
    pub fn feed<V: Visit>(&mut self, input: &[u8], visitor: &mut V) -> Result<(), Error<V::Stop>> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        match self.scan(input, visitor) {
            Ok(()) => {
                self.base += input.len() as u64;
                Ok(())
            }
            Err(error) => Err(self.spend(error)),
        }
    }

    /// Says that the text has ended.
    ///
    /// # Errors
    /// As [`Tokenizer::feed`]; also [`SyntaxErrorKind::UnexpectedEnd`] where the text is not
    /// complete.
    pub fn finish<V: Visit>(&mut self, visitor: &mut V) -> Result<(), Error<V::Stop>> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        let ended = match self.state {
            State::Done => Ok(()),
            State::Number(digits) if digits.may_end() && self.top.holds == Holds::Root => {
                self.end_scalar(0, visitor)
            }
            _ => Err(self.refuse(SyntaxErrorKind::UnexpectedEnd, 0)),
        };
        ended.map_err(|error| self.spend(error))
    }

    /// Whether the root value is complete (a root number is complete only after `finish`, or when
    /// whitespace follows it).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::Done && self.failed.is_none()
    }

    /// How many bytes have been scanned. After a syntax error, the offset of that error; after a
    /// stop, the bytes before the chunk at hand.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.base
    }

    /// Back to the start of a text, keeping the buffers, the limits and the seed.
    pub fn reset(&mut self) {
        self.state = State::Value;
        self.base = 0;
        self.values = self.limits.values;
        self.top = Frame::ROOT;
        self.outer.clear();
        self.keys.clear();
        self.key.clear();
        self.failed = None;
    }

    /// Bytes of heap that the tokenizer holds. It depends on the depth, on the longest name and on
    /// the number of names open at once, each of which is bounded by [`Limits`], and on nothing
    /// else: the default limits allow about 72 KiB.
    #[must_use]
    pub fn heap(&self) -> usize {
        self.outer.heap() + self.key.capacity() + self.keys.heap()
    }

    fn scan<V: Visit>(&mut self, input: &[u8], visitor: &mut V) -> Result<(), Error<V::Stop>> {
        let mut at = 0;
        while at < input.len() {
            let quiet = self.is_quiet();
            at = if quiet { self.run_quiet(input, at)? } else { self.run(input, at, visitor)? };
            if quiet == self.is_quiet()
                && let Some(&byte) = input.get(at)
            {
                at = self.step(byte, input, at, visitor)?;
            }
        }
        Ok(())
    }

    /// Whether the innermost container is ignored.
    pub(super) fn is_quiet(&self) -> bool {
        self.top.node == Node::IGNORE && self.top.holds != Holds::Root
    }

    /// One step of the machine: at least the byte at `at`, at most the token that it belongs to.
    #[inline(never)]
    fn step<V: Visit>(&mut self, byte: u8, input: &[u8], at: usize, visitor: &mut V) -> Step<V> {
        match self.state {
            State::Key(_) | State::String(_) => self.string(input, at, visitor),
            State::Number(digits) => self.number(digits, input, at, visitor),
            State::Literal => self.literal(input, at, visitor),
            _ if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') => Ok(at + 1),
            State::FirstElement if byte == b']' => self.close(at, visitor),
            State::FirstElement | State::Value => self.value(byte, input, at, visitor),
            State::FirstKey if byte == b'}' => self.close(at, visitor),
            State::FirstKey | State::NextKey if byte == b'"' => self.begin_key(input, at, visitor),
            State::Colon if byte == b':' => {
                self.state = State::Value;
                Ok(at + 1)
            }
            State::AfterValue => self.after_value(byte, at, visitor),
            State::Done => Err(self.refuse(SyntaxErrorKind::TrailingBytes, at)),
            State::FirstKey | State::NextKey | State::Colon => {
                Err(self.refuse(SyntaxErrorKind::UnexpectedByte, at))
            }
        }
    }

    /// The first byte of a value, at `at`.
    fn value<V: Visit>(&mut self, byte: u8, input: &[u8], at: usize, visitor: &mut V) -> Step<V> {
        let kind = match byte {
            b'"' => Kind::String,
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'-' | b'0'..=b'9' => Kind::Number,
            b't' => Kind::True,
            b'f' => Kind::False,
            b'n' => Kind::Null,
            _ => return Err(self.no_value(byte, at)),
        };
        self.begin(kind, at, visitor)?;
        self.kind = kind;
        self.length = 0;
        match kind {
            Kind::Object | Kind::Array => {
                let is_object = kind == Kind::Object;
                self.open(is_object);
                self.state = if is_object { State::FirstKey } else { State::FirstElement };
                Ok(at + 1)
            }
            Kind::String => {
                self.state = State::String(Text::Plain);
                self.string(input, at + 1, visitor)
            }
            Kind::Number => self.number(Digits::Start, input, at, visitor),
            Kind::True | Kind::False | Kind::Null => {
                self.state = State::Literal;
                self.literal(input, at, visitor)
            }
        }
    }

    /// The closing byte of the innermost container, at `at`.
    fn close<V: Visit>(&mut self, at: usize, visitor: &mut V) -> Step<V> {
        let closed = self.pop();
        self.state = self.after();
        if closed.node != Node::IGNORE {
            visitor.end(closed.node, closed.kind(), self.absolute(at + 1)).map_err(Error::Stop)?;
        }
        Ok(at + 1)
    }

    /// A byte behind a member or an element.
    fn after_value<V: Visit>(&mut self, byte: u8, at: usize, visitor: &mut V) -> Step<V> {
        match (byte, self.top.holds) {
            (b',', Holds::Members) => self.state = State::NextKey,
            (b',', Holds::Elements) => {
                self.state = State::Value;
                if self.top.node != Node::IGNORE {
                    let comma = self.absolute(at);
                    visitor.comma(self.top.node, comma).map_err(Error::Stop)?;
                }
            }
            (b'}', Holds::Members) | (b']', Holds::Elements) => return self.close(at, visitor),
            _ => return Err(self.refuse(SyntaxErrorKind::UnexpectedByte, at)),
        }
        Ok(at + 1)
    }

    /// A whole member name is known.
    #[inline]
    pub(super) fn end_key<V: Visit>(
        &mut self,
        name: &str,
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        let inserted = self.keys.insert(&mut self.top, &Name::new(name.as_bytes()));
        if inserted != Insert::New {
            return Err(refuse_name(inserted, self.key_at));
        }
        self.state = State::Colon;
        self.node = match self.top.node {
            Node::IGNORE => Node::IGNORE,
            object => visitor.key(object, name).map_err(Error::Stop)?,
        };
        Ok(())
    }

    /// The scalar at hand ended before the byte at `at`.
    #[inline]
    pub(super) fn end_scalar<V: Visit>(
        &mut self,
        at: usize,
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        self.state = self.after();
        self.end(self.kind, at, visitor)
    }

    /// What may come behind a value.
    fn after(&self) -> State {
        if self.top.holds == Holds::Root { State::Done } else { State::AfterValue }
    }

    /// More of `true`, `false` or `null`.
    fn literal<V: Visit>(&mut self, input: &[u8], mut at: usize, visitor: &mut V) -> Step<V> {
        let literal: &[u8] = match self.kind {
            Kind::True => b"true",
            Kind::False => b"false",
            _ => b"null",
        };
        while let Some(&wanted) = literal.get(usize::from(self.length)) {
            match input.get(at) {
                None => return Ok(at),
                Some(&byte) if byte == wanted => {
                    at += 1;
                    self.length += 1;
                }
                Some(_) => return Err(self.refuse(SyntaxErrorKind::UnexpectedByte, at)),
            }
        }
        self.end_scalar(at, visitor)?;
        Ok(at)
    }

    /// The offset in the text of the byte at `at` of this chunk.
    pub(super) fn absolute(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    #[cold]
    pub(super) fn refuse<S>(&self, kind: SyntaxErrorKind, at: usize) -> Error<S> {
        SyntaxError { kind, offset: self.absolute(at) }.into()
    }

    /// `byte` does not begin a value.
    #[cold]
    fn no_value<S>(&self, byte: u8, at: usize) -> Error<S> {
        // UTF-8, UTF-16 and UTF-32 byte-order marks begin with one of these or with NUL, and
        // no text of JSON does.
        let mark = self.absolute(at) == 0 && matches!(byte, 0xEF | 0xFE | 0xFF);
        let kind =
            if mark { SyntaxErrorKind::ByteOrderMark } else { SyntaxErrorKind::UnexpectedByte };
        self.refuse(kind, at)
    }

    #[cold]
    fn spend<S>(&mut self, error: Error<S>) -> Error<S> {
        let failed = match &error {
            Error::Syntax(error) => *error,
            Error::Stop(_) => SyntaxError { kind: SyntaxErrorKind::Stopped, offset: self.base },
        };
        self.base = failed.offset;
        self.failed = Some(failed);
        error
    }
}

/// The name whose opening quote is at `offset` cannot be had.
#[cold]
pub(super) fn refuse_name<S>(inserted: Insert, offset: u64) -> Error<S> {
    let kind = match inserted {
        Insert::Full => SyntaxErrorKind::TooManyKeys,
        Insert::Duplicate | Insert::New => SyntaxErrorKind::DuplicateKey,
    };
    SyntaxError { kind, offset }.into()
}
