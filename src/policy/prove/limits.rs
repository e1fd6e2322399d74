//! Limits that never are the ones to refuse, because a smaller one stands before them.

use super::diagram::Edge;
use super::rules::Survey;
use crate::diagnostic::Diagnostic;
use crate::policy::language::codes;
use crate::policy::stanza::{Body, Budget, Cost, Limit};
use crate::policy::{Bound, Effect, Mode, Quota};

/// The finding about limit `id`, where another makes it needless.
pub(super) fn finding(survey: &mut Survey<'_, '_>, id: u32) -> Option<Diagnostic> {
    let Body::Limit(limit) = &survey.stanza(id)?.body else { return None };
    let first =
        survey.classes_of(id).iter().copied().find(|at| survey.edge(*at, id) != Edge::FALSE)?;
    let others: Vec<u32> = survey.views.get(first)?.rules.keys().copied().collect();
    for other in others {
        let Some(stanza) = survey.stanza(other) else { continue };
        let is_candidate = other != id
            && !survey.gone.contains(&other)
            && stanza.mode == Mode::Enforce
            && stanza.effect() == Effect::Limit;
        let Body::Limit(smaller) = &stanza.body else { continue };
        if !is_candidate || !is_tighter(smaller, limit) || !applies_with(survey, id, other) {
            continue;
        }
        let (info, by) = (survey.info(id)?, survey.info(other)?);
        let (name, smaller_name) = (info.name(), by.name());
        let is_same = is_tighter(limit, smaller) && applies_with(survey, other, id);
        let finding = if is_same {
            let message = format!("`{name}` does what `{smaller_name}` does");
            Diagnostic::warning(codes::SAME_RULE, message)
                .primary(info.place, "the same rule again")
                .help("remove one of the two")
        } else {
            let message = format!("`{name}` never refuses: `{smaller_name}` refuses before it");
            Diagnostic::warning(codes::LIMIT_WITHIN_LIMIT, message)
                .primary(info.place, "whatever reaches it, it admits")
                .help("remove it, or make it the smaller one")
        };
        return Some(finding.secondary(by.place, "the same buckets, and none larger"));
    }
    None
}

/// Whether limit `by` is counted wherever limit `id` is. A limit without a selector does not count what servers ask.
fn applies_with(survey: &mut Survey<'_, '_>, id: u32, by: u32) -> bool {
    let is_everything = |rule| survey.stanza(rule).is_some_and(|stanza| stanza.is_everything);
    let (inner, outer) = (is_everything(id), is_everything(by));
    // Bounds of such a limit hold for servers all the same.
    let has_bounds = |rule| match survey.stanza(rule).map(|stanza| &stanza.body) {
        Some(Body::Limit(limit)) => !limit.bounds.is_empty(),
        _ => false,
    };
    let (is_bounded, by_bounded) = (has_bounds(id), has_bounds(by));
    survey.classes_of(id).iter().copied().all(|at| {
        let is_server = survey.views.get(at).is_some_and(|view| view.is_server);
        if is_server && inner && !is_bounded {
            return true;
        }
        if is_server && outer && !by_bounded {
            return survey.edge(at, id) == Edge::FALSE;
        }
        if is_server && outer && !inner {
            return survey.edge(at, id) == Edge::FALSE;
        }
        let (inner, outer) = (survey.edge(at, id), survey.edge(at, by));
        survey.engine.model.diagram.covers(outer, inner)
    })
}

/// Whether whatever `limit` refuses `smaller` refuses, too, given that both count the same calls.
fn is_tighter(smaller: &Limit, limit: &Limit) -> bool {
    fn within<T: PartialOrd>(smaller: Option<&Bound<T>>, bound: Option<&Bound<T>>) -> bool {
        match (smaller, bound) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(smaller), Some(bound)) => smaller.most <= bound.most,
        }
    }
    let (a, b) = (&smaller.bounds, &limit.bounds);
    within(a.timeout.as_ref(), b.timeout.as_ref())
        && within(a.max_args.as_ref(), b.max_args.as_ref())
        && within(a.max_result.as_ref(), b.max_result.as_ref())
        && match (&smaller.budget, &limit.budget) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(smaller), Some(budget)) => is_smaller(smaller, budget),
        }
}

/// Whether a bucket of `smaller` is empty before the one of `budget` for the same call is. Buckets are told apart in the same
/// way: a coarser one would not do, since callers who lack a value share one bucket of the finer.
fn is_smaller(smaller: &Budget, budget: &Budget) -> bool {
    let paths = |budget: &Budget| {
        let mut texts: Vec<String> = budget.per.iter().map(|path| path.text().to_owned()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    };
    let tier = |budget: &Budget| budget.tier.as_ref().map(|path| path.text().to_owned());
    let is_below = |a: Quota, b: Quota| a.interval_us >= b.interval_us && a.burst <= b.burst;
    let quotas = |budget: &Budget| {
        let mut quotas = budget.tiers.to_vec();
        quotas.sort_by(|a, b| a.0.cmp(&b.0));
        quotas
    };
    let (ours, theirs) = (quotas(smaller), quotas(budget));
    let has_same_tiers = ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(a, b)| a.0 == b.0 && is_below(a.1, b.1));
    let costs_the_same = match (&smaller.cost, &budget.cost) {
        (Cost::Fixed(a), Cost::Fixed(b)) => a == b,
        // What has no number costs a whole bucket, and buckets differ.
        (Cost::At(a), Cost::At(b)) => {
            a.text() == b.text() && ours == theirs && smaller.otherwise == budget.otherwise
        }
        _ => false,
    };
    paths(smaller) == paths(budget)
        && tier(smaller) == tier(budget)
        && has_same_tiers
        && is_below(smaller.otherwise, budget.otherwise)
        && costs_the_same
}
