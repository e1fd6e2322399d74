//! The calls that selectors can tell apart, one example of each.
//!
//! Which rules speak of a call depends on its method and on the name of what it acts on. Names are walked through all
//! patterns of all rules at once ([`super::automaton`]); each set of patterns that a name can match is a class, of which a real
//! name is kept. What rules speak of that name is asked of the index, as a decision would. Of URI templates, which only
//! `completion/complete` takes, those are looked at that rules and conditions spell out, or that a pattern with variables in
//! the place of its wildcards is. Not looked at: URIs that are not canonical, which no rule is asked about.

mod names;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::names::{Name, Patterns, automaton_is_blind};
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Root, Test};
use crate::policy::index::{Index, members};
use crate::policy::selector::{Question, Space};
use crate::policy::target::{Target, kinds};
use crate::policy::{Object, Policy, Value};
use crate::wire::mcp::uri::is_template;
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
type Signature =
    ((bool, Option<Box<str>>), bool, Vec<Vec<u32>>, Vec<u32>, Vec<Option<Truth>>, bool);

struct Build<'b> {
    policies: &'b [&'b Policy],
    /// The asserts of the first policy by what they select, as rules are found.
    asserts: Index,
    tests: &'b [(Root, Test)],
    known: HashSet<Signature>,
    classes: Vec<Class>,
    is_complete: bool,
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
            // Templates stand for resources where something refers to these, and are read nowhere else.
            let is_read = |name: &&Name| info.target == Named::Ref || !is_template(&name.text);
            for name in names.get(&(*kind as u8)).into_iter().flatten().filter(is_read) {
                let object = Some(Object { kind: *kind, name: name.text.as_str().into() });
                let words = Words::new(info.name, object);
                build.add(words, name, patterns.get(&(*kind as u8)));
            }
        }
        // What names no target is refused before a rule is asked.
        if !matches!(info.target, Named::Name(_) | Named::Uri | Named::Ref) {
            build.add_plain(Words::new(info.name, None), true);
        }
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
            // Of a task, limits speak by its method alone.
            (words.is_server, target.is_of_task().then(|| words.method.clone())),
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
}

impl Words {
    /// What it is about, for people.
    pub(super) fn name(&self) -> &str {
        self.object.as_ref().map_or(&self.method, |object| &object.name)
    }
}
