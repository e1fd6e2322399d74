//! Which calls are allowed, as functions: by class of call, over everything else that rules read.

use std::collections::{HashMap, HashSet};

use super::classes::{Class, classes};
use super::diagram::Edge;
use super::example::Example;
use super::model::{Model, is_of_class};
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Formula, Input, Relation, Root, Test};
use crate::policy::selector::Question;
use crate::policy::stanza::{Body, Stanza};
use crate::policy::{Captures, Effect, Mode, Number, Policy, UnixTime, Value};

/// Ways that are tried to make an example of, of one class and question.
const MAX_TRIES: usize = 24;

/// A rule as formulas.
struct Rule {
    /// What must be true for it to be asked: its time, its routes, its scopes.
    guard: Formula,
    when: Formula,
    /// Whether it is the same function for every class.
    is_even: bool,
}

/// One or two policies, ready to be asked about.
pub(super) struct Engine<'p> {
    policies: Vec<&'p Policy>,
    pub(super) model: Model,
    rules: Vec<Vec<Rule>>,
    asserts: Vec<Rule>,
    even: HashMap<(usize, u32, bool), Edge>,
    is_complete: bool,
    now: UnixTime,
}

/// The answer to "is there a call that ...?".
#[derive(Debug)]
pub(super) enum Answer {
    No,
    Yes(Box<Example>),
    /// Perhaps; what could not be told.
    Perhaps(Vec<Box<str>>),
}

impl<'p> Engine<'p> {
    /// `policies` at `now` and after; the asserts are those of the first. At most `most` nodes are made.
    pub(super) fn new(policies: &[&'p Policy], now: UnixTime, most: usize) -> (Self, Vec<Class>) {
        let (this, tests) = Self::of(policies, now, most, &|_| true);
        let (classes, is_complete) = classes(policies, &tests);
        (Self { is_complete, ..this }, classes)
    }

    /// As [`Engine::new`], for questions about classes of which no rules but those that `speaks` speak; with the tests of
    /// methods and names.
    pub(super) fn of(
        policies: &[&'p Policy],
        now: UnixTime,
        most: usize,
        speaks: &dyn Fn(u32) -> bool,
    ) -> (Self, Vec<(Root, Test)>) {
        let mut rules = Vec::new();
        let mut asserts = Vec::new();
        for (at, policy) in policies.iter().enumerate() {
            let paths = paths(policy.captures());
            let path = |slot: u8| paths.get(&slot).cloned().unwrap_or_default();
            let read = |stanza: &Stanza| {
                let expr = stanza.when.and_then(|when| policy.predicates.get(when as usize));
                let when = match stanza.when {
                    None => Formula::Always(Truth::True),
                    Some(_) => {
                        expr.map_or(Formula::Always(Truth::Unknown), |of| of.expr.formula(&path))
                    }
                };
                Rule { guard: guard(stanza), is_even: !when.reads(is_of_class), when }
            };
            let silent = || Rule {
                guard: Formula::Always(Truth::False),
                when: Formula::Always(Truth::False),
                is_even: true,
            };
            let each = (0_u32..).zip(&policy.stanzas);
            let each = each.map(|(id, rule)| if speaks(id) { read(rule) } else { silent() });
            rules.push(each.collect::<Vec<_>>());
            if at == 0 {
                asserts = policy.asserts.iter().map(|assert| read(&assert.stanza)).collect();
            }
        }
        // The time begins now; where nothing ends it has one region.
        let start =
            Formula::Test(Input::root(Root::Now), Test::Equals(Value::Number(Number::from(now))));
        let all = rules.iter().flatten().chain(&asserts).flat_map(|rule| [&rule.guard, &rule.when]);
        let all: Vec<&Formula> = all.chain([&start]).collect();
        let model = Model::new(all.iter().copied(), most);
        let mut tests: HashSet<(Root, Test)> = HashSet::new();
        for formula in &all {
            formula.visit(&mut |part| {
                if let Formula::Test(input, test) = part
                    && is_of_class(input.root)
                {
                    tests.insert((input.root, test.clone()));
                }
            });
        }
        let mut tests: Vec<(Root, Test)> = tests.into_iter().collect();
        tests.sort_by_cached_key(|test| format!("{test:?}"));
        let this = Self {
            policies: policies.to_vec(),
            model,
            rules,
            asserts,
            even: HashMap::new(),
            is_complete: true,
            now,
        };
        (this, tests)
    }

    /// What rules say of inputs together.
    pub(super) fn relations(&self) -> Vec<Relation> {
        let mut relations = Vec::new();
        for rule in self.rules.iter().flatten() {
            rule.when.visit(&mut |part| {
                if let Formula::Other(other) = part
                    && let Some(relation) = &other.relation
                    && !relations.contains(relation)
                {
                    relations.push(relation.clone());
                }
            });
        }
        relations
    }

    /// Whether what is nowhere true can be called false.
    pub(super) fn is_sound(&self) -> bool {
        self.is_complete && self.model.is_sound()
    }

    pub(super) fn policy(&self, at: usize) -> Option<&'p Policy> {
        self.policies.get(at).copied()
    }

    /// Where rule `id` of policy `at` applies to calls of `class`, which its selectors match.
    pub(super) fn applies(&mut self, at: usize, id: u32, class: &Class) -> Edge {
        let target = class.words.target();
        let is_limit = |stanza: &Stanza| stanza.effect() == Effect::Limit;
        if target.is_of_task()
            && self.stanza(at, id).is_some_and(|stanza| {
                is_limit(stanza) && !stanza.selects(&target.of_method_alone(), Question::Use)
            })
        {
            // A poll of a task costs nothing of its tool's budget.
            return Edge::FALSE;
        }
        let key = (at, id, target.is_of_task());
        if let Some(known) = self.even.get(&key) {
            return *known;
        }
        let found = self.rules.get(at).and_then(|rules| rules.get(id as usize));
        let effect = self.stanza(at, id).map(Stanza::effect);
        let (Some(rule), Some(effect)) = (found, effect) else { return Edge::FALSE };
        let made = function(&mut self.model, rule, effect, class);
        if rule.is_even {
            self.even.insert(key, made);
        }
        made
    }

    /// Where assert `id` speaks of calls of `class`, which its selectors match.
    pub(super) fn asserts(&mut self, id: u32, class: &Class) -> Edge {
        let stanza = self.policy(0).and_then(|policy| policy.asserts.get(id as usize));
        let (Some(rule), Some(assert)) = (self.asserts.get(id as usize), stanza) else {
            return Edge::FALSE;
        };
        function(&mut self.model, rule, assert.stanza.effect(), class)
    }

    /// The rules of policy `at` in force that speak of `class`, with where they apply.
    pub(super) fn in_force(
        &mut self,
        at: usize,
        class: &Class,
        effect: Effect,
    ) -> Vec<(u32, Edge)> {
        let mut found = Vec::new();
        for id in class.rules_of(at) {
            let Some(rule) = self.stanza(at, *id) else { continue };
            if rule.effect() == effect && rule.mode == Mode::Enforce {
                found.push((*id, self.applies(at, *id, class)));
            }
        }
        found
    }

    pub(super) fn stanza(&self, at: usize, id: u32) -> Option<&'p Stanza> {
        self.policies.get(at)?.stanzas.get(id as usize)
    }

    /// Where policy `at` permits calls of `class`.
    pub(super) fn permits(&mut self, at: usize, class: &Class) -> Edge {
        let denies = self.in_force(at, class, Effect::Deny);
        let denied = self.model.diagram.any(denies.into_iter().map(|(_, edge)| edge));
        // Words that are not real stand for others.
        let is_unreadable = class.is_real && class.words.target().is_ambiguous_resource();
        let allowed = if class.is_lifecycle {
            Edge::TRUE
        } else if is_unreadable {
            Edge::FALSE
        } else {
            let allows = self.in_force(at, class, Effect::Allow);
            self.model.diagram.any(allows.into_iter().map(|(_, edge)| edge))
        };
        self.model.diagram.and(allowed, !denied)
    }

    /// Whether some call of `class` makes `question` true; an example counts only where `confirms` says that it is one.
    pub(super) fn ask(
        &mut self,
        class: &Class,
        question: Edge,
        confirms: &dyn Fn(&Example) -> bool,
    ) -> Answer {
        let mut left = self.model.diagram.and(question, self.model.constraint);
        let mut blame: Vec<Box<str>> = Vec::new();
        for tries in 0..MAX_TRIES {
            if self.model.diagram.is_full() {
                return Answer::Perhaps(vec!["the size of the rules".into()]);
            }
            // What came to nothing may have had a list too long to be looked at: without such, if it can be.
            let mut way = None;
            if tries > 0 {
                let easy = self.model.without_long_lists();
                let easy = self.model.diagram.and(left, easy);
                way = self.model.diagram.witness(easy);
            }
            let Some(way) = way.or_else(|| self.model.diagram.witness(left)) else {
                if blame.is_empty() {
                    return Answer::No;
                }
                return Answer::Perhaps(blame);
            };
            let found = Example::along(&self.model, &way, &class.words, self.now);
            if class.is_real
                && let Some(example) = found.into_iter().find(|example| confirms(example))
            {
                return Answer::Yes(Box::new(example));
            }
            for what in self.model.blame(&way) {
                if !blame.contains(&what) {
                    blame.push(what);
                }
            }
            if blame.is_empty() {
                blame.push(if class.is_real {
                    "values that depend on each other".into()
                } else {
                    format!("names such as `{}`", class.words.name()).into()
                });
            }
            let cube = self.model.diagram.cube(&way);
            left = self.model.diagram.and(left, !cube);
        }
        Answer::Perhaps(blame)
    }
}

/// Where `rule` of `effect` applies to calls of `class`.
fn function(model: &mut Model, rule: &Rule, effect: Effect, class: &Class) -> Edge {
    let facts = |root, test: &Test| class.fact(root, test);
    let guard = model.compile(&rule.guard, &facts).is_true;
    let when = match (effect, class.words.target().is_of_task()) {
        (Effect::Allow, false) => model.compile(&rule.when, &facts).is_true,
        (Effect::Allow, true) => model.possible(&rule.when, &facts).is_true,
        (Effect::Deny, true) => !model.possible(&rule.when, &facts).is_false,
        (Effect::Deny | Effect::Limit, _) => !model.compile(&rule.when, &facts).is_false,
    };
    model.diagram.and(guard, when)
}

/// What beside its condition must hold for a rule to apply.
fn guard(stanza: &Stanza) -> Formula {
    let mut parts = Vec::new();
    if let Some(end) = stanza.expires {
        let end = Value::Number(Number::from(end));
        parts.push(Formula::Test(Input::root(Root::Now), Test::Less(end)));
    }
    if !stanza.routes.is_empty() {
        let route =
            |name: &str| Formula::Test(Input::root(Root::Route), Test::Equals(Value::from(name)));
        parts.push(Formula::Any(stanza.routes.iter().map(|name| route(name)).collect()));
    }
    if let Body::Allow { scopes } = &stanza.body {
        parts.extend(scopes.iter().map(|scope| {
            let scope = Value::String(scope.clone());
            Formula::Test(Input::root(Root::ClientScopes), Test::HasElement(scope))
        }));
    }
    Formula::All(parts)
}

/// The path of each argument slot.
fn paths(captures: &Captures) -> HashMap<u8, Box<[Box<str>]>> {
    let mut paths = HashMap::new();
    let mut open: Vec<(u16, Vec<Box<str>>)> = vec![(0, Vec::new())];
    while let Some((node, path)) = open.pop() {
        if let Some(slot) = captures.slot(node) {
            paths.insert(slot, path.clone().into());
        }
        for (name, next) in captures.children(node) {
            let mut path = path.clone();
            path.push(name.into());
            open.push((next, path));
        }
    }
    paths
}
