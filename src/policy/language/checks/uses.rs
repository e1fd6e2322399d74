//! What the rules ask of claims and arguments, with places in the files and with what is declared of them.

use std::cell::Cell;
use std::collections::HashSet;

use crate::diagnostic::document::{inner_edit, inner_span};
use crate::diagnostic::{Applicability, Fix, Near, Span, Spanned, near};
use crate::lock::List;
use crate::policy::Value;
use crate::policy::expr::{Path, Question, Root};
use crate::policy::language::{Draft, DraftRule};
use crate::policy::selector::Space;
use crate::policy::stanza::{Body, Cost};
use crate::policy::types::{Presence, Type};

/// Most names of the lock that patterns are compared with in one run: what is beyond is not known. A hundred rules with
/// wildcards over as many tools as a lock may have.
const MAX_COMPARED: usize = 1_000_000;

/// How many comparisons of names the look into a schema counts as.
const SCHEMA: usize = 8;

/// A claim or argument that a rule reads.
pub(super) struct Asked<'d> {
    pub(super) path: Vec<&'d str>,
    pub(super) is_claim: bool,
    pub(super) of_element: bool,
    pub(super) question: Question<'d>,
    /// What it can be; where an element is asked, what that can be.
    pub(super) kind: Type,
    /// The path, and the whole question.
    pub(super) span: Span,
    pub(super) whole: Span,
    /// Whether it is in `per`, `tier` or `cost`, and not in `when`.
    pub(super) is_key: bool,
    string: Spanned<&'d str>,
    inner: std::ops::Range<usize>,
    asked: std::ops::Range<usize>,
    /// The tools and prompts that it may be an argument of, where they are known.
    pub(super) takers: Vec<Taker<'d>>,
}

/// Whose argument it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taker<'d> {
    space: Space,
    pub(super) name: &'d str,
}

/// What is counted over all rules.
#[derive(Debug, Default)]
pub(super) struct Work(Cell<usize>);

impl Work {
    /// Counts `more` comparisons; whether they may still be made.
    pub(super) fn take(&self, more: usize) -> bool {
        let compared = self.0.get().saturating_add(more);
        self.0.set(compared);
        compared <= MAX_COMPARED
    }

    /// `takers`, whose schemas will be read, or none where that is too much: then nothing is known.
    fn afford<'d>(&self, takers: Vec<Taker<'d>>) -> Vec<Taker<'d>> {
        if self.take(takers.len().saturating_mul(SCHEMA)) { takers } else { Vec::new() }
    }
}

impl Asked<'_> {
    /// As it is written: `claims.plan`.
    pub(super) fn name(&self) -> String {
        let root = if self.is_claim { "claims" } else { "args" };
        std::iter::once(root).chain(self.path.iter().copied()).collect::<Vec<_>>().join(".")
    }

    /// `schema.toml`, or the schema of the tool or prompt.
    pub(super) fn by(&self) -> String {
        match (self.is_claim, self.takers.as_slice()) {
            (true, _) => "`schema.toml`".to_owned(),
            (false, [one]) => format!("the schema of `{}`", one.name),
            (false, all) => format!("the schemas of {} tools", all.len()),
        }
    }

    /// What is there of its path up to and with member `at`.
    fn presence(&self, draft: &Draft<'_>, at: usize) -> Presence {
        let path = self.path.get(..=at).unwrap_or_default();
        type_of(draft, self.is_claim, &self.takers, path).presence
    }

    /// The first member of its path that nothing declares.
    pub(super) fn undeclared(&self, draft: &Draft<'_>) -> Option<usize> {
        (0..self.path.len())
            .find(|at| matches!(self.presence(draft, *at), Presence::Never | Presence::Unnamed))
    }

    /// The name that was probably meant by member `at`.
    pub(super) fn meant<'n>(&self, draft: &'n Draft<'_>, at: usize) -> Option<Near<'n>> {
        let above = self.path.get(..at)?;
        let names: Vec<&'n str> = if self.is_claim {
            draft.types.claims()?.names(above)
        } else {
            let of = |taker: &Taker<'_>| match taker.space {
                Space::Prompts if above.is_empty() => draft.types.prompt_arg_names(taker.name),
                Space::Prompts => Vec::new(),
                _ => draft.types.arg_names(taker.name, above),
            };
            self.takers.iter().flat_map(of).collect()
        };
        near(self.path.get(at)?, names)
    }

    /// The change of member `at` to `near`.
    pub(super) fn rename(&self, draft: &Draft<'_>, at: usize, near: Near<'_>) -> Option<Fix> {
        let name = self.path.get(at)?;
        // Only where the path is written with dots: then its members stand where they seem to.
        let text = self.string.value.get(self.inner.clone())?;
        (text == self.name()).then_some(())?;
        let before = self.path.get(..at)?.iter().map(|name| name.len() + 1).sum::<usize>();
        let root = if self.is_claim { "claims." } else { "args." };
        let start = self.inner.start + root.len() + before;
        let edit = inner_edit(draft.sources, self.string, start..start + name.len(), near.word)?;
        Some(Fix { edits: vec![edit], ..Fix::rename(self.span, near, Applicability::Unsafe) })
    }

    /// The text `value` among what is asked: its place, and the change to `near`.
    pub(super) fn literal(&self, draft: &Draft<'_>, value: &str) -> Option<Span> {
        let range = self.literal_range(value)?;
        Some(inner_span(draft.sources, self.string, range))
    }

    pub(super) fn respell(&self, draft: &Draft<'_>, value: &str, near: Near<'_>) -> Option<Fix> {
        let range = self.literal_range(value)?;
        let range = range.start + 1..range.end - 1;
        let edit = inner_edit(draft.sources, self.string, range, near.word)?;
        Some(Fix { edits: vec![edit], ..Fix::rename(self.span, near, Applicability::Unsafe) })
    }

    fn literal_range(&self, value: &str) -> Option<std::ops::Range<usize>> {
        let text = self.string.value.get(self.asked.clone())?;
        let quoted = [format!("\"{value}\""), format!("'{value}'")];
        let found = quoted.iter().find_map(|quoted| Some((text.find(&**quoted)?, quoted.len())));
        found.map(|(at, length)| self.asked.start + at..self.asked.start + at + length)
    }
}

/// Everything that `rule` reads.
pub(super) fn asked<'d>(draft: &'d Draft<'_>, rule: &'d DraftRule, work: &Work) -> Vec<Asked<'d>> {
    let mut all = Vec::new();
    let takers = Cell::new(None);
    let takers = || -> Vec<Taker<'d>> {
        let known = takers.take().unwrap_or_else(|| takers_of(draft, rule, work));
        takers.set(Some(known.clone()));
        known
    };
    let predicate = rule.stanza.when.and_then(|at| draft.predicates.get(at as usize));
    if let (Some(predicate), Some(place)) = (predicate, rule.places.when) {
        let string = Spanned::new(predicate.expr.text(), place);
        for found in predicate.expr.uses() {
            let (is_claim, path) = path_of(draft, found.root);
            let takers = if is_claim { Vec::new() } else { work.afford(takers()) };
            let mut kind = type_of(draft, is_claim, &takers, &path);
            if found.of_element {
                kind = kind.elements.map_or(Type::ANY, |elements| *elements);
            }
            all.push(Asked {
                path,
                is_claim,
                of_element: found.of_element,
                question: found.question,
                kind,
                span: inner_span(draft.sources, string, found.span.clone()),
                whole: inner_span(draft.sources, string, found.whole.clone()),
                is_key: false,
                string,
                inner: found.span,
                asked: found.whole,
                takers,
            });
        }
    }
    for (path, place, question) in keys(rule) {
        let Some(root) = path.root() else { continue };
        let (is_claim, names) = path_of(draft, root);
        let takers = if is_claim { Vec::new() } else { work.afford(takers()) };
        all.push(Asked {
            kind: type_of(draft, is_claim, &takers, &names),
            path: names,
            is_claim,
            of_element: false,
            question,
            span: inner_span(draft.sources, Spanned::new(path.text(), place), 0..path.text().len()),
            whole: place,
            is_key: true,
            string: Spanned::new(path.text(), place),
            inner: 0..path.text().len(),
            asked: 0..path.text().len(),
            takers,
        });
    }
    all
}

/// The paths of a limit, their places, and what is asked of their values.
pub(super) fn keys(rule: &DraftRule) -> Vec<(&Path, Span, Question<'static>)> {
    let Body::Limit(limit) = &rule.stanza.body else { return Vec::new() };
    let Some(budget) = &limit.budget else { return Vec::new() };
    let per =
        budget.per.iter().zip(&rule.places.per).map(|(path, at)| (path, *at, Question::Other));
    let tier =
        budget.tier.iter().zip(rule.places.tier).map(|(path, at)| (path, at, Question::Text));
    let cost = match &budget.cost {
        Cost::At(path) => rule.places.cost.map(|at| (&**path, at, Question::Compared(Vec::new()))),
        Cost::Fixed(_) => None,
    };
    per.chain(tier).chain(cost).collect()
}

fn path_of<'d>(draft: &'d Draft<'_>, root: Root<'d>) -> (bool, Vec<&'d str>) {
    match root {
        Root::Claim(names) => (true, names.iter().map(|name| &**name).collect()),
        Root::Arg(slot) => (false, draft.captures.path(slot)),
    }
}

fn type_of(draft: &Draft<'_>, is_claim: bool, takers: &[Taker<'_>], path: &[&str]) -> Type {
    if is_claim {
        return draft.types.claim(path);
    }
    let types = takers.iter().map(|taker| match taker.space {
        Space::Prompts => draft.types.prompt_arg(taker.name, path),
        _ => draft.types.arg(taker.name, path),
    });
    types.reduce(Type::or).unwrap_or(Type::ANY)
}

/// The tools and prompts of the lock that `rule` selects; none where it selects anything else, whose arguments nobody
/// declares.
fn takers_of<'d>(draft: &'d Draft<'_>, rule: &DraftRule, work: &Work) -> Vec<Taker<'d>> {
    let Some(lock) = &draft.options.lock else { return Vec::new() };
    let is_declared = |space: &Space| matches!(space, Space::Tools | Space::Prompts);
    if rule.stanza.is_everything
        || !rule.stanza.patterns.iter().all(|(space, _)| is_declared(space))
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (space, pattern) in &rule.stanza.patterns {
        let list = if *space == Space::Prompts { List::Prompts } else { List::Tools };
        if let Some(name) = pattern.plain.exact() {
            // What the lock does not have has arguments that nobody knows.
            let Some(item) = lock.find(list, name) else { return Vec::new() };
            if seen.insert((*space, item.id())) {
                found.push(Taker { space: *space, name: item.id() });
            }
            continue;
        }
        if !work.take(lock.items(list).len()) {
            return Vec::new();
        }
        for item in lock.items(list).filter(|item| pattern.plain.matches(item.id())) {
            if seen.insert((*space, item.id())) {
                found.push(Taker { space: *space, name: item.id() });
            }
        }
    }
    found
}

/// `"free"`, `7`: a value as it is written in an expression.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a table".to_owned(),
    }
}
