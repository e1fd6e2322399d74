//! Comparisons of inputs with each other.

use std::sync::Arc;

use super::build::hints;
use super::{Free, Kleene, Model, is_of_class};
use crate::policy::Value;
use crate::policy::expr::formula::{Input, Other, RelationKind, Root, Term, Test};
use crate::policy::prove::diagram::Edge;
use crate::policy::prove::domain::Region;

impl Model {
    pub(super) fn other(&mut self, other: &Arc<Other>) -> Kleene {
        if let Some(known) = self.others.get(other) {
            return *known;
        }
        let made = self.make_other(other);
        self.others.insert(Arc::clone(other), made);
        made
    }

    pub(super) fn make_other(&mut self, other: &Arc<Other>) -> Kleene {
        let what = |known| Free::Other(Arc::clone(other), known);
        let Some(relation) = &other.relation else { return self.unknown(what, &other.text) };
        let (left, right) = (&relation.left, &relation.right);
        let mut defined = Edge::TRUE;
        if let (
            RelationKind::Equal | RelationKind::Less | RelationKind::Greater,
            Term::Input(a),
            Term::Input(b),
        ) = (relation.kind, left, right)
        {
            for input in [a, b] {
                let missing =
                    self.in_regions(input, |of| matches!(of, Region::Absent | Region::TooLarge));
                defined = self.diagram.and(defined, !missing);
            }
            let anything = self.unknown(what, &other.text);
            let texts: Vec<Edge> = [a, b].iter().map(|input| self.is_text(input)).collect();
            let both = self.diagram.all(texts.iter().copied());
            let either = self.diagram.any(texts);
            // A text and something else compare as unknown; two texts always compare.
            let mixed = self.diagram.and(either, !both);
            defined = self.diagram.and(defined, !mixed);
            let value = self.free(what(false), Some(&other.text));
            let (mut holds, fails) = (
                self.either(Kleene { is_true: both, is_false: !both }, value, anything.is_true),
                self.either(Kleene { is_true: both, is_false: !both }, !value, anything.is_false),
            );
            if relation.kind == RelationKind::Equal {
                let same = self.agree(a, b);
                holds = self.diagram.and(holds, same);
                let one = self.one_value(a, b);
                let fails = self.diagram.and(fails, !one);
                return Kleene {
                    is_true: self.diagram.and(defined, holds),
                    is_false: self.diagram.and(defined, fails),
                };
            }
            return Kleene {
                is_true: self.diagram.and(defined, holds),
                is_false: self.diagram.and(defined, fails),
            };
        }
        for input in &other.inputs {
            let is_text = self.is_text(input);
            defined = self.diagram.and(defined, is_text);
        }
        let mut value = self.free(what(false), Some(&other.text));
        // The constant ends of what is put together say something by themselves.
        for (input, test) in hints(relation.kind, left, right) {
            if !is_of_class(input.root) {
                let hint = self.test(&input, &test);
                value = self.diagram.and(value, hint.is_true);
            }
        }
        Kleene {
            is_true: self.diagram.and(defined, value),
            is_false: self.diagram.and(defined, !value),
        }
    }

    /// Where `input` is a text.
    pub(super) fn is_text(&mut self, input: &Input) -> Edge {
        match input.root {
            Root::Method => Edge::TRUE,
            root if is_of_class(root) => {
                self.free(Free::Fact(root, Test::Has, true), Some(&input.text()))
            }
            _ => self.in_regions(input, Region::is_text),
        }
    }

    /// Where no test that is asked of both tells `a` from `b`.
    pub(super) fn agree(&mut self, a: &Input, b: &Input) -> Edge {
        let mut agree = Edge::TRUE;
        for test in self.shared(a, b) {
            let (x, y) = (self.test(a, &test), self.test(b, &test));
            for (x, y) in [(x.is_true, y.is_true), (x.is_false, y.is_false)] {
                let (both, neither) = (self.diagram.and(x, y), self.diagram.and(!x, !y));
                let same = self.diagram.or(both, neither);
                agree = self.diagram.and(agree, same);
            }
        }
        agree
    }

    /// Where both are one constant.
    pub(super) fn one_value(&mut self, a: &Input, b: &Input) -> Edge {
        let mut each = Vec::new();
        for test in self.shared(a, b) {
            if matches!(test, Test::Equals(_)) {
                let (x, y) = (self.test(a, &test), self.test(b, &test));
                each.push(self.diagram.and(x.is_true, y.is_true));
            }
        }
        self.diagram.any(each)
    }

    pub(super) fn shared(&self, a: &Input, b: &Input) -> Vec<Test> {
        let (Some(a), Some(b)) = (self.domains.get(a), self.domains.get(b)) else {
            return Vec::new();
        };
        // Of lists and objects that are alike, tests of what is inside may still be undecided in different ways.
        let is_plain = |test: &&Test| {
            matches!(
                test,
                Test::Equals(Value::String(_) | Value::Number(_) | Value::Bool(_))
                    | Test::Less(_)
                    | Test::Greater(_)
                    | Test::StartsWith(_)
                    | Test::EndsWith(_)
                    | Test::Contains(_)
            )
        };
        let mut shared: Vec<Test> = a
            .regions
            .truths
            .keys()
            .filter(|test| b.regions.truths.contains_key(*test))
            .filter(is_plain)
            .cloned()
            .collect();
        shared.sort_by_cached_key(|test| format!("{test:?}"));
        shared
    }
}
