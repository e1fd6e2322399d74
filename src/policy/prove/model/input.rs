//! Tests of one input.

use super::{Free, Kleene, Model};
use crate::policy::Value;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Formula, Input, Test};
use crate::policy::prove::diagram::Edge;
use crate::policy::prove::domain::{Judged, Region};

impl Model {
    pub(super) fn test(&mut self, input: &Input, test: &Test) -> Kleene {
        let key = (input.clone(), test.clone());
        if let Some(known) = self.tests.get(&key) {
            return *known;
        }
        let made = self.make_test(input, test);
        self.tests.insert(key, made);
        made
    }

    pub(super) fn make_test(&mut self, input: &Input, test: &Test) -> Kleene {
        let Some(domain) = self.domains.get(input) else { return Kleene::UNKNOWN };
        let (first, bits) = (domain.first, domain.bits);
        let none = Vec::new();
        let truths = domain.regions.truths.get(test).unwrap_or(&none).clone();
        let is_inner = |region: &Region| matches!(region, Region::List | Region::Map);
        let inner: Vec<bool> = domain.regions.all.iter().map(is_inner).collect();
        let mut select = |wanted: &dyn Fn(Judged, bool) -> bool| {
            let codes: Vec<bool> =
                truths.iter().zip(&inner).map(|(judged, inner)| wanted(*judged, *inner)).collect();
            self.diagram.codes(first, bits, &codes)
        };
        let mut is_true = select(&|judged, _| judged == Judged::Is(Truth::True));
        let mut is_false = select(&|judged, _| judged == Judged::Is(Truth::False));
        let decided = select(&|judged, inner| judged == Judged::Decided && !inner);
        let any = select(&|judged, inner| judged == Judged::Any && !inner);
        let open = self.diagram.or(decided, any);
        if open != Edge::FALSE {
            let blame = input.text();
            let value = self.free(Free::Test(input.clone(), test.clone(), false), Some(&blame));
            let known = self.free(Free::Test(input.clone(), test.clone(), true), Some(&blame));
            let known = self.diagram.or(decided, known);
            let open = self.diagram.and(open, known);
            let (holds, fails) = (self.diagram.and(open, value), self.diagram.and(open, !value));
            is_true = self.diagram.or(is_true, holds);
            is_false = self.diagram.or(is_false, fails);
        }
        for (region, inside) in
            [(Region::List, self.of_list(input, test)), (Region::Map, self.of_map(input, test))]
        {
            let Some(inside) = inside else { continue };
            let here = self.in_regions(input, |of| *of == region);
            let holds = self.diagram.and(here, inside.is_true);
            let fails = self.diagram.and(here, inside.is_false);
            is_true = self.diagram.or(is_true, holds);
            is_false = self.diagram.or(is_false, fails);
        }
        Kleene { is_true, is_false }
    }

    /// What `test` says of a list, where that depends on what is in it.
    pub(super) fn of_list(&mut self, input: &Input, test: &Test) -> Option<Kleene> {
        let domain = self.domains.get(input)?;
        let elements = domain.regions.elements.as_deref()?;
        let present = domain.present.clone();
        let odd = domain.is_odd?;
        // By region of elements, what one of it comes to.
        let of_elements: Vec<Judged> = match test {
            Test::HasElement(value) => elements.truths.get(&Test::Equals(value.clone()))?.clone(),
            Test::Loop { every, body } => {
                let of = |region: &Region| match judge_body(body, region) {
                    // `all` is what no element refutes.
                    Judged::Is(truth) if *every => Judged::Is(!truth),
                    judged => judged,
                };
                elements.all.iter().map(of).collect()
            }
            Test::Size(size) => {
                // Of the empty list it is known.
                let when_empty = Test::Size(size.clone()).on(Some(Some(&Value::List(Vec::new()))));
                let blame = input.text();
                let free = self.free(Free::Test(input.clone(), test.clone(), false), Some(&blame));
                let some: Vec<Edge> =
                    present.iter().map(|variable| self.diagram.variable(*variable)).collect();
                let some = self.diagram.any(some);
                let value = match when_empty {
                    Truth::True => self.diagram.or(!some, free),
                    _ => self.diagram.and(some, free),
                };
                return Some(Kleene { is_true: value, is_false: !value });
            }
            Test::Equals(Value::List(_)) => {
                let what = |known| Free::Test(input.clone(), test.clone(), known);
                return Some(self.unknown(what, &input.text()));
            }
            _ => return None,
        };
        let is_strange = of_elements.iter().any(|judged| !matches!(judged, Judged::Is(_)));
        let mut of = |wanted: Truth| {
            let some: Vec<Edge> = of_elements
                .iter()
                .zip(&present)
                .filter(|(judged, _)| **judged == Judged::Is(wanted))
                .map(|(_, variable)| self.diagram.variable(*variable))
                .collect();
            self.diagram.any(some)
        };
        let (found, unsure) = (of(Truth::True), of(Truth::Unknown));
        let missing = self.diagram.and(!found, !unsure);
        let plain = Kleene { is_true: found, is_false: missing };
        let odd = self.diagram.variable(odd);
        let what = |known| Free::Test(input.clone(), test.clone(), known);
        let strange = match test {
            _ if is_strange => self.unknown(what, &input.text()),
            // What was not found may come after the last element that is looked at.
            Test::HasElement(_) => Kleene { is_true: found, is_false: Edge::FALSE },
            _ => {
                let known = self.free(what(true), None);
                Kleene {
                    is_true: self.diagram.and(plain.is_true, known),
                    is_false: self.diagram.and(plain.is_false, known),
                }
            }
        };
        let mut odds = vec![odd];
        for (judged, variable) in of_elements.iter().zip(&present) {
            if !matches!(judged, Judged::Is(_)) {
                odds.push(self.diagram.variable(*variable));
            }
        }
        let odd = self.diagram.any(odds);
        let condition = Kleene { is_true: odd, is_false: !odd };
        let exists = Kleene {
            is_true: self.either(condition, strange.is_true, plain.is_true),
            is_false: self.either(condition, strange.is_false, plain.is_false),
        };
        Some(if matches!(test, Test::Loop { every: true, .. }) { !exists } else { exists })
    }

    /// What `test` says of an object, where that depends on its members.
    pub(super) fn of_map(&mut self, input: &Input, test: &Test) -> Option<Kleene> {
        match test {
            Test::HasElement(Value::String(name)) => {
                let member = input.member(name);
                let missing = self.in_regions(&member, |region| *region == Region::Absent);
                Some(Kleene { is_true: !missing, is_false: missing })
            }
            Test::Size(_) => {
                let blame = input.text();
                let value = self.free(Free::Test(input.clone(), test.clone(), true), Some(&blame));
                Some(Kleene { is_true: value, is_false: !value })
            }
            _ => None,
        }
    }
}

/// What the body of a loop comes to for an element of `region`.
fn judge_body(body: &Formula, region: &Region) -> Judged {
    let Region::Value(value) = region else {
        // Lists and objects: the same as an empty one, unless something looks inside.
        let mut is_plain = true;
        body.visit(&mut |part| {
            if let Formula::Test(_, test) = part {
                is_plain &= matches!(region.judge(test), Judged::Is(_));
            }
        });
        return match region {
            Region::List if is_plain => Judged::Is(body.on_element(&Value::List(Vec::new()))),
            Region::Map if is_plain => Judged::Is(body.on_element(&Value::Map(Vec::new()))),
            Region::Open(like) if is_plain => Judged::Is(body.on_element(like)),
            _ => Judged::Any,
        };
    };
    Judged::Is(body.on_element(value))
}
