//! All inputs of one question as variables of a diagram, and conditions as functions of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::diagram::{Diagram, Edge};
use super::domain::{ANONYMOUS, Judged, Region, Regions, cut};
use crate::policy::Value;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Formula, Input, Other, RelationKind, Root, Term, Test};

/// A condition as two functions: where it is true, and where it is false. Elsewhere it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kleene {
    pub(super) is_true: Edge,
    pub(super) is_false: Edge,
}

impl Kleene {
    const UNKNOWN: Self = Self { is_true: Edge::FALSE, is_false: Edge::FALSE };

    fn of(truth: Truth) -> Self {
        match truth {
            Truth::True => Self { is_true: Edge::TRUE, is_false: Edge::FALSE },
            Truth::False => Self { is_true: Edge::FALSE, is_false: Edge::TRUE },
            Truth::Unknown => Self::UNKNOWN,
        }
    }
}

impl std::ops::Not for Kleene {
    type Output = Self;

    fn not(self) -> Self {
        Self { is_true: self.is_false, is_false: self.is_true }
    }
}

/// Where a condition can come to each of the three.
#[derive(Clone, Copy, Debug)]
pub(super) struct Can {
    pub(super) is_true: Edge,
    pub(super) is_false: Edge,
    pub(super) is_unknown: Edge,
}

impl Can {
    const ANY: Self = Self { is_true: Edge::TRUE, is_false: Edge::TRUE, is_unknown: Edge::TRUE };
}

impl std::ops::Not for Can {
    type Output = Self;

    fn not(self) -> Self {
        Self { is_true: self.is_false, is_false: self.is_true, ..self }
    }
}

/// Whether a task leaves it open.
const fn is_free(root: Root) -> bool {
    matches!(root, Root::Args | Root::IsRetry)
}

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
    /// The inputs of `formulas`, which are all that will be asked about.
    pub(super) fn new<'f>(formulas: impl IntoIterator<Item = &'f Formula>, most: usize) -> Self {
        let mut asked: BTreeMap<Input, HashSet<Test>> = BTreeMap::new();
        let mut others: BTreeMap<Box<str>, Arc<Other>> = BTreeMap::new();
        for formula in formulas {
            formula.visit(&mut |part| match part {
                Formula::Test(input, test) => {
                    asked.entry(input.clone()).or_default().insert(test.clone());
                }
                Formula::Other(other) => {
                    others.insert(other.text.clone(), Arc::clone(other));
                }
                _ => {}
            });
        }
        relate(&mut asked, others.values());
        name_members(&mut asked);
        let mut this = Self {
            diagram: Diagram::new(most),
            domains: BTreeMap::new(),
            free: HashMap::new(),
            blamed: BTreeMap::new(),
            tests: HashMap::new(),
            others: HashMap::new(),
            constraint: Edge::TRUE,
            is_complete: true,
            variables: 0,
        };
        let inputs: Vec<Input> = asked.keys().cloned().collect();
        let compared: HashSet<&Input> = others
            .values()
            .filter(|other| other.relation.is_some())
            .flat_map(|o| &o.inputs)
            .collect();
        for (input, tests) in &asked {
            if !is_of_class(input.root) {
                let has_members = inputs.iter().any(|other| input.is_above(other));
                let regions = cut(input, tests, has_members, compared.contains(input));
                this.add_domain(input, regions);
            }
        }
        this.constrain(&inputs);
        let others: Vec<Arc<Other>> = others.into_values().collect();
        this.imply(&others);
        this
    }

    /// What begins with a text begins with the beginnings of that text, and so at the end.
    fn imply(&mut self, others: &[Arc<Other>]) {
        for long in others {
            for short in others {
                let (Some(a), Some(b)) = (&long.relation, &short.relation) else { continue };
                let is_part = match (a.kind, b.kind) {
                    (RelationKind::StartsWith, RelationKind::StartsWith) => {
                        a.right.begins_with(&b.right)
                    }
                    (RelationKind::EndsWith, RelationKind::EndsWith) => a.right.ends_with(&b.right),
                    _ => false,
                };
                if Arc::ptr_eq(long, short) || a.left != b.left || !is_part {
                    continue;
                }
                let (long, short) = (self.other(long), self.other(short));
                let implied = self.diagram.or(!long.is_true, short.is_true);
                self.constraint = self.diagram.and(self.constraint, implied);
            }
        }
    }

    /// Whether what has no way in the diagram cannot be.
    pub(super) fn is_sound(&self) -> bool {
        self.is_complete && !self.diagram.is_full()
    }

    fn take(&mut self) -> u32 {
        self.variables += 1;
        self.variables - 1
    }

    fn add_domain(&mut self, input: &Input, regions: Regions) {
        self.is_complete &= regions.is_complete;
        let first = self.variables;
        let bits = regions.all.len().next_power_of_two().trailing_zeros();
        self.variables += bits;
        let elements = regions.elements.as_ref().map_or(0, |elements| elements.all.len());
        let present = (0..elements).map(|_| self.take()).collect();
        let is_odd = regions.elements.is_some().then(|| self.take());
        if let Some(odd) = is_odd {
            self.blamed.insert(odd, format!("a very long list in `{}`", input.text()).into());
        }
        self.domains.insert(input.clone(), Domain { regions, first, bits, present, is_odd });
    }

    /// What must hold between inputs: only objects have members, and who is anonymous has no claims.
    fn constrain(&mut self, inputs: &[Input]) {
        let mut all = Vec::new();
        for below in inputs {
            let missing = self.in_regions(below, |region| *region == Region::Absent);
            for above in inputs.iter().filter(|above| above.is_above(below)) {
                let holder = self
                    .in_regions(above, |region| matches!(region, Region::Map | Region::TooLarge));
                all.push(self.diagram.or(missing, holder));
            }
        }
        let anonymous = self.in_regions(
            &Input::root(Root::ClientKind),
            |region| matches!(region, Region::Value(value) if value.as_str() == Some(ANONYMOUS)),
        );
        if anonymous != Edge::FALSE {
            for input in inputs {
                let nothing = match input.root {
                    Root::Claims | Root::ClientId | Root::ClientIssuer => {
                        self.in_regions(input, |region| *region == Region::Absent)
                    }
                    Root::ClientScopes => {
                        let present = self.domains.get(input).map(|domain| domain.present.clone());
                        let each: Vec<Edge> = present
                            .into_iter()
                            .flatten()
                            .map(|variable| !self.diagram.variable(variable))
                            .collect();
                        self.diagram.all(each)
                    }
                    _ => continue,
                };
                all.push(self.diagram.or(!anonymous, nothing));
            }
        }
        self.constraint = self.diagram.all(all);
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

    /// What `formula` can come to where arguments are free, each atom by itself: what is asked of a task, whose arguments
    /// were judged when it was made ([`crate::policy::expr::Expr::possible`]).
    pub(super) fn possible(&mut self, formula: &Formula, facts: Facts<'_>) -> Can {
        if !formula.reads(is_free) {
            return self.can(formula, facts);
        }
        let mut can = |part: &Formula| self.possible(part, facts);
        match formula {
            Formula::Not(part) => !can(part),
            Formula::All(parts) => {
                let parts: Vec<Can> = parts.iter().map(can).collect();
                self.can_all(&parts)
            }
            Formula::Any(parts) => {
                let parts: Vec<Can> = parts.iter().map(|part| !can(part)).collect();
                !self.can_all(&parts)
            }
            Formula::If(parts) => {
                let [condition, then, otherwise] =
                    [0, 1, 2].map(|at| parts.get(at).map_or(Can::ANY, &mut can));
                let choice = Kleene { is_true: condition.is_true, is_false: condition.is_false };
                let unknown = self.either(choice, then.is_unknown, otherwise.is_unknown);
                Can {
                    is_true: self.either(choice, then.is_true, otherwise.is_true),
                    is_false: self.either(choice, then.is_false, otherwise.is_false),
                    is_unknown: self.diagram.or(condition.is_unknown, unknown),
                }
            }
            Formula::Test(input, test) => {
                let truths = self.domains.get(input).and_then(|it| it.regions.truths.get(test));
                let truths = truths.cloned().unwrap_or_else(|| vec![Judged::Any]);
                // Of what is in a list, and of how much there is, regions say more than can be.
                let is_vague = matches!(test, Test::Loop { .. } | Test::Size(_));
                let [is_true, is_false, is_unknown] = [Truth::True, Truth::False, Truth::Unknown]
                    .map(|wanted| {
                        let may_be = truths.iter().any(|judged| match judged {
                            Judged::Is(_) => false,
                            Judged::Decided => wanted != Truth::Unknown,
                            Judged::Any => true,
                        });
                        if truths.contains(&Judged::Is(wanted)) || may_be && !is_vague {
                            Edge::TRUE
                        } else if may_be {
                            let what = Free::PossibleTest(input.clone(), test.clone(), wanted);
                            self.free(what, Some(&input.text()))
                        } else {
                            Edge::FALSE
                        }
                    });
                Can { is_true, is_false, is_unknown }
            }
            Formula::Other(other) => self.possible_other(other),
            Formula::Always(_) => self.can(formula, facts),
        }
    }

    /// Where a comparison of inputs, of which some are free, can come to each. It is never more sure than
    /// [`crate::policy::expr::Expr::possible`]: what is too much is as wrong as what is too little, since a task that is called
    /// permitted may be one that an `always` speaks of.
    fn possible_other(&mut self, other: &Arc<Other>) -> Can {
        let (mut sure, mut impossible) = (Edge::FALSE, Edge::FALSE);
        if let Some(relation) = &other.relation {
            use RelationKind::{Contains, EndsWith, Equal, Greater, Less, StartsWith};
            let (kind, left, right) = (relation.kind, &relation.left, &relation.right);
            let is_arg = |term: &Term| matches!(term, Term::Input(input) if is_free(input.root));
            let has_free = |term: &Term| term.inputs().into_iter().any(|input| is_free(input.root));
            let is_joined = [left, right].into_iter().any(|it| matches!(it, Term::Concat(_)));
            let is_textual = is_joined || !matches!(kind, Equal | Less | Greater);
            let known: Vec<&Input> =
                other.inputs.iter().filter(|input| !is_free(input.root)).collect();
            let texts: Vec<Edge> = known.iter().map(|input| self.is_text(input)).collect();
            let texts = self.diagram.all(texts);
            // What is not there, or no text where one is asked for, leaves nothing to choose.
            impossible = if is_textual {
                !texts
            } else {
                let missing: Vec<Edge> = known
                    .iter()
                    .map(|input| {
                        self.in_regions(input, |of| matches!(of, Region::Absent | Region::TooLarge))
                    })
                    .collect();
                self.diagram.any(missing)
            };
            // Of a free argument everything can come, beside one that is free as well or a text that is not empty.
            let is_open = match kind {
                _ if is_arg(left) && is_arg(right) => true,
                Equal => is_arg(left) && !has_free(right) || is_arg(right) && !has_free(left),
                StartsWith | EndsWith | Contains => {
                    is_arg(left) && !has_free(right) && !right.inner().is_empty()
                }
                Less | Greater => false,
            };
            if is_open && !other.inputs.iter().any(|input| input.root == Root::IsRetry) {
                sure = texts;
            }
        }
        let mut can = |wanted: Truth| {
            let free = self.free(Free::Possible(Arc::clone(other), wanted), Some(&other.text));
            let free = self.diagram.or(sure, free);
            self.diagram.and(free, !impossible)
        };
        let (is_true, is_false) = (can(Truth::True), can(Truth::False));
        // An argument may be missing.
        let is_unknown = if other.inputs.iter().any(|input| input.root == Root::Args) {
            Edge::TRUE
        } else {
            let free = can(Truth::Unknown);
            self.diagram.or(free, impossible)
        };
        Can { is_true, is_false, is_unknown }
    }

    fn can(&mut self, formula: &Formula, facts: Facts<'_>) -> Can {
        let Kleene { is_true, is_false } = self.compile(formula, facts);
        Can { is_true, is_false, is_unknown: self.diagram.and(!is_true, !is_false) }
    }

    fn can_all(&mut self, parts: &[Can]) -> Can {
        let start = Can { is_true: Edge::TRUE, is_false: Edge::FALSE, is_unknown: Edge::FALSE };
        parts.iter().fold(start, |all, part| {
            let (a, b) = (
                self.diagram.or(part.is_true, part.is_unknown),
                self.diagram.or(all.is_true, all.is_unknown),
            );
            let (a, b) =
                (self.diagram.and(all.is_unknown, a), self.diagram.and(part.is_unknown, b));
            Can {
                is_true: self.diagram.and(all.is_true, part.is_true),
                is_false: self.diagram.or(all.is_false, part.is_false),
                is_unknown: self.diagram.or(a, b),
            }
        })
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

    fn test(&mut self, input: &Input, test: &Test) -> Kleene {
        let key = (input.clone(), test.clone());
        if let Some(known) = self.tests.get(&key) {
            return *known;
        }
        let made = self.make_test(input, test);
        self.tests.insert(key, made);
        made
    }

    fn make_test(&mut self, input: &Input, test: &Test) -> Kleene {
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
    fn of_list(&mut self, input: &Input, test: &Test) -> Option<Kleene> {
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
    fn of_map(&mut self, input: &Input, test: &Test) -> Option<Kleene> {
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

    fn other(&mut self, other: &Arc<Other>) -> Kleene {
        if let Some(known) = self.others.get(other) {
            return *known;
        }
        let made = self.make_other(other);
        self.others.insert(Arc::clone(other), made);
        made
    }

    fn make_other(&mut self, other: &Arc<Other>) -> Kleene {
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
    fn is_text(&mut self, input: &Input) -> Edge {
        match input.root {
            Root::Method => Edge::TRUE,
            root if is_of_class(root) => {
                self.free(Free::Fact(root, Test::Has, true), Some(&input.text()))
            }
            _ => self.in_regions(input, Region::is_text),
        }
    }

    /// Where no test that is asked of both tells `a` from `b`.
    fn agree(&mut self, a: &Input, b: &Input) -> Edge {
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
    fn one_value(&mut self, a: &Input, b: &Input) -> Edge {
        let mut each = Vec::new();
        for test in self.shared(a, b) {
            if matches!(test, Test::Equals(_)) {
                let (x, y) = (self.test(a, &test), self.test(b, &test));
                each.push(self.diagram.and(x.is_true, y.is_true));
            }
        }
        self.diagram.any(each)
    }

    fn shared(&self, a: &Input, b: &Input) -> Vec<Test> {
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

    /// What is chosen for each input on the way `way`: its region and, of a list, which elements it has.
    pub(super) fn chosen(&self, way: &[(u32, bool)]) -> Vec<(&Input, &Domain, &Region, Vec<bool>)> {
        let is: HashMap<u32, bool> = way.iter().copied().collect();
        let get = |variable: u32| is.get(&variable).copied().unwrap_or(false);
        self.domains
            .iter()
            .filter_map(|(input, domain)| {
                let code = (0..domain.bits)
                    .fold(0, |code, bit| code << 1 | usize::from(get(domain.first + bit)));
                let all = &domain.regions.all;
                let region = all.get(code).or(all.last())?;
                let present = domain.present.iter().map(|variable| get(*variable)).collect();
                Some((input, domain, region, present))
            })
            .collect()
    }

    /// Comparisons of inputs with each other that the way `way` decides.
    pub(super) fn decided(&self, way: &[(u32, bool)]) -> Vec<(&Arc<Other>, bool)> {
        let is: HashMap<u32, bool> = way.iter().copied().collect();
        self.free
            .iter()
            .filter_map(|(what, variable)| match what {
                Free::Other(other, false) => Some((other, *is.get(variable)?)),
                _ => None,
            })
            .collect()
    }

    /// What the way `way` rests on and is not cut into regions.
    pub(super) fn blame(&self, way: &[(u32, bool)]) -> Vec<Box<str>> {
        let free = way.iter().filter_map(|(variable, _)| self.blamed.get(variable).cloned());
        let open = self.chosen(way).into_iter().filter(|(_, _, region, _)| !region.is_concrete());
        let mut all: BTreeSet<Box<str>> = free.collect();
        all.extend(open.map(|(input, ..)| Box::from(input.text())));
        all.into_iter().collect()
    }

    /// Every input, with its values.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&Input, &Regions)> {
        self.domains.iter().map(|(input, domain)| (input, &domain.regions))
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

/// Tests that a comparison of two values implies of one of them.
fn hints(kind: RelationKind, left: &Term, right: &Term) -> Vec<(Input, Test)> {
    let mut hints = Vec::new();
    let mut hint = |of: &Term, test: fn(Box<str>) -> Test, text: &str| {
        if let (Term::Input(input), false) = (of, text.is_empty()) {
            hints.push((input.clone(), test(text.into())));
        }
    };
    match kind {
        RelationKind::StartsWith => hint(left, Test::StartsWith, right.beginning()),
        RelationKind::EndsWith => hint(left, Test::EndsWith, right.end()),
        RelationKind::Contains => hint(left, Test::Contains, right.inner()),
        RelationKind::Equal => {
            for (a, b) in [(left, right), (right, left)] {
                hint(a, Test::StartsWith, b.beginning());
                hint(a, Test::EndsWith, b.end());
            }
        }
        RelationKind::Less | RelationKind::Greater => {}
    }
    hints
}

/// Adds the tests that comparisons of inputs imply, and inputs that are only compared with others.
fn relate<'o>(
    asked: &mut BTreeMap<Input, HashSet<Test>>,
    others: impl Iterator<Item = &'o Arc<Other>>,
) {
    let mut equal: Vec<(Input, Input)> = Vec::new();
    for other in others {
        for input in &other.inputs {
            asked.entry(input.clone()).or_default();
        }
        let Some(relation) = &other.relation else { continue };
        for (input, test) in hints(relation.kind, &relation.left, &relation.right) {
            asked.entry(input).or_default().insert(test);
        }
        if let (RelationKind::Equal, Term::Input(a), Term::Input(b)) =
            (relation.kind, &relation.left, &relation.right)
        {
            equal.push((a.clone(), b.clone()));
        }
    }
    // What is asked of one of two that may be equal is asked of the other; a bound on the rounds, for long chains.
    for _ in 0..MAX_CHAIN {
        let before: usize = asked.values().map(HashSet::len).sum();
        for (a, b) in &equal {
            let both: HashSet<Test> = [a, b]
                .into_iter()
                .filter_map(|input| asked.get(input))
                .flatten()
                .cloned()
                .collect();
            for input in [a, b] {
                asked.entry(input.clone()).or_default().extend(both.iter().cloned());
            }
        }
        if asked.values().map(HashSet::len).sum::<usize>() == before {
            break;
        }
    }
}

/// Equalities of inputs that are followed from one to the next.
const MAX_CHAIN: usize = 4;

/// Makes inputs of the members that `in` asks objects for.
fn name_members(asked: &mut BTreeMap<Input, HashSet<Test>>) {
    let mut members = Vec::new();
    for (input, tests) in asked.iter() {
        if !matches!(input.root, Root::Claims | Root::Args) {
            continue;
        }
        for test in tests {
            if let Test::HasElement(Value::String(name)) = test {
                members.push(input.member(name));
            }
        }
    }
    for member in members {
        asked.entry(member).or_default().insert(Test::Has);
    }
}
