//! A bounded JSON text as a tree: numbers as their tokens, members by name, each value with its place.
//!
//! For the lock file and for what a server answers to `mcpfw lock`: read strictly by `wire::json`, so that a name that
//! stands twice or a lone surrogate is an error and not a guess. Depth is bounded by the tokenizer, so that dropping or
//! comparing a tree does not use up the stack.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Digest, ElementDigest, List};
use crate::wire::json::{Error, Kind, Limits, Node, SyntaxError, Tokenizer, Visit};

/// A JSON value and where it stood.
#[derive(Clone, Debug)]
pub struct Json {
    /// What it is.
    pub value: Value,
    /// Its bytes in the text that it was read from.
    pub range: Range<usize>,
}

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Its token.
    Number(Box<str>),
    /// Decoded.
    String(Box<str>),
    /// `[...]`
    Array(Vec<Json>),
    /// `{...}`, sorted by name.
    Object(BTreeMap<Box<str>, Json>),
}

/// Two values are equal wherever they stood.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Json {}

impl Json {
    /// Reads the whole of `text`. `seed` keys the hash of member names: take a random one.
    ///
    /// # Errors
    /// The rule that the text breaks, and where. Bounds are those of [`Limits::default`].
    pub fn parse(text: &[u8], seed: u64) -> Result<Self, SyntaxError> {
        let mut tokenizer = Tokenizer::new(Limits::default(), seed);
        let mut builder = Builder::default();
        let end = |error| match error {
            Error::Syntax(error) => error,
            Error::Stop(never) => match never {},
        };
        tokenizer.feed(text, &mut builder).map_err(end)?;
        tokenizer.finish(&mut builder).map_err(end)?;
        // A text that came to its end has a root.
        Ok(builder.root.unwrap_or(Self { value: Value::Null, range: 0..0 }))
    }

    /// A string that stands nowhere.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self { value: Value::String(text.into()), range: 0..0 }
    }

    /// The value as JSON on one line, names of members sorted.
    #[must_use]
    pub fn to_text(&self) -> String {
        super::write::compact(self)
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&BTreeMap<Box<str>, Json>> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match &self.value {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The member `name` of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// `null`, `string`, ...: what it is, for people.
    #[must_use]
    pub const fn noun(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// One step through a value: what a tokenizer would tell of it.
pub(super) enum Step<'j> {
    Key(&'j str),
    Begin(&'j Value),
    End(&'j Value),
}

/// A value, step by step and without recursion.
pub(super) struct Steps<'j> {
    next: Vec<Next<'j>>,
}

enum Next<'j> {
    Value(&'j Value),
    Elements(std::slice::Iter<'j, Json>),
    Members(std::collections::btree_map::Iter<'j, Box<str>, Json>),
    End(&'j Value),
}

impl<'j> Steps<'j> {
    pub(super) fn new(value: &'j Value) -> Self {
        Self { next: vec![Next::Value(value)] }
    }
}

impl<'j> Iterator for Steps<'j> {
    type Item = Step<'j>;

    fn next(&mut self) -> Option<Step<'j>> {
        loop {
            match self.next.pop()? {
                Next::Value(value) => {
                    self.next.push(Next::End(value));
                    match value {
                        Value::Array(elements) => self.next.push(Next::Elements(elements.iter())),
                        Value::Object(members) => self.next.push(Next::Members(members.iter())),
                        _ => {}
                    }
                    return Some(Step::Begin(value));
                }
                Next::Elements(mut elements) => {
                    if let Some(element) = elements.next() {
                        self.next.push(Next::Elements(elements));
                        self.next.push(Next::Value(&element.value));
                    }
                }
                Next::Members(mut members) => {
                    if let Some((name, member)) = members.next() {
                        self.next.push(Next::Members(members));
                        self.next.push(Next::Value(&member.value));
                        return Some(Step::Key(name));
                    }
                }
                Next::End(value) => return Some(Step::End(value)),
            }
        }
    }
}

impl Value {
    /// The kind of token that it begins with.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(true) => Kind::True,
            Self::Bool(false) => Kind::False,
            Self::Number(_) => Kind::Number,
            Self::String(_) => Kind::String,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }

    /// Its digest as an element of `list`; `None` where it is no object or goes beyond a bound.
    #[must_use]
    pub fn digest(&self, list: List) -> Option<Digest> {
        let mut digest = ElementDigest::new(list);
        for step in Steps::new(self) {
            match step {
                Step::Key(name) => digest.key(name),
                Step::Begin(value) => {
                    digest.begin(value.kind());
                    if let Self::String(text) | Self::Number(text) = value {
                        digest.text(text);
                    }
                }
                Step::End(value) => digest.end(value.kind()),
            }
        }
        digest.digest()
    }
}

/// Builds a tree from tokens.
#[derive(Debug, Default)]
struct Builder {
    open: Vec<Open>,
    text: String,
    start: usize,
    root: Option<Json>,
}

/// A container that is being read: where it began, and what it has so far.
#[derive(Debug)]
enum Open {
    Array(usize, Vec<Json>),
    Object(usize, BTreeMap<Box<str>, Json>, Box<str>),
}

/// Everything is wanted, so that places need not be told apart.
const ANY: Node = Node::new(1).with_text();

impl Visit for Builder {
    type Stop = std::convert::Infallible;

    fn root(&mut self) -> Node {
        ANY
    }

    fn key(&mut self, _object: Node, name: &str) -> Result<Node, Self::Stop> {
        if let Some(Open::Object(_, _, key)) = self.open.last_mut() {
            *key = name.into();
        }
        Ok(ANY)
    }

    fn element(&mut self, _array: Node, _index: u32) -> Result<Node, Self::Stop> {
        Ok(ANY)
    }

    fn begin(&mut self, _node: Node, kind: Kind, at: u64) -> Result<(), Self::Stop> {
        let start = place(at);
        match kind {
            Kind::Object => self.open.push(Open::Object(start, BTreeMap::new(), "".into())),
            Kind::Array => self.open.push(Open::Array(start, Vec::new())),
            _ => {
                self.text.clear();
                self.start = start;
            }
        }
        Ok(())
    }

    fn text(&mut self, _node: Node, piece: &str) -> Result<(), Self::Stop> {
        self.text.push_str(piece);
        Ok(())
    }

    fn end(&mut self, _node: Node, kind: Kind, at: u64) -> Result<(), Self::Stop> {
        let mut start = self.start;
        let value = match kind {
            Kind::Object | Kind::Array => match self.open.pop() {
                Some(Open::Object(began, members, _)) => {
                    start = began;
                    Value::Object(members)
                }
                Some(Open::Array(began, elements)) => {
                    start = began;
                    Value::Array(elements)
                }
                // Not reached: what ends has begun.
                None => Value::Null,
            },
            Kind::String => Value::String(self.text.as_str().into()),
            Kind::Number => Value::Number(self.text.as_str().into()),
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Null => Value::Null,
        };
        let json = Json { value, range: start..place(at) };
        match self.open.last_mut() {
            Some(Open::Array(_, elements)) => elements.push(json),
            Some(Open::Object(_, members, key)) => {
                members.insert(std::mem::take(key), json);
            }
            None => self.root = Some(json),
        }
        Ok(())
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
