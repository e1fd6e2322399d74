//! The names that members of lines have, and which comes after which.

use simd_json::Node;

use super::nodes::size;

/// A member of a line that says something about its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Time,
    Judged,
    TotalUs,
    RequestId,
    Call,
    Peer,
    Principal,
    Route,
    Host,
    Revision,
    Audit,
    Retry,
    Scopes,
    Method,
    Kind,
    Target,
    Rule,
    Calls,
    Decision,
    Reason,
    Digest,
    Read,
    Absent,
    Cut,
    TooLarge,
    Event,
    Count,
    Generation,
    /// Anything else.
    Other,
}

impl Field {
    fn of(name: &str) -> Self {
        match name {
            "time" => Self::Time,
            "judged" => Self::Judged,
            "total_us" => Self::TotalUs,
            "request_id" => Self::RequestId,
            "call" => Self::Call,
            "peer" => Self::Peer,
            "principal" => Self::Principal,
            "route" => Self::Route,
            "host" => Self::Host,
            "revision" => Self::Revision,
            "audit" => Self::Audit,
            "retry" => Self::Retry,
            "scopes" => Self::Scopes,
            "method" => Self::Method,
            "kind" => Self::Kind,
            "target" => Self::Target,
            "rule" => Self::Rule,
            "calls" => Self::Calls,
            "decision" => Self::Decision,
            "reason" => Self::Reason,
            "digest" => Self::Digest,
            "read" => Self::Read,
            "absent" => Self::Absent,
            "cut" => Self::Cut,
            "too_large" => Self::TooLarge,
            "event" => Self::Event,
            "count" => Self::Count,
            "generation" => Self::Generation,
            _ => Self::Other,
        }
    }

    /// Whether most lines have what the line before has.
    pub(super) fn comes_again(self) -> bool {
        use Field::{Audit, Digest, Generation, Host, Kind, Method, Revision, Route};
        matches!(self, Audit | Digest | Generation | Host | Kind | Method | Revision | Route)
    }
}

/// Which members a line has, and where in its nodes their values begin.
pub(super) type Fields = Vec<(Field, usize)>;

/// The members of the object that `nodes` begin with; none where they begin with something else.
pub(super) fn find(nodes: &[Node<'_>], fields: &mut Fields) {
    let Some(Node::Object { len, .. }) = nodes.first() else { return };
    let mut at = 1;
    for _ in 0..*len {
        let (Some(Node::String(name)), Some(value)) = (nodes.get(at), nodes.get(at + 1)) else {
            return;
        };
        fields.push((Field::of(name), at + 1));
        at += 1 + size(value);
    }
}

/// Most names, those that stand in more than one place by each.
pub(super) const NAMES: usize = 64;
/// Names that the logs have, each behind those that it mostly follows. A name that is not here is read as well.
const ORDER: &[&str] = &[
    "time",
    "audit",
    "request_id",
    "call",
    "peer",
    "principal",
    "kind",
    "id",
    "issuer",
    "route",
    "host",
    "http",
    "revision",
    "method",
    "kind",
    "target",
    "retry",
    "batch",
    "decision",
    "rule",
    "reason",
    "detail",
    "shadow",
    "generation",
    "digest",
    "judged",
    "scopes",
    "read",
    "absent",
    "cut",
    "too_large",
    "status",
    "bytes_in",
    "bytes_out",
    "held",
    "hidden",
    "total_us",
    "upstream_us",
    "outcome",
];

/// A name with its quotes and the colon behind it, as it stands in a line.
#[derive(Clone, Copy, Debug)]
struct Known {
    text: u128,
    /// Which bytes of `text` there are.
    mask: u128,
    name: &'static str,
    field: Field,
}

/// What name comes next: most lines have the names of the line before.
#[derive(Debug)]
pub(super) struct Names {
    known: Vec<Known>,
    /// Of each name, which one came after it last.
    next: [usize; NAMES],
    last: usize,
}

impl Default for Names {
    fn default() -> Self {
        let known = |name: &&'static str| {
            let mut text = [0; 16];
            let quoted = [b"\"", name.as_bytes(), b"\":"].concat();
            text.iter_mut().zip(&quoted).for_each(|(to, from)| *to = *from);
            let missing = 16 - u32::try_from(quoted.len()).unwrap_or(16).min(16);
            let mask = u128::MAX >> (8 * missing);
            Known { text: u128::from_le_bytes(text), mask, name, field: Field::of(name) }
        };
        // INVARIANT: a name that is too long for its text would be taken for another.
        let known: Vec<Known> =
            ORDER.iter().filter(|name| name.len() <= 13).take(NAMES).map(known).collect();
        let mut next = [0; NAMES];
        next.iter_mut().enumerate().for_each(|(at, next)| *next = at + 1);
        Self { known, next, last: 0 }
    }
}

impl Names {
    /// A line begins.
    pub(super) fn begin(&mut self) {
        self.last = NAMES;
    }

    /// The name before the one that comes next; [`NAMES`] where a line begins.
    pub(super) fn last(&self) -> usize {
        self.last
    }

    /// Passes names up to `last`, which was the last name before.
    pub(super) fn pass(&mut self, last: usize) {
        self.last = last;
    }

    /// The name that `rest` begins with, with its quotes and its colon, where it is the one that was to come.
    #[inline]
    pub(super) fn expected(&mut self, rest: &[u8]) -> Option<(&'static str, Field)> {
        let text = u128::from_le_bytes(*rest.first_chunk()?);
        let at = self.next.get(self.last).copied().unwrap_or(0);
        let known = self.known.get(at)?;
        if (text ^ known.text) & known.mask != 0 {
            return None;
        }
        self.last = at;
        Some((known.name, known.field))
    }

    /// Learns that `name` came, which was not to.
    pub(super) fn came(&mut self, name: &str) -> Field {
        // Names of claims and arguments are not in the table, and come and go.
        if name.starts_with('/') {
            return Field::Other;
        }
        let from = if self.last < NAMES { self.last + 1 } else { 0 };
        let is_it = |at: &usize| self.known.get(*at).is_some_and(|known| known.name == name);
        if let Some(at) = (from..self.known.len()).chain(0..from).find(is_it) {
            if let Some(next) = self.next.get_mut(self.last) {
                *next = at;
            }
            self.last = at;
        }
        Field::of(name)
    }
}
