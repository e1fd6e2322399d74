//! All inputs of one question as variables of a diagram, and conditions as functions of them.

mod build;
mod input;
mod kleene;
mod possible;
mod relations;
mod way;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) use self::kleene::Kleene;
use super::diagram::{Diagram, Edge};
use super::domain::{Region, Regions};
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Formula, Input, Other, Root, Test};

/// What the methods and names of one class of calls come to; `None`: they differ from call to call.
pub(super) type Facts<'f> = &'f dyn Fn(Root, &Test) -> Option<Truth>;

/// The values of one input, and the variables that choose among them.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) regions: Regions,
    /// The first of the variables that number the regions.
    first: u32,
    bits: u32,
    /// For lists: by region of elements, whether the list has one of it.
    present: Vec<u32>,
    /// For lists: whether it is out of the ordinary, so that nothing is known of what a loop over it comes to.
    is_odd: Option<u32>,
}

/// What a variable that is no region stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Free {
    /// Whether the test of the input is true, where it is not known from the region; and whether it is known.
    Test(Input, Test, bool),
    Other(Arc<Other>, bool),
    /// As `Other`, in calls whose method or name differ.
    Fact(Root, Test, bool),
    /// Of a task, whose arguments are free: whether the comparison can come to this.
    Possible(Arc<Other>, Truth),
    /// As `Possible`, of a test of one argument.
    PossibleTest(Input, Test, Truth),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) diagram: Diagram,
    domains: BTreeMap<Input, Domain>,
    free: HashMap<Free, u32>,
    /// By variable, what is not cut into regions and may be to blame.
    blamed: BTreeMap<u32, Box<str>>,
    tests: HashMap<(Input, Test), Kleene>,
    others: HashMap<Arc<Other>, Kleene>,
    /// What holds of all inputs together.
    pub(super) constraint: Edge,
    /// Whether every value of every input is looked at.
    is_complete: bool,
    variables: u32,
}

impl Model {
    /// Whether what has no way in the diagram cannot be.
    pub(super) fn is_sound(&self) -> bool {
        self.is_complete && !self.diagram.is_full()
    }

    fn take(&mut self) -> u32 {
        self.variables += 1;
        self.variables - 1
    }

    /// Where the value of `input` lies in a region that `is`; nowhere, where the input is not known.
    fn in_regions(&mut self, input: &Input, is: impl Fn(&Region) -> bool) -> Edge {
        let Some(domain) = self.domains.get(input) else { return Edge::FALSE };
        let codes: Vec<bool> = domain.regions.all.iter().map(is).collect();
        self.diagram.codes(domain.first, domain.bits, &codes)
    }

    /// The variable of `what`; `blame` names it to the author.
    fn free(&mut self, what: Free, blame: Option<&str>) -> Edge {
        let variable = match self.free.get(&what) {
            Some(known) => *known,
            None => {
                let variable = self.take();
                self.free.insert(what, variable);
                if let Some(blame) = blame {
                    self.blamed.insert(variable, blame.into());
                }
                variable
            }
        };
        self.diagram.variable(variable)
    }

    /// The function of `formula`.
    pub(super) fn compile(&mut self, formula: &Formula, facts: Facts<'_>) -> Kleene {
        match formula {
            Formula::Always(truth) => Kleene::of(*truth),
            Formula::All(parts) => {
                let parts: Vec<Kleene> =
                    parts.iter().map(|part| self.compile(part, facts)).collect();
                self.all(&parts)
            }
            Formula::Any(parts) => {
                let parts: Vec<Kleene> =
                    parts.iter().map(|part| !self.compile(part, facts)).collect();
                !self.all(&parts)
            }
            Formula::Not(part) => !self.compile(part, facts),
            Formula::If(parts) => {
                let [condition, then, otherwise] = [0, 1, 2].map(|at| {
                    parts.get(at).map_or(Kleene::UNKNOWN, |part| self.compile(part, facts))
                });
                Kleene {
                    is_true: self.either(condition, then.is_true, otherwise.is_true),
                    is_false: self.either(condition, then.is_false, otherwise.is_false),
                }
            }
            Formula::Test(input, test) if is_of_class(input.root) => {
                match facts(input.root, test) {
                    Some(truth) => Kleene::of(truth),
                    None => {
                        let what = |known| Free::Fact(input.root, test.clone(), known);
                        self.unknown(what, &input.text())
                    }
                }
            }
            Formula::Test(input, test) => self.test(input, test),
            Formula::Other(other) => self.other(other),
        }
    }

    fn all(&mut self, parts: &[Kleene]) -> Kleene {
        let is_true = parts.iter().map(|part| !part.is_true).collect::<Vec<_>>();
        let is_true = !self.diagram.any(is_true);
        let is_false = self.diagram.any(parts.iter().map(|part| part.is_false));
        Kleene { is_true, is_false }
    }

    fn either(&mut self, condition: Kleene, then: Edge, otherwise: Edge) -> Edge {
        let a = self.diagram.and(condition.is_true, then);
        let b = self.diagram.and(condition.is_false, otherwise);
        self.diagram.or(a, b)
    }

    /// Any of the three, whatever the regions.
    fn unknown(&mut self, what: impl Fn(bool) -> Free, blame: &str) -> Kleene {
        let known = self.free(what(true), Some(blame));
        let value = self.free(what(false), Some(blame));
        Kleene {
            is_true: self.diagram.and(known, value),
            is_false: self.diagram.and(known, !value),
        }
    }

    /// Every input, with its values.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&Input, &Regions)> {
        self.domains.iter().map(|(input, domain)| (input, &domain.regions))
    }

    /// Where no list is too long to be looked at.
    pub(super) fn without_long_lists(&mut self) -> Edge {
        let odd: Vec<u32> = self.domains.values().filter_map(|domain| domain.is_odd).collect();
        let none: Vec<Edge> = odd.into_iter().map(|odd| !self.diagram.variable(odd)).collect();
        self.diagram.all(none)
    }

    /// The domain of `input`.
    pub(super) fn domain(&self, input: &Input) -> Option<&Domain> {
        self.domains.get(input)
    }
}

/// Whether calls of one class agree on it.
pub(super) const fn is_of_class(root: Root) -> bool {
    matches!(root, Root::Method | Root::Kind | Root::Target)
}
