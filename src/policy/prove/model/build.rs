//! The inputs of a question: their variables, and what holds between them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Domain, Model, is_of_class};
use crate::policy::expr::formula::{Formula, Input, Other, RelationKind, Root, Term, Test};
use crate::policy::prove::diagram::{Diagram, Edge};
use crate::policy::prove::domain::{ANONYMOUS, Region, Regions, cut};
use crate::policy::{ClientKind, Value};

impl Model {
    /// The inputs of `formulas`, which are all that will be asked about.
    pub(in crate::policy::prove) fn new<'f>(
        formulas: impl IntoIterator<Item = &'f Formula>,
        most: usize,
    ) -> Self {
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
        share_what_tokens_say(&mut asked);
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
    pub(super) fn imply(&mut self, others: &[Arc<Other>]) {
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

    pub(super) fn add_domain(&mut self, input: &Input, regions: Regions) {
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
    pub(super) fn constrain(&mut self, inputs: &[Input]) {
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
                        let domain = self.domains.get(input);
                        let all = domain.map(|it| it.present.iter().chain(&it.is_odd).copied());
                        let all: Vec<u32> = all.into_iter().flatten().collect();
                        let each: Vec<Edge> = all
                            .into_iter()
                            .map(|variable| !self.diagram.variable(variable))
                            .collect();
                        self.diagram.all(each)
                    }
                    _ => continue,
                };
                all.push(self.diagram.or(!anonymous, nothing));
            }
        }
        for (root, claim) in OF_TOKENS {
            all.extend(self.said_by_token(&Input::root(root), &claim_of(claim)));
        }
        self.constraint = self.diagram.all(all);
    }

    /// That of a token `input` is the text of `claim`, and nothing where that is no text.
    fn said_by_token(&mut self, input: &Input, claim: &Input) -> Vec<Edge> {
        let is_text = |region: &&Region| {
            matches!(region, Region::Value(Value::String(_)) | Region::Open(_) | Region::Wild)
        };
        let texts = |of: &Input| {
            let domain = self.domains.get(of)?;
            Some(domain.regions.all.iter().filter(is_text).cloned().collect::<Vec<Region>>())
        };
        let (Some(texts), Some(others)) = (texts(input), texts(claim)) else { return Vec::new() };
        // Cut by the same tests, they have the same texts; were they others, nothing would be said.
        if texts != others {
            return Vec::new();
        }
        let by_token = self.in_regions(
            &Input::root(Root::ClientKind),
            |region| matches!(region, Region::Value(kind) if kind.as_str() == Some(ClientKind::Jwt.as_str())),
        );
        let mut all = Vec::new();
        let mut agree = |this: &mut Self, here: Edge, there: Edge| {
            for (one, other) in [(here, there), (there, here)] {
                let follows = this.diagram.or(!one, other);
                all.push(this.diagram.or(!by_token, follows));
            }
        };
        for text in &texts {
            let here = self.in_regions(input, |region| region == text);
            let there = self.in_regions(claim, |region| region == text);
            agree(self, here, there);
        }
        let here = self.in_regions(input, |region| *region == Region::Absent);
        let there = self.in_regions(claim, |region| !is_text(&region));
        agree(self, here, there);
        all
    }
}

/// What a token says of the caller, and the claim that it says it by (RFC 7519, section 4.1).
const OF_TOKENS: [(Root, &str); 2] = [(Root::ClientId, "sub"), (Root::ClientIssuer, "iss")];

fn claim_of(name: &str) -> Input {
    Input { root: Root::Claims, names: Box::new([name.into()]) }
}

/// Cuts what tokens say of the caller as the claims that say it, where the kind of credential matters as well.
fn share_what_tokens_say(asked: &mut BTreeMap<Input, HashSet<Test>>) {
    if !asked.contains_key(&Input::root(Root::ClientKind)) {
        return;
    }
    for (root, claim) in OF_TOKENS {
        let (input, claim) = (Input::root(root), claim_of(claim));
        let (Some(a), Some(b)) = (asked.get(&input), asked.get(&claim)) else { continue };
        let both: HashSet<Test> = a.union(b).cloned().collect();
        asked.insert(input, both.clone());
        asked.insert(claim, both);
    }
}

/// Tests that a comparison of two values implies of one of them.
pub(super) fn hints(kind: RelationKind, left: &Term, right: &Term) -> Vec<(Input, Test)> {
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
