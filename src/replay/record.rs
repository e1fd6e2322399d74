//! One line of a log.

use std::borrow::Cow;

use simd_json::{Node, StaticNode};
use smallvec::SmallVec;

use super::fields::Field;
use super::met::Again;
use super::nodes::{count, elements, members, text, texts, value};
use super::plain;
use crate::observe::Clock;
use crate::policy::{ClientKind, Value};
use crate::wire::mcp::{ObjectKind, Revision};

/// Most bytes of a line. The longest that mcpfw writes has a batch of 20 calls with names of 1 KiB, each byte of them escaped.
pub const LINE: usize = 1 << 20;

/// Most calls of a line: more than a batch can have.
const CALLS: usize = 64;

/// Bytes of a field after which the writer of the logs cuts it off and puts `…`.
const CUT: usize = 1024;

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Fault {
    /// It is longer than [`LINE`].
    #[error("the line is longer than {LINE} bytes")]
    TooLong,
    /// It is not JSON, or not an object.
    #[error("the line is not a JSON object")]
    NotJson,
    /// A field that every record has is missing or is not what it must be.
    #[error("`{0}` is missing or is not what mcpfw writes")]
    Field(&'static str),
    /// A compressed log ends or breaks here.
    #[error("the compressed data is damaged or cut off from here on")]
    Damaged,
}

/// What a line is.
#[derive(Debug)]
pub enum Line<'r, 't, 'l> {
    /// It tells of an exchange.
    Record(&'r Record<'t, 'l>),
    /// It stands for so many lines that were lost when the log was written.
    Lost(u64),
    /// Something else that mcpfw logs.
    Other,
}

/// What a line says of an exchange.
#[derive(Debug, Default)]
pub struct Record<'t, 'l> {
    /// End of the exchange, milliseconds since 1970.
    pub time_ms: u64,
    /// When the rules decided, seconds since 1970: as the record says, or as its times make likely.
    pub judged: u64,
    /// The id that the caller was told.
    pub request_id: &'l str,
    /// Of a call that came in a batch: its place.
    pub place: Option<u64>,
    /// The caller's address.
    pub peer: &'l str,
    /// How the caller proved who it is; `None` where it did not come to that.
    pub client: Option<ClientKind>,
    /// `sub` of a token, id of a key.
    pub id: Option<&'l str>,
    /// The token's issuer.
    pub issuer: Option<&'l str>,
    /// The route.
    pub route: Option<&'l str>,
    /// The host that was asked for.
    pub host: Option<&'l str>,
    /// The revision that was spoken.
    pub revision: Option<Revision>,
    /// Whether it is of the audit log, and so says what the decision read.
    pub is_audit: bool,
    /// Whether it was a leg of a multi-round-trip request.
    pub is_retry: bool,
    scopes: Option<SmallVec<[&'l str; 4]>>,
    /// What was asked for: of a batch that was allowed, each call.
    pub calls: SmallVec<[Asked<'l>; 1]>,
    /// `allow`, `deny`, `limit` or `none`.
    pub decision: &'l str,
    /// Why it was refused.
    pub reason: Option<&'l str>,
    /// The digest of the set that decided.
    pub digest: Option<&'l str>,
    read: &'t [Node<'l>],
    /// What it says of its caller, where that was said before: it is neither in `scopes` nor in `read`.
    pub(super) again: Option<Again<'l>>,
    /// Names of claims and arguments that were not there.
    pub absent: SmallVec<[&'l str; 8]>,
    /// Names of those that were longer than is recorded, in order.
    pub cut: SmallVec<[&'l str; 2]>,
    /// Names of those that were larger than the gateway keeps.
    pub too_large: SmallVec<[&'l str; 2]>,
}

/// One call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'l> {
    /// The JSON-RPC method.
    pub method: &'l str,
    /// What it acts on.
    pub object: Option<(ObjectKind, &'l str)>,
    /// The rule that decided.
    pub rule: Option<&'l str>,
}

/// Whether the writer of the log may have cut `text` off.
pub(super) fn is_cut(text: &str) -> bool {
    // The cut is made before a character that would not fit.
    text.len() + 3 > CUT && text.ends_with('…')
}

/// The start of `text` that the writer of the log would have left of it: what is kept of a line is no longer, whoever wrote it.
pub(super) fn clipped(text: &str) -> &str {
    const KEPT: usize = CUT + '…'.len_utf8();
    if text.len() <= KEPT {
        return text;
    }
    text.get(..text.floor_char_boundary(KEPT)).unwrap_or_default()
}

/// A line of which not all members have been read.
#[derive(Default)]
pub(super) struct Draft<'t, 'l> {
    pub(super) record: Record<'t, 'l>,
    asked: Asked<'l>,
    kind: Option<ObjectKind>,
    target: Option<&'l str>,
    event: Option<&'l str>,
    lost: Option<u64>,
    time: Option<&'l str>,
    judged: Option<u64>,
    total_us: Option<u64>,
    calls: &'t [Node<'l>],
}

impl<'t, 'l> Draft<'t, 'l> {
    /// Takes the members that `fields` tells of `nodes`.
    pub(super) fn take_all(
        &mut self,
        nodes: &'t [Node<'l>],
        fields: &[(Field, usize)],
    ) -> Result<(), Fault> {
        for (field, at) in fields {
            let value = nodes.get(*at..).unwrap_or_default();
            match field {
                Field::Principal => self.record.principal(value)?,
                Field::Scopes => self.record.scopes = Some(texts(value)),
                Field::Calls => self.calls = value,
                Field::Read => self.record.read = value,
                Field::Absent => self.record.absent = texts(value),
                Field::Cut => {
                    self.record.cut = texts(value);
                    self.record.cut.sort_unstable();
                }
                Field::TooLarge => self.record.too_large = texts(value),
                _ => self.take_scalar(*field, value),
            }
        }
        Ok(())
    }

    /// Takes a member of which nothing but a scalar says anything.
    #[inline]
    pub(super) fn take_scalar(&mut self, field: Field, value: &[Node<'l>]) {
        let Self { record, asked, .. } = self;
        match field {
            Field::Time => self.time = text(value),
            Field::Judged => self.judged = count(value),
            Field::TotalUs => self.total_us = count(value),
            Field::RequestId => record.request_id = text(value).unwrap_or_default(),
            Field::Call => record.place = count(value),
            Field::Peer => record.peer = text(value).unwrap_or_default(),
            Field::Route => record.route = text(value),
            Field::Host => record.host = text(value),
            Field::Revision => record.revision = text(value).and_then(|text| text.parse().ok()),
            Field::Audit => record.is_audit = count(value) == Some(1),
            Field::Retry => {
                record.is_retry = matches!(value, [Node::Static(StaticNode::Bool(true)), ..]);
            }
            Field::Method => asked.method = text(value).unwrap_or_default(),
            Field::Kind => self.kind = text(value).and_then(ObjectKind::from_word),
            Field::Target => self.target = text(value),
            Field::Rule => asked.rule = text(value),
            Field::Decision => record.decision = text(value).unwrap_or_default(),
            Field::Reason => record.reason = text(value),
            Field::Digest => record.digest = text(value),
            Field::Event => self.event = text(value),
            Field::Count => self.lost = count(value),
            // Said of nothing here, or not reached: no scalars.
            Field::Principal
            | Field::Scopes
            | Field::Calls
            | Field::Read
            | Field::Absent
            | Field::Cut
            | Field::TooLarge
            | Field::Generation
            | Field::Other => {}
        }
    }

    /// What the line is, all of whose members have been taken.
    pub(super) fn finish(&mut self, clock: &mut Clock) -> Result<Line<'_, 't, 'l>, Fault> {
        let Self { record, asked, .. } = self;
        let time = self.time.and_then(|time| clock.parse(time));
        record.time_ms = time.ok_or(Fault::Field("time"))?;
        if let Some(event) = self.event {
            return Ok(match event {
                "lines_lost" => Line::Lost(self.lost.ok_or(Fault::Field("count"))?),
                _ => Line::Other,
            });
        }
        if !matches!(record.decision, "allow" | "deny" | "limit" | "none") {
            return Err(Fault::Field("decision"));
        }
        // The rules decide soon after the head has come.
        let began_ms = record.time_ms.saturating_sub(self.total_us.unwrap_or_default() / 1000);
        record.judged = self.judged.unwrap_or(began_ms / 1000);
        asked.object = self.kind.zip(self.target);
        if !asked.method.is_empty() {
            record.calls.push(*asked);
        }
        for (at, call) in elements(self.calls).enumerate() {
            if at >= CALLS {
                return Err(Fault::Field("calls"));
            }
            record.calls.push(Asked::of(call).ok_or(Fault::Field("calls"))?);
        }
        Ok(Line::Record(record))
    }
}

impl<'l> Asked<'l> {
    fn of(nodes: &[Node<'l>]) -> Option<Self> {
        let mut asked = Self::default();
        let (mut kind, mut target) = (None, None);
        for (name, value) in members(nodes) {
            match name {
                "method" => asked.method = text(value)?,
                "kind" => kind = Some(ObjectKind::from_word(text(value)?)?),
                "target" => target = Some(text(value)?),
                "rule" => asked.rule = text(value),
                _ => {}
            }
        }
        asked.object = kind.zip(target);
        (!asked.method.is_empty()).then_some(asked)
    }

    /// What it is about, for people and as a key: the name of what it acts on, or else its method.
    #[must_use]
    pub fn target(&self) -> (&'static str, &'l str) {
        match self.object {
            Some((kind, name)) => (kind.as_str(), name),
            None => ("method", self.method),
        }
    }
}

impl<'t, 'l> Record<'t, 'l> {
    fn principal(&mut self, value: &[Node<'l>]) -> Result<(), Fault> {
        // Of two the last one counts, whole.
        (self.client, self.id, self.issuer) = (None, None, None);
        for (name, value) in members(value) {
            match name {
                "kind" => self.client = text(value).and_then(ClientKind::from_word),
                "id" => self.id = text(value),
                "issuer" => self.issuer = text(value),
                _ => {}
            }
        }
        self.client.map(|_| ()).ok_or(Fault::Field("principal"))
    }

    /// The caller's scopes, where they are recorded.
    #[must_use]
    pub fn scopes(&self) -> Option<SmallVec<[&'l str; 4]>> {
        match &self.again {
            Some(again) => again.scopes.map(|scopes| texts(&plain::nodes(scopes))),
            None => self.scopes.clone(),
        }
    }

    /// Every claim and argument that is recorded whole, by its name (a JSON Pointer such as `/claims/plan`). What is recorded in
    /// a form that mcpfw does not write is not there.
    pub fn values(&self) -> impl Iterator<Item = (&'l str, Value)> {
        let claims: Vec<_> = match self.again {
            Some(_) => self.valued(&self.told(), |_| true).collect(),
            None => Vec::new(),
        };
        claims.into_iter().chain(self.values_of(|_| true))
    }

    /// The same, of the names that `is_wanted`, but for the claims of a caller that was met again.
    pub(super) fn values_of(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&'l str, Value)> {
        self.valued(self.read, is_wanted)
    }

    /// What of `read` is recorded whole.
    fn valued(
        &self,
        read: &[Node<'l>],
        is_wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&'l str, Value)> {
        let wanted = members(read).filter(move |(name, _)| is_wanted(name) && !self.is_cut(name));
        wanted.filter_map(|(name, nodes)| Some((name, value(nodes)?)))
    }

    /// Whether the value called `name` is not recorded whole.
    pub(super) fn is_cut(&self, name: &str) -> bool {
        self.cut.binary_search(&name).is_ok()
    }

    /// The nodes that have all claims.
    pub(super) fn told(&self) -> Cow<'t, [Node<'l>]> {
        match &self.again {
            Some(again) => again.claims.map(plain::members).unwrap_or_default().into(),
            None => self.read.into(),
        }
    }

    /// Who called, for people and as a key.
    #[must_use]
    pub fn caller(&self) -> (&'static str, &'l str) {
        let kind = self.client.unwrap_or(ClientKind::Anonymous).as_str();
        (kind, self.id.unwrap_or_default())
    }
}
