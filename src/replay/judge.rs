//! What a policy set says of a recorded call.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::aim::Aim;
use super::caller::{self, Caller};
use super::kept::Kept;
use super::record::{Asked, Record, is_cut};
use super::verdicts::{Found, Seat, Verdicts};
use crate::policy::{
    Call, Certainty, ClientKind, Context, Minded, Missing, Policy, Principal, Reason, Refusal,
    RuleId, SlotSet, UnixTime,
};
use crate::wire::mcp::{Method, RevisionSet};

/// Bytes of callers that are kept with what was found of them, about: 40 000 of a usual kind under 1 000 rules.
const CALLERS: usize = 64 << 20;
/// Bytes of things that are called, about: 20 000 of a usual kind.
const AIMS: usize = 16 << 20;
/// Things that are told of those that an open verdict needs: they stand in each group.
const NEEDS: usize = 32;
/// Ways of being open that are kept.
const OPEN: usize = 4096;

/// What the rules say of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It may happen, as far as limits let it.
    Allow,
    /// It may not.
    Deny,
}

/// What a set says of a recorded call, beside what was said then.
#[derive(Clone, Debug)]
pub enum Judged {
    /// The same.
    Same(Verdict),
    /// Something else, whatever the record lacks.
    Changed {
        /// What it is now.
        to: Verdict,
        /// The rule that says so.
        rule: Option<RuleId>,
        /// Why, where it is refused.
        reason: Option<Reason>,
    },
    /// It depends on what the record lacks.
    Open(Arc<Open>),
}

/// What keeps a verdict open.
#[derive(Clone, Debug)]
pub struct Open {
    /// The rules that apply or not.
    pub rules: Vec<RuleId>,
    /// What they read.
    pub needs: Vec<String>,
}

/// Why a record cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Unjudged {
    /// The rules were not asked, or not about a call.
    #[error("refused or ended before the rules were asked")]
    Unasked,
    /// What it acts on was longer than a log holds.
    #[error("the name of what it acts on is cut off in the log")]
    Cut,
    /// The method acts on a list that no log holds.
    #[error("the resources of a subscription are not recorded")]
    Subscription,
    /// It answers something that the server asked.
    #[error("it is an answer to what the server asked")]
    OfServer,
    /// A pin refused it, and what the server showed is not recorded.
    #[error("a pin refused it, and what the server showed is not recorded")]
    Pin,
    /// A field that the rules need is not there.
    #[error("the record has no route, address or revision")]
    Incomplete,
}

/// Judges records by one set.
#[derive(Debug)]
pub struct Judge<'p> {
    policy: &'p Policy,
    minded: Minded,
    /// The time at which everything is decided; `None`: each call when it was.
    at: Option<UnixTime>,
    callers: Kept<Caller>,
    aims: Kept<Aim>,
    verdicts: Verdicts,
    key: Vec<u8>,
    long_key: Vec<u8>,
    /// By what they depend on.
    open: HashMap<(Vec<RuleId>, Missing), Arc<Open>>,
}

/// What a record says of a call, found in what is kept.
struct Place<'l> {
    caller: usize,
    aim: usize,
    route: &'l str,
    host: Option<&'l str>,
    ip: IpAddr,
}

impl<'p> Judge<'p> {
    /// Judges by `policy`; every call as if it came at `at`, or else when it came.
    #[must_use]
    pub fn new(policy: &'p Policy, at: Option<UnixTime>) -> Self {
        Self::with_room(policy, at, CALLERS, AIMS)
    }

    /// The same, with room for so many bytes of callers and of things that are called.
    pub(super) fn with_room(
        policy: &'p Policy,
        at: Option<UnixTime>,
        callers: usize,
        aims: usize,
    ) -> Self {
        Self {
            policy,
            minded: policy.minded(),
            at,
            callers: Kept::new(callers),
            aims: Kept::new(aims),
            verdicts: Verdicts::default(),
            key: Vec::new(),
            long_key: Vec::new(),
            open: HashMap::new(),
        }
    }

    /// What was said of `asked` then.
    ///
    /// # Errors
    /// [`Unjudged`] where nothing was.
    pub fn then(record: &Record<'_, '_>, asked: &Asked<'_>) -> Result<Verdict, Unjudged> {
        let verdict = match record.decision {
            "allow" | "limit" => Verdict::Allow,
            "deny" => match record.reason {
                Some(reason) if reason == Reason::PinChanged.slug() => return Err(Unjudged::Pin),
                Some(reason) if Reason::is_slug(reason) => Verdict::Deny,
                _ => return Err(Unjudged::Unasked),
            },
            _ => return Err(Unjudged::Unasked),
        };
        let method = Method::from_wire(asked.method);
        if method == Method::SubscriptionsListen {
            return Err(Unjudged::Subscription);
        }
        if method != Method::Other && method.info().to_server == RevisionSet::EMPTY {
            return Err(Unjudged::OfServer);
        }
        if is_cut(asked.method) || asked.object.is_some_and(|(_, name)| is_cut(name)) {
            return Err(Unjudged::Cut);
        }
        Ok(verdict)
    }

    /// Judges `asked` of `record`.
    ///
    /// # Errors
    /// [`Unjudged`]
    pub fn judge(
        &mut self,
        record: &Record<'_, '_>,
        asked: &Asked<'_>,
    ) -> Result<(Verdict, Judged), Unjudged> {
        let then = Self::then(record, asked)?;
        let place = self.place(record, asked)?;
        let (to, rule, reason) = match self.now(record, &place) {
            Found::Permitted(rule) => (Verdict::Allow, rule, None),
            Found::Refused(rule, reason) => (Verdict::Deny, rule, Some(reason)),
            Found::Open(open) => return Ok((then, Judged::Open(open))),
        };
        let judged = match to == then {
            true => Judged::Same(to),
            false => Judged::Changed { to, rule, reason },
        };
        Ok((then, judged))
    }

    /// What the set says of the call at `place`.
    fn now(&mut self, record: &Record<'_, '_>, place: &Place<'_>) -> Found {
        let (Some(caller), Some(aim)) =
            (self.callers.thing(place.caller), self.aims.thing_mut(place.aim))
        else {
            // Not reached: both have been kept.
            return Found::Refused(None, Reason::DefaultDeny);
        };
        let known = aim.take(record);
        let missing = missing(record, caller, aim, known);
        // INVARIANT: nothing else but what the seat is of decides. What is known of arguments, where the call came from and
        // when are not in it.
        let depends = aim.depends;
        let is_seated =
            known.is_empty() && !depends.context && (!depends.time || self.at.is_some());
        let seat = is_seated.then(|| {
            let retry = depends.needs.is_retry.then_some((record.is_retry, missing.is_retry));
            Seat::new(place.caller, place.aim, retry)
        });
        if let Some(found) = seat.and_then(|seat| self.verdicts.found(seat)) {
            return found;
        }
        aim.aimed.retry(record.is_retry);
        let (aimed, principal) = (&aim.aimed, &caller.principal);
        let context = place.context();
        let at = self.at.unwrap_or(record.judged);
        let found = match self.policy.decide_aim_without(principal, &context, aimed, &missing, at) {
            Certainty::Permitted(permitted) => Found::Permitted(permitted.basis().rule()),
            Certainty::Refused(refusal) => {
                Found::Refused(Refusal::rule(&refusal), refusal.reason())
            }
            Certainty::Undecided { .. } => {
                let rules = self.policy.open_rules(principal, &context, aimed.call(), &missing, at);
                Found::Open(opened(&mut self.open, self.policy, rules, missing))
            }
        };
        aim.leave();
        if let Some(seat) = seat {
            self.verdicts.keep(seat, found.clone());
        }
        found
    }

    /// What `record` says of `asked`, as the set is asked about it.
    ///
    /// # Errors
    /// [`Unjudged::Incomplete`]
    pub fn ask<'l>(
        &self,
        record: &Record<'_, 'l>,
        asked: &Asked<'_>,
    ) -> Result<Asking<'l>, Unjudged> {
        let (route, revision) = record.route.zip(record.revision).ok_or(Unjudged::Incomplete)?;
        let kind = record.client.ok_or(Unjudged::Incomplete)?;
        let ip = address(record)?;
        let caller = self.met(record, kind);
        let mut aim = Aim::of(self.policy, asked, revision);
        let known = aim.take(record);
        let missing = missing(record, &caller, &aim, known);
        let call = Call { is_retry: record.is_retry, ..aim.aimed.into_call() };
        let at = self.at.unwrap_or(record.judged);
        let host = record.host.unwrap_or_default();
        Ok(Asking { caller, call, missing, at, route, host, ip })
    }

    /// Finds who called and what, or keeps it from now on.
    fn place<'l>(
        &mut self,
        record: &Record<'_, 'l>,
        asked: &Asked<'_>,
    ) -> Result<Place<'l>, Unjudged> {
        let (Some(route), Some(revision), Some(kind)) =
            (record.route, record.revision, record.client)
        else {
            return Err(Unjudged::Incomplete);
        };
        let ip = address(record)?;
        if self.callers.is_full() || self.aims.is_full() {
            self.forget();
        }
        self.key.clear();
        let is_again = caller::write_short_key(&mut self.key, record);
        let known = if is_again { self.callers.place(&self.key) } else { None };
        let caller = known.unwrap_or_else(|| self.caller(record, kind));
        self.key.clear();
        Aim::write_key(&mut self.key, asked, route, revision);
        let aim = match self.aims.place(&self.key) {
            Some(place) => place,
            None => {
                let aim = Aim::of(self.policy, asked, revision);
                let bytes = self.key.len() + self.policy.captures().len() * 64 + 512;
                self.aims.keep(&self.key, aim, bytes)
            }
        };
        Ok(Place { caller, aim, route, host: record.host, ip })
    }

    /// Finds who called by all that is recorded, or keeps it from now on; from then on by the short key that is written, too.
    fn caller(&mut self, record: &Record<'_, '_>, kind: ClientKind) -> usize {
        let mut key = std::mem::take(&mut self.long_key);
        key.clear();
        caller::write_key(&mut key, record, kind);
        let place = self.callers.place(&key).unwrap_or_else(|| {
            let caller = self.met(record, kind);
            // What a value takes besides its bytes, and what is remembered of each rule.
            let bytes = key.len() * 8 + self.policy.rules().len() / 2 + 512;
            self.callers.keep(&key, caller, bytes)
        });
        if !self.key.is_empty() {
            self.callers.also(&self.key, place);
        }
        self.long_key = key;
        place
    }

    /// A caller that was not met before.
    fn met(&self, record: &Record<'_, '_>, kind: ClientKind) -> Caller {
        let minded = &self.minded;
        let Caller { principal, missing } =
            Caller::of(record, kind, |path| minded.reads_claim(path));
        Caller { principal, missing: minded.of_caller(&missing) }
    }

    /// Forgets all that was kept, which is found out again.
    fn forget(&mut self) {
        self.callers.clear();
        self.aims.clear();
        self.verdicts = Verdicts::default();
    }
}

/// What `record` lacks of what a verdict can depend on; of the arguments those that are `known` are not missing.
fn missing(record: &Record<'_, '_>, caller: &Caller, aim: &Aim, known: SlotSet) -> Missing {
    let depends = aim.depends;
    Missing {
        args: depends.needs.slots.without(known),
        is_retry: depends.needs.is_retry && !record.is_audit,
        host: depends.context && record.host.is_none_or(is_cut),
        ..caller.missing.clone()
    }
}

/// Why a verdict is open, in what is kept of that.
fn opened(
    kept: &mut HashMap<(Vec<RuleId>, Missing), Arc<Open>>,
    policy: &Policy,
    rules: Vec<RuleId>,
    missing: Missing,
) -> Arc<Open> {
    let key = (rules, missing);
    if let Some(known) = kept.get(&key) {
        return Arc::clone(known);
    }
    let (rules, missing) = &key;
    let mut needs: Vec<String> =
        rules.iter().flat_map(|rule| policy.lacks(*rule, missing)).collect();
    needs.sort();
    needs.dedup();
    if let Some(more) = needs.len().checked_sub(NEEDS).filter(|more| *more > 0) {
        needs.truncate(NEEDS);
        needs.push(format!("and {more} more"));
    }
    let open = Arc::new(Open { rules: rules.clone(), needs });
    if kept.len() >= OPEN {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&open));
    open
}

fn address(record: &Record<'_, '_>) -> Result<IpAddr, Unjudged> {
    record.peer.parse().map_err(|_| Unjudged::Incomplete)
}

impl Place<'_> {
    fn context(&self) -> Context<'_> {
        Context { route: self.route, host: self.host.unwrap_or_default(), sni: None, ip: self.ip }
    }
}

/// A recorded call as a set is asked about it.
#[derive(Debug)]
pub struct Asking<'l> {
    caller: Caller,
    /// The call.
    pub call: Call,
    /// What the record lacks of what a verdict can depend on.
    pub missing: Missing,
    /// When.
    pub at: UnixTime,
    route: &'l str,
    host: &'l str,
    ip: IpAddr,
}

impl Asking<'_> {
    /// The caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.caller.principal
    }

    /// By which way it came.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context { route: self.route, host: self.host, sni: None, ip: self.ip }
    }
}
