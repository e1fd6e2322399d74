//! The quick way through well-formed text: names, scalars and punctuation one after another
//! without a look at the state between them.
//!
//! It takes only steps that the machine in `tokenizer.rs` would take byte by byte, and where
//! something is unusual (an escape in a name, the last bytes of a chunk, an error) it leaves
//! the state as the machine would have it and returns.

use super::keys::Insert;
use super::quiet::Next;
use super::scan;
use super::shape::Shape;
use super::stack::{Frame, Holds};
use super::string::Text;
use super::tokenizer::{State, Step, refuse_name};
use super::{Error, Kind, Node, SyntaxErrorKind, Tokenizer, Visit};

/// Takes whitespace from the start of a slice, which usually has none.
macro_rules! skip_space {
    ($rest:ident) => {
        if $rest.first().is_some_and(|byte| *byte <= b' ') {
            $rest = behind_space($rest);
        }
    };
}

impl Tokenizer {
    /// Goes on from `at` as far as it can, and returns how far that was.
    ///
    /// It is for where the visitor may be told something; ignored containers are left to
    /// [`Tokenizer::run_quiet`].
    #[inline(never)]
    pub(super) fn run<V: Visit>(&mut self, input: &[u8], at: usize, visitor: &mut V) -> Step<V> {
        let mut rest = input.get(at..).unwrap_or_default();
        let mut window = Window { bytes: input, from: 0, text: "" };
        macro_rules! here {
            ($rest:expr) => {
                input.len() - $rest.len()
            };
        }
        macro_rules! pause {
            ($state:expr) => {{
                self.state = $state;
                return Ok(here!(rest));
            }};
        }
        macro_rules! begin {
            ($kind:expr) => {
                self.begin($kind, here!(rest), visitor)?;
            };
        }
        macro_rules! end {
            ($kind:expr) => {
                self.end($kind, here!(rest), visitor)?;
            };
        }
        // INVARIANT: what has been scanned is UTF-8. Were it not, the text must be refused, not
        // kept from the visitor.
        macro_rules! text {
            ($at:expr, $length:expr) => {
                match window.text($at, $length) {
                    Some(text) => text,
                    None => return Err(self.refuse(SyntaxErrorKind::InvalidUtf8, $at)),
                }
            };
        }
        macro_rules! number {
            ($length:expr) => {
                begin!(Kind::Number);
                if self.node.wants_text() {
                    let text = text!(here!(rest), $length);
                    visitor.text(self.node, text).map_err(Error::Stop)?;
                }
                let Some(behind) = rest.get($length..) else { pause!(State::AfterValue) };
                rest = behind;
                end!(Kind::Number);
            };
        }
        if self.state.is_inside_token() || !self.limits.are_wide() {
            return Ok(at);
        }
        skip_space!(rest);
        let in_object = self.top.holds == Holds::Members;
        let mut after_value = self.state == State::AfterValue;
        match (self.state, rest.first()) {
            (State::AfterValue, _) => {}
            (State::Value, _) if !in_object => {}
            (State::FirstElement, Some(b']') | None) => pause!(self.state),
            (State::FirstElement, _) => {}
            (State::FirstKey | State::NextKey, Some(b'"')) => {}
            _ => pause!(self.state),
        }
        'item: loop {
            // A member or an element.
            if after_value {
                after_value = false;
            } else {
                if self.top.holds == Holds::Members {
                    let length = if self.top.shape.follows()
                        && let Some(name) = self.keys.expected(&self.top).first()
                        && name.behind(rest).is_some()
                    {
                        let length = name.length();
                        self.keys.repeat(1);
                        length
                    } else {
                        let (inserted, length) = match self.name(rest) {
                            Some(inserted) => inserted,
                            None if rest.first().copied().is_some_and(is_space) => {
                                rest = behind_space(rest);
                                continue;
                            }
                            None => pause!(State::NextKey),
                        };
                        if inserted != Insert::New {
                            return Err(refuse_name(inserted, self.absolute(here!(rest))));
                        }
                        length
                    };
                    let name = text!(here!(rest) + 1, length);
                    self.node = visitor.key(self.top.node, name).map_err(Error::Stop)?;
                    let Some(behind) = rest.get(length + 3..) else { pause!(State::NextKey) };
                    rest = behind;
                }
                'value: loop {
                    let Some((&byte, after)) = rest.split_first() else { pause!(State::Value) };
                    if byte == b'"' {
                        begin!(Kind::String);
                        let wants_text = self.node.wants_text();
                        if !wants_text && let Some(length) = scan::short_string(rest) {
                            rest = rest.get(length + 2..).unwrap_or_default();
                            end!(Kind::String);
                        } else {
                            let length =
                                if wants_text { scan::text(after) } else { scan::skip(after) };
                            let closing = after.get(length..).and_then(<[u8]>::split_first);
                            if let Some((b'"', behind)) = closing {
                                if wants_text && length > 0 {
                                    let text = text!(here!(after), length);
                                    visitor.text(self.node, text).map_err(Error::Stop)?;
                                }
                                rest = behind;
                                end!(Kind::String);
                            } else {
                                self.state = State::String(Text::Plain);
                                self.kind = Kind::String;
                                let end =
                                    self.string_behind(input, here!(after), length, visitor)?;
                                rest = input.get(end..).unwrap_or_default();
                                if self.state != State::AfterValue {
                                    return Ok(end);
                                }
                            }
                        }
                    } else if byte.is_ascii_digit() {
                        let length = match scan::short_number(rest) {
                            Some(length) => length,
                            None => match self.any_number(rest) {
                                Some(length) => length,
                                None => pause!(State::Value),
                            },
                        };
                        number!(length);
                    } else if byte == b'{' || byte == b'[' {
                        if self.outer.len() >= usize::from(self.limits.depth) {
                            pause!(State::Value)
                        }
                        let is_object = byte == b'{';
                        begin!(if is_object { Kind::Object } else { Kind::Array });
                        self.open(is_object);
                        rest = after;
                        skip_space!(rest);
                        let next = match (is_object, rest.first()) {
                            (true, Some(b'"')) => Next::Name,
                            (true, _) => pause!(State::FirstKey),
                            (false, Some(byte)) if *byte != b']' => Next::Value,
                            (false, _) => pause!(State::FirstElement),
                        };
                        if self.node != Node::IGNORE {
                            continue 'item;
                        }
                        let end = self.run_quiet_from(next, input, rest)?;
                        if self.state != State::AfterValue || self.is_quiet() {
                            return Ok(end);
                        }
                        rest = input.get(end..).unwrap_or_default();
                    } else if byte == b'-' {
                        let Some(length) = self.any_number(rest) else { pause!(State::Value) };
                        number!(length);
                    } else if is_space(byte) {
                        rest = behind_space(rest);
                        continue 'value;
                    } else {
                        let (kind, length) = match rest.first_chunk::<5>() {
                            Some([b't', b'r', b'u', b'e', _]) => (Kind::True, 4),
                            Some(b"false") => (Kind::False, 5),
                            Some([b'n', b'u', b'l', b'l', _]) => (Kind::Null, 4),
                            _ => pause!(State::Value),
                        };
                        begin!(kind);
                        rest = rest.get(length..).unwrap_or_default();
                        end!(kind);
                    }
                    break;
                }
                if self.top.holds == Holds::Root {
                    pause!(State::Done)
                }
            }
            // What is behind it.
            loop {
                let Some((&byte, after)) = rest.split_first() else { pause!(State::AfterValue) };
                if byte == b',' {
                    if self.top.holds == Holds::Elements {
                        let comma = self.absolute(here!(rest));
                        visitor.comma(self.top.node, comma).map_err(Error::Stop)?;
                    }
                    rest = after;
                    break;
                }
                let closing = if self.top.holds == Holds::Members { b'}' } else { b']' };
                if byte == closing {
                    rest = after;
                    let closed = self.pop();
                    if closed.node != Node::IGNORE {
                        let end = self.absolute(here!(rest));
                        visitor.end(closed.node, closed.kind(), end).map_err(Error::Stop)?;
                    }
                    if self.top.holds == Holds::Root {
                        pause!(State::Done)
                    }
                } else if is_space(byte) {
                    rest = behind_space(after);
                } else {
                    pause!(State::AfterValue)
                }
            }
        }
    }

    /// Adds a name with no escapes, its colon right behind it.
    #[inline(never)]
    pub(super) fn any_name(&mut self, text: &[u8]) -> Option<(Insert, usize)> {
        let (name, length) = scan::any_name(text)?;
        let fits = length <= usize::from(self.limits.key_bytes);
        fits.then(|| (self.keys.insert(&mut self.top, &name), length))
    }

    /// A number and the byte behind it.
    #[inline(never)]
    pub(super) fn any_number(&self, text: &[u8]) -> Option<usize> {
        let length = scan::any_number(text)?;
        (length <= usize::from(self.limits.number_bytes)).then_some(length)
    }

    /// A value of `kind` begins at `at`: counts it, and finds its place.
    #[inline(always)]
    pub(super) fn begin<V: Visit>(
        &mut self,
        kind: Kind,
        at: usize,
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        let Some(values) = self.values.checked_sub(1) else {
            return Err(self.refuse(SyntaxErrorKind::TooManyValues, at));
        };
        let is_container = matches!(kind, Kind::Object | Kind::Array);
        if is_container && self.outer.len() >= usize::from(self.limits.depth) {
            return Err(self.refuse(SyntaxErrorKind::TooDeep, at));
        }
        self.values = values;
        match self.top.holds {
            Holds::Members => {}
            Holds::Elements if self.top.node == Node::IGNORE => self.node = Node::IGNORE,
            Holds::Elements => {
                let index = self.top.first;
                self.top.first += 1;
                self.node = visitor.element(self.top.node, index).map_err(Error::Stop)?;
            }
            Holds::Root => self.node = visitor.root(),
        }
        if self.node != Node::IGNORE {
            visitor.begin(self.node, kind, self.absolute(at)).map_err(Error::Stop)?;
        }
        Ok(())
    }

    /// The value at hand ended before `at`.
    #[inline(always)]
    pub(super) fn end<V: Visit>(
        &mut self,
        kind: Kind,
        at: usize,
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        if self.node != Node::IGNORE {
            visitor.end(self.node, kind, self.absolute(at)).map_err(Error::Stop)?;
        }
        Ok(())
    }

    /// Enters the container that has just begun.
    #[inline(always)]
    pub(super) fn open(&mut self, is_object: bool) {
        let shape = if is_object && self.top.holds == Holds::Elements {
            Shape::at(self.outer.len())
        } else {
            Shape::NONE
        };
        self.outer.push(self.top);
        let holds = if is_object { Holds::Members } else { Holds::Elements };
        let first = if is_object { self.keys.height() } else { 0 };
        self.top = Frame { seen: 0, first, node: self.node, holds, shape };
    }

    /// Leaves the innermost container.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Frame {
        let closed = self.top;
        if closed.holds == Holds::Members {
            self.keys.close(&closed);
        }
        self.top = self.outer.pop();
        closed
    }
}

/// A part of the chunk as text, so that names and values near one another are converted at once:
/// one vector step for some hundred bytes costs as much as a check of each short name.
struct Window<'a> {
    bytes: &'a [u8],
    /// Where `text` begins in `bytes`.
    from: usize,
    text: &'a str,
}

impl<'a> Window<'a> {
    /// Bytes that are converted at once.
    const SIZE: usize = 256;

    /// The `length` bytes from `at` on; none if they are not UTF-8.
    #[inline(always)]
    fn text(&mut self, at: usize, length: usize) -> Option<&'a str> {
        let from = at.wrapping_sub(self.from);
        match self.text.get(from..from.wrapping_add(length)) {
            Some(text) => Some(text),
            None => self.refill(at, length),
        }
    }

    #[inline(never)]
    fn refill(&mut self, at: usize, length: usize) -> Option<&'a str> {
        let rest = self.bytes.get(at..)?;
        let window = rest.get(..length.max(Self::SIZE)).unwrap_or(rest);
        self.from = at;
        self.text = match simdutf8::compat::from_utf8(window) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(window.get(..error.valid_up_to())?).ok()?,
        };
        self.text.get(..length)
    }
}

/// Whitespace as JSON has it.
#[inline(always)]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// `bytes` without the whitespace at its start.
#[inline(never)]
pub(super) fn behind_space(mut bytes: &[u8]) -> &[u8] {
    // Indentation is a run of spaces.
    while let Some((b"        ", rest)) = bytes.split_first_chunk() {
        bytes = rest;
    }
    while let Some((b' ' | b'\n' | b'\r' | b'\t', rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}
