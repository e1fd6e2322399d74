//! Deciding a call of which not everything is known: what a log says of it.
//!
//! What is not known may be anything, or nothing. The evaluation runs twice: once with everything that is not known in favour of the
//! caller, once against. More allows and fewer denies never refuse what was permitted, so that every way the call may really
//! have been lies between the two; where they agree, the verdict is certain.

use std::sync::Arc;

use super::evaluate::{Deaf, Evaluation, Listener, Outcome};
use super::expr::{Missed, Possible, Truth};
use super::stanza::Stanza;
use super::{
    Aimed, Call, Context, Draw, Effect, Permitted, Policy, Principal, Refusal, RuleId, SlotSet,
    UnixTime,
};

/// The names that lead to a claim.
pub type ClaimPath = Box<[Box<str>]>;

/// What is not known of a call, its caller and its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Missing {
    /// Arguments, by slot of the policy that is asked.
    pub args: SlotSet,
    /// `mcp.is_retry`.
    pub is_retry: bool,
    /// Which claims are known, present or not; `None`: all of them.
    pub claims: Option<Arc<[ClaimPath]>>,
    /// `client.scopes`, and whether the caller has the scopes that an allow asks for.
    pub scopes: bool,
    /// `client.id`.
    pub id: bool,
    /// `client.issuer`.
    pub issuer: bool,
    /// `request.host` and `request.sni`.
    pub host: bool,
}

impl Missing {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let Self { args, is_retry, claims, scopes, id, issuer, host } = self;
        args.is_empty() && claims.is_none() && !(*is_retry || *scopes || *id || *issuer || *host)
    }

    /// Whether the claim at `path` is missing. Of a claim that is known to be absent or to be no object, what would be below
    /// it is known, too.
    #[must_use]
    pub fn misses_claim(&self, path: &[Box<str>]) -> bool {
        let Some(known) = &self.claims else { return false };
        !known.iter().any(|known| path.starts_with(known))
    }

    /// The same, and all arguments besides.
    fn with_free_arguments(&self) -> Self {
        let mut args = SlotSet::EMPTY;
        (0..64).for_each(|slot| args.insert(slot));
        Self { args, is_retry: true, ..self.clone() }
    }

    /// The same, with all arguments known.
    fn but_arguments(&self) -> Self {
        Self { args: SlotSet::EMPTY, is_retry: false, ..self.clone() }
    }
}

/// What the rules of a set read of all that a record may lack.
#[derive(Clone, Debug)]
pub struct Minded {
    claims: Box<[ClaimPath]>,
    scopes: bool,
    id: bool,
    issuer: bool,
}

impl Minded {
    /// Whether some rule reads the claim at `path`, or what is below it. What is above it is not known from it.
    #[must_use]
    pub fn reads_claim(&self, path: &[Box<str>]) -> bool {
        self.claims.iter().any(|read| read.starts_with(path))
    }

    /// What of `missing` no argument and no way of a call is, as far as any rule reads it: what is decided without the one is
    /// decided without the other.
    #[must_use]
    pub fn of_caller(&self, missing: &Missing) -> Missing {
        let is_known = |path: &&ClaimPath| !missing.misses_claim(path);
        let known: Vec<ClaimPath> = self.claims.iter().filter(is_known).cloned().collect();
        // INVARIANT: what is below a known path is known, so that of the paths that are read those are known that were.
        let claims = (known.len() < self.claims.len()).then(|| known.into());
        Missing {
            claims,
            scopes: missing.scopes && self.scopes,
            id: missing.id && self.id,
            issuer: missing.issuer && self.issuer,
            ..missing.clone()
        }
    }
}

/// For whom everything that is not known speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaning {
    /// For the caller.
    For,
    /// Against it.
    Against,
}

/// An evaluation in which something is not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supposed<'a> {
    pub(super) missing: &'a Missing,
    pub(super) leaning: Leaning,
}

/// What can be said of a call.
#[derive(Clone, Debug)]
pub enum Certainty {
    /// It is permitted, whatever is missing.
    Permitted(Permitted),
    /// It is refused, whatever is missing.
    Refused(Refusal),
    /// What is missing decides.
    Undecided {
        /// With all that is missing in favour of the caller.
        best: Permitted,
        /// With all that is missing against the caller.
        worst: Refusal,
    },
}

impl Certainty {
    /// What can be said without what is `missing`, by what `run` decides with it supposed in one way or the other.
    fn of<'m>(
        missing: &'m Missing,
        run: impl Fn(Option<Supposed<'m>>) -> Result<Permitted, Refusal>,
    ) -> Self {
        if missing.is_nothing() {
            return run(None).map_or_else(Self::Refused, Self::Permitted);
        }
        let supposing = |leaning| run(Some(Supposed { missing, leaning }));
        match supposing(Leaning::For) {
            Err(refusal) => Self::Refused(refusal),
            Ok(best) => match supposing(Leaning::Against) {
                Ok(permitted) => Self::Permitted(permitted),
                Err(worst) => Self::Undecided { best, worst },
            },
        }
    }
}

impl Policy {
    /// Decides `call` as [`Policy::decide`] does, as far as it can be said without what is `missing`, of which `principal`,
    /// `context` and `call` hold nothing.
    #[must_use]
    pub fn decide_without(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        missing: &Missing,
        now: UnixTime,
    ) -> Certainty {
        Certainty::of(missing, |supposed| {
            self.decide_supposing(principal, context, call, now, supposed, &mut Deaf)
        })
    }

    /// [`Policy::decide_without`] of the call that `aimed` is.
    #[must_use]
    pub fn decide_aim_without(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        aimed: &Aimed,
        missing: &Missing,
        now: UnixTime,
    ) -> Certainty {
        Certainty::of(missing, |supposed| {
            self.decide_aimed(principal, context, aimed, now, supposed, &mut Deaf)
        })
    }

    /// What the rules read of all that a record may lack.
    #[must_use]
    pub fn minded(&self) -> Minded {
        let claims = Some(Vec::new().into());
        let all = Missing { claims, scopes: true, id: true, issuer: true, ..Missing::default() };
        let mut claims: Vec<ClaimPath> = Vec::new();
        let (mut id, mut issuer) = (false, false);
        let mut scopes = self.stanzas.iter().any(Stanza::asks_for_scopes);
        for missed in self.predicates.iter().flat_map(|it| it.expr.missed(&all)) {
            match missed {
                Missed::Claim(path) => claims.push(path.into()),
                Missed::Named("client.scopes") => scopes = true,
                Missed::Named("client.id") => id = true,
                Missed::Named("client.issuer") => issuer = true,
                Missed::Named(_) | Missed::Arg(_) => {}
            }
        }
        claims.sort();
        claims.dedup();
        Minded { claims: claims.into(), scopes, id, issuer }
    }

    /// The rules that apply or not depending on what is `missing`, in order.
    #[must_use]
    pub fn open_rules(
        &self,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        missing: &Missing,
        now: UnixTime,
    ) -> Vec<RuleId> {
        let [best, worst] = [Leaning::For, Leaning::Against].map(|leaning| {
            let mut heard = Applied::default();
            let supposed = Supposed { missing, leaning };
            // Which rules apply is asked, and not what comes of it.
            let _ =
                self.decide_supposing(principal, context, call, now, Some(supposed), &mut heard);
            heard.0
        });
        let differs = |id: &&u32| best.contains(id) != worst.contains(id);
        let mut open: Vec<u32> = best.iter().chain(&worst).filter(differs).copied().collect();
        open.sort_unstable();
        open.dedup();
        let decides = |id: &u32| {
            self.stanzas.get(*id as usize).is_some_and(|rule| rule.effect() != Effect::Limit)
        };
        open.into_iter().filter(decides).map(RuleId::new).collect()
    }

    /// What rule `id` reads of what is `missing`, as policies name it: `claims.plan`, `args.path`, `client.scopes`.
    #[must_use]
    pub fn lacks(&self, id: RuleId, missing: &Missing) -> Vec<String> {
        let Some(rule) = self.stanzas.get(id.index()) else { return Vec::new() };
        let index = u32::try_from(id.index()).unwrap_or(u32::MAX);
        let mut names: Vec<String> = Vec::new();
        for missed in self.condition(index).map(|expr| expr.missed(missing)).unwrap_or_default() {
            names.push(match missed {
                Missed::Named(name) => name.to_owned(),
                Missed::Claim(path) => dotted("claims", &path),
                Missed::Arg(slot) => dotted("args", &self.captures().path(slot)),
            });
        }
        if missing.scopes && rule.asks_for_scopes() {
            names.push("client.scopes".to_owned());
        }
        names.sort();
        names.dedup();
        names
    }
}

/// `root.a.b`, as an expression says it.
fn dotted(root: &str, path: &[impl AsRef<str>]) -> String {
    path.iter().fold(root.to_owned(), |so_far, name| format!("{so_far}.{}", name.as_ref()))
}

/// Hears which rules apply.
#[derive(Default)]
struct Applied(Vec<u32>);

impl Listener for Applied {
    const HEARS_ALL: bool = true;

    fn heard(&mut self, id: u32, outcome: Outcome) {
        if outcome == Outcome::Applies {
            self.0.push(id);
        }
    }

    fn drawn(&mut self, _: &Draw) {}
}

impl Evaluation<'_> {
    /// What the condition of `rule` is taken to come to, where something may be missing. `None`: nothing that it reads is.
    pub(super) fn supposed_truth(
        &self,
        rule: &Stanza,
        supposed: Supposed<'_>,
        has_free_args: bool,
    ) -> Option<Truth> {
        let expr = &self.policy.predicates.get(rule.when? as usize)?.expr;
        let Supposed { missing, leaning } = supposed;
        let possible = match has_free_args && rule.effect() != Effect::Limit {
            // Arguments are free in any case; what else is missing decides whether some of them do.
            true if expr.misses(&missing.but_arguments()) => {
                expr.possible_without(&self.scope, &missing.with_free_arguments())
            }
            true => return None,
            false if expr.misses(missing) => expr.possible_without(&self.scope, missing),
            false => return None,
        };
        Some(leant(possible, rule.effect(), leaning))
    }

    /// Whether the caller has `scopes`, as far as it is known.
    pub(super) fn has_supposed(&self, scopes: &[Box<str>]) -> bool {
        match self.supposed {
            Some(Supposed { missing, leaning }) if missing.scopes => {
                scopes.is_empty() || leaning == Leaning::For
            }
            _ => self.has(scopes),
        }
    }
}

/// The truth that serves `leaning` best of those that are possible of the condition of a rule of `effect`.
fn leant(possible: Possible, effect: Effect, leaning: Leaning) -> Truth {
    // The one truth that matters: with it an allow applies, and without it a deny or a limit does.
    let decisive = if effect == Effect::Allow { Truth::True } else { Truth::False };
    match leaning {
        Leaning::For => possible.at_best(decisive),
        Leaning::Against if possible == Possible::only(decisive) => decisive,
        Leaning::Against => Truth::Unknown,
    }
}
