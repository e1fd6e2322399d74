//! Properties of the JSON tokenizer: chunk boundaries have no meaning, and `serde_json` agrees.

#![expect(clippy::panic, reason = "a property panics where it does not hold")]
#![expect(
    clippy::cast_possible_truncation,
    reason = "inputs are short; a wrong number fails loudly"
)]

use crate::wire::json::{
    Error, Kind, Limits, Node, SyntaxError, SyntaxErrorKind, Tokenizer, Visit,
};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt;

/// What a visitor was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// [`Visit::key`]
    Key(Node, String),
    /// [`Visit::element`]
    Element(Node, u32),
    /// [`Visit::comma`]
    Comma(Node, u64),
    /// [`Visit::begin`]
    Begin(Node, Kind, u64),
    /// [`Visit::text`], pieces of one value joined.
    Text(Node, String),
    /// [`Visit::end`]
    End(Node, Kind, u64),
}

/// Which parts of a text a [`Recorder`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Every value, with its text.
    All,
    /// Some values, some of them with their text, chosen by their names and indexes and by this
    /// number.
    Some(u8),
}

impl Interest {
    fn root(self) -> Node {
        match self {
            Self::All => Node::new(1).with_text(),
            Self::Some(salt) => pick(u32::from(salt), 1),
        }
    }

    fn key(self, object: Node, name: &str) -> Node {
        let sum = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
        self.child(object, sum)
    }

    fn child(self, parent: Node, which: u32) -> Node {
        let number = parent.number().wrapping_mul(3).wrapping_add((which % 7) as u16) % 1000 + 2;
        match self {
            Self::All => Node::new(number).with_text(),
            Self::Some(salt) => pick(u32::from(salt).wrapping_add(which), number),
        }
    }
}

fn pick(choice: u32, number: u16) -> Node {
    match choice % 5 {
        0 => Node::IGNORE,
        1 | 2 => Node::new(number),
        _ => Node::new(number).with_text(),
    }
}

/// A visitor that writes down what it is told.
#[derive(Debug)]
pub struct Recorder {
    interest: Interest,
    events: Vec<Event>,
    /// Events that may still be written down before it stops the scan; text does not count.
    patience: usize,
}

impl Recorder {
    /// A recorder that stops the scan at the event number `patience`.
    #[must_use]
    pub fn new(interest: Interest, patience: usize) -> Self {
        Self { interest, events: Vec::new(), patience }
    }

    fn note(&mut self, event: Event) -> Result<(), usize> {
        self.events.push(event);
        match self.patience.checked_sub(1) {
            Some(patience) => self.patience = patience,
            None => return Err(self.events.len()),
        }
        Ok(())
    }
}

impl Visit for Recorder {
    type Stop = usize;

    fn root(&mut self) -> Node {
        self.interest.root()
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, usize> {
        assert_ne!(object, Node::IGNORE, "key in an ignored object");
        self.note(Event::Key(object, name.to_owned()))?;
        Ok(self.interest.key(object, name))
    }

    fn element(&mut self, array: Node, index: u32) -> Result<Node, usize> {
        assert_ne!(array, Node::IGNORE, "element of an ignored array");
        self.note(Event::Element(array, index))?;
        Ok(self.interest.child(array, index))
    }

    fn comma(&mut self, array: Node, at: u64) -> Result<(), usize> {
        self.note(Event::Comma(array, at))
    }

    fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), usize> {
        assert_ne!(node, Node::IGNORE, "begin of an ignored value");
        self.note(Event::Begin(node, kind, at))
    }

    fn text(&mut self, node: Node, piece: &str) -> Result<(), usize> {
        assert!(node.wants_text(), "text that nobody wants");
        assert!(!piece.is_empty(), "an empty piece");
        if let Some(Event::Text(last, text)) = self.events.last_mut() {
            assert_eq!(*last, node, "text of two values without an end between them");
            text.push_str(piece);
        } else {
            self.events.push(Event::Text(node, piece.to_owned()));
        }
        Ok(())
    }

    fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), usize> {
        self.note(Event::End(node, kind, at))
    }
}

/// Everything that can be seen of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the visitor was told, also before an error.
    pub events: Vec<Event>,
    /// How the scan ended.
    pub verdict: Result<(), Error<usize>>,
}

/// Scans `chunks` one after another with a tokenizer that may have been used before.
pub fn scan<'a>(
    tokenizer: &mut Tokenizer,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    mut recorder: Recorder,
) -> Outcome {
    tokenizer.reset();
    let verdict = (|| {
        let mut fed = 0;
        for chunk in chunks {
            tokenizer.feed(chunk, &mut recorder)?;
            fed += chunk.len() as u64;
            assert_eq!(tokenizer.offset(), fed);
        }
        tokenizer.finish(&mut recorder)?;
        assert!(tokenizer.is_complete());
        assert_eq!(tokenizer.finish(&mut recorder), Ok(()), "finish is repeatable");
        Ok(())
    })();
    if let Err(error) = verdict {
        let spent = match error {
            Error::Syntax(error) => error,
            Error::Stop(_) => {
                SyntaxError { kind: SyntaxErrorKind::Stopped, offset: tokenizer.offset() }
            }
        };
        let told = recorder.events.len();
        assert_eq!(tokenizer.feed(b"0", &mut recorder), Err(spent.into()), "spent");
        assert_eq!(tokenizer.finish(&mut recorder), Err(spent.into()), "spent");
        assert_eq!(recorder.events.len(), told, "a spent tokenizer is silent");
        assert!(!tokenizer.is_complete());
    }
    Outcome { events: recorder.events, verdict }
}

/// Limits so small that short inputs reach them.
pub const TIGHT: Limits =
    Limits { depth: 4, key_bytes: 6, number_bytes: 5, values: 12, open_keys: 5 };

/// As [`TIGHT`], but with names and numbers long enough for the quick way through a text.
pub const SNUG: Limits =
    Limits { depth: 4, key_bytes: 16, number_bytes: 9, values: 12, open_keys: 5 };

/// Any cut of `text` gives the same outcome: byte by byte, every cut in two where the text is short,
/// some cuts in pieces of one size where it is long.
pub fn any_cut_is_the_same(text: &[u8], limits: Limits, interest: Interest, patience: usize) {
    let mut tokenizer = Tokenizer::new(limits, 0x5EED);
    let recorder = || Recorder::new(interest, patience);
    let whole = scan(&mut tokenizer, [text], recorder());
    let bytes = scan(&mut tokenizer, text.chunks(1), recorder());
    assert_eq!(whole, bytes, "byte by byte");
    let step = 1 + text.len() / 256;
    for cut in (0..=text.len()).step_by(step) {
        let (head, tail) = text.split_at(cut);
        let two = scan(&mut tokenizer, [head, tail], recorder());
        assert_eq!(whole, two, "cut at {cut}");
    }
    for size in [2, 3, 5, 7, 8, 16, 61, 64, 67] {
        let many = scan(&mut tokenizer, text.chunks(size), recorder());
        assert_eq!(whole, many, "chunks of {size}");
    }
    // A tokenizer that was reset is as good as new.
    assert_eq!(whole, scan(&mut Tokenizer::new(limits, 1), [text], recorder()), "new");
}

/// Fuzz target `json_chunking`: the first byte chooses what is recorded, the rest is the text.
pub fn chunking(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let interest = if choice & 1 == 0 { Interest::All } else { Interest::Some(choice >> 4) };
    let patience = if choice & 2 == 0 { usize::MAX } else { usize::from(choice >> 4) };
    let limits = match choice >> 2 & 3 {
        0 | 1 => Limits::default(),
        2 => TIGHT,
        _ => SNUG,
    };
    any_cut_is_the_same(text, limits, interest, patience);
}

/// Fuzz target `json_differential`: see [`agrees_with_serde`].
pub fn differential(data: &[u8]) {
    for limits in [Limits::default(), TIGHT, SNUG] {
        agrees_with_serde(data, limits);
    }
}

/// The tokenizer accepts `text` if and only if `serde_json` does and nothing in it is on the list of
/// refusals on purpose, and then tells its visitor what a naive reader finds with `serde_json`.
pub fn agrees_with_serde(text: &[u8], limits: Limits) {
    let mut tokenizer = Tokenizer::new(limits, 0x5EED);
    for interest in [Interest::All, Interest::Some(text.len() as u8)] {
        let seen = scan(&mut tokenizer, [text], Recorder::new(interest, usize::MAX));
        match (Naive::read(text, limits, interest), seen.verdict) {
            (Ok(events), Ok(())) => assert_eq!(events, seen.events),
            (Err(_), Err(_)) => {}
            (expected, verdict) => {
                let text = String::from_utf8_lossy(text);
                panic!("{text:?}: serde_json and the list say {expected:?}, we say {verdict:?}")
            }
        }
    }
}

/// Why the naive reader refuses a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `serde_json` does.
    Grammar,
    /// `serde_json` takes the last of them.
    DuplicateKey,
    /// `serde_json` refuses them only where it makes a `String`.
    LoneSurrogate,
    /// One of [`Limits`].
    Limit,
}

/// Reads a text with one `serde_json` call for each value, and slowly.
struct Naive<'a> {
    text: &'a str,
    limits: Limits,
    interest: Interest,
    values: u32,
    open_keys: usize,
    events: Vec<Event>,
}

impl<'a> Naive<'a> {
    fn read(text: &'a [u8], limits: Limits, interest: Interest) -> Result<Vec<Event>, Refusal> {
        let text = std::str::from_utf8(text).map_err(|_| Refusal::Grammar)?;
        let root: &RawValue = serde_json::from_str(text).map_err(|_| Refusal::Grammar)?;
        let mut naive =
            Self { text, limits, interest, values: 0, open_keys: 0, events: Vec::new() };
        naive.value(root.get(), interest.root(), 0)?;
        Ok(naive.events)
    }

    fn value(&mut self, token: &'a str, node: Node, depth: u16) -> Result<(), Refusal> {
        let interesting = node != Node::IGNORE;
        let begin = self.offset(token);
        let end = begin + token.len() as u64;
        self.values += 1;
        check(self.values <= self.limits.values)?;
        let kind = match token.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't') => Kind::True,
            Some(b'f') => Kind::False,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        };
        if interesting {
            self.events.push(Event::Begin(node, kind, begin));
        }
        match kind {
            Kind::Object => self.members(token, node, depth + 1)?,
            Kind::Array => self.elements(token, node, depth + 1)?,
            Kind::String => {
                let text: String =
                    serde_json::from_str(token).map_err(|_| Refusal::LoneSurrogate)?;
                self.text(node, text);
            }
            Kind::Number => {
                check(token.len() <= usize::from(self.limits.number_bytes))?;
                self.text(node, token.to_owned());
            }
            Kind::True | Kind::False | Kind::Null => {}
        }
        if interesting {
            self.events.push(Event::End(node, kind, end));
        }
        Ok(())
    }

    fn members(&mut self, token: &'a str, node: Node, depth: u16) -> Result<(), Refusal> {
        check(depth <= self.limits.depth)?;
        let Members(members) = Members::read(token).map_err(|_| Refusal::LoneSurrogate)?;
        let mut names = BTreeSet::new();
        let outside = self.open_keys;
        for (name, value) in members {
            check(name.len() <= usize::from(self.limits.key_bytes))?;
            if !names.insert(name.clone()) {
                return Err(Refusal::DuplicateKey);
            }
            self.open_keys += 1;
            check(self.open_keys <= self.limits.open_keys as usize)?;
            let mut place = Node::IGNORE;
            if node != Node::IGNORE {
                place = self.interest.key(node, &name);
                self.events.push(Event::Key(node, name));
            }
            self.value(value.get(), place, depth)?;
        }
        self.open_keys = outside;
        Ok(())
    }

    fn elements(&mut self, token: &'a str, node: Node, depth: u16) -> Result<(), Refusal> {
        check(depth <= self.limits.depth)?;
        let elements: Vec<&RawValue> = serde_json::from_str(token).map_err(|_| Refusal::Grammar)?;
        let mut last_end = None;
        for (index, value) in elements.into_iter().enumerate() {
            let begin = self.offset(value.get());
            let mut place = Node::IGNORE;
            if node != Node::IGNORE {
                if let Some(end) = last_end {
                    let between = self.text.get(end as usize..begin as usize);
                    let comma = between.and_then(|between| between.find(',')).unwrap_or(0);
                    self.events.push(Event::Comma(node, end + comma as u64));
                }
                place = self.interest.child(node, index as u32);
                self.events.push(Event::Element(node, index as u32));
            }
            self.value(value.get(), place, depth)?;
            last_end = Some(begin + value.get().len() as u64);
        }
        Ok(())
    }

    fn text(&mut self, node: Node, text: String) {
        if node.wants_text() && !text.is_empty() {
            self.events.push(Event::Text(node, text));
        }
    }

    /// Where `token`, a part of the text, begins in it.
    fn offset(&self, token: &str) -> u64 {
        (token.as_ptr() as usize - self.text.as_ptr() as usize) as u64
    }
}

fn check(within: bool) -> Result<(), Refusal> {
    if within { Ok(()) } else { Err(Refusal::Limit) }
}

/// The members of an object in order, equal names included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    fn read(token: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::Deserializer::from_str(token).deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
