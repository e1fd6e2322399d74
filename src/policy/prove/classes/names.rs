//! One name for each set of patterns that a name can match.

use std::collections::{BTreeSet, HashMap};

use super::Build;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Root, Test};
use crate::policy::language::uris;
use crate::policy::prove::automaton::{self, Alphabet, Found, Pattern, Reading};
use crate::policy::selector::resembles_a_method;
use crate::policy::selector::{Class as Kind, MAX_NAME, Pattern as Selector, Space, Step, Subject};
use crate::policy::{Effect, Value};
use crate::wire::mcp::Method;
use crate::wire::mcp::uri::{Form, check, is_template};

/// A name of a space.
pub(super) struct Name {
    pub(super) text: String,
    /// Of its patterns, the ids; where the text itself is not a name of the class.
    pub(super) vague: Option<Vec<u32>>,
    /// Whether tests of the name come to the same for all of the class.
    pub(super) is_even: bool,
}

/// Who has a pattern: policies with their rules, and asserts.
type Owners<'o> = (&'o mut Vec<(usize, u32)>, &'o mut Vec<u32>);

/// The patterns of one space.
#[derive(Default)]
pub(super) struct Patterns<'b> {
    all: Vec<&'b Selector>,
    /// By pattern, the policies and rules that have it; then the asserts.
    rules: Vec<Vec<(usize, u32)>>,
    asserts: Vec<Vec<u32>>,
}

impl<'b> Build<'b> {
    /// The patterns over `space`.
    pub(super) fn patterns(&self, space: Space) -> Patterns<'b> {
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
    pub(super) fn names(&mut self, space: Space) -> Vec<Name> {
        let patterns = self.patterns(space);
        let alphabet = if space == Space::Resources { Alphabet::Uri } else { Alphabet::Name };
        let mut walked = Vec::new();
        for (id, pattern) in (0_u32..).zip(&patterns.all) {
            let plain: Vec<Step> = pattern.plain.steps().collect();
            let Some(folded) = &pattern.folded else {
                walked.push(Pattern::new(id, Reading::Plain, plain));
                continue;
            };
            let steps: Vec<Step> = folded.steps().collect();
            let readings: &[Reading] = match space {
                Space::Resources => &[Reading::Lower, Reading::Reduced],
                _ => &[Reading::Folded],
            };
            let first = readings.first().copied().unwrap_or(Reading::Plain);
            if !automaton::contains(first, &steps, &plain) {
                walked.push(Pattern::new(id, Reading::Plain, plain.clone()));
            }
            let spelt = if plain.len() == steps.len() { plain } else { Vec::new() };
            walked.extend(readings.iter().map(|reading| Pattern {
                id,
                reading: *reading,
                steps: steps.clone(),
                spelt: spelt.clone(),
            }));
        }
        let root = match space {
            Space::Methods | Space::ServerRequests => Root::Method,
            Space::Tools | Space::Prompts | Space::Resources => Root::Target,
        };
        let mut next = 1 << 20;
        // Tests that one name passes alone.
        let mut alone: HashMap<u32, &str> = HashMap::new();
        for (_, test) in self.tests.iter().filter(|(of, _)| *of == root) {
            walked.extend(Pattern::of(test, next));
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
            names.extend(self.templates(&patterns));
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

    /// The templates that `patterns` and tests spell out, and those that are a pattern with variables for wildcards.
    fn templates(&self, patterns: &Patterns<'_>) -> Vec<Name> {
        let patterns = patterns.all.iter().map(|pattern| spelt(pattern, |_| "{x}"));
        let asked = self.tests.iter().filter_map(|(root, test)| match test {
            Test::Equals(Value::String(text)) if *root == Root::Target => Some(text.to_string()),
            _ => None,
        });
        let templates = patterns.chain(asked).filter(|text| is_template(text));
        let regular = templates.filter(|text| Subject::new(Space::Resources, text).is_regular);
        let all: BTreeSet<String> = regular.collect();
        all.into_iter().map(|text| Name { text, vague: None, is_even: true }).collect()
    }

    /// Names too long to be compared with patterns, one for each set of tests of `root` that holds for some.
    fn long_names(&mut self, root: Root) -> Vec<Name> {
        let tests: Vec<&Test> =
            self.tests.iter().filter(|(of, _)| *of == root).map(|(_, test)| test).collect();
        let walked: Vec<Pattern> =
            (0_u32..).zip(&tests).filter_map(|(id, test)| Pattern::of(test, id)).collect();
        let (found, is_complete) = automaton::walk(&walked, Alphabet::Name, |_| true);
        self.is_complete &= is_complete;
        let truths = |text: &str| -> Vec<Truth> {
            let value = Value::from(text);
            let told = tests.iter().filter(|test| !automaton_is_blind(test));
            told.map(|test| test.on(Some(Some(&value)))).collect()
        };
        let mut names = Vec::new();
        for short in found {
            let mut ids = short.ids.iter().filter_map(|id| tests.get(*id as usize));
            // One name alone, which is not long or is spelt out.
            if ids.any(|test| matches!(test, Test::Equals(_))) {
                continue;
            }
            let wanted = truths(&short.text);
            let longer = ['x', 'z'].into_iter().chain(' '..='~').find_map(|fill| {
                let fill = fill.to_string().repeat(MAX_NAME + 1);
                let ends = short.text.char_indices().map(|(at, _)| at).chain([short.text.len()]);
                let mut texts = ends.map(|at| {
                    let (head, tail) = short.text.split_at_checked(at).unwrap_or_default();
                    [head, &fill, tail].concat()
                });
                texts.find(|text| truths(text) == wanted)
            });
            let is_even = longer.is_some();
            let text = longer.unwrap_or_else(|| "x".repeat(MAX_NAME + 1));
            names.push(Name { text, vague: None, is_even });
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

    pub(super) fn of(&self, ids: &[u32]) -> impl Iterator<Item = (usize, u32)> {
        ids.iter().filter_map(|id| self.rules.get(*id as usize)).flatten().copied()
    }

    pub(super) fn asserts_of(&self, ids: &[u32]) -> impl Iterator<Item = u32> {
        ids.iter().filter_map(|id| self.asserts.get(*id as usize)).flatten().copied()
    }

    /// Whether no name can match all of what was found: one that must be spelled so is none.
    fn is_impossible(&self, found: &Found, is_regular: impl Fn(&str) -> bool) -> bool {
        let all = found.ids.iter().filter_map(|id| self.all.get(*id as usize));
        // What looks like a method is taken for one, and has no one reading; nor has what folds to what does.
        all.filter(|pattern| {
            let exact = pattern.plain.exact();
            pattern.folded.is_none() || exact.is_some_and(resembles_a_method)
        })
        .filter_map(|pattern| pattern.plain.exact())
        .any(|name| !is_regular(name))
    }
}

/// The pattern as it was written.
fn text_of(pattern: &Selector) -> String {
    spelt(pattern, |wildcard| match wildcard {
        Step::Many(Kind::Any) => "**",
        Step::Many(_) => "*",
        _ => "?",
    })
}

/// The pattern with texts for its wildcards.
fn spelt(pattern: &Selector, wildcard: impl Fn(Step) -> &'static str) -> String {
    let step = |step| match step {
        Step::Char(c) => c.to_string(),
        other => wildcard(other).to_owned(),
    };
    pattern.plain.steps().map(step).collect()
}

/// Whether walks do not tell by it.
pub(super) fn automaton_is_blind(test: &Test) -> bool {
    !matches!(test, Test::Has | Test::IsNull | Test::InNothing | Test::Holds)
        && Pattern::of(test, 0).is_none()
}
