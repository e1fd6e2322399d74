//! The examples that stand beside the rules, and how they are run.
//!
//! A decision is pure, so an example is too; only how much of it fits into a budget is known elsewhere. Who runs the
//! examples brings that knowledge along as a function.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::evaluate::{Deaf, Listener, Outcome};
use super::language::codes;
use super::{
    Args, Call, Captures, Context, Draw, Explanation, Object, Permitted, Policy, Principal,
    Refusal, RuleId, UnixTime, Value,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::wire::mcp::Revision;

/// One `[[test]]`.
#[derive(Clone, Debug)]
pub struct PolicyTest {
    pub(super) name: Box<str>,
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    pub(super) span: Span,
    /// What the caller's token claims; `None` for an anonymous caller.
    pub(super) claims: Option<Value>,
    pub(super) call: Example,
    pub(super) repeat: u32,
    pub(super) every: Duration,
    pub(super) expect: Counts,
    /// The rule that must be the one to decide.
    pub(super) by: Option<(Arc<str>, Span)>,
}

/// The call of a test.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) method: Option<Box<str>>,
    /// Whether the server asks it of the client.
    pub(super) is_server: bool,
    pub(super) object: Option<Object>,
    pub(super) args: Option<Value>,
    pub(super) route: Option<Box<str>>,
    pub(super) host: Option<Box<str>>,
    pub(super) ip: Option<IpAddr>,
    pub(super) revision: Option<Revision>,
    pub(super) is_retry: bool,
}

/// How many calls came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Went through.
    pub allow: u32,
    /// Were refused by the rules.
    pub deny: u32,
    /// Were refused by a budget.
    pub limit: u32,
}

/// What running a [`PolicyTest`] came to.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What became of its calls.
    pub found: Counts,
    /// Which rules decided, and how many calls each; `None`: no rule did. In the order in which they first did.
    pub decided: Vec<(Option<RuleId>, u32)>,
    /// What is wrong, where the outcome is not the expected one.
    pub failure: Option<Diagnostic>,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        [self.allow, self.deny, self.limit].into_iter().map(u64::from).sum()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [("allow", self.allow), ("deny", self.deny), ("limit", self.limit)];
        let mut is_first = true;
        for (name, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
            let comma = if is_first { "" } else { ", " };
            write!(f, "{comma}{count} {name}")?;
            is_first = false;
        }
        if is_first { f.write_str("nothing") } else { Ok(()) }
    }
}

impl PolicyTest {
    /// Its `name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line of its stanza header, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// What is expected of it.
    #[must_use]
    pub fn expected(&self) -> Counts {
        self.expect
    }

    /// The rule that must be the one to decide.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        self.by.as_ref().map(|(by, _)| &**by)
    }

    /// As [`PolicyTest::try_out`], of which it returns the failure.
    pub fn run(
        &self,
        policy: &Policy,
        now: UnixTime,
        admit: impl FnMut(Permitted, u64) -> Result<(), RuleId>,
    ) -> Option<Diagnostic> {
        self.try_out(policy, now, admit).failure
    }

    /// Runs it against `policy`, which it came from, starting at `now`. `admit` is asked for every permitted call,
    /// with the time since the first in microseconds, and says which rule refuses it; give it empty budgets.
    pub fn try_out(
        &self,
        policy: &Policy,
        now: UnixTime,
        mut admit: impl FnMut(Permitted, u64) -> Result<(), RuleId>,
    ) -> Tried {
        let principal = self.principal();
        let call = self.call.call(policy.captures());
        let every = u64::try_from(self.every.as_micros()).unwrap_or(u64::MAX);
        let mut counts = Counts::default();
        let mut others = Vec::new();
        let mut decided: Vec<(Option<RuleId>, u32)> = Vec::new();
        let mut note = |rule| match decided.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, calls)) => *calls += 1,
            None => decided.push((rule, 1)),
        };
        for turn in 0..u64::from(self.repeat) {
            let since = every.saturating_mul(turn);
            let at = now.saturating_add(since / 1_000_000);
            let rule = match self.call.decide(policy, &principal, &call, at, &mut Deaf) {
                Err(refusal) => {
                    counts.deny += 1;
                    note(refusal.rule());
                    refusal.rule()
                }
                Ok(permitted) => {
                    let basis = permitted.basis();
                    match admit(permitted, since) {
                        Ok(()) => {
                            counts.allow += 1;
                            note(basis.rule());
                            // With limits expected, `by` speaks of the limit.
                            if self.expect.deny + self.expect.limit > 0 {
                                continue;
                            }
                            basis.rule()
                        }
                        Err(rule) => {
                            counts.limit += 1;
                            note(Some(rule));
                            Some(rule)
                        }
                    }
                }
            };
            let name = rule.and_then(|rule| policy.rule(rule)).map(|rule| &**rule.name());
            if self.by.as_ref().is_some_and(|(by, _)| Some(&**by) != name) {
                others.push(name.unwrap_or("no rule"));
            }
        }
        Tried { found: counts, decided, failure: self.judge(counts, &others) }
    }

    /// Why its first call, at `now`, is decided as it is.
    #[must_use]
    pub fn explain(&self, policy: &Policy, now: UnixTime) -> Explanation {
        let (principal, call) = (self.principal(), self.call.call(policy.captures()));
        let context = self.call.context();
        match self.call.is_server {
            true => policy.explain_server_request(&principal, &context, &call, now),
            false => policy.explain(&principal, &context, &call, now),
        }
    }

    pub(super) fn principal(&self) -> Principal {
        self.claims.clone().map_or_else(Principal::anonymous, Principal::supposed)
    }

    /// Marks in `applied` every rule of `policy`, which it came from, that applies to some of its calls.
    pub(super) fn touch(&self, policy: &Policy, now: UnixTime, applied: &mut [bool]) {
        let principal = self.principal();
        let call = self.call.call(policy.captures());
        let mut touched = Touched(applied);
        // Its error is one outcome among others.
        let _ = self.call.decide(policy, &principal, &call, now, &mut touched);
    }

    fn judge(&self, counts: Counts, others: &[&str]) -> Option<Diagnostic> {
        let finding = Diagnostic::error(codes::FAILED_TEST, format!("test `{}` fails", self.name));
        if counts != self.expect {
            let label = format!("expected {}, found {counts}", self.expect);
            return Some(finding.primary(self.span, label));
        }
        match (&self.by, others.first()) {
            (Some((_, span)), Some(other)) => {
                Some(finding.primary(*span, format!("decided by {other}")))
            }
            _ => None,
        }
    }
}

/// Hears which rules apply.
struct Touched<'a>(&'a mut [bool]);

impl Listener for Touched<'_> {
    const HEARS_ALL: bool = true;

    fn heard(&mut self, id: u32, outcome: Outcome) {
        if let (Outcome::Applies, Some(applied)) = (outcome, self.0.get_mut(id as usize)) {
            *applied = true;
        }
    }

    fn drawn(&mut self, _: &Draw) {}
}

impl Example {
    /// Decides `call`, which is this one, as one of the client or of the server.
    fn decide<L: Listener>(
        &self,
        policy: &Policy,
        principal: &Principal,
        call: &Call,
        at: UnixTime,
        listener: &mut L,
    ) -> Result<Permitted, Refusal> {
        let context = self.context();
        match self.is_server {
            true => policy.decide_request_for(principal, &context, call, at, listener),
            false => policy.decide_for(principal, &context, call, at, listener),
        }
    }

    pub(super) fn call(&self, captures: &Captures) -> Call {
        let by_object = self.object.as_ref().map(|object| super::listing::method_of(object.kind));
        Call {
            method: self.method.as_deref().or(by_object).unwrap_or_default().into(),
            object: self.object.clone(),
            revision: self.revision.unwrap_or(Revision::V2025_11_25),
            is_request: true,
            is_retry: self.is_retry,
            args: Args::capture(captures, self.args.as_ref()),
            subscriptions: None,
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            // What `run` calls the route that flags make, and what `explain` takes.
            route: self.route.as_deref().unwrap_or("default"),
            host: self.host.as_deref().unwrap_or("localhost"),
            sni: None,
            ip: self.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        }
    }
}
