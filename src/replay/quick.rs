//! Lines as mcpfw writes most of them: without escapes, white space, fractions and signs.
//!
//! They are read as `simd_json` would, in a fraction of the time, or not at all: then the line is for `simd_json` to read, which
//! takes whatever JSON is. So there is one meaning of a line, and nothing that is refused here is refused.
//!
//! What tells of a caller in bytes that were read before is compared with those and not read again.

use std::ops::Range;

use simd_json::Node;

use super::caller::CLAIMS;
use super::fields::{Field, Fields, Names};
use super::met::{Callers, Met, Spans};
use super::nodes::members;
use super::plain::{Open, container, contents, is_plain, scalar, string, value};
use super::record::Draft;
use super::runs::Runs;

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
            return (!members(read).any(|(name, _)| name.starts_with(CLAIMS))).then_some(end);
        }
        self.is_another()?;
        let end = self.later(Field::Read, at)?;
        let read = self.nodes.get(node..)?;
        if matches!(read.first(), Some(Node::Object { .. })) {
            let mut names = members(read).map(|(name, _)| name);
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
