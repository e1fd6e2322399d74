//! The quick way through well-formed text: names, scalars and punctuation one after another
//! without a look at the state between them.
//!
//! It takes only steps that the machine in `tokenizer.rs` would take byte by byte, and where
//! something is unusual (an escape in a name, the last bytes of a chunk, an error) it leaves
//! the state as the machine would have it and returns.

use super::keys::Insert;
use super::scan;
use super::string::Text;
use super::tokenizer::{Frame, Holds, State, Step, refuse_name};
use super::{Error, Kind, Node, SyntaxErrorKind, Tokenizer, Visit};

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Name,
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
        if self.state.is_inside_token() {
            return Ok(at);
        }
        if rest.first().is_some_and(|byte| *byte <= b' ') {
            rest = skip_space(rest);
        }
        let mut turn = match self.state {
            State::Value => Turn::Value,
            State::FirstElement if !matches!(rest.first(), None | Some(b']')) => Turn::Value,
            State::FirstKey | State::NextKey if rest.first() == Some(&b'"') => Turn::Name,
            State::AfterValue => Turn::After,
            state => pause!(state),
        };
        if QUIET {
            self.node = Node::IGNORE;
        }
        loop {
            if turn == Turn::Name {
                let found = scan::short_name(rest).or_else(|| scan::any_name(rest));
                let Some((name, length)) = found else {
                    if let Some(b' ' | b'\n' | b'\r' | b'\t') = rest.first() {
                        rest = skip_space(rest);
                        continue;
                    }
                    pause!(State::NextKey)
                };
                if length > usize::from(self.limits.key_bytes) {
                    pause!(State::NextKey)
                }
                let inserted = self.keys.insert(&mut self.top.scope, &name);
                if inserted != Insert::New {
                    return Err(refuse_name(inserted, self.absolute(here!(rest))));
                }
                if !QUIET {
                    // INVARIANT: the name is valid UTF-8, so this does not fail.
                    let text = rest.get(1..=length).map(std::str::from_utf8);
                    let Some(Ok(text)) = text else { pause!(State::NextKey) };
                    self.node = match self.top.node {
                        Node::IGNORE => Node::IGNORE,
                        object => visitor.key(object, text).map_err(Error::Stop)?,
                    };
                }
                rest = rest.get(length + 3..).unwrap_or_default();
            }
            if turn != Turn::After {
                turn = Turn::Value;
                let Some((&byte, after)) = rest.split_first() else { pause!(State::Value) };
                if byte == b'"' {
                    self.begin::<V, QUIET>(Kind::String, here!(rest), visitor)?;
                    let wants_text = !QUIET && self.node.wants_text();
                    if !wants_text && let Some(length) = scan::short_string(rest) {
                        rest = rest.get(length + 2..).unwrap_or_default();
                    } else {
                        let length = if wants_text { scan::text(after) } else { scan::skip(after) };
                        match after.get(length..).and_then(<[u8]>::split_first) {
                            Some((b'"', behind)) if !wants_text => rest = behind,
                            _ => {
                                self.state = State::String(Text::Plain);
                                self.kind = Kind::String;
                                let end =
                                    self.string_behind(input, here!(after), length, visitor)?;
                                rest = input.get(end..).unwrap_or_default();
                                if self.state != State::AfterValue {
                                    return Ok(end);
                                }
                                turn = Turn::After;
                                continue;
                            }
                        }
                    }
                    if !QUIET {
                        self.end(Kind::String, here!(rest), visitor)?;
                    }
                } else if byte == b'-' || byte.is_ascii_digit() {
                    let Some(length) = scan::number(rest) else { pause!(State::Value) };
                    if length > usize::from(self.limits.number_bytes) {
                        pause!(State::Value)
                    }
                    self.begin::<V, QUIET>(Kind::Number, here!(rest), visitor)?;
                    let Some((token, behind)) = rest.split_at_checked(length) else {
                        pause!(State::Value)
                    };
                    if !QUIET {
                        if self.node.wants_text()
                            && let Ok(text) = std::str::from_utf8(token)
                        {
                            visitor.text(self.node, text).map_err(Error::Stop)?;
                        }
                        self.end(Kind::Number, here!(behind), visitor)?;
                    }
                    rest = behind;
                } else if byte == b'{' {
                    self.begin::<V, QUIET>(Kind::Object, here!(rest), visitor)?;
                    self.open(Kind::Object);
                    rest = after;
                    if rest.first().is_some_and(|byte| *byte <= b' ') {
                        rest = skip_space(rest);
                    }
                    if (!QUIET && self.node == Node::IGNORE) || rest.first() != Some(&b'"') {
                        pause!(State::FirstKey)
                    }
                    turn = Turn::Name;
                    continue;
                } else if byte == b'[' {
                    self.begin::<V, QUIET>(Kind::Array, here!(rest), visitor)?;
                    self.open(Kind::Array);
                    rest = after;
                    if rest.first().is_some_and(|byte| *byte <= b' ') {
                        rest = skip_space(rest);
                    }
                    if (!QUIET && self.node == Node::IGNORE)
                        || matches!(rest.first(), None | Some(b']'))
                    {
                        pause!(State::FirstElement)
                    }
                    continue;
                } else {
                    let (kind, length) = match rest.first_chunk::<5>() {
                        Some([b't', b'r', b'u', b'e', _]) => (Kind::True, 4),
                        Some(b"false") => (Kind::False, 5),
                        Some([b'n', b'u', b'l', b'l', _]) => (Kind::Null, 4),
                        Some([b' ' | b'\n' | b'\r' | b'\t', ..]) => {
                            rest = skip_space(rest);
                            continue;
                        }
                        _ => pause!(State::Value),
                    };
                    self.begin::<V, QUIET>(kind, here!(rest), visitor)?;
                    rest = rest.get(length..).unwrap_or_default();
                    if !QUIET {
                        self.end(kind, here!(rest), visitor)?;
                    }
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
        let Some(values) = self.values.checked_sub(1) else {
            return Err(self.refuse(SyntaxErrorKind::TooManyValues, at));
        };
        let container = matches!(kind, Kind::Object | Kind::Array);
        if container && self.outer.len() >= usize::from(self.limits.depth) {
            return Err(self.refuse(SyntaxErrorKind::TooDeep, at));
        }
        self.values = values;
        if QUIET {
            return Ok(());
        }
        match self.top.holds {
            Holds::Members => {}
            Holds::Elements if self.top.node == Node::IGNORE => self.node = Node::IGNORE,
            Holds::Elements => {
                let index = self.top.scope.first;
                self.top.scope.first += 1;
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
        self.top = if kind == Kind::Object {
            Frame { node: self.node, holds: Holds::Members, scope: self.keys.open() }
        } else {
            Frame { node: self.node, ..Frame::ARRAY }
        };
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
#[inline(never)]
fn skip_space(mut bytes: &[u8]) -> &[u8] {
    // Indentation is a run of spaces.
    while let Some((b"        ", rest)) = bytes.split_first_chunk() {
        bytes = rest;
    }
    while let Some((b' ' | b'\n' | b'\r' | b'\t', rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}
