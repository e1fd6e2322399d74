//! What an element of a list says, as 32 bytes: the same for the same meaning, however it is written.
//!
//! ```text
//! text    = SHA-256("s", decoded characters)      number = SHA-256("n", its value, see `number`)
//! true, false, null = SHA-256("t" | "f" | "z")
//! array   = SHA-256("a", digest of each element, in order)
//! member  = SHA-256("m", text of its name, digest of its value)
//! object  = SHA-256("o", digests of its members, sorted)
//! element = SHA-256("mcpfw lock 1 tools\n", object of the members that count)
//! ```
//!
//! White space, the order of members, escapes and the spelling of numbers do not matter; everything else does. The parts
//! of every hash but texts have a fixed length and every hash begins with what it is of, so that no two values have one
//! input. Members are sorted by their digests, not added up: sums of hashes can be made to collide by who chooses enough
//! of the terms (Wagner 2002).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256, digest};

use super::List;
use super::number::canonical;
use crate::wire::json::Kind;

/// Most containers that are open at once in an element. The tokenizer's own default; what is deeper has no digest.
pub const MAX_DEPTH: usize = 64;
/// Most members, over all objects that are open at once, whose digests are kept (32 bytes each, so 128 KiB). The
/// tokenizer's own default; what has more has no digest.
pub const MAX_MEMBERS: usize = 4_096;
/// Longest number, in bytes. The tokenizer's own default.
const MAX_NUMBER: usize = 64;

/// SHA-256 of what an element of a list says. Shown and read as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Computes the [`Digest`] of one element while its tokens pass.
///
/// It is told what `wire::json` tells a visitor of the element, from its `begin` to its `end`. Members that do not
/// count may be left out. The cuts of texts have no meaning. No recursion; memory is bounded by [`MAX_DEPTH`] and
/// [`MAX_MEMBERS`], and kept for the next element.
#[derive(Debug)]
pub struct ElementDigest {
    list: List,
    /// The containers that are open and count.
    open: Vec<Open>,
    /// The digests of the finished members of every open object.
    members: Vec<[u8; 32]>,
    /// Containers open inside a member that does not count, the member itself being one.
    skipped: usize,
    /// Whether the next value is of a member that does not count.
    is_skipping: bool,
    scalar: Scalar,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    Done(Digest),
    /// It went beyond a bound, or its tokens make no element.
    Failed,
}

/// A container on the way.
enum Open {
    Object {
        /// Where its members begin.
        first: usize,
        /// The text of the name at hand.
        key: [u8; 32],
    },
    Array(Context),
}

/// The scalar at hand.
enum Scalar {
    None,
    Text(Context),
    Number(String),
}

impl ElementDigest {
    /// Of an element of `list`.
    #[must_use]
    pub fn new(list: List) -> Self {
        Self {
            list,
            open: Vec::new(),
            members: Vec::new(),
            skipped: 0,
            is_skipping: false,
            scalar: Scalar::None,
            state: State::Reading,
        }
    }

    /// Begins anew, with an element of `list`.
    pub fn reset(&mut self, list: List) {
        self.list = list;
        self.open.clear();
        self.members.clear();
        self.skipped = 0;
        self.is_skipping = false;
        self.scalar = Scalar::None;
        self.state = State::Reading;
    }

    /// The digest of the element, once it has ended; `None` where it has not, where it is no object, or where it went
    /// beyond a bound. What has no digest is not what was pinned.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match self.state {
            State::Done(digest) => Some(digest),
            State::Reading | State::Failed => None,
        }
    }

    /// A member name, decoded.
    pub fn key(&mut self, name: &str) {
        if self.skipped > 0 || self.state != State::Reading {
            return;
        }
        let is_top = self.open.len() == 1;
        match self.open.last_mut() {
            Some(Open::Object { .. }) if is_top && !self.list.counts(name) => {
                self.is_skipping = true;
            }
            Some(Open::Object { key, .. }) => *key = hash(b"s", &[name.as_bytes()]),
            _ => self.fail(),
        }
    }

    /// A value begins.
    pub fn begin(&mut self, kind: Kind) {
        if self.state != State::Reading {
            return;
        }
        if self.skipped > 0 || self.is_skipping {
            // Counted with the scalars, whose end comes, too.
            self.is_skipping = false;
            self.skipped += 1;
            return;
        }
        let is_root = self.open.is_empty();
        match kind {
            _ if is_root && kind != Kind::Object => self.fail(),
            Kind::Object | Kind::Array if self.open.len() == MAX_DEPTH => self.fail(),
            Kind::Object => {
                self.open.push(Open::Object { first: self.members.len(), key: [0; 32] });
            }
            Kind::Array => self.open.push(Open::Array(started(b"a"))),
            Kind::String => self.scalar = Scalar::Text(started(b"s")),
            Kind::Number => self.scalar = Scalar::Number(String::new()),
            Kind::True | Kind::False | Kind::Null => self.scalar = Scalar::None,
        }
    }

    /// A piece of the string or number at hand.
    pub fn text(&mut self, piece: &str) {
        if self.skipped > 0 || self.state != State::Reading {
            return;
        }
        match &mut self.scalar {
            Scalar::Text(context) => context.update(piece.as_bytes()),
            Scalar::Number(token) if token.len() + piece.len() <= MAX_NUMBER => {
                token.push_str(piece);
            }
            Scalar::Number(_) | Scalar::None => self.fail(),
        }
    }

    /// The value at hand ends.
    pub fn end(&mut self, kind: Kind) {
        if self.state != State::Reading {
            return;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let value = match kind {
            Kind::Object | Kind::Array => match self.open.pop() {
                Some(Open::Object { first, .. }) => self.object(first),
                Some(Open::Array(context)) => finished(context),
                None => return self.fail(),
            },
            Kind::True => hash(b"t", &[]),
            Kind::False => hash(b"f", &[]),
            Kind::Null => hash(b"z", &[]),
            Kind::String | Kind::Number => {
                match std::mem::replace(&mut self.scalar, Scalar::None) {
                    Scalar::Text(context) => finished(context),
                    Scalar::Number(token) => hash(b"n", &[canonical(&token).as_bytes()]),
                    Scalar::None => return self.fail(),
                }
            }
        };
        match self.open.last_mut() {
            None => {
                let domain = ["mcpfw lock 1 ", self.list.key(), "\n"].concat();
                self.state = State::Done(Digest(hash(domain.as_bytes(), &[&value])));
            }
            Some(Open::Array(context)) => context.update(&value),
            Some(Open::Object { key, .. }) if self.members.len() < MAX_MEMBERS => {
                self.members.push(hash(b"m", &[key.as_slice(), &value]));
            }
            Some(Open::Object { .. }) => self.fail(),
        }
    }

    /// The digest of the object whose members begin at `first`, which are no longer kept.
    fn object(&mut self, first: usize) -> [u8; 32] {
        let mut context = started(b"o");
        if let Some(members) = self.members.get_mut(first..) {
            members.sort_unstable();
            for member in members {
                context.update(member);
            }
        }
        self.members.truncate(first);
        finished(context)
    }

    fn fail(&mut self) {
        self.state = State::Failed;
    }
}

fn started(domain: &[u8]) -> Context {
    let mut context = Context::new(&SHA256);
    context.update(domain);
    context
}

fn finished(context: Context) -> [u8; 32] {
    bytes(context.finish().as_ref())
}

fn hash(domain: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    if parts.is_empty() {
        return bytes(digest(&SHA256, domain).as_ref());
    }
    let mut context = started(domain);
    for part in parts {
        context.update(part);
    }
    finished(context)
}

/// INVARIANT: SHA-256 has 32 bytes.
fn bytes(digest: &[u8]) -> [u8; 32] {
    digest.first_chunk().copied().unwrap_or_default()
}

impl Digest {
    /// The hash itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not `sha256:` and 64 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digits = text.strip_prefix("sha256:").ok_or(NoDigest)?.as_bytes();
        let mut digest = [0; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != digest.len() || !rest.is_empty() {
            return Err(NoDigest);
        }
        // One spelling only: lower case.
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(NoDigest),
        };
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            *byte = value(*high)? << 4 | value(*low)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object { .. } => "Object",
            Self::Array(_) => "Array",
        })
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Text(_) => "Text",
            Self::Number(_) => "Number",
        })
    }
}
