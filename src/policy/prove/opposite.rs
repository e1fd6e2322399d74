//! What would have to be true for a call to be decided the other way: the fewest facts that can be changed, each change tried.
//!
//! First the prover says whether anything about the caller, the arguments and the setting can turn the verdict at all. If so,
//! the values that rules tell apart ([`super::domain`]) and those that comparisons of inputs ask for are put in the place of
//! what is there: one at a time, then two, then three. Where that is not enough, the prover's own call is taken and all of it
//! put back that need not differ. Nothing is reported but what [`Policy::decide`] has decided so.

use std::collections::{BTreeSet, VecDeque};

use super::classes::{Class, class_of};
use super::command::json;
use super::diagram::MAX_NODES;
use super::domain::{Region, Regions};
use super::engine::{Answer, Engine};
use super::example::{Example, Given, Values, attempts, of_element};
use crate::policy::expr::formula::{Input, Relation, Root, Test};
use crate::policy::index::members;
use crate::policy::selector::{Question, Space};
use crate::policy::{Call, Context, Policy, Principal, UnixTime, Value};

/// Facts that are changed together in the search. What needs more comes from the prover.
const MOST_CHANGES: usize = 3;
/// Decisions of one search: less than a tenth of a second.
const MOST_DECISIONS: usize = 5_000;
/// Ways to turn a verdict that are told.
const MOST_TURNS: usize = 5;
/// Of these, other targets.
const MOST_TARGETS: usize = 2;

/// What would have to be true for the opposite verdict.
#[derive(Clone, Debug)]
pub enum Opposite {
    /// Any one of these; the fewest changes first.
    Turned(Vec<Turn>),
    /// It is proved that nothing about the caller, the arguments or the setting changes the verdict.
    Fixed,
    /// Nothing was found. What could not be told: conditions, or `several resources`, of which each is decided.
    NotFound(Vec<Box<str>>),
}

/// Facts that turn a verdict together.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What is changed.
    pub changes: Vec<Changed>,
    /// The call with these changes, which was decided the other way.
    pub example: Example,
}

/// A fact that is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// As conditions write it: `claims.plan`; of targets `the tool`, `the prompt`, `the resource`.
    pub what: Box<str>,
    /// What it is, as JSON; `None` where it is not there.
    pub before: Option<Box<str>>,
    /// What it would have to be.
    pub after: Option<Box<str>>,
}

impl Policy {
    /// What would have to be true for the opposite of what is decided of `call` at `now`; `is_server` where the server asks.
    #[must_use]
    pub fn opposite(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        is_server: bool,
        now: UnixTime,
    ) -> Opposite {
        let asked = Example::asked(self.captures(), principal, context, call, is_server, now);
        let Some(asked) = asked else {
            return Opposite::NotFound(vec!["several resources".into()]);
        };
        let target = asked.words.target();
        let speaking: BTreeSet<u32> =
            self.index.candidates(&target, Question::Use).blocks().flat_map(members).collect();
        let speaks = |id: u32| speaking.contains(&id);
        let (mut engine, tests) = Engine::of(&[self], now, MAX_NODES, &speaks);
        let Some(class) = class_of(self, &tests, asked.words.clone()) else {
            return Opposite::NotFound(Vec::new());
        };
        let wanted = asked.decide(self).is_err();
        let relations = engine.relations();
        let mut turns = Vec::new();
        let proved = proved(&mut engine, &class, wanted);
        if !matches!(proved, Answer::No) {
            let search = Search { policy: self, engine: &engine, relations: &relations, wanted };
            turns = search.smallest(&asked);
            if let (true, Answer::Yes(found)) = (turns.is_empty(), &proved) {
                turns.extend(search.reduced(&asked, found));
            }
        }
        let few = turns.iter().all(|turn| turn.changes.len() <= 1);
        if wanted && few {
            turns.extend(self.other_targets(&asked));
        }
        turns.truncate(MOST_TURNS);
        match (turns.is_empty(), proved) {
            (false, _) => Opposite::Turned(turns),
            (true, Answer::No) => Opposite::Fixed,
            (true, Answer::Perhaps(blame)) => Opposite::NotFound(blame),
            (true, Answer::Yes(_)) => Opposite::NotFound(Vec::new()),
        }
    }

    /// Targets that rules or the lock name, of which the same caller may do the same.
    fn other_targets(&self, asked: &Example) -> Vec<Turn> {
        let Some(object) = &asked.words.object else { return Vec::new() };
        let space = Space::of(object.kind);
        let patterns = self.stanzas.iter().flat_map(|stanza| &stanza.patterns);
        let names: BTreeSet<&str> = patterns
            .filter(|(of, _)| *of == space)
            .filter_map(|(_, pattern)| pattern.plain.exact())
            .collect();
        let target = Input::root(Root::Target);
        let other = |name: &str| {
            let example = asked.changed(&target, &Given::Value(Value::from(name)))?;
            let changes = vec![change(asked, &example, &target)];
            example.decide(self).is_ok().then_some(Turn { changes, example })
        };
        names.into_iter().filter_map(other).take(MOST_TARGETS).collect()
    }
}

/// Whether some call of `class` is `wanted`: permitted, or not.
fn proved(engine: &mut Engine<'_>, class: &Class, wanted: bool) -> Answer {
    let permitted = engine.permits(0, class);
    let Some(policy) = engine.policy(0) else { return Answer::No };
    let question = if wanted { permitted } else { !permitted };
    let answer = engine.ask(class, question, &|example| example.decide(policy).is_ok() == wanted);
    match answer {
        Answer::No if !engine.is_sound() => Answer::Perhaps(vec!["the size of the rules".into()]),
        answer => answer,
    }
}

struct Search<'s> {
    policy: &'s Policy,
    engine: &'s Engine<'s>,
    relations: &'s [Relation],
    wanted: bool,
}

impl Search<'_> {
    fn is_turned(&self, example: &Example) -> bool {
        example.decide(self.policy).is_ok() == self.wanted
    }

    /// The smallest sets of facts with which `asked` is turned, all of one size.
    fn smallest(&self, asked: &Example) -> Vec<Turn> {
        let mut turned: Vec<(BTreeSet<Input>, Example)> = Vec::new();
        let mut tried: BTreeSet<Vec<(Input, String)>> = BTreeSet::new();
        let mut left = MOST_DECISIONS;
        // Breadth first, so that the first that are found are the smallest.
        let mut open: VecDeque<(BTreeSet<Input>, Example)> =
            VecDeque::from([(BTreeSet::new(), asked.clone())]);
        while let Some((changed, from)) = open.pop_front() {
            let is_enough = turned.first().is_some_and(|(first, _)| first.len() <= changed.len());
            if is_enough || changed.len() == MOST_CHANGES {
                break;
            }
            for (input, given) in self.steps(&from) {
                if changed.contains(&input) || turned.len() >= MOST_TURNS || left == 0 {
                    continue;
                }
                let mut all = changed.clone();
                all.insert(input.clone());
                // A larger set than one that is known says nothing more.
                if turned.iter().any(|(known, _)| known.is_subset(&all)) {
                    continue;
                }
                let Some(next) = from.changed(&input, &given) else { continue };
                let key = all.iter().map(|input| (input.clone(), told(&next, input))).collect();
                if !tried.insert(key) {
                    continue;
                }
                left -= 1;
                if self.is_turned(&next) {
                    turned.push((all, next));
                } else {
                    open.push_back((all, next));
                }
            }
        }
        turned.into_iter().map(|(_, example)| self.turn(asked, example)).collect()
    }

    /// `found`, with all of it as in `asked` that need not differ.
    fn reduced(&self, asked: &Example, found: &Example) -> Option<Turn> {
        let inputs: Vec<&Input> = self.engine.model.inputs().map(|(input, _)| input).collect();
        let mut now = asked.clone();
        for input in &inputs {
            if now.given(input) != found.given(input) {
                now = now.changed(input, &found.given(input)).unwrap_or(now);
            }
        }
        if !self.is_turned(&now) {
            now = found.clone();
        }
        for input in &inputs {
            let back = now.changed(input, &asked.given(input));
            if let Some(back) = back.filter(|back| self.is_turned(back)) {
                now = back;
            }
        }
        self.is_turned(&now).then(|| self.turn(asked, now))
    }

    fn turn(&self, asked: &Example, example: Example) -> Turn {
        let target = Input::root(Root::Target);
        let inputs = self.engine.model.inputs().map(|(input, _)| input).chain([&target]);
        let changes = inputs
            .filter(|input| asked.given(input) != example.given(input))
            // The claim that says it is told in its place, where rules read that as well.
            .filter(|input| input.root != Root::ClientId || !self.is_told(asked, &example, "sub"))
            .filter(|input| {
                input.root != Root::ClientIssuer || !self.is_told(asked, &example, "iss")
            })
            .map(|input| change(asked, &example, input));
        Turn { changes: changes.collect(), example }
    }

    /// Whether the claim `name` is an input of its own and differs.
    fn is_told(&self, asked: &Example, example: &Example, name: &str) -> bool {
        let claim = Input { root: Root::Claims, names: Box::new([name.into()]) };
        self.engine.model.domain(&claim).is_some() && asked.given(&claim) != example.given(&claim)
    }

    /// Changes of one fact that are worth a try, the likelier first.
    fn steps(&self, from: &Example) -> Vec<(Input, Given)> {
        let mut steps: Vec<(u8, Input, Given)> = Vec::new();
        let mut values = Values::new();
        for (input, regions) in self.engine.model.inputs() {
            let now = from.given(input);
            values.insert(input.clone(), now.clone());
            let all = candidates(regions, &now);
            let differing = all.into_iter().filter(|(_, given)| *given != now);
            steps.extend(differing.map(|(rank, given)| (rank, input.clone(), given)));
        }
        for relation in self.relations {
            for wanted in [true, false] {
                for (input, value) in attempts(relation, &values, &from.words, wanted) {
                    steps.push((0, input.clone(), Given::Value(value)));
                }
            }
        }
        steps.sort_by_key(|(rank, ..)| *rank);
        steps.into_iter().map(|(_, input, given)| (input, given)).collect()
    }
}

/// Values to try in the place of `now`, with how odd each is.
fn candidates(regions: &Regions, now: &Given) -> Vec<(u8, Given)> {
    let mut all = Vec::new();
    let constants: Vec<&Value> = regions
        .truths
        .keys()
        .filter_map(|test| match test {
            Test::Equals(value) | Test::Less(value) | Test::Greater(value) => Some(value),
            _ => None,
        })
        .collect();
    let has_texts = regions.truths.keys().any(|test| {
        matches!(
            test,
            Test::StartsWith(_) | Test::EndsWith(_) | Test::Contains(_) | Test::Matches(_)
        )
    });
    let like = |value: &Value| {
        let same =
            |other: &&&Value| std::mem::discriminant(**other) == std::mem::discriminant(value);
        constants.iter().any(|other| same(&other)) || has_texts && value.as_str().is_some()
    };
    for region in &regions.all {
        let given = match region {
            Region::Absent => (3, Given::Absent),
            Region::Address(ip) => (1, Given::Address(*ip)),
            Region::Value(value) | Region::Open(value) => {
                let rank = match value {
                    value if constants.contains(&value) => 0,
                    value if like(value) => 1,
                    Value::Bool(_) => 1,
                    _ => 2,
                };
                (rank, Given::Value(value.clone()))
            }
            Region::Map => (2, Given::Value(Value::Map(Vec::new()))),
            Region::List => {
                let elements = regions.elements.as_deref();
                all.extend(elements.into_iter().flat_map(|elements| lists(elements, now)));
                continue;
            }
            Region::TooLarge | Region::Wild | Region::Lost => continue,
        };
        all.push(given);
    }
    all
}

/// The list that is there with one element more, or without one.
fn lists(elements: &Regions, now: &Given) -> Vec<(u8, Given)> {
    let list = match now {
        Given::Value(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    let mut lists: Vec<(u8, Given)> = Vec::new();
    let mut add = |rank, list: Vec<Value>| lists.push((rank, Given::Value(Value::List(list))));
    for region in &elements.all {
        let element = of_element(region);
        let is_asked = elements.truths.keys().any(|test| *test == Test::Equals(element.clone()));
        if !list.contains(&element) {
            add(u8::from(!is_asked), list.iter().cloned().chain([element]).collect());
        }
    }
    for at in 0..list.len() {
        let others = list.iter().enumerate().filter(|(other, _)| *other != at);
        add(1, others.map(|(_, value)| value.clone()).collect());
    }
    add(2, Vec::new());
    lists
}

fn told(example: &Example, input: &Input) -> String {
    match example.given(input) {
        Given::Absent => String::new(),
        Given::TooLarge => "too large".into(),
        Given::Value(value) => json(&value),
        Given::Address(ip) => ip.to_string(),
    }
}

fn change(asked: &Example, example: &Example, input: &Input) -> Changed {
    let what = match (input.root, asked.object()) {
        (Root::Target, Some(object)) => format!("the {}", object.kind.as_str()),
        _ => input.text(),
    };
    let side = |of: &Example| Some(told(of, input)).filter(|text| !text.is_empty()).map(Into::into);
    Changed { what: what.into(), before: side(asked), after: side(example) }
}
