//! Asserts: each is a question, and the answer is a proof or an example.

use super::Verdict;
use super::classes::Class;
use super::diagram::Edge;
use super::engine::{Answer, Engine};
use super::example::Example;
use crate::diagnostic::Diagnostic;
use crate::policy::expr::{Scope, Truth};
use crate::policy::language::codes;
use crate::policy::selector::Question;
use crate::policy::stanza::{Assert, Stanza};
use crate::policy::{Effect, Policy};

/// What the asserts of the first policy come to, in their order.
pub(super) fn verdicts(engine: &mut Engine<'_>, classes: &[Class]) -> Vec<Verdict> {
    let Some(policy) = engine.policy(0) else { return Vec::new() };
    // Where calls of a class are permitted is asked by many asserts.
    let mut permitted: Vec<Option<Edge>> = vec![None; classes.len()];
    let asserts = (0_u32..).zip(&policy.asserts);
    asserts.map(|(id, assert)| verdict(engine, classes, &mut permitted, id, assert)).collect()
}

fn verdict(
    engine: &mut Engine<'_>,
    classes: &[Class],
    permitted: &mut [Option<Edge>],
    id: u32,
    assert: &Assert,
) -> Verdict {
    let Some(policy) = engine.policy(0) else { return Verdict::Proved };
    let mut blame: Vec<Box<str>> = Vec::new();
    let confirms = |example: &Example| is_violated(policy, &assert.stanza, example);
    for (class, permitted) in classes.iter().zip(permitted) {
        if !class.asserts.contains(&id) {
            continue;
        }
        let allowed = match *permitted {
            Some(known) => known,
            None => *permitted.insert(engine.permits(0, class)),
        };
        let wrong = match assert.stanza.effect() {
            Effect::Allow => !allowed,
            Effect::Deny | Effect::Limit => allowed,
        };
        let speaks = engine.asserts(id, class);
        let question = engine.model.diagram.and(speaks, wrong);
        match engine.ask(class, question, &confirms) {
            Answer::No => {}
            Answer::Yes(example) => return Verdict::Refuted(example),
            Answer::Perhaps(what) => {
                for what in what {
                    if !blame.contains(&what) {
                        blame.push(what);
                    }
                }
            }
        }
    }
    if blame.is_empty() && !engine.is_sound() {
        blame.push("the size of the rules".into());
    }
    if blame.is_empty() { Verdict::Proved } else { Verdict::Undecided(blame) }
}

/// Whether `assert` speaks of the call and does not hold for it, as the evaluator says.
fn is_violated(policy: &Policy, assert: &Stanza, example: &Example) -> bool {
    let target = example.words.target();
    if !assert.selects(&target, Question::Use) || !assert.is_for(&example.route) {
        return false;
    }
    let truth = match assert.when.map(|when| policy.predicates.get(when as usize)) {
        None => Truth::True,
        Some(None) => Truth::Unknown,
        Some(Some(predicate)) => example.with(policy.captures(), |principal, context, call| {
            let scope = Scope { principal, context, call, tool: None };
            match (target.is_of_task(), assert.effect()) {
                (false, _) => predicate.expr.eval(&scope),
                (true, Effect::Allow) => predicate.expr.possible(&scope).at_best(Truth::True),
                (true, _) => predicate.expr.possible(&scope).at_best(Truth::False),
            }
        }),
    };
    let is_permitted = example.decide(policy).is_ok();
    assert.counts(truth) && is_permitted == (assert.effect() != Effect::Allow)
}

/// The findings about asserts.
pub(super) fn findings(
    engine: &mut Engine<'_>,
    classes: &[Class],
    folder: &str,
) -> Vec<Diagnostic> {
    let Some(policy) = engine.policy(0) else { return Vec::new() };
    let verdicts = verdicts(engine, classes);
    let told = policy.asserts.iter().zip(verdicts).filter_map(|(assert, verdict)| {
        let name = &assert.stanza.name;
        let says = match assert.stanza.effect() {
            Effect::Allow => "refused",
            Effect::Deny | Effect::Limit => "allowed",
        };
        match verdict {
            Verdict::Proved => None,
            Verdict::Refuted(example) => {
                let finding =
                    Diagnostic::error(codes::REFUTED, format!("assert `{name}` does not hold"));
                let finding = finding.primary(assert.span, format!("{} is {says}", example.brief()));
                let by = example.decide(policy).ok().and_then(|permitted| permitted.basis().rule());
                let by = by.or_else(|| example.decide(policy).err().and_then(|refusal| refusal.rule()));
                let finding = match by.and_then(|rule| policy.rule(rule)) {
                    Some(info) => finding.secondary(info.place, "by this rule"),
                    None => finding,
                };
                Some(finding.help(format!("see it decided: {}", example.command(folder))))
            }
            Verdict::Undecided(blame) => {
                let finding =
                    Diagnostic::warning(codes::UNDECIDED, format!("assert `{name}` is undecided"));
                let what: Vec<String> = blame.iter().take(3).map(|what| format!("`{what}`")).collect();
                let label = format!("it depends on {}", what.join(", "));
                Some(finding.primary(assert.span, label).help(
                    "neither a proof nor an example was found; comparisons with constants are always decided",
                ))
            }
        }
    });
    told.collect()
}
