//! Rules that no request needs: dead, written twice, or covered by others.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use super::classes::Class;
use super::diagram::Edge;
use super::engine::Engine;
use super::limits;
use crate::diagnostic::Diagnostic;
use crate::policy::language::codes;
use crate::policy::stanza::Stanza;
use crate::policy::{Effect, Mode, Policy, RuleInfo, UnixTime};

/// Other rules that a finding points at.
const MOST_SHOWN: usize = 3;

/// One class as the rules see it.
pub(super) struct View {
    /// The rules in force that speak of it, with where they apply.
    pub(super) rules: BTreeMap<u32, Edge>,
    pub(super) is_lifecycle: bool,
    pub(super) is_server: bool,
}

/// Everything that the findings about rules need.
pub(super) struct Survey<'e, 'p> {
    pub(super) engine: &'e mut Engine<'p>,
    pub(super) policy: &'p Policy,
    pub(super) views: Vec<View>,
    /// By rule, its classes, those with few rules first.
    pub(super) classes: Vec<Rc<[usize]>>,
    /// Rules that were told to be needless: no other is needless because of them.
    pub(super) gone: HashSet<u32>,
}

/// What a rule is covered by.
enum Cover {
    /// It does what this one does.
    Same(u32),
    /// A deny that applies wherever it, an allow, does.
    Deny(u32),
    /// These, and perhaps others.
    Rules(Vec<u32>),
}

/// The findings about the rules of the first policy, where they can be made.
pub(super) fn findings(
    engine: &mut Engine<'_>,
    classes: &[Class],
    now: UnixTime,
) -> Vec<Diagnostic> {
    let Some(policy) = engine.policy(0) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut of_rules: Vec<Vec<usize>> = vec![Vec::new(); policy.stanzas.len()];
    let mut alive: HashSet<u32> = HashSet::new();
    let mut views: Vec<View> = Vec::new();
    for (at, class) in classes.iter().enumerate() {
        let mut rules = BTreeMap::new();
        for id in class.rules_of(0) {
            let edge = engine.applies(0, *id, class);
            let edge = engine.model.diagram.and(edge, engine.model.constraint);
            rules.insert(*id, edge);
            if edge != Edge::FALSE {
                alive.insert(*id);
            }
            if let Some(of) = of_rules.get_mut(*id as usize) {
                of.push(at);
            }
        }
        let (is_lifecycle, is_server) = (class.is_lifecycle, class.words.is_server);
        views.push(View { rules, is_lifecycle, is_server });
    }
    if !engine.is_sound() {
        return findings;
    }
    for of in &mut of_rules {
        of.sort_by_key(|at| views.get(*at).map_or(0, |view| view.rules.len()));
    }
    let classes = of_rules.into_iter().map(Rc::from).collect();
    let mut survey = Survey { engine, policy, views, classes, gone: HashSet::new() };
    let mut order: Vec<u32> = (0_u32..).zip(&policy.stanzas).map(|(id, _)| id).collect();
    // What is written later is the one too many.
    order.sort_by_key(|id| std::cmp::Reverse(survey.info(*id).map(|info| info.place)));
    for id in &order {
        let (Some(stanza), Some(info)) = (survey.stanza(*id), survey.info(*id)) else { continue };
        // Of rules that have ended another finding speaks.
        if alive.contains(id) || !stanza.is_current(now) {
            continue;
        }
        survey.gone.insert(*id);
        findings.push(dead(stanza, info));
    }
    for id in &order {
        let Some(stanza) = survey.stanza(*id) else { continue };
        let is_asked = stanza.mode == Mode::Enforce && stanza.is_current(now);
        if !is_asked || survey.gone.contains(id) {
            continue;
        }
        let finding = match stanza.effect() {
            Effect::Limit => limits::finding(&mut survey, *id),
            Effect::Allow | Effect::Deny => {
                let cover = survey.cover(*id);
                cover.and_then(|cover| survey.covered(*id, &cover))
            }
        };
        if let Some(finding) = finding {
            survey.gone.insert(*id);
            findings.push(finding);
        }
    }
    if !survey.engine.is_sound() {
        // The last comparisons did not fit, and with them perhaps others.
        findings.retain(|finding| finding.code == codes::NEVER_APPLIES);
    }
    findings
}

fn dead(stanza: &Stanza, info: &RuleInfo) -> Diagnostic {
    let does = match stanza.effect() {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
        Effect::Limit => "limits",
    };
    let finding = Diagnostic::warning(
        codes::NEVER_APPLIES,
        format!("`{}` {does} nothing: no request can match it", info.name()),
    );
    let label = match (stanza.when.is_some(), stanza.effect()) {
        (true, Effect::Allow) => "its condition is never true",
        (true, _) => "its condition is always false",
        (false, _) => "its selectors match nothing",
    };
    finding.primary(info.place, label).help("remove it, or correct what contradicts itself")
}

impl<'p> Survey<'_, 'p> {
    pub(super) fn stanza(&self, id: u32) -> Option<&'p Stanza> {
        self.policy.stanzas.get(id as usize)
    }

    pub(super) fn info(&self, id: u32) -> Option<&'p RuleInfo> {
        self.policy.rules().get(id as usize)
    }

    /// The classes that rule `id` speaks of, those with few rules first.
    pub(super) fn classes_of(&self, id: u32) -> Rc<[usize]> {
        self.classes.get(id as usize).map(Rc::clone).unwrap_or_default()
    }

    /// Where rule `id` applies to calls of class `at`; nowhere, where its selectors do not match.
    pub(super) fn edge(&self, at: usize, id: u32) -> Edge {
        let view = self.views.get(at);
        view.and_then(|view| view.rules.get(&id)).copied().unwrap_or(Edge::FALSE)
    }

    /// Other rules in force of class `at` that may cover rule `id`.
    fn others(&self, at: usize, id: u32, effects: &[Effect]) -> Vec<(u32, Edge)> {
        let Some(view) = self.views.get(at) else { return Vec::new() };
        let is_other = |other: u32| {
            other != id
                && self.stanza(other).is_some_and(|rule| {
                    rule.mode == Mode::Enforce && effects.contains(&rule.effect())
                })
                && !self.gone.contains(&other)
        };
        let all = view.rules.iter().map(|(other, edge)| (*other, *edge));
        all.filter(|(other, _)| is_other(*other)).collect()
    }

    /// Whether rule `by` applies wherever rule `id` does.
    pub(super) fn is_within(&mut self, id: u32, by: u32) -> bool {
        self.classes_of(id).iter().copied().all(|at| {
            let (inner, outer) = (self.edge(at, id), self.edge(at, by));
            self.engine.model.diagram.covers(outer, inner)
        })
    }

    /// Whether the two apply to the same calls.
    pub(super) fn is_same(&self, a: u32, b: u32) -> bool {
        (0..self.views.len()).all(|at| self.edge(at, a) == self.edge(at, b))
    }

    /// What decides whatever the allow or deny `id` would decide.
    fn cover(&mut self, id: u32) -> Option<Cover> {
        let effects: &[Effect] = match self.stanza(id)?.effect() {
            Effect::Deny => &[Effect::Deny],
            _ => &[Effect::Deny, Effect::Allow],
        };
        let mut covering: BTreeSet<u32> = BTreeSet::new();
        for at in self.classes_of(id).iter().copied() {
            let inner = self.edge(at, id);
            let is_free = self.views.get(at).is_some_and(|view| view.is_lifecycle);
            if inner == Edge::FALSE || is_free && effects.contains(&Effect::Allow) {
                continue;
            }
            let others = self.others(at, id, effects);
            let all = self.engine.model.diagram.any(others.iter().map(|(_, edge)| *edge));
            if !self.engine.model.diagram.covers(all, inner) {
                return None;
            }
            for (other, edge) in others {
                if self.engine.model.diagram.and(edge, inner) != Edge::FALSE {
                    covering.insert(other);
                }
            }
        }
        let effect = self.stanza(id)?.effect();
        let is_alike = |survey: &Self, other: u32| {
            survey.stanza(other).is_some_and(|rule| rule.effect() == effect)
        };
        let says = |info: &RuleInfo| (info.message.clone(), info.style);
        for other in covering.iter().copied() {
            let is_same_text = self.info(other).map(says) == self.info(id).map(says);
            if is_alike(self, other) && is_same_text && self.is_same(id, other) {
                return Some(Cover::Same(other));
            }
        }
        let mut single = None;
        for other in covering.iter().copied() {
            if self.is_within(id, other) {
                if !is_alike(self, other) {
                    return Some(Cover::Deny(other));
                }
                single = single.or(Some(other));
            }
        }
        let shown = single.map_or_else(|| covering.into_iter().collect(), |other| vec![other]);
        Some(Cover::Rules(shown))
    }

    fn covered(&self, id: u32, cover: &Cover) -> Option<Diagnostic> {
        let info = self.info(id)?;
        let name = info.name();
        let (finding, others) = match cover {
            Cover::Same(other) => (
                Diagnostic::warning(
                    codes::SAME_RULE,
                    format!("`{name}` does what `{}` does", self.info(*other)?.name()),
                )
                .primary(info.place, "the same rule again")
                .help("remove one of the two"),
                vec![*other],
            ),
            Cover::Deny(other) => {
                let same = if self.is_same(id, *other) { "and nothing else" } else { "and more" };
                (
                    Diagnostic::warning(
                        codes::ALLOW_WITHIN_DENY,
                        format!("`{name}` allows nothing: `{}` denies all of it", self.info(*other)?.name()),
                    )
                    .primary(info.place, "never decides anything")
                    .help(format!(
                        "a deny wins over every allow, and this one denies the same {same}; remove one, or give the deny a condition"
                    )),
                    vec![*other],
                )
            }
            Cover::Rules(others) => {
                let by = match others.as_slice() {
                    [] => "the protocol's lifecycle set, which needs no rule".to_owned(),
                    [one] => format!("`{}`", self.info(*one)?.name()),
                    many => format!("{} other rules together", many.len()),
                };
                (
                    Diagnostic::warning(
                        codes::OVERSHADOWED,
                        format!("`{name}` changes nothing: it is shadowed by {by}"),
                    )
                    .primary(info.place, "no request is decided otherwise without it")
                    .help("remove it, or narrow what shadows it"),
                    others.clone(),
                )
            }
        };
        let labelled = others.iter().take(MOST_SHOWN).filter_map(|other| self.info(*other));
        Some(labelled.fold(finding, |finding, info| {
            let label = match info.effect() {
                Effect::Allow => "allows it already",
                Effect::Deny => "denies it already",
                Effect::Limit => "",
            };
            finding.secondary(info.place, label)
        }))
    }
}
