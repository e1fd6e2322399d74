//! The quick way through the inside of ignored containers, of which the visitor is told nothing.
//!
//! As `run.rs`, it takes only steps that the machine would take byte by byte. It may leave at
//! any place where it says which state the machine has there; whatever is unusual or wrong is
//! left to the machine.

use super::keys::Insert;
use super::run::{behind_space, is_space};
use super::shape::{Known, Shape};
use super::stack::Holds;
use super::string::Text;
use super::tokenizer::{State, refuse_name};
use super::{Error, Kind, Node, Tokenizer, scan};

/// What stands at the place that the scan has reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Name,
    Value,
    /// A comma or the end of the container.
    Behind,
}

impl Tokenizer {
    /// Goes on from `at` as far as it can, at most to where the outermost ignored container
    /// closes, and returns how far that was.
    #[inline(never)]
    pub(super) fn run_quiet<S>(&mut self, input: &[u8], at: usize) -> Result<usize, Error<S>> {
        let mut rest = input.get(at..).unwrap_or_default();
        if !self.limits.are_wide() || self.state.is_inside_token() {
            return Ok(at);
        }
        if rest.first().is_some_and(|byte| is_space(*byte)) {
            rest = behind_space(rest);
        }
        let next = match (self.state, rest.first()) {
            (State::FirstKey, Some(b'"')) | (State::NextKey, _) => Next::Name,
            (State::FirstElement, Some(b']' | b' ') | None) | (State::FirstKey, _) => {
                return Ok(input.len() - rest.len());
            }
            (State::FirstElement | State::Value, _) => Next::Value,
            (State::AfterValue, _) => Next::Behind,
            _ => return Ok(input.len() - rest.len()),
        };
        self.node = Node::IGNORE;
        self.run_quiet_from(next, input, rest)
    }

    /// As [`Tokenizer::run_quiet`], from where `rest` begins, the end of `input`.
    #[inline(never)]
    pub(super) fn run_quiet_from<S>(
        &mut self,
        mut next: Next,
        input: &[u8],
        mut rest: &[u8],
    ) -> Result<usize, Error<S>> {
        let mut in_object = self.top.holds == Holds::Members;
        let mut values = self.values;
        macro_rules! pause {
            ($state:expr) => {{
                self.values = values;
                self.state = $state;
                return Ok(input.len() - rest.len());
            }};
        }
        loop {
            if next == Next::Name {
                if self.top.shape.follows() {
                    let may_nest = self.outer.len() < usize::from(self.limits.depth);
                    let names = self.keys.expected(&self.top);
                    let members = members(names, values, may_nest, rest);
                    values -= members.values;
                    self.keys.repeat(members.names);
                    (next, rest) = (members.next, members.rest);
                }
                if next == Next::Name {
                    match self.name(rest) {
                        Some((Insert::New, length)) => {
                            rest = rest.get(length + 3..).unwrap_or_default();
                            next = Next::Value;
                        }
                        Some((inserted, _)) => {
                            let offset = self.absolute(input.len() - rest.len());
                            return Err(refuse_name(inserted, offset));
                        }
                        None if rest.first().is_some_and(|byte| is_space(*byte)) => {
                            rest = behind_space(rest);
                            continue;
                        }
                        None => pause!(State::NextKey),
                    }
                }
            }
            if next == Next::Value {
                let Some((&byte, after)) = rest.split_first() else { pause!(State::Value) };
                let Some(left) = values.checked_sub(1) else { pause!(State::Value) };
                if byte == b'{' || byte == b'[' {
                    if self.outer.len() >= usize::from(self.limits.depth) {
                        pause!(State::Value)
                    }
                    if let Some((length, elements)) = scan::short_array(rest)
                        && let Some(left) = left.checked_sub(elements)
                    {
                        values = left;
                        rest = rest.get(length..).unwrap_or_default();
                        next = Next::Behind;
                        continue;
                    }
                    values = left;
                    rest = after;
                    in_object = byte == b'{';
                    self.open(in_object);
                    match rest.first() {
                        Some(b'"') if in_object => next = Next::Name,
                        Some(byte) if !in_object && *byte > b' ' && *byte != b']' => {}
                        _ if in_object => pause!(State::FirstKey),
                        _ => pause!(State::FirstElement),
                    }
                    continue;
                } else if let Some(length) = scan::short_scalar(rest) {
                    rest = rest.get(length..).unwrap_or_default();
                } else if byte == b'"' {
                    let length = scan::skip(after);
                    let behind = after.get(length..).unwrap_or_default();
                    let Some((b'"', behind)) = behind.split_first() else {
                        values = left;
                        rest = behind;
                        self.kind = Kind::String;
                        pause!(State::String(Text::Plain))
                    };
                    rest = behind;
                } else if let Some(length) = self.any_number(rest) {
                    rest = rest.get(length..).unwrap_or_default();
                } else if is_space(byte) {
                    rest = behind_space(rest);
                    continue;
                } else {
                    pause!(State::Value)
                }
                values = left;
                next = Next::Behind;
            }
            let Some((&byte, after)) = rest.split_first() else { pause!(State::AfterValue) };
            if byte == b',' {
                rest = after;
                next = if in_object { Next::Name } else { Next::Value };
            } else if byte == if in_object { b'}' } else { b']' } {
                rest = after;
                if in_object
                    && rest.first_chunk() == Some(b",{\"")
                    && let Some(left) = values.checked_sub(1)
                    && self.open_sibling()
                {
                    values = left;
                    rest = rest.get(2..).unwrap_or_default();
                    next = Next::Name;
                    continue;
                }
                self.pop();
                if !self.is_quiet() {
                    let is_root = self.top.holds == Holds::Root;
                    pause!(if is_root { State::Done } else { State::AfterValue })
                }
                in_object = self.top.holds == Holds::Members;
            } else if is_space(byte) {
                rest = behind_space(rest);
            } else {
                pause!(State::AfterValue)
            }
        }
    }

    /// Leaves the innermost object and enters the next one of the same array; not if that is no
    /// ignored array.
    #[inline(always)]
    fn open_sibling(&mut self) -> bool {
        let outer = self.outer.last();
        if outer.holds != Holds::Elements || outer.node != Node::IGNORE {
            return false;
        }
        self.keys.close(&self.top);
        self.top.seen = 0;
        self.top.shape = Shape::at(self.outer.len() - 1);
        true
    }

    /// Adds the name at the start of `text`, with no escapes and its colon right behind it.
    #[inline(always)]
    pub(super) fn name(&mut self, text: &[u8]) -> Option<(Insert, usize)> {
        match scan::short_name(text) {
            Some((name, length)) => Some((self.keys.insert(&mut self.top, &name), length)),
            None => self.any_name(text),
        }
    }
}

/// How far the members went.
struct Members<'a> {
    names: usize,
    values: u32,
    next: Next,
    rest: &'a [u8],
}

/// Takes members from the start of `rest` as long as their names are `names` and their values are
/// short, at most `limit` of them.
#[inline(always)]
fn members<'a>(expected: &[Known], limit: u32, may_nest: bool, mut rest: &'a [u8]) -> Members<'a> {
    let (mut names, mut left) = (0, limit);
    let mut next = Next::Name;
    for name in expected {
        let Some(value) = name.behind(rest) else { break };
        rest = value;
        names += 1;
        next = Next::Value;
        let (length, count) = match scan::short_scalar(rest) {
            Some(length) => (length, 1),
            None if may_nest && let Some((length, elements)) = scan::short_array(rest) => {
                (length, elements + 1)
            }
            None => break,
        };
        let Some(fewer) = left.checked_sub(count) else { break };
        left = fewer;
        rest = rest.get(length..).unwrap_or_default();
        next = Next::Behind;
        let Some((b',', after)) = rest.split_first() else { break };
        rest = after;
        next = Next::Name;
    }
    Members { names, values: limit - left, next, rest }
}
