//! The calls that selectors can tell apart, one example of each.
//!
//! Which rules speak of a call depends on its method and on the name of what it acts on. Names are walked through all
//! patterns of all rules at once ([`automaton`]); each set of patterns that a name can match is a class, of which a real
//! name is kept. What rules speak of that name is asked of the index, as a decision would. Not looked at: URI templates,
//! which only `completion/complete` takes, and URIs that are not canonical, which no rule is asked about.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::automaton::{self, Alphabet, Found, Pattern, Reading};
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Root, Test};
use crate::policy::index::{Index, members};
use crate::policy::language::uris;
use crate::policy::selector::{Class as Kind, Pattern as Selector, Question, Space, Step, Subject};
use crate::policy::target::{Target, kinds};
use crate::policy::{Effect, Object, Policy, Value};
use crate::wire::mcp::uri::{Form, check, is_template};
use crate::wire::mcp::{Method, ObjectKind, Revision, Target as Named};

/// Calls that no selector tells apart.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) words: Words,
    /// By policy, the rules that speak of them, in order.
    pub(super) rules: Vec<Vec<u32>>,
    /// The asserts that speak of them.
    pub(super) asserts: Vec<u32>,
    /// Whether they belong to the lifecycle set.
    pub(super) is_lifecycle: bool,
    /// What tests of method, kind and name come to; those that differ from call to call are not in it.
    facts: HashMap<(Root, Test), Truth>,
    /// Whether the words are those of a real call.
    pub(super) is_real: bool,
}

/// A call as far as selectors read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Words {
    pub(super) method: Box<str>,
    pub(super) object: Option<Object>,
    /// The server asks.
    pub(super) is_server: bool,
    /// It subscribes to nothing.
    pub(super) is_empty: bool,
}

/// What no selector tells apart, and no test.
type Signature = ((bool, bool), bool, Vec<Vec<u32>>, Vec<u32>, Vec<Option<Truth>>, bool);

struct Build<'b> {
    policies: &'b [&'b Policy],
    /// The asserts of the first policy by what they select, as rules are found.
    asserts: Index,
    tests: &'b [(Root, Test)],
    known: HashSet<Signature>,
    classes: Vec<Class>,
    is_complete: bool,
}

/// A name of a space.
struct Name {
    text: String,
    /// Of its patterns, the ids; where the text itself is not a name of the class.
    vague: Option<Vec<u32>>,
    /// Whether tests of the name come to the same for all of the class.
    is_even: bool,
}

/// Who has a pattern: policies with their rules, and asserts.
type Owners<'o> = (&'o mut Vec<(usize, u32)>, &'o mut Vec<u32>);

/// The patterns of one space.
#[derive(Default)]
struct Patterns<'b> {
    all: Vec<&'b Selector>,
    /// By pattern, the policies and rules that have it; then the asserts.
    rules: Vec<Vec<(usize, u32)>>,
    asserts: Vec<Vec<u32>>,
}

/// All classes of calls under `policies`, and whether these are all; `tests` are asked of methods and names. The asserts
/// are those of the first policy.
pub(super) fn classes(policies: &[&Policy], tests: &[(Root, Test)]) -> (Vec<Class>, bool) {
    let mut build = Build::new(policies, tests);
    let names: BTreeMap<u8, Vec<Name>> =
        [ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource]
            .map(|kind| (kind as u8, build.names(Space::of(kind))))
            .into();
    let patterns: BTreeMap<u8, Patterns<'_>> =
        [ObjectKind::Tool, ObjectKind::Prompt, ObjectKind::Resource]
            .map(|kind| (kind as u8, build.patterns(Space::of(kind))))
            .into();
    // What is asked for most comes first: its words stand for the class.
    let usual = [Method::ToolsCall, Method::ResourcesRead, Method::PromptsGet];
    let mut rest: Vec<Method> = Method::all().iter().map(|info| info.method).collect();
    rest.retain(|method| !usual.contains(method));
    // What clients are only asked they may send all the same, and the rules are asked about it.
    rest.sort_by_key(|method| {
        !Revision::ALL.into_iter().any(|revision| method.info().is_sent_to_server(revision))
    });
    for method in usual.into_iter().chain(rest) {
        let info = method.info();
        for kind in kinds(info) {
            for name in names.get(&(*kind as u8)).into_iter().flatten() {
                let object = Some(Object { kind: *kind, name: name.text.as_str().into() });
                let words = Words::new(info.name, object);
                build.add(words, name, patterns.get(&(*kind as u8)));
            }
        }
        build.add_plain(Words::new(info.name, None), true);
        if info.target == Named::Filter {
            build.add_plain(Words { is_empty: true, ..Words::new(info.name, None) }, true);
        }
    }
    for space in [Space::Methods, Space::ServerRequests] {
        let is_server = space == Space::ServerRequests;
        let known = Method::all().iter().filter(|_| is_server);
        for info in known {
            build.add_plain(Words { is_server, ..Words::new(info.name, None) }, true);
        }
        let patterns = build.patterns(space);
        for name in build.names(space) {
            let words = Words { is_server, ..Words::new(&name.text, None) };
            build.add(words, &name, Some(&patterns));
        }
    }
    // Real calls first: one of them may settle the question.
    build.classes.sort_by_key(|class| !class.is_real);
    (build.classes, build.is_complete)
}

/// The class of calls that are told by `words` alone.
pub(super) fn class_of(policy: &Policy, tests: &[(Root, Test)], words: Words) -> Option<Class> {
    let policies = [policy];
    let mut build = Build::new(&policies, tests);
    build.add_plain(words, true);
    build.classes.pop()
}

impl Words {
    fn new(method: &str, object: Option<Object>) -> Self {
        Self { method: method.into(), object, is_server: false, is_empty: false }
    }

    pub(super) fn target(&self) -> Target<'_> {
        if self.is_server {
            return Target::server_request(&self.method);
        }
        let object = self.object.as_ref().map(|object| (object.kind, &*object.name));
        Target::new(&self.method, object, self.is_empty)
    }

    /// The value of `root`, where it has one.
    fn value(&self, root: Root) -> Option<Value> {
        match root {
            Root::Method => Some(Value::from(&*self.method)),
            Root::Kind => self.object.as_ref().map(|object| Value::from(object.kind.as_str())),
            _ => self.object.as_ref().map(|object| Value::from(&*object.name)),
        }
    }
}

impl Class {
    /// What `test` of `root` comes to; `None` where that differs.
    pub(super) fn fact(&self, root: Root, test: &Test) -> Option<Truth> {
        self.facts.get(&(root, test.clone())).copied()
    }

    /// The rules of policy `at` that speak of it.
    pub(super) fn rules_of(&self, at: usize) -> &[u32] {
        self.rules.get(at).map_or(&[], Vec::as_slice)
    }
}

impl<'b> Build<'b> {
    fn new(policies: &'b [&'b Policy], tests: &'b [(Root, Test)]) -> Self {
        let asserts = policies.first().map_or(&[][..], |policy| &policy.asserts);
        let asserts = Index::new(asserts.iter().map(|assert| assert.stanza.entry()));
        let (known, classes) = (HashSet::new(), Vec::new());
        Self { policies, asserts, tests, known, classes, is_complete: true }
    }

    fn add_plain(&mut self, words: Words, is_even: bool) {
        let name = Name { text: String::new(), vague: None, is_even };
        self.add(words, &name, None);
    }

    fn add(&mut self, words: Words, name: &Name, patterns: Option<&Patterns<'_>>) {
        let target = words.target();
        let speakers = |index: &Index| -> Vec<u32> {
            index.candidates(&target, Question::Use).blocks().flat_map(members).collect()
        };
        let mut rules: Vec<Vec<u32>> =
            self.policies.iter().map(|policy| speakers(&policy.index)).collect();
        let mut asserts = speakers(&self.asserts);
        let is_lifecycle = target.is_lifecycle();
        if let (Some(ids), Some(patterns)) = (&name.vague, patterns) {
            // What speaks of it by its method stays; what the name says is said by the patterns.
            let bare = Words { object: None, is_empty: true, ..words.clone() };
            let bare = bare.target();
            for (at, rules) in rules.iter_mut().enumerate() {
                rules.retain(|rule| {
                    let stanza = self.policies.get(at).and_then(|p| p.stanzas.get(*rule as usize));
                    stanza
                        .is_some_and(|stanza| stanza.is_everything || stanza.selects_method(&bare))
                });
                rules.extend(patterns.of(ids).filter(|(of, _)| *of == at).map(|(_, rule)| rule));
                rules.sort_unstable();
                rules.dedup();
            }
            let of = self.policies.first().map_or(&[][..], |policy| &policy.asserts);
            asserts.retain(|assert| {
                let assert = of.get(*assert as usize);
                assert.is_some_and(|a| a.stanza.is_everything || a.stanza.selects_method(&bare))
            });
            asserts.extend(patterns.asserts_of(ids));
            asserts.sort_unstable();
            asserts.dedup();
        }
        let facts: Vec<Option<Truth>> = self
            .tests
            .iter()
            .map(|(root, test)| {
                let is_known = *root == Root::Kind
                    || (name.vague.is_none() && name.is_even && !automaton_is_blind(test))
                    || *root == Root::Method && Method::from_wire(&words.method) != Method::Other
                    || *root == Root::Target && words.object.is_none();
                let value = words.value(*root);
                is_known.then(|| test.on(value.as_ref().map(Some)))
            })
            .collect();
        let is_real = name.vague.is_none();
        let key = (
            (words.is_server, target.is_of_task()),
            is_lifecycle,
            rules.clone(),
            asserts.clone(),
            facts.clone(),
            is_real,
        );
        if !self.known.insert(key) {
            return;
        }
        let facts = self.tests.iter().zip(facts);
        let facts = facts.filter_map(|(test, truth)| Some((test.clone(), truth?))).collect();
        self.classes.push(Class { words, rules, asserts, is_lifecycle, facts, is_real });
    }

    /// The patterns over `space`.
    fn patterns(&self, space: Space) -> Patterns<'b> {
        let mut patterns = Patterns::default();
        let mut known: HashMap<&'b Selector, usize> = HashMap::new();
        for (at, policy) in self.policies.iter().enumerate() {
            for (id, stanza) in (0_u32..).zip(&policy.stanzas) {
                for (_, pattern) in stanza.patterns.iter().filter(|(of, _)| *of == space) {
                    if let Some(rules) = patterns.at(&mut known, pattern, space) {
                        rules.0.push((at, id));
                    }
                }
            }
            if at > 0 {
                continue;
            }
            for (id, assert) in (0_u32..).zip(&policy.asserts) {
                for (_, pattern) in assert.stanza.patterns.iter().filter(|(of, _)| *of == space) {
                    if let Some(rules) = patterns.at(&mut known, pattern, space) {
                        rules.1.push(id);
                    }
                }
            }
        }
        patterns
    }

    /// One name for each set of patterns of `space` that a name can match.
    fn names(&mut self, space: Space) -> Vec<Name> {
        let patterns = self.patterns(space);
        let alphabet = if space == Space::Resources { Alphabet::Uri } else { Alphabet::Name };
        let mut walked = Vec::new();
        for (id, pattern) in (0_u32..).zip(&patterns.all) {
            let mut add = |reading, steps| walked.push(Pattern { id, reading, steps });
            let plain: Vec<Step> = pattern.plain.steps().collect();
            let Some(folded) = &pattern.folded else {
                add(Reading::Plain, plain);
                continue;
            };
            let steps: Vec<Step> = folded.steps().collect();
            let reading = if space == Space::Resources { Reading::Lower } else { Reading::Folded };
            if !automaton::contains(reading, &steps, &plain) {
                add(Reading::Plain, plain);
            }
            match space {
                Space::Resources => {
                    add(Reading::Lower, steps.clone());
                    add(Reading::Reduced, steps);
                }
                _ => add(Reading::Folded, steps),
            }
        }
        let root = match space {
            Space::Methods | Space::ServerRequests => Root::Method,
            Space::Tools | Space::Prompts | Space::Resources => Root::Target,
        };
        let mut next = 1 << 20;
        // Tests that one name passes alone.
        let mut alone: HashMap<u32, &str> = HashMap::new();
        for (_, test) in self.tests.iter().filter(|(of, _)| *of == root) {
            walked.extend(pattern_of(test, next));
            if let Test::Equals(Value::String(text)) = test {
                alone.insert(next, text);
            }
            next += 1 << 10;
        }
        let is_regular = |text: &str| match space {
            Space::Resources => check(text, Form::Uri).is_ok() && !is_template(text),
            Space::Methods | Space::ServerRequests => {
                Subject::new(space, text).is_regular && Method::from_wire(text) == Method::Other
            }
            Space::Tools | Space::Prompts => Subject::new(space, text).is_regular,
        };
        let (found, is_complete) = automaton::walk(&walked, alphabet, is_regular);
        self.is_complete &= is_complete;
        let mut names: Vec<Name> = found
            .into_iter()
            .filter(|found| found.is_real || !patterns.is_impossible(found, is_regular))
            .filter(|found| {
                let mut alone = found.ids.iter().filter_map(|id| alone.get(id));
                found.is_real || alone.all(|name| is_regular(name))
            })
            .map(|found| {
                let vague = (!found.is_real).then_some(found.ids);
                Name { text: found.text, vague, is_even: true }
            })
            .collect();
        if space == Space::Resources {
            return names;
        }
        // Names without one reading: every deny and limit speaks of them, and an allow that spells one out.
        names.extend(self.long_names(root));
        let asked = self.tests.iter().filter_map(|(of, test)| match test {
            Test::Equals(Value::String(text)) if *of == root => Some(&**text),
            _ => None,
        });
        let spelled = patterns.all.iter().filter_map(|pattern| pattern.plain.exact()).chain(asked);
        let spelled = spelled.filter(|name| !Subject::new(space, name).is_regular);
        names.extend(spelled.map(|name| Name {
            text: name.to_owned(),
            vague: None,
            is_even: true,
        }));
        names
    }

    /// Names too long to be compared with patterns, one for each set of tests of `root` that holds for some.
    fn long_names(&mut self, root: Root) -> Vec<Name> {
        let tests: Vec<&Test> =
            self.tests.iter().filter(|(of, _)| *of == root).map(|(_, test)| test).collect();
        let walked: Vec<Pattern> =
            (0_u32..).zip(&tests).filter_map(|(id, test)| pattern_of(test, id)).collect();
        let (found, is_complete) = automaton::walk(&walked, Alphabet::Name, |_| true);
        self.is_complete &= is_complete;
        let truths = |text: &str| -> Vec<Truth> {
            let value = Value::from(text);
            let told = tests.iter().filter(|test| !automaton_is_blind(test));
            told.map(|test| test.on(Some(Some(&value)))).collect()
        };
        let mut names = Vec::new();
        for short in found {
            let wanted = truths(&short.text);
            let ends = short.text.char_indices().map(|(at, _)| at).chain([short.text.len()]);
            let mut longer = ends.flat_map(|at| {
                let (head, tail) = short.text.split_at_checked(at).unwrap_or_default();
                ["x", "z", "~"].map(|fill| {
                    format!("{head}{}{tail}", fill.repeat(crate::policy::selector::MAX_NAME + 1))
                })
            });
            let text = longer.find(|text| truths(text) == wanted);
            let mut ids = short.ids.iter().filter_map(|id| tests.get(*id as usize));
            match text {
                Some(text) => names.push(Name { text, vague: None, is_even: true }),
                // One name alone, which is not long.
                None if ids.any(|test| matches!(test, Test::Equals(_))) => {}
                None => {
                    let text = "x".repeat(crate::policy::selector::MAX_NAME + 1);
                    names.push(Name { text, vague: None, is_even: false });
                }
            }
        }
        names
    }
}

impl<'b> Patterns<'b> {
    /// The rules and asserts of `pattern`; `None` where no name matches it.
    fn at(
        &mut self,
        known: &mut HashMap<&'b Selector, usize>,
        pattern: &'b Selector,
        space: Space,
    ) -> Option<Owners<'_>> {
        if space == Space::Resources {
            let effect = if pattern.folded.is_some() { Effect::Deny } else { Effect::Allow };
            if uris::fault(&text_of(pattern), effect).is_some() {
                return None;
            }
        }
        let at = *known.entry(pattern).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(pattern);
            self.rules.push(Vec::new());
            self.asserts.push(Vec::new());
        }
        Some((self.rules.get_mut(at)?, self.asserts.get_mut(at)?))
    }

    fn of(&self, ids: &[u32]) -> impl Iterator<Item = (usize, u32)> {
        ids.iter().filter_map(|id| self.rules.get(*id as usize)).flatten().copied()
    }

    fn asserts_of(&self, ids: &[u32]) -> impl Iterator<Item = u32> {
        ids.iter().filter_map(|id| self.asserts.get(*id as usize)).flatten().copied()
    }

    /// Whether no name can match all of what was found: one that must be spelled so is none.
    fn is_impossible(&self, found: &Found, is_regular: impl Fn(&str) -> bool) -> bool {
        let all = found.ids.iter().filter_map(|id| self.all.get(*id as usize));
        // What looks like a method is taken for one, and has no one reading.
        all.filter(|pattern| {
            let exact = pattern.plain.exact();
            pattern.folded.is_none()
                || exact.is_some_and(|name| Method::from_wire(name) != Method::Other)
        })
        .filter_map(|pattern| pattern.plain.exact())
        .any(|name| !is_regular(name))
    }
}

/// The pattern as it was written.
fn text_of(pattern: &Selector) -> String {
    let step = |step| match step {
        Step::Char(c) => c.to_string(),
        Step::One(_) => "?".into(),
        Step::Many(Kind::Any) => "**".into(),
        Step::Many(_) => "*".into(),
    };
    pattern.plain.steps().map(step).collect()
}

/// Whether walks do not tell by it.
fn automaton_is_blind(test: &Test) -> bool {
    !matches!(test, Test::Has | Test::IsNull | Test::InNothing | Test::Holds)
        && pattern_of(test, 0).is_none()
}

/// The pattern that tells texts apart as `test` does.
fn pattern_of(test: &Test, id: u32) -> Option<Pattern> {
    let chars = |text: &str| text.chars().map(Step::Char).collect::<Vec<_>>();
    let any = Step::Many(Kind::Any);
    let (reading, steps) = match test {
        Test::Equals(Value::String(text)) => (Reading::Plain, chars(text)),
        Test::Less(Value::String(text)) => (Reading::Less, chars(text)),
        Test::Greater(Value::String(text)) => (Reading::Greater, chars(text)),
        Test::StartsWith(text) => (Reading::Plain, [chars(text), vec![any]].concat()),
        Test::EndsWith(text) => (Reading::Plain, [vec![any], chars(text)].concat()),
        Test::Contains(text) => (Reading::Plain, [vec![any], chars(text), vec![any]].concat()),
        _ => return None,
    };
    Some(Pattern { id, reading, steps })
}

impl Words {
    /// What it is about, for people.
    pub(super) fn name(&self) -> &str {
        self.object.as_ref().map_or(&self.method, |object| &object.name)
    }
}
