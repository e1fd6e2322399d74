//! Why a call is decided as it is: every rule, why it did or did not apply, and what the call would draw on.
//!
//! An explanation is [`Policy::decide`] with a listener that hears all rules; it evaluates nothing by itself.

mod opposite;
mod render;

use super::evaluate::{Listener, Outcome};
use super::expr::{ConditionSeen, Path, Resolved, Scope, Truth};
use super::stanza::Body;
use super::{
    Call, Context, Draw, Object, Permitted, Policy, Principal, Refusal, RuleId, RuleInfo, UnixTime,
};

/// A decision with its reasons. [`std::fmt::Display`] tells it to people, [`Explanation::to_json`] to programs.
#[derive(Clone, Debug)]
pub struct Explanation {
    method: Box<str>,
    object: Option<Object>,
    verdict: Result<Permitted, Refusal>,
    rules: Vec<Considered>,
}

/// What one rule came to.
#[derive(Clone, Debug)]
pub struct Considered {
    /// Which.
    pub rule: RuleId,
    /// Its name, place and effect.
    pub info: RuleInfo,
    /// What it came to; `None`: its selectors do not match.
    pub outcome: Option<Outcome>,
    /// The expression of its `when`.
    pub when: Option<Box<str>>,
    /// What each part of its `when` saw; empty where its selectors do not match.
    pub conditions: Vec<ConditionSeen>,
    /// Whether its `when` as a whole came to unknown.
    pub is_unknown: bool,
    /// For a limit that applies to a permitted call: what it takes.
    pub draw: Option<Draw>,
    /// Of such a limit: what tells its bucket from others, each path with the value that it saw, as JSON.
    pub bucket: Vec<(Box<str>, Box<str>)>,
    /// Of a limit that applies to a permitted call: what it bounds of each, in words.
    pub bounds: Vec<String>,
}

impl Policy {
    /// Decides `call` as [`Policy::decide`] does, and says why.
    #[must_use]
    pub fn explain(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
    ) -> Explanation {
        let mut heard = Heard::default();
        let verdict = self.decide_for(principal, context, call, now, &mut heard);
        self.explained(principal, context, call, &heard, verdict)
    }

    /// Decides `call` as [`Policy::decide_server_request`] does, and says why.
    #[must_use]
    pub fn explain_server_request(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        now: UnixTime,
    ) -> Explanation {
        let mut heard = Heard::default();
        let verdict = self.decide_request_for(principal, context, call, now, &mut heard);
        self.explained(principal, context, call, &heard, verdict)
    }

    fn explained(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        heard: &Heard,
        verdict: Result<Permitted, Refusal>,
    ) -> Explanation {
        let scope = Scope { principal, context, call, tool: None };
        let rules = (0_u32..).zip(self.rules()).map(|(id, info)| {
            let outcome = heard.outcomes.iter().find(|(of, _)| *of == id).map(|(_, found)| *found);
            let expr = self.condition(id);
            let asked = expr.filter(|_| outcome.is_some());
            let seen = asked.map(|expr| expr.conditions(&scope));
            let draw = heard.draws.iter().find(|draw| draw.rule == RuleId::new(id)).copied();
            let limit = self.stanzas.get(id as usize).and_then(|stanza| match &stanza.body {
                Body::Limit(limit) => Some(limit),
                _ => None,
            });
            let drawn = limit.and_then(|limit| limit.budget.as_ref()).filter(|_| draw.is_some());
            let paths = drawn.into_iter().flat_map(|budget| budget.per.iter().chain(&budget.tier));
            let is_met = outcome == Some(Outcome::Applies) && verdict.is_ok();
            Considered {
                bucket: paths.map(|path| (path.text().into(), seen_at(path, &scope))).collect(),
                bounds: limit.filter(|_| is_met).map_or_else(Vec::new, |it| it.bounds.told()),
                rule: RuleId::new(id),
                info: info.clone(),
                outcome,
                when: expr.map(|expr| expr.text().into()),
                conditions: seen.unwrap_or_default(),
                is_unknown: asked.is_some_and(|expr| expr.eval(&scope) == Truth::Unknown),
                draw,
            }
        });
        Explanation {
            rules: rules.collect(),
            method: call.method.clone(),
            object: call.object.clone(),
            verdict,
        }
    }
}

impl Explanation {
    /// The decision, as [`Policy::decide`] returns it.
    ///
    /// # Errors
    /// [`Refusal`] where the call is refused.
    pub fn verdict(&self) -> Result<&Permitted, &Refusal> {
        self.verdict.as_ref()
    }

    /// Every rule of the set, in the order of evaluation.
    #[must_use]
    pub fn rules(&self) -> &[Considered] {
        &self.rules
    }
}

/// What is at the end of `path`, as JSON; where there is no such value, that in words.
fn seen_at(path: &Path, scope: &Scope<'_>) -> Box<str> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    match path.resolve(scope) {
        Resolved::Absent => "absent".into(),
        Resolved::TooLarge => "too large".into(),
        Resolved::Null => "null".into(),
        Resolved::Bool(truth) => truth.to_string().into(),
        Resolved::Number(number) => number.to_string().into(),
        Resolved::Text(it) => text(it).into(),
        Resolved::Ip(ip) => ip.to_string().into(),
        Resolved::Names(_) | Resolved::List(_) => "a list".into(),
        Resolved::Map(_) => "an object".into(),
    }
}

/// Hears all.
#[derive(Debug, Default)]
struct Heard {
    /// In the order of evaluation; a rule more than once where a call has several objects, of which the one that
    /// applies is kept.
    outcomes: Vec<(u32, Outcome)>,
    draws: Vec<Draw>,
}

impl Listener for Heard {
    const HEARS_ALL: bool = true;

    fn heard(&mut self, id: u32, outcome: Outcome) {
        match self.outcomes.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) if outcome == Outcome::Applies => *known = outcome,
            Some(_) => {}
            None => self.outcomes.push((id, outcome)),
        }
    }

    fn drawn(&mut self, draw: &Draw) {
        self.draws.push(*draw);
    }
}
