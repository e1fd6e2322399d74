//! The quick way through well-formed text: names, scalars and punctuation one after another without a
//! look at the state between them.
//!
//! It takes only steps that the machine in `tokenizer.rs` would take byte by byte, and where
//! something is unusual (an escape in a name, an exponent, the last bytes of a chunk, an error) it
//! leaves the state as the machine would have it and returns.

use super::keys::Insert;
use super::scan;
use super::string::Text;
use super::tokenizer::{Frame, Holds, State, Step, refuse_name};
use super::{Error, Kind, Node, SyntaxErrorKind, Tokenizer, Visit};

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    FirstName,
    Name,
    FirstElement,
    Value,
    After,
}

impl Tokenizer {
    /// Goes on from `at` as far as it can, and returns how far that was.
    ///
    /// `QUIET` is for the inside of an ignored container, of which the visitor is told nothing. It
    /// returns where the last ignored container closed; without `QUIET`, it returns where one opened.
    #[inline(always)]
    pub(super) fn run<V: Visit, const QUIET: bool>(
        &mut self,
        input: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> Step<V> {
        let mut rest = input.get(at..).unwrap_or_default();
        let mut turn = match self.state {
            State::Value => Turn::Value,
            State::FirstElement => Turn::FirstElement,
            State::FirstKey => Turn::FirstName,
            State::NextKey => Turn::Name,
            State::AfterValue => Turn::After,
            _ => return Ok(at),
        };
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
        loop {
            if matches!(turn, Turn::Name | Turn::FirstName) {
                rest = skip_space(rest);
                let state = if turn == Turn::Name { State::NextKey } else { State::FirstKey };
                let Some([b'"', word @ ..]) = rest.first_chunk::<9>() else {
                    if turn == Turn::FirstName && rest.first() == Some(&b'}') {
                        turn = Turn::After;
                        continue;
                    }
                    pause!(state)
                };
                let Some(name) = scan::name(rest, u64::from_le_bytes(*word)) else { pause!(state) };
                if name.length > usize::from(self.limits.key_bytes) {
                    pause!(state)
                }
                let limit = self.limits.open_keys;
                let inserted = self.keys.insert(&mut self.top.scope, &name, limit);
                if inserted != Insert::New {
                    return Err(refuse_name(inserted, self.absolute(here!(rest))));
                }
                if !QUIET && self.top.node != Node::IGNORE {
                    let text = rest.get(1..=name.length).map(std::str::from_utf8);
                    let Some(Ok(text)) = text else { pause!(state) };
                    self.node = visitor.key(self.top.node, text).map_err(Error::Stop)?;
                } else {
                    self.node = Node::IGNORE;
                }
                rest = rest.get(name.length + 2..).unwrap_or_default();
                let Some((b':', after)) = rest.split_first() else { pause!(State::Colon) };
                rest = after;
                turn = Turn::Value;
            } else if turn == Turn::FirstElement {
                rest = skip_space(rest);
                match rest.first() {
                    None => pause!(State::FirstElement),
                    Some(b']') => turn = Turn::After,
                    Some(_) => turn = Turn::Value,
                }
            }
            if turn == Turn::Value {
                rest = skip_space(rest);
                let Some((&byte, after)) = rest.split_first() else { pause!(State::Value) };
                match byte {
                    b'"' => {
                        self.begin::<V, QUIET>(Kind::String, here!(rest), visitor)?;
                        let length = scan::text(after);
                        match after.get(length..).and_then(<[u8]>::split_first) {
                            Some((b'"', behind)) if QUIET || !self.node.wants_text() => {
                                rest = behind;
                                if !QUIET {
                                    self.end::<V>(Kind::String, here!(rest), visitor)?;
                                }
                            }
                            _ => {
                                self.state = State::String(Text::Plain);
                                self.kind = Kind::String;
                                let end =
                                    self.string_behind(input, here!(after), length, visitor)?;
                                rest = input.get(end..).unwrap_or_default();
                                if let State::String(_) = self.state {
                                    return Ok(end);
                                }
                            }
                        }
                    }
                    b'-' | b'0'..=b'9' => {
                        let Some(length) = scan::number(rest) else { pause!(State::Value) };
                        if length > usize::from(self.limits.number_bytes) {
                            pause!(State::Value)
                        }
                        self.begin::<V, QUIET>(Kind::Number, here!(rest), visitor)?;
                        let (token, behind) = rest.split_at_checked(length).unwrap_or_default();
                        if !QUIET {
                            if self.node.wants_text()
                                && let Ok(text) = std::str::from_utf8(token)
                            {
                                visitor.text(self.node, text).map_err(Error::Stop)?;
                            }
                            self.end::<V>(Kind::Number, here!(behind), visitor)?;
                        }
                        rest = behind;
                    }
                    b'{' | b'[' => {
                        let kind = if byte == b'{' { Kind::Object } else { Kind::Array };
                        self.begin::<V, QUIET>(kind, here!(rest), visitor)?;
                        self.open(kind);
                        rest = after;
                        let (first, state) = if byte == b'{' {
                            (Turn::FirstName, State::FirstKey)
                        } else {
                            (Turn::FirstElement, State::FirstElement)
                        };
                        if !QUIET && self.node == Node::IGNORE {
                            pause!(state)
                        }
                        turn = first;
                        continue;
                    }
                    b't' | b'f' | b'n' => {
                        let (kind, length) = match rest.first_chunk::<5>() {
                            Some([b't', b'r', b'u', b'e', _]) => (Kind::True, 4),
                            Some(b"false") => (Kind::False, 5),
                            Some([b'n', b'u', b'l', b'l', _]) => (Kind::Null, 4),
                            _ => pause!(State::Value),
                        };
                        self.begin::<V, QUIET>(kind, here!(rest), visitor)?;
                        rest = rest.get(length..).unwrap_or_default();
                        if !QUIET {
                            self.end::<V>(kind, here!(rest), visitor)?;
                        }
                    }
                    _ => pause!(State::Value),
                }
                if !QUIET && self.top.holds == Holds::Root {
                    pause!(State::Done)
                }
            }
            loop {
                let Some((&byte, after)) = rest.split_first() else { pause!(State::AfterValue) };
                match (byte, self.top.holds) {
                    (b',', Holds::Members) => {
                        rest = after;
                        turn = Turn::Name;
                        break;
                    }
                    (b',', Holds::Elements) => {
                        if !QUIET && self.top.node != Node::IGNORE {
                            let comma = self.absolute(here!(rest));
                            visitor.comma(self.top.node, comma).map_err(Error::Stop)?;
                        }
                        rest = after;
                        turn = Turn::Value;
                        break;
                    }
                    (b'}', Holds::Members) | (b']', Holds::Elements) => {
                        rest = after;
                        let closed = self.pop();
                        if !QUIET && closed.node != Node::IGNORE {
                            let end = self.absolute(here!(rest));
                            visitor.end(closed.node, closed.kind(), end).map_err(Error::Stop)?;
                        }
                        if self.top.holds == Holds::Root {
                            pause!(State::Done)
                        }
                        if QUIET && self.top.node != Node::IGNORE {
                            pause!(State::AfterValue)
                        }
                    }
                    (b' ' | b'\n' | b'\r' | b'\t', _) => rest = skip_space(after),
                    _ => pause!(State::AfterValue),
                }
            }
        }
    }

    /// A value of `kind` begins at `at`: counts it, and finds its place.
    #[inline(always)]
    pub(super) fn begin<V: Visit, const QUIET: bool>(
        &mut self,
        kind: Kind,
        at: usize,
        visitor: &mut V,
    ) -> Result<(), Error<V::Stop>> {
        if self.values == 0 {
            return Err(self.refuse(SyntaxErrorKind::TooManyValues, at));
        }
        let container = matches!(kind, Kind::Object | Kind::Array);
        if container && self.outer.len() >= usize::from(self.limits.depth) {
            return Err(self.refuse(SyntaxErrorKind::TooDeep, at));
        }
        self.values -= 1;
        if QUIET {
            self.node = Node::IGNORE;
            return Ok(());
        }
        match self.top.holds {
            Holds::Members => {}
            Holds::Elements if self.top.node == Node::IGNORE => self.node = Node::IGNORE,
            Holds::Elements => {
                let index = self.top.index;
                self.top.index += 1;
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
    pub(super) fn open(&mut self, kind: Kind) {
        self.outer.push(self.top);
        let holds = if kind == Kind::Object { Holds::Members } else { Holds::Elements };
        self.top = Frame { node: self.node, holds, index: 0, scope: self.keys.open() };
    }

    /// Leaves the innermost container.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Frame {
        let closed = self.top;
        if closed.holds == Holds::Members {
            self.keys.close(closed.scope);
        }
        self.top = self.outer.pop().unwrap_or(Frame::ROOT);
        closed
    }
}

/// `bytes` without the whitespace at its start.
#[inline(always)]
fn skip_space(bytes: &[u8]) -> &[u8] {
    match bytes.first() {
        Some(0..=b' ') => skip_more_space(bytes),
        _ => bytes,
    }
}

#[inline(never)]
fn skip_more_space(mut bytes: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\n' | b'\r' | b'\t', rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}
