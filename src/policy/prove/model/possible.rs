//! What is asked of a task, whose arguments are free.

use std::sync::Arc;

use super::kleene::{Can, Kleene};
use super::{Facts, Free, Model};
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Formula, Input, Other, RelationKind, Root, Term, Test};
use crate::policy::prove::diagram::Edge;
use crate::policy::prove::domain::{Judged, Region};

/// Whether a task leaves it open.
const fn is_free(root: Root) -> bool {
    matches!(root, Root::Args | Root::IsRetry)
}

impl Model {
    /// What `formula` can come to where arguments are free, each atom by itself: what is asked of a task, whose arguments
    /// were judged when it was made ([`crate::policy::expr::Expr::possible`]).
    pub(in crate::policy::prove) fn possible(
        &mut self,
        formula: &Formula,
        facts: Facts<'_>,
    ) -> Can {
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
    pub(super) fn possible_other(&mut self, other: &Arc<Other>) -> Can {
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

    pub(super) fn can(&mut self, formula: &Formula, facts: Facts<'_>) -> Can {
        let Kleene { is_true, is_false } = self.compile(formula, facts);
        Can { is_true, is_false, is_unknown: self.diagram.and(!is_true, !is_false) }
    }

    pub(super) fn can_all(&mut self, parts: &[Can]) -> Can {
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
}
