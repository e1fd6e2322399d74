//! Lines as mcpfw writes most of them: without escapes, white space, fractions and signs.
//!
//! They are read as `simd_json` would, in a fraction of the time, or not at all: then the line is for `simd_json` to read, which
//! takes whatever JSON is. So there is one meaning of a line, and nothing that is refused here is refused.
//!
//! What tells of a caller in bytes that were read before is compared with those and not read again.

use std::ops::Range;

use simd_json::{Node, StaticNode};

use super::caller::CLAIMS;
use super::fields::{Field, Fields, Names};
use super::met::{Callers, Met, Spans};
use super::nodes::members as members_of;
use super::record::Draft;
use super::runs::Runs;

/// Containers inside one another in a member. Lines of mcpfw have two.
const DEPTH: usize = 7;
/// Digits that fit into a `u64` whatever they are.
const DIGITS: usize = 18;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// A container whose end has not come.
#[derive(Clone, Copy, Default)]
struct Open {
    /// Where its node is.
    node: usize,
    /// Members or elements so far.
    len: usize,
    /// The byte that it ends with.
    end: u8,
}

/// A line that is being read.
pub(super) struct Quick<'a, 't, 'l> {
    text: &'l str,
    draft: &'a mut Draft<'t, 'l>,
    /// What is not taken at once: the nodes of lists and objects, and of which members they are.
    nodes: &'a mut Vec<Node<'l>>,
    fields: &'a mut Fields,
    callers: &'a Callers,
    /// The caller, as long as everything is told of it that was told before; that is not read, then.
    met: Option<&'a Met>,
    spans: Spans,
    /// Whether it is not told of as mcpfw tells of callers, and so is none that may be met again.
    is_odd: bool,
}

impl<'a, 't, 'l> Quick<'a, 't, 'l> {
    /// Begins to read `text` into `draft`, and what is to be taken later into `nodes` and `fields`, which are empty.
    pub(super) fn new(
        text: &'l str,
        draft: &'a mut Draft<'t, 'l>,
        nodes: &'a mut Vec<Node<'l>>,
        fields: &'a mut Fields,
        callers: &'a Callers,
    ) -> Self {
        let (met, spans) = (None, Spans::default());
        Self { text, draft, nodes, fields, callers, met, spans, is_odd: false }
    }

    /// Reads the line, an object; `None` where it is not as mcpfw writes it. Where it tells of a caller that may be met again,
    /// and was not met before.
    pub(super) fn fill(mut self, names: &mut Names, runs: &mut Runs) -> Option<Option<Spans>> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        if !is_plain(bytes) || bytes.first() != Some(&b'{') {
            return None;
        }
        let mut at = 1;
        loop {
            let (begin, last) = (at, names.last());
            let take = |field, node| self.draft.take_scalar(field, &[node]);
            if let Some((end, last)) = runs.pass(text, at, last, take) {
                at = end;
                names.pass(last);
                continue;
            }
            let field = match names.expected(bytes.get(at..)?) {
                Some((name, field)) => {
                    at += name.len() + 3;
                    field
                }
                None => {
                    let name = string(text, at)?;
                    at += name.len() + 3;
                    if bytes.get(at - 1) != Some(&b':') {
                        return None;
                    }
                    names.came(name)
                }
            };
            if !field.comes_again() {
                runs.end(text, begin, last);
            }
            at = match field {
                Field::Principal => self.principal(at)?,
                Field::Scopes => self.scopes(at)?,
                Field::Read => self.read(at)?,
                Field::Calls | Field::Absent | Field::Cut | Field::TooLarge => {
                    self.later(field, at)?
                }
                Field::Other => value(text, at, self.nodes)?,
                _ => {
                    let (node, end) = scalar(text, at)?;
                    runs.came(field, &node, last, begin, end);
                    self.draft.take_scalar(field, &[node]);
                    end
                }
            };
            match *bytes.get(at)? {
                b',' => at += 1,
                b'}' if at + 1 == bytes.len() => {
                    self.end()?;
                    let is_new = self.met.is_none() && !self.is_odd;
                    return Some(is_new.then_some(self.spans));
                }
                _ => return None,
            }
        }
    }

    /// Reads the value of `field` at `at`, which is taken when all has been read.
    fn later(&mut self, field: Field, at: usize) -> Option<usize> {
        // The last of two would count; who wrote them may look for it.
        if self.fields.iter().any(|(known, _)| *known == field) {
            return None;
        }
        self.fields.push((field, self.nodes.len()));
        value(self.text, at, self.nodes)
    }

    fn principal(&mut self, at: usize) -> Option<usize> {
        if !self.spans.principal.is_empty() {
            return None;
        }
        // INVARIANT: what was told of the caller before this has been compared with nothing.
        self.is_odd |=
            self.fields.iter().any(|(field, _)| matches!(field, Field::Scopes | Field::Read));
        let rest = self.text.as_bytes().get(at..)?;
        let Some(met) = self.callers.find(rest).filter(|_| !self.is_odd) else {
            let end = self.later(Field::Principal, at)?;
            self.spans.principal = at..end;
            return Some(end);
        };
        let part = |span: &Option<Range<usize>>| {
            let span = span.clone()?;
            self.text.get(at + span.start..at + span.end)
        };
        let record = &mut self.draft.record;
        (record.client, record.id, record.issuer) =
            (Some(met.kind), part(&met.id), part(&met.issuer));
        self.spans.principal = at..at + met.len;
        self.met = Some(met);
        Some(at + met.len)
    }

    fn scopes(&mut self, at: usize) -> Option<usize> {
        if self.spans.scopes.is_some() {
            return None;
        }
        let known = self.met.and_then(|met| met.scopes.as_deref());
        let end = match known.filter(|known| is_at(self.text, at, known)) {
            Some(known) => at + known.len(),
            // Nor were the claims read, where they came first.
            None if self.met.take().is_some() && self.spans.claims.is_some() => return None,
            None => self.later(Field::Scopes, at)?,
        };
        self.spans.scopes = Some(at..end);
        Some(end)
    }

    fn read(&mut self, at: usize) -> Option<usize> {
        if self.spans.claims.is_some() || self.fields.iter().any(|(field, _)| *field == Field::Read)
        {
            return None;
        }
        let node = self.nodes.len();
        let known = self.met.and_then(|met| met.claims.as_deref());
        if let Some(known) = known.filter(|known| is_at(self.text, at, known)) {
            let end = at + known.len();
            self.spans.claims = Some(at..end);
            if known.ends_with('}') {
                return Some(end);
            }
            self.fields.push((Field::Read, node));
            self.nodes.push(container(b'}', 0, 0));
            let end = contents(self.text, end, self.nodes, Open { node, len: 0, end: b'}' })?;
            let read = self.nodes.get(node..)?;
            // A caller of whom there is more is another one.
            return (!members_of(read).any(|(name, _)| name.starts_with(CLAIMS))).then_some(end);
        }
        self.is_another()?;
        let end = self.later(Field::Read, at)?;
        let read = self.nodes.get(node..)?;
        if matches!(read.first(), Some(Node::Object { .. })) {
            let mut names = members_of(read).map(|(name, _)| name);
            let first = names.by_ref().find(|name| !name.starts_with(CLAIMS));
            let is_told = !names.any(|name| name.starts_with(CLAIMS));
            // The quote before the name.
            let start =
                |name: &str| (name.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize + 1);
            let claims_end = first.map_or(Some(end), start)?;
            if is_told {
                self.spans.claims = Some(at..claims_end);
                return Some(end);
            }
        }
        self.is_odd = true;
        Some(end)
    }

    /// The caller is not told of as before: what was not read for it is.
    fn is_another(&mut self) -> Option<()> {
        if self.met.take().is_some()
            && let Some(scopes) = self.spans.scopes.clone()
        {
            self.later(Field::Scopes, scopes.start)?;
        }
        Some(())
    }

    /// All has been read.
    fn end(&mut self) -> Option<()> {
        let Some(met) = self.met else { return Some(()) };
        self.draft.record.again = met.again(self.text, &self.spans);
        if self.draft.record.again.is_some() {
            return Some(());
        }
        if self.spans.claims.is_some() {
            return None;
        }
        self.is_another()
    }
}

/// Whether `known` stands at `at`.
fn is_at(text: &str, at: usize, known: &str) -> bool {
    text.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(known.as_bytes()))
}

/// The nodes of the value that `text` is, which has been read before.
pub(super) fn nodes(text: &str) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    value(text, 0, &mut nodes);
    nodes
}

/// The nodes of an object with the members that stand in `text`: the whole object, or its beginning up to one more member.
pub(super) fn members(text: &str) -> Vec<Node<'_>> {
    let (mut at, mut len) = (1, 0);
    let mut nodes = vec![container(b'}', 0, 0)];
    while let Some(name) = string(text, at) {
        nodes.push(Node::String(name));
        let Some(end) = value(text, at + name.len() + 3, &mut nodes) else { break };
        (at, len) = (end + 1, len + 1);
    }
    let count = nodes.len() - 1;
    if let Some(first) = nodes.first_mut() {
        *first = container(b'}', len, count);
    }
    nodes
}

/// Appends the nodes of the value at `at`, and says where it ends.
fn value<'l>(text: &'l str, at: usize, nodes: &mut Vec<Node<'l>>) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = *bytes.get(at)?;
    if !matches!(first, b'{' | b'[') {
        let (node, end) = scalar(text, at)?;
        nodes.push(node);
        return Some(end);
    }
    // The bytes that end them are the second next ones.
    let within = Open { node: nodes.len(), len: 0, end: first + 2 };
    nodes.push(container(within.end, 0, 0));
    if bytes.get(at + 1) == Some(&within.end) {
        return Some(at + 2);
    }
    contents(text, at + 1, nodes, within)
}

/// Appends the nodes of what stands in the container `within` from `at` on, where a member or an element begins, and says where
/// the container ends.
fn contents<'l>(
    text: &'l str,
    mut at: usize,
    nodes: &mut Vec<Node<'l>>,
    mut within: Open,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut outer = [Open::default(); DEPTH];
    let mut depth = 0_usize;
    loop {
        if within.end == b'}' {
            let name = string(text, at)?;
            nodes.push(Node::String(name));
            at += name.len() + 3;
            if bytes.get(at - 1) != Some(&b':') {
                return None;
            }
        }
        match *bytes.get(at)? {
            first @ (b'{' | b'[') => {
                nodes.push(container(first + 2, 0, 0));
                if bytes.get(at + 1) == Some(&(first + 2)) {
                    at += 2;
                } else {
                    *outer.get_mut(depth)? = within;
                    depth += 1;
                    within = Open { node: nodes.len() - 1, len: 0, end: first + 2 };
                    at += 1;
                    continue;
                }
            }
            _ => {
                let (node, end) = scalar(text, at)?;
                nodes.push(node);
                at = end;
            }
        }
        // A value has ended here, and with it maybe what it is in.
        loop {
            within.len += 1;
            let byte = *bytes.get(at)?;
            at += 1;
            if byte == b',' {
                break;
            }
            if byte != within.end {
                return None;
            }
            let count = nodes.len() - within.node - 1;
            *nodes.get_mut(within.node)? = container(within.end, within.len, count);
            let Some(inner) = depth.checked_sub(1) else { return Some(at) };
            depth = inner;
            within = *outer.get(depth)?;
        }
    }
}

/// The node of the value at `at`, which is no container, and where it ends.
#[inline(always)]
fn scalar(text: &str, at: usize) -> Option<(Node<'_>, usize)> {
    let bytes = text.as_bytes();
    Some(match *bytes.get(at)? {
        b'"' => {
            let value = string(text, at)?;
            (Node::String(value), at + value.len() + 2)
        }
        b'0'..=b'9' => {
            let (number, end) = number(bytes, at)?;
            (Node::Static(StaticNode::U64(number)), end)
        }
        b't' if bytes.get(at..at + 4) == Some(b"true") => {
            (Node::Static(StaticNode::Bool(true)), at + 4)
        }
        b'f' if bytes.get(at..at + 5) == Some(b"false") => {
            (Node::Static(StaticNode::Bool(false)), at + 5)
        }
        b'n' if bytes.get(at..at + 4) == Some(b"null") => (Node::Static(StaticNode::Null), at + 4),
        _ => return None,
    })
}

fn container<'l>(end: u8, len: usize, count: usize) -> Node<'l> {
    match end {
        b'}' => Node::Object { len, count },
        _ => Node::Array { len, count },
    }
}

/// Whether nothing in a line is a control or a backslash: then every string ends at the next quote.
fn is_plain(line: &[u8]) -> bool {
    // Without a branch for each byte, so that many are looked at at once.
    let least =
        |(lowest, nearest): (u8, u8), byte: &u8| (lowest.min(*byte), nearest.min(*byte ^ b'\\'));
    let (lowest, nearest) = line.iter().fold((u8::MAX, u8::MAX), least);
    lowest >= b' ' && nearest > 0
}

/// The string at `at`, of a line that is plain.
#[inline(always)]
fn string(text: &str, at: usize) -> Option<&str> {
    let (b'"', rest) = text.as_bytes().get(at..)?.split_first()? else { return None };
    let (mut length, mut tail) = (0, rest);
    while let Some((word, behind)) = tail.split_first_chunk() {
        // Bytes that are quotes become zero, and the lowest of those is found for sure.
        let word = u64::from_le_bytes(*word) ^ (ONES * 0x22);
        let found = word.wrapping_sub(ONES) & !word & HIGH;
        if found != 0 {
            length += (found.trailing_zeros() / 8) as usize;
            return text.get(at + 1..at + 1 + length);
        }
        (length, tail) = (length + 8, behind);
    }
    length += tail.iter().position(|byte| *byte == b'"')?;
    text.get(at + 1..at + 1 + length)
}

/// The number at `at`, which begins with a digit, and where it ends.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let (mut number, mut end) = (0_u64, at);
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(*digit - b'0'));
        end += 1;
    }
    let has_leading_zero = bytes.get(at) == Some(&b'0') && end > at + 1;
    let is_whole = !matches!(bytes.get(end), Some(b'.' | b'e' | b'E'));
    (end - at <= DIGITS && !has_leading_zero && is_whole).then_some((number, end))
}
