//! What a policy set says of a recorded call.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::record::{Asked, Record, is_cut};
use crate::policy::{
    Arg, Args, Call, Certainty, ClaimPath, ClientKind, Context, Missing, Object, Policy, Principal,
    Reason, Refusal, RuleId, UnixTime, Value,
};
use crate::wire::mcp::{Method, RevisionSet};

/// Callers that are remembered with what was found of them; more are met again as if for the first time.
const CALLERS: usize = 1 << 16;

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
    Open {
        /// The rules that apply or not.
        rules: Vec<RuleId>,
        /// What they read.
        needs: Vec<String>,
    },
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
    /// The time at which everything is decided; `None`: each call when it was.
    at: Option<UnixTime>,
    callers: HashMap<Box<[u8]>, Arc<Caller>>,
    key: Vec<u8>,
    /// By what they depend on.
    needs: HashMap<(Vec<RuleId>, Missing), Vec<String>>,
}

/// A caller as recorded.
#[derive(Debug)]
struct Caller {
    principal: Principal,
    /// What is not known of it.
    missing: Missing,
}

impl<'p> Judge<'p> {
    /// Judges by `policy`; every call as if it came at `at`, or else when it came.
    #[must_use]
    pub fn new(policy: &'p Policy, at: Option<UnixTime>) -> Self {
        let (callers, needs) = (HashMap::new(), HashMap::new());
        Self { policy, at, callers, key: Vec::new(), needs }
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
    pub fn judge<'l>(
        &mut self,
        record: &Record<'_, 'l>,
        asked: &Asked<'l>,
    ) -> Result<(Verdict, Judged), Unjudged> {
        let then = Self::then(record, asked)?;
        let asking = self.ask(record, asked)?;
        let Asking { caller, call, missing, at, .. } = &asking;
        let context = asking.context();
        let decided = self.policy.decide_without(&caller.principal, &context, call, missing, *at);
        let (to, rule, reason) = match decided {
            Certainty::Permitted(permitted) => (Verdict::Allow, permitted.basis().rule(), None),
            Certainty::Refused(refusal) => {
                (Verdict::Deny, Refusal::rule(&refusal), Some(refusal.reason()))
            }
            Certainty::Undecided { .. } => {
                let principal = &caller.principal;
                let rules = self.policy.open_rules(principal, &context, call, missing, *at);
                let needs = self.needs(&rules, missing);
                return Ok((then, Judged::Open { rules, needs }));
            }
        };
        let judged = match to == then {
            true => Judged::Same(to),
            false => Judged::Changed { to, rule, reason },
        };
        Ok((then, judged))
    }

    /// What `rules` read of what is `missing`.
    fn needs(&mut self, rules: &[RuleId], missing: &Missing) -> Vec<String> {
        const KINDS: usize = 4096;
        let key = (rules.to_vec(), missing.clone());
        if let Some(known) = self.needs.get(&key) {
            return known.clone();
        }
        let mut names: Vec<String> =
            rules.iter().flat_map(|rule| self.policy.lacks(*rule, missing)).collect();
        names.sort();
        names.dedup();
        if self.needs.len() >= KINDS {
            self.needs.clear();
        }
        self.needs.insert(key, names.clone());
        names
    }

    /// What `record` says of `asked`, as the set is asked about it.
    ///
    /// # Errors
    /// [`Unjudged::Incomplete`]
    pub fn ask<'l>(
        &mut self,
        record: &Record<'_, 'l>,
        asked: &Asked<'l>,
    ) -> Result<Asking<'l>, Unjudged> {
        let (Some(route), Some(revision), Some(kind)) =
            (record.route, record.revision, record.client)
        else {
            return Err(Unjudged::Incomplete);
        };
        let ip: IpAddr = record.peer.parse().map_err(|_| Unjudged::Incomplete)?;
        let caller = self.caller(record, kind);
        let mut missing = caller.missing.clone();
        missing.host = record.host.is_none_or(is_cut);
        missing.is_retry = !record.is_audit;
        let args = self.arguments(record, &mut missing);
        let object = asked.object.map(|(kind, name)| Object { kind, name: name.into() });
        let call = Call {
            method: asked.method.into(),
            object,
            revision,
            is_request: true,
            is_retry: record.is_retry,
            args,
            subscriptions: None,
        };
        let at = self.at.unwrap_or(record.judged);
        let host = record.host.unwrap_or_default();
        Ok(Asking { caller, call, missing, at, route, host, ip })
    }

    /// The arguments that are recorded; the others are missing.
    fn arguments(&self, record: &Record<'_, '_>, missing: &mut Missing) -> Args {
        let captures = self.policy.captures();
        if captures.is_empty() {
            return Args::default();
        }
        let mut args = Args::new(captures);
        let slots = || (0_u8..).zip(self.policy.args_read());
        slots().for_each(|(slot, _)| missing.args.insert(slot));
        if !record.is_audit {
            return args;
        }
        let mut known = crate::policy::SlotSet::EMPTY;
        for (name, value) in record.values() {
            for (slot, pointer) in slots() {
                match pointer.strip_prefix(name) {
                    Some("") => args.set(slot, Arg::Value(value.clone())),
                    // Below a scalar or a list, nothing has a name.
                    Some(below) if below.starts_with('/') => {}
                    _ => continue,
                }
                known.insert(slot);
            }
        }
        for (slot, pointer) in slots() {
            let is_below = |name: &&str| {
                pointer
                    .strip_prefix(*name)
                    .is_some_and(|below| below.is_empty() || below.starts_with('/'))
            };
            if record.absent.iter().any(is_below) {
                known.insert(slot);
            } else if record.too_large.contains(&&**pointer) {
                args.set(slot, Arg::TooLarge);
                known.insert(slot);
            }
        }
        missing.args = missing.args.without(known);
        args
    }

    fn caller(&mut self, record: &Record<'_, '_>, kind: ClientKind) -> Arc<Caller> {
        let key = &mut self.key;
        key.clear();
        record.write_caller(key);
        if let Some(known) = self.callers.get(&**key) {
            return Arc::clone(known);
        }
        let caller = Arc::new(Caller::of(record, kind));
        if self.callers.len() >= CALLERS {
            self.callers.clear();
        }
        self.callers.insert(key.as_slice().into(), Arc::clone(&caller));
        caller
    }
}

/// A recorded call as a set is asked about it.
#[derive(Debug)]
pub struct Asking<'l> {
    caller: Arc<Caller>,
    /// The call.
    pub call: Call,
    /// What the record lacks.
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

impl Caller {
    fn of(record: &Record<'_, '_>, kind: ClientKind) -> Self {
        let whole = |text: Option<&str>| text.filter(|text| !is_cut(text)).map(Box::<str>::from);
        let (id, issuer) = (whole(record.id), whole(record.issuer));
        let mut missing = Missing {
            id: id.is_none() && record.id.is_some(),
            issuer: issuer.is_none() && record.issuer.is_some(),
            ..Missing::default()
        };
        let mut claims = Value::Map(Vec::new());
        let mut known: Vec<ClaimPath> = Vec::new();
        for (name, value) in record.values() {
            if let Some(path) = claim(name) {
                claims = with(claims, &path, value);
                known.push(path);
            }
        }
        known.extend(record.absent.iter().filter_map(|name| claim(name)));
        if kind == ClientKind::Jwt {
            // RFC 9068: who a token is of and who made it are claims of it.
            for (name, value) in [("sub", &id), ("iss", &issuer)] {
                let path: ClaimPath = Box::new([name.into()]);
                if let Some(value) = value
                    && !known.contains(&path)
                {
                    claims = with(claims, &path, Value::from(&**value));
                    known.push(path);
                }
            }
        }
        let mut scopes = Vec::new();
        // Who proved nothing claims nothing.
        if kind != ClientKind::Anonymous {
            missing.claims = Some(known.into());
            match &record.scopes {
                Some(all) => scopes = all.iter().map(|scope| Box::from(*scope)).collect(),
                None => missing.scopes = true,
            }
        }
        Self { principal: Principal::verified(kind, issuer, id, scopes, claims), missing }
    }
}

/// What is recorded of the caller's claims; `None`: it proved nothing.
pub(super) fn claims(record: &Record<'_, '_>) -> Option<Value> {
    let kind = record.client.filter(|kind| *kind != ClientKind::Anonymous)?;
    Some(Caller::of(record, kind).principal.claims().clone())
}

/// The path of the claim that records name `name`.
fn claim(name: &str) -> Option<ClaimPath> {
    names(name.strip_prefix("/claims/")?)
}

/// The names of the JSON Pointer `below` without its first `/`.
pub(super) fn names(below: &str) -> Option<ClaimPath> {
    Some(below.split('/').map(|name| name.replace("~1", "/").replace("~0", "~").into()).collect())
}

/// `map` with `value` at the end of `path`. As deep as the path is long, which the line's length bounds: no recursion.
pub(super) fn with(map: Value, path: &[Box<str>], value: Value) -> Value {
    let Some((first, rest)) = path.split_first() else { return map };
    let below = map.member(first).cloned();
    // What stands below, from the end of the path upwards.
    let value = rest.iter().enumerate().rev().fold(value, |value, (at, name)| {
        let above = rest.iter().take(at);
        let there = above.fold(below.as_ref(), |there, name| there?.member(name));
        added(there, name, value)
    });
    added(Some(&map), first, value)
}

/// The object `there`, or a new one, with `value` as its member `name`.
fn added(there: Option<&Value>, name: &str, value: Value) -> Value {
    let members = match there {
        Some(Value::Map(members)) => members.as_slice(),
        _ => &[],
    };
    Value::map(members.iter().cloned().chain([(name.into(), value)]))
}
