//! What the examples of a set have shown of its rules: which applied, which did not, and what each comparison of a
//! condition came to.
//!
//! Counted are, of every rule, that it applied; of one with a condition also that it did not because of that, and that
//! each comparison in it was true and was false.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::expr::{ConditionSeen, Scope, Truth};
use super::{Args, Call, Considered, Context, Explanation, Outcome, Policy, Principal, RuleInfo};
use super::{PolicyTest, UnixTime};
use crate::wire::mcp::Revision;

/// What was seen of the rules of one policy set.
#[derive(Clone, Debug)]
pub struct Coverage {
    rules: Vec<RuleCoverage>,
}

/// What was seen of one rule.
#[derive(Clone, Debug)]
pub struct RuleCoverage {
    /// Its name, place and effect.
    pub info: RuleInfo,
    /// It applied.
    pub applied: bool,
    /// It did not, as its condition was false.
    pub was_false: bool,
    /// Its condition was unknown: an allow did not apply, a deny or a limit did.
    pub was_unknown: bool,
    /// The comparisons of its condition, in the order of the text; empty where it has none.
    pub atoms: Vec<AtomCoverage>,
}

/// What was seen of one comparison.
#[derive(Clone, Debug)]
pub struct AtomCoverage {
    span: Range<usize>,
    /// How it is written.
    pub text: Box<str>,
    /// It was true.
    pub was_true: bool,
    /// It was false.
    pub was_false: bool,
    /// It was unknown.
    pub was_unknown: bool,
}

impl Policy {
    /// What `tests`, which are of this set, show of its rules when they are run at `now`. Rules that have expired by then are left
    /// out: they cannot apply.
    #[must_use]
    pub fn coverage<'t>(
        &self,
        tests: impl IntoIterator<Item = &'t PolicyTest>,
        now: UnixTime,
    ) -> Coverage {
        let mut rules: Vec<_> = (0_u32..)
            .zip(self.rules())
            .map(|(id, info)| RuleCoverage {
                info: info.clone(),
                applied: false,
                was_false: false,
                was_unknown: false,
                atoms: self.atoms(id),
            })
            .collect();
        for test in tests {
            let explanation: Explanation = test.explain(self, now);
            for (rule, considered) in rules.iter_mut().zip(explanation.rules()) {
                rule.add(considered);
            }
        }
        rules.retain(|rule| rule.info.expires().is_none_or(|end| now < end));
        Coverage { rules }
    }

    /// The comparisons in the condition of rule `id`, of which nothing has been seen.
    fn atoms(&self, id: u32) -> Vec<AtomCoverage> {
        let Some(expr) = self.condition(id) else { return Vec::new() };
        let call = Call {
            method: "".into(),
            object: None,
            revision: Revision::V2025_11_25,
            is_request: true,
            is_retry: false,
            args: Args::capture(self.captures(), None),
            subscriptions: None,
        };
        let context =
            Context { route: "", host: "", sni: None, ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let principal = Principal::anonymous();
        let scope = Scope { principal: &principal, context: &context, call: &call, tool: None };
        let unseen = |seen: ConditionSeen| AtomCoverage {
            text: expr.text().get(seen.span.clone()).unwrap_or_default().into(),
            span: seen.span,
            was_true: false,
            was_false: false,
            was_unknown: false,
        };
        expr.conditions(&scope).into_iter().map(unseen).collect()
    }
}

impl Coverage {
    /// Every rule that is in force, in the order of [`Policy::rules`].
    #[must_use]
    pub fn rules(&self) -> &[RuleCoverage] {
        &self.rules
    }

    /// How many of the things that can be seen were, and how many there are.
    #[must_use]
    pub fn seen(&self) -> (usize, usize) {
        let sum = |(seen, all), (more, most)| (seen + more, all + most);
        self.rules.iter().map(RuleCoverage::seen).fold((0, 0), sum)
    }

    /// The same in percent, rounded down, so that only everything is 100; 100 where there is nothing to see.
    #[must_use]
    pub fn percent(&self) -> usize {
        match self.seen() {
            (_, 0) => 100,
            (seen, all) => seen * 100 / all,
        }
    }
}

impl RuleCoverage {
    fn add(&mut self, considered: &Considered) {
        let is_unknown = match considered.outcome {
            Some(Outcome::Applies) => {
                self.applied = true;
                considered.is_unknown
            }
            Some(Outcome::Condition(truth)) => {
                self.was_false |= truth == Truth::False;
                truth == Truth::Unknown
            }
            // It was not asked.
            _ => return,
        };
        self.was_unknown |= is_unknown;
        for seen in &considered.conditions {
            for atom in self.atoms.iter_mut().filter(|atom| atom.span == seen.span) {
                match seen.truth {
                    Truth::True => atom.was_true = true,
                    Truth::False => atom.was_false = true,
                    Truth::Unknown => atom.was_unknown = true,
                }
            }
        }
    }

    /// Whether it was seen not to apply, its condition having been asked.
    #[must_use]
    pub fn was_left_out(&self) -> bool {
        let is_allow = self.info.effect() == super::Effect::Allow;
        self.was_false || is_allow && self.was_unknown
    }

    /// Whether some test asked it.
    #[must_use]
    pub fn is_exercised(&self) -> bool {
        self.applied || self.was_false || self.was_unknown
    }

    /// How many of the things that can be seen of it were, and how many there are.
    #[must_use]
    pub fn seen(&self) -> (usize, usize) {
        let of_atoms =
            self.atoms.iter().map(|atom| usize::from(atom.was_true) + usize::from(atom.was_false));
        let applied = usize::from(self.applied);
        if self.atoms.is_empty() {
            return (applied, 1);
        }
        let seen = applied + usize::from(self.was_left_out()) + of_atoms.sum::<usize>();
        (seen, 2 + 2 * self.atoms.len())
    }
}
