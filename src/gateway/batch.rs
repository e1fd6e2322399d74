//! Deciding a batch: each element as if it came alone, and all of them charged for at once or none (T6, T48).

use super::admit;
use super::clock::unix_seconds;
use super::message::Exchange;
use super::reject::{Asked, Reject};
use crate::inspect::request::Violation;
use crate::limit::{Admitted, Throttled};
use crate::policy::{Call, Permitted, Refusal, RuleId};

/// A batch, for the log.
#[derive(Debug, Default)]
pub(super) struct Logged {
    /// Elements that were read, requests or not.
    pub(super) size: usize,
    /// What they ask for, each with the rule that allows it. Empty where the batch is refused.
    pub(super) calls: Vec<(Call, Option<RuleId>)>,
}

impl Logged {
    /// A batch of `size` elements that ask for nothing, or for nothing that is known.
    pub(super) fn of_size(size: usize) -> Self {
        Self { size, calls: Vec::new() }
    }
}

/// The elements to blame for a batch that may not go, and why.
struct Refused {
    elements: Vec<usize>,
    why: Why,
}

enum Why {
    Policy(Refusal),
    Limit(Throttled),
    /// There is nothing in it.
    Empty,
}

impl Refused {
    fn new(elements: Vec<usize>, why: Why) -> Box<Self> {
        Box::new(Self { elements, why })
    }
}

impl Exchange {
    /// Decides all of `calls`, and charges for them together.
    pub(super) fn judge_batch(&mut self, calls: Vec<Call>) -> Result<Admitted, Box<Reject>> {
        let size = calls.len();
        let Refused { elements, why } = match self.decide_batch(&calls) {
            Ok((admitted, rules)) => {
                let calls = calls.into_iter().zip(rules).collect();
                self.record.batch = Some(Box::new(Logged { size, calls }));
                return Ok(admitted);
            }
            Err(refused) => *refused,
        };
        let (route, policy) = (&self.known.route, &self.known.policy);
        self.record.batch = Some(Box::new(Logged::of_size(size)));
        // INVARIANT: the inspector gives out no empty batch, so that there always is one to blame.
        let Some(call) = elements.first().and_then(|at| calls.get(*at)) else {
            return Err(Reject::violation(&Violation::BatchEmpty, route.revisions));
        };
        let is_awaited = calls.iter().any(|call| call.is_request);
        let asked = Asked { call, style: route.refusal, is_awaited };
        let reject = match why {
            Why::Policy(refusal) => {
                self.record.shadowed(refusal.shadow());
                Reject::refused(&refusal, &asked, policy)
            }
            Why::Limit(throttled) => Reject::throttled(&throttled, &asked, policy),
            Why::Empty => Reject::violation(&Violation::BatchEmpty, route.revisions),
        };
        // The line in the log is about the element to blame.
        self.record.call = Some(call.clone());
        Err(reject.about(elements))
    }

    /// The admission, and the rule that allows each call.
    fn decide_batch(
        &mut self,
        calls: &[Call],
    ) -> Result<(Admitted, Vec<Option<RuleId>>), Box<Refused>> {
        let known = &self.known;
        let context = known.context();
        let principal = known.caller.principal();
        let now = unix_seconds();
        self.record.judged = now;
        let refused = |at, refusal| Refused::new(vec![at], Why::Policy(refusal));
        let each = known
            .policy
            .decide_each_of(principal, &context, calls, now)
            .map_err(|(at, refusal)| refused(at, refusal))?;
        let each = each.into_iter().zip(calls).enumerate().map(|(at, (permitted, call))| {
            known.hold_to_pins(permitted, call, now).map_err(|refusal| refused(at, refusal))
        });
        let each: Vec<Permitted> = each.collect::<Result<_, _>>()?;
        let all = Permitted::of_all(&each).ok_or_else(|| Refused::new(Vec::new(), Why::Empty))?;
        self.record.permitted(&all);
        // Charged last and at once, so that a batch of which one element is refused costs no budget.
        let admitted = admit::draw(&self.shared, all)
            .map_err(|throttled| Refused::new(blamed(&throttled, &each), Why::Limit(throttled)))?;
        Ok((admitted, each.iter().map(|permitted| permitted.basis().rule()).collect()))
    }
}

/// The elements that draw on the bucket that refused: with all of them left out, the rest would have passed it.
fn blamed(throttled: &Throttled, each: &[Permitted]) -> Vec<usize> {
    let Some(blamed) = throttled.blamed_draw() else { return Vec::new() };
    let is_blamed = |permitted: &Permitted| {
        permitted.draws().iter().any(|draw| (draw.rule, draw.key) == (blamed.rule, blamed.key))
    };
    let elements = each.iter().enumerate();
    elements.filter(|(_, permitted)| is_blamed(permitted)).map(|(at, _)| at).collect()
}
