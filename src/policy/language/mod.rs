//! From policy files to rules: TOML, every key checked, all problems at once.
//!
//! ```text
//! sources ─ document (TOML with spans) ─ stanza (keys of every rule) ─ selectors, limit, test ─► Draft
//! Draft ─ lint (what only the whole set shows) ─► Parts, in the order of evaluation
//! ```

pub mod checks;
pub mod codes;

mod assert;
mod limit;
mod lint;
mod pin;
mod rate;
mod schema;
mod selectors;
mod slips;
mod stanza;
mod test;
pub(super) mod uris;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use super::example::PolicyTest;
use super::expr::{Expr, ExprFix, ExprProblem, Reads};
use super::pin::PinInfo;
use super::set::Parts;
use super::stanza::{Assert, Predicate, Stanza};
use super::types::Types;
use super::{Captures, CompileOptions, RuleInfo, SetDigest};
use crate::diagnostic::document::{Document, inner_edit, inner_span};
use crate::diagnostic::{
    Applicability, Code, Diagnostic, Fix, Near, Problems, Source, SourceId, Sources, Span, Spanned,
};

/// Most rules in a set. What is not mentioned costs nothing, but memory and compilation time are linear.
pub const MAX_RULES: usize = 50_000;

/// What has been read so far.
#[derive(Debug)]
struct Draft<'s> {
    sources: &'s Sources,
    options: &'s CompileOptions,
    problems: &'s Problems,
    captures: Captures,
    predicates: Vec<Predicate>,
    by_text: HashMap<Box<str>, u32>,
    rules: Vec<DraftRule>,
    tests: Vec<PolicyTest>,
    pins: Vec<DraftPin>,
    /// What claims and arguments are declared to be.
    types: Types,
    asserts: Vec<Assert>,
    /// Every name in the set and where it was first given.
    names: HashMap<Box<str>, Span>,
    nameless: Vec<Nameless>,
}

/// A stanza without a name.
#[derive(Debug)]
struct Nameless {
    /// What is reported, but for the name that could be given.
    finding: Diagnostic,
    /// The beginning of that name.
    stem: String,
    header: Span,
}

/// A rule with what findings about it need.
#[derive(Debug)]
struct DraftRule {
    stanza: Stanza,
    info: RuleInfo,
    name: Span,
    /// Where each of the patterns stands, in their order.
    patterns: Vec<Span>,
    expires: Option<Span>,
    places: Places,
}

/// Where the strings of a rule stand that hold expressions and paths, quotes included.
#[derive(Clone, Debug, Default)]
struct Places {
    when: Option<Span>,
    /// Of a limit, as all below.
    per: Vec<Span>,
    tier: Option<Span>,
    /// The names of the tiers in the table of rates, in their order.
    tiers: Vec<Span>,
    cost: Option<Span>,
}

/// A pin with what findings about it need.
#[derive(Debug)]
struct DraftPin {
    info: PinInfo,
    expires: Option<Span>,
}

/// Reads the policy files `files` of `sources`.
pub(super) fn read(
    sources: &Sources,
    files: impl IntoIterator<Item = SourceId>,
    options: &CompileOptions,
    problems: &Problems,
) -> Parts {
    let mut draft = Draft {
        sources,
        options,
        problems,
        captures: Captures::new(),
        predicates: Vec::new(),
        by_text: HashMap::new(),
        rules: Vec::new(),
        tests: Vec::new(),
        pins: Vec::new(),
        types: Types::default(),
        asserts: Vec::new(),
        names: HashMap::new(),
        nameless: Vec::new(),
    };
    // What is declared goes first: rules are read against it.
    let name = |file: &SourceId| sources.source(*file).map_or("", Source::name);
    let (schemas, files): (Vec<SourceId>, Vec<SourceId>) =
        files.into_iter().partition(|file| schema::is_schema(name(file)));
    let claims = draft.read_schemas(&schemas);
    draft.types = Types::new(claims, options.lock.clone());
    for file in files {
        draft.read_file(file);
    }
    draft.report_nameless();
    lint::lint(&draft);
    checks::check(&draft);
    draft.finish()
}

impl Draft<'_> {
    fn read_file(&mut self, file: SourceId) {
        let Some(source) = self.sources.source(file) else { return };
        let problems = self.problems;
        let Some(document) = Document::parse(source.text(), file, codes::DOCUMENT, problems) else {
            return;
        };
        // A rule that opens something is not made of a slip of the pen without a look.
        let mut root = document.root("a policy file").opening(&["allow"]).elsewhere(words::STANZAS);
        let file: Arc<str> = source.name().into();
        for table in root.tables("allow") {
            self.read_rule(table, Keys::Allow, &file);
        }
        for table in root.tables("deny") {
            self.read_rule(table, Keys::Deny, &file);
        }
        for table in root.tables("limit") {
            self.read_rule(table, Keys::Limit, &file);
        }
        for table in root.tables("test") {
            self.read_test(table, &file);
        }
        for table in root.tables("pin") {
            self.read_pin(table, &file);
        }
        for table in root.tables("assert") {
            self.read_assert(table);
        }
        root.finish();
    }

    /// Reports a control that is in the language but not in this version.
    fn not_enforced(&self, what: &str, span: Span) {
        let message = format!("`{what}` is not enforced yet");
        self.report(
            Diagnostic::error(codes::NOT_ENFORCED, message)
                .primary(span, "nothing would act on this")
                .help("remove it: what is written here must be in force"),
        );
    }

    fn report(&self, finding: Diagnostic) {
        self.problems.push(finding);
    }

    /// Claims `name` for the stanza that has it at `span`.
    fn claim_name(&mut self, name: &str, span: Span) {
        if let Some(first) = self.names.get(name) {
            let finding = Diagnostic::error(
                codes::DUPLICATE_NAME,
                format!("two stanzas are called `{name}`"),
            );
            self.report(finding.primary(span, "").secondary(*first, "the first one"));
            return;
        }
        self.names.insert(name.into(), span);
    }

    /// The predicate for the condition `text`, shared with every rule that has the same text.
    fn predicate(&mut self, text: Spanned<&str>) -> Option<u32> {
        if let Some(known) = self.by_text.get(text.value) {
            return Some(*known);
        }
        match Expr::parse(text.value, &mut self.captures) {
            Ok(expr) => {
                if expr.reads().any_of(Reads::TOOL) {
                    self.not_enforced("tool", text.span);
                    return None;
                }
                let at = u32::try_from(self.predicates.len()).ok()?;
                self.predicates.push(Predicate { expr, memo: None });
                self.by_text.insert(text.value.into(), at);
                Some(at)
            }
            Err(problems) => {
                self.report_expression(codes::BAD_CONDITION, text, problems);
                None
            }
        }
    }

    /// Reports what is wrong with the expression `text`, inside its string.
    fn report_expression(&self, code: Code, text: Spanned<&str>, problems: Vec<ExprProblem>) {
        for problem in problems {
            let place = inner_span(self.sources, text, problem.span);
            let mut finding =
                Diagnostic::error(code, problem.message).primary(place, problem.label);
            for (range, label) in problem.also {
                finding = finding.secondary(inner_span(self.sources, text, range), label);
            }
            let fix = problem.fix.and_then(|fix| self.expression_fix(text, *fix));
            self.report(finding.maybe_help(problem.help).maybe_fix(fix));
        }
    }

    /// `fix` in the file of the expression `text`, where it is sure to come out as that.
    fn expression_fix(&self, text: Spanned<&str>, fix: ExprFix) -> Option<Fix> {
        let there = text.value.get(fix.span.clone())?;
        // A member may be named in quotes, as in `client["ip"]`.
        let span = if *there == *fix.found {
            fix.span
        } else if there.get(1..there.len().checked_sub(1)?)? == &*fix.found {
            fix.span.start + 1..fix.span.end - 1
        } else {
            return None;
        };
        let edit = inner_edit(self.sources, text, span, &fix.replacement)?;
        let applicability =
            if fix.is_certain { Applicability::Safe } else { Applicability::Unsafe };
        let title = format!("write `{}`", fix.replacement);
        Some(Fix { title, edits: vec![edit], applicability })
    }

    /// A finding about the word `text`: what was probably meant, and the fix that writes it.
    fn meant(
        &self,
        finding: Diagnostic,
        text: Spanned<&str>,
        near: Option<Near<'_>>,
        at_best: Applicability,
    ) -> Diagnostic {
        let Some(near) = near else { return finding };
        let edit = inner_edit(self.sources, text, 0..text.value.len(), near.word);
        let fix =
            edit.map(|edit| Fix { edits: vec![edit], ..Fix::rename(text.span, near, at_best) });
        finding.help(format!("did you mean `{}`?", near.word)).maybe_fix(fix)
    }

    /// The rules in the order of evaluation.
    fn finish(self) -> Parts {
        let mut rules: Vec<(Stanza, RuleInfo)> =
            self.rules.into_iter().map(|rule| (rule.stanza, rule.info)).collect();
        rules.sort_by(|(_, a), (_, b)| {
            (a.effect, a.mode, &a.name).cmp(&(b.effect, b.mode, &b.name))
        });
        let mut pins: Vec<PinInfo> = self.pins.into_iter().map(|pin| pin.info).collect();
        pins.sort_by(|a, b| a.name.cmp(&b.name));
        let mut asserts = self.asserts;
        asserts.sort_by(|a, b| a.stanza.name.cmp(&b.stanza.name));
        Parts {
            rules,
            predicates: self.predicates,
            captures: self.captures,
            tests: self.tests,
            pins,
            asserts,
            lock: self.options.lock.clone(),
            types: self.types,
            digest: SetDigest::default(),
        }
    }
}

/// Which keys of its own a stanza has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    Allow,
    Deny,
    Limit,
}
